// SPDX-License-Identifier: GPL-2.0
#include "names.h"

#include <utility>

#include "config.h"
#include "quick_config.h"
#include "values.h"

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

/* The length of the character at the front, 0 when it is not UTF-8 or steers terminals. */
std::size_t printable_length(std::string_view text)
{
	auto byte = [text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
	unsigned first = byte(0);
	std::size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;

	if (length == 1)
		return first >= ' ' && first != 127;
	for (std::size_t at = 1; at < length; ++at)
		if ((byte(at) & 0xc0) != 0x80)
			return 0;
	bool is_control = first == 0xc2 && byte(1) < 0xa0;
	bool is_overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
	bool is_surrogate = first == 0xed && byte(1) >= 0xa0;
	bool is_beyond = first < 0xc2 || first > 0xf4 || (first == 0xf4 && byte(1) >= 0x90);
	/* U+200B-200F, 2028-202E, 2060-206F, FEFF: they turn text around, or hide in it. */
	bool is_unseen = (first == 0xe2 && byte(1) == 0x80 && (byte(2) >= 0x8b && byte(2) <= 0x8f)) ||
			 (first == 0xe2 && byte(1) == 0x80 && (byte(2) >= 0xa8 && byte(2) <= 0xae)) ||
			 (first == 0xe2 && byte(1) == 0x81 && (byte(2) >= 0xa0 && byte(2) <= 0xaf)) ||
			 (first == 0xef && byte(1) == 0xbb && byte(2) == 0xbf);
	return is_control || is_overlong || is_surrogate || is_beyond || is_unseen ? 0 : length;
}

}

std::string printable(std::string_view text)
{
	std::string result;

	while (!text.empty()) {
		std::size_t length = printable_length(text);
		if (length)
			result += text.substr(0, length);
		else
			result += '?';
		text.remove_prefix(length ? length : 1);
	}
	return result;
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
		return parse_peer_names(world.files.read("/etc/wireguard/" + interface + ".conf", CONFIG_FILE_LIMIT));
	} catch (const Failure &) {
		/* Names are a comfort; what is shown does not depend on them. */
		return {};
	}
}

std::string describe_peer(const Key &key, const PeerNames &names)
{
	Text text = to_base64(key);
	auto name = names.find(key);

	return name == names.end() ? std::string(text) : name->second + " (" + std::string(text) + ")";
}

}
