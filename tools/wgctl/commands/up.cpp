// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "commands/quick_arguments.h"
#include "tunnel/bring_up.h"

namespace wgctl {

int up(Arguments arguments, World &world)
{
	QuickArguments quick = parse_quick_arguments("up", arguments, Takes::file);
	QuickConfig config = read_quick_config(quick.file, world);

	bring_up(config, find_placement(quick.home, quick.birth, world), world);
	return 0;
}

}
