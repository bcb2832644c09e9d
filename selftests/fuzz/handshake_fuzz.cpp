// SPDX-License-Identifier: GPL-2.0
/* An attacker's handshake messages and cookie replies, as far as they can get: raw, as changed copies of true ones, and made anew by someone
 * who knows all public keys, with the macs put right so that the code behind them is reached. Whatever differs from a true message in one
 * authenticated bit must be refused, and a refusal must leave no trace. */
#include <cstring>
#include <initializer_list>

#include "primitives.h"
#include "protocol/cookie.h"
#include "protocol/handshake.h"
#include "support.h"

using namespace wg;
using fuzz::Input;
using fuzz::require;
using test::primitives;

namespace {

constexpr Instant NOW = {seconds(1000).ns};
constexpr CookieSource SOURCE = {{192, 0, 2, 1, 0xca, 0x6c}, 6};

/* Two devices after a true exchange; made once, never changed. */
struct World {
	LocalIdentity initiator, responder;
	RemoteIdentity initiators_peer, responders_peer;
	InitiatorState state;
	InitiationMessage initiation;
	ResponseMessage response;
	CookieChecker checker;
	CookieMaker maker;
	CookieReplyMessage reply;

	World()
	{
		u8 key[32];
		Secret<32> ephemeral;
		OpenedInitiation opened;
		TransportKeys keys;
		Bytes<24> nonce = {1, 2, 3};

		initiator.set_private_key(primitives(), fill(key, 1));
		responder.set_private_key(primitives(), fill(key, 2));
		initiators_peer.set_public_key(primitives(), responder.static_public());
		responders_peer.set_public_key(primitives(), initiator.static_public());
		initiators_peer.precompute(primitives(), initiator);
		responders_peer.precompute(primitives(), responder);
		initiators_peer.set_preshared_key(fill(key, 3));
		responders_peer.set_preshared_key(key);
		ephemeral.copy_from(fill(key, 4));
		require(static_cast<bool>(create_initiation(primitives(), initiator, initiators_peer, ephemeral, tai64n(1000, 0), SessionIndex(77), state,
							    initiation)),
			"world: initiation");
		ephemeral.copy_from(fill(key, 5));
		require(open_initiation(primitives(), responder, initiation, opened) &&
				authenticate_initiation(primitives(), responders_peer, initiation, opened) &&
				create_response(primitives(), responders_peer, opened, ephemeral, SessionIndex(88), response, keys),
			"world: response");
		ephemeral.copy_from(fill(key, 6));
		checker.refresh(ephemeral, NOW);
		maker.add_macs(primitives(), initiators_peer.cookie_keys(), span(initiation), NOW);
		checker.create_reply(primitives(), responder.cookie_keys(), initiation.macs.mac1, SessionIndex(77), SOURCE, nonce, reply);
	}
	static const u8 *fill(u8 *key, u8 value)
	{
		memset(key, value, 32);
		return key;
	}
	template <typename Message> static ByteSpan span(Message &message) { return {reinterpret_cast<u8 *>(&message), sizeof(message)}; }
};

const World &world()
{
	static const World it;

	return it;
}

/* Writes the input's (offset, value) pairs over @message. */
template <typename Message> void change(Message &message, Input &input)
{
	for (u32 changes = input.byte() % 8; changes > 0; changes--)
		reinterpret_cast<u8 *>(&message)[input.below(sizeof(message))] = input.byte();
}

template <typename Message> bool same_part(const Message &a, const Message &b, usize from, usize to)
{
	return same_bytes(reinterpret_cast<const u8 *>(&a) + from, reinterpret_cast<const u8 *>(&b) + from, to - from);
}

void low_order_or_input(PublicKey &key, Input &input)
{
	static const u8 ORDER_8[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
				       0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
	u8 kind = input.byte() % 4;

	if (kind == 0)
		input.fill(key.data(), 32);
	else if (kind == 1)
		key.clear();
	else
		copy_bytes(key.data(), ORDER_8, 32);
	if (kind == 3)
		key.at[31] |= 0x80;
}

/* The responder's way with a message, as the engine goes it. True when it ends in an authenticated timestamp. */
bool respond_to(ConstByteSpan bytes, Input &input)
{
	const World &w = world();
	auto message = parse<InitiationMessage>(bytes);
	OpenedInitiation opened;

	if (!message || w.checker.check(primitives(), w.responder.cookie_keys(), bytes, SOURCE, NOW) == MacVerdict::Bad)
		return false;
	if (!open_initiation(primitives(), w.responder, *message, opened)) {
		require(opened.chaining_key.is_zero_constant_time() && opened.hash.is_zero(), "a refused initiation left secrets");
		return false;
	}
	/* As if the peer table knew only the one peer, whatever key was claimed. */
	if (!authenticate_initiation(primitives(), w.responders_peer, *message, opened))
		return false;

	Secret<32> ephemeral;
	ResponseMessage response;
	TransportKeys keys;

	input.fill(ephemeral.expose(), 32);
	require(static_cast<bool>(create_response(primitives(), w.responders_peer, opened, ephemeral, SessionIndex(9), response, keys)), "response");
	require(opened.chaining_key.is_zero_constant_time() && opened.hash.is_zero(), "a finished handshake left secrets");
	return true;
}

void changed_initiation(Input &input)
{
	const World &w = world();
	InitiationMessage message = w.initiation;
	CookieMaker maker;
	bool macs_again = input.byte() & 1, accepted, whole;

	change(message, input);
	if (macs_again)
		maker.add_macs(primitives(), w.initiators_peer.cookie_keys(), World::span(message), NOW);
	accepted = respond_to({reinterpret_cast<const u8 *>(&message), sizeof(message)}, input);
	whole = same_part(message, w.initiation, macs_again ? 8 : 0, macs_again ? 116 : 132) && message.type.get() == 1;
	require(accepted == whole, "a changed initiation was accepted, or a true one refused");
}

/* By one who knows both public keys and no private one: everything up to the encrypted static can be made right. */
void forged_initiation(Input &input)
{
	const World &w = world();
	InitiationMessage message = {};
	Secret<32> secret, shared;
	crypto::ChainingKey chaining_key;
	crypto::SymmetricKey key;
	crypto::Hash hash;
	CookieMaker maker;
	const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";
	auto text = [](const char *s) { return ConstByteSpan(reinterpret_cast<const u8 *>(s), strlen(s)); };

	input.fill(secret.expose(), 32);
	message.type = 1;
	primitives().x25519_public(message.ephemeral.data(), secret.expose());
	crypto::hash(primitives(), hash, text(construction), {});
	chaining_key.copy_from(hash.data());
	crypto::hash(primitives(), hash, hash.span(), text(identifier));
	crypto::hash(primitives(), hash, hash.span(), w.responder.static_public().span());
	crypto::kdf1(primitives(), chaining_key, message.ephemeral.span(), chaining_key);
	crypto::hash(primitives(), hash, hash.span(), message.ephemeral.span());
	require(primitives().x25519(shared.expose(), secret.expose(), w.responder.static_public().data()), "forger's es");
	crypto::kdf2(primitives(), chaining_key, shared.expose_span(), chaining_key, key);

	PublicKey claimed = w.initiator.static_public();

	if (input.byte() & 1)
		low_order_or_input(claimed, input);
	primitives().aead_seal(message.encrypted_static.data(), claimed.data(), 32, hash.data(), 32, 0, key.expose());
	input.fill(message.encrypted_timestamp.data(), sizeof(message.encrypted_timestamp));
	maker.add_macs(primitives(), w.initiators_peer.cookie_keys(), World::span(message), NOW);

	OpenedInitiation opened;

	require(static_cast<bool>(open_initiation(primitives(), w.responder, message, opened)), "the forger's static is not read");
	require(opened.remote_static == claimed, "another static than the forger's");
	require(!authenticate_initiation(primitives(), w.responders_peer, message, opened), "a forged initiation was accepted");
}

void raw_initiation(Input &input)
{
	require(!respond_to(input.rest(), input), "raw bytes were accepted");
}

void low_order_initiation(Input &input)
{
	const World &w = world();
	InitiationMessage message = w.initiation;
	CookieMaker maker;

	low_order_or_input(message.ephemeral, input);
	if (message.ephemeral == w.initiation.ephemeral)
		return;		/* the fuzzer sees what is compared, and so finds the true one in time */
	maker.add_macs(primitives(), w.initiators_peer.cookie_keys(), World::span(message), NOW);
	require(!respond_to({reinterpret_cast<const u8 *>(&message), sizeof(message)}, input), "a strange ephemeral was accepted");
}

void changed_response(Input &input)
{
	const World &w = world();
	ResponseMessage message = w.response;
	InitiatorState state;
	TransportKeys keys;

	state.copy_from(w.state);
	change(message, input);
	if (input.byte() & 1)
		low_order_or_input(message.ephemeral, input);

	bool accepted = static_cast<bool>(consume_response(primitives(), w.initiator, w.initiators_peer, state, message, keys));

	require(accepted == same_part(message, w.response, 12, 60), "a changed response was accepted, or the true one refused");
	require(accepted == !keys.sending.is_zero_constant_time(), "keys without a response");
	require(state.chaining_key.equals_constant_time(w.state.chaining_key) && state.hash == w.state.hash &&
			state.ephemeral_private.equals_constant_time(w.state.ephemeral_private),
		"a response changed the state");
}

void changed_cookie_reply(Input &input)
{
	const World &w = world();
	CookieReplyMessage reply = w.reply;
	InitiationMessage message = w.initiation;
	CookieMaker maker;

	maker.add_macs(primitives(), w.initiators_peer.cookie_keys(), World::span(message), NOW);
	change(reply, input);

	bool accepted = static_cast<bool>(maker.consume_reply(primitives(), w.initiators_peer.cookie_keys(), reply, NOW));

	require(accepted == same_part(reply, w.reply, 8, sizeof(reply)), "a changed cookie reply was accepted, or the true one refused");
	require(!maker.consume_reply(primitives(), w.initiators_peer.cookie_keys(), w.reply, NOW) == accepted, "accepted twice, or the true one lost");
	maker.add_macs(primitives(), w.initiators_peer.cookie_keys(), World::span(message), NOW);
	require(w.checker.check(primitives(), w.responder.cookie_keys(), World::span(message), SOURCE, NOW) == MacVerdict::Mac1AndMac2Valid,
		"a true cookie does not count");
}

void any_macs(Input &input)
{
	const World &w = world();
	CookieSource source = {{}, static_cast<u8>(input.byte() & 1 ? 6 : 18)};

	input.fill(source.bytes, source.size);
	require(w.checker.check(primitives(), w.responder.cookie_keys(), input.rest(), source, NOW) == MacVerdict::Bad, "a guessed mac1");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
	Input input(data, size);

	switch (input.byte() % 7) {
	case 0: raw_initiation(input); break;
	case 1: changed_initiation(input); break;
	case 2: forged_initiation(input); break;
	case 3: low_order_initiation(input); break;
	case 4: changed_response(input); break;
	case 5: changed_cookie_reply(input); break;
	case 6: any_macs(input); break;
	}
	return 0;
}
