// SPDX-License-Identifier: GPL-2.0
/* How wide text is on a terminal, and making it as wide as a column. */
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wgctl {

std::size_t width_of(std::string_view text);
/* With ~ at the end when it is cut. */
std::string clipped(std::string_view text, std::size_t width);
std::string padded(std::string_view text, std::size_t width, bool is_right = false);

}
