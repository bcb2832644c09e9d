// SPDX-License-Identifier: GPL-2.0
#include "config/listed_peers.h"

#include <algorithm>

#include "config/edit.h"

namespace wgctl {

std::vector<ListedPeer> list_peers(const QuickConfig &config, World &world)
{
	const std::set<Key> disabled = disabled_peers(config.text);
	std::vector<ListedPeer> list;
	QuickConfig whole;

	whole.interface = config.interface;
	whole.path = config.path;
	whole.text = with_enabled(config.text, disabled);
	parse_quick_text(whole, world.files);
	for (const Peer &peer : parse_with_expired(whole, world).peers) {
		ListedPeer &listed = list.emplace_back(peer);
		if (auto expiry = whole.expiries.find(peer.public_key); expiry != whole.expiries.end())
			listed.expires = expiry->second.time;
		if (whole.is_expired(peer.public_key, world.clock.now()))
			listed.state = ListedPeer::State::expired;
		if (disabled.contains(peer.public_key))
			listed.state = ListedPeer::State::disabled;
	}
	return list;
}

const ListedPeer *listed_with(const Key &key, const std::vector<ListedPeer> &peers)
{
	auto found = std::find_if(peers.begin(), peers.end(), [&](const ListedPeer &listed) { return listed.peer.public_key == key; });

	return found == peers.end() ? nullptr : &*found;
}

}
