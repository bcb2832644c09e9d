// SPDX-License-Identifier: GPL-2.0
#include "tunnel/default_route.h"

#include <algorithm>
#include <cstdio>

#include "config/quick_config.h"
#include "model/values.h"
#include "tunnel/filter_table.h"

namespace wgctl {

namespace {

constexpr std::uint32_t FIRST_TABLE = 51820;
/* That of the kernel's rule for the main table. */
constexpr std::uint32_t MAIN_PRIORITY = 32766;
const std::string SRC_VALID_MARK = "/proc/sys/net/ipv4/conf/all/src_valid_mark";
const std::string SRC_VALID_MARK_NAME = "net.ipv4.conf.all.src_valid_mark";

bool is_unmarked(const Rule &rule)
{
	return !rule.is_special && rule.invert && rule.fwmark && rule.fwmark == rule.table && !rule.suppress_prefix_length;
}

bool is_specific(const Rule &rule)
{
	return !rule.is_special && !rule.invert && !rule.fwmark && rule.table == MAIN_TABLE && rule.suppress_prefix_length == 0u;
}

std::vector<std::uint32_t> marks_of_others(const std::string &interface, World &world)
{
	std::vector<std::uint32_t> marks;

	for (const std::string &name : world.devices.names()) {
		try {
			if (name != interface)
				marks.push_back(world.devices.get(name).fwmark.value_or(0));
		} catch (const Failure &) {
			/* It has just gone, or is a program that does not answer. */
		}
	}
	return marks;
}

std::string filter_name(const std::string &interface, std::uint16_t family)
{
	return (family == AF_INET6 ? "ip6 " : "ip ") + filter_table(interface);
}

}

/* Each "unmarked" rule is paired with the nearest "specific" one before it. */
RulePair find_rules(const std::vector<Rule> &rules, std::uint32_t mark)
{
	const Rule *candidate = nullptr, *left_over = nullptr;

	for (const Rule &rule : rules) {
		if (is_specific(rule)) {
			left_over = candidate ? candidate : left_over;
			candidate = &rule;
		} else if (is_unmarked(rule)) {
			if (rule.fwmark == mark)
				return {rule, candidate ? std::optional(*candidate) : std::nullopt};
			candidate = nullptr;
		}
	}
	left_over = candidate ? candidate : left_over;
	/* Only if there is room for the other half behind it. */
	return {{}, left_over && left_over->priority.value_or(MAIN_PRIORITY) + 1 < MAIN_PRIORITY ? std::optional(*left_over) : std::nullopt};
}

std::uint32_t free_mark(const std::string &interface, World &world)
{
	std::uint32_t mark = FIRST_TABLE;

	/* A table whose interface is down looks empty. */
	std::vector<std::uint32_t> others = step("read the interfaces", [&] { return marks_of_others(interface, world); });
	while (std::find(others.begin(), others.end(), mark) != others.end() ||
	       !step("read the routes", [&] { return world.host.network.is_table_empty(mark); }))
		++mark;
	return mark;
}

std::uint32_t give_mark(const std::string &interface, Steps &steps, World &world)
{
	std::uint32_t mark = free_mark(interface, world);
	auto set = [interface, &devices = world.devices](std::uint32_t value) {
		Device change;
		change.name = interface;
		change.fwmark = value;
		devices.set(change);
	};

	steps.run("set the mark of " + interface + " to " + std::to_string(mark), [&] { set(mark); });
	steps.undo_by("take the mark of " + interface + " away", [set] { set(0); });
	return mark;
}

Prefix DefaultRoute::prefix() const
{
	Prefix prefix;

	prefix.family = family_;
	return prefix;
}

std::string DefaultRoute::filter() const
{
	return filter_name(interface_, family_);
}

bool DefaultRoute::has_route()
{
	std::vector<Route> routes = world_.host.network.added_routes(interface_);

	return mark_ && std::find(routes.begin(), routes.end(), route()) != routes.end();
}

bool DefaultRoute::has_filter()
{
	return FilterTable(filter(), world_).is_there();
}

bool DefaultRoute::is_there()
{
	return has_filter() || has_route() || (mark_ && rules().unmarked);
}

Text DefaultRoute::src_valid_mark()
{
	return step("read " + SRC_VALID_MARK, [&] { return world_.files.read(SRC_VALID_MARK, 16); });
}

std::vector<DefaultRoute::Fault> DefaultRoute::faults(const std::vector<Prefix> &addresses)
{
	std::vector<Fault> found;
	const std::string table = " table " + std::to_string(mark_), ip = version();
	RulePair pair = rules();

	if (!has_route())
		found.push_back({"route", {}, format_prefix(prefix()) + table});
	if (!pair.unmarked)
		found.push_back({"rule", {}, ip + " not fwmark " + format_fwmark(mark_) + table});
	if (!pair.specific)
		found.push_back({"rule", {}, ip + " table main suppress_prefixlength 0"});
	if (family_ == AF_INET && !src_valid_mark().starts_with('1'))
		found.push_back({"sysctl " + SRC_VALID_MARK_NAME, "0", "1"});
	std::string listing = world_.host.filter.list(filter());
	if (listing.empty())
		found.push_back({"nftables table", {}, filter()});
	else if (!is_filter_as_set_up(listing, interface_, family_, mark_, addresses))
		found.push_back({"nftables table " + filter(), {}, {}});
	return found;
}

void DefaultRoute::make(Steps &steps)
{
	RulePair present = step("look for the default route of " + interface_, [&] { return is_there() ? rules() : RulePair(); });

	if (!has_route()) {
		Network &network = world_.host.network;
		std::string what = "route " + format_prefix(prefix()) + " to " + interface_ + " table " + std::to_string(mark_);
		steps.run("add " + what, [&] { network.add_route(interface_, route()); });
		steps.undo_by("delete " + what, [&network, name = interface_, route = route()] { network.delete_route(name, route); });
	}
	make_rules(present, steps);
	if (family_ == AF_INET)
		let_marks_be_seen(steps);
	make_filter(steps);
}

/* The kernel puts a rule before all others. A half that is lost goes back to its place. */
void DefaultRoute::make_rules(const RulePair &present, Steps &steps)
{
	std::string mark = std::to_string(mark_);
	Rule unmarked{family_, true, mark_, mark_, {}, {}, false};
	Rule specific{family_, false, {}, MAIN_TABLE, 0, {}, false};

	if (!present.unmarked) {
		if (present.specific)
			unmarked.priority = *present.specific->priority + 1;
		add_rule(unmarked, "rule of " + version() + ": without mark " + mark + ", table " + mark, steps);
	}
	if (!present.specific) {
		if (present.unmarked && present.unmarked->priority.value_or(0))
			specific.priority = *present.unmarked->priority - 1;
		add_rule(specific, "rule of " + version() + ": main table first, default routes excepted", steps);
	}
}

void DefaultRoute::add_rule(const Rule &rule, const std::string &what, Steps &steps)
{
	steps.run("add " + what, [&] { world_.host.network.add_rule(rule); });
	steps.undo_by("delete " + what, [&network = world_.host.network, rule] { network.delete_rule(rule); });
}

void DefaultRoute::delete_rule(const Rule &rule, Steps &steps)
{
	steps.run("delete an " + version() + " rule of " + interface_, [&] { world_.host.network.delete_rule(rule); });
	steps.undo_by("add the " + version() + " rule of " + interface_ + " again", [&network = world_.host.network, rule] { network.add_rule(rule); });
}

/* Or the reverse path filter looks for the way back without the mark, finds the tunnel, and drops what
 * comes in for it. Only written when it is not right: a container may not be allowed to. */
void DefaultRoute::let_marks_be_seen(Steps &steps)
{
	Text now = src_valid_mark();

	if (now.starts_with('1'))
		return;
	try {
		steps.run("set " + SRC_VALID_MARK_NAME + " to 1", [&] { world_.host.store.overwrite(SRC_VALID_MARK, "1\n"); });
	} catch (const Failure &failure) {
		throw Failure{failure.text + ". Set it from outside: sysctl " + SRC_VALID_MARK_NAME + "=1"};
	}
	steps.undo_by("restore " + SRC_VALID_MARK_NAME,
		      [&store = world_.host.store, before = std::string(now.begin(), now.end())] { store.overwrite(SRC_VALID_MARK, before); });
}

void DefaultRoute::make_filter(Steps &steps)
{
	std::vector<Prefix> addresses = step("read the addresses of " + interface_, [&] { return world_.host.network.addresses(interface_); });

	FilterTable(filter(), world_).make(filter_setup(interface_, family_, mark_, addresses), steps);
}

void DefaultRoute::remove(Steps &steps)
{
	remove_filter(steps);
	remove_route_and_rules(steps);
}

void DefaultRoute::remove_filter(Steps &steps)
{
	FilterTable(filter(), world_).remove(steps);
}

void DefaultRoute::remove_rules(Steps &steps)
{
	RulePair pair = rules();

	if (!mark_ || !pair.unmarked)
		return;
	delete_rule(*pair.unmarked, steps);
	if (pair.specific)
		delete_rule(*pair.specific, steps);
}

void DefaultRoute::remove_route_and_rules(Steps &steps)
{
	remove_rules(steps);
	if (has_route()) {
		std::string what = "route " + format_prefix(prefix()) + " of " + interface_;
		steps.run("delete " + what, [&] { world_.host.network.delete_route(interface_, route()); });
		steps.undo_by("add " + what + " again",
			      [&network = world_.host.network, name = interface_, route = route()] { network.add_route(name, route); });
	}
}

/* The same name as wg-quick's, so that either can take down what the other brought up. */
std::string filter_table(const std::string &interface)
{
	return "wg-quick-" + name_in_nftables(interface);
}

/* Nobody but the tunnel may bring packets for its addresses: whoever shares a network with this
 * machine could otherwise find out that it has them, and reach into connections within the tunnel
 * (CVE-2019-14899). And what answers the tunnel's own packets gets their mark, through the connection,
 * for the reverse path filter. */
std::string filter_setup(const std::string &interface, std::uint16_t family, std::uint32_t mark, const std::vector<Prefix> &addresses)
{
	std::string version = family == AF_INET6 ? "ip6" : "ip";
	std::string table = filter_name(interface, family);
	std::string text = "add table " + table + "\n";
	char number[16];

	text += "add chain " + table + " preraw { type filter hook prerouting priority -300; }\n";
	text += "add chain " + table + " premangle { type filter hook prerouting priority -150; }\n";
	text += "add chain " + table + " postmangle { type filter hook postrouting priority -150; }\n";
	for (const Prefix &address : addresses)
		if (address.family == family)
			text += "add rule " + table + " preraw iifname != \"" + interface + "\" " + version + " daddr " + format_address(address) +
				" fib saddr type != local drop\n";
	std::snprintf(number, sizeof(number), "0x%08x", mark);
	text += "add rule " + table + " postmangle meta l4proto udp meta mark " + number + " ct mark set meta mark\n";
	text += "add rule " + table + " premangle meta l4proto udp meta mark set ct mark\n";
	return text;
}

std::optional<std::uint32_t> mark_of_filter(std::string_view listing)
{
	constexpr std::string_view BEFORE = "mark 0x";
	std::size_t at = listing.find(BEFORE);

	if (at == listing.npos)
		return {};
	listing.remove_prefix(at + BEFORE.size());
	return parse_number<std::uint32_t>(listing.substr(0, listing.find_first_not_of("0123456789abcdef")), 16);
}

bool is_filter_as_set_up(const std::string &listing, const std::string &interface, std::uint16_t family, std::uint32_t mark,
			 const std::vector<Prefix> &addresses)
{
	return is_as_set_up(listing, filter_setup(interface, family, mark, addresses));
}

}
