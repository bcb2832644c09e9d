// SPDX-License-Identifier: GPL-2.0
#include "config/network_manager.h"

#include <algorithm>

#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view PEER = "wireguard-peer.", TABLE = "table=";

/* NetworkManager takes neither routes nor servers of a family without an address. */
void need_addresses(const QuickConfig &config, const Ways &ways, const std::string &path)
{
	for (std::uint16_t family : FAMILIES) {
		bool is_wanted = std::any_of(ways.routes.begin(), ways.routes.end(), [=](const Route &route) { return route.destination.family == family; }) ||
				 std::any_of(config.dns_servers.begin(), config.dns_servers.end(),
					     [=](const std::string &server) { return (server.find(':') != server.npos) == (family == AF_INET6); });
		if (is_wanted && std::none_of(config.addresses.begin(), config.addresses.end(), [=](const Address &a) { return a.prefix.family == family; }))
			throw Failure{path + ": AllowedIPs or DNS have IPv" + (family == AF_INET6 ? "6" : "4") +
				      ", and Address has none: with NetworkManager such traffic would not go by the tunnel; add one"};
	}
	if (config.has_dns() && config.addresses.empty())
		throw Failure{path + ": NetworkManager takes DNS only with an Address; add one"};
}

/* The routes that are written one by one, each with a table. */
void add_routes(ForeignSection &section, Ways &ways)
{
	for (ForeignValue &value : section.values) {
		if (!value.is_of("route") || value.value.find(',') != value.value.npos)
			continue;
		ForeignValue options = section.take(value.key + "_options");
		std::optional<std::uint32_t> table = MAIN_TABLE;
		if (!options.value.empty())
			table = parse_number<std::uint32_t>(std::string_view(options.value).substr(std::min(TABLE.size(), options.value.size())));
		if (!table || (!options.value.empty() && !options.value.starts_with(TABLE)))
			throw Failure{options.at + options.key + ": only table=NUMBER is understood"};
		value.is_taken = true;
		ways.routes.insert({network_of(parsed(value, parse_address)), *table});
	}
}

void append(ForeignValue &list, const ForeignValue &more)
{
	if (list.value.empty())
		list = more;
	else if (!more.value.empty())
		list.value.append(", ").append(more.value);
}

}

Imported import_network_manager(const std::string &path, World &world)
{
	ForeignFile file(path, {}, world.files);
	ForeignSection &connection = file.section("connection"), &wireguard = file.section("wireguard");
	std::string interface(connection.take("interface-name").value);
	Draft draft(interface);
	ForeignValue addresses, servers, domains;

	if (connection.take("type").value != "wireguard")
		throw Failure{path + ": [connection] is not of type=wireguard"};
	for (const char *key : {"id", "uuid", "timestamp"})
		connection.take(key);
	for (const char *title : {"ipv4", "ipv6"}) {
		ForeignSection &section = file.section(title);
		for (const ForeignValue &value : section.values)
			if (value.is_of("address") && value.value.find(',') != value.value.npos)
				throw Failure{value.at + value.key + ": behind the comma is a gateway, which has no counterpart"};
		append(addresses, section.take_list("address"));
		append(servers, section.take_list("dns"));
		append(domains, section.take_list("dns-search"));
		section.take("method", {"manual", "disabled", "ignore"});
		section.take("dns-priority");
		section.take("addr-gen-mode");
	}
	wireguard.take("private-key-flags", {"0"});
	draft.put("PrivateKey", wireguard.take("private-key"));
	draft.put("ListenPort", wireguard.take("listen-port"));
	draft.put("FwMark", wireguard.take("fwmark"));
	draft.put("Address", addresses);
	draft.put_dns(servers, domains, world.terminal);
	draft.put("MTU", wireguard.take("mtu"));
	for (ForeignSection &section : file.sections)
		if (section.title.starts_with(PEER)) {
			draft.begin_peer(section.name);
			draft.put("PublicKey", {"", Text(section.title.substr(PEER.size())), path + ": "});
			section.take("preshared-key-flags", {"0"});
			draft.put("PresharedKey", section.take("preshared-key"));
			draft.put("AllowedIPs", section.take_list("allowed-ips"));
			draft.put("Endpoint", section.take("endpoint"));
			draft.put("PersistentKeepalive", section.take("persistent-keepalive"));
		}

	bool has_routes = wireguard.take("peer-routes").value != "false";
	Draft::Read read = draft.read("", world);
	Ways all = ways_of(read.config, read.device), ways = has_routes ? all : Ways();
	for (std::uint16_t family : FAMILIES) {
		ForeignSection &section = file.section(family == AF_INET6 ? "ipv6" : "ipv4");
		ForeignValue by_mark = wireguard.take(family == AF_INET6 ? "ip6-auto-default-route" : "ip4-auto-default-route");
		bool is_by_mark = section.take("never-default").value != "true" && by_mark.value != "0" && by_mark.value != "false";
		if (all.rules.contains(family) && is_by_mark != has_routes)
			throw Failure{path + ": [wireguard] peer-routes and its auto-default-route do not go together as in a file of wg-quick's"};
		add_routes(section, ways);
	}
	file.tell_left(world.terminal);
	need_addresses(read.config, ways, path);
	return {interface, draft.finish(ways, world)};
}

Exported export_network_manager(const QuickConfig &config, const Device &device, const PeerNames &names)
{
	Text text("[connection]\n");
	Ways ways = ways_of(config, device);

	need_addresses(config, ways, config.path);
	put_value(text, "id", config.interface);
	put_value(text, "type", "wireguard");
	put_value(text, "interface-name", config.interface);
	text.append("\n[wireguard]\n");
	put_value(text, "private-key", key_or_nothing(device.private_key));
	put_value(text, "listen-port", number_or_nothing(device.listen_port));
	put_value(text, "fwmark", number_or_nothing(device.fwmark));
	put_value(text, "mtu", number_or_nothing(config.mtu));
	/* A table of its own for all, route-table, would be that of the addresses' networks, too. */
	if (config.routing != Routing::automatic)
		text.append("peer-routes=false\nip4-auto-default-route=0\nip6-auto-default-route=0\n");
	for (const Peer &peer : device.peers) {
		text.append("\n[").append(PEER).append(to_base64(peer.public_key)).append("]\n");
		if (std::string name = name_of(peer.public_key, names); !name.empty())
			text.append("# Name = ").append(name).append("\n");
		put_value(text, "preshared-key", key_or_nothing(peer.preshared_key));
		put_value(text, "preshared-key-flags", key_or_nothing(peer.preshared_key).empty() ? "" : "0");
		put_value(text, "allowed-ips", format_prefixes(peer.allowed_ips, ";"));
		put_value(text, "endpoint", endpoint_text(peer));
		put_value(text, "persistent-keepalive", number_or_nothing(peer.persistent_keepalive));
	}
	bool has_domains = false;
	for (std::uint16_t family : FAMILIES) {
		std::vector<std::string> servers;
		std::size_t number = 0;
		text.append(family == AF_INET6 ? "\n[ipv6]\n" : "\n[ipv4]\n");
		for (const Address &address : config.addresses)
			if (address.prefix.family == family)
				put_value(text, "address" + std::to_string(++number), format_prefix(address.prefix));
		put_value(text, "method", number ? "manual" : "disabled");
		for (const std::string &server : config.dns_servers)
			if ((server.find(':') != server.npos) == (family == AF_INET6))
				servers.push_back(server);
		put_value(text, "dns", joined(servers, ";"));
		/* Of all names, these are asked and no others. */
		put_value(text, "dns-priority", servers.empty() ? "" : "-50");
		if (!servers.empty() || (number && config.dns_servers.empty() && !has_domains))
			put_value(text, "dns-search", joined(domains_of(config), ";"));
		has_domains = has_domains || number;
		number = 0;
		for (const Route &route : ways.routes)
			if (config.routing == Routing::numbered && route.destination.family == family) {
				put_value(text, "route" + std::to_string(++number), format_prefix(route.destination));
				put_value(text, "route" + std::to_string(number) + "_options", std::string(TABLE) + std::to_string(route.table));
			}
	}
	return {config.interface + ".nmconnection", text, 0600, ""};
}

}
