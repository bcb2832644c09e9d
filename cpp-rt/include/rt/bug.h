// SPDX-License-Identifier: GPL-2.0
/* The bug hook: a broken invariant warns once and the caller drops what it holds.
 *
 * It returns (a [[noreturn]] call at a function's end upsets objtool), so every use is followed by a safe fallback.
 * Defined by module/kernel/main.c (WARN_ONCE) and by the tests (which fail).
 */
#pragma once

/* Not called cold, nor is what calls it: GCC 12 does not align such functions, which arm64's function tracer warns about. */
extern "C" void wg_kernel_bug(const char *what);

namespace wg {

[[gnu::always_inline]] inline void bug(const char *what)
{
	wg_kernel_bug(what);
}

} // namespace wg
