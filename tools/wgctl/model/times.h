// SPDX-License-Identifier: GPL-2.0
/* Times of the wall clock, in seconds since 1970, as text. Always UTC. */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wgctl {

/* 2026-12-31T00:00:00Z */
std::string format_time(std::int64_t seconds);
/* The same, or a date alone, which is its first second. Throws Failure. */
std::int64_t parse_time(std::string_view text);
/* 90s, 15m, 12h, 30d, 2w, or several of them without a blank between. Nothing when it is no such thing, or longer than a century. */
std::optional<std::int64_t> parse_duration(std::string_view text);

}
