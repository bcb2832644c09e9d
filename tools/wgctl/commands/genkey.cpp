// SPDX-License-Identifier: GPL-2.0
/* genkey and genpsk */
#include "commands/commands.h"
#include "model/values.h"

namespace wgctl {

int genkey(const Options &, World &world)
{
	write_secret(to_base64(random_private_key()).append("\n"), world.terminal);
	return 0;
}

int genpsk(const Options &, World &world)
{
	write_secret(to_base64(random_preshared_key()).append("\n"), world.terminal);
	return 0;
}

}
