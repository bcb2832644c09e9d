// SPDX-License-Identifier: GPL-2.0
#include "engine/session.h"
#include "engine/peer.h"

namespace wg::engine {

Session::Session(Peer &owner) : peer(get(owner)) {}

Session::~Session()
{
	put(peer);
}

void put(Session &session)
{
	if (session.references.put())
		destroy_after_rcu(session);
}

} // namespace wg::engine
