// SPDX-License-Identifier: GPL-2.0
#include "tunnel/examination.h"

#include <algorithm>
#include <array>

#include "config/edit.h"
#include "config/quick_config.h"
#include "host/resolv_conf.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/forwarding.h"
#include "tunnel/inside.h"
#include "tunnel/interface_dns.h"
#include "tunnel/kill_switch.h"
#include "tunnel/visit.h"

namespace wgctl {

namespace {

constexpr std::size_t SMALL_FILE = 65536;
/* Of packets inside: one that gets through anywhere; what IPv4 and IPv6 ask of everybody; how finely to
 * look between those, and above. */
constexpr std::uint32_t SHORT_PACKET = 100, LEAST_IPV4 = 576, LEAST_IPV6 = 1280, STEPS_BELOW = 8, STEPS_ABOVE = 14;
constexpr std::size_t ECHOES_AT_ONCE = 256, ADDRESSES_ASKED = 2;
/* A handshake that was begun just before is tried again after 5 s: [WG §6.4], REKEY_TIMEOUT. */
constexpr std::int64_t ANSWER_TIME = 6'000, LOOK_EVERY = 250;
constexpr std::string_view WRONG_SOURCE = "drop-wrong-source";
/* Where default routes, and others that are as good as those, lead: places far from each other, and from any network of one's own. */
constexpr unsigned LEAST_LENGTH = 8;
constexpr std::array WORLD{"9.9.9.9", "73.0.0.1", "137.0.0.1", "201.0.0.1", "2003::1", "2600::1", "2a00::1", "3800::1"};
/* These lead by whatever link a program names. */
constexpr std::array OF_EACH_LINK{"169.254.0.0/16", "224.0.0.0/4", "fe80::/10", "ff00::/8"};

/* What cannot be read says nothing. */
Text text_of(const std::string &path, Files &files)
{
	try {
		return files.read(path, SMALL_FILE);
	} catch (const Failure &) {
		return {};
	}
}

std::optional<bool> is_on(const std::string &path, Files &files)
{
	Text text = text_of(path, files);

	return text.empty() ? std::nullopt : std::optional(text[0] == '1');
}

/* That of the interface counts; an interface that has none of its own takes the machine's. */
std::optional<bool> forwards(const std::string &version, const std::string &interface, Files &files)
{
	const std::string folder = "/proc/sys/net/" + version + "/conf/";
	std::optional<bool> own = is_on(folder + interface + "/forwarding", files);

	return own ? own : is_on(folder + "all/forwarding", files);
}

/* The reverse path filter's count, of a list of names and one of values. */
std::uint64_t reverse_path_drops(Files &files)
{
	constexpr std::string_view NAME = "IPReversePathFilter";
	std::vector<std::string> names;
	std::uint64_t count = 0;

	for_each_line(text_of("/proc/net/netstat", files), [&](std::string_view line) {
		std::vector<std::string> words = list_items(line);
		for (std::size_t i = 0; i < std::min(words.size(), names.size()); ++i)
			if (names[i] == NAME)
				count = parse_number<std::uint64_t>(words[i]).value_or(count);
		names = words;
	});
	return count;
}

/* Of the machine and the interface, the stricter counts: 0 is off, 1 strict, 2 loose, which is more than strict. */
bool is_reverse_path_strict(const std::string &interface, Files &files)
{
	char setting = '0';

	for (const std::string &name : {std::string("all"), interface})
		setting = std::max(setting, text_of("/proc/sys/net/ipv4/conf/" + name + "/rp_filter", files).append("0")[0]);
	return setting == '1';
}

std::vector<std::string> servers_in(const std::string &root, const std::string &path, Files &files)
{
	try {
		return parse_resolv_conf(root.empty() ? text_of(path, files) : files.read_within(root, path, SMALL_FILE)).servers;
	} catch (const Failure &) {
		/* Without that file there are none to judge. */
		return {};
	}
}

/* Behind systemd-resolved's stub are the servers it asks. If it does not tell: those of the file, to
 * which `up' sends all questions, or else those of the machine's other links. */
std::vector<std::string> name_servers(const Patient &patient, const std::vector<std::string> &own, World &world)
{
	const std::string of_namespace = "/etc/netns/" + patient.placement.home_name + "/resolv.conf";

	if (!patient.placement.home_name.empty() && world.host.store.exists(of_namespace))
		return servers_in("", of_namespace, world.files);
	/* Somebody's namespace: what its programs read is not known. */
	if (!patient.placement.is_here && patient.placement.home_name.empty() && patient.root.empty())
		return {};
	std::vector<std::string> servers = servers_in(patient.root, "/etc/resolv.conf", world.files);
	if (servers.size() != 1 || !servers[0].starts_with("127.") || !patient.root.empty())
		return servers;
	try {
		if (std::optional<std::vector<std::string>> asked = world.host.dns.asked())
			return *asked;
	} catch (const Failure &) {
		/* It is guessed, then. */
	}
	return own.empty() ? servers_in("", "/run/systemd/resolve/resolv.conf", world.files) : own;
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
		KillSwitch kill_switch(patient_.interface, world_);
		seen_.options = patient_.placement.options;
		if (kill_switch.is_closed()) {
			seen_.kill_switch = kill_switch.table();
			seen_.is_missing = !contains(world_.devices.names(), patient_.interface);
			seen_.device.name = patient_.interface;
		}
		if (seen_.is_missing)
			return std::move(seen_);
		seen_.device = present_device();
		seen_.now = world_.clock.now();
		seen_.prefix = patient_.placement.prefix;
		interface_itself();
		read_file();
		bool is_by_mark = config_ && config_->routing == Routing::automatic;
		if (is_by_mark && !patient_.placement.is_apart() && seen_.is_up)
			default_routes();
		inner_ways(is_by_mark);
		if (seen_.wanted)
			differences();
		dns();
		{
			Visit visit(patient_.placement.birth, host_.namespaces);
			binding();
			ways();
			if (probing == Probing::paths)
				look_up();
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
		seen_.added_routes = host_.network.added_routes(name);
		for (const Route &route : seen_.added_routes)
			seen_.routes.push_back(route.destination);
		seen_.other_addresses = host_.network.other_addresses(name);
		seen_.forwards_ipv4 = forwards("ipv4", name, world_.files);
		seen_.forwards_ipv6 = forwards("ipv6", name, world_.files);
		seen_.is_reverse_path_strict = is_reverse_path_strict(name, world_.files);
	}

	void read_file()
	{
		const std::string &path = patient_.path;
		KillSwitch kill_switch(patient_.interface, world_);

		if (!host_.store.exists(path))
			return;
		seen_.path = path;
		seen_.is_open_to_the_world = host_.store.is_open_to_the_world(path);
		try {
			config_ = read_quick_config(path, world_);
			seen_.names = parse_peer_names(config_->text);
			seen_.is_routing_off = config_->routing == Routing::off;
			seen_.is_isolating = contains(values_of(config_->text, {}, "Isolated", Spelled::as_comment), std::string("yes"));
			std::uint32_t mark = patient_.placement.is_apart() ? 0 : seen_.device.fwmark.value_or(0);
			if (config_->kill_switch && !kill_switch.is_closed_as(mark, config_->kill_switch_except))
				seen_.lost_parts.push_back("nftables table " + kill_switch.table());
			if (config_->forwards())
				seen_.lost_forwarding = Forwarding(patient_.interface, world_).missing_parts(forwarding_wishes(*config_));
			seen_.wanted = parse_without_lookup(*config_, world_);
		} catch (const Failure &failure) {
			seen_.file_trouble = failure.text;
		}
	}

	/* What counts is where packets go, whatever routes there are: a rule may come first, a longer route, another tunnel.
	 * In a table of the user's own, and where nothing is known of a default route, that is the user's business. */
	void inner_ways(bool is_by_mark)
	{
		if (!seen_.is_up || (config_ && config_->routing == Routing::numbered))
			return;
		for (const Peer &peer : seen_.device.peers)
			for (const Prefix &allowed : peer.allowed_ips) {
				if (std::any_of(OF_EACH_LINK.begin(), OF_EACH_LINK.end(), [&](const char *network) { return covers(parse_address(network), allowed); }) ||
				    (is_default_route(allowed) && !is_by_mark))
					continue;
				if (allowed.cidr >= LEAST_LENGTH)
					inner_way(allowed, inside_of(peer, allowed));
				for (const char *place : WORLD)
					if (allowed.cidr < LEAST_LENGTH && covers(allowed, parse_address(place)))
						inner_way(allowed, endpoint_of(parse_address(place), 0));
			}
	}
	void inner_way(const Prefix &allowed, const Endpoint &inside)
	{
		std::string link = host_.network.way_to(inside, 0).value_or("");

		/* An address of this machine. */
		if (link != patient_.interface && link != "lo")
			seen_.elsewhere.emplace(allowed, link);
	}

	void differences()
	{
		auto differs = [this](const std::string &what) { seen_.differences.push_back(what); };
		PeerIndex present(seen_.device.peers);
		std::vector<Prefix> addresses = host_.network.addresses(patient_.interface);
		Key key = seen_.wanted->private_key.value_or(Key()), key_now = seen_.device.private_key.value_or(Key());
		std::map<Prefix, std::size_t> claims;

		if (!seen_.is_up)
			return;
		if (!key.is_zero() && !key_now.is_zero() && !(key == key_now))
			differs("another private key");
		for (const Address &address : config_->addresses)
			if (!contains(addresses, address.prefix))
				differs("no address " + format_prefix(address.prefix));
		for (const Peer &peer : seen_.wanted->peers)
			for (const Prefix &allowed : peer.allowed_ips)
				++claims[network_of(allowed)];
		for (const Peer &wanted : seen_.wanted->peers) {
			const Peer *peer = present.find(wanted.public_key);
			std::string name = "peer " + describe_peer(wanted.public_key, seen_.names);
			if (!peer && seen_.device.public_key != wanted.public_key)
				differs("no " + name);
			if (!peer)
				continue;
			std::set<Prefix> allowed_now(peer->allowed_ips.begin(), peer->allowed_ips.end());
			for (const Prefix &allowed : wanted.allowed_ips)
				if (claims[network_of(allowed)] == 1 && !allowed_now.contains(network_of(allowed)))
					differs("no allowed IP " + format_prefix(network_of(allowed)) + " of " + name);
		}
	}

	void dns()
	{
		InterfaceDns own(patient_.interface, patient_.placement, world_);
		std::vector<std::string> wanted = config_ ? config_->dns_servers : std::vector<std::string>();

		for (const std::string &server : name_servers(patient_, wanted, world_))
			for (const Endpoint &endpoint : host_.lookout.addresses_of(server, "53"))
				seen_.name_servers[server] = host_.network.way_to(endpoint, 0);
		if (!config_ || !config_->has_dns() || !own.has_place())
			return;
		try {
			std::optional<DnsSettings> now = own.get();
			if (now && canonical(*now) != canonical({wanted, config_->dns_domains}))
				seen_.differences.push_back("DNS is " + describe(canonical(*now)));
		} catch (const Failure &failure) {
			seen_.differences.push_back("DNS is not known: " + failure.text);
		}
		if (!wanted.empty() && patient_.placement.is_here)
			seen_.asked_instead = asked_instead_of(wanted, world_);
	}

	/* All of them, or traffic takes the ordinary way out. */
	void default_routes()
	{
		std::uint32_t mark = seen_.device.fwmark.value_or(0);

		for (std::uint16_t family : FAMILIES) {
			DefaultRoute route(patient_.interface, family, mark, world_);
			bool is_wanted = std::any_of(seen_.device.peers.begin(), seen_.device.peers.end(),
						     [&](const Peer &peer) { return contains(peer.allowed_ips, route.prefix()); });
			if (is_wanted && !mark)
				seen_.lost_parts.push_back("fwmark for " + format_prefix(route.prefix()));
			if (!is_wanted || !mark)
				continue;
			try {
				for (const DefaultRoute::Fault &fault : route.faults(host_.network.addresses(patient_.interface)))
					seen_.lost_parts.push_back(fault.what + (fault.after ? " " + *fault.after : ""));
			} catch (const Failure &failure) {
				seen_.lost_parts.push_back("not known of " + format_prefix(route.prefix()) + ": " + failure.text);
			}
		}
	}

	/* Of peers that cannot be reached; the others do not need their names. */
	void look_up()
	{
		std::vector<Peer> peers = seen_.wanted ? seen_.wanted->peers : std::vector<Peer>();

		std::erase_if(peers, [this](const Peer &wanted) {
			const Peer *peer = peer_with(wanted.public_key, seen_.device.peers);
			return peer && peer->has_session(seen_.now);
		});
		seen_.unknown_names = look_up_names(peers, Patience::none, world_);
	}

	/* A link of this name in another namespace is another one. */
	bool is_tunnel(const std::string &link) const { return link == patient_.interface && !patient_.placement.is_apart(); }

	void binding()
	{
		const Binding bound = seen_.device.binding.value_or(Binding());

		seen_.lacks_bound_link = !bound.link.empty() && !host_.network.has_link(bound.link);
		if (bound.address.empty())
			return;
		auto all = host_.network.other_addresses("");
		seen_.lacks_bound_address =
			std::none_of(all.begin(), all.end(), [&](const auto &other) { return format_address(other.second) == bound.address; });
	}

	void ways()
	{
		const std::string bound = seen_.device.binding.value_or(Binding()).link;

		for (const Peer &peer : seen_.device.peers) {
			if (!peer.endpoint)
				continue;
			std::uint32_t own = peer.policy.value_or(PeerPolicy()).outer_mark, mark = own ? own : seen_.device.fwmark.value_or(0);
			Examination::Way &way = seen_.ways[peer.public_key];
			way.link = host_.network.way_to(*peer.endpoint, mark, bound);
			way.is_tunnel = way.link && is_tunnel(*way.link);
			/* The plain route's MTU: with a mark, or a bound socket, that of the link packets really leave by. */
			if (way.link && !way.is_tunnel)
				way.mtu = mark || !bound.empty() ? std::optional(host_.network.mtu(*way.link)) : host_.network.path_mtu({address_of(*peer.endpoint)});
		}
	}

	/* Not those that may be switched off: clients of a hub, which find the way here themselves. Without a
	 * file nothing tells whether it was so; what was heard from, beside others, is taken for one. */
	bool is_expected(const Peer &peer) const
	{
		if (peer.persistent_keepalive.value_or(0))
			return true;
		if (const Peer *wanted = seen_.wanted_peer(peer.public_key))
			return wanted->has_endpoint();
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
			bool has_session = peer.has_session(seen_.now);
			if ((!has_session && !is_expected(peer)) || way == seen_.ways.end() || !way->second.mtu || !seen_.is_up)
				continue;
			int error = knock(patient_.interface, peer, host_.lookout);
			if (error == EPERM)
				seen_.shut_out.insert(peer.public_key);
			else if (!error && !has_session)
				seen_.asked.insert(peer.public_key);
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
		reverse_path();
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

	/* While nothing is sent from here: answers to that may be among what is dropped. */
	void reverse_path()
	{
		constexpr std::int64_t QUIET_TIME = 1'000;

		if (!seen_.is_reverse_path_strict)
			return;
		std::uint64_t before = reverse_path_drops(world_.files);
		world_.clock.sleep(QUIET_TIME);
		seen_.reverse_path_drops = reverse_path_drops(world_.files) - before;
	}

	Device present_device()
	{
		Device device = world_.devices.get_with_state(patient_.interface);

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
			probes.push_back({*peer.endpoint, *way->second.mtu, {}, false, false});
			ways.push_back(&way->second);
		}
		host_.lookout.probe(probes, seen_.device.fwmark.value_or(0));
		for (std::size_t i = 0; i < probes.size(); ++i) {
			ways[i]->mtu = probes[i].mtu ? probes[i].mtu : ways[i]->mtu;
			ways[i]->is_refused = probes[i].is_refused;
			ways[i]->is_forbidden = probes[i].is_forbidden;
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
	/* Nothing when there is no file, or none that can be read. */
	std::optional<QuickConfig> config_;
	Examination seen_;
};

}

Examination examine(const Patient &patient, Probing probing, World &world)
{
	return Examiner(patient, world).run(probing);
}

}
