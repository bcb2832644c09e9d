// SPDX-License-Identifier: GPL-2.0
/* Handshake self-test: a whole handshake with fixed keys, both roles, whose messages and keys are known. [WG §5.4.1-5.4.5]
 *
 * Called by:  module load, with the kernel's crypto library; the unit tests, which derive the answer from a second implementation
 * Context:    process; twelve X25519
 * Memory:     too large for a stack: the caller makes it, and frees it
 */
#pragma once
#include "protocol/handshake.h"

namespace wg {

class HandshakeSelfTest {
public:
	/* Do @primitives lead to the known answer? */
	[[nodiscard]] bool passes(const Primitives &primitives);

	/* What the answer is of: both messages, and the keys of both directions. */
	struct Transcript {
		InitiationMessage initiation;
		ResponseMessage response;
		u8 to_responder[KEY_SIZE], to_initiator[KEY_SIZE];
	};
	const Transcript &transcript() const { return transcript_; }

private:
	LocalIdentity initiator_, responder_;
	RemoteIdentity initiators_peer_, responders_peer_;
	InitiatorState state_;
	OpenedInitiation opened_;
	TransportKeys initiators_keys_, responders_keys_;
	Transcript transcript_{};
};

} // namespace wg
