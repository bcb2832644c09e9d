// SPDX-License-Identifier: GPL-2.0
/* Poly1305's field, one number at a time: arithmetic modulo 2^130 - 5 in three limbs of 44, 44 and 42 bits, or in whole words. [RFC 8439 §2.5]
 *
 * Called by:  authenticator.h; poly1305_lanes.h for keys and the last reduction
 * Context:    any; no branch and no index depends on a secret
 * Units:      a Number is limb[0] + limb[1] 2^44 + limb[2] 2^88, with limbs below 2^52
 */
#pragma once
#include "rt/little_endian.h"

namespace wg::crypto {

__extension__ using u128 = unsigned __int128;

constexpr usize BLOCK_SIZE = 16; // of Poly1305; ChaCha20's is CIPHER_BLOCK_SIZE
constexpr u64 LOW_44 = (1ull << 44) - 1, LOW_42 = (1ull << 42) - 1;

struct Number {
	u64 limb[3];
};

[[gnu::always_inline]] inline u64 load_u64(const u8 *at)
{
	LittleEndian<u64> value;

	copy_bytes(&value, at, sizeof(value));
	return value.get();
}

[[gnu::always_inline]] inline void store_u64(u8 *at, u64 value)
{
	LittleEndian<u64> wire(value);

	copy_bytes(at, &wire, sizeof(wire));
}

[[gnu::always_inline]] inline Number number_from(u64 low, u64 high)
{
	return {{low & LOW_44, ((low >> 44) | (high << 20)) & LOW_44, high >> 24}};
}

/* A sum in two words of 64 bits and what is above them: for absorbing, half the instructions of a Number. It stays below 2^131. */
struct WordNumber {
	u64 low, high, top;
};

/* What a sum is multiplied by: clamped, so that 2^128 high = 5/4 high modulo 2^130 - 5 is a whole number, and all words are below 2^61. */
struct Factor {
	u64 low, high, wrapped;
};

/* @key: the first half of a message's Poly1305 key. */
[[gnu::always_inline]] inline Factor clamped_factor(const u8 *key)
{
	const u64 high = load_u64(key + 8) & 0x0ffffffc0ffffffc;

	return {load_u64(key) & 0x0ffffffc0fffffff, high, high + (high >> 2)};
}

/* The same as a Number. */
[[gnu::always_inline]] inline Number clamped_multiplier(const u8 *key)
{
	const Factor factor = clamped_factor(key);

	return number_from(factor.low, factor.high);
}

[[gnu::always_inline]] inline Number number_from(const WordNumber &number)
{
	Number result = number_from(number.low, number.high);

	result.limb[2] += number.top << 40;
	return result;
}

/* (low, high) += (a, b), words of numbers of 128 bits. */
[[gnu::always_inline]] inline void add_words(u64 &low, u64 &high, u64 a, u64 b)
{
#ifdef __x86_64__
	/* Compilers make comparisons of the carry. */
	__asm__("add %[a], %[low]\n\tadc %[b], %[high]" : [low] "+&r"(low), [high] "+r"(high) : [a] "rm"(a), [b] "rme"(b) : "cc");
#elif defined(__aarch64__)
	__asm__("adds %[low], %[low], %[a]\n\tadc %[high], %[high], %x[b]" : [low] "+&r"(low), [high] "+r"(high) : [a] "r"(a), [b] "rZ"(b) : "cc");
#else
	low += a;
	high += b + (low < a);
#endif
}

[[gnu::always_inline]] inline void add_words(u64 &low, u64 &high, u64 &top, u64 a, u64 b, u64 c)
{
#ifdef __x86_64__
	__asm__("add %[a], %[low]\n\tadc %[b], %[high]\n\tadc %[c], %[top]"
		: [low] "+&r"(low), [high] "+&r"(high), [top] "+r"(top)
		: [a] "rm"(a), [b] "rme"(b), [c] "rme"(c)
		: "cc");
#elif defined(__aarch64__)
	__asm__("adds %[low], %[low], %[a]\n\tadcs %[high], %[high], %[b]\n\tadc %[top], %[top], %[c]"
		: [low] "+&r"(low), [high] "+&r"(high), [top] "+r"(top)
		: [a] "r"(a), [b] "r"(b), [c] "r"(c)
		: "cc");
#else
	u64 carry = 0;

	add_words(low, carry, a, 0);
	add_words(high, top, b, c);
	add_words(high, top, carry, 0);
#endif
}

/* sum = (sum + 2^128 + block) factor */
[[gnu::always_inline]] inline void absorb(WordNumber &sum, const u8 *block, const Factor &factor)
{
	u64 a = sum.low, b = sum.high, c = sum.top;

	add_words(a, b, c, load_u64(block), load_u64(block + 8), 1);
	u128 d0 = static_cast<u128>(a) * factor.low + static_cast<u128>(b) * factor.wrapped;
	u128 d1 = static_cast<u128>(a) * factor.high + static_cast<u128>(b) * factor.low;
	u64 low = static_cast<u64>(d0), high = static_cast<u64>(d1), top = static_cast<u64>(d1 >> 64);

	add_words(high, top, c * factor.wrapped, c * factor.low); // c is at most 6
	add_words(high, top, static_cast<u64>(d0 >> 64), 0);
	u64 folded = (top & ~3ull) + (top >> 2);

	top &= 3;
	add_words(low, high, top, folded, 0, 0);
	sum = {low, high, top};
}

/* tag = (sum mod 2^130 - 5) + pad mod 2^128; @pad is the second half of the Poly1305 key. */
[[gnu::always_inline]] inline void finish(Number sum, const u8 *pad, u8 *tag)
{
	for (u32 pass = 0; pass < 2; pass++) {
		sum.limb[1] += sum.limb[0] >> 44;
		sum.limb[0] &= LOW_44;
		sum.limb[2] += sum.limb[1] >> 44;
		sum.limb[1] &= LOW_44;
		sum.limb[0] += (sum.limb[2] >> 42) * 5;
		sum.limb[2] &= LOW_42;
	}
	sum.limb[1] += sum.limb[0] >> 44;
	sum.limb[0] &= LOW_44;

	/* sum - p, kept when it does not go below zero; both are computed, a mask chooses. */
	u64 less0 = sum.limb[0] + 5, less1 = sum.limb[1] + (less0 >> 44), less2 = sum.limb[2] + (less1 >> 44);
	u64 keep = 0 - ((less2 >> 42) & 1);
	__asm__("" : "+r"(keep));
	u64 limb0 = (sum.limb[0] & ~keep) | (less0 & LOW_44 & keep);
	u64 limb1 = (sum.limb[1] & ~keep) | (less1 & LOW_44 & keep);
	u64 limb2 = (sum.limb[2] & ~keep) | (less2 & LOW_42 & keep);

	u128 low = static_cast<u128>(limb0 | (limb1 << 44)) + load_u64(pad);
	store_u64(tag, static_cast<u64>(low));
	store_u64(tag + 8, ((limb1 >> 20) | (limb2 << 24)) + load_u64(pad + 8) + static_cast<u64>(low >> 64));
}

} // namespace wg::crypto
