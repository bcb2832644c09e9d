// SPDX-License-Identifier: GPL-2.0
#include "commands.h"

#include "../quick.h"
#include "../save.h"
#include "quick_arguments.h"

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
