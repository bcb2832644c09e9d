// SPDX-License-Identifier: GPL-2.0
#include "engine/session.h"
#include "engine/device.h"

namespace wg::engine {

Session::Session(Peer &owner) : peer(get(owner)) {}

void put(Session &session)
{
	Peer &peer = session.peer;

	if (!session.references.put())
		return;
	if (session.index_hash != 0)
		wg_kernel_debug_life(&peer.device.netdev, "Keypair", session.index_hash, "destroyed");
	destroy_after_rcu(session);
	put(peer);
}

} // namespace wg::engine
