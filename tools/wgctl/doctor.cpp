// SPDX-License-Identifier: GPL-2.0
#include "doctor.h"

#include <algorithm>
#include <array>

#include "pool.h"
#include "quick.h"
#include "quick_config.h"
#include "values.h"

namespace wgctl {

namespace {

/* After so many seconds a session is over: [WG §6.1], REJECT_AFTER_TIME. */
constexpr std::int64_t SESSION_LIFE = 180;
/* Earlier than this program: such a clock was never set. 2025-01-01. */
constexpr std::int64_t EARLIEST_TIME = 1'735'689'600;
constexpr std::size_t SMALL_FILE = 65536;
/* IP and UDP headers, and WireGuard's 32 bytes. */
constexpr std::uint32_t OVERHEAD_IPV4 = 60, OVERHEAD_IPV6 = 80;
constexpr std::string_view DROP = "drop-";

/* Reasons that end what another side sent here; others are about what leaves. */
struct DropReason {
	std::string_view name, meaning, remedy;
};
constexpr std::array DROPS{
	DropReason{"bad-mac1", "they were made for another public key", "give the other side this interface's public key"},
	DropReason{"unknown-peer", "their sender is no peer here", "add the sender's public key as [Peer]"},
	DropReason{"bad-handshake", "they do not decrypt", "compare public keys and PresharedKey on both sides"},
	DropReason{"old-timestamp", "their sender's clock went back", "set the other side's clock, or remove and add the peer here"},
	DropReason{"wrong-source", "their inner source address is not among the sender's AllowedIPs",
		   "add the addresses the other side sends from to its AllowedIPs here"},
	DropReason{"malformed", "they are not WireGuard's", "look for something on the path that alters UDP packets, or send to another port"},
	DropReason{"rate-limited", "their sender sends too many", "wait; if it lasts, look who floods this port"},
	DropReason{"no-identity", "this interface has no private key", "set PrivateKey"},
};

std::uint64_t drops_of(const Examination &seen, std::string_view reason)
{
	for (const Counter &counter : seen.counters)
		if (counter.name.starts_with(DROP) && std::string_view(counter.name).substr(DROP.size()) == reason)
			return counter.value;
	return 0;
}

Prefix single(const Endpoint &endpoint)
{
	Prefix prefix;

	prefix.family = endpoint.any.sa_family;
	prefix.cidr = prefix.bits();
	if (prefix.family == AF_INET6)
		std::copy_n(endpoint.v6.sin6_addr.s6_addr, 16, prefix.address.begin());
	else
		std::copy_n(reinterpret_cast<const std::uint8_t *>(&endpoint.v4.sin_addr), 4, prefix.address.begin());
	return prefix;
}

bool has_default_route(const Peer &peer)
{
	return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), is_default_route);
}

bool any_default_route(const Device &device)
{
	return std::any_of(device.peers.begin(), device.peers.end(), has_default_route);
}

class Doctor {
public:
	explicit Doctor(const Examination &seen) : seen_(seen), name_(seen.device.name) {}

	std::vector<Finding> run()
	{
		interface_itself();
		for (const Peer &peer : seen_.device.peers) {
			way_to_endpoint(peer);
			silence(peer);
			return_routes(peer);
			packet_size(peer);
		}
		overlaps();
		forwarding();
		dns();
		return std::move(findings_);
	}

private:
	void find(std::string what, std::string remedy) { findings_.push_back({std::move(what), std::move(remedy)}); }
	std::string called(const Peer &peer) const { return "peer " + describe_peer(peer.public_key, seen_.names); }
	std::string file() const { return seen_.path.value_or("the interface's file"); }
	const Examination::Way *way(const Peer &peer) const
	{
		auto found = seen_.ways.find(peer.public_key);
		return found == seen_.ways.end() ? nullptr : &found->second;
	}

	void interface_itself()
	{
		if (seen_.is_open_to_the_world)
			find(file() + " holds a private key and everybody may read it", "chmod 600 " + file());
		if (!seen_.is_up)
			find(name_ + " is down", "ip link set " + name_ + " up");
		if (!seen_.device.private_key || seen_.device.private_key->is_zero())
			find(name_ + " has no private key", "set PrivateKey in " + file() + " and run wgctl apply " + name_);
		bool is_unset = seen_.now < EARLIEST_TIME;
		bool went_back = std::any_of(seen_.device.peers.begin(), seen_.device.peers.end(),
					     [this](const Peer &peer) { return peer.last_handshake.seconds > seen_.now + 1; });
		if (is_unset || went_back)
			find(is_unset ? "the clock was never set; peers that have seen a later one refuse handshakes from here"
				      : "the clock went back behind the last handshake; peers refuse handshakes from here until it catches up",
			     "set the clock, for example with timedatectl set-ntp true");
	}

	void way_to_endpoint(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (!peer.endpoint || !found)
			return;
		std::string endpoint(format_endpoint(*peer.endpoint));
		if (!found->link)
			find("there is no route to " + endpoint + ", the endpoint of " + called(peer),
			     "connect this machine to the network, or add a route to that address");
		else if (*found->link == name_ && !seen_.device.fwmark.value_or(0))
			find("packets to " + endpoint + ", the endpoint of " + called(peer) + ", go into the tunnel itself: it is inside allowed IPs",
			     "set FwMark in " + file() + " and let wgctl up make the default route, or take the address out of AllowedIPs");
		else if (*found->link == name_)
			find("packets to " + endpoint + ", the endpoint of " + called(peer) + ", go into the tunnel although they carry a mark",
			     "wgctl down " + name_ + " and wgctl up " + name_ + " set the rule for that mark again");
	}

	/* It sends, and no session comes of it. */
	void silence(const Peer &peer)
	{
		bool is_alive = peer.last_handshake.seconds && seen_.now - peer.last_handshake.seconds <= SESSION_LIFE;
		const Examination::Way *found = way(peer);

		if (is_alive || !peer.endpoint || !peer.tx_bytes || (found && (!found->link || *found->link == name_)))
			return;
		for (const DropReason &reason : DROPS) {
			std::uint64_t count = drops_of(seen_, reason.name);
			if (!count)
				continue;
			return find(called(peer) + " has no session; " + std::to_string(count) + " packets came in and were dropped: " +
					    std::string(reason.meaning),
				    std::string(reason.remedy));
		}
		std::string since = peer.last_handshake.seconds ? " since " + std::to_string(seen_.now - peer.last_handshake.seconds) + " s" : "";
		std::string key = seen_.device.public_key ? std::string(to_base64(*seen_.device.public_key)) : "this interface's public key";
		find("no reply at all from " + called(peer) + " at " + std::string(format_endpoint(*peer.endpoint)) + since,
		     "check there that WireGuard listens on that port, that no firewall stops UDP, and that it knows " + key);
	}

	void return_routes(const Peer &peer)
	{
		if (seen_.is_routing_off)
			return;
		for (const Prefix &allowed : peer.allowed_ips)
			if (std::none_of(seen_.routes.begin(), seen_.routes.end(), [&](const Prefix &route) { return covers(route, allowed); }))
				find("there is no route over " + name_ + " to " + format_prefix(allowed) + " of " + called(peer) +
					     ": answers to it go elsewhere",
				     "ip route add " + format_prefix(allowed) + " dev " + name_);
	}

	void packet_size(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (!peer.endpoint || !found || !found->mtu || (found->link && *found->link == name_))
			return;
		std::uint32_t overhead = peer.endpoint->any.sa_family == AF_INET6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
		std::uint32_t fits = *found->mtu > overhead ? *found->mtu - overhead : 0;
		if (seen_.mtu > fits)
			find("the MTU of " + name_ + ", " + std::to_string(seen_.mtu) + ", is too big: the path to " + called(peer) + " takes " +
				     std::to_string(fits) + " inside the tunnel",
			     "set MTU = " + std::to_string(fits) + " in " + file());
	}

	/* The device gives an allowed IP to the last peer that claims it, so only the file shows this. */
	void overlaps()
	{
		if (!seen_.wanted)
			return;
		std::map<std::string, const Peer *> owners;
		for (const Peer &peer : seen_.wanted->peers)
			for (const Prefix &allowed : peer.allowed_ips) {
				std::string prefix = format_prefix(network_part(allowed));
				auto [owner, is_new] = owners.emplace(prefix, &peer);
				if (!is_new && owner->second->public_key != peer.public_key)
					find(called(*owner->second) + " and " + called(peer) + " both claim " + prefix + "; only the last one gets it",
					     "leave it to one of them in " + file());
			}
	}

	/* A machine with several peers, none of which is its way to everywhere, is a hub. */
	void forwarding()
	{
		if (seen_.device.peers.size() < 2 || any_default_route(seen_.device))
			return;
		auto uses = [this](std::uint16_t family) {
			return std::count_if(seen_.device.peers.begin(), seen_.device.peers.end(), [family](const Peer &peer) {
				return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(),
						   [family](const Prefix &prefix) { return prefix.family == family; });
			}) > 1;
		};
		if (seen_.forwards_ipv4 == false && uses(AF_INET))
			find("forwarding of IPv4 is off: the peers reach this machine, but not each other", "sysctl -w net.ipv4.ip_forward=1");
		if (seen_.forwards_ipv6 == false && uses(AF_INET6))
			find("forwarding of IPv6 is off: the peers reach this machine, but not each other",
			     "sysctl -w net.ipv6.conf.all.forwarding=1");
	}

	void dns()
	{
		if (!any_default_route(seen_.device))
			return;
		for (const auto &[server, link] : seen_.name_servers)
			if (link && *link != name_ && *link != "lo")
				find("all traffic goes through the tunnel, but questions to the name server " + server + " leave by " + *link,
				     "set DNS in [Interface] of " + file() + " to a server behind the tunnel");
	}

	const Examination &seen_;
	const std::string &name_;
	std::vector<Finding> findings_;
};

std::optional<bool> is_on(const std::string &path, Files &files)
{
	try {
		return files.read(path, SMALL_FILE).starts_with('1');
	} catch (const Failure &) {
		return {};
	}
}

/* Behind systemd-resolved's stub are the servers it asks. */
std::vector<std::string> name_servers(Files &files)
{
	std::vector<std::string> servers;

	for (const char *path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
		servers.clear();
		try {
			Text text = files.read(path, SMALL_FILE);
			for_each_line(text, [&](std::string_view line) {
				constexpr std::string_view WORD = "nameserver";
				std::size_t start = line.starts_with(WORD) ? line.find_first_not_of(" \t", WORD.size()) : line.npos;
				if (start != line.npos && start > WORD.size())
					servers.emplace_back(line.substr(start, line.find_first_of(" \t\r#", start) - start));
			});
		} catch (const Failure &) {
			/* Without that file there are none to judge. */
		}
		if (servers.size() != 1 || !servers[0].starts_with("127."))
			break;
	}
	return servers;
}

void read_file(Examination &seen, World &world)
{
	const std::string path = "/etc/wireguard/" + seen.device.name + ".conf";

	if (!world.host.store.exists(path))
		return;
	seen.path = path;
	seen.is_open_to_the_world = world.host.store.is_open_to_the_world(path);
	QuickConfig config = read_quick_config(path, world);
	seen.names = parse_peer_names(config.text);
	seen.is_routing_off = config.routing == Routing::off;
	seen.wanted = parse_without_lookup(config, world);
}

}

std::vector<Finding> diagnose(const Examination &examination)
{
	return Doctor(examination).run();
}

Examination examine(const std::string &interface, Probing probing, World &world)
{
	Examination seen;
	Host &host = world.host;

	seen.device = world.devices.get(interface);
	seen.device.name = interface;
	seen.now = world.clock.now();
	seen.is_up = host.network.is_up(interface);
	seen.mtu = host.network.mtu(interface);
	seen.addresses = host.network.addresses(interface);
	seen.counters = host.network.statistics(interface);
	seen.routes = host.network.main_routes(interface);
	for (const Route &route : host.network.added_routes(interface))
		seen.routes.push_back(route.destination);
	read_file(seen, world);
	seen.forwards_ipv4 = is_on("/proc/sys/net/ipv4/ip_forward", world.files);
	seen.forwards_ipv6 = is_on("/proc/sys/net/ipv6/conf/all/forwarding", world.files);
	std::uint32_t mark = seen.device.fwmark.value_or(0);
	for (const Peer &peer : seen.device.peers) {
		if (!peer.endpoint)
			continue;
		Examination::Way &way = seen.ways[peer.public_key];
		way.link = host.lookout.way_to(*peer.endpoint, mark);
		if (!way.link || *way.link == interface)
			continue;
		/* The plain route's MTU: with a mark, that of the link packets really leave by. */
		way.mtu = mark ? std::optional(host.network.mtu(*way.link)) : host.network.path_mtu(single(*peer.endpoint));
		if (probing == Probing::paths && way.mtu)
			way.mtu = host.lookout.probe_mtu(*peer.endpoint, mark, *way.mtu).value_or(*way.mtu);
	}
	for (const std::string &server : name_servers(world.files))
		for (const Endpoint &endpoint : host.lookout.addresses_of(server, "53"))
			seen.name_servers[server] = host.lookout.way_to(endpoint, 0);
	return seen;
}

}
