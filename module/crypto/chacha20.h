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

/* What is to be made, and in its place what was made: the numbers are read before the keystream is written. */
template <typename V> union Pass {
	struct {
		u32 block[PASS_BLOCKS<V>], counter_low[PASS_BLOCKS<V>], counter_high[PASS_BLOCKS<V>];
	} wanted;
	u8 keystream[PASS_BLOCKS<V>][CIPHER_BLOCK_SIZE];
};

/* The four quarter rounds of a round, step by step, of @count groups: independent operations stand side by side, because one
 * chain alone leaves the vector units idle between its results. The diagonal round is the column round turned by 1, 2, 3.
 * A word is parked when three steps pass before its next use. */
template <typename V, u32 TURN, u32 COUNT> [[gnu::always_inline]] inline void cipher_round(typename V::Words (*x)[16])
{
	constexpr u32 B = TURN, C = 2 * TURN, D = 3 * TURN;

	auto step = [&](auto operation) __attribute__((always_inline)) {
#pragma GCC unroll 2
		for (u32 group = 0; group < COUNT; group++) {
#pragma GCC unroll 4
			for (u32 i = 0; i < 4; i++)
				operation(x[group][i], x[group][4 + (i + B) % 4], x[group][8 + (i + C) % 4], x[group][12 + (i + D) % 4]);
		}
	};
	using W = typename V::Words;

	step([](W &a, W &b, W &, W &) __attribute__((always_inline)) { a += b; });
	step([](W &a, W &, W &, W &d) __attribute__((always_inline)) { d = V::template rotate<16>(d ^ a), V::park(a); });
	step([](W &, W &, W &c, W &d) __attribute__((always_inline)) { c += d, V::park(d); });
	step([](W &, W &b, W &c, W &) __attribute__((always_inline)) { b = V::template rotate<12>(b ^ c), V::park(c); });
	step([](W &a, W &b, W &, W &) __attribute__((always_inline)) { a += b; });
	step([](W &a, W &, W &, W &d) __attribute__((always_inline)) { d = V::template rotate<8>(d ^ a), V::park(a); });
	step([](W &, W &, W &c, W &d) __attribute__((always_inline)) { c += d, V::park(d); });
	step([](W &, W &b, W &c, W &) __attribute__((always_inline)) { b = V::template rotate<7>(b ^ c), V::park(c); });
}

constexpr u8 SIGMA[] = {'e', 'x', 'p', 'a', 'n', 'd', ' ', '3', '2', '-', 'b', 'y', 't', 'e', ' ', 'k'};

/* All blocks of the pass. */
template <typename V> [[gnu::noinline]] void make_blocks(const u8 *key, Pass<V> &pass)
{
	constexpr u32 GROUPS = V::GROUPS, WOVEN = V::WOVEN;

	using Words = typename V::Words;
	[[gnu::uninitialized]] Words x[GROUPS][16], numbers[GROUPS][3];
	auto word = [](const u8 *from, u32 i) __attribute__((always_inline)) {
		LittleEndian<u32> value;

		copy_bytes(&value, from + 4 * i, sizeof(value));
		return V::broadcast(value.get());
	};

#pragma GCC unroll 2
	for (u32 group = 0; group < GROUPS; group++) {
		copy_bytes(&numbers[group][0], &pass.wanted.block[group * V::LANES], sizeof(Words));
		copy_bytes(&numbers[group][1], &pass.wanted.counter_low[group * V::LANES], sizeof(Words));
		copy_bytes(&numbers[group][2], &pass.wanted.counter_high[group * V::LANES], sizeof(Words));
#pragma GCC unroll 4
		for (u32 i = 0; i < 4; i++)
			x[group][i] = word(SIGMA, i);
#pragma GCC unroll 8
		for (u32 i = 0; i < 8; i++)
			x[group][4 + i] = word(key, i);
		x[group][12] = numbers[group][0];
		x[group][13] = V::broadcast(0);
		x[group][14] = numbers[group][1];
		x[group][15] = numbers[group][2];
	}
	for (u32 i = 0; i < 10; i++) {
#pragma GCC unroll 2
		for (u32 group = 0; group < GROUPS; group += WOVEN)
			cipher_round<V, 0, WOVEN>(&x[group]);
#pragma GCC unroll 2
		for (u32 group = 0; group < GROUPS; group += WOVEN)
			cipher_round<V, 1, WOVEN>(&x[group]);
	}
#pragma GCC unroll 2
	for (u32 group = 0; group < GROUPS; group++) {
#pragma GCC unroll 4
		for (u32 i = 0; i < 4; i++)
			x[group][i] += word(SIGMA, i);
#pragma GCC unroll 8
		for (u32 i = 0; i < 8; i++)
			x[group][4 + i] += word(key, i);
		x[group][12] += numbers[group][0];
		x[group][14] += numbers[group][1];
		x[group][15] += numbers[group][2];
	}
#pragma GCC unroll 2
	for (u32 group = 0; group < GROUPS; group++)
		V::store_blocks(x[group], pass.keystream[group * V::LANES]);
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
	[[gnu::uninitialized]] Words x[SETS][4], numbers[SETS];
	const Words first = V::row(SIGMA), second = V::row(key), third = V::row(key + 16);

#pragma GCC unroll 4
	for (u32 set = 0; set < SETS; set++) {
		numbers[set] = V::number_row(&pass.wanted.block[set * BLOCKS], &pass.wanted.counter_low[set * BLOCKS], &pass.wanted.counter_high[set * BLOCKS]);
		x[set][0] = first;
		x[set][1] = second;
		x[set][2] = third;
		x[set][3] = numbers[set];
	}
	for (u32 i = 0; i < 10; i++) {
		row_round<V, SETS>(x);
		turn_rows<V, SETS, 1>(x);
		row_round<V, SETS>(x);
		turn_rows<V, SETS, 3>(x);
	}
#pragma GCC unroll 4
	for (u32 set = 0; set < SETS; set++) {
		x[set][0] += first;
		x[set][1] += second;
		x[set][2] += third;
		x[set][3] += numbers[set];
		V::store_rows(x[set], pass.keystream[set * BLOCKS]);
	}
}

/* At least the first @count blocks of the pass. */
template <typename V> [[gnu::always_inline]] inline void make_keystream(const u8 *key, Pass<V> &pass, u32 count)
{
	if constexpr (V::LANES > 1) {
		if (count <= V::LANES / 4)
			return make_few_blocks<V, 1>(key, pass);
		if (count <= V::LANES / 2)
			return make_few_blocks<V, 2>(key, pass);
		if (count <= V::LANES)
			return make_few_blocks<V, 4>(key, pass);
	}
	make_blocks<V>(key, pass);
}

} // namespace wg::crypto
