// SPDX-License-Identifier: GPL-2.0
#include "view/columns.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>

#include "model/names.h"

namespace wgctl {

namespace {

/* Of a terminal. Where the C library has no such locale, as in a small container, everything takes one. */
std::size_t columns_of(char32_t c)
{
	static const locale_t UTF_8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
	locale_t before = uselocale(UTF_8);
	int columns = wcwidth(static_cast<wchar_t>(c));

	uselocale(before);
	return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

}

std::size_t width_of(std::string_view text)
{
	std::size_t width = 0, size;

	for (; !text.empty(); text.remove_prefix(size))
		width += columns_of(decode(text, size).value_or('?'));
	return width;
}

std::string clipped(std::string_view text, std::size_t width)
{
	std::size_t end = 0, columns = 0, size;

	if (width_of(text) <= width)
		return std::string(text);
	for (; end < text.size(); end += size) {
		columns += columns_of(decode(text.substr(end), size).value_or('?'));
		if (columns + 1 > width)
			break;
	}
	return std::string(text.substr(0, end)) + (width ? "~" : "");
}

std::string padded(std::string_view text, std::size_t width, bool is_right)
{
	std::size_t missing = width - std::min(width, width_of(text));

	return is_right ? std::string(missing, ' ') + std::string(text) : std::string(text) + std::string(missing, ' ');
}

}
