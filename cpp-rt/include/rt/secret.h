// SPDX-License-Identifier: GPL-2.0
/* Secret<N>: N secret bytes. Wipes itself, has no ==, is not copied by accident, and is read through expose() alone.
 *
 * Copies are spelled copy_from(), so that a reader sees each one. Comparison is constant-time and named.
 */
#pragma once
#include "rt/bytes.h"

namespace wg {

template <usize N> class Secret {
public:
	Secret() { zero_bytes(at_, N); }
	~Secret() { wipe(); }
	Secret(const Secret &) = delete;
	Secret &operator=(const Secret &) = delete;

	static constexpr usize size() { return N; }
	u8 *expose() { return at_; }
	const u8 *expose() const { return at_; }
	Span<const u8> expose_span() const { return {at_, N}; }
	void copy_from(const Secret &other) { copy_bytes(at_, other.at_, N); }
	void copy_from(const u8 *bytes) { copy_bytes(at_, bytes, N); }
	void wipe() { wipe_bytes(at_, N); }
	bool equals_constant_time(const Secret &other) const { return same_bytes_constant_time(at_, other.at_, N); }
	bool is_zero_constant_time() const
	{
		u8 zero[N] = {};

		return same_bytes_constant_time(at_, zero, N);
	}

private:
	u8 at_[N];
};

} // namespace wg
