// SPDX-License-Identifier: GPL-2.0
/* The kernel's own AEAD, one message a call, on a chosen instruction set. The files are cut from Debian's linux-source. */
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include "chacha_lib.h"
#include "chacha_glue.h"
#include "poly1305_glue.h"
#include "chacha20poly1305.h"

void kernel_aead_use(bool avx512);
void kernel_aead_use(bool avx512)
{
#ifdef __aarch64__
	have_neon = !avx512;
#else
	chacha_use_simd = true;
	chacha_use_avx2 = true;
	chacha_use_avx512vl = avx512;
	poly1305_use_avx = true;
	poly1305_use_avx2 = true;
	poly1305_use_avx512 = avx512;
#endif
}
