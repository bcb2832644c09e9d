// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "model/values.h"
#include "view/format.h"

namespace wgctl {

int showconf(Arguments arguments, World &world)
{
	write_secret(format_config(get_device(std::string(arguments[0]), world)), world.terminal);
	return 0;
}

}
