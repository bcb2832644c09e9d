// SPDX-License-Identifier: GPL-2.0
#include "noise_reference.h"

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

Octets public_of(const Octets &secret)
{
	Octets base(32);

	base[0] = 9;
	return dh(secret, base);
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
