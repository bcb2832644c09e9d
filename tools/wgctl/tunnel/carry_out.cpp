// SPDX-License-Identifier: GPL-2.0
#include "tunnel/plan.h"

#include <algorithm>
#include <set>

#include "host/resolv_conf.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/forwarding.h"
#include "tunnel/interface_dns.h"
#include "tunnel/kill_switch.h"

namespace wgctl {

namespace {

/* With IPv4's first address of a network, the kernel may take the others of that network away; and with
 * the last address of all, the link's routes, whoever made them. When only such are wanted, this one
 * stands in for them meanwhile: it is in a network of its own. */
std::optional<Prefix> stand_in(const std::vector<Prefix> &doomed, const std::vector<Prefix> &wanted)
{
	std::optional<Prefix> found;

	for (const Prefix &prefix : wanted) {
		if (prefix.family != AF_INET)
			continue;
		bool may_go = std::any_of(doomed.begin(), doomed.end(), [&](const Prefix &other) {
			return other.family == AF_INET && shortened(other, other.cidr) == shortened(prefix, prefix.cidr);
		});
		if (!may_go)
			return {};
		found = prefix;
		found->cidr = found->bits();
	}
	return found;
}

/* Runs a step about an address or a route: of a plan, or of undoing it, which tells nothing and is not interrupted. */
using Run = std::function<void(const std::string &what, const Prefix &about, const std::function<void()> &action)>;

void step_back(const std::string &what, const Prefix &, const std::function<void()> &action)
{
	step(what, action);
}

/* New ones first; those that go with others come back in the last round. */
void set_addresses(const std::string &name, const std::vector<Prefix> &wanted, const std::vector<Prefix> &others, Network &network, const Run &run)
{
	std::vector<Prefix> doomed, foreign = network.foreign_addresses(name);
	auto add = [&](const Prefix &prefix) {
		run("add address " + format_prefix(prefix) + " to " + name, prefix, [&] { network.add_address(name, prefix); });
	};
	auto remove = [&](const Prefix &prefix) {
		run("delete address " + format_prefix(prefix) + " of " + name, prefix, [&] { network.delete_address(name, prefix); });
	};
	auto add_missing = [&] {
		std::vector<Prefix> now = network.addresses(name);
		for (const Prefix &prefix : wanted)
			if (!contains(now, prefix))
				add(prefix);
	};

	add_missing();
	for (const Prefix &prefix : network.addresses(name))
		if (!contains(wanted, prefix) && !contains(foreign, prefix) && !contains(others, prefix))
			doomed.push_back(prefix);
	std::optional<Prefix> temporary = stand_in(doomed, wanted);
	if (temporary && contains(doomed, *temporary))
		std::erase(doomed, *temporary);
	else if (temporary)
		add(*temporary);
	for (const Prefix &prefix : doomed)
		if (contains(network.addresses(name), prefix))
			remove(prefix);
	add_missing();
	if (temporary)
		remove(*temporary);
}

/* Against what is there now: a change of addresses may have taken routes along. New ones first: what a
 * narrower or wider one takes over never leaves outside the tunnel. */
void set_routes(const std::string &name, const std::vector<Route> &wanted, const std::vector<Route> &removed, Network &network, const Run &run)
{
	std::vector<Route> list = network.added_routes(name);
	std::set<Route> now(list.begin(), list.end());

	for (const Route &route : wanted)
		if (!now.contains(route))
			run("add route " + format_prefix(route.destination) + " to " + name + (route.table == MAIN_TABLE ? "" : " table " + std::to_string(route.table)), route.destination, [&] { network.add_route(name, route); });
	for (const Route &route : removed)
		if (now.contains(route))
			run("delete route " + text_of(route) + " of " + name, route.destination, [&] { network.delete_route(name, route); });
}

/* As it was, whatever came of it: its values alone, so that a session lives on where there is one. */
Peer before_change(const Peer &change, const Peer &present)
{
	Peer back = present;

	back.update_only = true;
	if (!change.policy)
		back.policy.reset();
	back.preshared_key = present.preshared_key.value_or(Key());
	back.persistent_keepalive = present.persistent_keepalive.value_or(0);
	if (!change.endpoint)
		back.endpoint.reset();
	back.replace_allowed_ips = change.replace_allowed_ips || !change.allowed_ips.empty();
	if (!back.replace_allowed_ips)
		back.allowed_ips.clear();
	return back;
}

/* What makes the interface again what it was. */
Device reversal(const Device &change, const Device &present)
{
	Device back;
	PeerIndex present_by_key(present.peers);

	back.name = change.name;
	if (change.private_key)
		back.private_key = present.private_key.value_or(Key());
	if (change.listen_port)
		back.listen_port = present.listen_port.value_or(0);
	if (change.fwmark)
		back.fwmark = present.fwmark.value_or(0);
	if (change.binding)
		back.binding = present.binding.value_or(Binding());
	for (const Peer &peer : change.peers) {
		const Peer *before = present_by_key.find(peer.public_key);
		if (before && !peer.remove && (before->endpoint || !peer.endpoint)) {
			back.peers.push_back(before_change(peer, *before));
			continue;
		}
		/* An endpoint cannot be taken from a peer; without one, there was no session either. */
		if (!peer.remove)
			back.peers.push_back(removal_of(peer.public_key));
		if (before)
			back.peers.push_back(*before);
	}
	return back;
}

class Changer {
public:
	Changer(const Plan &plan, Steps &steps, World &world) :
		plan_(plan), name_(plan.config.interface), world_(world), network_(world.host.network), steps_(steps)
	{
	}

	void run()
	{
		if (plan_.closes_kill_switch)
			KillSwitch(name_, world_).close(plan_.kill_switch_mark, plan_.config.kill_switch_except, steps_);
		/* By its mark, which the device may be about to lose. */
		for (std::uint16_t family : plan_.removed_default_routes)
			if (!contains(plan_.default_routes, family))
				old_default_route(family).remove(steps_);
		if (plan_.changes_device)
			device();
		if (plan_.changes_addresses || plan_.changes_routes || plan_.sets_up || plan_.mtu)
			addresses_and_routes();
		default_routes();
		if (plan_.starts_forwarding)
			Forwarding(name_, world_).make(forwarding_wishes(plan_.config), steps_);
		if (plan_.stops_forwarding)
			Forwarding(name_, world_).remove(steps_);
		if (plan_.dns)
			dns();
	}

private:
	/* Undone even when it failed itself: a large change is made in several pieces. */
	void device()
	{
		steps_.undo_by("restore interface " + in_quotes(name_),
			       [&world = world_, back = reversal(plan_.device, plan_.present)] { world.devices.set(back); });
		steps_.run("change interface " + in_quotes(name_), [&] { world_.devices.set(plan_.device); });
	}

	/* A fresh interface goes as a whole. */
	void undo_by(const std::string &what, std::function<void()> action)
	{
		if (!plan_.is_fresh())
			steps_.undo_by(what, std::move(action));
	}

	/* The undoing of routes is last: what goes with addresses or the link comes back, whosever it is. */
	void addresses_and_routes()
	{
		std::vector<Route> before = network_.added_routes(name_), made;
		std::vector<Prefix> addresses = network_.addresses(name_);
		std::set<Route> present(before.begin(), before.end());
		Run run = [this](const std::string &what, const Prefix &, const std::function<void()> &action) { steps_.run(what, action); };
		Run run_in_file = [this](const std::string &what, const Prefix &about, const std::function<void()> &action) {
			auto found = std::find_if(plan_.config.addresses.begin(), plan_.config.addresses.end(),
						  [&](const Address &address) { return plan_.is_fresh() && address.prefix == about; });
			try {
				steps_.run(what, action);
			} catch (const Failure &failure) {
				throw Failure{(found == plan_.config.addresses.end() ? "" : plan_.config.at(found->line)) + failure.text};
			}
		};

		for (const Route &route : plan_.wanted_routes)
			if (!present.contains(route))
				made.push_back(route);
		std::erase_if(before, [](const Route &route) { return !route.is_plain; });
		undo_by("restore the routes of " + name_, [&network = network_, name = name_, before, made] { set_routes(name, before, made, network, step_back); });
		/* Those of IPv6 go with the link. */
		undo_by("restore the addresses of " + name_, [&network = network_, name = name_, addresses] {
			set_addresses(name, addresses, {}, network, step_back);
		});
		if (plan_.changes_addresses)
			set_addresses(name_, plan_.wanted_addresses, plan_.others_addresses, network_, run_in_file);
		steps_.stop_when_interrupted();
		if (plan_.sets_up || plan_.mtu)
			link();
		set_routes(name_, plan_.wanted_routes, plan_.removed_routes, network_, run);
		if (!plan_.placement.is_private)
			notes();
	}

	void notes()
	{
		std::set<Prefix> routes;

		for (const Route &route : plan_.wanted_routes)
			routes.insert(route.destination);
		note(ROUTES_NOTE, routes);
		if (plan_.is_partial())
			return;
		undo_by("restore the note about " + name_, [&world = world_, name = name_, before = noted_table(name_, world_)] { note_table(name, before, world); });
		note_table(name_, plan_.table, world_);
		note(ADDRESSES_NOTE, {plan_.wanted_addresses.begin(), plan_.wanted_addresses.end()});
	}

	void note(const char *what, const std::set<Prefix> &prefixes)
	{
		undo_by("restore the note about " + name_,
			[&world = world_, name = name_, what, before = noted_prefixes(name_, what, world_)] { note_prefixes(name, what, before, world); });
		note_prefixes(name_, what, prefixes, world_);
	}

	void link()
	{
		undo_by("restore link " + name_, [&network = network_, name = name_, mtu = network_.mtu(name_), has_mtu = plan_.mtu.has_value(), was_down = plan_.sets_up] {
			if (has_mtu)
				network.set_up(name, mtu);
			if (was_down)
				network.set_down(name);
		});
		steps_.run("set " + name_ + " up" + (plan_.mtu ? ", MTU " + std::to_string(*plan_.mtu) : ""), [&] { network_.set_up(name_, plan_.mtu); });
	}

	DefaultRoute old_default_route(std::uint16_t family) { return DefaultRoute(name_, family, plan_.default_route_mark, world_); }

	/* Whatever may have gone with an address or the link is made again. One with another mark goes when
	 * the new one is there: no packet may leave outside meanwhile. */
	void default_routes()
	{
		if (plan_.default_routes.empty())
			return;
		std::uint32_t mark = plan_.device.fwmark.value_or(plan_.present.fwmark.value_or(0));
		if (!mark)
			mark = give_mark(name_, steps_, world_);
		for (std::uint16_t family : plan_.default_routes)
			DefaultRoute(name_, family, mark, world_).make(steps_);
		for (std::uint16_t family : plan_.removed_default_routes)
			if (contains(plan_.default_routes, family))
				old_default_route(family).remove_route_and_rules(steps_);
	}

	/* The last step, and whole by itself. */
	void dns()
	{
		InterfaceDns place(name_, plan_.placement, world_);

		if (*plan_.dns == DnsSettings()) {
			steps_.run("unset " + place.place(), [&] { place.unset(); });
			return;
		}
		steps_.run("set " + place.place(), [&] { place.set(*plan_.dns); });
		steps_.undo_by("unset " + place.place(), [place]() mutable { place.unset(); });
		if (!plan_.placement.is_here || plan_.dns->servers.empty())
			return;
		if (std::optional<std::string> other = asked_instead_of(plan_.dns->servers, world_))
			world_.terminal.write(Stream::err, "[!] DNS of " + name_ + " is set, but " + RESOLV_CONF + " names other servers (" + harmless(*other) +
								   "), which most programs will ask\n");
	}

	const Plan &plan_;
	const std::string &name_;
	World &world_;
	Network &network_;
	Steps &steps_;
};

/* For its life; signals that ended the program before end it again. */
class SignalsHeld {
public:
	explicit SignalsHeld(Shell &shell) : shell_(shell), were_held_(shell.hold_signals()) {}
	SignalsHeld(const SignalsHeld &) = delete;
	~SignalsHeld()
	{
		if (!were_held_)
			shell_.release_signals();
	}

private:
	Shell &shell_;
	bool were_held_;
};

}

void carry_out(const Plan &plan, World &world)
{
	if (plan.changes.empty())
		return;
	world.host.namespaces.enter(plan.placement.home);
	if (plan.is_new)
		return bring_up(plan.config, plan.placement, world);
	Steps steps(world, Steps::Tells::failures);
	try {
		carry_out(plan, steps, world);
	} catch (const Failure &failure) {
		throw Failure{failure.text + (steps.undo() ? ". Nothing is changed: what was done before is undone"
							    : ". What was done before is undone in part: see above")};
	}
	steps.keep();
}

void carry_out_and_go_on(QuickConfig config, const Placement &placement, const Device &change, World &world)
{
	SignalsHeld until_done(world.host.shell);

	carry_out(make_plan(std::move(config), placement, Plan::Scope::part, change, world), world);
}

void carry_out(const Plan &plan, Steps &steps, World &world)
{
	world.host.shell.hold_signals();
	Changer(plan, steps, world).run();
}

}
