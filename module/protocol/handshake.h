// SPDX-License-Identifier: GPL-2.0
/* The handshake, Noise_IKpsk2, both roles, as functions over values. [WG §5.4.1-5.4.5]
 *
 * Called by:  engine/handshaker, on copies it took under the peer's lock; it commits what comes back and re-checks ("copy, compute, commit")
 * Context:    process; X25519 and AEAD run here; nothing is locked, no clock is read, no randomness drawn
 * Ownership:  the initiator keeps an InitiatorState between its message and the answer; the responder keeps nothing
 * Failures:   wipe the secrets of the handshake they end, and leave no message
 * MACs:       not here: protocol/cookie adds and checks them around these functions
 */
#pragma once
#include "protocol/identity.h"

namespace wg {

/* A handshake of ours that waits for its response. Secret: wiped when the response came, when a new one starts, and on key erasure. */
struct InitiatorState {
	crypto::ChainingKey chaining_key;
	crypto::Hash hash{};
	Secret<KEY_SIZE> ephemeral_private;
	SessionIndex sender_index;

	~InitiatorState() { wipe_bytes(&hash, sizeof(hash)); }
	void copy_from(const InitiatorState &);
	void wipe();
};

/* Both directions' transport keys, by our point of view. */
struct TransportKeys {
	Secret<KEY_SIZE> sending, receiving;
};

/* An initiation whose static key has been opened; what the responder carries from one step to the next. */
struct OpenedInitiation {
	crypto::ChainingKey chaining_key;
	crypto::Hash hash{};
	PublicKey remote_ephemeral{}, remote_static{};
	SessionIndex remote_index;

	~OpenedInitiation() { wipe_bytes(&hash, sizeof(hash)); }
};

/* Initiator. Fills @message (without MACs) and @state. @ephemeral: 32 fresh random bytes, unclamped.
 * Drop::NoIdentity, Drop::BadHandshake (no static-static secret or a zero DH): then nothing may be sent. [WG §5.4.2] */
Outcome<void> create_initiation(const Primitives &, const LocalIdentity &, const RemoteIdentity &, const Secret<KEY_SIZE> &ephemeral,
				const Tai64n &timestamp, SessionIndex sender_index, InitiatorState &state, InitiationMessage &message);

/* Responder, first step: who is it from? Drop::NoIdentity, Drop::BadHandshake. */
Outcome<void> open_initiation(const Primitives &, const LocalIdentity &, const InitiationMessage &, OpenedInitiation &opened);

/* Responder, second step, with the peer found by opened.remote_static: authenticates the timestamp. The caller then checks, under
 * its lock, that it is the newest (InitiationHistory). Drop::BadHandshake. */
Outcome<Tai64n> authenticate_initiation(const Primitives &, const RemoteIdentity &, const InitiationMessage &, OpenedInitiation &opened);

/* Responder, third step: fills @message (without MACs) and the keys, and wipes the secrets in @opened. Drop::BadHandshake. [WG §5.4.3] */
Outcome<void> create_response(const Primitives &, const RemoteIdentity &, OpenedInitiation &opened, const Secret<KEY_SIZE> &ephemeral,
			      SessionIndex sender_index, ResponseMessage &message, TransportKeys &keys);

/* Initiator, on the answer to @state. Drop::BadHandshake; @state is not changed: a forged response must not end a handshake. */
Outcome<void> consume_response(const Primitives &, const LocalIdentity &, const RemoteIdentity &, const InitiatorState &state,
			       const ResponseMessage &, TransportKeys &keys);

/* The whitened wall clock: nanoseconds rounded down to a multiple of 2^24. */
Tai64n tai64n(u64 unix_seconds, u32 nanoseconds);

/* A peer's accepted initiations: timestamps only grow, at most 50 a second. [WG §5.1] */
class InitiationHistory {
public:
	/* Drop::OldTimestamp, Drop::InitiationFlood; else records it. */
	Outcome<void> accept(const Tai64n &timestamp, Instant now);
	/* Has none been accepted after this one? */
	bool is_latest(const Tai64n &timestamp) const { return timestamp.label == latest_.label; }

private:
	Tai64n latest_{};
	Instant last_accepted_;
};

} // namespace wg
