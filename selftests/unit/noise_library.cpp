// SPDX-License-Identifier: GPL-2.0
/* The reference's primitives on the host: OpenSSL's, and libsodium's curve. Inside the kernel: selftests/kunit/support.cpp. */
#include "noise_reference.h"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

namespace wg::test::reference {

Octets hash(const Octets &input)
{
	Octets out(32);

	if (EVP_Digest(input.data(), input.size(), out.data(), nullptr, EVP_blake2s256(), nullptr) != 1)
		throw std::runtime_error("BLAKE2s");
	return out;
}

Octets mac(const Octets &key, const Octets &input)
{
	Octets out(16);
	size_t size = out.size(), written = 0;
	const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};

	if (!EVP_Q_mac(nullptr, "BLAKE2SMAC", nullptr, nullptr, parameters, key.data(), key.size(), input.data(), input.size(), out.data(),
		       out.size(), &written) ||
	    written != size)
		throw std::runtime_error("BLAKE2SMAC");
	return out;
}

Octets hmac(const Octets &key, const Octets &input)
{
	Octets out(32);
	unsigned size = 0;

	if (!HMAC(EVP_blake2s256(), key.data(), static_cast<int>(key.size()), input.data(), input.size(), out.data(), &size) || size != 32)
		throw std::runtime_error("HMAC");
	return out;
}

Octets dh(const Octets &secret, const Octets &public_key)
{
	Octets out(32);

	if (crypto_scalarmult_curve25519(out.data(), secret.data(), public_key.data()) != 0)
		throw std::runtime_error("X25519");
	return out;
}

Octets aead(const Octets &key, const Octets &plain, const Octets &aad)
{
	Octets out(plain.size() + 16), nonce(12);

	crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(), aad.data(), aad.size(), nullptr, nonce.data(),
						  key.data());
	return out;
}

} // namespace wg::test::reference
