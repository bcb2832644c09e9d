// SPDX-License-Identifier: GPL-2.0
#include "tunnel/placement.h"

#include "model/values.h"

namespace wgctl {

namespace {

/* Before a command, it runs there; `netns` as the user gave it. */
std::string way_into(const std::string &netns)
{
	if (netns.empty())
		return "";
	if (netns.find('/') != netns.npos)
		return "nsenter --net=" + shell_word(netns) + " ";
	return parse_number<std::uint32_t>(netns) ? "nsenter -t " + netns + " -n " : "ip netns exec " + shell_word(netns) + " ";
}

}

Namespace open_namespace(const std::string &what, World &world)
{
	if (what.empty())
		return world.host.namespaces.current();
	std::string path = what;
	if (what.find('/') == what.npos)
		path = parse_number<std::uint32_t>(what) ? "/proc/" + what + "/ns/net" : "/run/netns/" + what;
	try {
		return world.host.namespaces.open(path);
	} catch (const Failure &failure) {
		throw Failure{"cannot open network namespace " + in_quotes(what) + ": " + failure.text};
	}
}

Placement find_placement(const std::string &home, const std::string &birth, World &world)
{
	Placement placement;
	std::string name = home;

	placement.birth = open_namespace(birth, world);
	placement.home = open_namespace(home, world);
	placement.is_here = placement.home == world.host.namespaces.current();
	for (std::string_view folder : {"/run/netns/", "/var/run/netns/"})
		if (name.starts_with(folder))
			name.erase(0, folder.size());
	if (name.find('/') == name.npos && !parse_number<std::uint32_t>(name))
		placement.home_name = name;
	placement.options = (home.empty() ? "" : " --netns " + shell_word(home)) + (birth.empty() ? "" : " --birth-netns " + shell_word(birth));
	placement.prefix = way_into(home);
	return placement;
}

std::optional<std::uint32_t> table_of_routes(const QuickConfig &config, const Placement &placement)
{
	if (placement.is_private)
		return MAIN_TABLE;
	if (config.routing == Routing::off)
		return {};
	return config.routing == Routing::numbered ? config.table : MAIN_TABLE;
}

constexpr const char *TABLE_NOTE = "table";

void note_table(const std::string &interface, std::optional<std::uint32_t> table, World &world)
{
	if (table)
		world.host.notes.write(interface, TABLE_NOTE, std::to_string(*table) + "\n");
	else
		world.host.notes.remove(interface, TABLE_NOTE);
}

std::optional<std::uint32_t> noted_table(const std::string &interface, World &world)
{
	std::optional<std::string> note = world.host.notes.read(interface, TABLE_NOTE);

	return note ? parse_number<std::uint32_t>(without_blanks(*note)) : std::nullopt;
}

void note_prefixes(const std::string &interface, const char *what, const PrefixNote &prefixes, World &world)
{
	std::string text;

	if (!prefixes)
		return world.host.notes.remove(interface, what);
	for (const Prefix &prefix : *prefixes)
		text += format_prefix(prefix) + "\n";
	world.host.notes.write(interface, what, text);
}

PrefixNote noted_prefixes(const std::string &interface, const char *what, World &world)
{
	std::optional<std::string> note = world.host.notes.read(interface, what);
	std::set<Prefix> prefixes;

	if (!note)
		return {};
	for_each_line(*note, [&](std::string_view line) {
		try {
			prefixes.insert(parse_address(line));
		} catch (const Failure &) {
			/* Somebody's own line. */
		}
	});
	return prefixes;
}

void forget_notes(const std::string &interface, World &world)
{
	note_table(interface, {}, world);
	note_prefixes(interface, ROUTES_NOTE, {}, world);
	note_prefixes(interface, ADDRESSES_NOTE, {}, world);
}

}
