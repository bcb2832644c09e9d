// SPDX-License-Identifier: GPL-2.0
/* genkey and genpsk */
#include "commands/commands.h"

namespace wgctl {

namespace {

int print_secret(const Key &key, Terminal &terminal)
{
	if (terminal.output_is_open_to_the_world())
		terminal.write(Stream::err, "Warning: writing to world accessible file.\n"
					    "Consider setting the umask to 077 and trying again.\n");
	terminal.write(Stream::out, to_base64(key).append("\n"));
	return 0;
}

}

int genkey(Arguments, World &world)
{
	return print_secret(random_private_key(), world.terminal);
}

int genpsk(Arguments, World &world)
{
	return print_secret(random_preshared_key(), world.terminal);
}

}
