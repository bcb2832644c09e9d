// SPDX-License-Identifier: GPL-2.0
#include "tunnel/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "config/config.h"
#include "config/edit.h"
#include "config/expiry.h"
#include "config/policies.h"
#include "host/resolv_conf.h"
#include "model/machine.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/forwarding.h"
#include "tunnel/interface_dns.h"
#include "tunnel/kill_switch.h"

namespace wgctl {

namespace {

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

/* Where in the file the peer has the prefix. */
std::size_t line_of(std::string_view text, const Key &peer, const Prefix &prefix)
{
	return last_line_with(text, peer, "AllowedIPs", [&](std::string_view value) {
		std::vector<std::string> items = list_items(without_blanks(value));
		return std::any_of(items.begin(), items.end(), [&](const std::string &item) { return network_of(parse_address(item)) == prefix; });
	});
}

/* Each once, as the device has them. */
std::vector<Prefix> networks_of(const std::vector<Prefix> &allowed_ips)
{
	std::set<Prefix> seen;
	std::vector<Prefix> unique;

	for (const Prefix &prefix : allowed_ips)
		if (seen.insert(network_of(prefix)).second)
			unique.push_back(network_of(prefix));
	return unique;
}

/* For long lists. */
template<class T>
std::set<T> as_set(const std::vector<T> &list)
{
	return std::set<T>(list.begin(), list.end());
}

using Owners = std::map<Prefix, Key>;

class Planner {
public:
	Planner(QuickConfig config, const Placement &placement, const ApplyOptions &options, World &world) : options_(options), world_(world)
	{
		plan_.config = std::move(config);
		plan_.placement = placement;
		plan_.names = parse_peer_names(plan_.config.text);
	}

	Plan run()
	{
		read_file();
		give_each_prefix_one_owner();
		std::vector<std::string> names = world_.devices.names();
		if (!contains(names, plan_.config.interface)) {
			check_before_up(plan_.config, plan_.placement, world_);
			plan_.is_new = true;
			add(Change::Action::add, "interface", {}, {}, plan_.config.interface);
			return std::move(plan_);
		}
		check_values(plan_.config, plan_.placement, world_);
		present_ = get_present();
		present_by_key_ = PeerIndex(present_.peers);
		refuse_thefts();
		look_up();
		return plan_difference();
	}

	/* Of an interface that is there as far as `change` does not change it. */
	Plan run_after(const Device &change, Plan::Scope scope)
	{
		plan_.scope = scope;
		present_ = file_ = get_present();
		present_by_key_ = PeerIndex(present_.peers);
		make_wanted(change);
		if (plan_.is_partial())
			look_up();
		wanted_by_key_ = PeerIndex(file_.peers);
		for (const Peer &peer : file_.peers)
			for (const Prefix &prefix : peer.allowed_ips)
				owners_[network_of(prefix)] = peer.public_key;
		return plan_difference();
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

	Device get_present()
	{
		return step("read interface " + in_quotes(plan_.config.interface), [&] { return world_.devices.get_with_state(plan_.config.interface); });
	}

	Plan plan_difference()
	{
		plan_.present = present_;
		plan_.device.name = plan_.config.interface;
		for (const Peer &peer : present_.peers)
			had_.insert(peer.allowed_ips.begin(), peer.allowed_ips.end());
		device();
		if (!plan_.is_partial())
			kill_switch();
		peers();
		if (plan_.is_partial() && (!touches_any() || !world_.host.network.is_up(plan_.config.interface)))
			return std::move(plan_);
		addresses();
		if (!plan_.is_partial())
			link();
		routes();
		default_routes();
		if (!plan_.is_partial()) {
			forwarding();
			dns();
		}
		return std::move(plan_);
	}

	/* `file_`, which is as the interface is now. */
	void make_wanted(const Device &change)
	{
		std::map<Key, const Peer *> changes;

		if (change.private_key)
			file_.private_key = change.private_key;
		plan_.device.listen_port = change.listen_port;
		if (change.listen_port)
			add_device(Change::Action::change, "listen port", {}, {}, {});
		for (const Peer &peer : change.peers)
			changes[peer.public_key] = &peer;
		for (Peer &peer : file_.peers) {
			auto found = changes.find(peer.public_key);
			if (found == changes.end() || !found->second->update_only)
				continue;
			peer.preshared_key = found->second->preshared_key ? found->second->preshared_key : peer.preshared_key;
			peer.endpoint = found->second->endpoint ? found->second->endpoint : peer.endpoint;
			changes.erase(found);
		}
		std::erase_if(file_.peers, [&](const Peer &peer) { return changes.contains(peer.public_key); });
		for (const Peer &peer : change.peers) {
			if (peer.remove || peer.update_only)
				continue;
			file_.peers.push_back(peer);
			file_.peers.back().allowed_ips = networks_of(peer.allowed_ips);
		}
	}

	void read_file()
	{
		world_.host.namespaces.enter(plan_.placement.birth);
		file_ = parse_config(plan_.config.plain_text, plan_.config.path, FileMeaning::replace, world_, Names::leave);
		world_.host.namespaces.enter(plan_.placement.home);
		file_.peers = merged_peers(file_.peers);
		leave_out_expired(file_.peers, plan_.config, world_);
		add_policies(file_.peers, plan_.config);
		leave_out_itself();
		for (Peer &peer : file_.peers)
			peer.allowed_ips = networks_of(peer.allowed_ips);
		wanted_by_key_ = PeerIndex(file_.peers);
	}

	/* Where the sockets are. The name server may be behind the very tunnel that is to be mended: who is alive
	 * where it is now stays there, whatever its name says, and who cannot be found, too. */
	void look_up()
	{
		auto stay = [this](Peer &wanted, bool even_dead) {
			const Peer *peer = present_by_key_.find(wanted.public_key);
			if (wanted.endpoint_name.empty() || !peer || !peer->endpoint)
				return;
			if (!even_dead && (options_.endpoints || !peer->has_session(world_.clock.now())))
				return;
			wanted.endpoint = peer->endpoint;
			wanted.endpoint_name.clear();
		};

		for (Peer &wanted : file_.peers)
			stay(wanted, false);
		if (std::none_of(file_.peers.begin(), file_.peers.end(), [](const Peer &peer) { return !peer.endpoint_name.empty(); }))
			return;
		world_.host.namespaces.enter(plan_.placement.birth);
		ResolverPast resolver(KillSwitch(plan_.config.interface, world_), present_.fwmark.value_or(0), world_.resolver);
		World past{world_.devices, world_.files, world_.terminal, resolver, world_.clock, world_.environment, world_.host};
		tell_unknown_names(look_up_names(file_.peers, Patience::none, past), plan_.config, world_);
		world_.host.namespaces.enter(plan_.placement.home);
		for (Peer &wanted : file_.peers)
			stay(wanted, true);
	}

	/* Whoever gives all machines of a mesh the same list of peers has this one among them; the kernel
	 * ignores it. */
	void leave_out_itself()
	{
		std::optional<Key> own = is_there(file_.private_key) ? std::optional(public_key_of(*file_.private_key)) : public_key_of_running();

		std::erase_if(file_.peers, [&](const Peer &peer) { return own && peer.public_key == *own; });
	}

	/* Without a key in the file, a hook may have set it. */
	std::optional<Key> public_key_of_running()
	{
		return contains(world_.devices.names(), plan_.config.interface) ? get_present().public_key : std::nullopt;
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
			if (!wanted_by_key_.find(peer.public_key))
				continue;
			for (const Prefix &prefix : peer.allowed_ips) {
				auto owner = owners_.find(network_of(prefix));
				if (owner == owners_.end() || owner->second == peer.public_key)
					continue;
				throw Failure{plan_.config.at(line_of(plan_.config.text, owner->second, network_of(prefix))) + "peer " +
					      describe_peer(owner->second, plan_.names) + " would take allowed IP " + format_prefix(prefix) +
					      " from peer " + describe_peer(peer.public_key, plan_.names) + ", which has it on interface " +
					      in_quotes(present_.name) + ": --steal lets it"};
			}
		}
	}

	/* Does an allowed IP come, or go? */
	bool is_touched(const Prefix &prefix) const { return owners_.contains(prefix) != had_.contains(prefix); }
	bool touches_any() const
	{
		return !std::equal(owners_.begin(), owners_.end(), had_.begin(), had_.end(),
				   [](const auto &owner, const Prefix &prefix) { return owner.first == prefix; });
	}
	bool touches_default_route() const
	{
		return std::any_of(FAMILIES.begin(), FAMILIES.end(),
				   [this](std::uint16_t family) { return is_touched(DefaultRoute("", family, 0, world_).prefix()); });
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
		bool keeps_mark = plan_.is_fresh() || (plan_.is_partial() && !touches_default_route());
		std::uint32_t mark_now = present_.fwmark.value_or(0), mark = keeps_mark ? mark_now : wanted_mark();
		if (mark != mark_now) {
			plan_.device.fwmark = mark;
			add_device(Change::Action::change, "fwmark", {}, format_fwmark(mark_now), format_fwmark(mark));
		}
		if (!plan_.is_fresh() && !plan_.is_partial())
			binding();
	}

	/* Sockets are bound when they are opened. */
	void binding()
	{
		const Binding &wanted = plan_.config.binding, now = present_.binding.value_or(Binding());
		auto text = [](const Binding &one) { return one == Binding() ? "any" : format_binding(one); };

		if (wanted == now)
			return;
		if (world_.host.network.is_up(plan_.config.interface))
			throw Failure{plan_.config.path + ": BindDevice and BindAddress cannot change while the interface is up (" + text(now) + " -> " + text(wanted) +
				      "): run wgctl down " + plan_.config.argument() + " && wgctl up " + plan_.config.argument()};
		plan_.device.binding = wanted;
		add_device(Change::Action::change, "sockets", {}, text(now), text(wanted));
	}

	/* Without a mark in the file, `up` may have chosen one for a default route or a kill switch. */
	std::uint32_t wanted_mark()
	{
		std::optional<std::uint32_t> of_file = plan_.is_partial() ? parse_without_lookup(plan_.config, world_).fwmark : file_.fwmark;
		std::uint32_t mark = of_file.value_or(0), now = present_.fwmark.value_or(0);

		if (!mark && plan_.config.routing != Routing::automatic)
			mark = has_filter() ? 0 : now;
		else if (!mark && any_default_route(file_.peers))
			mark = mark_of_default_route();
		if (mark || plan_.placement.is_apart() || !(plan_.config.kill_switch || KillSwitch(plan_.config.interface, world_).is_closed()))
			return mark;
		return now ? now : free_mark(plan_.config.interface, world_);
	}

	/* One that the file no longer has stays as it is. */
	void kill_switch()
	{
		KillSwitch present(plan_.config.interface, world_);

		plan_.kill_switch_mark = plan_.placement.is_apart() ? 0 : plan_.device.fwmark.value_or(present_.fwmark.value_or(0));
		if (!plan_.config.kill_switch) {
			if (present.is_closed())
				plan_.kept.push_back({Change::Action::remove, "kill switch", {}, present.table(), {}});
			return;
		}
		plan_.closes_kill_switch = !present.is_closed_as(plan_.kill_switch_mark, plan_.config.kill_switch_except);
		if (plan_.closes_kill_switch)
			add(present.is_closed() ? Change::Action::change : Change::Action::add, "kill switch", {}, {}, present.table());
	}

	/* Then there is a default route that `up` made, and its mark is ours. */
	bool has_filter()
	{
		return std::any_of(FAMILIES.begin(), FAMILIES.end(),
				   [&](std::uint16_t family) { return DefaultRoute(plan_.config.interface, family, 0, world_).has_filter(); });
	}

	/* That of the interface, unless somebody took it from it and rules for another are left. */
	std::uint32_t mark_of_default_route()
	{
		std::uint32_t mark = present_.fwmark.value_or(0), lost = mark;

		for (const Route &route : world_.host.network.added_routes(plan_.config.interface)) {
			if (!is_by_mark(route.destination) || route.table == MAIN_TABLE ||
			    !find_rules(world_.host.network.rules(route.destination.family), route.table).unmarked)
				continue;
			if (route.table == mark)
				return mark;
			lost = route.table;
		}
		return lost;
	}

	void peers()
	{
		for (const Peer &peer : present_.peers) {
			if (wanted_by_key_.find(peer.public_key))
				continue;
			plan_.device.peers.push_back(removal_of(peer.public_key));
			add_device(Change::Action::remove, "peer", peer.public_key, {}, {});
		}
		for (const Peer &wanted : file_.peers) {
			const Peer *peer = present_by_key_.find(wanted.public_key);
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
		policy(peer, wanted, change);
		allowed_ips(peer, wanted, change);
		if (plan_.changes.size() > changes_before)
			plan_.device.peers.push_back(std::move(change));
	}

	/* Where the kernel has none, a file that wants one fails when it is set. */
	void policy(const Peer &peer, const Peer &wanted, Peer &change)
	{
		PeerPolicy now = peer.policy.value_or(PeerPolicy()), then = wanted.policy.value_or(PeerPolicy());
		auto compare = [&](const std::string &what, const std::string &before, const std::string &after) {
			if (before != after)
				add_device(Change::Action::change, what, peer.public_key, before, after);
		};

		if (now == then)
			return;
		change.policy = then;
		compare("endpoint pinned", now.pins_endpoint ? "yes" : "no", then.pins_endpoint ? "yes" : "no");
		compare("mark of opened packets", format_fwmark(now.opened_mark), format_fwmark(then.opened_mark));
		compare("mark of outer packets", format_fwmark(now.outer_mark), format_fwmark(then.outer_mark));
		compare("dscp", format_dscp(now.dscp), format_dscp(then.dscp));
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
		std::set<Prefix> before = as_set(peer.allowed_ips), after = as_set(wanted.allowed_ips);

		for (const Prefix &prefix : peer.allowed_ips) {
			if (after.contains(prefix))
				continue;
			/* Kernels cannot all remove a single one. */
			change.replace_allowed_ips = true;
			add_device(Change::Action::remove, "allowed ip", peer.public_key, format_prefix(prefix), {});
		}
		for (const Prefix &prefix : wanted.allowed_ips) {
			bool is_new = !before.contains(prefix);
			if (is_new)
				add_device(Change::Action::add, "allowed ip", peer.public_key, {}, format_prefix(prefix));
			if (is_new || change.replace_allowed_ips)
				change.allowed_ips.push_back(prefix);
		}
	}

	void addresses()
	{
		std::vector<Prefix> now = world_.host.network.addresses(plan_.config.interface);
		if (plan_.is_partial()) {
			plan_.wanted_addresses = now;
			return;
		}
		std::vector<Prefix> foreign = world_.host.network.foreign_addresses(plan_.config.interface);

		for (const Address &address : plan_.config.addresses) {
			if (contains(plan_.wanted_addresses, address.prefix) && !plan_.is_fresh())	/* `up` lets the kernel refuse it, as wg-quick does */
				continue;
			plan_.wanted_addresses.push_back(address.prefix);
			if (contains(now, address.prefix))
				continue;
			add(Change::Action::add, "address", {}, {}, format_prefix(address.prefix));
			plan_.changes_addresses = true;
		}
		PrefixNote ours = noted_prefixes(plan_.config.interface, ADDRESSES_NOTE, world_);
		for (const Prefix &prefix : now) {
			if (contains(plan_.wanted_addresses, prefix) || contains(foreign, prefix))
				continue;
			/* A hook gave it to the interface, or whoever brings up such links by hand. */
			if (ours && !ours->contains(prefix)) {
				plan_.others_addresses.push_back(prefix);
				continue;
			}
			add(Change::Action::remove, "address", {}, format_prefix(prefix), {});
			plan_.changes_addresses = true;
		}
	}

	void link()
	{
		std::uint32_t now = world_.host.network.mtu(plan_.config.interface), wanted = plan_.config.mtu.value_or(0);

		plan_.sets_up = !world_.host.network.is_up(plan_.config.interface);
		if (plan_.sets_up)
			add(Change::Action::change, "link", {}, "down", "up");
		if (!wanted)
			wanted = mtu_of_ways();
		if (wanted == now && !plan_.is_fresh())
			return;
		plan_.mtu = wanted;
		add(Change::Action::change, "mtu", {}, std::to_string(now), std::to_string(wanted));
	}

	/* As `up` finds it, with the file's endpoints: those the peers were last heard from come and go. But
	 * now packets without the mark may go into the tunnel itself. */
	std::uint32_t mtu_of_ways()
	{
		PacketWay way{{}, present_.fwmark.value_or(0), plan_.placement.is_apart() ? "" : plan_.config.interface};

		world_.host.namespaces.enter(plan_.placement.birth);
		std::uint32_t mtu = find_mtu(plan_.config, file_, way, world_.host.network);
		world_.host.namespaces.enter(plan_.placement.home);
		return mtu;
	}

	/* Default routes go by mark where encrypted packets would take them too; the same rule as up's. */
	bool is_by_mark(const Prefix &prefix) const
	{
		return is_default_route(prefix) && plan_.config.routing == Routing::automatic && !plan_.placement.is_apart();
	}

	void routes()
	{
		std::set<Route> now = as_set(world_.host.network.added_routes(plan_.config.interface));
		std::optional<std::uint32_t> former = noted_table(plan_.config.interface, world_);
		std::set<Prefix> had = had_;

		plan_.table = table_of_routes(plan_.config, plan_.placement);
		for (const auto &[prefix, owner] : owners_)
			if (plan_.table && !is_by_mark(prefix) && (plan_.config.routing == Routing::numbered || !is_of_an_address(prefix)))
				plan_.wanted_routes.push_back({prefix, *plan_.table});
		std::stable_sort(plan_.wanted_routes.begin(), plan_.wanted_routes.end(),
				 [](const Route &a, const Route &b) { return a.destination.cidr > b.destination.cidr; });
		/* Peers that went without this program left theirs. */
		if (PrefixNote noted = noted_prefixes(plan_.config.interface, ROUTES_NOTE, world_))
			had.merge(*noted);
		std::set<Route> wanted = as_set(plan_.wanted_routes);
		for (const Route &route : now)
			if (is_ours(route, former, had) && !wanted.contains(route) && (!plan_.is_partial() || is_touched(route.destination))) {
				plan_.removed_routes.push_back(route);
				add(Change::Action::remove, "route", {}, text_of(route), {});
				plan_.changes_routes = true;
			}
		/* What goes may have led to others, too. */
		if (plan_.is_partial())
			std::erase_if(plan_.wanted_routes, [&](const Route &route) {
				return !now.contains(route) && !is_touched(route.destination) &&
				       std::none_of(plan_.removed_routes.begin(), plan_.removed_routes.end(),
						    [&](const Route &gone) { return covers(gone.destination, route.destination); });
			});
		for (const Route &route : plan_.wanted_routes)
			if (!now.contains(route)) {
				add(Change::Action::add, "route", {}, {}, text_of(route));
				plan_.changes_routes = true;
			}
	}

	bool is_of_an_address(const Prefix &prefix) const
	{
		return std::any_of(plan_.wanted_addresses.begin(), plan_.wanted_addresses.end(),
				   [&](const Prefix &address) { return reaches(address, prefix); });
	}

	/* One that `up` made for an allowed IP the interface `had`. Others are somebody else's, a hook's
	 * perhaps; so may be a default route in the main table, where `up` made none by mark. */
	bool is_ours(const Route &route, std::optional<std::uint32_t> former_table, const std::set<Prefix> &had) const
	{
		bool is_in_place = route.table == plan_.table || route.table == former_table;
		bool may_be_others = route.table == plan_.table ? is_by_mark(route.destination)
								: route.table == MAIN_TABLE && is_default_route(route.destination) &&
									  !plan_.placement.is_apart();
		return route.is_plain && is_in_place && !may_be_others && had.contains(route.destination);
	}

	/* Where rules are the user's business, only the filter says that a default route is ours. */
	void default_routes()
	{
		const std::string &name = plan_.config.interface;
		std::uint32_t mark_now = present_.fwmark.value_or(0), mark = plan_.device.fwmark.value_or(mark_now);
		std::vector<Prefix> addresses = plan_.wanted_addresses;

		for (const Prefix &prefix : world_.host.network.foreign_addresses(name))
			if (!contains(addresses, prefix))
				addresses.push_back(prefix);
		addresses.insert(addresses.end(), plan_.others_addresses.begin(), plan_.others_addresses.end());
		plan_.default_route_mark = mark_of_default_route();
		for (std::uint16_t family : {std::uint16_t{AF_INET6}, std::uint16_t{AF_INET}}) {	/* as wg-quick sets them up */
			DefaultRoute now(name, family, plan_.default_route_mark, world_);
			if (plan_.is_partial() && !is_touched(now.prefix()))
				continue;
			bool is_wanted = owners_.contains(now.prefix()) && is_by_mark(now.prefix());
			bool is_there = !plan_.is_fresh() && (is_by_mark(now.prefix()) ? now.is_there() : now.has_filter());
			if (is_there && (!is_wanted || mark != plan_.default_route_mark)) {
				plan_.removed_default_routes.push_back(family);
				add(Change::Action::remove, "default route", {}, format_prefix(now.prefix()), {});
				is_there = false;
			}
			if (!is_wanted)
				continue;
			plan_.default_routes.push_back(family);
			if (is_there && mark)
				mend(now.faults(addresses));
			else
				add(Change::Action::add, "default route", {}, {}, format_prefix(now.prefix()));
		}
	}

	void mend(const std::vector<DefaultRoute::Fault> &faults)
	{
		for (const DefaultRoute::Fault &fault : faults)
			add(fault.after && !fault.before ? Change::Action::add : Change::Action::change, fault.what, {}, fault.before, fault.after);
	}

	void forwarding()
	{
		Forwarding present(plan_.config.interface, world_);

		if (!plan_.config.forwards()) {
			plan_.stops_forwarding = present.is_there();
			if (plan_.stops_forwarding)
				add(Change::Action::remove, "forwarding", {}, "nftables table " + present.table(), {});
			return;
		}
		for (const std::string &part : present.missing_parts(forwarding_wishes(plan_.config))) {
			plan_.starts_forwarding = true;
			add(Change::Action::add, "forwarding", {}, {}, part);
		}
	}

	/* What a hook or somebody else gave the interface is left, as long as the file has no DNS. */
	void dns()
	{
		InterfaceDns place(plan_.config.interface, plan_.placement, world_);
		DnsSettings wanted = canonical({plan_.config.dns_servers, plan_.config.dns_domains});

		/* A fresh one has none, and without any there may be nobody to ask. */
		if (!place.has_place() || (plan_.is_fresh() && !plan_.config.has_dns()))
			return;
		std::optional<DnsSettings> now;
		if (!plan_.is_fresh())
			now = step("read " + place.place(), [&] { return place.get(); });
		if (now)
			now = canonical(*now);
		if (now == wanted)
			return;
		Text before = !now ? Text("unknown") : *now == DnsSettings() ? std::nullopt : Text(describe(*now));
		if (!plan_.config.has_dns()) {
			if (!place.is_ours()) {
				if (before && now)
					plan_.kept.push_back({Change::Action::remove, "dns", {}, before, {}});
				return;
			}
			add(Change::Action::remove, "dns", {}, before, {});
		} else {
			add(before ? Change::Action::change : Change::Action::add, "dns", {}, before, describe(wanted));
		}
		plan_.dns = wanted;
	}

	Plan plan_;
	const ApplyOptions options_;
	World &world_;
	/* What is wanted, with one owner for each prefix; and what is there. */
	Device file_, present_;
	PeerIndex wanted_by_key_, present_by_key_;
	Owners owners_;
	/* The allowed IPs there are. */
	std::set<Prefix> had_;
};

}

std::string text_of(const Route &route)
{
	return format_prefix(route.destination) + (route.table == MAIN_TABLE ? "" : " table " + std::to_string(route.table));
}

Plan make_plan(QuickConfig config, const Placement &placement, const ApplyOptions &options, World &world)
{
	return Planner(std::move(config), placement, options, world).run();
}

Plan make_plan(QuickConfig config, const Placement &placement, Plan::Scope scope, const Device &change, World &world)
{
	/* Of a peer that is changed, the endpoint is meant as it is given. */
	return Planner(std::move(config), placement, {.endpoints = true}, world).run_after(change, scope);
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
