// SPDX-License-Identifier: GPL-2.0
/* Instant and Duration: nanoseconds of the boot-time clock. Wall-clock time exists in Tai64n alone.
 *
 * Instant{} (zero) means "never"; the clock starts above zero. All functions of protocol/ take `now` as an argument.
 */
#pragma once
#include <compare>
#include "rt/types.h"

namespace wg {

struct Duration {
	s64 ns = 0;

	friend constexpr auto operator<=>(Duration, Duration) = default;
	friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
	friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
	friend constexpr Duration operator*(Duration a, s64 n) { return {a.ns * n}; }
};

constexpr Duration seconds(s64 count)
{
	return {count * 1000000000};
}

constexpr Duration milliseconds(s64 count)
{
	return {count * 1000000};
}

struct Instant {
	s64 ns = 0;

	constexpr bool is_never() const { return ns == 0; }
	friend constexpr auto operator<=>(Instant, Instant) = default;
	friend constexpr Instant operator+(Instant a, Duration b) { return {a.ns + b.ns}; }
	friend constexpr Instant operator-(Instant a, Duration b) { return {a.ns - b.ns}; }
	friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

} // namespace wg
