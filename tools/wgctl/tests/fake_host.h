// SPDX-License-Identifier: GPL-2.0
/* A host that lives in memory. All its parts write what was done to it into one log, in order, and
 * fail where they are told to: at the action whose text is in `broken`.
 */
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "config/quick_config.h"
#include "model/machine.h"
#include "model/outside.h"
#include "model/values.h"

namespace wgctl {

struct FakeLog {
	std::vector<std::string> actions;
	std::string broken;
	/* How many actions go well before one fails; those after it go well again. */
	std::optional<std::size_t> failing;

	void act(const std::string &what)
	{
		if (what == broken)
			throw Failure{"broken"};
		if (failing && *failing == 0) {
			failing.reset();
			throw Failure{"broken"};
		}
		if (failing)
			--*failing;
		actions.push_back(what);
	}
	std::string joined() const
	{
		std::string text;
		for (const std::string &action : actions)
			text += action + "\n";
		return text;
	}
};

struct FakeNetwork : Network {
	~FakeNetwork() override;
	explicit FakeNetwork(FakeLog &l) : log(l) {}

	FakeLog &log;
	std::vector<std::string> links;
	std::map<std::string, std::vector<Prefix>> link_addresses, link_routes;
	std::map<std::string, std::vector<Route>> link_added_routes;
	std::map<std::string, std::vector<Counter>> link_counters;
	bool link_is_up = true, has_wireguard = true;
	std::vector<Rule> all_rules;
	std::vector<std::uint32_t> used_tables;
	/* By destination; "default" for the default route's. */
	std::map<std::string, std::uint32_t> path_mtus;
	std::uint32_t link_mtu = 1420, next_priority = 32766;

	bool has_link(const std::string &name) override { return std::find(links.begin(), links.end(), name) != links.end(); }
	bool add_wireguard(const std::string &name, const std::optional<Namespace> &home) override
	{
		if (!has_wireguard)
			return false;
		log.act("add link " + name + (home ? " in " + std::to_string(home->inode) : ""));
		links.push_back(name);
		return true;
	}
	void delete_link(const std::string &name) override
	{
		log.act("delete link " + name);
		std::erase(links, name);
	}
	void set_up(const std::string &name, std::optional<std::uint32_t> mtu) override
	{
		log.act("up " + name + (mtu ? " " + std::to_string(*mtu) : ""));
		link_is_up = true;
		link_mtu = mtu.value_or(link_mtu);
		if (link_mtu >= 1280)
			return;
		std::erase_if(link_addresses[name], [](const Prefix &address) { return address.family == AF_INET6; });
		std::erase_if(link_added_routes[name], [](const Route &route) { return route.destination.family == AF_INET6; });
	}
	void set_down(const std::string &name) override
	{
		log.act("down " + name);
		link_is_up = false;
		link_added_routes[name].clear();
		std::erase_if(link_addresses[name], [](const Prefix &address) { return address.family == AF_INET6; });
	}
	std::uint32_t mtu(const std::string &) override { return link_mtu; }
	bool is_up(const std::string &) override { return link_is_up; }
	std::vector<Counter> statistics(const std::string &name) override { return link_counters[name]; }
	std::vector<Prefix> addresses(const std::string &name) override { return link_addresses[name]; }
	std::vector<Prefix> automatic;
	std::vector<Prefix> foreign_addresses(const std::string &) override { return automatic; }
	std::multimap<std::string, Prefix> others;
	std::multimap<std::string, Prefix> other_addresses(const std::string &) override { return others; }
	void add_address(const std::string &name, const Prefix &address) override
	{
		log.act("address " + format_prefix(address));
		if (contains(link_addresses[name], address))
			throw Failure{"File exists"};
		link_addresses[name].push_back(address);
		/* What the kernel routes by itself. */
		if (address.family == AF_INET6 || address.cidr < 32)
			link_routes[name].push_back(shortened(address, address.cidr));
	}
	void delete_address(const std::string &name, const Prefix &address) override
	{
		log.act("no address " + format_prefix(address));
		std::vector<Prefix> &all = link_addresses[name];
		auto is_of_its_network = [&](const Prefix &other) {
			return other.family == AF_INET && shortened(other, other.cidr) == shortened(address, address.cidr);
		};
		/* As the kernel does: the first takes the others of its network along, and the last all routes. */
		auto first = std::find_if(all.begin(), all.end(), is_of_its_network);
		if (address.family == AF_INET && first != all.end() && *first == address)
			std::erase_if(all, is_of_its_network);
		std::erase(all, address);
		if (address.family == AF_INET && std::none_of(all.begin(), all.end(), [](const Prefix &other) { return other.family == AF_INET; }))
			std::erase_if(link_added_routes[name], [](const Route &route) { return route.destination.family == AF_INET; });
	}
	std::vector<Route> added_routes(const std::string &name) override { return link_added_routes[name]; }
	void delete_route(const std::string &name, const Route &route) override
	{
		log.act("no route " + format_prefix(route.destination) + " table " + std::to_string(route.table));
		std::erase(link_added_routes[name], route);
	}
	std::vector<Prefix> main_routes(const std::string &name) override { return link_routes[name]; }
	void add_route(const std::string &name, const Route &route) override
	{
		log.act("route " + format_prefix(route.destination) + " table " + std::to_string(route.table));
		link_added_routes[name].push_back(route);
	}
	bool is_table_empty(std::uint32_t table) override
	{
		return std::find(used_tables.begin(), used_tables.end(), table) == used_tables.end();
	}
	PacketWay last_way;
	std::optional<std::uint32_t> path_mtu(const PacketWay &way) override
	{
		last_way = way;
		auto found = path_mtus.find(way.destination ? format_address(*way.destination) : "default");
		return found == path_mtus.end() ? std::nullopt : std::optional(found->second);
	}
	/* Of ways, by the text of the endpoint. */
	std::map<std::string, std::string> way_links;
	std::optional<std::string> way_to(const Endpoint &endpoint, std::uint32_t mark, const std::string &bound) override
	{
		std::string text(format_endpoint(endpoint));
		auto found = way_links.find(text + (mark ? " marked" : "") + (bound.empty() ? "" : " by " + bound));
		if (found != way_links.end())
			return found->second;
		auto leads_there = [&](const Prefix &route) { return covers(route, address_of(endpoint)); };
		for (const auto &[link, routes] : link_routes)
			if (!mark && std::any_of(routes.begin(), routes.end(), leads_there))
				return link;
		for (const auto &[link, routes] : link_added_routes)
			if (!mark && std::any_of(routes.begin(), routes.end(), [&](const Route &route) { return leads_there(route.destination); }))
				return link;
		return {};
	}
	std::vector<Rule> rules(std::uint16_t family) override
	{
		std::vector<Rule> found;
		std::copy_if(all_rules.begin(), all_rules.end(), std::back_inserter(found),
			     [family](const Rule &rule) { return rule.family == family; });
		return found;
	}
	static std::string text(const Rule &rule)
	{
		return std::string("rule ") + (rule.family == AF_INET6 ? "6" : "4") + (rule.invert ? " not" : "") +
		       (rule.fwmark ? " mark " + std::to_string(*rule.fwmark) : "") + " table " + std::to_string(rule.table) +
		       (rule.suppress_prefix_length ? " suppress " + std::to_string(*rule.suppress_prefix_length) : "");
	}
	void add_rule(const Rule &rule) override
	{
		log.act("add " + text(rule) + (rule.priority ? " priority " + std::to_string(*rule.priority) : ""));
		Rule added = rule;
		added.priority = rule.priority ? rule.priority : --next_priority;
		/* As in the kernel, by priority, and behind its equals. */
		all_rules.insert(std::find_if(all_rules.begin(), all_rules.end(),
					      [&](const Rule &other) { return other.priority > added.priority; }),
				 added);
	}
	void delete_rule(const Rule &rule) override
	{
		log.act("delete " + text(rule) + (rule.priority ? " priority " + std::to_string(*rule.priority) : ""));
		auto same = std::find_if(all_rules.begin(), all_rules.end(), [&](const Rule &other) {
			return text(other) == text(rule) && (!rule.priority || rule.priority == other.priority);
		});
		if (same != all_rules.end())
			all_rules.erase(same);
	}
};

/* Understands the commands wgctl gives, and what `list` prints. */
struct FakeFilter : Filter {
	~FakeFilter() override;
	explicit FakeFilter(FakeLog &l) : log(l) {}

	FakeLog &log;
	/* Rules, and what begins a chain, by table and chain: "ip NAME", "preraw". */
	std::map<std::string, std::map<std::string, std::vector<std::string>>> contents;
	std::string last;

	void run(const std::string &commands) override
	{
		log.act("nft " + commands.substr(0, commands.find('\n')));
		last = commands;
		std::string table, chain;
		for_each_line(commands, [&](std::string_view line) { command(std::string(line), table, chain); });
	}
	std::vector<std::string> tables() const
	{
		std::vector<std::string> names;
		for (const auto &[name, chains] : contents)
			names.push_back(name);
		return names;
	}
	std::string list(const std::string &table) override
	{
		if (!contents.contains(table))
			return "";
		std::string text = "table " + table + " {\n";
		for (const auto &[chain, rules] : contents[table]) {
			text += "\tchain " + chain + " {\n";
			for (const std::string &rule : rules)
				text += "\t\t" + rule + "\n";
			text += "\t}\n";
		}
		return text + "}\n";
	}

	std::string chains() override
	{
		std::string text;
		for (const std::string &table : tables())
			for_each_line(list(table), [&](std::string_view line) {
				if (!line.starts_with("\t\t") || line.starts_with("\t\ttype "))
					text.append(line).append("\n");
			});
		return text;
	}

private:
	static std::string rest_after(const std::string &line, const std::string &word) { return line.substr(line.find(word) + word.size()); }
	/* Marks are listed in hexadecimal. */
	static std::string listed(std::string rule)
	{
		constexpr std::string_view MARK = "meta mark ";
		std::size_t start = rule.find(MARK), end = rule.find(" ct mark set");
		if (start == rule.npos || end == rule.npos)
			return rule;
		start += MARK.size();
		char hex[16];
		std::snprintf(hex, sizeof(hex), "0x%08lx", std::stoul(rule.substr(start, end - start), nullptr, 0));
		return rule.replace(start, end - start, hex);
	}
	void command(const std::string &line, std::string &table, std::string &chain)
	{
		std::istringstream words(line);
		std::string verb, kind, family, name, place;
		words >> verb >> kind >> family >> name >> place;
		std::string known = family + " " + name;
		if (verb == "add" && kind == "table")
			contents[known];
		else if (verb == "delete" && kind == "table")
			contents.erase(known);
		else if (verb == "add" && kind == "chain" && line.find("type ") == line.npos)
			contents[known][place];
		else if (verb == "add" && kind == "chain")
			contents[known][place].push_back(line.substr(line.find("type "), line.find(" }") - line.find("type ")) + " policy accept;");
		else if (verb == "add" && kind == "rule")
			contents[known][place].push_back(listed(rest_after(line, " " + place + " ")));
		else if (verb == "table")
			contents[table = kind + " " + family];
		else if (verb == "chain")
			contents[table][chain = kind];
		else if (!line.empty() && line.find_first_not_of("\t}") != line.npos)
			contents[table][chain].push_back(line.substr(2));
	}
};

struct FakeDns : Dns {
	~FakeDns() override;
	explicit FakeDns(FakeLog &l) : log(l) {}

	FakeLog &log;
	DnsSettings last;
	std::map<std::string, DnsSettings> present;
	std::vector<std::string> ours;
	bool tells = true;

	void set(const std::string &interface, const DnsSettings &settings) override
	{
		log.act("dns " + interface);
		last = settings;
		present[interface] = settings;
		ours.push_back(interface);
	}
	void unset(const std::string &interface) override
	{
		log.act("no dns " + interface);
		present.erase(interface);
		std::erase(ours, interface);
	}
	std::optional<DnsSettings> get(const std::string &interface) override { return tells ? std::optional(present[interface]) : std::nullopt; }
	bool is_ours(const std::string &interface) override { return std::find(ours.begin(), ours.end(), interface) != ours.end(); }
	std::vector<std::string> before;
	std::vector<std::string> others(const std::string &) override { return before; }
	std::optional<std::vector<std::string>> servers;
	std::optional<std::vector<std::string>> asked() override { return servers; }
};

/* Of links that stay what they are. */
struct FakeNotes : Notes {
	~FakeNotes() override;
	/* By interface and keyword. */
	std::map<std::pair<std::string, std::string>, std::string> present;

	std::optional<std::string> read(const std::string &interface, const std::string &keyword) override
	{
		auto note = present.find({interface, keyword});
		return note == present.end() ? std::nullopt : std::optional(note->second);
	}
	void write(const std::string &interface, const std::string &keyword, const std::string &text) override
	{
		present[{interface, keyword}] = text;
	}
	void remove(const std::string &interface, const std::string &keyword) override { present.erase({interface, keyword}); }
};

struct FakeShell : Shell {
	~FakeShell() override;
	explicit FakeShell(FakeLog &l) : log(l) {}

	FakeLog &log;
	std::map<std::string, int> statuses;

	std::map<std::string, std::string> last_variables;
	int run(const std::string &command, const std::map<std::string, std::string> &variables) override
	{
		log.act("run " + command);
		last_variables = variables;
		return statuses[command];
	}
	int run_program(const std::vector<std::string> &arguments) override
	{
		std::string command;
		for (const std::string &argument : arguments)
			command += (command.empty() ? "" : " ") + argument;
		log.act("start " + command);
		return statuses[command];
	}
	std::vector<std::string> sudo_words;
	std::vector<std::string> sudo() override { return sudo_words; }
	/* At which action a signal comes. */
	std::string interruption;
	bool are_signals_held = false;
	bool hold_signals() override { return std::exchange(are_signals_held, true); }
	void release_signals() override { are_signals_held = false; }
	bool is_interrupted() override
	{
		return are_signals_held && std::find(log.actions.begin(), log.actions.end(), interruption) != log.actions.end();
	}
};

/* Namespaces are numbers: the first is 1, others have the number that stands in their path. */
struct FakeNamespaces : Namespaces {
	~FakeNamespaces() override;
	explicit FakeNamespaces(FakeLog &l) : log(l) {}

	FakeLog &log;
	std::uint64_t present = 1;
	std::map<std::string, std::uint64_t> known;
	std::string command;
	std::optional<std::string> resolv_conf;
	int status = 0;

	static Namespace numbered(std::uint64_t number)
	{
		Namespace result;
		result.inode = number;
		return result;
	}
	Namespace current() override { return numbered(present); }
	Namespace open(const std::string &path) override
	{
		if (!known.contains(path))
			throw Failure{path + ": No such file or directory"};
		return numbered(known[path]);
	}
	Namespace create() override
	{
		log.act("new namespace");
		return numbered(99);
	}
	void enter(const Namespace &where) override
	{
		if (where.inode == present)
			return;
		log.act("enter " + std::to_string(where.inode));
		present = where.inode;
	}
	int run(std::span<const std::string_view> words, const std::optional<std::string> &conf) override
	{
		command.clear();
		for (std::string_view word : words)
			command.append(command.empty() ? "" : " ").append(word);
		resolv_conf = conf;
		log.act("exec " + command);
		return status;
	}
};

/* Shares its contents with FakeFiles. */
struct FakeStore : Store {
	~FakeStore() override;
	FakeStore(FakeLog &l, std::map<std::string, std::string> &c) : log(l), contents(c) {}

	FakeLog &log;
	std::map<std::string, std::string> &contents;
	std::vector<std::string> open_files;

	std::string hidden_folder = "/hidden/";

	bool exists(const std::string &path) override { return contents.contains(path) && !is_hidden(path); }
	bool is_hidden(const std::string &path) override { return path.starts_with(hidden_folder); }
	bool is_open_to_the_world(const std::string &path) override
	{
		return std::find(open_files.begin(), open_files.end(), path) != open_files.end();
	}
	void replace(const std::string &path, std::string_view text, unsigned) override
	{
		log.act("write " + path);
		contents[path] = text;
	}
	std::map<std::string, unsigned> modes;
	void create(const std::string &path, std::string_view text, unsigned mode) override
	{
		if (exists(path))
			throw Failure{path + ": File exists"};
		modes[path] = mode;
		replace(path, text, mode);
	}
	std::vector<std::string> locked;
	/* What others do before they let it go. */
	std::function<void()> on_lock;
	std::shared_ptr<void> lock(const std::string &path) override
	{
		locked.push_back(path);
		if (on_lock)
			on_lock();
		return {};
	}
	void overwrite(const std::string &path, std::string_view text) override
	{
		log.act("write " + std::string(text.substr(0, text.find('\n'))) + " to " + path);
		contents[path] = text;
	}
	void rename(const std::string &from, const std::string &to) override
	{
		log.act("rename " + from + " " + to);
		contents[to] = contents[from];
		contents.erase(from);
	}
	void remove(const std::string &path) override
	{
		log.act("remove " + path);
		contents.erase(path);
	}
	bool make_folder(const std::string &path, unsigned) override
	{
		log.act("folder " + path);
		return true;
	}
};

/* Keys and other events come from a list, then `quit`. */
struct FakeScreen : Screen {
	~FakeScreen() override;
	struct Step {
		Event event = Event::time;
		char key = 0;
		std::function<void()> before = {};
	};
	Size page_size;
	std::vector<Step> steps;
	std::vector<std::string> pages;
	std::size_t next = 0;
	bool is_open = false;

	void open() override { is_open = true; }
	void close() override { is_open = false; }
	Size size() override { return page_size; }
	void paint(std::string_view page) override { pages.emplace_back(page); }
	Event wait(std::int64_t, char &key) override
	{
		if (next >= steps.size())
			return Event::quit;
		Step &step = steps[next++];
		if (step.before)
			step.before();
		key = step.key;
		return step.event;
	}
};

struct FakeWebServer : WebServer {
	~FakeWebServer() override;
	std::string place, path;
	WebPage last;

	void serve(const std::string &where, const std::string &what, const std::function<WebPage()> &page) override
	{
		place = where;
		path = what;
		last = page();
	}
};

/* Knows what it was told: names by the text of the host. */
struct FakeLookout : Lookout {
	~FakeLookout() override;
	std::map<std::string, std::vector<Endpoint>> names;
	std::optional<std::uint32_t> probed_mtu;
	bool is_refused = false, is_forbidden = false;
	int knock_error = 0;
	std::vector<std::string> knocks;
	std::vector<Event> events;
	std::vector<std::string> lookups;
	std::function<void()> on_wait, on_lookup, on_echo;

	std::vector<Endpoint> addresses_of(const std::string &host, const std::string &port) override
	{
		if (on_lookup)
			on_lookup();
		lookups.push_back(host + ":" + port);
		return names[host];
	}
	/* What servers that are asked themselves know: names by "SERVER MARK HOST:PORT". */
	std::map<std::string, std::vector<Endpoint>> known_to;
	std::vector<Endpoint> ask(const std::vector<std::string> &servers, std::uint32_t mark, const std::string &host, const std::string &port) override
	{
		for (const std::string &server : servers)
			if (auto known = known_to.find(server + " " + std::to_string(mark) + " " + host + ":" + port); known != known_to.end())
				return known->second;
		return {};
	}
	void probe(std::vector<PathProbe> &probes, std::uint32_t) override
	{
		for (PathProbe &probe : probes) {
			probe.mtu = probed_mtu;
			probe.is_refused = is_refused;
			probe.is_forbidden = is_forbidden;
		}
	}
	/* Echoes up to this size come back from these addresses; and how many probes each call had. */
	std::map<std::string, std::uint32_t> echoes;
	std::vector<std::size_t> echo_calls;
	void echo(const std::string &, std::vector<EchoProbe> &probes) override
	{
		echo_calls.push_back(probes.size());
		for (EchoProbe &probe : probes)
			for (std::uint32_t size : probe.sizes)
				if (size <= echoes[std::string(format_endpoint(probe.inside))] && size > probe.answered.value_or(0))
					probe.answered = size, probe.microseconds = 12'345;
		if (on_echo)
			on_echo();
	}
	int knock(const std::string &link, const Endpoint &inside) override
	{
		knocks.push_back(link + " " + std::string(format_endpoint(inside)));
		return knock_error;
	}
	/* What the kernel's log gets, a list each time it is looked at. */
	std::deque<std::vector<std::string>> logged;
	std::vector<std::string> kernel_lines() override
	{
		if (logged.empty())
			return {};
		std::vector<std::string> lines = logged.front();
		logged.pop_front();
		return lines;
	}
	int kernel_log() override { return 88; }
	std::vector<std::int64_t> waits;
	int waited_besides = -1;
	/* The end comes when there are no more events. */
	Event wait(std::int64_t milliseconds, int besides = -1) override
	{
		if (!milliseconds)
			return Event::time;
		waits.push_back(milliseconds);
		waited_besides = besides;
		if (events.empty())
			return Event::quit;
		Event event = events.front();
		events.erase(events.begin());
		if (on_wait)
			on_wait();
		return event;
	}
};

struct FakeHost {
	explicit FakeHost(std::map<std::string, std::string> &contents) : store(log, contents) {}

	FakeLog log;
	FakeNetwork network{log};
	FakeFilter filter{log};
	FakeDns dns{log};
	FakeNotes notes;
	FakeShell shell{log};
	FakeNamespaces namespaces{log};
	FakeStore store;
	FakeScreen screen;
	FakeWebServer web;
	FakeLookout lookout;
	Host host{network, filter, dns, notes, shell, namespaces, store, screen, web, lookout};
};

}
