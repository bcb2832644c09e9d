// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "view/format.h"

namespace wgctl {

int showconf(Arguments arguments, World &world)
{
	world.terminal.write(Stream::out, format_config(get_device(std::string(arguments[0]), world)));
	return 0;
}

}
