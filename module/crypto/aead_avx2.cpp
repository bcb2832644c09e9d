// SPDX-License-Identifier: GPL-2.0
#include <immintrin.h>
#include "crypto/aead_batch.h"

namespace wg::crypto {

/* Eight blocks a pass; four messages' Poly1305 in limbs of 26 bits, because the multiplier takes 32. */
struct Avx2 {
	enum : u32 { LANES = 8, GROUPS = 2, WOVEN = 2, MAC_LANES = 4, MAC_ASIDE = 1, LIMBS = 5, LIMB_BITS = 26 };
	enum : u32 { PLAIN_BLOCK = 10, STRIPED_SETUP = 180, STEP = 44, LANES_SETUP = 150, STACK = 1312 };
	using Words = u32 __attribute__((vector_size(32)));
	using Quads = u64 __attribute__((vector_size(32)));
	using Octets = u8 __attribute__((vector_size(32)));
	using Text = Quads;
	using Aside = Words[GROUPS][16];
	struct Product {
		Quads sum[LIMBS];
	};

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
	/* Two groups have twice as many words as there are registers: this says which ones go to memory, off the path of what comes next. */
	[[gnu::always_inline]] static void put_aside(Words word, Aside &aside, u32 group, u32 i)
	{
		if (i / 4 == 1)
			return;
		aside[group][i] = word;
		__asm__ __volatile__("" : "+m"(aside));
	}
	[[gnu::always_inline]] static void take_back(Words &word, Aside &aside, u32 group, u32 i)
	{
		if (i / 4 != 1)
			word = aside[group][i];
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

	[[gnu::always_inline]] static Quads wrap(Quads limb) { return limb + (limb << 2); }
	[[gnu::always_inline]] static void multiply_add(Product &product, u32 place, Quads a, Quads b)
	{
		product.sum[place] += (Quads)_mm256_mul_epu32((__m256i)a, (__m256i)b);
	}
	template <typename N> [[gnu::always_inline]] static void add(Product &product, const N &number)
	{
#pragma GCC unroll 5
		for (u32 i = 0; i < LIMBS; i++)
			product.sum[i] += number.limb[i];
	}
	/* Sums below 2^60 in; limbs below 2^26 + 2^10 out. Two chains that meet, instead of one of twice the length. */
	[[gnu::always_inline]] static LaneNumber<Avx2> reduce(const Product &product)
	{
		const Quads LOW = Quads{} + ((1u << LIMB_BITS) - 1);
		Quads a = product.sum[0], b = product.sum[1], c = product.sum[2], d = product.sum[3], e = product.sum[4], carry;

		b += a >> 26, a &= LOW;
		e += d >> 26, d &= LOW;
		c += b >> 26, b &= LOW;
		carry = e >> 26, e &= LOW;
		a += carry + (carry << 2);
		d += c >> 26, c &= LOW;
		b += a >> 26, a &= LOW;
		e += d >> 26, d &= LOW;
		return {{a, b, c, d, e}};
	}
	template <typename At> [[gnu::always_inline]] static void load(At at, Quads &low, Quads &high)
	{
		__m256i even = _mm256_loadu2_m128i((const __m128i *)at(2), (const __m128i *)at(0));
		__m256i odd = _mm256_loadu2_m128i((const __m128i *)at(3), (const __m128i *)at(1));

		low = (Quads)_mm256_unpacklo_epi64(even, odd);
		high = (Quads)_mm256_unpackhi_epi64(even, odd);
	}
	[[gnu::always_inline]] static LaneNumber<Avx2> split(Quads low, Quads high)
	{
		const Quads LOW = Quads{} + ((1u << LIMB_BITS) - 1);

		return {{low & LOW, (low >> 26) & LOW, ((low >> 52) | (high << 12)) & LOW, (high >> 14) & LOW, high >> 40}};
	}
	[[gnu::always_inline]] static void spread(const Number &number, u64 (&limb)[LIMBS])
	{
		const u64 LOW = (1u << LIMB_BITS) - 1;
		u128 low = number.limb[0] + (static_cast<u128>(number.limb[1]) << 44);
		u128 high = static_cast<u64>(low >> 78) + (static_cast<u128>(number.limb[2]) << 10);

		limb[0] = static_cast<u64>(low) & LOW;
		limb[1] = static_cast<u64>(low >> 26) & LOW;
		limb[2] = static_cast<u64>(low >> 52) & LOW;
		limb[3] = static_cast<u64>(high) & LOW;
		limb[4] = static_cast<u64>(high >> 26);
	}
	[[gnu::always_inline]] static Number collect(const u64 (&limb)[LIMBS])
	{
		u128 low = limb[0] + (static_cast<u128>(limb[1]) << 26) + (static_cast<u128>(limb[2]) << 52);
		u128 high = static_cast<u64>(low >> 44) + (static_cast<u128>(limb[3]) << 34) + (static_cast<u128>(limb[4]) << 60);

		return {{static_cast<u64>(low) & LOW_44, static_cast<u64>(high) & LOW_44, static_cast<u64>(high >> 44)}};
	}
	[[gnu::always_inline]] static void wipe_registers() { _mm256_zeroall(); }
};

void run_avx2(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run_batch<Avx2>(direction, key, messages, workspace);
}

} // namespace wg::crypto
