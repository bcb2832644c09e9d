// SPDX-License-Identifier: GPL-2.0
#include "hub/hub.h"

#include <algorithm>
#include <set>

#include "hub/client_keys.h"
#include "hub/pool.h"
#include "hub/qr.h"
#include "model/machine.h"
#include "model/values.h"
#include "tunnel/plan.h"

namespace wgctl {

namespace {

/* With host bits zero; those of one address have no room for others. */
std::vector<Prefix> networks_of(const Hub &hub)
{
	std::vector<Prefix> networks;

	for (const Address &address : hub.config.addresses) {
		Prefix network = network_of(address.prefix);
		if (network.cidr < network.bits() && std::find(networks.begin(), networks.end(), network) == networks.end())
			networks.push_back(network);
	}
	return networks;
}

/* One for each list of networks, from the first that has one; found ones are used then. */
std::vector<Prefix> addresses_from(const std::vector<std::vector<Prefix>> &lists, std::vector<Prefix> used)
{
	std::vector<Prefix> found;

	for (const std::vector<Prefix> &list : lists) {
		std::optional<Prefix> address;
		std::string names;
		for (const Prefix &network : list) {
			names += (names.empty() ? "" : " and ") + format_prefix(network);
			if ((address = next_free_address(network, used)))
				break;
		}
		if (!address)
			throw Failure{"all addresses of " + names + " are taken; --pool names another network"};
		found.push_back(*address);
		used.push_back(*address);
	}
	return found;
}

std::string endpoint_for_clients(const Hub &hub, std::string endpoint)
{
	std::string source = "--endpoint";

	if (endpoint.empty()) {
		std::vector<std::string> known = values_of(hub.config.text, {}, "Endpoint", Spelled::as_comment);
		if (known.empty())
			throw Failure{"the client must know where to find this machine: --endpoint HOST[:PORT], or a line \"# Endpoint = "
				      "HOST:PORT\" in [Interface] of " + hub.config.path};
		endpoint = known.front();
		source = hub.config.path + ": # Endpoint";
	}
	refuse_url(endpoint, source + ": ");
	endpoint = with_brackets(endpoint);
	if (!has_port(endpoint)) {
		check_endpoint(endpoint + ":1", source);
		if (!hub.device.listen_port.value_or(0))
			throw Failure{hub.config.path + " has no ListenPort: add one, or give the port, --endpoint " + endpoint + ":PORT"};
		endpoint += ":" + std::to_string(*hub.device.listen_port);
	}
	check_endpoint(endpoint, source);
	return endpoint;
}

/* The servers and domains of --dns, as a file has them. */
std::string dns_for_clients(std::string_view list)
{
	std::string text;

	while (!list.empty()) {
		std::size_t comma = std::min(list.find(','), list.size());
		std::string_view item = list.substr(0, comma);
		item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
		item = item.substr(0, item.find_last_not_of(' ') + 1);
		if (!is_ip_address(std::string(item)) && !is_search_domain(item))
			throw Failure{"--dns: neither an IP address nor a search domain, with commas between them: " + in_quotes(item)};
		text.append(text.empty() ? "" : ", ").append(item);
		list.remove_prefix(std::min(comma + 1, list.size()));
	}
	return text;
}

QuickConfig with_text(const QuickConfig &before, const Text &text, World &world)
{
	QuickConfig config;

	config.interface = before.interface;
	config.path = before.path;
	config.text = text;
	parse_quick_text(config, world.files);
	return config;
}

std::string endpoint_of_file(const Peer &peer)
{
	return peer.endpoint ? std::string(std::string_view(format_endpoint(*peer.endpoint))) : peer.endpoint_name;
}

bool is_same(const Peer &a, const Peer &b)
{
	return a.preshared_key.value_or(Key()) == b.preshared_key.value_or(Key()) && endpoint_of_file(a) == endpoint_of_file(b) &&
	       a.persistent_keepalive.value_or(0) == b.persistent_keepalive.value_or(0) && a.allowed_ips == b.allowed_ips;
}

/* The present one, with what the file says otherwise than before. An endpoint that the file has no longer stays until
 * the peer is elsewhere. */
Peer with_difference(Peer present, const Peer &before, const Peer &after)
{
	if (!(before.preshared_key.value_or(Key()) == after.preshared_key.value_or(Key())))
		present.preshared_key = after.preshared_key;
	if (endpoint_of_file(before) != endpoint_of_file(after) && after.has_endpoint()) {
		present.endpoint = after.endpoint;
		present.endpoint_name = after.endpoint_name;
	}
	if (before.persistent_keepalive.value_or(0) != after.persistent_keepalive.value_or(0))
		present.persistent_keepalive = after.persistent_keepalive;
	if (before.allowed_ips != after.allowed_ips)
		present.allowed_ips = after.allowed_ips;
	return present;
}

/* An allowed IP that the peer gets must be nobody else's. `before` is null when it was not let in. */
void refuse_thefts(const Peer &peer, const Peer *before, const std::vector<Peer> &others, const std::string &where, const PeerNames &names)
{
	std::set<Prefix> gained;

	for (const Prefix &prefix : peer.allowed_ips)
		gained.insert(network_of(prefix));
	if (before)
		for (const Prefix &prefix : before->allowed_ips)
			gained.erase(network_of(prefix));
	for (const Peer &other : others) {
		if (other.public_key == peer.public_key)
			continue;
		for (const Prefix &prefix : other.allowed_ips)
			if (gained.contains(network_of(prefix)))
				throw Failure{"allowed IP " + format_prefix(prefix) + " is that of peer " + describe_peer(other.public_key, names) +
					      " in " + where + " already: take it from that peer first"};
	}
}

void check_client_config(const Text &text, World &world)
{
	QuickConfig config;

	config.path = "the client's file";
	config.interface = "client";
	config.text = text;
	parse_quick_text(config, world.files);
	parse_without_lookup(config, world);
}

}

Hub read_hub(std::string_view argument, World &world)
{
	std::shared_ptr<void> lock = world.host.store.lock(find_quick_file(argument, world));
	Hub hub{read_quick_config(argument, world), {}, {}, {}, {}, {}, false, lock};

	hub.device = parse_without_lookup(hub.config, world);
	hub.peers = list_peers(hub.config, world);
	hub.private_key = hub.device.private_key.value_or(Key());
	if (!hub.private_key.is_zero())
		hub.public_key = public_key_of(hub.private_key);
	hub.names = parse_peer_names(hub.config.text);
	hub.is_running = world.host.network.has_link(hub.config.interface);
	return hub;
}

void need_private_key(const Hub &hub)
{
	if (hub.private_key.is_zero())
		throw Failure{hub.config.path + ": [Interface] has no PrivateKey; wgctl genkey makes one"};
}

std::string word_for(const Hub &hub, const Key &key)
{
	auto name = hub.names.find(key);

	return shell_word(name == hub.names.end() ? std::string(to_base64(key)) : name->second);
}

const Peer &find_admitted(const Hub &hub, const Key &key)
{
	const std::string peer = hub.config.path + ": peer " + describe_peer(key, hub.names), words = hub.config.argument() + " " + word_for(hub, key);

	if (const Peer *found = peer_with(key, hub.device.peers))
		return *found;
	for (const ListedPeer &listed : hub.peers) {
		if (!(listed.peer.public_key == key))
			continue;
		if (listed.state == ListedPeer::State::disabled)
			throw Failure{peer + " is disabled: wgctl peer enable " + words};
		throw Failure{peer + " has expired: wgctl peer expire " + words + " never"};
	}
	throw Failure{hub.config.path + " has no such peer: " + describe_peer(key, hub.names)};
}

std::vector<Prefix> next_addresses(const Hub &hub, const std::vector<Prefix> &pools, World &world)
{
	std::vector<Prefix> own, used;
	std::vector<std::vector<Prefix>> lists;
	std::vector<Peer> peers;

	for (const ListedPeer &listed : hub.peers)
		peers.push_back(listed.peer);
	for (const Prefix &pool : pools)
		lists.push_back({pool});
	/* Of its own networks one address for each family; another network is for when the first is full. */
	for (std::uint16_t family : FAMILIES) {
		std::vector<Prefix> list = networks_of(hub);
		std::erase_if(list, [family](const Prefix &network) { return network.family != family; });
		if (pools.empty() && !list.empty())
			lists.push_back(list);
	}
	if (lists.empty())
		throw Failure{hub.config.path + " has no Address with a network, like 10.0.0.1/24, to take addresses from; give one with --pool"};
	for (const Address &address : hub.config.addresses)
		own.push_back(address.prefix);
	if (hub.is_running) {
		Device running = world.devices.get(hub.config.interface);
		peers.insert(peers.end(), running.peers.begin(), running.peers.end());
		for (const Prefix &address : world.host.network.addresses(hub.config.interface))
			own.push_back(address);
	}
	for (Prefix &address : own) {
		address.cidr = address.bits();
		used.push_back(address);
	}
	for (const Peer &peer : peers)
		used.insert(used.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
	return addresses_from(lists, std::move(used));
}

Text client_config(const Hub &hub, const std::string &name, const Peer &peer, const std::optional<Key> &private_key,
		   const ClientWishes &wishes, World &world)
{
	std::vector<Prefix> allowed = wishes.allowed_ips.empty() ? networks_of(hub) : wishes.allowed_ips, own = peer.allowed_ips;
	Text text = Text("[Interface]\n# Name = ").append(name).append("\n");

	if (allowed.empty())
		throw Failure{"what shall the client send here? --allowed-ips NET,..., for all traffic 0.0.0.0/0,::/0"};
	/* Networks are behind it, and no addresses of its own. */
	std::erase_if(own, [](const Prefix &prefix) { return prefix.cidr != prefix.bits(); });
	if (own.empty())
		throw Failure{hub.config.path + ": peer " + in_quotes(name) + " has networks alone in its AllowedIPs, and no address of its own for its Address: "
			      "wgctl peer edit " + hub.config.argument() + " " + shell_word(name) + " AllowedIPs=+ADDRESS"};
	if (private_key)
		text.append("PrivateKey = ").append(to_base64(*private_key)).append("\n");
	else
		text.append("# PrivateKey = that of ").append(to_base64(peer.public_key)).append("\n");
	text.append("Address = ").append(format_prefixes(own)).append("\n");
	if (!wishes.dns.empty())
		text.append("DNS = ").append(dns_for_clients(wishes.dns)).append("\n");
	if (hub.config.mtu)
		text.append("MTU = ").append(std::to_string(*hub.config.mtu)).append("\n");
	text.append("\n[Peer]\nPublicKey = ").append(to_base64(hub.public_key)).append("\n");
	if (peer.preshared_key && !peer.preshared_key->is_zero())
		text.append("PresharedKey = ").append(to_base64(*peer.preshared_key)).append("\n");
	text.append("AllowedIPs = ").append(format_prefixes(allowed)).append("\nEndpoint = ").append(endpoint_for_clients(hub, wishes.endpoint));
	if (wishes.keepalive)
		text.append("\nPersistentKeepalive = ").append(std::to_string(wishes.keepalive));
	text.append("\n");
	check_client_config(text, world);
	return text;
}

std::string with_brackets(const std::string &endpoint)
{
	std::size_t colon = endpoint.rfind(':');
	bool is_bare_ipv6 = colon != endpoint.npos && endpoint.find(':') != colon && !endpoint.starts_with('[');

	return is_bare_ipv6 ? "[" + endpoint + "]" : endpoint;
}

bool has_port(const std::string &endpoint)
{
	return endpoint.find(':') != endpoint.npos && !endpoint.ends_with(']');
}

/* A service's name for the port is nothing to rely on elsewhere. */
void check_endpoint(const std::string &endpoint, const std::string &source)
{
	std::size_t colon = endpoint.rfind(':');
	std::string host = endpoint.substr(0, colon);

	if (host.starts_with('[') && host.ends_with(']'))
		host = host.substr(1, host.size() - 2);
	if (!is_host_address(host) && !is_host_name(host))
		throw Failure{source + ": neither an IP address nor a name of DNS: " + in_quotes(host)};
	std::string port = endpoint.substr(colon + 1);
	if (!parse_number<std::uint16_t>(port).value_or(0))
		throw Failure{source + ": the port is not 1-65535: " + in_quotes(port)};
}

HubChange change_of_peer(const Hub &hub, const Key &key, Text text, World &world)
{
	QuickConfig config = with_text(hub.config, text, world);
	Device device = parse_without_lookup(config, world);
	const Peer *before = peer_with(key, hub.device.peers), *after = peer_with(key, device.peers);
	HubChange change{std::move(text)};

	list_peers(config, world);
	if (after)
		refuse_thefts(*after, before, device.peers, config.path, parse_peer_names(config.text));
	if (before && !after)
		change.device.peers = {removal_of(key)};
	if (!after || (before && is_same(*before, *after)) || !hub.is_running)
		return change;
	Device running = step("read interface " + in_quotes(hub.config.interface), [&] { return world.devices.get_with_state(hub.config.interface); });
	refuse_thefts(*after, before, running.peers, "the running " + hub.config.interface, hub.names);
	const Peer *present = peer_with(key, running.peers);
	change.device.peers = {before && present ? with_difference(*present, *before, *after) : *after};
	return change;
}

void change_hub(const Hub &hub, const HubChange &change, const std::function<void()> &finish, World &world)
{
	Steps steps(world, Steps::Tells::failures);
	std::optional<Plan> plan;

	if (hub.is_running)
		plan = make_plan(with_text(hub.config, change.text, world), find_placement("", "", world), Plan::Scope::part, change.device, world);
	/* It is short: whoever wants it to end gets all of it, or nothing. */
	world.host.shell.hold_signals();
	world.host.store.replace(hub.config.path, change.text, PRIVATE_MODE);
	steps.undo_by("restore " + hub.config.path, [&] { world.host.store.replace(hub.config.path, hub.config.text, PRIVATE_MODE); });
	keep_client_keys(hub, change, steps, world);
	if (plan)
		carry_out(*plan, steps, world);
	try {
		finish();
	} catch (const ReaderGone &gone) {
		throw Failure{gone.text + ": what was done is undone"};
	}
	steps.keep();
	if (!hub.is_running)
		world.terminal.write(Stream::err, hub.config.interface + " does not run here: only the file is changed\n");
}

void create_client_files(const Text &config, const ClientFiles &files, const std::function<void()> &finish, World &world)
{
	Steps steps(world, Steps::Tells::failures);
	auto create = [&](const std::string &path, const std::string &option, const Text &text) {
		if (world.host.store.exists(path))
			throw Failure{path + " exists already; remove it, or give another name with " + option};
		world.host.store.create(path, text, PRIVATE_MODE);
		steps.undo_by("remove " + path, [&world, path] { world.host.store.remove(path); });
	};

	if (!files.config.empty())
		create(files.config, "--out", config);
	if (!files.qr_image.empty())
		create(files.qr_image, "--qr", qr_image(config, files.qr_image));
	finish();
	steps.keep();
}

}
