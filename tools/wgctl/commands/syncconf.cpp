// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include <set>

#include "config/config.h"

namespace wgctl {

namespace {

/* Instead of starting all over, remove what the file does not name. */
void replace_gently(Device &change, const Device &present)
{
	std::set<Key> wanted;

	if (present.peers.empty())
		return;
	for (const Peer &peer : change.peers)
		wanted.insert(peer.public_key);
	change.replace_peers = false;
	std::vector<Peer> peers;
	for (const Peer &peer : present.peers)
		if (!wanted.contains(peer.public_key))
			peers.push_back(removal_of(peer.public_key));
	peers.insert(peers.end(), std::make_move_iterator(change.peers.begin()), std::make_move_iterator(change.peers.end()));
	change.peers = std::move(peers);
}

}

int syncconf(Arguments arguments, World &world)
{
	std::string file(arguments[1]);
	Device change = parse_config(read_config_file(file, world.files), file, FileMeaning::replace, world);

	change.name = arguments[0];
	if (!change.peers.empty())
		replace_gently(change, get_device(change.name, world));
	set_device(change, world);
	return 0;
}

}
