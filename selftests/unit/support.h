// SPDX-License-Identifier: GPL-2.0
/* What every unit test needs: bytes from hex, seeded randomness, comparison. */
#pragma once
#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "primitives.h"
#include "rt/bytes.h"
#include "rt/secret.h"

namespace wg::test {

using ByteVector = std::vector<u8>;

/* Blanks between the digits are skipped. */
inline ByteVector from_hex(std::string_view text)
{
	ByteVector bytes;
	int digits = 0;

	for (char c : text) {
		int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (value < 0)
			continue;
		if (digits++ % 2 == 0)
			bytes.push_back(static_cast<u8>(value << 4));
		else
			bytes.back() = static_cast<u8>(bytes.back() | value);
	}
	return bytes;
}

inline ByteVector vector_of(const void *at, usize size)
{
	const u8 *bytes = static_cast<const u8 *>(at);

	return ByteVector(bytes, bytes + size);
}

template <usize N> ByteVector vector_of(const Bytes<N> &bytes) { return vector_of(bytes.data(), N); }
template <usize N> ByteVector vector_of(const Secret<N> &secret) { return vector_of(secret.expose(), N); }
inline ConstByteSpan span_of(const ByteVector &bytes) { return {bytes.data(), bytes.size()}; }

/* As X25519 takes a private key. RFC 7748 */
inline ByteVector clamped(ByteVector key)
{
	key[0] &= 0xf8;
	key[31] = static_cast<u8>((key[31] & 0x7f) | 0x40);
	return key;
}

/* The same numbers in every run: a failure can be repeated. */
class Random {
public:
	explicit Random(u64 seed) : engine_(seed) {}
	u64 next() { return engine_(); }
	u64 below(u64 bound) { return engine_() % bound; }
	void fill(void *at, usize size)
	{
		u8 *bytes = static_cast<u8 *>(at);

		for (usize i = 0; i < size; i++)
			bytes[i] = static_cast<u8>(engine_() >> 32);
	}
	ByteVector bytes(usize size)
	{
		ByteVector out(size);

		fill(out.data(), size);
		return out;
	}

private:
	std::mt19937_64 engine_;
};

} // namespace wg::test
