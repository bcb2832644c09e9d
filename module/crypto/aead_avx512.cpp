// SPDX-License-Identifier: GPL-2.0
#include <immintrin.h>
#include "crypto/aead_lanes.h"

namespace wg::crypto {

/* Through the masked intrinsics with a full mask: the same instructions, but g++-12's unmasked ones warn of a variable left undefined. */
constexpr u16 ALL = 0xffff;

/* Thirty-two blocks a pass in two groups, which fill the thirty-two registers; eight messages' Poly1305 in limbs of 44 bits,
 * because the multiplier takes 52 and gives the halves of a product that lie below and above bit 52. */
struct Avx512 {
	enum : u32 { LANES = 16, GROUPS = 2, MAC_LANES = 8, LIMBS = 3, LIMB_BITS = 44, STACK = 896 };
	using Words = u32 __attribute__((vector_size(64)));
	using Quads = u64 __attribute__((vector_size(64)));
	using Text = Quads;
	struct Product {
		Quads low[LIMBS], high[LIMBS];
	};

	[[gnu::always_inline]] static Words broadcast(u32 value) { return Words{} + value; }
	template <u32 BITS> [[gnu::always_inline]] static Words rotate(Words x) { return (x << BITS) | (x >> (32 - BITS)); }
	/* From the four rows of four blocks, which come to lie @stride apart. */
	[[gnu::always_inline]] static void store_four(__m512i a, __m512i b, __m512i c, __m512i d, u8 *to, usize stride)
	{
		__m512i ab = _mm512_maskz_shuffle_i32x4(ALL, a, b, 0x44), cd = _mm512_maskz_shuffle_i32x4(ALL, c, d, 0x44);

		_mm512_storeu_si512(to, _mm512_maskz_shuffle_i32x4(ALL, ab, cd, 0x88));
		_mm512_storeu_si512(to + stride, _mm512_maskz_shuffle_i32x4(ALL, ab, cd, 0xdd));
		ab = _mm512_maskz_shuffle_i32x4(ALL, a, b, 0xee);
		cd = _mm512_maskz_shuffle_i32x4(ALL, c, d, 0xee);
		_mm512_storeu_si512(to + 2 * stride, _mm512_maskz_shuffle_i32x4(ALL, ab, cd, 0x88));
		_mm512_storeu_si512(to + 3 * stride, _mm512_maskz_shuffle_i32x4(ALL, ab, cd, 0xdd));
	}
	[[gnu::always_inline]] static void store_blocks(const Words (&x)[16], u8 *to)
	{
		__m512i row[4][4]; // [words 4q to 4q + 3][of blocks j, 4 + j, 8 + j, 12 + j]

#pragma GCC unroll 4
		for (u32 q = 0; q < 4; q++) {
			__m512i a = (__m512i)x[4 * q], b = (__m512i)x[4 * q + 1], c = (__m512i)x[4 * q + 2], d = (__m512i)x[4 * q + 3];
			__m512i ab = _mm512_maskz_unpacklo_epi32(ALL, a, b), cd = _mm512_maskz_unpacklo_epi32(ALL, c, d);
			row[q][0] = _mm512_maskz_unpacklo_epi64(static_cast<u8>(ALL), ab, cd);
			row[q][1] = _mm512_maskz_unpackhi_epi64(static_cast<u8>(ALL), ab, cd);
			ab = _mm512_maskz_unpackhi_epi32(ALL, a, b);
			cd = _mm512_maskz_unpackhi_epi32(ALL, c, d);
			row[q][2] = _mm512_maskz_unpacklo_epi64(static_cast<u8>(ALL), ab, cd);
			row[q][3] = _mm512_maskz_unpackhi_epi64(static_cast<u8>(ALL), ab, cd);
		}
#pragma GCC unroll 4
		for (u32 j = 0; j < 4; j++)
			store_four(row[0][j], row[1][j], row[2][j], row[3][j], to + j * CIPHER_BLOCK_SIZE, 4 * CIPHER_BLOCK_SIZE);
	}

	/* Limbs of 44 bits stand for 2^132, which is worth 20: x 20 as two shifts, there being no cheap 64-bit multiplication. */
	[[gnu::always_inline]] static Quads wrap(Quads limb) { return (limb << 4) + (limb << 2); }
	[[gnu::always_inline]] static void multiply_add(Product &product, u32 place, Quads a, Quads b)
	{
		product.low[place] = (Quads)_mm512_madd52lo_epu64((__m512i)product.low[place], (__m512i)a, (__m512i)b);
		product.high[place] = (Quads)_mm512_madd52hi_epu64((__m512i)product.high[place], (__m512i)a, (__m512i)b);
	}
	template <typename N> [[gnu::always_inline]] static void add(Product &product, const N &number)
	{
#pragma GCC unroll 3
		for (u32 i = 0; i < LIMBS; i++)
			product.low[i] += number.limb[i];
	}
	/* The high halves weigh 2^52 = 2^44 2^8: they belong to the next limb, shifted by 8; what leaves the top comes back twentyfold.
	 * The other carries move at once: a limb stays below 2^44 + 2^13, far from the 2^52 the multiplier takes. */
	[[gnu::always_inline]] static LaneNumber<Avx512> reduce(const Product &product)
	{
		const Quads LOW = Quads{} + LOW_44;
		Quads c = product.low[2] + (product.high[1] << 8);
		Quads a = product.low[0] + wrap((product.high[2] << 8) + (c >> 44));
		Quads b = product.low[1] + (product.high[0] << 8);

		return {{a & LOW, (b & LOW) + (a >> 44), (c & LOW) + (b >> 44)}};
	}
	template <typename At> [[gnu::always_inline]] static __m512i load_four(At at, u32 first)
	{
		auto block = [&](u32 lane) __attribute__((always_inline)) { return _mm_loadu_si128((const __m128i *)at(lane)); };
		__m512i four = _mm512_castsi128_si512(block(first));

		four = _mm512_maskz_inserti32x4(ALL, four, block(first + 2), 1);
		four = _mm512_maskz_inserti32x4(ALL, four, block(first + 4), 2);
		return _mm512_maskz_inserti32x4(ALL, four, block(first + 6), 3);
	}
	template <typename At> [[gnu::always_inline]] static void load(At at, Quads &low, Quads &high)
	{
		__m512i even = load_four(at, 0), odd = load_four(at, 1);

		low = (Quads)_mm512_maskz_unpacklo_epi64(static_cast<u8>(ALL), even, odd);
		high = (Quads)_mm512_maskz_unpackhi_epi64(static_cast<u8>(ALL), even, odd);
	}
	[[gnu::always_inline]] static LaneNumber<Avx512> split(Quads low, Quads high)
	{
		const Quads LOW = Quads{} + LOW_44;

		return {{low & LOW, ((low >> 44) | (high << 20)) & LOW, high >> 24}};
	}
	[[gnu::always_inline]] static void wipe_registers()
	{
		_mm256_zeroall(); // the first sixteen, in their whole width
#ifdef __AVX512F__ // what models it in the unit tests has no more
		__asm__ __volatile__(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
				     "vpxord %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t.endr"
				     :
				     :
				     : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
				       "xmm28", "xmm29", "xmm30", "xmm31");
#endif
	}
};

void run_avx512(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run_batch<Avx512>(direction, key, messages, workspace);
}

} // namespace wg::crypto
