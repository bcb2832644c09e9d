// SPDX-License-Identifier: GPL-2.0
#include "config/peer_names.h"

#include "config/config.h"
#include "config/quick_config.h"
#include "model/values.h"

namespace wgctl {

std::optional<std::string> name_in_comment(std::string_view line)
{
	line = trimmed(line);
	if (!line.starts_with('#'))
		return {};
	line.remove_prefix(1);
	std::size_t equals = line.find('=');
	if (equals == line.npos || !equal_ignoring_case(trimmed(line.substr(0, equals)), "Name"))
		return {};
	std::string name = printable(trimmed(line.substr(equals + 1)));
	return name.empty() ? std::nullopt : std::optional(name);
}

std::string name_of(const Key &peer, const PeerNames &names)
{
	auto name = names.find(peer);

	return name == names.end() ? "" : name->second;
}

PeerNames read_peer_names(const std::string &interface, World &world)
{
	if (!is_interface_name(interface))
		return {};
	try {
		return parse_peer_names(read_config_file("/etc/wireguard/" + interface + ".conf", world.files));
	} catch (const Failure &) {
		/* Names are a comfort; what is shown does not depend on them. */
		return {};
	}
}

}
