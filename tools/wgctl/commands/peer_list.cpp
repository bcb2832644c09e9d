// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/edit.h"
#include "model/machine.h"
#include "model/values.h"
#include "view/peer_table.h"

namespace wgctl {

namespace {

/* `print` makes text of it. */
void look_at_peers(const Options &options, bool is_one, Text (*print)(const PeerTable &, std::int64_t), World &world)
{
	enter_netns(options, world);
	QuickConfig config = read_quick_config(options.operand(0), world);
	PeerTable table{list_peers(config, world), parse_peer_names(config.text), {}};

	if (is_one)
		std::erase_if(table.peers, [key = find_peer(options.operand(1), config.text, config.path)](const ListedPeer &listed) {
			return !(listed.peer.public_key == key);
		});
	if (world.host.network.has_link(config.interface))
		table.running = get_device(config.interface, world);
	if (!options.has("--json"))
		return world.terminal.write(Stream::out, print(table, world.clock.now()));
	Json document = Json::object();
	document["version"] = JSON_VERSION;
	document["interface"] = Text(config.interface);
	document["file"] = Text(config.path);
	document["running"] = table.running.has_value();
	document["peers"] = json_of(table);
	world.terminal.write(Stream::out, to_text(document));
}

}

int peer_list(const Options &options, World &world)
{
	look_at_peers(options, false, peer_table, world);
	return 0;
}

int peer_show(const Options &options, World &world)
{
	look_at_peers(options, true, peer_pages, world);
	return 0;
}

}
