// SPDX-License-Identifier: GPL-2.0
#include "config/networkd.h"

#include <utility>

#include "config/config.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view REPEATED[]{"WireGuardPeer", "Route", "RoutingPolicyRule", "Address"};
const std::initializer_list<std::string_view> YES{"yes", "true", "on", "1"}, NO{"no", "false", "off", "0"};
/* wg-quick's mark, and the places the kernel gives its rules: before that of the main table. */
constexpr std::uint32_t USUAL_MARK = 51820, FIRST_PRIORITY = 32764, PRIORITY_OF_MAIN = 32766;

std::string_view version_of(std::uint16_t family)
{
	return family == AF_INET6 ? "ipv6" : "ipv4";
}

/* KEY, or what is in the file that KEYFile names. */
ForeignValue take_key(ForeignSection &section, const std::string &key, World &world)
{
	ForeignValue value = section.take(key), file = section.take(key + "File");

	if (file.value.empty())
		return value;
	file.value = parsed(file, [&](std::string_view path) { return to_base64(parse_key_file(world.files.read(std::string(path), KEY_FILE_LIMIT))); });
	return file;
}

std::uint32_t take_table(ForeignSection &section, World &world)
{
	ForeignValue table = section.take("Table");

	return table.value.empty() ? MAIN_TABLE : parsed(table, [&](std::string_view text) { return parse_table(text, world.files); });
}

/* The routes that networkd makes of AllowedIPs. */
void add_routes_of_peer(const ForeignValue &allowed, const ForeignValue &table, Ways &ways, World &world)
{
	if (table.value.empty() || is_one_of(table.value, std::span(NO.begin(), NO.size())))
		return;
	for (const std::string &ip : list_items(allowed.value))
		ways.routes.insert({network_of(parsed(allowed, [&](std::string_view) { return parse_address(ip); })),
				    parsed(table, [&](std::string_view text) { return parse_table(text, world.files); })});
}

void add_route(ForeignSection &section, Ways &ways, World &world)
{
	ForeignValue destination = section.take("Destination");

	section.take("Scope", {"link"});
	if (!destination.value.empty())
		ways.routes.insert({network_of(parsed(destination, parse_address)), take_table(section, world)});
}

/* In the order of their priorities; without one, or behind the main table's rule, a rule is another than `up' makes. A table whose number is not the mark's is as one whose number is. */
void add_rules(std::list<ForeignSection> &sections, Ways &ways, World &world)
{
	std::multimap<std::uint32_t, std::pair<std::string, std::string>> rules;
	std::map<std::uint32_t, std::uint32_t> marks;
	std::set<Route> routes;

	for (ForeignSection &section : sections) {
		if (section.title != "RoutingPolicyRule")
			continue;
		ForeignValue priority = section.take("Priority"), family = section.take("Family"), mark = section.take("FirewallMark"),
			     length = section.take("SuppressPrefixLength", {"0"});
		bool is_inverted = !section.take("InvertRule", YES).value.empty();
		std::uint32_t table = take_table(section, world);
		std::string rule = "another";
		if (mark.value.empty() && !is_inverted && !length.value.empty() && table == MAIN_TABLE)
			rule = RULE_OF_MAIN;
		if (!mark.value.empty() && is_inverted && length.value.empty()) {
			marks[table] = parsed(mark, parse_fwmark);
			rule = rule_of_unmarked(marks[table]);
		}
		std::uint32_t place = parse_number<std::uint32_t>(priority.value).value_or(0);
		if (place == 0 || place >= PRIORITY_OF_MAIN)
			rule = "another";
		rules.emplace(place, std::pair(std::string(family.value), rule));
	}
	for (std::uint16_t family : FAMILIES) {
		std::uint32_t last = 0;
		for (const auto &[place, rule] : rules)
			if (rule.first == "both" || rule.first == version_of(family) || (rule.first.empty() && family == AF_INET))
				ways.rules[family].push_back(std::exchange(last, place) == place ? "another" : rule.second);
	}
	for (Route route : ways.routes) {
		if (marks.contains(route.table))
			route.table = marks[route.table];
		routes.insert(route);
	}
	ways.routes = routes;
}

}

Imported import_networkd(const std::string &netdev_path, const std::string &network_path, World &world)
{
	ForeignFile netdev(netdev_path, REPEATED, world.files);
	std::optional<ForeignFile> network;
	ForeignSection &link = netdev.section("NetDev"), &wireguard = netdev.section("WireGuard");
	ForeignValue name = link.take("Name"), mtu = link.take("MTUBytes"), table = wireguard.take("RouteTable"), addresses, servers, domains;
	Ways ways;

	if (link.take("Kind").value != "wireguard")
		throw Failure{netdev.path + ": [NetDev] is not of Kind=wireguard"};
	if (!network_path.empty())
		network.emplace(network_path, REPEATED, world.files);
	if (network && network->section("Match").take("Name").value != name.value)
		throw Failure{network->path + ": [Match] is not of Name=" + printable(name.value) + ", as " + netdev.path + " has it"};
	Draft draft{std::string(name.value)};
	if (network) {
		ForeignSection &net = network->section("Network");
		for (const char *key : {"DHCP", "LinkLocalAddressing", "IPv6AcceptRA"})
			net.take(key, NO);
		net.take("DNSDefaultRoute");
		servers = net.take_list("DNS");
		domains = net.take_list("Domains");
		addresses = net.take_list("Address");
		for (ForeignSection &section : network->sections)
			if (section.title == "Address") {
				ForeignValue more = section.take_list("Address");
				addresses = {more.key, addresses.value.append(addresses.value.empty() ? "" : ", ").append(more.value), more.at};
			} else if (section.title == "Route") {
				add_route(section, ways, world);
			}
		if (ForeignValue other = network->section("Link").take("MTUBytes"); !other.value.empty())
			mtu = other;
	}
	draft.put("PrivateKey", take_key(wireguard, "PrivateKey", world));
	ForeignValue port = wireguard.take("ListenPort");
	if (port.value != "auto")
		draft.put("ListenPort", port);
	draft.put("FwMark", wireguard.take("FirewallMark"));
	draft.put("Address", addresses);
	draft.put_dns(servers, domains, world.terminal);
	draft.put("MTU", mtu);
	for (ForeignSection &section : netdev.sections)
		if (section.title == "WireGuardPeer") {
			ForeignValue allowed = section.take_list("AllowedIPs"), own_table = section.take("RouteTable");
			draft.begin_peer(section.name);
			draft.put("PublicKey", section.take("PublicKey"));
			draft.put("PresharedKey", take_key(section, "PresharedKey", world));
			draft.put("AllowedIPs", allowed);
			draft.put("Endpoint", section.take("Endpoint"));
			draft.put("PersistentKeepalive", section.take("PersistentKeepalive"));
			add_routes_of_peer(allowed, own_table.value.empty() ? table : own_table, ways, world);
		}
	if (table.value.empty() && ways.routes.empty())
		world.terminal.write(Stream::err, "Warning: " + harmless(netdev.path) + ": no RouteTable: taken as off; the newest networkd takes it as main\n");
	if (network)
		add_rules(network->sections, ways, world);
	netdev.tell_left(world.terminal);
	if (network)
		network->tell_left(world.terminal);
	return {std::string(name.value), draft.finish(ways, world)};
}

std::vector<Exported> export_networkd(const QuickConfig &config, Device device, const PeerNames &names)
{
	Text netdev("[NetDev]\n"), network("[Match]\n");

	if (config.routing == Routing::automatic && any_default_route(device.peers) && !device.fwmark.value_or(0))
		device.fwmark = USUAL_MARK;
	Ways ways = ways_of(config, device);
	put_value(netdev, "Name", config.interface);
	put_value(netdev, "Kind", "wireguard");
	put_value(netdev, "MTUBytes", number_or_nothing(config.mtu));
	netdev.append("\n[WireGuard]\n");
	put_value(netdev, "PrivateKey", key_or_nothing(device.private_key));
	put_value(netdev, "ListenPort", number_or_nothing(device.listen_port));
	put_value(netdev, "FirewallMark", number_or_nothing(device.fwmark));
	/* What it would make by itself is not quite the same; and newer ones do so unless they are told. */
	put_value(netdev, "RouteTable", "off");
	for (const Peer &peer : device.peers) {
		netdev.append("\n[WireGuardPeer]\n");
		if (std::string name = name_of(peer.public_key, names); !name.empty())
			netdev.append("# Name = ").append(name).append("\n");
		put_value(netdev, "PublicKey", to_base64(peer.public_key));
		put_value(netdev, "PresharedKey", key_or_nothing(peer.preshared_key));
		put_value(netdev, "AllowedIPs", format_prefixes(peer.allowed_ips));
		put_value(netdev, "Endpoint", endpoint_text(peer));
		put_value(netdev, "PersistentKeepalive", number_or_nothing(peer.persistent_keepalive));
	}
	put_value(network, "Name", config.interface);
	network.append("\n[Network]\n");
	for (const Address &address : config.addresses)
		put_value(network, "Address", format_prefix(address.prefix));
	for (const std::string &server : config.dns_servers)
		put_value(network, "DNS", server);
	put_value(network, "Domains", trimmed(joined(domains_of(config), " ")));
	for (const Route &route : ways.routes) {
		network.append("\n[Route]\n");
		put_value(network, "Destination", format_prefix(route.destination));
		put_value(network, "Scope", route.destination.family == AF_INET ? "link" : "");
		put_value(network, "Table", route.table == MAIN_TABLE ? "" : std::to_string(route.table));
	}
	for (const auto &[family, rules] : ways.rules) {
		std::string mark = number_or_nothing(device.fwmark), version(version_of(family));
		network.append("\n[RoutingPolicyRule]\nFamily=" + version + "\nTable=main\nSuppressPrefixLength=0\nPriority=");
		network.append(std::to_string(FIRST_PRIORITY) + "\n\n[RoutingPolicyRule]\nFamily=" + version + "\nInvertRule=yes\nFirewallMark=");
		network.append(mark + "\nTable=" + mark + "\nPriority=" + std::to_string(FIRST_PRIORITY + 1) + "\n");
	}
	return {{config.interface + ".netdev", netdev, 0640, "systemd-network"}, {config.interface + ".network", network, 0644, ""}};
}

}
