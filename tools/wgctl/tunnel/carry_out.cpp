// SPDX-License-Identifier: GPL-2.0
#include "tunnel/plan.h"

#include <algorithm>
#include <set>

#include "host/resolv_conf.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/interface_dns.h"
#include "tunnel/reversal.h"

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

/* New ones first; those that go with others come back in the last round. */
void set_addresses(const std::string &name, const std::vector<Prefix> &wanted, const std::vector<Prefix> &others, Network &network)
{
	std::vector<Prefix> doomed, foreign = network.foreign_addresses(name);
	auto add = [&](const Prefix &prefix) {
		step("add address " + format_prefix(prefix) + " to " + name, [&] { network.add_address(name, prefix); });
	};
	auto remove = [&](const Prefix &prefix) {
		step("delete address " + format_prefix(prefix) + " of " + name, [&] { network.delete_address(name, prefix); });
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
void set_routes(const std::string &name, const std::vector<Route> &wanted, const std::vector<Route> &removed, Network &network)
{
	std::vector<Route> list = network.added_routes(name);
	std::set<Route> now(list.begin(), list.end());

	for (const Route &route : wanted)
		if (!now.contains(route))
			step("add route " + text_of(route) + " to " + name, [&] { network.add_route(name, route); });
	for (const Route &route : removed)
		if (now.contains(route))
			step("delete route " + text_of(route) + " of " + name, [&] { network.delete_route(name, route); });
}

class Changer {
public:
	Changer(const Plan &plan, World &world) :
		plan_(plan), name_(plan.config.interface), world_(world), network_(world.host.network), steps_(world, Steps::Tells::failures)
	{
	}

	void run()
	{
		try {
			make_all();
		} catch (const Failure &failure) {
			throw Failure{failure.text + (steps_.undo() ? ". Nothing is changed: what was done before is undone"
								     : ". What was done before is undone in part: see above")};
		}
		steps_.keep();
	}

private:
	void make_all()
	{
		/* By its mark, which the device may be about to lose. */
		for (std::uint16_t family : plan_.removed_default_routes)
			if (!contains(plan_.default_routes, family))
				old_default_route(family).remove(steps_);
		if (plan_.changes_device)
			device();
		if (plan_.changes_addresses || plan_.changes_routes || plan_.sets_up || plan_.mtu)
			addresses_and_routes();
		default_routes();
		if (plan_.dns)
			dns();
	}

	/* Undone even when it failed itself: a large change is made in several pieces. */
	void device()
	{
		steps_.undo_by("restore interface " + in_quotes(name_),
			       [this, back = reversal(plan_.device, plan_.present)] { world_.devices.set(back); });
		steps_.run("change interface " + in_quotes(name_), [&] { world_.devices.set(plan_.device); });
	}

	/* The undoing of routes is last: what goes with addresses or the link comes back, whosever it is. */
	void addresses_and_routes()
	{
		std::vector<Route> before = network_.added_routes(name_), made;
		std::vector<Prefix> addresses = network_.addresses(name_);
		std::set<Route> present(before.begin(), before.end());

		for (const Route &route : plan_.wanted_routes)
			if (!present.contains(route))
				made.push_back(route);
		std::erase_if(before, [](const Route &route) { return !route.is_plain; });
		steps_.undo_by("restore the routes of " + name_, [this, before, made] { set_routes(name_, before, made, network_); });
		/* Those of IPv6 go with the link. */
		steps_.undo_by("restore the addresses of " + name_, [this, addresses] { set_addresses(name_, addresses, {}, network_); });
		if (plan_.changes_addresses)
			set_addresses(name_, plan_.wanted_addresses, plan_.others_addresses, network_);
		steps_.stop_when_interrupted();
		if (plan_.sets_up || plan_.mtu)
			link();
		set_routes(name_, plan_.wanted_routes, plan_.removed_routes, network_);
		steps_.undo_by("restore the note about " + name_, [this, before = noted_table(name_, world_)] { note_table(name_, before, world_); });
		note_table(name_, plan_.table, world_);
		std::set<Prefix> routes;
		for (const Route &route : plan_.wanted_routes)
			routes.insert(route.destination);
		note(ROUTES_NOTE, routes);
		note(ADDRESSES_NOTE, {plan_.wanted_addresses.begin(), plan_.wanted_addresses.end()});
	}

	void note(const char *what, const std::set<Prefix> &prefixes)
	{
		steps_.undo_by("restore the note about " + name_,
			       [this, what, before = noted_prefixes(name_, what, world_)] { note_prefixes(name_, what, before, world_); });
		note_prefixes(name_, what, prefixes, world_);
	}

	void link()
	{
		steps_.undo_by("restore link " + name_, [this, mtu = network_.mtu(name_)] {
			if (plan_.mtu)
				network_.set_up(name_, mtu);
			if (plan_.sets_up)
				network_.set_down(name_);
		});
		steps_.run("set " + name_ + " up", [&] { network_.set_up(name_, plan_.mtu); });
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

	/* The last step, and whole by itself: nothing to undo. */
	void dns()
	{
		InterfaceDns place(name_, plan_.placement, world_);

		if (*plan_.dns == DnsSettings())
			steps_.run("unset " + place.place(), [&] { place.unset(); });
		else
			steps_.run("set " + place.place(), [&] { place.set(*plan_.dns); });
	}

	const Plan &plan_;
	const std::string &name_;
	World &world_;
	Network &network_;
	/* Ends before the others: undoing uses them. */
	Steps steps_;
};

}

void carry_out(const Plan &plan, World &world)
{
	if (plan.changes.empty())
		return;
	world.host.namespaces.enter(plan.placement.home);
	if (plan.is_new)
		return bring_up(plan.config, plan.placement, world);
	world.host.shell.hold_signals();
	Changer(plan, world).run();
}

}
