// SPDX-License-Identifier: GPL-2.0
#include <cstring>

#include "noise_reference.h"
#include "protocol/handshake_self_test.h"
#include "support.h"

namespace wg {
namespace {

using test::ByteVector;
using test::clamped;
using test::primitives;
using test::vector_of;
namespace reference = test::reference;

ByteVector counted(u8 first)
{
	ByteVector bytes(32);

	for (usize i = 0; i < 32; i++)
		bytes[i] = static_cast<u8>(first + i);
	return bytes;
}

TEST(HandshakeSelfTest, the_known_answer_is_the_references)
{
	HandshakeSelfTest self_test;
	const ByteVector initiator = clamped(counted(0)), responder = clamped(counted(0x20)), ephemeral = clamped(counted(0x60));
	const ByteVector epoch = vector_of(tai64n(0, 0).label);
	const reference::Session expected = reference::run({initiator, reference::public_of(responder), ephemeral, epoch, 1},
							   {clamped(counted(0x80)), counted(0x40), reference::public_of(initiator), reference::public_of(ephemeral), 2, 1});

	EXPECT_TRUE(self_test.passes(primitives()));
	const HandshakeSelfTest::Transcript &transcript = self_test.transcript();
	EXPECT_EQ(vector_of(&transcript.initiation, expected.initiation.size()), expected.initiation);
	EXPECT_EQ(vector_of(&transcript.response, expected.response.size()), expected.response);
	EXPECT_EQ(vector_of(transcript.to_responder, 32), expected.initiator_to_responder);
	EXPECT_EQ(vector_of(transcript.to_initiator, 32), expected.responder_to_initiator);
}

/* Each does what the library does, but for a bit of its result. */
bool wrong_x25519(u8 *shared, const u8 *secret, const u8 *public_key)
{
	bool done = primitives().x25519(shared, secret, public_key);

	shared[31] ^= 0x40;
	return done;
}

bool wrong_x25519_public(u8 *public_key, const u8 *secret)
{
	bool done = primitives().x25519_public(public_key, secret);

	public_key[0] ^= 1;
	return done;
}

void wrong_blake2s(u8 *out, usize out_size, const u8 *key, usize key_size, const u8 *a, usize a_size, const u8 *b, usize b_size)
{
	primitives().blake2s(out, out_size, key, key_size, a, a_size, b, b_size);
	out[out_size - 1] ^= 0x80;
}

void wrong_aead_seal(u8 *sealed, const u8 *plain, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key)
{
	primitives().aead_seal(sealed, plain, size, aad, aad_size, counter, key);
	sealed[size] ^= 1;
}

bool wrong_aead_open(u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key)
{
	bool done = primitives().aead_open(plain, sealed, size, aad, aad_size, counter, key);

	plain[0] ^= 1;
	return done;
}

TEST(HandshakeSelfTest, a_primitive_that_is_wrong_in_one_bit_fails_it)
{
	const crypto::Primitives right = primitives();
	crypto::Primitives tables[5] = {right, right, right, right, right};

	tables[0].x25519 = wrong_x25519;
	tables[1].x25519_public = wrong_x25519_public;
	tables[2].blake2s = wrong_blake2s;
	tables[3].aead_seal = wrong_aead_seal;
	tables[4].aead_open = wrong_aead_open;
	for (const crypto::Primitives &table : tables) {
		HandshakeSelfTest self_test;

		EXPECT_FALSE(self_test.passes(table)) << &table - tables;
	}
}

} // namespace
} // namespace wg
