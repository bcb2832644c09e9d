// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "model/values.h"
#include "view/format.h"

namespace wgctl {

int showconf(const Options &options, World &world)
{
	write_secret(format_config(get_device(options.operand(0), world)), world.terminal);
	return 0;
}

}
