// SPDX-License-Identifier: GPL-2.0
/* Keyring: a peer's three slots, previous, current and next, and the two ways a session moves through them. [WG §6.3]
 * Crossed initiations make two sessions, one in current and one in next; that of the larger static public key stays current on both sides.
 *
 * Called by:  engine/handshaker (a session was derived), engine/rx (first data on `next`), engine/peer (erase)
 * Context:    readers: RCU; writers: any, under the peer's keyring lock, which its guard proves
 * Ownership:  the ring holds one reference to each session in it; what a move pushes out comes back in Displaced, for the caller to put
 * Invariant:  no session is in two slots
 */
#pragma once
#include "protocol/keypair.h"
#include "rt/rcu_ptr.h"

namespace wg {

/* Sessions that left the ring: at most three, null where none. The caller removes their indices and puts them. */
template <typename Session> struct Displaced {
	Session *session[3] = {};
};

template <typename Session> class Keyring {
public:
	Session *previous() const { return previous_.read(); }
	Session *current() const { return current_.read(); }
	Session *next() const { return next_.read(); }

	/* We initiated: @session is confirmed by the response and becomes current. A next was crossed by it and stays: whether the peer, too,
	 * will hold both is not known yet, and until it has heard of ours it sends on the old current, which becomes previous.
	 * @prevails: over next: our key is the larger, or next is a former identity's. */
	template <ProofOfLock Proof> Displaced<Session> add_as_initiator(Session &session, bool prevails, const Proof &proof)
	{
		Displaced<Session> out = {{previous_.locked(proof), nullptr, nullptr}};

		previous_.publish(current_.locked(proof));
		current_.publish(&session);
		next_yields_ = prevails;
		return out;
	}
	/* We responded: @session waits in next until it is confirmed; previous is dropped. */
	template <ProofOfLock Proof> Displaced<Session> add_as_responder(Session &session, const Proof &proof)
	{
		Displaced<Session> out = {{previous_.locked(proof), next_.locked(proof), nullptr}};

		next_.publish(&session);
		previous_.publish(nullptr);
		next_yields_ = false;
		return out;
	}
	/* Authenticated data arrived on @session. True when that made it current: it was next. A next that current crossed, and prevails over,
	 * becomes previous: that ends no handshake of ours that began since. */
	template <ProofOfLock Proof> bool confirm(Session &session, Displaced<Session> &out, const Proof &proof)
	{
		if (next_.locked(proof) != &session)
			return false;
		out.session[0] = previous_.locked(proof);
		previous_.publish(next_yields_ ? &session : current_.locked(proof));
		if (!next_yields_)
			current_.publish(&session);
		next_.publish(nullptr);
		return !next_yields_;
	}
	/* Empties the ring. */
	template <ProofOfLock Proof> Displaced<Session> erase(const Proof &proof)
	{
		Displaced<Session> out = {{previous_.locked(proof), current_.locked(proof), next_.locked(proof)}};

		previous_.publish(nullptr);
		current_.publish(nullptr);
		next_.publish(nullptr);
		return out;
	}

private:
	RcuPtr<Session> previous_, current_, next_;
	bool next_yields_ = false;	/* to current, which crossed it */
};

} // namespace wg
