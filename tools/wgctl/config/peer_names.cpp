// SPDX-License-Identifier: GPL-2.0
#include "config/peer_names.h"

#include <utility>

#include "config/config.h"
#include "config/quick_config.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view BLANKS = " \t\r\v\f";

std::string_view trimmed(std::string_view text)
{
	std::size_t first = text.find_first_not_of(BLANKS);

	if (first == text.npos)
		return {};
	return text.substr(first, text.find_last_not_of(BLANKS) - first + 1);
}

}

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

PeerNames parse_peer_names(std::string_view text)
{
	PeerNames names;
	std::optional<Key> key;
	/* `last` is of the comments right above the present line, which are about what follows: `above` was
	 * of those above the section's title. */
	std::optional<std::string> above, name, last;
	bool in_peer = false;
	auto take_last = [&] {
		if (!name)
			name = last;
		last.reset();
	};
	auto end_section = [&] {
		if (!name)
			name = above;
		if (in_peer && key && name)
			names[*key] = *name;
		key.reset();
		name.reset();
		above = std::exchange(last, std::nullopt);
	};

	for_each_line(text, [&](std::string_view raw) {
		ConfigLine line = read_config_line(raw);
		if (line.kind == ConfigLine::Kind::section) {
			end_section();
			in_peer = line.is_section("[Peer]");
			return;
		}
		if (line.is_value("PublicKey"))
			key = key_from_base64(without_blanks(line.value));
		if (!is_comment(raw))
			take_last();
		else if (!last)
			last = name_in_comment(raw);
	});
	take_last();
	end_section();
	return names;
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
