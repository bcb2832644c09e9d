// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/quick_config.h"
#include "model/values.h"

namespace wgctl {

int strip(const Options &options, World &world)
{
	write_secret(strip_quick_keys(read_quick_text(options.operand(0), world)), world.terminal);
	return 0;
}

}
