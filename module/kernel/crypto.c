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
#endif
#include "compat.h"
#include "objects.h"
#include "services.h"

static u8 __percpu *scratch;

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

#ifdef CONFIG_X86_64
uint32_t wg_kernel_cpu_features(void)
{
	const u64 ymm = XFEATURE_MASK_SSE | XFEATURE_MASK_YMM;
	u32 features = 0;

	if (boot_cpu_has(X86_FEATURE_AVX2) && wg_compat_cpu_saves(ymm))
		features |= WG_CPU_AVX2;
	if (boot_cpu_has(X86_FEATURE_AVX512F) && boot_cpu_has(X86_FEATURE_AVX512VL) && boot_cpu_has(X86_FEATURE_AVX512IFMA) &&
	    wg_compat_cpu_saves(ymm | XFEATURE_MASK_AVX512))
		features |= WG_CPU_AVX512;
	return features;
}

int wg_kernel_fpu_begin(void)
{
	if (!irq_fpu_usable())
		return 0;
	kernel_fpu_begin();
	return 1;
}

void wg_kernel_fpu_end(void)
{
	kernel_fpu_end();
}
#else
uint32_t wg_kernel_cpu_features(void)
{
	return 0;
}

int wg_kernel_fpu_begin(void)
{
	return 0;
}

void wg_kernel_fpu_end(void)
{
}
#endif

void wg_kernel_blake2s(uint8_t *out, size_t out_size, const uint8_t *key, size_t key_size, const uint8_t *a, size_t a_size,
		       const uint8_t *b, size_t b_size)
{
	struct blake2s_state state;

	if (key_size)
		blake2s_init_key(&state, out_size, key, key_size);
	else
		blake2s_init(&state, out_size);
	blake2s_update(&state, a, a_size);
	blake2s_update(&state, b, b_size);
	blake2s_final(&state, out);	/* wipes the state */
}

bool wg_kernel_x25519(uint8_t *shared, const uint8_t *secret, const uint8_t *public_key)
{
	return curve25519(shared, secret, public_key);
}

bool wg_kernel_x25519_public(uint8_t *public_key, const uint8_t *secret)
{
	return curve25519_generate_public(public_key, secret);
}

void wg_kernel_aead_seal(uint8_t *sealed, const uint8_t *plain, size_t size, const uint8_t *aad, size_t aad_size, uint64_t counter,
			 const uint8_t *key)
{
	chacha20poly1305_encrypt(sealed, plain, size, aad, aad_size, counter, key);
}

bool wg_kernel_aead_open(uint8_t *plain, const uint8_t *sealed, size_t size, const uint8_t *aad, size_t aad_size, uint64_t counter,
			 const uint8_t *key)
{
	return chacha20poly1305_decrypt(plain, sealed, size, aad, aad_size, counter, key);
}

void wg_kernel_xaead_seal(uint8_t *sealed, const uint8_t *plain, size_t size, const uint8_t *aad, size_t aad_size, const uint8_t *nonce,
			  const uint8_t *key)
{
	xchacha20poly1305_encrypt(sealed, plain, size, aad, aad_size, nonce, key);
}

bool wg_kernel_xaead_open(uint8_t *plain, const uint8_t *sealed, size_t size, const uint8_t *aad, size_t aad_size, const uint8_t *nonce,
			  const uint8_t *key)
{
	return xchacha20poly1305_decrypt(plain, sealed, size, aad, aad_size, nonce, key);
}

uint64_t wg_kernel_siphash(const uint8_t *key, const uint8_t *data, size_t size)
{
	const siphash_key_t words = { { get_unaligned_le64(key), get_unaligned_le64(key + 8) } };

	return siphash(data, size, &words);
}
