// SPDX-License-Identifier: GPL-2.0
/* Poly1305's field, one number at a time: arithmetic modulo 2^130 - 5 in three limbs of 44, 44 and 42 bits, or in whole words. [RFC 8439 §2.5]
 *
 * Called by:  every form: the portable one for all blocks, the others for keys, powers, short messages and the last reduction
 * Context:    any; no branch and no index depends on a secret
 * Units:      a Number is limb[0] + limb[1] 2^44 + limb[2] 2^88; multiply() takes limbs below 2^52 and gives them below 2^44 + 2^16
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

/* The first half of a message's Poly1305 key. */
[[gnu::always_inline]] inline Number clamped_multiplier(const u8 *key)
{
	return number_from(load_u64(key) & 0x0ffffffc0fffffff, load_u64(key + 8) & 0x0ffffffc0ffffffc);
}

/* 2^132 = 20 modulo 2^130 - 5: what a product of limbs is worth that falls off the top. */
[[gnu::always_inline]] inline Number multiply(const Number &a, const Number &b)
{
	const u64 wrapped1 = b.limb[1] * 20, wrapped2 = b.limb[2] * 20;
	u128 d0 = static_cast<u128>(a.limb[0]) * b.limb[0] + static_cast<u128>(a.limb[1]) * wrapped2 + static_cast<u128>(a.limb[2]) * wrapped1;
	u128 d1 = static_cast<u128>(a.limb[0]) * b.limb[1] + static_cast<u128>(a.limb[1]) * b.limb[0] + static_cast<u128>(a.limb[2]) * wrapped2;
	u128 d2 = static_cast<u128>(a.limb[0]) * b.limb[2] + static_cast<u128>(a.limb[1]) * b.limb[1] + static_cast<u128>(a.limb[2]) * b.limb[0];

	d1 += static_cast<u64>(d0 >> 44);
	d2 += static_cast<u64>(d1 >> 44);
	u64 low = (static_cast<u64>(d0) & LOW_44) + static_cast<u64>(d2 >> 42) * 5;
	return {{low & LOW_44, (static_cast<u64>(d1) & LOW_44) + (low >> 44), static_cast<u64>(d2) & LOW_42}};
}

/* Two words of 64 bits and what is above them: for absorbing, half the instructions of a Number where there is an add with carry. */
struct WordNumber {
	u64 low, high, top;
};

/* Of a multiplier: reduced, and below 2^128. */
[[gnu::always_inline]] inline WordNumber word_number_from(const Number &number)
{
	return {number.limb[0] | number.limb[1] << 44, number.limb[1] >> 20 | number.limb[2] << 24, 0};
}

[[gnu::always_inline]] inline Number number_from(const WordNumber &number)
{
	Number result = number_from(number.low, number.high);

	result.limb[2] += number.top << 40;
	return result;
}

/* @top is the block's 2^128: 1, or 0 for a null block in front. The sum stays below 2^131. */
[[gnu::always_inline]] inline void absorb(WordNumber &sum, const u8 *block, u64 top, const WordNumber &factor)
{
	const u64 wrapped = factor.high + (factor.high >> 2); // 2^128 factor.high = 5/4 of it, modulo 2^130 - 5: clamped, it is a multiple of 4
	u64 low = load_u64(block), high = load_u64(block + 8), a = sum.low + low, b = sum.high + high, carry = a < low;
	u64 c = sum.top + top + (b < high);

	b += carry;
	c += b < carry;
	u128 d0 = static_cast<u128>(a) * factor.low + static_cast<u128>(b) * wrapped;
	u128 d1 = static_cast<u128>(a) * factor.high + static_cast<u128>(b) * factor.low;
	d1 += c * wrapped + static_cast<u64>(d0 >> 64); // below 2^64: c is at most 6, the factor's words are below 2^60
	u64 d2 = c * factor.low + static_cast<u64>(d1 >> 64), folded = (d2 & ~3ull) + (d2 >> 2);

	sum.low = static_cast<u64>(d0) + folded;
	carry = sum.low < folded;
	sum.high = static_cast<u64>(d1) + carry;
	sum.top = (d2 & 3) + (sum.high < carry);
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
