// SPDX-License-Identifier: GPL-2.0
/* ChaCha20, many blocks at once: lane i of every vector is the state of block i, so all lanes do the same; for few blocks, a vector
 * is a row of several blocks' states. [RFC 8439 §2.3]
 *
 * Called by:  aead_batch.h; V is a form: V::Words a vector of V::LANES u32 (or one u32), V::GROUPS such vectors side by side
 * Context:    as the form; no branch and no index depends on a secret
 * Units:      one pass makes V::LANES * V::GROUPS keystream blocks of 64 bytes, each with its own nonce and block number
 */
#pragma once
#include "rt/little_endian.h"

namespace wg::crypto {

constexpr u32 CIPHER_BLOCK_SIZE = 64;

template <typename V> constexpr u32 PASS_BLOCKS = u32{V::LANES} * u32{V::GROUPS};

/* One pass: which blocks are wanted, and what was made; between the two, what the form's registers do not hold. Lanes beyond those
 * that are wanted make blocks too, of whatever numbers they had before, and nobody looks at them. */
template <typename V> struct Pass {
	struct {
		u32 block[PASS_BLOCKS<V>], counter_low[PASS_BLOCKS<V>], counter_high[PASS_BLOCKS<V>];
	} wanted;
	alignas(64) u8 keystream[PASS_BLOCKS<V>][CIPHER_BLOCK_SIZE];
	typename V::Aside aside;
};

/* Half of the four quarter rounds of a round, step by step, of @COUNT groups from @first on: independent operations stand side by
 * side, because one chain alone leaves the vector units idle between its results. The diagonal round is the column round turned by
 * 1, 2, 3. A word whose next use is three steps away is put aside until then. */
template <typename V, u32 TURN, u32 COUNT, u32 ROTATE_D, u32 ROTATE_B>
[[gnu::always_inline]] inline void half_round(typename V::Words (*x)[16], typename V::Aside &aside, u32 first)
{
	auto each = [&](auto operation) __attribute__((always_inline)) {
#pragma GCC unroll 2
		for (u32 g = first; g < first + COUNT; g++) {
#pragma GCC unroll 4
			for (u32 i = 0; i < 4; i++)
				operation(g, i, 4 + (i + TURN) % 4, 8 + (i + 2 * TURN) % 4, 12 + (i + 3 * TURN) % 4);
		}
	};

	each([&](u32 g, u32 a, u32 b, u32, u32) __attribute__((always_inline)) {
		V::take_back(x[g][a], aside, g, a);
		x[g][a] += x[g][b];
	});
	each([&](u32 g, u32 a, u32, u32, u32 d) __attribute__((always_inline)) {
		V::take_back(x[g][d], aside, g, d);
		x[g][d] = V::template rotate<ROTATE_D>(x[g][d] ^ x[g][a]);
		V::put_aside(x[g][a], aside, g, a);
	});
	each([&](u32 g, u32, u32, u32 c, u32 d) __attribute__((always_inline)) {
		V::take_back(x[g][c], aside, g, c);
		x[g][c] += x[g][d];
		V::put_aside(x[g][d], aside, g, d);
	});
	each([&](u32 g, u32, u32 b, u32 c, u32) __attribute__((always_inline)) {
		x[g][b] = V::template rotate<ROTATE_B>(x[g][b] ^ x[g][c]);
		V::put_aside(x[g][c], aside, g, c);
	});
}

template <typename V, u32 TURN> [[gnu::always_inline]] inline void cipher_round(typename V::Words (*x)[16], typename V::Aside &aside)
{
#pragma GCC unroll 2
	for (u32 group = 0; group < V::GROUPS; group += V::WOVEN) {
		half_round<V, TURN, V::WOVEN, 16, 12>(x, aside, group);
		half_round<V, TURN, V::WOVEN, 8, 7>(x, aside, group);
	}
}

constexpr u8 SIGMA[] = {'e', 'x', 'p', 'a', 'n', 'd', ' ', '3', '2', '-', 'b', 'y', 't', 'e', ' ', 'k'};

/* All blocks of the pass. */
template <typename V> [[gnu::noinline]] void make_blocks(const u8 *key, Pass<V> &pass)
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
		x[group][12] = numbers(pass.wanted.block, group);
		x[group][13] = V::broadcast(0);
		x[group][14] = numbers(pass.wanted.counter_low, group);
		x[group][15] = numbers(pass.wanted.counter_high, group);
#pragma GCC unroll 16
		for (u32 i = 0; i < 16; i++)
			V::put_aside(x[group][i], pass.aside, group, i);
	}
	for (u32 i = 0; i < 10; i++) {
		cipher_round<V, 0>(x, pass.aside);
		cipher_round<V, 1>(x, pass.aside);
	}
#pragma GCC unroll 2
	for (u32 group = 0; group < V::GROUPS; group++) {
		reload_memory();
#pragma GCC unroll 16
		for (u32 i = 0; i < 16; i++)
			V::take_back(x[group][i], pass.aside, group, i);
#pragma GCC unroll 4
		for (u32 i = 0; i < 4; i++)
			x[group][i] += constant(SIGMA, i);
#pragma GCC unroll 8
		for (u32 i = 0; i < 8; i++)
			x[group][4 + i] += constant(key, i);
		x[group][12] += numbers(pass.wanted.block, group);
		x[group][14] += numbers(pass.wanted.counter_low, group);
		x[group][15] += numbers(pass.wanted.counter_high, group);
		V::store_blocks(x[group], pass.keystream[group * V::LANES]);
	}
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
template <typename V, u32 SETS> [[gnu::noinline]] void make_few_blocks(const u8 *key, Pass<V> &pass)
{
	constexpr u32 BLOCKS = V::LANES / 4;

	using Words = typename V::Words;
	[[gnu::uninitialized]] Words x[SETS][4];
	const Words first = V::row(SIGMA), second = V::row(key), third = V::row(key + 16);
	auto numbers = [&pass](u32 set) __attribute__((always_inline)) {
		const u32 at = set * BLOCKS;

		return V::number_row(&pass.wanted.block[at], &pass.wanted.counter_low[at], &pass.wanted.counter_high[at]);
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
		V::store_rows(x[set], pass.keystream[set * BLOCKS]);
	}
}

/* At least the first @count blocks of the pass. Returns how many it has made. */
template <typename V> [[gnu::always_inline]] inline u32 make_keystream(const u8 *key, Pass<V> &pass, u32 count)
{
	if constexpr (V::LANES > 1) {
		if (count <= V::LANES / 4)
			return make_few_blocks<V, 1>(key, pass), V::LANES / 4;
		if (count <= V::LANES / 2)
			return make_few_blocks<V, 2>(key, pass), V::LANES / 2;
		if (count <= V::LANES)
			return make_few_blocks<V, 4>(key, pass), u32{V::LANES};
	}
	return make_blocks<V>(key, pass), PASS_BLOCKS<V>;
}

/* @made: the most blocks that one make_keystream() has made. */
template <typename V> [[gnu::always_inline]] inline void wipe(Pass<V> &pass, u32 made)
{
	wipe_bytes(&pass.wanted, sizeof(pass.wanted));
	wipe_bytes(pass.keystream, usize{made} * CIPHER_BLOCK_SIZE);
	if (made == PASS_BLOCKS<V>)
		wipe_bytes(&pass.aside, sizeof(pass.aside));
}

} // namespace wg::crypto
