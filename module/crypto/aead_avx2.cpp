// SPDX-License-Identifier: GPL-2.0
#include <immintrin.h>
#include "crypto/aead_woven.h"

namespace wg::crypto {

/* Eight blocks, which fill the sixteen registers, and Poly1305 beside them by BMI2's multiplier, which leaves the flags alone. */
struct Avx2 {
	enum : u32 { LANES = 8, GROUPS = 1, STACK = 1120 };
	using Words = u32 __attribute__((vector_size(32)));
	using Quads = u64 __attribute__((vector_size(32)));
	using Octets = u8 __attribute__((vector_size(32)));
	using Text = Quads;

	[[gnu::always_inline]] static Words broadcast(u32 value) { return Words{} + value; }
	template <u32 BITS> [[gnu::always_inline]] static Words rotate(Words x)
	{
		/* By whole bytes: one shuffle where shifting would take three instructions. */
		if constexpr (BITS == 16)
			return (Words)_mm256_shuffle_epi8((__m256i)x, (__m256i)(Octets){2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
										2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13});
		else if constexpr (BITS == 8)
			return (Words)_mm256_shuffle_epi8((__m256i)x, (__m256i)(Octets){3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
										3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14});
		else
			return (x << BITS) | (x >> (32 - BITS));
	}
	/* Columns to rows: of words 4q to 4q + 3 of eight blocks, those of block j in the low half of row j and of block 4 + j in the high one. */
	[[gnu::always_inline]] static void turn_square(const Words *x, __m256i (&row)[4])
	{
		__m256i a = (__m256i)x[0], b = (__m256i)x[1], c = (__m256i)x[2], d = (__m256i)x[3];
		__m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d);

		row[0] = _mm256_unpacklo_epi64(ab, cd);
		row[1] = _mm256_unpackhi_epi64(ab, cd);
		ab = _mm256_unpackhi_epi32(a, b);
		cd = _mm256_unpackhi_epi32(c, d);
		row[2] = _mm256_unpacklo_epi64(ab, cd);
		row[3] = _mm256_unpackhi_epi64(ab, cd);
	}
	/* From two rows of two blocks, one in the low halves and one in the high. */
	[[gnu::always_inline]] static void store_two(__m256i a, __m256i b, u8 *low, u8 *high)
	{
		_mm256_storeu_si256((__m256i *)low, _mm256_permute2x128_si256(a, b, 0x20));
		_mm256_storeu_si256((__m256i *)high, _mm256_permute2x128_si256(a, b, 0x31));
	}
	/* In two halves, which each have registers enough. */
	[[gnu::always_inline]] static void store_blocks(const Words (&x)[16], u8 *to)
	{
#pragma GCC unroll 2
		for (u32 half = 0; half < 2; half++) {
			__m256i a[4], b[4];

			turn_square(&x[8 * half], a);
			turn_square(&x[8 * half + 4], b);
#pragma GCC unroll 4
			for (u32 j = 0; j < 4; j++)
				store_two(a[j], b[j], to + j * CIPHER_BLOCK_SIZE + 32 * half, to + (4 + j) * CIPHER_BLOCK_SIZE + 32 * half);
		}
	}

	[[gnu::always_inline]] static Words row(const u8 *at) { return (Words)_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)at)); }
	[[gnu::always_inline]] static Words number_row(const u32 *block, const u32 *counter_low, const u32 *counter_high)
	{
		return Words{block[0], 0, counter_low[0], counter_high[0], block[1], 0, counter_low[1], counter_high[1]};
	}
	template <u32 PLACES> [[gnu::always_inline]] static Words turn(Words row)
	{
		return (Words)_mm256_shuffle_epi32((__m256i)row, PLACES == 1 ? 0x39 : PLACES == 2 ? 0x4e : 0x93);
	}
	[[gnu::always_inline]] static void store_rows(const Words (&x)[4], u8 *to)
	{
		store_two((__m256i)x[0], (__m256i)x[1], to, to + CIPHER_BLOCK_SIZE);
		store_two((__m256i)x[2], (__m256i)x[3], to + 32, to + CIPHER_BLOCK_SIZE + 32);
	}

	[[gnu::always_inline]] static u32 make(const u8 *key, const Wanted<Avx2> &wanted, u32 count, Block *keystream, Authenticator<Avx2> &authenticator)
	{
		return make_by_vectors<Avx2>(key, wanted, count, keystream, authenticator);
	}
	[[gnu::always_inline]] static void wipe_registers() { _mm256_zeroall(); }
};

void run_avx2(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run_batch<Avx2>(direction, key, messages, workspace);
}

} // namespace wg::crypto
