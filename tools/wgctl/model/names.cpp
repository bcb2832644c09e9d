// SPDX-License-Identifier: GPL-2.0
#include "model/names.h"

#include <cstdio>

namespace wgctl {

namespace {

bool is_between(char32_t c, char32_t first, char32_t last)
{
	return first <= c && c <= last;
}

/* It turns text around, or hides in it. */
bool is_unseen(char32_t c)
{
	return is_between(c, 0x200b, 0x200f) || is_between(c, 0x2028, 0x202e) || is_between(c, 0x2060, 0x206f) || c == 0xfeff;
}

}

std::optional<char32_t> decode(std::string_view text, std::size_t &size)
{
	constexpr char32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
	auto first = static_cast<unsigned char>(text[0]);
	std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	char32_t c = length == 1 ? first : first & (0x7fu >> length);

	size = 1;
	if (is_between(first, 0x80, 0xc1) || first > 0xf4 || length > text.size())
		return {};
	for (std::size_t at = 1; at < length; ++at) {
		auto byte = static_cast<unsigned char>(text[at]);
		if ((byte & 0xc0) != 0x80)
			return {};
		c = c << 6 | (byte & 0x3f);
	}
	if (c < LEAST[length] || is_between(c, 0xd800, 0xdfff) || c > 0x10ffff)
		return {};
	size = length;
	return c;
}

std::string printable(std::string_view text)
{
	std::string result;

	for (std::size_t size; !text.empty(); text.remove_prefix(size)) {
		std::optional<char32_t> c = decode(text, size);
		bool steers = !c || *c < ' ' || is_between(*c, 127, 0x9f) || is_unseen(*c);
		size = steers ? 1 : size;
		result += steers ? "?" : text.substr(0, size);
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

	for (std::size_t size; !text.empty(); text.remove_prefix(size)) {
		char32_t c = decode(text, size).value_or(0);
		if (c == 0xa0 || c == 0xad || is_between(c, 0x2000, 0x200a) || is_unseen(c) || c == 0x202f || c == 0x205f || c == 0x3000) {
			std::snprintf(name, sizeof(name), "U+%04X", static_cast<unsigned>(c));
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
