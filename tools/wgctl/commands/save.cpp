// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/merge.h"

namespace wgctl {

int save(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);

	enter_netns(options, world);
	save_config(config, world);
	return 0;
}

}
