// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "commands/options.h"
#include "tunnel/bring_up.h"

namespace wgctl {

int up(Arguments arguments, World &world)
{
	Options options("up", arguments, {}, {"--netns", "--birth-netns"});
	QuickConfig config = read_quick_config(options.file(), world);

	bring_up(config, options.placement(world), world);
	return 0;
}

}
