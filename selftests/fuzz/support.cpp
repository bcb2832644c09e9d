// SPDX-License-Identifier: GPL-2.0
#include "support.h"

#include <cstdio>
#include <cstdlib>

namespace wg::fuzz {

void require(bool condition, const char *what)
{
	if (condition)
		return;
	std::fprintf(stderr, "fuzz: %s\n", what);
	std::abort();
}

} // namespace wg::fuzz

/* Weak: the simulation has its own. */
extern "C" [[gnu::weak]] void wg_kernel_bug(const char *what)
{
	wg::fuzz::require(false, what);
}
