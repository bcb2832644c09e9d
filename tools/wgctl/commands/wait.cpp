// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/peer_names.h"
#include "tunnel/inside.h"

namespace wgctl {

int wait(const Options &options, World &world)
{
	std::string name = options.operand(0);
	std::uint32_t seconds = options.seconds("--timeout", USUAL_WAIT);
	std::optional<Prefix> any;
	std::vector<Key> keys;

	enter_netns(options, world);
	Device device = get_device(name, world);
	PeerNames names = read_peer_names(name, world);
	if (options.operand(1).empty()) {
		for (const Peer &peer : device.peers)
			if (peer.endpoint)
				keys.push_back(peer.public_key);
		if (keys.empty())
			throw Failure{name + " knows no peer's endpoint, so it can reach nobody by itself; name the peer to wait for"};
	} else {
		keys = {find_target(options.operand(1), device, names, any).public_key};
	}
	wait_for_sessions(name, keys, names, seconds, name + ":", world);
	return 0;
}

}
