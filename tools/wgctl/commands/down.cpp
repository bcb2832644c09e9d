// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "commands/quick_arguments.h"
#include "tunnel/take_down.h"

namespace wgctl {

int down(Arguments arguments, World &world)
{
	QuickArguments quick = parse_quick_arguments("down", arguments, Takes::file);
	QuickConfig config = read_quick_config(quick.file, world);

	take_down(config, find_placement(quick.home, quick.birth, world), world);
	return 0;
}

}
