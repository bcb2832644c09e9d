// SPDX-License-Identifier: GPL-2.0
#include "model/names.h"

#include <cstdio>

namespace wgctl {

namespace {

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

std::string harmless(std::string_view text)
{
	std::size_t end = text.find('\n');
	std::string result = printable(text.substr(0, end));

	for (; end != text.npos; end = text.find('\n')) {
		text.remove_prefix(end + 1);
		result += "\n" + printable(text.substr(0, text.find('\n')));
	}
	return result;
}

std::string unseen_character(std::string_view text)
{
	char name[16];

	for (std::size_t at = 0; at + 1 < text.size(); ++at) {
		auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
		unsigned code = byte(0) == 0xc2 ? byte(1) : (byte(0) & 0xf0) == 0xe0 ? (byte(0) & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63) : 0;
		if (code == 0xa0 || code == 0xad || (code >= 0x2000 && code <= 0x200f) || (code >= 0x2028 && code <= 0x202f) ||
		    (code >= 0x205f && code <= 0x206f) || code == 0x3000 || code == 0xfeff) {
			std::snprintf(name, sizeof(name), "U+%04X", code);
			return name;
		}
	}
	return {};
}

std::string describe_peer(const Key &key, const PeerNames &names)
{
	Text text = to_base64(key);
	auto name = names.find(key);

	return name == names.end() ? std::string(text) : name->second + " (" + std::string(text) + ")";
}

}
