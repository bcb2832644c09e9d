// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/peer_names.h"
#include "model/values.h"
#include "tunnel/bring_up.h"
#include "tunnel/inside.h"

namespace wgctl {

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

}
