// SPDX-License-Identifier: GPL-2.0
#include "hub/new_hub.h"

#include <algorithm>

#include "commands/commands.h"
#include "model/values.h"
#include "view/columns.h"

namespace wgctl {

namespace {

std::vector<Prefix> networks_of(const Options &options)
{
	std::vector<Prefix> networks;

	for (const std::string &item : list_items(options.text("--address"))) {
		try {
			networks.push_back(parse_address(item));
		} catch (const Failure &failure) {
			throw Failure{"--address: " + failure.text};
		}
	}
	if (networks.empty())
		options.fail("which network is the tunnel's? --address NET, for example 10.8.0.0/24");
	return networks;
}

std::string next_steps(const Hub &hub, const HubWishes &wishes)
{
	std::string name = printable(hub.config.argument()), add = "wgctl peer add " + name + " NAME" + (wishes.endpoint.empty() ? " --endpoint HOST" : ""), all;
	std::vector<std::pair<std::string, std::string>> rows{{"wgctl up " + name, "brings it up"}};
	/* The unit finds only what is in the usual place. */
	if (name == hub.config.interface)
		rows.emplace_back("systemctl enable wgctl@" + name, "does so at each boot");
	rows.emplace_back(add, "adds a peer, and prints the file for its side");
	for (const Address &address : hub.config.addresses)
		if (std::string whole = address.prefix.family == AF_INET6 ? "::/0" : "0.0.0.0/0"; all.find(whole) == all.npos)
			all += (all.empty() ? "" : ",") + whole;
	if (wishes.masquerade)
		rows.emplace_back(add + " --allowed-ips " + all, "one that sends all its traffic here");
	std::size_t width = 0;
	for (const auto &[line, meaning] : rows)
		width = std::max(width, width_of(line));
	std::string text;
	for (const auto &[line, meaning] : rows)
		text += "  " + padded(line, width) + "  " + meaning + "\n";
	return text;
}

}

int init(const Options &options, World &world)
{
	HubWishes wishes{options.operand(0), networks_of(options), options.has("--nat"), options.text("--endpoint")};
	Hub hub = make_hub(wishes, world);
	std::string addresses;

	for (const Address &address : hub.config.addresses)
		addresses += format_prefix(address.prefix) + ", ";
	world.terminal.write(Stream::out, printable(hub.config.path) + " is written: address " + addresses + "UDP port " +
						  std::to_string(*hub.device.listen_port) + ", which a firewall must let in, public key " +
						  std::string(to_base64(hub.public_key)) + ".\n\nNext:\n" + next_steps(hub, wishes));
	return 0;
}

}
