// SPDX-License-Identifier: GPL-2.0
/* Bytes<N>: N public bytes by value, alignment 1, so that it may lie in a wire message. Secrets are Secret<N> (rt/secret.h). */
#pragma once
#include "rt/span.h"

namespace wg {

template <usize N> struct Bytes {
	u8 at[N];

	static constexpr usize size() { return N; }
	u8 *data() { return at; }
	const u8 *data() const { return at; }
	Span<u8> span() { return {at, N}; }
	Span<const u8> span() const { return {at, N}; }
	void clear() { zero_bytes(at, N); }
	/* A zero test for public values; for secrets see Secret. */
	bool is_zero() const
	{
		u8 any = 0;

		for (u8 byte : at)
			any |= byte;
		return any == 0;
	}
	friend bool operator==(const Bytes &a, const Bytes &b) { return same_bytes(a.at, b.at, N); }
	/* As big-endian numbers: the first byte that differs decides. For public values. */
	friend bool operator<(const Bytes &a, const Bytes &b) { return __builtin_memcmp(a.at, b.at, N) < 0; }
};

using ByteSpan = Span<u8>;
using ConstByteSpan = Span<const u8>;

} // namespace wg
