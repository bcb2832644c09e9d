// SPDX-License-Identifier: GPL-2.0
/* The only way to copy, clear, compare and wipe raw bytes: __builtin_* so that small ones are inlined even when freestanding. */
#pragma once
#include "rt/types.h"

namespace wg {

inline void copy_bytes(void *to, const void *from, usize size)
{
	__builtin_memcpy(to, from, size);
}

inline void zero_bytes(void *at, usize size)
{
	__builtin_memset(at, 0, size);
}

/* For public data only: its time depends on where the first difference is. */
[[nodiscard]] inline bool same_bytes(const void *a, const void *b, usize size)
{
	return __builtin_memcmp(a, b, size) == 0;
}

/* Clears a secret; the barrier keeps the compiler from dropping a store nobody reads. */
inline void wipe_bytes(void *at, usize size)
{
	__builtin_memset(at, 0, size);
	__asm__ __volatile__("" : : "r"(at) : "memory");
}

/* What lies in memory is read anew after it: keeps the compiler from loading early what it has no registers for, and putting that on the stack. */
[[gnu::always_inline]] inline void reload_memory()
{
	__asm__ __volatile__("" : : : "memory");
}

/* Compares secrets or authenticators in a time that depends on @size alone. */
[[nodiscard]] inline bool same_bytes_constant_time(const void *a, const void *b, usize size)
{
	const u8 *left = static_cast<const u8 *>(a), *right = static_cast<const u8 *>(b);
	u64 difference = 0;

	while (size > 0) {
		u64 a_part = 0, b_part = 0;
		usize part = size < sizeof(u64) ? size : sizeof(u64);

		copy_bytes(&a_part, left, part);
		copy_bytes(&b_part, right, part);
		difference |= a_part ^ b_part;
		__asm__ __volatile__("" : "+r"(difference));
		left += part;
		right += part;
		size -= part;
	}
	return difference == 0;
}

} // namespace wg
