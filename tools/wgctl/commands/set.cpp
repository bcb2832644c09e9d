// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/config.h"

namespace wgctl {

int set(Arguments arguments, World &world)
{
	Device change = parse_set_arguments(arguments.subspan(1), world);

	change.name = arguments[0];
	set_device(change, world);
	return 0;
}

}
