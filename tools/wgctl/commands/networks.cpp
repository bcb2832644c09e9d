// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"
#include "model/prefixes.h"
#include "model/values.h"

namespace wgctl {

/* A set without others, as a list for AllowedIPs. */
int networks(const Options &options, World &world)
{
	std::vector<Prefix> wholes, holes;

	for (std::string_view list : options.operands())
		parse_allowed_ips(list, wholes, world.terminal);
	if (options.operands().empty())
		wholes = {parse_address("0.0.0.0/0"), parse_address("::/0")};
	parse_allowed_ips(options.text("--except"), holes, world.terminal);
	std::vector<Prefix> rest = prefixes_without(wholes, holes);
	if (rest.empty())
		throw Failure{"networks: nothing is left"};
	world.terminal.write(Stream::out, format_prefixes(rest) + "\n");
	return 0;
}

}
