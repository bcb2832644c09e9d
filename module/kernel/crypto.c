// SPDX-License-Identifier: GPL-2.0
/* crypto.c: the kernel's crypto library behind crypto/primitives.h, and the CPU's vector unit. */
#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>
#include <linux/bottom_half.h>
#include <linux/percpu.h>
#include <linux/siphash.h>
#ifdef CONFIG_X86_64
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#elif defined(CONFIG_ARM64) && defined(CONFIG_KERNEL_MODE_NEON) && !defined(CONFIG_CPU_BIG_ENDIAN)
#include <asm/hwcap.h>
#include <asm/simd.h>
#include <linux/cpufeature.h>
#define WG_NEON
#endif
#include "compat.h"
#include "objects.h"
#include "services.h"

static u8 __percpu *scratch;
#ifdef WG_NEON
static DEFINE_PER_CPU(struct user_fpsimd_state, neon_state);
#endif

int wg_crypto_init(void)
{
	scratch = __alloc_percpu(WG_SCRATCH_SIZE, 64);
	return scratch ? 0 : -ENOMEM;
}

/* The AEAD wipes its part after each call; pointers, counters and received tags of the last packets lie in the rest. */
void wg_crypto_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memzero_explicit(per_cpu_ptr(scratch, cpu), WG_SCRATCH_SIZE);
	free_percpu(scratch);
}

void *wg_kernel_scratch(void)
{
	return this_cpu_ptr(scratch);
}

void wg_kernel_bottom_half_disable(void)
{
	local_bh_disable();
}

void wg_kernel_bottom_half_enable(void)
{
	local_bh_enable();
}

uint32_t wg_kernel_cpu_features(void)
{
	u32 features = 0;
#ifdef CONFIG_X86_64
	const u64 ymm = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;

	if (boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_BMI2) && wg_compat_cpu_saves(ymm))
		features |= WG_CPU_AVX2;
	if (features && boot_cpu_has(X86_FEATURE_AVX512F) && boot_cpu_has(X86_FEATURE_AVX512VL) && boot_cpu_has(X86_FEATURE_AVX512IFMA) &&
	    wg_compat_cpu_saves(ymm | XFEATURE_MASK_AVX512))
		features |= WG_CPU_AVX512;
#elif defined(WG_NEON)
	if (cpu_have_named_feature(ASIMD))
		features |= WG_CPU_NEON;
#endif
	return features;
}

int wg_kernel_fpu_begin(void)
{
#ifdef CONFIG_X86_64
	if (irq_fpu_usable()) {
		kernel_fpu_begin();
		return 1;
	}
#elif defined(WG_NEON)
	if (may_use_simd()) {
		local_bh_disable();	/* the place for the registers is this CPU's */
		wg_compat_neon_begin(this_cpu_ptr(&neon_state));
		return 1;
	}
#endif
	return 0;
}

void wg_kernel_fpu_end(void)
{
#ifdef CONFIG_X86_64
	kernel_fpu_end();
#elif defined(WG_NEON)
	wg_compat_neon_end(this_cpu_ptr(&neon_state));
	local_bh_enable();
#endif
}

/* ---- the crypto library ---- */
static void blake2s_of_two(u8 *out, size_t out_size, const u8 *key, size_t key_size, const u8 *a, size_t a_size, const u8 *b, size_t b_size)
{
	struct blake2s_ctx state;

	if (key_size)
		blake2s_init_key(&state, out_size, key, key_size);
	else
		blake2s_init(&state, out_size);
	blake2s_update(&state, a, a_size);
	blake2s_update(&state, b, b_size);
	blake2s_final(&state, out);	/* wipes the state */
}

static u64 siphash_of_bytes(const u8 *key, const u8 *data, size_t size)
{
	const siphash_key_t words = { { get_unaligned_le64(key), get_unaligned_le64(key + 8) } };

	return siphash(data, size, &words);
}

const struct wg_primitives wg_kernel_primitives = {
	.blake2s = blake2s_of_two,
	.x25519 = curve25519,
	.x25519_public = curve25519_generate_public,
	.aead_seal = chacha20poly1305_encrypt,
	.aead_open = chacha20poly1305_decrypt,
	.xaead_seal = xchacha20poly1305_encrypt,
	.xaead_open = xchacha20poly1305_decrypt,
	.siphash = siphash_of_bytes,
};
