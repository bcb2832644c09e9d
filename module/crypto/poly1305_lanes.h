// SPDX-License-Identifier: GPL-2.0
/* Poly1305 of many messages, one a lane, or of one long message striped over all lanes. [RFC 8439 §2.5]
 *
 * Called by:  aead_batch.h; V is a form: V::Quads a vector of V::MAC_LANES u64, a number has V::LIMBS limbs of V::LIMB_BITS bits
 * Context:    as the form; no branch and no index depends on a secret (lengths are public)
 * Units:      two blocks a step: sum = (sum + first) r^2 + second r, so that one reduction serves two blocks
 */
#pragma once
#include "crypto/poly1305_stream.h"

namespace wg::crypto {

constexpr usize STEP_SIZE = 2 * BLOCK_SIZE;

/* Messages whose tags are computed together: one a lane, and beside the lanes some by the integer units, which would stand idle. */
template <typename V> constexpr u32 WINDOW = u32{V::MAC_LANES} + u32{V::MAC_ASIDE};

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

/* Memory for one call of mac_striped() or mac_lanes(). */
template <typename V> struct MacRoom {
	alignas(64) LanePowers<V> powers;
	alignas(64) LaneTable<V> table;
	alignas(64) u64 first_bits[2][V::MAC_LANES];
	u8 buffer[WINDOW<V>][STEP_SIZE]; // chunks that do not lie in one piece
	Number power[V::MAC_LANES + 1];
	LaneNumber<V> sum;
	WordNumber aside[V::MAC_ASIDE + 1], factors[V::MAC_ASIDE + 1];
	const u8 *at[WINDOW<V>];
};

template <typename V> [[gnu::always_inline]] inline LaneNumber<V> load_lanes(const LaneTable<V> &table)
{
	LaneNumber<V> number;

#pragma GCC unroll 5
	for (u32 i = 0; i < V::LIMBS; i++)
		copy_bytes(&number.limb[i], table[i], sizeof(number.limb[i]));
	return number;
}

template <typename V> [[gnu::always_inline]] inline void put_lane(LaneTable<V> &table, u32 lane, const Number &number)
{
	u64 limb[V::LIMBS];

	V::spread(number, limb);
#pragma GCC unroll 5
	for (u32 i = 0; i < V::LIMBS; i++)
		table[i][lane] = limb[i];
}

template <typename V> [[gnu::always_inline]] inline LaneFactor<V> factor_of(const LaneNumber<V> &number)
{
	LaneFactor<V> factor;

	factor.plain = number;
#pragma GCC unroll 5
	for (u32 i = 1; i < V::LIMBS; i++)
		factor.wrapped[i - 1] = V::wrap(number.limb[i]);
	return factor;
}

template <typename V> [[gnu::always_inline]] inline void add(LaneNumber<V> &sum, const LaneNumber<V> &number)
{
#pragma GCC unroll 5
	for (u32 i = 0; i < V::LIMBS; i++)
		sum.limb[i] += number.limb[i];
}

template <typename V>
[[gnu::always_inline]] inline void multiply_add(typename V::Product &sum, const LaneNumber<V> &number, const LaneFactor<V> &factor)
{
#pragma GCC unroll 5
	for (u32 k = 0; k < V::LIMBS; k++) {
#pragma GCC unroll 5
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

/* The message on its own, block by block: for few blocks the setting up of lanes would cost more than it saves. */
template <typename V> [[gnu::always_inline]] inline Number mac_plain(MacStream<V> &stream, const Number &multiplier)
{
	[[gnu::uninitialized]] u8 buffer[BLOCK_SIZE];
	const WordNumber factor = word_number_from(multiplier);
	WordNumber sum = {};

	while (!stream.finished()) {
		usize run = stream.chunks_at_hand(BLOCK_SIZE);
		const u8 *at = run > 0 ? stream.take_chunks(run, BLOCK_SIZE) : stream.take(BLOCK_SIZE, buffer);

		for (usize i = 0, blocks = run > 0 ? run : 1; i < blocks; i++)
			absorb(sum, at + i * BLOCK_SIZE, 1, factor);
	}
	return number_from(sum);
}

/* One message over all L lanes: lane i has the blocks i, i + L, i + 2L, … of a sequence that null blocks in front make a whole
 * number of steps long. A step is sum = sum r^2L + first r^L + second; what lane i is short of at the end is r^(L - i). */
template <typename V> [[gnu::noinline]] Number mac_striped(MacStream<V> &stream, const Number &multiplier, MacRoom<V> &room)
{
	constexpr u32 LANES = V::MAC_LANES;
	constexpr usize CHUNK = LANES * STEP_SIZE;
	static_assert(sizeof(room.buffer) >= CHUNK);
	LaneTable<V> &table = room.table;
	Number *power = room.power;
	const LanePowers<V> &stride = room.powers;
	u32 last_blocks = static_cast<u32>(stream.blocks() % (2 * LANES));
	u32 null_blocks = last_blocks == 0 ? 0 : 2 * LANES - last_blocks;

	power[1] = multiplier;
	for (u32 i = 2; i <= LANES; i++)
		power[i] = multiply(power[i - i / 2], power[i / 2]);
	for (u32 lane = 0; lane < LANES; lane++)
		put_lane<V>(table, lane, power[LANES]);
	make_powers<V>(room);

	LaneNumber<V> sum = {};
	stream.lead_with(null_blocks * BLOCK_SIZE);
	while (!stream.finished()) {
		usize run = stream.chunks_at_hand(CHUNK);
		const u8 *chunk;
		typename V::Quads bits[2] = {high_bits<V>(), high_bits<V>()};

		if (run > 0) {
			chunk = stream.take_chunks(run, CHUNK);
		} else {
			if (stream.lead() > 0) {
				for (u32 i = 0; i < 2 * LANES; i++)
					room.first_bits[i / LANES][i % LANES] = i < null_blocks ? 0 : bits[0][0];
				copy_bytes(bits, room.first_bits, sizeof(bits));
			}
			chunk = stream.take(CHUNK, room.buffer[0]);
			run = 1;
		}
		for (usize i = 0; i < run; i++, chunk += CHUNK) {
			auto first = [chunk](u32 lane) __attribute__((always_inline)) { return chunk + lane * BLOCK_SIZE; };
			auto second = [chunk](u32 lane) __attribute__((always_inline)) { return chunk + CHUNK / 2 + lane * BLOCK_SIZE; };
			typename V::Product product = {};

			reload_memory();
			multiply_add<V>(product, load_blocks<V>(first, bits[0]), stride.once);
			V::add(product, load_blocks<V>(second, bits[1]));
			multiply_add<V>(product, sum, stride.twice);
			sum = V::reduce(product);
		}
	}
	for (u32 lane = 0; lane < LANES; lane++)
		put_lane<V>(table, lane, power[LANES - lane]);
	sum = multiply<V>(sum, factor_of<V>(load_lanes<V>(table)));

	u64 total[V::LIMBS];
#pragma GCC unroll 5
	for (u32 i = 0; i < V::LIMBS; i++) {
		copy_bytes(table[i], &sum.limb[i], sizeof(table[i]));
		total[i] = 0;
		for (u32 lane = 0; lane < LANES; lane++)
			total[i] += table[i][lane];
	}
	return V::collect(total);
}

/* A window of messages, one a lane; those beyond the lanes are taken along block by block, and are called lanes here too. A lane that
 * has nothing to do, or no longer, reads what a busy lane reads, and nobody looks at its sum. */
template <typename V> [[gnu::noinline]] void mac_lanes(MacStream<V> *streams, u32 count, const Number *multipliers, Number *sums, MacRoom<V> &room)
{
	constexpr u32 LANES = V::MAC_LANES, ASIDE = V::MAC_ASIDE;
	LaneTable<V> &table = room.table;
	const LanePowers<V> &powers = room.powers;
	WordNumber (&aside)[ASIDE + 1] = room.aside, (&factors)[ASIDE + 1] = room.factors;
	const u8 *(&at)[WINDOW<V>] = room.at;
	LaneNumber<V> &sum = room.sum;
	u32 busy = (1u << count) - 1;

	for (u32 lane = 0; lane < LANES; lane++)
		put_lane<V>(table, lane, multipliers[lane < count ? lane : 0]);
	make_powers<V>(room);
	sum = {};
	for (u32 j = 0; j < ASIDE; j++) {
		const Number &r = multipliers[LANES + j < count ? LANES + j : 0];

		factors[j] = word_number_from(r);
		aside[j] = {};
	}
	for (u32 lane = 0; lane < count; lane++)
		streams[lane].lead_with(streams[lane].blocks() % 2 * BLOCK_SIZE);
	while (busy != 0) {
		typename V::Quads first_bit = high_bits<V>();
		u64 first_bit_aside[ASIDE + 1];
		usize run = ~0ull;

		for (u64 &bit : first_bit_aside)
			bit = 1;
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
			if (streams[lane].lead() > 0) {
				if (lane < LANES)
					first_bit[lane] = 0;
				else
					first_bit_aside[lane - LANES] = 0;
			}
			at[lane] = streams[lane].take(STEP_SIZE, room.buffer[lane]);
		}
		for (u32 lane = 0; lane < WINDOW<V>; lane++) {
			if (!(busy >> lane & 1))
				at[lane] = at[__builtin_ctz(busy)];
		}
		for (usize i = 0, steps = run > 0 ? run : 1; i < steps; i++) {
			auto first = [&at, i](u32 lane) __attribute__((always_inline)) { return at[lane] + i * STEP_SIZE; };
			auto second = [&at, i](u32 lane) __attribute__((always_inline)) { return at[lane] + i * STEP_SIZE + BLOCK_SIZE; };
			typename V::Product product = {};

			reload_memory();
			/* Next to the products, so that both find their units idle. */
#pragma GCC unroll 2
			for (u32 j = 0; j < ASIDE; j++) {
				absorb(aside[j], first(LANES + j), first_bit_aside[j], factors[j]);
				absorb(aside[j], second(LANES + j), 1, factors[j]);
			}
			multiply_add<V>(product, load_blocks<V>(second, high_bits<V>()), powers.once);
			add<V>(sum, load_blocks<V>(first, first_bit));
			multiply_add<V>(product, sum, powers.twice);
			sum = V::reduce(product);
		}
		for (u32 lane = 0; lane < count; lane++) {
			if (!(busy >> lane & 1) || !streams[lane].finished())
				continue;
			u64 limb[V::LIMBS];

			busy &= ~(1u << lane);
			if (lane >= LANES) {
				sums[lane] = number_from(aside[lane - LANES]);
				continue;
			}
#pragma GCC unroll 5
			for (u32 i = 0; i < V::LIMBS; i++)
				limb[i] = sum.limb[i][lane];
			sums[lane] = V::collect(limb);
		}
	}
}

} // namespace wg::crypto
