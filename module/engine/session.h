// SPDX-License-Identifier: GPL-2.0
/* Session: a keypair that is in use: counted, indexed, and tied to its peer.
 *
 * Lifetime:  one reference by the keyring slot, one by each batch in flight, one for a lookup's user. The last put removes nothing
 *            (the index went when the slot did) and frees after a grace period, so lookups may stand on it; freeing wipes the keys.
 *            A session holds a reference to its peer until then, a batch therefore through its session; who only stands on it does not
 *            follow its peer.
 */
#pragma once
#include "engine/memory.h"
#include "engine/references.h"
#include "engine/tables.h"
#include "protocol/keypair.h"

namespace wg::engine {

struct Peer;

struct Session {
	explicit Session(Peer &peer);	/* takes a reference to @peer; starts with one of its own */

	Keypair keypair;
	Peer &peer;
	References references;
	HashLink<Session> by_index;
	u64 index_hash = 0;		/* = keypair.local_index: random already */
	RcuFree<Session> rcu;
};

/* A further reference, for who already has one. */
inline Session &get(Session &session)
{
	session.references.get();
	return session;
}

void put(Session &session);

} // namespace wg::engine
