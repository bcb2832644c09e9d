// SPDX-License-Identifier: GPL-2.0
/* The default route of one IP version through a tunnel whose own packets must not take it.
 *
 * All that has no mark goes by a table of the tunnel's own, but not where the main table has more to
 * say than a default route; what the tunnel itself sends has the mark, which is the table's number
 * too. For IPv4 a sysctl lets the reverse path filter see marks. A filter keeps others from bringing
 * packets for the tunnel's addresses. The same parts, with the same names, as wg-quick's.
 */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/machine.h"
#include "tunnel/steps.h"

namespace wgctl {

/* The two rules of a tunnel, in a list in the kernel's order. */
struct RulePair {
	/* Without the mark: the tunnel's table. */
	std::optional<Rule> unmarked;
	/* Before it: the main table, default routes excepted. Other tunnels have one like it; without
	 * `unmarked`, one that has lost its pair. */
	std::optional<Rule> specific;
};
RulePair find_rules(const std::vector<Rule> &rules, std::uint32_t mark);

/* The number of a table nobody uses, which is nobody else's mark; gives it to an interface without a mark, and returns it. */
std::uint32_t free_mark(const std::string &interface, World &world);
std::uint32_t give_mark(const std::string &interface, Steps &steps, World &world);

class DefaultRoute {
public:
	DefaultRoute(std::string interface, std::uint16_t family, std::uint32_t mark, World &world) :
		interface_(std::move(interface)), family_(family), mark_(mark), world_(world)
	{
	}

	/* A part that is not as it should be, as in a Change (plan.h). */
	struct Fault {
		std::string what;
		std::optional<std::string> before, after;
	};
	/* In the order they are mended. `addresses`: those the tunnel is to have. */
	std::vector<Fault> faults(const std::vector<Prefix> &addresses);
	/* Is there a part that nobody else has: the filter, or with a mark a rule or the route? */
	bool is_there();
	bool has_filter();

	/* Makes what is missing, for the addresses there are. */
	void make(Steps &steps);
	/* All but the sysctl, which others may need. */
	void remove(Steps &steps);
	/* And but the filter, which one with another mark has made its own. */
	void remove_route_and_rules(Steps &steps);
	/* And but the route, which goes with the interface. */
	void remove_rules(Steps &steps);
	void remove_filter(Steps &steps);

	Prefix prefix() const;

private:
	std::string version() const { return family_ == AF_INET6 ? "IPv6" : "IPv4"; }
	std::string filter() const;
	Route route() const { return {prefix(), mark_}; }
	bool has_route();
	RulePair rules() { return find_rules(world_.host.network.rules(family_), mark_); }
	Text src_valid_mark();
	void add_rule(const Rule &rule, const std::string &what, Steps &steps);
	void delete_rule(const Rule &rule, Steps &steps);
	void make_rules(const RulePair &present, Steps &steps);
	void let_marks_be_seen(Steps &steps);
	void make_filter(Steps &steps);

	std::string interface_;
	std::uint16_t family_;
	std::uint32_t mark_;
	World &world_;
};

/* The nftables commands; parts of the interface for tests. */
std::string filter_table(const std::string &interface);
std::string filter_setup(const std::string &interface, std::uint16_t family, std::uint32_t mark,
			 const std::vector<Prefix> &addresses);
/* The mark in the listing of such a table; nothing when it is another's. */
std::optional<std::uint32_t> mark_of_filter(std::string_view listing);
/* Does the listing of a table have the rules of that, and no others? */
bool is_filter_as_set_up(const std::string &listing, const std::string &interface, std::uint16_t family, std::uint32_t mark,
			 const std::vector<Prefix> &addresses);

}
