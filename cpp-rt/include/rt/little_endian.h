// SPDX-License-Identifier: GPL-2.0
/* LittleEndian<T>, BigEndian<T>: an unsigned integer as it lies on the wire, alignment 1. */
#pragma once
#include "rt/memory.h"
#include "rt/types.h"

namespace wg {

template <typename T> T byte_swap(T value)
{
	if constexpr (sizeof(T) == 2)
		return __builtin_bswap16(value);
	else if constexpr (sizeof(T) == 4)
		return __builtin_bswap32(value);
	else
		return __builtin_bswap64(value);
}

template <typename T, int Order> class WireInteger {
public:
	WireInteger() = default;
	WireInteger(T value) { set(value); }
	T get() const
	{
		T value;

		copy_bytes(&value, at_, sizeof(T));
		return __BYTE_ORDER__ == Order ? value : byte_swap(value);
	}
	void set(T value)
	{
		if (__BYTE_ORDER__ != Order)
			value = byte_swap(value);
		copy_bytes(at_, &value, sizeof(T));
	}
	const u8 *data() const { return at_; }

private:
	u8 at_[sizeof(T)];
};

template <typename T> using LittleEndian = WireInteger<T, __ORDER_LITTLE_ENDIAN__>;
template <typename T> using BigEndian = WireInteger<T, __ORDER_BIG_ENDIAN__>;

} // namespace wg
