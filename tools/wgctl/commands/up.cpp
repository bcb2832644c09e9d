// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/peer_names.h"
#include "model/values.h"
#include "tunnel/bring_up.h"
#include "tunnel/inside.h"

namespace wgctl {

namespace {

constexpr std::uint32_t USUAL_WAIT = 30;

}

int up(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);
	std::uint32_t seconds = options.seconds("--wait", USUAL_WAIT);

	bring_up(config, options.placement(world), world);
	if (options.has("--wait")) {
		std::vector<Key> keys;
		for (const Peer &peer : parse_without_lookup(config, world).peers)
			if (peer.has_endpoint())
				keys.push_back(peer.public_key);
		wait_for_sessions(config.interface, keys, parse_peer_names(config.text), seconds, config.interface + " is up, but", world);
	}
	return 0;
}

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
