// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/config.h"

namespace wgctl {

int set(const Options &options, World &world)
{
	Device change = parse_set_arguments(Arguments(options.operands()).subspan(1), world);

	change.name = options.operand(0);
	set_device(change, world);
	return 0;
}

}
