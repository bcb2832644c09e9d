// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/config.h"

namespace wgctl {

int setconf(Arguments arguments, World &world)
{
	std::string file(arguments[1]);
	Device change = parse_config(read_config_file(file, world.files), file, FileMeaning::replace, world);

	change.name = arguments[0];
	set_device(change, world);
	return 0;
}

}
