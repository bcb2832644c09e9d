// SPDX-License-Identifier: GPL-2.0
#include "config/expiry.h"

#include "config/peer_comments.h"
#include "model/times.h"
#include "model/values.h"

namespace wgctl {

/* Of several sections of one peer, the last that has one counts. */
std::map<Key, Expiry> parse_expiries(const QuickConfig &config)
{
	static constexpr std::string_view KEYS[] = {"Expires"};
	std::map<Key, Expiry> found;

	for_each_peer_comment(config, KEYS, [&](const Key &peer, std::string_view, std::string_view value, std::size_t line) {
		found.insert_or_assign(peer, Expiry{parse_time(value), line});
	});
	return found;
}

void leave_out_expired(std::vector<Peer> &peers, const QuickConfig &config, World &world)
{
	if (!config.expiries.empty())
		std::erase_if(peers, [&, now = world.clock.now()](const Peer &peer) { return config.is_expired(peer.public_key, now); });
}

}
