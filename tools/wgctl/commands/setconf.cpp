// SPDX-License-Identifier: GPL-2.0
/* setconf, addconf and syncconf */
#include <set>

#include "commands/commands.h"
#include "config/config.h"

namespace wgctl {

namespace {

Device read_change(const Options &options, FileMeaning meaning, World &world)
{
	std::string file = options.operand(1);
	Device change = parse_config(read_config_file(file, world.files), file, meaning, world);

	change.name = options.operand(0);
	return change;
}

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

int setconf(const Options &options, World &world)
{
	set_device(read_change(options, FileMeaning::replace, world), world);
	return 0;
}

int addconf(const Options &options, World &world)
{
	set_device(read_change(options, FileMeaning::append, world), world);
	return 0;
}

int syncconf(const Options &options, World &world)
{
	Device change = read_change(options, FileMeaning::replace, world);

	if (!change.peers.empty())
		replace_gently(change, get_device(change.name, world));
	set_device(change, world);
	return 0;
}

}
