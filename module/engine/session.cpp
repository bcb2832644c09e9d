// SPDX-License-Identifier: GPL-2.0
#include "engine/session.h"
#include "engine/peer.h"

namespace wg::engine {

Session::Session(Peer &owner) : peer(get(owner)) {}

Session::~Session()
{
	put(peer);
}

bool try_get(Session &session)
{
	u32 count = session.references.load_relaxed();

	while (count != 0)
		if (session.references.compare_exchange(count, count + 1))
			return true;
	return false;
}

void put(Session &session)
{
	if (session.references.fetch_sub(1) == 1)
		destroy_after_rcu(session);
}

} // namespace wg::engine
