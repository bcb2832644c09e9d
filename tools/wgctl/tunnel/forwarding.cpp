// SPDX-License-Identifier: GPL-2.0
#include "tunnel/forwarding.h"

#include <algorithm>

#include "model/values.h"

namespace wgctl {

namespace {

const std::string OURS = "inet wgctl-", TABLES = OURS + "forward-", BEFORE = OURS + "before-forwarding";
/* How its chains begin: a sysctl that was changed, with its path, and a table that forwarded already. */
constexpr std::string_view SYSCTL = "sysctl/", TABLE = "table/";
const std::string IPV6_LINKS = "net/ipv6/conf";

std::string forwarding_table(const std::string &interface)
{
	return TABLES + name_in_nftables(interface);
}

std::string path_of(const std::string &sysctl)
{
	return "/proc/sys/" + sysctl;
}

/* As people write it: net.ipv4.ip_forward. */
std::string dotted(std::string sysctl)
{
	/* A link's name may have dots, which sysctl(8) has as slashes then. */
	for (char &c : sysctl)
		c = c == '/' ? '.' : c == '.' ? '/' : c;
	return sysctl;
}

/* "ip filter", as part of a chain's name. */
std::string with_slash(std::string table)
{
	return table.replace(table.find(' '), 1, "/");
}

bool is_switch(std::string_view sysctl)
{
	return sysctl.ends_with("forward") || sysctl.ends_with("forwarding");
}

/* Only such values are changed and noted; and what has become of them. */
std::string value_before(std::string_view sysctl)
{
	return sysctl.ends_with("accept_ra") ? "1" : "0";
}

std::string value_on(std::string_view sysctl)
{
	return sysctl.ends_with("accept_ra") ? "2" : "1";
}

/* What the table of BEFORE says of one kind. */
std::vector<std::string> noted(std::string_view listing, std::string_view kind)
{
	std::vector<std::string> names;

	for_each_line(listing, [&](std::string_view line) {
		std::vector<std::string> words = list_items(line);
		if (words.size() > 1 && words[0] == "chain" && words[1].starts_with(kind))
			names.push_back(words[1].substr(kind.size()));
	});
	return names;
}

}

ForwardingWishes forwarding_wishes(const QuickConfig &config)
{
	ForwardingWishes wishes{config.masquerade, {}};

	for (std::uint16_t family : FAMILIES)
		if (std::any_of(config.addresses.begin(), config.addresses.end(), [=](const Address &address) { return address.prefix.family == family; }))
			wishes.families.push_back(family);
	return wishes;
}

Forwarding::Forwarding(std::string interface, World &world) :
	interface_(std::move(interface)), table_(forwarding_table(interface_), world), before_(BEFORE, world), world_(world)
{
}

std::string Forwarding::switch_of(std::uint16_t family)
{
	return family == AF_INET6 ? IPV6_LINKS + "/all/forwarding" : "net/ipv4/ip_forward";
}

std::string Forwarding::value_of(const std::string &sysctl)
{
	return step("read " + dotted(sysctl), [&] {
		Text text = world_.files.read(path_of(sysctl), 16);
		return std::string(std::string_view(text).substr(0, text.find('\n')));
	});
}

std::vector<std::string> Forwarding::missing_parts(const ForwardingWishes &wishes)
{
	std::vector<std::string> parts;
	std::string listing = table_.listing();

	if (listing.empty() || !is_as_set_up(listing, forwarding_setup(interface_, wishes.masquerade)))
		parts.push_back("nftables table " + table());
	for (std::uint16_t family : wishes.families)
		if (!is_on(family))
			parts.push_back("sysctl " + dotted(switch_of(family)));
	return parts;
}

void Forwarding::make(const ForwardingWishes &wishes, Steps &steps)
{
	table_.make(forwarding_setup(interface_, wishes.masquerade), steps);
	for (std::uint16_t family : wishes.families)
		if (!is_on(family))
			turn_on(family, steps);
}

/* What the switch takes along. Of IPv4: the kernel takes no redirects while it is a router, and takes them when it
 * is none, whatever was said before. Of IPv6: a router listens to no router, and loses the routes it has from one; so
 * links that do listen are told to do so even then. */
std::vector<std::string> Forwarding::changed_along(std::uint16_t family)
{
	const std::string redirects = "net/ipv4/conf/all/accept_redirects";
	std::vector<std::string> found;

	if (family == AF_INET) {
		if (value_of(redirects) == "0")
			found.push_back(redirects);
		return found;
	}
	for (const std::string &link : world_.files.list(path_of(IPV6_LINKS))) {
		std::string sysctl = IPV6_LINKS + "/" + link + "/accept_ra";
		/* `all' means nothing here. A name that nftables has no word for cannot be noted. */
		if (link != "all" && link != interface_ && is_interface_name(link) && name_in_nftables(link) == link &&
		    world_.host.store.exists(path_of(sysctl)) && value_of(sysctl) == "1")
			found.push_back(sysctl);
	}
	return found;
}

void Forwarding::turn_on(std::uint16_t family, Steps &steps)
{
	std::string before = before_.listing(), fresh = "add table " + BEFORE + "\n", notes = fresh;
	std::vector<std::string> along = changed_along(family);
	auto note = [&](std::string_view kind, const std::string &name) { notes.append("add chain " + BEFORE + " ").append(kind).append(name + "\n"); };

	/* Who came after the first switch may need it. */
	for (const std::string &table : before.empty() ? others_that_forward() : std::vector<std::string>())
		note(TABLE, with_slash(table));
	for (const std::string &sysctl : along)
		note(SYSCTL, sysctl);
	note(SYSCTL, switch_of(family));
	steps.run("note what is switched on in nftables table " + BEFORE, [&] { world_.host.filter.run(notes); });
	steps.undo_by("restore nftables table " + BEFORE,
		      [&filter = world_.host.filter, fresh, before] { filter.run(fresh + "delete table " + BEFORE + "\n" + before); });
	for (const std::string &sysctl : along)
		if (family == AF_INET6)
			set(sysctl, value_on(sysctl), steps);
		else
			steps.undo_by("restore " + dotted(sysctl), [&store = world_.host.store, sysctl] { store.overwrite(path_of(sysctl), value_before(sysctl) + "\n"); });
	set(switch_of(family), value_on(switch_of(family)), steps);
}

bool Forwarding::set(const std::string &sysctl, const std::string &value, Steps &steps)
{
	std::string before = value_of(sysctl), name = dotted(sysctl);
	bool is_done = steps.run("set " + name + " to " + value, [&] {
		try {
			world_.host.store.overwrite(path_of(sysctl), value + "\n");
		} catch (const Failure &failure) {
			throw Failure{failure.text + ". In a container, set it from outside: sysctl " + name + "=" + value};
		}
	});

	steps.undo_by("restore " + name, [&store = world_.host.store, sysctl, before] { store.overwrite(path_of(sysctl), before + "\n"); });
	return is_done;
}

/* The interface's own table goes last: it says that there is something to take back. */
void Forwarding::remove(Steps &steps)
{
	std::string before = before_.listing();

	if (!is_there())
		return;
	if (!before.empty() && !is_needed_by_others_of_ours()) {
		std::vector<std::string> known = noted(before, TABLE), others = others_that_forward();
		std::erase_if(others, [&](const std::string &table) { return contains(known, with_slash(table)); });
		std::vector<std::string> sysctls = noted(before, SYSCTL);
		if (others.empty() && !turn_back(sysctls, steps))
			return;
		if (!others.empty())
			world_.terminal.write(Stream::err, "[!] This machine goes on forwarding: nftables table " + harmless(others[0]) + " forwards, too\n");
		before_.remove(steps);
	}
	table_.remove(steps);
}

/* The switches first: they change others. What somebody has changed since, or what has gone, stays so. Returns
 * whether all went well; else it stays noted. */
bool Forwarding::turn_back(std::vector<std::string> sysctls, Steps &steps)
{
	std::stable_partition(sysctls.begin(), sysctls.end(), [](const std::string &sysctl) { return is_switch(sysctl); });
	bool are_all_set = true;
	for (const std::string &sysctl : sysctls) {
		bool is_read = steps.attempt([&] {
			if (world_.host.store.exists(path_of(sysctl)) && value_of(sysctl) == value_on(sysctl))
				are_all_set = set(sysctl, value_before(sysctl), steps) && are_all_set;
		});
		are_all_set = is_read && are_all_set;
	}
	return are_all_set;
}

bool Forwarding::is_needed_by_others_of_ours()
{
	bool is_needed = false;

	for_each_line(world_.host.filter.chains(), [&](std::string_view line) {
		is_needed = is_needed || (line.starts_with("table " + TABLES) && !line.starts_with("table " + table() + " "));
	});
	return is_needed;
}

std::vector<std::string> Forwarding::others_that_forward()
{
	std::vector<std::string> tables;
	std::string table;

	for_each_line(world_.host.filter.chains(), [&](std::string_view line) {
		std::vector<std::string> words = list_items(line);
		if (words.size() > 2 && words[0] == "table")
			table = words[1] + " " + words[2];
		if (line.find(" hook forward ") != line.npos && !table.starts_with(OURS) && !contains(tables, table))
			tables.push_back(table);
	});
	return tables;
}

std::string forwarding_setup(const std::string &interface, bool masquerade)
{
	const std::string table = forwarding_table(interface);
	std::string text = "add table " + table + "\n";

	if (masquerade)
		text += "add chain " + table + " postrouting { type nat hook postrouting priority 100; policy accept; }\n" +
			"add rule " + table + " postrouting iifname \"" + interface + "\" oifname != \"" + interface + "\" masquerade\n";
	return text;
}

}
