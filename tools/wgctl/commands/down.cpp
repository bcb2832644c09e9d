// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "tunnel/take_down.h"

namespace wgctl {

int down(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);

	take_down(config, options.placement(world), world);
	return 0;
}

}
