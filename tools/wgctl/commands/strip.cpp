// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/quick_config.h"

namespace wgctl {

int strip(Arguments arguments, World &world)
{
	world.terminal.write(Stream::out, strip_quick_keys(read_quick_text(arguments[0], world)));
	return 0;
}

}
