// SPDX-License-Identifier: GPL-2.0
/* Included before everything in the constant-time test under valgrind: whether a tag was right is public, from the comparison on. */
#pragma once
#include "rt/memory.h"

#include <valgrind/memcheck.h>

namespace wg {

inline bool same_bytes_public_verdict(const void *a, const void *b, usize size)
{
	bool same = same_bytes_constant_time(a, b, size);

	VALGRIND_MAKE_MEM_DEFINED(&same, sizeof(same));
	return same;
}

} // namespace wg

#define same_bytes_constant_time same_bytes_public_verdict
