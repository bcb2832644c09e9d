// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "tunnel/bring_up.h"

namespace wgctl {

int up(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);

	bring_up(config, options.placement(world), world);
	return 0;
}

}
