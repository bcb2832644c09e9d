// SPDX-License-Identifier: GPL-2.0
/* Poly1305 of many messages, one a lane. [RFC 8439 §2.5]
 *
 * Called by:  aead_lanes.h; V is a form: V::Quads a vector of V::MAC_LANES u64, a number has V::LIMBS limbs of V::LIMB_BITS bits
 * Context:    as the form; no branch and no index depends on a secret (lengths are public)
 * Units:      two blocks a step: sum = (sum + first) r^2 + second r, so that one reduction serves two blocks
 */
#pragma once
#include "crypto/poly1305_stream.h"

namespace wg::crypto {

constexpr usize STEP_SIZE = 2 * BLOCK_SIZE;

template <typename V> struct LaneNumber {
	typename V::Quads limb[V::LIMBS];
};

template <typename V> struct LaneFactor {
	LaneNumber<V> plain;
	typename V::Quads wrapped[V::LIMBS - 1]; // of the limbs from the second on: times what falls off the top limb is worth
};

/* What a step multiplies by: the factor of the second block of each lane, and its square for all before it. */
template <typename V> struct LanePowers {
	LaneFactor<V> once, twice;
};

template <typename V> using LaneTable = u64[V::LIMBS][V::MAC_LANES];

/* Memory for one call of mac_lanes(). */
template <typename V> struct MacRoom {
	alignas(64) LanePowers<V> powers;
	alignas(64) LaneTable<V> table;
	u8 buffer[V::MAC_LANES][STEP_SIZE]; // chunks that do not lie in one piece
	LaneNumber<V> sum;
	const u8 *at[V::MAC_LANES];
};

template <typename V> [[gnu::always_inline]] inline LaneNumber<V> load_lanes(const LaneTable<V> &table)
{
	LaneNumber<V> number;

#pragma GCC unroll 3
	for (u32 i = 0; i < V::LIMBS; i++)
		copy_bytes(&number.limb[i], table[i], sizeof(number.limb[i]));
	return number;
}

template <typename V> [[gnu::always_inline]] inline void put_lane(LaneTable<V> &table, u32 lane, const Number &number)
{
#pragma GCC unroll 3
	for (u32 i = 0; i < V::LIMBS; i++)
		table[i][lane] = number.limb[i];
}

template <typename V> [[gnu::always_inline]] inline LaneFactor<V> factor_of(const LaneNumber<V> &number)
{
	LaneFactor<V> factor;

	factor.plain = number;
#pragma GCC unroll 3
	for (u32 i = 1; i < V::LIMBS; i++)
		factor.wrapped[i - 1] = V::wrap(number.limb[i]);
	return factor;
}

template <typename V> [[gnu::always_inline]] inline void add(LaneNumber<V> &sum, const LaneNumber<V> &number)
{
#pragma GCC unroll 3
	for (u32 i = 0; i < V::LIMBS; i++)
		sum.limb[i] += number.limb[i];
}

template <typename V>
[[gnu::always_inline]] inline void multiply_add(typename V::Product &sum, const LaneNumber<V> &number, const LaneFactor<V> &factor)
{
#pragma GCC unroll 3
	for (u32 k = 0; k < V::LIMBS; k++) {
#pragma GCC unroll 3
		for (u32 i = 0; i < V::LIMBS; i++)
			V::multiply_add(sum, k, number.limb[i], i <= k ? factor.plain.limb[k - i] : factor.wrapped[k + V::LIMBS - i - 1]);
	}
}

template <typename V> [[gnu::always_inline]] inline LaneNumber<V> multiply(const LaneNumber<V> &number, const LaneFactor<V> &factor)
{
	typename V::Product product = {};

	multiply_add<V>(product, number, factor);
	return V::reduce(product);
}

/* From the table. Apart from the loops that use them, so that those read them from memory instead of keeping copies in their frames. */
template <typename V> [[gnu::noinline]] void make_powers(MacRoom<V> &room)
{
	room.powers.once = factor_of<V>(load_lanes<V>(room.table));
	room.powers.twice = factor_of<V>(multiply<V>(room.powers.once.plain, room.powers.once));
}

/* A block of every lane: the one at at(lane). @high_bit is 2^128 in lanes that have a block, zero in those that have not begun. */
template <typename V, typename At> [[gnu::always_inline]] inline LaneNumber<V> load_blocks(At at, typename V::Quads high_bit)
{
	typename V::Quads low, high;

	V::load(at, low, high);
	LaneNumber<V> number = V::split(low, high);
	number.limb[V::LIMBS - 1] |= high_bit;
	return number;
}

template <typename V> [[gnu::always_inline]] inline typename V::Quads high_bits()
{
	return typename V::Quads{} + (1ull << (128 - V::LIMB_BITS * (V::LIMBS - 1)));
}

/* Up to V::MAC_LANES messages. A lane that has nothing to do, or no longer, reads what a busy lane reads, and nobody looks at its sum. */
template <typename V> [[gnu::noinline]] void mac_lanes(MacStream<V> *streams, u32 count, const Number *multipliers, Number *sums, MacRoom<V> &room)
{
	constexpr u32 LANES = V::MAC_LANES;
	const LanePowers<V> &powers = room.powers;
	const u8 *(&at)[LANES] = room.at;
	LaneNumber<V> &sum = room.sum;
	u32 busy = (1u << count) - 1;

	for (u32 lane = 0; lane < LANES; lane++)
		put_lane<V>(room.table, lane, multipliers[lane < count ? lane : 0]);
	make_powers<V>(room);
	sum = {};
	for (u32 lane = 0; lane < count; lane++)
		streams[lane].lead_with(streams[lane].blocks() % 2 * BLOCK_SIZE);
	while (busy != 0) {
		typename V::Quads first_bit = high_bits<V>();
		usize run = ~0ull;

		for (u32 lane = 0; lane < count; lane++) {
			usize steps = busy >> lane & 1 ? streams[lane].chunks_at_hand(STEP_SIZE) : run;

			run = steps < run ? steps : run;
		}
		for (u32 lane = 0; lane < count; lane++) {
			if (!(busy >> lane & 1))
				continue;
			if (run > 0) {
				at[lane] = streams[lane].take_chunks(run, STEP_SIZE);
				continue;
			}
			if (streams[lane].lead() > 0)
				first_bit[lane] = 0;
			at[lane] = streams[lane].take(STEP_SIZE, room.buffer[lane]);
		}
		for (u32 lane = 0; lane < LANES; lane++) {
			if (!(busy >> lane & 1))
				at[lane] = at[__builtin_ctz(busy)];
		}
		for (usize i = 0, steps = run > 0 ? run : 1; i < steps; i++) {
			auto first = [&at, i](u32 lane) __attribute__((always_inline)) { return at[lane] + i * STEP_SIZE; };
			auto second = [&at, i](u32 lane) __attribute__((always_inline)) { return at[lane] + i * STEP_SIZE + BLOCK_SIZE; };
			typename V::Product product = {};

			reload_memory();
			multiply_add<V>(product, load_blocks<V>(second, high_bits<V>()), powers.once);
			add<V>(sum, load_blocks<V>(first, first_bit));
			multiply_add<V>(product, sum, powers.twice);
			sum = V::reduce(product);
		}
		for (u32 lane = 0; lane < count; lane++) {
			if (!(busy >> lane & 1) || !streams[lane].finished())
				continue;
			busy &= ~(1u << lane);
			sums[lane] = {{sum.limb[0][lane], sum.limb[1][lane], sum.limb[2][lane]}};
		}
	}
}

} // namespace wg::crypto
