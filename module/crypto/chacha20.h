// SPDX-License-Identifier: GPL-2.0
/* ChaCha20, many blocks at once: lane i of every vector is the state of block i, so all lanes do the same; for few blocks, a vector
 * is a row of several blocks' states. [RFC 8439 §2.3]
 *
 * Called by:  aead_woven.h, aead_lanes.h; V is a form: V::Words a vector of V::LANES u32 (or one u32), V::GROUPS such vectors side by side
 * Context:    as the form; no branch and no index depends on a secret
 * Units:      one pass makes V::LANES * V::GROUPS keystream blocks of 64 bytes, each with its own nonce and block number
 */
#pragma once
#include "rt/little_endian.h"

namespace wg::crypto {

constexpr u32 CIPHER_BLOCK_SIZE = 64;

template <typename V> constexpr u32 PASS_BLOCKS = u32{V::LANES} * u32{V::GROUPS};

using Block = u8[CIPHER_BLOCK_SIZE];

/* Which blocks a pass makes. Lanes beyond those that are wanted make blocks too, of whatever numbers they had before, and nobody
 * looks at them. */
template <typename V> struct Wanted {
	u32 block[PASS_BLOCKS<V>], counter_low[PASS_BLOCKS<V>], counter_high[PASS_BLOCKS<V>];

	/* @count blocks from @first on. */
	[[gnu::always_inline]] void set(u32 slot, u32 count, u32 first, u64 counter)
	{
		/* A whole pass by vectors: they are read as vectors, and would wait for single words. */
		if (count == PASS_BLOCKS<V>) {
			for (u32 i = 0; i < PASS_BLOCKS<V>; i++)
				set_one(i, first + i, counter);
		} else {
			for (u32 i = 0; i < count; i++)
				set_one(slot + i, first + i, counter);
		}
	}

private:
	[[gnu::always_inline]] void set_one(u32 slot, u32 number, u64 counter)
	{
		block[slot] = number;
		counter_low[slot] = static_cast<u32>(counter);
		counter_high[slot] = static_cast<u32>(counter >> 32);
	}
};

/* Half of the four quarter rounds of a round. The diagonal round is the column round turned by 1, 2, 3. One group of vectors has as many
 * words as AVX2 has registers: one quarter after the other needs the fewest beside them, and the processor finds what is independent.
 * Two groups go step by step, side by side. */
template <typename V, u32 TURN, u32 ROTATE_D, u32 ROTATE_B> [[gnu::always_inline]] inline void half_round(typename V::Words (*x)[16])
{
	constexpr u32 AT_ONCE = V::GROUPS == 1 ? 1 : 4;

	auto each = [&](u32 first, auto operation) __attribute__((always_inline)) {
#pragma GCC unroll 2
		for (u32 g = 0; g < V::GROUPS; g++) {
#pragma GCC unroll 4
			for (u32 i = first; i < first + AT_ONCE; i++)
				operation(x[g][i], x[g][4 + (i + TURN) % 4], x[g][8 + (i + 2 * TURN) % 4], x[g][12 + (i + 3 * TURN) % 4]);
		}
	};
	using W = typename V::Words;

#pragma GCC unroll 4
	for (u32 i = 0; i < 4; i += AT_ONCE) {
		each(i, [](W &a, W &b, W &, W &) __attribute__((always_inline)) { a += b; });
		each(i, [](W &a, W &, W &, W &d) __attribute__((always_inline)) { d = V::template rotate<ROTATE_D>(d ^ a); });
		each(i, [](W &, W &, W &c, W &d) __attribute__((always_inline)) { c += d; });
		each(i, [](W &, W &b, W &c, W &) __attribute__((always_inline)) { b = V::template rotate<ROTATE_B>(b ^ c); });
	}
}

constexpr u8 SIGMA[] = {'e', 'x', 'p', 'a', 'n', 'd', ' ', '3', '2', '-', 'b', 'y', 't', 'e', ' ', 'k'};

/* All blocks of a pass. @between is called thirty times, between the half rounds: what it does with other registers costs little. */
template <typename V, typename Between>
[[gnu::always_inline]] inline void make_blocks(const u8 *key, const Wanted<V> &wanted, Block *keystream, Between between)
{
	using Words = typename V::Words;
	[[gnu::uninitialized]] Words x[V::GROUPS][16];
	auto constant = [](const u8 *from, u32 i) __attribute__((always_inline)) {
		LittleEndian<u32> value;

		copy_bytes(&value, from + 4 * i, sizeof(value));
		return V::broadcast(value.get());
	};
	auto numbers = [](const u32 *from, u32 group) __attribute__((always_inline)) {
		Words value;

		copy_bytes(&value, from + group * V::LANES, sizeof(value));
		return value;
	};

#pragma GCC unroll 2
	for (u32 group = 0; group < V::GROUPS; group++) {
#pragma GCC unroll 4
		for (u32 i = 0; i < 4; i++)
			x[group][i] = constant(SIGMA, i);
#pragma GCC unroll 8
		for (u32 i = 0; i < 8; i++)
			x[group][4 + i] = constant(key, i);
		x[group][12] = numbers(wanted.block, group);
		x[group][13] = V::broadcast(0);
		x[group][14] = numbers(wanted.counter_low, group);
		x[group][15] = numbers(wanted.counter_high, group);
	}
	for (u32 i = 0; i < 10; i++) {
		half_round<V, 0, 16, 12>(x);
		between();
		half_round<V, 0, 8, 7>(x);
		between();
		half_round<V, 1, 16, 12>(x);
		between();
		half_round<V, 1, 8, 7>(x);
	}
#pragma GCC unroll 2
	for (u32 group = 0; group < V::GROUPS; group++) {
		reload_memory();
#pragma GCC unroll 4
		for (u32 i = 0; i < 4; i++)
			x[group][i] += constant(SIGMA, i);
#pragma GCC unroll 8
		for (u32 i = 0; i < 8; i++)
			x[group][4 + i] += constant(key, i);
		x[group][12] += numbers(wanted.block, group);
		x[group][14] += numbers(wanted.counter_low, group);
		x[group][15] += numbers(wanted.counter_high, group);
		V::store_blocks(x[group], keystream[group * V::LANES]);
	}
}

/* The same, with nothing to do in between. */
template <typename V> [[gnu::noinline]] void make_all_blocks(const u8 *key, const Wanted<V> &wanted, Block *keystream)
{
	make_blocks<V>(key, wanted, keystream, []() __attribute__((always_inline)) {});
}

/* A round of @SETS sets of four rows, each row that of V::LANES / 4 blocks. */
template <typename V, u32 SETS> [[gnu::always_inline]] inline void row_round(typename V::Words (*x)[4])
{
	using W = typename V::Words;

	auto step = [&](auto operation) __attribute__((always_inline)) {
#pragma GCC unroll 4
		for (u32 set = 0; set < SETS; set++)
			operation(x[set][0], x[set][1], x[set][2], x[set][3]);
	};
	step([](W &a, W &b, W &, W &d) __attribute__((always_inline)) { a += b, d = V::template rotate<16>(d ^ a); });
	step([](W &, W &b, W &c, W &d) __attribute__((always_inline)) { c += d, b = V::template rotate<12>(b ^ c); });
	step([](W &a, W &b, W &, W &d) __attribute__((always_inline)) { a += b, d = V::template rotate<8>(d ^ a); });
	step([](W &, W &b, W &c, W &d) __attribute__((always_inline)) { c += d, b = V::template rotate<7>(b ^ c); });
}

/* Turns the rows of each block, so that its diagonals become columns, and with the other step back. */
template <typename V, u32 SETS, u32 STEP> [[gnu::always_inline]] inline void turn_rows(typename V::Words (*x)[4])
{
#pragma GCC unroll 4
	for (u32 set = 0; set < SETS; set++) {
		x[set][1] = V::template turn<STEP>(x[set][1]);
		x[set][2] = V::template turn<2>(x[set][2]);
		x[set][3] = V::template turn<4 - STEP>(x[set][3]);
	}
}

/* The first SETS * V::LANES / 4 blocks of the pass: most messages that come alone are short, and would leave most lanes of
 * make_blocks() idle. */
template <typename V, u32 SETS> [[gnu::noinline]] void make_few_blocks(const u8 *key, const Wanted<V> &wanted, Block *keystream)
{
	constexpr u32 BLOCKS = V::LANES / 4;

	using Words = typename V::Words;
	[[gnu::uninitialized]] Words x[SETS][4];
	const Words first = V::row(SIGMA), second = V::row(key), third = V::row(key + 16);
	auto numbers = [&wanted](u32 set) __attribute__((always_inline)) {
		const u32 at = set * BLOCKS;

		return V::number_row(&wanted.block[at], &wanted.counter_low[at], &wanted.counter_high[at]);
	};

#pragma GCC unroll 4
	for (u32 set = 0; set < SETS; set++) {
		x[set][0] = first;
		x[set][1] = second;
		x[set][2] = third;
		x[set][3] = numbers(set);
	}
	for (u32 i = 0; i < 10; i++) {
		row_round<V, SETS>(x);
		turn_rows<V, SETS, 1>(x);
		row_round<V, SETS>(x);
		turn_rows<V, SETS, 3>(x);
	}
#pragma GCC unroll 4
	for (u32 set = 0; set < SETS; set++) {
		reload_memory();
		x[set][0] += first;
		x[set][1] += second;
		x[set][2] += third;
		x[set][3] += numbers(set);
		V::store_rows(x[set], keystream[set * BLOCKS]);
	}
}

} // namespace wg::crypto
