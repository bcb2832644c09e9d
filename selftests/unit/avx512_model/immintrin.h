// SPDX-License-Identifier: GPL-2.0
/* What crypto/aead_avx512.cpp uses of AVX-512, in plain C++: so that its arithmetic is tested on CPUs without it. Stands in for the
 * compiler's header of this name; each function does what Intel's Intrinsics Guide says of it, and lets no lane be masked.
 */
#pragma once
#include <cstdint>
#include <cstring>

using __m128i = long long __attribute__((vector_size(16), may_alias));
using __m256i = long long __attribute__((vector_size(32), may_alias));
using __m512i = long long __attribute__((vector_size(64), may_alias));

namespace avx512_model {

using Words = uint32_t __attribute__((vector_size(64)));
using Quads = uint64_t __attribute__((vector_size(64)));
struct Parts {
	__m128i part[4];
};

inline Parts parts_of(__m512i a)
{
	Parts parts;
	std::memcpy(&parts, &a, sizeof(parts));
	return parts;
}
inline __m512i whole(const Parts &parts)
{
	__m512i a;
	std::memcpy(&a, &parts, sizeof(a));
	return a;
}
/* Within each 128 bits: the elements @first and @first + 1 (in pairs) of a and b, in turn. */
template <typename V> inline __m512i unpack(__m512i a, __m512i b, unsigned first)
{
	constexpr unsigned ELEMENTS = sizeof(V) / sizeof(V{}[0]), HALF = ELEMENTS / 8;
	V x = (V)a, y = (V)b, result = {};

	for (unsigned part = 0; part < 4; part++) {
		for (unsigned i = 0; i < HALF; i++) {
			result[part * 2 * HALF + 2 * i] = x[part * 2 * HALF + first * HALF + i];
			result[part * 2 * HALF + 2 * i + 1] = y[part * 2 * HALF + first * HALF + i];
		}
	}
	return (__m512i)result;
}
inline Quads product_bits(Quads sum, Quads a, Quads b, unsigned shift)
{
	constexpr uint64_t LOW_52 = (1ull << 52) - 1;

	for (unsigned i = 0; i < 8; i++)
		sum[i] += static_cast<uint64_t>((static_cast<unsigned __int128>(a[i] & LOW_52) * (b[i] & LOW_52)) >> shift) & LOW_52;
	return sum;
}

} // namespace avx512_model

inline __m512i _mm512_maskz_unpacklo_epi32(unsigned, __m512i a, __m512i b) { return avx512_model::unpack<avx512_model::Words>(a, b, 0); }
inline __m512i _mm512_maskz_unpackhi_epi32(unsigned, __m512i a, __m512i b) { return avx512_model::unpack<avx512_model::Words>(a, b, 1); }
inline __m512i _mm512_maskz_unpacklo_epi64(unsigned, __m512i a, __m512i b) { return avx512_model::unpack<avx512_model::Quads>(a, b, 0); }
inline __m512i _mm512_maskz_unpackhi_epi64(unsigned, __m512i a, __m512i b) { return avx512_model::unpack<avx512_model::Quads>(a, b, 1); }
inline __m512i _mm512_maskz_shuffle_i32x4(unsigned, __m512i a, __m512i b, unsigned select)
{
	avx512_model::Parts x = avx512_model::parts_of(a), y = avx512_model::parts_of(b);

	return avx512_model::whole(avx512_model::Parts{{x.part[select & 3], x.part[select >> 2 & 3], y.part[select >> 4 & 3], y.part[select >> 6 & 3]}});
}
inline __m512i _mm512_castsi128_si512(__m128i a) { return avx512_model::whole(avx512_model::Parts{{a, {}, {}, {}}}); }
inline __m512i _mm512_maskz_inserti32x4(unsigned, __m512i a, __m128i b, unsigned place)
{
	avx512_model::Parts parts = avx512_model::parts_of(a);

	parts.part[place] = b;
	return avx512_model::whole(parts);
}
inline __m512i _mm512_madd52lo_epu64(__m512i sum, __m512i a, __m512i b)
{
	using avx512_model::Quads;
	return (__m512i)avx512_model::product_bits((Quads)sum, (Quads)a, (Quads)b, 0);
}
inline __m512i _mm512_madd52hi_epu64(__m512i sum, __m512i a, __m512i b)
{
	using avx512_model::Quads;
	return (__m512i)avx512_model::product_bits((Quads)sum, (Quads)a, (Quads)b, 52);
}
inline __m128i _mm_loadu_si128(const __m128i *at)
{
	__m128i a;
	std::memcpy(&a, at, sizeof(a));
	return a;
}
inline void _mm512_storeu_si512(void *at, __m512i a) { std::memcpy(at, &a, sizeof(a)); }
inline void _mm256_zeroall() {}
