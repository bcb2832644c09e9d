// SPDX-License-Identifier: GPL-2.0
#include "protocol/handshake_self_test.h"

namespace wg {
namespace {

/* HASH of the transcript of a handshake between keys of the bytes below. */
constexpr u8 ANSWER[HASH_SIZE] = {
	0x67, 0x0d, 0x40, 0x66, 0x24, 0x58, 0xae, 0x0e, 0x3e, 0x36, 0x33, 0x51, 0x4c, 0x5a, 0x5a, 0x2e,
	0xa2, 0xab, 0x75, 0xb5, 0xc1, 0xa1, 0x5b, 0x04, 0xdc, 0x3d, 0xe1, 0xdf, 0xd6, 0x40, 0x26, 0x0d,
};

/* 32 bytes that count up from @first. */
void count(Secret<KEY_SIZE> &key, u8 first)
{
	for (usize i = 0; i < KEY_SIZE; i++)
		key.expose()[i] = static_cast<u8>(first + i);
}

} // namespace

bool HandshakeSelfTest::passes(const Primitives &primitives)
{
	Secret<KEY_SIZE> key;
	crypto::Hash answer;

	count(key, 0x00);
	initiator_.set_private_key(primitives, key.expose());
	count(key, 0x20);
	responder_.set_private_key(primitives, key.expose());
	initiators_peer_.set_public_key(primitives, responder_.static_public());
	responders_peer_.set_public_key(primitives, initiator_.static_public());
	initiators_peer_.precompute(primitives, initiator_);
	responders_peer_.precompute(primitives, responder_);
	count(key, 0x40);
	initiators_peer_.set_preshared_key(key.expose());
	responders_peer_.set_preshared_key(key.expose());

	count(key, 0x60);
	if (!create_initiation(primitives, initiator_, initiators_peer_, key, tai64n(0, 0), SessionIndex(1), state_, transcript_.initiation) ||
	    !open_initiation(primitives, responder_, transcript_.initiation, opened_) || !(opened_.remote_static == initiator_.static_public()) ||
	    !authenticate_initiation(primitives, responders_peer_, transcript_.initiation, opened_))
		return false;
	count(key, 0x80);
	if (!create_response(primitives, responders_peer_, opened_, key, SessionIndex(2), transcript_.response, responders_keys_) ||
	    !consume_response(primitives, initiator_, initiators_peer_, state_, transcript_.response, initiators_keys_) ||
	    !initiators_keys_.sending.equals_constant_time(responders_keys_.receiving) ||
	    !initiators_keys_.receiving.equals_constant_time(responders_keys_.sending))
		return false;
	copy_bytes(transcript_.to_responder, initiators_keys_.sending.expose(), KEY_SIZE);
	copy_bytes(transcript_.to_initiator, initiators_keys_.receiving.expose(), KEY_SIZE);
	crypto::hash(primitives, answer, {reinterpret_cast<const u8 *>(&transcript_), sizeof(transcript_)}, {});
	return same_bytes(answer.data(), ANSWER, HASH_SIZE);
}

} // namespace wg
