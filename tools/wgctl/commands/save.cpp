// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "commands/quick_arguments.h"
#include "config/merge.h"
#include "tunnel/placement.h"

namespace wgctl {

int save(Arguments arguments, World &world)
{
	QuickArguments quick = parse_quick_arguments("save", arguments, Takes::file);
	QuickConfig config = read_quick_config(quick.file, world);

	world.host.namespaces.enter(find_placement(quick.home, quick.birth, world).home);
	save_config(config, world);
	return 0;
}

}
