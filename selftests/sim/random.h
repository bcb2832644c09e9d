// SPDX-License-Identifier: GPL-2.0
/* Random: a seeded generator (splitmix64). Each part of the simulation has its own, so that one more draw here changes nothing there. */
#pragma once
#include <cstddef>
#include <cstdint>

namespace sim {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

constexpr i64 MICROSECOND = 1000, MILLISECOND = 1000000, SECOND = 1000000000;

class Random {
public:
	explicit Random(u64 seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x1234567) { next(); }
	u64 next()
	{
		u64 mixed = state_ += 0x9e3779b97f4a7c15;

		mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
		mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
		return mixed ^ (mixed >> 31);
	}
	/* Uniform in [0, bound). */
	u64 below(u64 bound) { return bound ? next() % bound : 0; }
	i64 between(i64 low, i64 high) { return low + static_cast<i64>(below(static_cast<u64>(high - low + 1))); }
	/* True @parts times in @of. */
	bool chance(u32 parts, u32 of = 1000) { return parts && below(of) < parts; }
	void fill(void *at, size_t size)
	{
		for (size_t i = 0; i < size; i++)
			static_cast<u8 *>(at)[i] = static_cast<u8>(next());
	}

private:
	u64 state_;
};

} // namespace sim
