// SPDX-License-Identifier: GPL-2.0
#include "primitives.h"

#include <cstdlib>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>

namespace wg::test {
namespace {

void require(bool condition)
{
	if (!condition)
		std::abort();
}

/* Fetching an algorithm costs OpenSSL more than a short hash: so once per thread. */
struct Blake2s {
	EVP_MD *digest = EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_MAC *keyed = EVP_MAC_fetch(nullptr, "BLAKE2SMAC", nullptr);
	EVP_MAC_CTX *keyed_context = EVP_MAC_CTX_new(keyed);

	~Blake2s()
	{
		EVP_MAC_CTX_free(keyed_context);
		EVP_MAC_free(keyed);
		EVP_MD_CTX_free(context);
		EVP_MD_free(digest);
	}
	void hash(u8 *out, const u8 *a, usize a_size, const u8 *b, usize b_size)
	{
		require(EVP_DigestInit_ex(context, digest, nullptr) == 1);
		require(EVP_DigestUpdate(context, a, a_size) == 1);
		require(EVP_DigestUpdate(context, b, b_size) == 1);
		require(EVP_DigestFinal_ex(context, out, nullptr) == 1);
	}
	void mac(u8 *out, usize out_size, const u8 *key, usize key_size, const u8 *a, usize a_size, const u8 *b, usize b_size)
	{
		size_t size = out_size, written = 0;
		const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};

		require(EVP_MAC_init(keyed_context, key, key_size, parameters) == 1);
		require(EVP_MAC_update(keyed_context, a, a_size) == 1);
		require(EVP_MAC_update(keyed_context, b, b_size) == 1);
		require(EVP_MAC_final(keyed_context, out, &written, out_size) == 1 && written == out_size);
	}
};

void blake2s(u8 *out, usize out_size, const u8 *key, usize key_size, const u8 *a, usize a_size, const u8 *b, usize b_size)
{
	thread_local Blake2s state;

	require(out_size == 16 || out_size == 32);
	if (key_size > 0) {
		state.mac(out, out_size, key, key_size, a, a_size, b, b_size);
		return;
	}
	/* OpenSSL offers no unkeyed BLAKE2s of another size, and the protocol has none. */
	require(out_size == 32);
	state.hash(out, a, a_size, b, b_size);
}

bool x25519(u8 *shared, const u8 *secret, const u8 *public_key)
{
	return crypto_scalarmult_curve25519(shared, secret, public_key) == 0;
}

bool x25519_public(u8 *public_key, const u8 *secret)
{
	return crypto_scalarmult_curve25519_base(public_key, secret) == 0;
}

struct CounterNonce {
	u8 bytes[12] = {};
	explicit CounterNonce(u64 counter)
	{
		for (int i = 0; i < 8; i++)
			bytes[4 + i] = static_cast<u8>(counter >> (8 * i));
	}
};

void aead_seal(u8 *sealed, const u8 *plain, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(sealed, nullptr, plain, size, aad, aad_size, nullptr, CounterNonce(counter).bytes, key);
}

bool aead_open(u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key)
{
	return crypto_aead_chacha20poly1305_ietf_decrypt(plain, nullptr, nullptr, sealed, size, aad, aad_size, CounterNonce(counter).bytes, key) == 0;
}

void xaead_seal(u8 *sealed, const u8 *plain, usize size, const u8 *aad, usize aad_size, const u8 *nonce, const u8 *key)
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, nullptr, plain, size, aad, aad_size, nullptr, nonce, key);
}

bool xaead_open(u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, const u8 *nonce, const u8 *key)
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, nullptr, nullptr, sealed, size, aad, aad_size, nonce, key) == 0;
}

u64 siphash(const u8 *key, const u8 *data, usize size)
{
	u8 out[crypto_shorthash_siphash24_BYTES];
	u64 value = 0;

	crypto_shorthash_siphash24(out, data, size, key);
	for (int i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	return value;
}

} // namespace

const crypto::Primitives &primitives()
{
	static const crypto::Primitives table = [] {
		/* Lets libsodium choose the fastest code for this CPU. */
		require(sodium_init() >= 0);
		return crypto::Primitives{blake2s, x25519, x25519_public, aead_seal, aead_open, xaead_seal, xaead_open, siphash};
	}();

	return table;
}

} // namespace wg::test
