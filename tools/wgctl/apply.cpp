// SPDX-License-Identifier: GPL-2.0
#include "apply.h"

#include <algorithm>
#include <map>

#include "config.h"
#include "host.h"
#include "values.h"

namespace wgctl {

namespace {

Prefix shortened(Prefix prefix, unsigned length)
{
	for (unsigned bit = length; bit < prefix.bits(); ++bit)
		prefix.address[bit / 8] = static_cast<std::uint8_t>(prefix.address[bit / 8] & ~(0x80 >> bit % 8));
	prefix.cidr = static_cast<std::uint8_t>(length);
	return prefix;
}

Prefix network_of(const Prefix &prefix)
{
	return shortened(prefix, prefix.cidr);
}

bool is_within(const Prefix &inner, const Prefix &outer)
{
	return inner.family == outer.family && inner.cidr >= outer.cidr && shortened(inner, outer.cidr) == network_of(outer);
}

bool is_link_local(const Prefix &prefix)
{
	return prefix.family == AF_INET6 && prefix.address[0] == 0xfe && (prefix.address[1] & 0xc0) == 0x80;
}

template<class T>
bool contains(const std::vector<T> &list, const T &item)
{
	return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_there(const std::optional<Key> &key)
{
	return key && !key->is_zero();
}

std::string text_of(const Endpoint &endpoint)
{
	return std::string(std::string_view(format_endpoint(endpoint)));
}

std::string text_of_keepalive(std::uint16_t seconds)
{
	return seconds ? std::to_string(seconds) : "off";
}

std::string text_of(const Route &route)
{
	return format_prefix(route.destination) + (route.table == MAIN_TABLE ? "" : " table " + std::to_string(route.table));
}

/* Where in the file the peer has the prefix; the end of the file when it cannot be told. */
std::size_t line_of(std::string_view text, const Key &peer, const Prefix &prefix)
{
	std::size_t line = 0, candidate = 0, found = 0;
	bool is_peer = false;
	auto has_prefix = [&](std::string_view value) {
		wgctl::Text compact = without_blanks(value);
		for (std::string_view rest = compact; !rest.empty();) {
			std::size_t comma = rest.find(',');
			if (network_of(parse_address(rest.substr(0, comma))) == prefix)
				return true;
			rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
		}
		return false;
	};
	auto end_section = [&] {
		found = is_peer && candidate ? candidate : found;
		candidate = 0;
		is_peer = false;
	};

	for_each_line(text, [&](std::string_view raw) {
		ConfigLine parsed = read_config_line(raw);
		++line;
		if (parsed.kind == ConfigLine::Kind::section)
			end_section();
		if (parsed.kind != ConfigLine::Kind::value)
			return;
		if (equal_ignoring_case(parsed.name, "PublicKey"))
			is_peer = key_from_base64(without_blanks(parsed.value)) == peer;
		if (equal_ignoring_case(parsed.name, "AllowedIPs") && has_prefix(parsed.value))
			candidate = line;
	});
	end_section();
	return found ? found : line;
}

/* Several sections of one peer count as one; of what they both say, the later holds. */
std::vector<Peer> merged(const std::vector<Peer> &peers)
{
	std::vector<Peer> result;

	for (const Peer &peer : peers) {
		auto known = std::find_if(result.begin(), result.end(), [&](const Peer &other) { return other.public_key == peer.public_key; });
		if (known == result.end()) {
			result.push_back(peer);
			known = result.end() - 1;
		} else {
			known->preshared_key = peer.preshared_key ? peer.preshared_key : known->preshared_key;
			known->endpoint = peer.endpoint ? peer.endpoint : known->endpoint;
			known->persistent_keepalive = peer.persistent_keepalive ? peer.persistent_keepalive : known->persistent_keepalive;
			known->allowed_ips = peer.allowed_ips;
		}
		std::vector<Prefix> unique;
		for (const Prefix &prefix : known->allowed_ips)
			if (!contains(unique, network_of(prefix)))
				unique.push_back(network_of(prefix));
		known->allowed_ips = std::move(unique);
	}
	return result;
}

struct PrefixOrder {
	bool operator()(const Prefix &a, const Prefix &b) const
	{
		return std::tie(a.family, a.cidr, a.address) < std::tie(b.family, b.cidr, b.address);
	}
};
using Owners = std::map<Prefix, Key, PrefixOrder>;

class Planner {
public:
	Planner(Plan &plan, const ApplyOptions &options, World &world) : plan_(plan), options_(options), world_(world) {}

	void run()
	{
		read_file();
		give_each_prefix_one_owner();
		std::vector<std::string> names = world_.devices.names();
		if (!contains(names, plan_.config.interface)) {
			plan_.is_new = true;
			add(Change::Action::add, "interface", {}, {}, plan_.config.interface);
			return;
		}
		try {
			present_ = world_.devices.get(plan_.config.interface);
		} catch (const Failure &failure) {
			throw Failure{"cannot read interface " + quoted(plan_.config.interface) + ": " + failure.text};
		}
		refuse_thefts();
		plan_.device.name = plan_.config.interface;
		device();
		peers();
		addresses();
		link();
		if (plan_.config.routing != Routing::off)
			routes();
	}

private:
	using Text = std::optional<std::string>;

	void add(Change::Action action, std::string what, std::optional<Key> peer, Text before, Text after)
	{
		plan_.changes.push_back({action, std::move(what), std::move(peer), std::move(before), std::move(after)});
	}
	/* Of the WireGuard part. */
	void add_device(Change::Action action, std::string what, std::optional<Key> peer, Text before, Text after)
	{
		add(action, std::move(what), std::move(peer), std::move(before), std::move(after));
		plan_.changes_device = true;
	}

	/* Names are looked up where the sockets are. */
	void read_file()
	{
		world_.host.namespaces.enter(plan_.placement.birth);
		file_ = parse_config(plan_.config.plain_text, plan_.config.path, FileMeaning::replace, world_);
		world_.host.namespaces.enter(plan_.placement.home);
		file_.peers = merged(file_.peers);
	}

	void give_each_prefix_one_owner()
	{
		for (const Peer &peer : file_.peers) {
			for (const Prefix &prefix : peer.allowed_ips) {
				auto [owner, is_first] = owners_.try_emplace(prefix, peer.public_key);
				if (is_first)
					continue;
				std::size_t first = line_of(plan_.config.text, owner->second, prefix);
				if (!options_.steal)
					throw Failure{plan_.config.at(line_of(plan_.config.text, peer.public_key, prefix)) + "allowed IP " +
						      format_prefix(prefix) + " of peer " + describe_peer(peer.public_key, plan_.names) +
						      " is that of peer " + describe_peer(owner->second, plan_.names) + " already, in line " +
						      std::to_string(first) + ": remove one of them, or --steal gives it to the later"};
				owner->second = peer.public_key;
			}
		}
		for (Peer &peer : file_.peers)
			std::erase_if(peer.allowed_ips, [&](const Prefix &prefix) { return !(owners_.at(prefix) == peer.public_key); });
	}

	/* Who leaves lets go; who stays is asked for it first. */
	void refuse_thefts()
	{
		if (options_.steal)
			return;
		for (const Peer &peer : present_.peers) {
			if (!peer_with(peer.public_key, file_.peers))
				continue;
			for (const Prefix &prefix : peer.allowed_ips) {
				auto owner = owners_.find(network_of(prefix));
				if (owner == owners_.end() || owner->second == peer.public_key)
					continue;
				throw Failure{plan_.config.at(line_of(plan_.config.text, owner->second, network_of(prefix))) + "peer " +
					      describe_peer(owner->second, plan_.names) + " would take allowed IP " + format_prefix(prefix) +
					      " from peer " + describe_peer(peer.public_key, plan_.names) + ", which has it on interface " +
					      quoted(present_.name) + ": --steal lets it"};
			}
		}
	}

	bool has_default_route(const std::vector<Peer> &peers) const
	{
		return std::any_of(peers.begin(), peers.end(), [](const Peer &peer) {
			return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), is_default_route);
		});
	}

	void device()
	{
		/* Without a key in the file, a hook may have set it. */
		if (is_there(file_.private_key) && !(present_.private_key == file_.private_key)) {
			plan_.device.private_key = file_.private_key;
			add_device(Change::Action::change, "private key", {}, {}, {});
		}
		/* Without a port in the file, the kernel chose one. */
		std::uint16_t port = file_.listen_port.value_or(0), port_now = present_.listen_port.value_or(0);
		if (port && port != port_now) {
			plan_.device.listen_port = port;
			add_device(Change::Action::change, "listen port", {}, std::to_string(port_now), std::to_string(port));
		}
		/* Without a mark in the file, `up` may have chosen one for a default route. */
		std::uint32_t mark = file_.fwmark.value_or(0), mark_now = present_.fwmark.value_or(0);
		bool is_chosen = !mark && (plan_.config.routing != Routing::automatic || has_default_route(file_.peers));
		/* Its default route is yet to go, and is found by the mark. */
		plan_.clears_mark = !mark && mark_now && !is_chosen && has_default_route(present_.peers);
		if (plan_.clears_mark) {
			add(Change::Action::change, "fwmark", {}, format_fwmark(mark_now), format_fwmark(mark));
		} else if (mark != mark_now && !is_chosen) {
			plan_.device.fwmark = mark;
			add_device(Change::Action::change, "fwmark", {}, format_fwmark(mark_now), format_fwmark(mark));
		}
	}

	void peers()
	{
		for (const Peer &peer : present_.peers) {
			if (peer_with(peer.public_key, file_.peers))
				continue;
			Peer &gone = plan_.device.peers.emplace_back();
			gone.public_key = peer.public_key;
			gone.remove = true;
			add_device(Change::Action::remove, "peer", peer.public_key, {}, {});
		}
		for (const Peer &wanted : file_.peers) {
			const Peer *peer = peer_with(wanted.public_key, present_.peers);
			if (peer)
				change_peer(*peer, wanted);
			else
				new_peer(wanted);
		}
	}

	void new_peer(const Peer &wanted)
	{
		const Key &key = wanted.public_key;

		plan_.device.peers.push_back(wanted);
		add_device(Change::Action::add, "peer", key, {}, {});
		if (is_there(wanted.preshared_key))
			add(Change::Action::add, "preshared key", key, {}, {});
		if (wanted.endpoint)
			add(Change::Action::add, "endpoint", key, {}, text_of(*wanted.endpoint));
		if (wanted.persistent_keepalive.value_or(0))
			add(Change::Action::add, "persistent keepalive", key, {}, text_of_keepalive(*wanted.persistent_keepalive));
		for (const Prefix &prefix : wanted.allowed_ips)
			add(Change::Action::add, "allowed ip", key, {}, format_prefix(prefix));
	}

	void change_peer(const Peer &peer, const Peer &wanted)
	{
		std::size_t changes_before = plan_.changes.size();
		const Key &key = peer.public_key;
		Peer change;

		change.public_key = key;
		change.update_only = true;
		if (!(peer.preshared_key.value_or(Key()) == wanted.preshared_key.value_or(Key()))) {
			change.preshared_key = wanted.preshared_key.value_or(Key());
			add_device(!is_there(peer.preshared_key)     ? Change::Action::add
				   : !is_there(change.preshared_key) ? Change::Action::remove
								     : Change::Action::change,
				   "preshared key", key, {}, {});
		}
		endpoint(peer, wanted, change);
		std::uint16_t keepalive = wanted.persistent_keepalive.value_or(0), now = peer.persistent_keepalive.value_or(0);
		if (keepalive != now) {
			change.persistent_keepalive = keepalive;
			add_device(Change::Action::change, "persistent keepalive", key, text_of_keepalive(now), text_of_keepalive(keepalive));
		}
		allowed_ips(peer, wanted, change);
		if (plan_.changes.size() > changes_before)
			plan_.device.peers.push_back(std::move(change));
	}

	/* A peer that has moved, and is alive where it is now, stays there. */
	void endpoint(const Peer &peer, const Peer &wanted, Peer &change)
	{
		Text now = peer.endpoint ? Text(text_of(*peer.endpoint)) : std::nullopt;

		if (!wanted.endpoint || now == text_of(*wanted.endpoint))
			return;
		bool is_alive = peer.endpoint && peer.has_session(world_.clock.now());
		if (is_alive && !options_.endpoints) {
			plan_.kept.push_back({Change::Action::change, "endpoint", peer.public_key, now, text_of(*wanted.endpoint)});
			return;
		}
		change.endpoint = wanted.endpoint;
		add_device(now ? Change::Action::change : Change::Action::add, "endpoint", peer.public_key, now, text_of(*wanted.endpoint));
	}

	void allowed_ips(const Peer &peer, const Peer &wanted, Peer &change)
	{
		for (const Prefix &prefix : peer.allowed_ips) {
			if (contains(wanted.allowed_ips, prefix))
				continue;
			/* Kernels cannot all remove a single one. */
			change.replace_allowed_ips = true;
			add_device(Change::Action::remove, "allowed ip", peer.public_key, format_prefix(prefix), {});
		}
		for (const Prefix &prefix : wanted.allowed_ips) {
			bool is_new = !contains(peer.allowed_ips, prefix);
			if (is_new)
				add_device(Change::Action::add, "allowed ip", peer.public_key, {}, format_prefix(prefix));
			if (is_new || change.replace_allowed_ips)
				change.allowed_ips.push_back(prefix);
		}
	}

	void addresses()
	{
		std::vector<Prefix> now = world_.host.network.addresses(plan_.config.interface);

		for (const Address &address : plan_.config.addresses) {
			if (contains(plan_.wanted_addresses, address.prefix))
				continue;
			plan_.wanted_addresses.push_back(address.prefix);
			if (contains(now, address.prefix))
				continue;
			add(Change::Action::add, "address", {}, {}, format_prefix(address.prefix));
			plan_.changes_addresses = true;
		}
		for (const Prefix &prefix : now) {
			if (contains(plan_.wanted_addresses, prefix) || is_link_local(prefix))
				continue;
			add(Change::Action::remove, "address", {}, format_prefix(prefix), {});
			plan_.changes_addresses = true;
		}
	}

	void link()
	{
		std::uint32_t mtu = world_.host.network.mtu(plan_.config.interface);

		plan_.sets_up = !world_.host.network.is_up(plan_.config.interface);
		if (plan_.sets_up)
			add(Change::Action::change, "link", {}, "down", "up");
		if (!plan_.config.mtu || *plan_.config.mtu == mtu)
			return;
		plan_.mtu = plan_.config.mtu;
		add(Change::Action::change, "mtu", {}, std::to_string(mtu), std::to_string(*plan_.mtu));
	}

	/* Default routes go by mark where encrypted packets would take them too; the same rule as up's. */
	bool is_by_mark(const Prefix &prefix) const
	{
		return is_default_route(prefix) && plan_.config.routing == Routing::automatic && !plan_.placement.is_apart();
	}

	void routes()
	{
		std::vector<Route> now = world_.host.network.added_routes(plan_.config.interface);
		std::uint32_t table = plan_.config.routing == Routing::numbered ? plan_.config.table : MAIN_TABLE;
		std::vector<Prefix> wanted_defaults;

		for (const auto &[prefix, owner] : owners_) {
			if (is_by_mark(prefix))
				wanted_defaults.push_back(prefix);
			else if (plan_.config.routing == Routing::numbered || !is_of_an_address(prefix))
				plan_.wanted_routes.push_back({prefix, table});
		}
		for (const Route &route : now)
			if (is_ours(route, table) && !contains(plan_.wanted_routes, route)) {
				plan_.removed_routes.push_back(route);
				add(Change::Action::remove, "route", {}, text_of(route), {});
				plan_.changes_routes = true;
			}
		for (const Route &route : plan_.wanted_routes)
			if (!contains(now, route)) {
				add(Change::Action::add, "route", {}, {}, text_of(route));
				plan_.changes_routes = true;
			}
		for (std::uint16_t family : FAMILIES)
			default_route(family, wanted_defaults, now);
	}

	/* The kernel has a route for the whole of each address's network. */
	bool is_of_an_address(const Prefix &prefix) const
	{
		return std::any_of(plan_.wanted_addresses.begin(), plan_.wanted_addresses.end(), [&](const Prefix &address) {
			bool has_route = address.family == AF_INET6 || address.cidr < 32;
			return has_route && is_within(prefix, address);
		});
	}

	/* One that `up` made for an allowed IP the interface has. Others are somebody else's, a hook's perhaps. */
	bool is_ours(const Route &route, std::uint32_t table) const
	{
		return route.table == table && !is_by_mark(route.destination) &&
		       std::any_of(present_.peers.begin(), present_.peers.end(),
				   [&](const Peer &peer) { return contains(peer.allowed_ips, route.destination); });
	}

	/* The rule says whether there is one: the route itself goes whenever the link goes down. */
	void default_route(std::uint16_t family, const std::vector<Prefix> &wanted_defaults, const std::vector<Route> &now)
	{
		Prefix prefix;
		std::uint32_t mark = present_.fwmark.value_or(0);

		prefix.family = family;
		bool is_wanted = contains(wanted_defaults, prefix);
		bool is_present = mark && has_rule(family, mark);
		if (is_wanted && is_present) {
			plan_.kept_default_routes.push_back(prefix);
			plan_.wanted_routes.push_back({prefix, mark});
			if (!contains(now, plan_.wanted_routes.back())) {
				add(Change::Action::add, "route", {}, {}, text_of(plan_.wanted_routes.back()));
				plan_.changes_routes = true;
			}
		}
		if (is_wanted == is_present)
			return;
		plan_.changes_routes = true;
		(is_wanted ? plan_.added_default_routes : plan_.removed_default_routes).push_back(prefix);
		if (is_wanted)
			add(Change::Action::add, "default route", {}, {}, format_prefix(prefix));
		else
			add(Change::Action::remove, "default route", {}, format_prefix(prefix), {});
	}

	bool has_rule(std::uint16_t family, std::uint32_t mark)
	{
		std::vector<Rule> rules = world_.host.network.rules(family);

		return std::any_of(rules.begin(), rules.end(), [mark](const Rule &rule) {
			return !rule.is_special && rule.invert && rule.fwmark == mark && rule.table == mark;
		});
	}

	Plan &plan_;
	const ApplyOptions &options_;
	World &world_;
	/* What is wanted, with one owner for each prefix; and what is there. */
	Device file_, present_;
	Owners owners_;
};

/* Runs `action`; what it throws is told as "cannot WHAT: ...". */
template<class Action>
void step(const std::string &what, Action action)
{
	try {
		action();
	} catch (const Failure &failure) {
		throw Failure{"cannot " + what + ": " + failure.text};
	}
}

/* New ones first: with its last address a link would lose all its routes. With IPv4's first address of
 * a network, the kernel may take the others of that network away; those come back in the last round. */
void change_addresses(const Plan &plan, Network &network)
{
	const std::string &name = plan.config.interface;
	auto add_missing = [&] {
		std::vector<Prefix> now = network.addresses(name);
		for (const Prefix &prefix : plan.wanted_addresses)
			if (!contains(now, prefix))
				step("add address " + format_prefix(prefix) + " to " + name, [&] { network.add_address(name, prefix); });
	};

	add_missing();
	for (const Prefix &prefix : network.addresses(name))
		if (!contains(plan.wanted_addresses, prefix) && !is_link_local(prefix) && contains(network.addresses(name), prefix))
			step("delete address " + format_prefix(prefix) + " of " + name, [&] { network.delete_address(name, prefix); });
	add_missing();
}

/* Against what is there now: a change of addresses may have taken routes along. */
void change_routes(const Plan &plan, Network &network)
{
	const std::string &name = plan.config.interface;
	std::vector<Route> now = network.added_routes(name);

	for (const Route &route : plan.removed_routes)
		if (contains(now, route))
			step("delete route " + text_of(route) + " of " + name, [&] { network.delete_route(name, route); });
	for (const Route &route : plan.wanted_routes)
		if (!contains(now, route))
			step("add route " + text_of(route) + " to " + name, [&] { network.add_route(name, route); });
}

/* With the addresses there are now, in one step. */
void refresh_filter(const std::string &name, std::uint16_t family, std::uint32_t mark, Host &host)
{
	std::string table = (family == AF_INET6 ? "ip6 " : "ip ") + filter_table(name);
	std::string without_old = "add table " + table + "\ndelete table " + table + "\n";

	step("replace nftables table " + table,
	     [&] { host.filter.run(without_old + filter_setup(name, family, mark, host.network.addresses(name))); });
}

void change_default_routes(const Plan &plan, World &world)
{
	if (plan.added_default_routes.empty() && plan.removed_default_routes.empty() &&
	    (plan.kept_default_routes.empty() || !plan.changes_addresses))
		return;
	Device device = world.devices.get(plan.config.interface);

	for (const Prefix &prefix : plan.removed_default_routes)
		delete_default_route(plan.config, plan.placement, device, prefix, world);
	if (!plan.added_default_routes.empty())
		add_default_routes(plan.config, plan.placement, device, plan.added_default_routes, world);
	if (plan.changes_addresses)
		for (const Prefix &prefix : plan.kept_default_routes)
			refresh_filter(plan.config.interface, prefix.family, device.fwmark.value_or(0), world.host);
}

}

Plan make_plan(QuickConfig config, const Placement &placement, const ApplyOptions &options, World &world)
{
	Plan plan;

	plan.config = std::move(config);
	plan.placement = placement;
	plan.names = parse_peer_names(plan.config.text);
	Planner(plan, options, world).run();
	return plan;
}

void carry_out(const Plan &plan, World &world)
{
	const std::string &name = plan.config.interface;
	Network &network = world.host.network;

	world.host.namespaces.enter(plan.placement.home);
	if (plan.is_new)
		return bring_up(plan.config, plan.placement, world);
	if (plan.changes_device)
		step("change interface " + quoted(name), [&] { world.devices.set(plan.device); });
	if (plan.changes_addresses)
		change_addresses(plan, network);
	if (plan.sets_up || plan.mtu)
		step("set " + name + " up", [&] { network.set_up(name, plan.mtu); });
	if (plan.changes_routes || plan.changes_addresses || plan.sets_up)
		change_routes(plan, network);
	change_default_routes(plan, world);
	if (plan.clears_mark) {
		Device mark;
		mark.name = name;
		mark.fwmark = 0;
		step("change interface " + quoted(name), [&] { world.devices.set(mark); });
	}
}

std::string describe(const Change &change, const PeerNames &names)
{
	std::string text = change.action == Change::Action::add ? "+ " : change.action == Change::Action::remove ? "- " : "~ ";

	if (change.peer) {
		text += "peer " + describe_peer(*change.peer, names);
		if (change.what != "peer")
			text += ": " + change.what;
	} else {
		text += change.what;
	}
	if (change.before && change.after)
		return text + " " + *change.before + " -> " + *change.after;
	if (change.before || change.after)
		text += " " + (change.before ? *change.before : *change.after);
	return text;
}

}
