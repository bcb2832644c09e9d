// SPDX-License-Identifier: GPL-2.0
/* Noise_IKpsk2 as the WireGuard paper's §5.4 writes it, a second time and as plainly as possible: byte vectors, and a library's
 * primitives (noise_library.cpp). It shares no line with module/, so a mistake made alike in both of the module's roles shows against it.
 */
#pragma once
#include <string>
#include <vector>

namespace wg::test::reference {

using Octets = std::vector<unsigned char>;

/* The library's. */
Octets hash(const Octets &);
Octets mac(const Octets &key, const Octets &input);
Octets hmac(const Octets &key, const Octets &input);
Octets dh(const Octets &secret, const Octets &public_key);
Octets aead(const Octets &key, const Octets &plain, const Octets &aad);

/* The first @count outputs of KDF(key, input), 32 bytes each. */
std::vector<Octets> kdf(int count, const Octets &key, const Octets &input);
Octets public_of(const Octets &secret);
Octets mac1(const Octets &receiver_public, const Octets &message_before);

struct Initiation {
	Octets initiator_private, responder_public, ephemeral_private, timestamp;
	unsigned sender_index;
};

struct Response {
	Octets ephemeral_private, preshared_key, initiator_static_public, initiator_ephemeral_public;
	unsigned sender_index, receiver_index;
};

struct Session {
	Octets initiation;	/* 116 bytes: without macs */
	Octets response;	/* 60 bytes: without macs */
	Octets initiator_to_responder, responder_to_initiator;
};

/* The whole handshake, with both sides' ephemerals given. */
Session run(const Initiation &, const Response &);

} // namespace wg::test::reference
