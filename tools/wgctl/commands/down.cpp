// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "commands/options.h"
#include "tunnel/take_down.h"

namespace wgctl {

int down(Arguments arguments, World &world)
{
	Options options("down", arguments, {}, {"--netns", "--birth-netns"});
	QuickConfig config = read_quick_config(options.file(), world);

	take_down(config, options.placement(world), world);
	return 0;
}

}
