// SPDX-License-Identifier: GPL-2.0
#include "protocol/handshake.h"

namespace wg {
namespace {

using crypto::ChainingKey;
using crypto::Hash;
using crypto::SymmetricKey;

/* HASH("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"), and HASH(that ‖ "WireGuard v1 zx2c4 Jason@zx2c4.com"). Written down, for they would
 * cost two hashes in every handshake of a flood; handshake_test derives them from the words. */
constexpr u8 INITIAL_CHAINING_KEY[HASH_SIZE] = {
	0x60, 0xe2, 0x6d, 0xae, 0xf3, 0x27, 0xef, 0xc0, 0x2e, 0xc3, 0x35, 0xe2, 0xa0, 0x25, 0xd2, 0xd0,
	0x16, 0xeb, 0x42, 0x06, 0xf8, 0x72, 0x77, 0xf5, 0x2d, 0x38, 0xd1, 0x98, 0x8b, 0x78, 0xcd, 0x36,
};
constexpr u8 INITIAL_HASH[HASH_SIZE] = {
	0x22, 0x11, 0xb3, 0x61, 0x08, 0x1a, 0xc5, 0x66, 0x69, 0x12, 0x43, 0xdb, 0x45, 0x8a, 0xd5, 0x32,
	0x2d, 0x9c, 0x6c, 0x66, 0x22, 0x93, 0xe8, 0xb7, 0x0e, 0xe1, 0x9c, 0x65, 0xba, 0x07, 0x9e, 0xf3,
};

/* Noise's symmetric state over its owner's chaining key and hash; the AEAD key lives here and dies with it, and so do those two unless
 * they are kept for a further step. */
class Transcript {
public:
	Transcript(const Primitives &primitives, ChainingKey &chaining_key, Hash &hash)
		: primitives_(primitives), chaining_key_(chaining_key), hash_(hash)
	{
	}
	~Transcript()
	{
		if (kept_)
			return;
		chaining_key_.wipe();
		wipe_bytes(&hash_, sizeof(hash_));
	}
	void keep() { kept_ = true; }
	void start(const PublicKey &responder_static)
	{
		chaining_key_.copy_from(INITIAL_CHAINING_KEY);
		copy_bytes(hash_.data(), INITIAL_HASH, HASH_SIZE);
		mix_hash(responder_static.span());
	}
	void mix_hash(ConstByteSpan data) { crypto::hash(primitives_, hash_, hash_.span(), data); }
	/* Token e: in a handshake with a preshared key the ephemeral goes into the chaining key too. */
	void mix_ephemeral(const PublicKey &ephemeral)
	{
		crypto::kdf1(primitives_, chaining_key_, ephemeral.span(), chaining_key_);
		mix_hash(ephemeral.span());
	}
	/* Tokens es, ss, ee, se: a DH result, and from it the key of what is sealed next. */
	void mix_shared(const Secret<KEY_SIZE> &shared)
	{
		crypto::kdf2(primitives_, chaining_key_, shared.expose_span(), chaining_key_, key_);
	}
	/* False when the DH is zero, as it is with a low-order point: then there is no handshake. */
	[[nodiscard]] bool mix_dh(const Secret<KEY_SIZE> &secret, const PublicKey &public_key)
	{
		Secret<KEY_SIZE> shared;

		if (!primitives_.x25519(shared.expose(), secret.expose(), public_key.data()))
			return false;
		mix_shared(shared);
		return true;
	}
	/* Token psk */
	void mix_preshared_key(const Secret<KEY_SIZE> &preshared_key)
	{
		Secret<HASH_SIZE> tau;

		crypto::kdf3(primitives_, chaining_key_, preshared_key.expose_span(), chaining_key_, tau, key_);
		mix_hash(tau.expose_span());
	}
	/* @sealed: 16 bytes more than @plain. */
	void seal(ByteSpan sealed, ConstByteSpan plain)
	{
		primitives_.aead_seal(sealed.data(), plain.data(), plain.size(), hash_.data(), HASH_SIZE, 0, key_.expose());
		mix_hash(sealed);
	}
	/* @plain: 16 bytes less than @sealed. */
	[[nodiscard]] bool open(u8 *plain, ConstByteSpan sealed)
	{
		if (!primitives_.aead_open(plain, sealed.data(), sealed.size(), hash_.data(), HASH_SIZE, 0, key_.expose()))
			return false;
		mix_hash(sealed);
		return true;
	}
	void split(Secret<KEY_SIZE> &initiator_to_responder, Secret<KEY_SIZE> &responder_to_initiator)
	{
		crypto::kdf2(primitives_, chaining_key_, {}, initiator_to_responder, responder_to_initiator);
	}

private:
	const Primitives &primitives_;
	ChainingKey &chaining_key_;
	Hash &hash_;
	SymmetricKey key_;
	bool kept_ = false;
};

} // namespace

/* [WG §5.4.2]; with open_initiation() and authenticate_initiation(): the same tokens in the same order. */
Outcome<void> create_initiation(const Primitives &primitives, const LocalIdentity &local, const RemoteIdentity &remote,
				const Secret<KEY_SIZE> &ephemeral, const Tai64n &timestamp, SessionIndex sender_index, InitiatorState &state,
				InitiationMessage &message)
{
	Transcript transcript(primitives, state.chaining_key, state.hash);
	Secret<KEY_SIZE> ephemeral_private;
	InitiationMessage draft{};

	message = {};
	state.wipe();
	if (!local.is_present())
		return Drop::NoIdentity;
	if (!remote.has_static_static())
		return Drop::BadHandshake;
	ephemeral_private.copy_from(ephemeral);
	clamp_private_key(ephemeral_private);
	draft.type = static_cast<u32>(MessageType::Initiation);
	draft.sender_index = sender_index.value();
	transcript.start(remote.static_public());
	if (!primitives.x25519_public(draft.ephemeral.data(), ephemeral_private.expose()))
		return Drop::BadHandshake;
	transcript.mix_ephemeral(draft.ephemeral);				// e
	if (!transcript.mix_dh(ephemeral_private, remote.static_public()))	// es
		return Drop::BadHandshake;
	transcript.seal(draft.encrypted_static.span(), local.static_public().span());	// s
	transcript.mix_shared(remote.static_static());				// ss
	transcript.seal(draft.encrypted_timestamp.span(), timestamp.label.span());
	transcript.keep();
	state.ephemeral_private.copy_from(ephemeral_private);
	state.sender_index = sender_index;
	message = draft;
	return Outcome<void>::success();
}

Outcome<void> open_initiation(const Primitives &primitives, const LocalIdentity &local, const InitiationMessage &message, OpenedInitiation &opened)
{
	Transcript transcript(primitives, opened.chaining_key, opened.hash);

	if (!local.is_present())
		return Drop::NoIdentity;
	opened.remote_index = SessionIndex(message.sender_index.get());
	opened.remote_ephemeral = message.ephemeral;
	opened.remote_static.clear();
	transcript.start(local.static_public());
	transcript.mix_ephemeral(message.ephemeral);				// e
	if (!transcript.mix_dh(local.static_private(), message.ephemeral))	// es
		return Drop::BadHandshake;
	if (!transcript.open(opened.remote_static.data(), message.encrypted_static.span())) {	// s
		opened.remote_static.clear();
		return Drop::BadHandshake;
	}
	transcript.keep();
	return Outcome<void>::success();
}

Outcome<Tai64n> authenticate_initiation(const Primitives &primitives, const RemoteIdentity &remote, const InitiationMessage &message,
					OpenedInitiation &opened)
{
	Transcript transcript(primitives, opened.chaining_key, opened.hash);
	Tai64n timestamp;

	if (!remote.has_static_static())
		return Drop::BadHandshake;
	transcript.mix_shared(remote.static_static());				// ss
	if (!transcript.open(timestamp.label.data(), message.encrypted_timestamp.span()))
		return Drop::BadHandshake;
	transcript.keep();
	return timestamp;
}

/* [WG §5.4.3]; with consume_response(). */
Outcome<void> create_response(const Primitives &primitives, const RemoteIdentity &remote, OpenedInitiation &opened,
			      const Secret<KEY_SIZE> &ephemeral, SessionIndex sender_index, ResponseMessage &message, TransportKeys &keys)
{
	Transcript transcript(primitives, opened.chaining_key, opened.hash);
	Secret<KEY_SIZE> ephemeral_private;
	ResponseMessage draft{};

	message = {};
	ephemeral_private.copy_from(ephemeral);
	clamp_private_key(ephemeral_private);
	draft.type = static_cast<u32>(MessageType::Response);
	draft.sender_index = sender_index.value();
	draft.receiver_index = opened.remote_index.value();
	if (!primitives.x25519_public(draft.ephemeral.data(), ephemeral_private.expose()))
		return Drop::BadHandshake;
	transcript.mix_ephemeral(draft.ephemeral);				// e
	if (!transcript.mix_dh(ephemeral_private, opened.remote_ephemeral))	// ee
		return Drop::BadHandshake;
	if (!transcript.mix_dh(ephemeral_private, opened.remote_static))	// se
		return Drop::BadHandshake;
	transcript.mix_preshared_key(remote.preshared_key());			// psk
	transcript.seal(draft.encrypted_nothing.span(), {});
	transcript.split(keys.receiving, keys.sending);
	message = draft;
	return Outcome<void>::success();
}

Outcome<void> consume_response(const Primitives &primitives, const LocalIdentity &local, const RemoteIdentity &remote,
			       const InitiatorState &state, const ResponseMessage &message, TransportKeys &keys)
{
	InitiatorState progress;
	Transcript transcript(primitives, progress.chaining_key, progress.hash);
	u8 nothing;	/* where an opened plain of no bytes goes */

	if (!local.is_present())
		return Drop::BadHandshake;
	progress.copy_from(state);
	transcript.mix_ephemeral(message.ephemeral);				// e
	if (!transcript.mix_dh(progress.ephemeral_private, message.ephemeral))	// ee
		return Drop::BadHandshake;
	if (!transcript.mix_dh(local.static_private(), message.ephemeral))	// se
		return Drop::BadHandshake;
	transcript.mix_preshared_key(remote.preshared_key());			// psk
	if (!transcript.open(&nothing, message.encrypted_nothing.span()))
		return Drop::BadHandshake;
	transcript.split(keys.sending, keys.receiving);
	return Outcome<void>::success();
}

void InitiatorState::copy_from(const InitiatorState &other)
{
	chaining_key.copy_from(other.chaining_key);
	hash = other.hash;
	ephemeral_private.copy_from(other.ephemeral_private);
	sender_index = other.sender_index;
}

void InitiatorState::wipe()
{
	chaining_key.wipe();
	wipe_bytes(&hash, sizeof(hash));
	ephemeral_private.wipe();
	sender_index = {};
}

Tai64n tai64n(u64 unix_seconds, u32 nanoseconds)
{
	/* TAI64 labels start at 2^62 for 1970 TAI, which is ten seconds before 1970 UTC. */
	BigEndian<u64> seconds_label = (1ull << 62) + 10 + unix_seconds;
	BigEndian<u32> nanoseconds_label = nanoseconds & ~((1u << 24) - 1);
	Tai64n timestamp;

	copy_bytes(timestamp.label.at, &seconds_label, sizeof(seconds_label));
	copy_bytes(timestamp.label.at + sizeof(seconds_label), &nanoseconds_label, sizeof(nanoseconds_label));
	return timestamp;
}

Outcome<void> InitiationHistory::accept(const Tai64n &timestamp, Instant now)
{
	Duration interval = {seconds(1).ns / INITIATIONS_PER_SECOND};

	if (!(latest_.label < timestamp.label))
		return Drop::OldTimestamp;
	if (!last_accepted_.is_never() && now - last_accepted_ < interval)
		return Drop::InitiationFlood;
	latest_ = timestamp;
	last_accepted_ = now;
	return Outcome<void>::success();
}

} // namespace wg
