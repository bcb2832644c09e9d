// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "commands/options.h"
#include "config/merge.h"

namespace wgctl {

int save(Arguments arguments, World &world)
{
	Options options("save", arguments, {}, {"--netns"});
	QuickConfig config = read_quick_config(options.file(), world);

	enter_netns(options, world);
	save_config(config, world);
	return 0;
}

}
