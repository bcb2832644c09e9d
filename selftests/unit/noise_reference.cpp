// SPDX-License-Identifier: GPL-2.0
#include "noise_reference.h"

#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

namespace wg::test::reference {
namespace {

Octets operator+(Octets a, const Octets &b)
{
	a.insert(a.end(), b.begin(), b.end());
	return a;
}

Octets text(const std::string &s)
{
	return Octets(s.begin(), s.end());
}

Octets little_endian(unsigned value)
{
	return {static_cast<unsigned char>(value), static_cast<unsigned char>(value >> 8), static_cast<unsigned char>(value >> 16),
		static_cast<unsigned char>(value >> 24)};
}

} // namespace

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

std::vector<Octets> kdf(int count, const Octets &key, const Octets &input)
{
	Octets t0 = hmac(key, input), previous;
	std::vector<Octets> out;

	for (int i = 1; i <= count; i++) {
		previous = hmac(t0, previous + Octets{static_cast<unsigned char>(i)});
		out.push_back(previous);
	}
	return out;
}

Octets dh(const Octets &secret, const Octets &public_key)
{
	Octets out(32);

	if (crypto_scalarmult_curve25519(out.data(), secret.data(), public_key.data()) != 0)
		throw std::runtime_error("X25519");
	return out;
}

Octets public_of(const Octets &secret)
{
	Octets base(32);

	base[0] = 9;
	return dh(secret, base);
}

Octets aead(const Octets &key, const Octets &plain, const Octets &aad)
{
	Octets out(plain.size() + 16), nonce(12);

	crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(), aad.data(), aad.size(), nullptr, nonce.data(),
						  key.data());
	return out;
}

Octets mac1(const Octets &receiver_public, const Octets &message_before)
{
	return mac(hash(text("mac1----") + receiver_public), message_before);
}

Session run(const Initiation &i, const Response &r)
{
	Session out;
	Octets initiator_public = public_of(i.initiator_private);
	Octets ephemeral = public_of(i.ephemeral_private);

	/* §5.4.2 */
	Octets c = hash(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
	Octets h = hash(c + text("WireGuard v1 zx2c4 Jason@zx2c4.com"));
	h = hash(h + i.responder_public);
	c = kdf(1, c, ephemeral)[0];
	h = hash(h + ephemeral);

	std::vector<Octets> t = kdf(2, c, dh(i.ephemeral_private, i.responder_public));
	c = t[0];
	Octets encrypted_static = aead(t[1], initiator_public, h);
	h = hash(h + encrypted_static);

	t = kdf(2, c, dh(i.initiator_private, i.responder_public));
	c = t[0];
	Octets encrypted_timestamp = aead(t[1], i.timestamp, h);
	h = hash(h + encrypted_timestamp);
	out.initiation = little_endian(1) + little_endian(i.sender_index) + ephemeral + encrypted_static + encrypted_timestamp;

	/* §5.4.3 */
	Octets answer = public_of(r.ephemeral_private);
	c = kdf(1, c, answer)[0];
	h = hash(h + answer);
	c = kdf(1, c, dh(r.ephemeral_private, r.initiator_ephemeral_public))[0];
	c = kdf(1, c, dh(r.ephemeral_private, r.initiator_static_public))[0];
	t = kdf(3, c, r.preshared_key);
	c = t[0];
	h = hash(h + t[1]);
	Octets encrypted_nothing = aead(t[2], {}, h);
	out.response = little_endian(2) + little_endian(r.sender_index) + little_endian(r.receiver_index) + answer + encrypted_nothing;

	/* §5.4.5 */
	t = kdf(2, c, {});
	out.initiator_to_responder = t[0];
	out.responder_to_initiator = t[1];
	return out;
}

} // namespace wg::test::reference
