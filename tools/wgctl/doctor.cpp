// SPDX-License-Identifier: GPL-2.0
#include "doctor.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "pool.h"
#include "quick.h"
#include "quick_config.h"
#include "values.h"
#include "visit.h"

namespace wgctl {

namespace {

/* Earlier than this program: such a clock was never set. 2025-01-01. */
constexpr std::int64_t EARLIEST_TIME = 1'735'689'600;
constexpr std::size_t SMALL_FILE = 65536;
/* A handshake that was begun just before is tried again after 5 s: [WG §6.4], REKEY_TIMEOUT. */
/* Of packets inside: one that gets through anywhere; what IPv4 and IPv6 ask of everybody; how finely to
 * look between those, and above. */
constexpr std::uint32_t SHORT_PACKET = 100, LEAST_IPV4 = 576, LEAST_IPV6 = 1280, STEPS_BELOW = 8, STEPS_ABOVE = 14;
constexpr std::size_t ECHOES_AT_ONCE = 256, ADDRESSES_ASKED = 2;
constexpr std::int64_t ANSWER_TIME = 6'000, LOOK_EVERY = 250;
/* IP and UDP headers, and WireGuard's 32 bytes. */
constexpr std::uint32_t OVERHEAD_IPV4 = 60, OVERHEAD_IPV6 = 80;
constexpr std::string_view DROP = "drop-", WRONG_SOURCE = "drop-wrong-source";

/* Reasons that end what a side without session sent here; others are about what leaves. */
struct DropReason {
	std::string_view name, meaning, remedy;
};
constexpr std::array DROPS{
	DropReason{"bad-mac1", "they were made for another public key", "give the other side this interface's public key"},
	DropReason{"unknown-peer", "their sender is no peer here", "add the sender's public key as [Peer]"},
	DropReason{"bad-handshake", "they do not decrypt", "compare public keys and PresharedKey on both sides"},
	DropReason{"old-timestamp", "their sender's clock went back", "set the other side's clock, or remove and add the peer here"},
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

/* The lower half of a prefix, or the upper one. */
Prefix half(Prefix prefix, unsigned which)
{
	prefix = network_of(prefix);
	prefix.address[prefix.cidr / 8] = static_cast<std::uint8_t>(prefix.address[prefix.cidr / 8] | which << (7 - prefix.cidr % 8));
	++prefix.cidr;
	return prefix;
}

const Peer *wanted_peer(const Examination &seen, const Key &key)
{
	return seen.wanted ? peer_with(key, seen.wanted->peers) : nullptr;
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
		wrong_sources();
		overlaps();
		forwarding();
		dns();
		return std::move(findings_);
	}

private:
	void find(std::string what, std::string remedy) { findings_.push_back({std::move(what), std::move(remedy)}); }
	std::string called(const Peer &peer) const { return "peer " + describe_peer(peer.public_key, seen_.names); }
	std::string file() const { return seen_.path.value_or("the interface's file"); }
	/* What other commands are told to do something with it. */
	std::string itself() const
	{
		bool is_usual = !seen_.path || *seen_.path == "/etc/wireguard/" + name_ + ".conf";
		return shell_word(is_usual ? name_ : *seen_.path) + seen_.options;
	}
	/* After an edit of the file. */
	std::string applied() const { return " and run wgctl apply " + itself(); }
	/* A command that must run where the interface is. */
	std::string there(const std::string &command) const { return seen_.prefix + command; }
	const Examination::Way *way(const Peer &peer) const
	{
		auto found = seen_.ways.find(peer.public_key);
		return found == seen_.ways.end() ? nullptr : &found->second;
	}

	void interface_itself()
	{
		if (seen_.is_open_to_the_world)
			find(file() + " holds a private key and everybody may read it", "chmod 600 " + shell_word(file()));
		if (!seen_.file_trouble.empty())
			find("the file cannot be used: " + seen_.file_trouble, "correct it; wgctl apply --dry-run " + itself() + " reads it again");
		if (!seen_.is_up)
			/* With the link went its IPv6 addresses and its routes. */
			find(name_ + " is down", seen_.wanted ? "wgctl apply " + itself() : there("ip link set " + shell_word(name_) + " up"));
		if (!seen_.device.private_key || seen_.device.private_key->is_zero())
			find(name_ + " has no private key", "set PrivateKey in " + file() + applied());
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
		else if (found->is_tunnel)
			find("packets to " + endpoint + ", the endpoint of " + called(peer) + ", go into the tunnel " +
				     (seen_.device.fwmark.value_or(0) ? "although they carry a mark" : "itself: it is inside allowed IPs"),
			     way_past_the_tunnel(single(*peer.endpoint)));
	}

	/* Only a default route goes by the mark; one that is longer takes marked packets, too. */
	std::string way_past_the_tunnel(const Prefix &address) const
	{
		const Prefix *longest = nullptr;

		for (const Peer &peer : seen_.device.peers)
			for (const Prefix &allowed : peer.allowed_ips)
				if (covers(allowed, address) && (!longest || allowed.cidr > longest->cidr))
					longest = &allowed;
		if (!longest || seen_.is_routing_off)
			return "add a route to that address that does not go over " + name_;
		std::string all = address.family == AF_INET6 ? "::/0" : "0.0.0.0/0";
		if (longest->cidr == 1)
			return "write " + all + " instead of its halves into AllowedIPs in " + file() + applied();
		if (longest->cidr)
			return "take " + format_prefix(*longest) + " out of AllowedIPs in " + file() + applied();
		if (!seen_.path)
			return "bring " + name_ + " up from a file with wgctl up, which gives packets to endpoints a mark and a rule";
		return "wgctl down " + itself() + " and wgctl up " + itself() + " set the mark and its rule again";
	}

	/* A silence nobody minds: a peer that is not expected, or that has nothing to say. */
	bool is_missed(const Peer &peer) const
	{
		if (!seen_.asked.empty())
			return seen_.asked.contains(peer.public_key);
		return peer.tx_bytes && (!peer.last_handshake.seconds || peer.persistent_keepalive.value_or(0));
	}

	/* It sends, and no session comes of it. */
	void silence(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (peer.has_session(seen_.now) || !peer.endpoint || !seen_.is_up || !is_missed(peer) ||
		    (found && (!found->link || found->is_tunnel)))
			return;
		for (const DropReason &reason : DROPS) {
			std::uint64_t count = drops_of(seen_, reason.name);
			if (!count)
				continue;
			return find(called(peer) + " has no session; " + std::to_string(count) + " packets came in and were dropped: " +
					    std::string(reason.meaning),
				    std::string(reason.remedy));
		}
		std::string where = called(peer) + " at " + std::string(format_endpoint(*peer.endpoint));
		std::string since = peer.last_handshake.seconds ? " since " + std::to_string(seen_.now - peer.last_handshake.seconds) + " s" : "";
		std::string key = seen_.device.public_key ? std::string(to_base64(*seen_.device.public_key)) : "this interface's public key";
		if (found && found->is_refused)
			return find("nothing listens where " + where + " should: the machine there refuses packets to that port",
				    "start WireGuard there, or correct the port of Endpoint in " + file());
		if (seen_.counters.empty())
			return find("no reply from " + where + since + ", or none that could be used: this module does not count what it drops",
				    "check there that WireGuard listens on that port, that no firewall stops UDP, and that it knows " + key +
					    "; compare public keys and PresharedKey on both sides");
		find("no reply at all from " + where + since,
		     "check there that WireGuard listens on that port, that no firewall stops UDP, and that it knows " + key);
	}

	bool is_routed(const Prefix &prefix) const
	{
		auto covered = [this](const Prefix &part) {
			return std::any_of(seen_.routes.begin(), seen_.routes.end(), [&](const Prefix &route) { return covers(route, part); });
		};
		/* A default route is often two halves of the world, which win over the other one. */
		return covered(prefix) || (prefix.cidr < prefix.bits() && covered(half(prefix, 0)) && covered(half(prefix, 1)));
	}

	void return_routes(const Peer &peer)
	{
		if (seen_.is_routing_off || !seen_.is_up)
			return;
		for (const Prefix &allowed : peer.allowed_ips) {
			/* That may come from anywhere, where somebody else decides what goes there. */
			if (is_routed(allowed) || (is_default_route(allowed) && !seen_.path))
				continue;
			/* A default route takes its mark and rules; without them it would swallow what the tunnel sends. */
			find("there is no route over " + name_ + " to " + format_prefix(allowed) + " of " + called(peer) + ": answers to it go elsewhere",
			     is_default_route(allowed) ? "wgctl apply " + itself()
						       : there("ip route add " + format_prefix(allowed) + " dev " + shell_word(name_)));
		}
	}

	void packet_size(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (!peer.endpoint || !found || !found->mtu || found->is_tunnel)
			return;
		std::uint32_t overhead = peer.endpoint->any.sa_family == AF_INET6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
		std::uint32_t fits = *found->mtu > overhead ? *found->mtu - overhead : 0;
		std::string what = "the MTU of " + name_ + ", " + std::to_string(seen_.mtu) + ", is too big: ";
		if (seen_.mtu > fits)
			what += "the path to " + called(peer) + " takes " + std::to_string(fits) + " inside the tunnel";
		else if (found->largest_inside)
			what += "packets as long get lost between here and " + called(peer) + " without a word; " +
				std::to_string(fits = *found->largest_inside) + " bytes come through";
		if (seen_.mtu > fits)
			find(what,
			     seen_.path ? "set MTU = " + std::to_string(fits) + " in " + file() + applied()
					: there("ip link set " + shell_word(name_) + " mtu " + std::to_string(fits)));
	}

	/* Those it was sent while it was looked: a tunnel that is up, and eats what its peers say. */
	void wrong_sources()
	{
		if (seen_.wrong_sources)
			find(std::to_string(seen_.wrong_sources) +
				     " packets came in just now and were dropped: their inner source address is not among their sender's AllowedIPs",
			     "add the addresses the other side sends from to its AllowedIPs in " + file() + applied());
	}

	/* The device gives an allowed IP to the last peer that claims it, so only the file shows this. */
	void overlaps()
	{
		if (!seen_.wanted)
			return;
		std::map<std::string, const Peer *> owners;
		for (const Peer &peer : seen_.wanted->peers)
			for (const Prefix &allowed : peer.allowed_ips) {
				std::string prefix = format_prefix(network_of(allowed));
				auto [owner, is_new] = owners.emplace(prefix, &peer);
				if (!is_new && owner->second->public_key != peer.public_key)
					find(called(*owner->second) + " and " + called(peer) + " both claim " + prefix + "; only the last one gets it",
					     "leave it to one of them in " + file() + applied());
			}
	}

	/* Peers find the way here, not each other's: it is a hub, whose peers meet in it. */
	bool has_guests(std::uint16_t family) const
	{
		std::size_t users = 0, guests = 0;

		for (const Peer &peer : seen_.device.peers) {
			if (std::none_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), [family](const Prefix &p) { return p.family == family; }))
				continue;
			const Peer *wanted = wanted_peer(seen_, peer.public_key);
			++users;
			if (!wanted || !wanted->endpoint)
				++guests;
		}
		return users > 1 && guests;
	}

	void forwarding()
	{
		if (any_default_route(seen_.device))
			return;
		if (seen_.forwards_ipv4 == false && has_guests(AF_INET))
			find("forwarding of IPv4 is off: the peers reach this machine, but not each other", there("sysctl -w net.ipv4.ip_forward=1"));
		if (seen_.forwards_ipv6 == false && has_guests(AF_INET6))
			find("forwarding of IPv6 is off: the peers reach this machine, but not each other",
			     there("sysctl -w net.ipv6.conf.all.forwarding=1"));
	}

	void dns()
	{
		if (!any_default_route(seen_.device))
			return;
		for (const auto &[server, link] : seen_.name_servers)
			if (link && *link != name_ && *link != "lo")
				find("all traffic goes through the tunnel, but questions to the name server " + server + " leave by " + *link,
				     "set DNS in [Interface] of " + file() + " to a server behind the tunnel," + applied());
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

/* That of the interface counts; an interface that has none of its own takes the machine's. */
std::optional<bool> forwards(const std::string &version, const std::string &interface, Files &files)
{
	const std::string folder = "/proc/sys/net/" + version + "/conf/";
	std::optional<bool> own = is_on(folder + interface + "/forwarding", files);

	return own ? own : is_on(folder + "all/forwarding", files);
}

std::vector<std::string> servers_in(const std::string &path, Files &files)
{
	constexpr std::string_view WORD = "nameserver";
	std::vector<std::string> servers;

	try {
		Text text = files.read(path, SMALL_FILE);
		for_each_line(text, [&](std::string_view line) {
			std::size_t start = line.starts_with(WORD) ? line.find_first_not_of(" \t", WORD.size()) : line.npos;
			if (start != line.npos && start > WORD.size())
				servers.emplace_back(line.substr(start, line.find_first_of(" \t\r#", start) - start));
		});
	} catch (const Failure &) {
		/* Without that file there are none to judge. */
	}
	return servers;
}

/* Behind systemd-resolved's stub are the servers it asks. If it does not tell: those of the file, to
 * which `up' sends all questions, or else those of the machine's other links. */
std::vector<std::string> name_servers(const Patient &patient, const std::vector<std::string> &own, World &world)
{
	const std::string of_namespace = "/etc/netns/" + patient.placement.home_name + "/resolv.conf";

	if (!patient.placement.home_name.empty() && world.host.store.exists(of_namespace))
		return servers_in(of_namespace, world.files);
	/* Somebody's namespace: what its programs read is not known. */
	if (!patient.placement.is_here && patient.placement.home_name.empty() && patient.root.empty())
		return {};
	std::vector<std::string> servers = servers_in(patient.root + "/etc/resolv.conf", world.files);
	if (servers.size() != 1 || !servers[0].starts_with("127.") || !patient.root.empty())
		return servers;
	try {
		if (std::optional<std::vector<std::string>> asked = world.host.dns.asked())
			return *asked;
	} catch (const Failure &) {
		/* It is guessed, then. */
	}
	return own.empty() ? servers_in("/run/systemd/resolve/resolv.conf", world.files) : own;
}

/* Returns the name servers it has. */
std::vector<std::string> read_file(const std::string &path, Examination &seen, World &world)
{
	if (!world.host.store.exists(path))
		return {};
	seen.path = path;
	seen.is_open_to_the_world = world.host.store.is_open_to_the_world(path);
	try {
		QuickConfig config = read_quick_config(path, world);
		seen.names = parse_peer_names(config.text);
		seen.is_routing_off = config.routing == Routing::off;
		seen.wanted = parse_without_lookup(config, world);
		return config.dns_servers;
	} catch (const Failure &failure) {
		seen.file_trouble = failure.text;
		return {};
	}
}

/* Somewhere behind the peer. */
Endpoint inside_of(const Peer &peer, const Prefix &allowed)
{
	constexpr std::uint16_t DISCARD = 9;
	Endpoint address;
	Prefix prefix = network_of(allowed);

	/* All the world is behind it: then where its endpoint is, or what is nobody's (RFC 3849, 5737). */
	if (is_default_route(prefix))
		prefix = peer.endpoint->any.sa_family == prefix.family ? single(*peer.endpoint)
			 : prefix.family == AF_INET6		       ? parse_address("2001:db8::1")
								       : parse_address("192.0.2.1");
	else if (prefix.cidr < prefix.bits())
		prefix.address[prefix.bits() / 8 - 1] |= 1;
	if (prefix.family == AF_INET6) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(DISCARD);
		std::copy_n(prefix.address.begin(), 16, address.v6.sin6_addr.s6_addr);
	} else {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(DISCARD);
		std::copy_n(prefix.address.begin(), 4, reinterpret_cast<std::uint8_t *>(&address.v4.sin_addr));
	}
	return address;
}

/* From what everybody takes to just below `mtu`, which is larger. */
std::vector<std::uint32_t> sizes_below(std::uint32_t mtu)
{
	std::vector<std::uint32_t> sizes;
	auto add = [&](std::uint32_t from, std::uint32_t to, std::uint32_t steps) {
		for (std::uint32_t step = 0; step < steps; ++step)
			sizes.push_back(from + (to - from) * step / steps);
	};

	add(LEAST_IPV4, std::min(mtu, LEAST_IPV6), STEPS_BELOW);
	if (mtu > LEAST_IPV6)
		add(LEAST_IPV6, mtu, STEPS_ABOVE);
	return sizes;
}

class Examiner {
public:
	Examiner(const Patient &patient, World &world) : patient_(patient), world_(world), host_(world.host) {}

	Examination run(Probing probing)
	{
		host_.namespaces.enter(patient_.placement.home);
		seen_.device = present_device();
		seen_.now = world_.clock.now();
		seen_.options = patient_.placement.options;
		seen_.prefix = patient_.placement.prefix;
		interface_itself();
		std::vector<std::string> servers = name_servers(patient_, read_file(patient_.path, seen_, world_), world_);
		for (const std::string &server : servers)
			for (const Endpoint &endpoint : host_.lookout.addresses_of(server, "53"))
				seen_.name_servers[server] = host_.lookout.way_to(endpoint, 0);
		{
			Visit visit(patient_.placement.birth, host_.namespaces);
			ways();
		}
		if (probing == Probing::paths)
			probe();
		return std::move(seen_);
	}

private:
	void interface_itself()
	{
		const std::string &name = patient_.interface;

		seen_.is_up = host_.network.is_up(name);
		seen_.mtu = host_.network.mtu(name);
		seen_.counters = host_.network.statistics(name);
		seen_.routes = host_.network.main_routes(name);
		for (const Route &route : host_.network.added_routes(name))
			seen_.routes.push_back(route.destination);
		seen_.forwards_ipv4 = forwards("ipv4", name, world_.files);
		seen_.forwards_ipv6 = forwards("ipv6", name, world_.files);
	}

	/* A link of this name in another namespace is another one. */
	bool is_tunnel(const std::string &link) const { return link == patient_.interface && !patient_.placement.is_apart(); }

	void ways()
	{
		std::uint32_t mark = seen_.device.fwmark.value_or(0);

		for (const Peer &peer : seen_.device.peers) {
			if (!peer.endpoint)
				continue;
			Examination::Way &way = seen_.ways[peer.public_key];
			way.link = host_.lookout.way_to(*peer.endpoint, mark);
			way.is_tunnel = way.link && is_tunnel(*way.link);
			/* The plain route's MTU: with a mark, that of the link packets really leave by. */
			if (way.link && !way.is_tunnel)
				way.mtu = mark ? std::optional(host_.network.mtu(*way.link)) : host_.network.path_mtu({single(*peer.endpoint)});
		}
	}

	/* Not those that may be switched off: clients of a hub, which find the way here themselves. Without a
	 * file nothing tells whether it was so; what was heard from, beside others, is taken for one. */
	bool is_expected(const Peer &peer) const
	{
		if (peer.persistent_keepalive.value_or(0))
			return true;
		if (const Peer *wanted = wanted_peer(seen_, peer.public_key))
			return wanted->endpoint.has_value();
		return !peer.last_handshake.seconds || seen_.device.peers.size() == 1;
	}

	bool is_missing(const Peer &peer) const
	{
		return seen_.asked.contains(peer.public_key) && !peer.has_session(world_.clock.now());
	}

	void ask()
	{
		for (const Peer &peer : seen_.device.peers) {
			auto way = seen_.ways.find(peer.public_key);
			if (peer.has_session(seen_.now) || !is_expected(peer) || way == seen_.ways.end() || !way->second.mtu || !seen_.is_up)
				continue;
			for (const Prefix &allowed : peer.allowed_ips)
				if (host_.lookout.knock(patient_.interface, inside_of(peer, allowed))) {
					seen_.asked.insert(peer.public_key);
					break;
				}
		}
	}

	void probe()
	{
		std::vector<Counter> before = std::move(seen_.counters);
		std::int64_t end = world_.clock.monotonic() + ANSWER_TIME;

		ask();
		{
			Visit visit(patient_.placement.birth, host_.namespaces);
			probe_paths();
		}
		auto any_missing = [this] {
			return std::any_of(seen_.device.peers.begin(), seen_.device.peers.end(), [this](const Peer &p) { return is_missing(p); });
		};
		/* Looked at once more in any case: the answers are in by now. */
		if (any_missing())
			seen_.device = present_device();
		while (any_missing() && world_.clock.monotonic() < end) {
			world_.clock.sleep(LOOK_EVERY);
			seen_.device = present_device();
		}
		seen_.now = world_.clock.now();
		probe_inside();
		seen_.counters = host_.network.statistics(patient_.interface);
		/* What was dropped before has other reasons, maybe. */
		for (Counter &counter : seen_.counters)
			for (const Counter &old : before) {
				if (old.name != counter.name)
					continue;
				std::uint64_t since = counter.value - std::min(counter.value, old.value);
				if (counter.name == WRONG_SOURCE)
					seen_.wrong_sources = since;
				if (!seen_.asked.empty())
					counter.value = since;
			}
	}

	Device present_device()
	{
		Device device = world_.devices.get(patient_.interface);

		device.name = patient_.interface;
		return device;
	}

	void probe_paths()
	{
		std::vector<PathProbe> probes;
		std::vector<Examination::Way *> ways;

		for (const Peer &peer : seen_.device.peers) {
			auto way = seen_.ways.find(peer.public_key);
			if (way == seen_.ways.end() || !way->second.mtu)
				continue;
			probes.push_back({*peer.endpoint, *way->second.mtu, {}, false});
			ways.push_back(&way->second);
		}
		host_.lookout.probe(probes, seen_.device.fwmark.value_or(0));
		for (std::size_t i = 0; i < probes.size(); ++i) {
			ways[i]->mtu = probes[i].mtu ? probes[i].mtu : ways[i]->mtu;
			ways[i]->is_refused = probes[i].is_refused;
		}
	}

	/* Not every path says what it does not take. Whoever answers short packets should answer long ones. */
	void probe_inside()
	{
		std::map<Key, EchoProbe> narrow;

		if (seen_.mtu > LEAST_IPV4)
			narrow = ask_inside({SHORT_PACKET, seen_.mtu}, [this](const Peer &peer) { return peer.has_session(seen_.now); });
		std::erase_if(narrow, [](const auto &one) { return one.second.answered != SHORT_PACKET; });
		if (narrow.empty())
			return;
		for (const auto &[key, probe] : ask_inside(sizes_below(seen_.mtu), [&](const Peer &peer) { return narrow.contains(peer.public_key); }))
			seen_.ways[key].largest_inside = probe.answered;
	}

	/* Of several addresses behind a peer, the one that answered most. */
	template<class Condition>
	std::map<Key, EchoProbe> ask_inside(const std::vector<std::uint32_t> &sizes, Condition counts)
	{
		std::vector<EchoProbe> probes;
		std::vector<Key> keys;
		std::map<Key, EchoProbe> found;

		for (const Peer &peer : seen_.device.peers) {
			auto way = seen_.ways.find(peer.public_key);
			if (way == seen_.ways.end() || way->second.is_tunnel || !counts(peer) || probes.size() + ADDRESSES_ASKED > ECHOES_AT_ONCE)
				continue;
			for (std::size_t i = 0; i < std::min(peer.allowed_ips.size(), ADDRESSES_ASKED); ++i) {
				probes.push_back({inside_of(peer, peer.allowed_ips[i]), sizes, {}});
				keys.push_back(peer.public_key);
			}
		}
		if (!probes.empty())
			host_.lookout.echo(patient_.interface, probes);
		for (std::size_t i = 0; i < probes.size(); ++i) {
			auto [one, is_new] = found.emplace(keys[i], probes[i]);
			if (one->second.answered < probes[i].answered)
				one->second = probes[i];
		}
		return found;
	}

	const Patient &patient_;
	World &world_;
	Host &host_;
	Examination seen_;
};

}

std::vector<Finding> diagnose(const Examination &examination)
{
	return Doctor(examination).run();
}

Examination examine(const Patient &patient, Probing probing, World &world)
{
	return Examiner(patient, world).run(probing);
}

}
