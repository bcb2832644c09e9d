// SPDX-License-Identifier: GPL-2.0
/* Command lines, a word a line: every command, on an outside that lives in memory and takes what it is
 * told. First come words with a =, which are the circumstances (struct Case). Behind an empty line may
 * stand what has become of the interface's file since it was brought up.
 */
#include <sodium.h>

#include "commands/commands.h"
#include "config/quick_config.h"
#include "host/resolv_conf.h"
#include "tests/fuzz/fuzz.h"
#include "tunnel/bring_up.h"
#include "view/json.h"

namespace {

using namespace wgctl;
using namespace wgctl::fuzz;

const std::string PATH = "/etc/wireguard/wg0.conf", PENDING = "/etc/wireguard/wg0.next-key", KEPT = "/etc/wireguard/wg0.client-keys";
constexpr std::size_t LONGEST_LOOP = 20;

/* The end of a command that has none. */
struct Enough {};

/* Devices that do what they are told. */
struct LivingDevices : FakeDevices {
	explicit LivingDevices(FakeLog &l) : log(l) {}
	FakeLog &log;

	void set(const Device &change) override
	{
		if (!present.contains(change.name))
			throw Failure{"No such device"};
		log.act("set " + change.name);
		changes.push_back(change);
		take(present[change.name], change);
	}
};

struct LivingNetwork : FakeNetwork {
	LivingNetwork(FakeLog &l, LivingDevices &d) : FakeNetwork(l), devices(d) {}
	LivingDevices &devices;

	bool add_wireguard(const std::string &name, const std::optional<Namespace> &home) override
	{
		bool is_made = FakeNetwork::add_wireguard(name, home);
		devices.order.push_back(name);
		devices.present[name].name = name;
		return is_made;
	}
	void delete_link(const std::string &name) override
	{
		FakeNetwork::delete_link(name);
		std::erase(devices.order, name);
		devices.present.erase(name);
		link_addresses.erase(name);
		link_routes.erase(name);
		link_added_routes.erase(name);
	}
	void add_route(const std::string &name, const Route &route) override
	{
		FakeNetwork::add_route(name, route);
		if (route.table == MAIN_TABLE)
			link_routes[name].push_back(route.destination);
	}
	void delete_route(const std::string &name, const Route &route) override
	{
		FakeNetwork::delete_route(name, route);
		if (route.table == MAIN_TABLE)
			std::erase(link_routes[name], route.destination);
	}
};

struct LivingShell : FakeShell {
	using FakeShell::FakeShell;
	int status = 0;

	int run(const std::string &command, const std::map<std::string, std::string> &variables) override
	{
		FakeShell::run(command, variables);
		return status;
	}
};

struct Outside {
	FakeFiles files;
	FakeTerminal terminal;
	FakeResolver resolver;
	FakeClock clock;
	FakeEnvironment environment;
	FakeHost host{files.contents};
	LivingDevices devices{host.log};
	LivingNetwork network{host.log, devices};
	LivingShell shell{host.log};
	Host living{network, host.filter, host.dns, host.notes, shell, host.namespaces, host.store, host.screen, host.web, host.lookout};
	World world{devices, files, terminal, resolver, clock, environment, living};

	std::string state()
	{
		std::string text = outcome(devices.present["wg0"]);
		for (const std::string &link : network.links)
			text += "link " + link + "\n";
		for (const Rule &rule : network.all_rules)
			text += FakeNetwork::text(rule) + "\n";
		for (const std::string &table : host.filter.tables())
			text += host.filter.list(table);
		/* Of a table, which has an order of its own. */
		const std::vector<Route> &routes = network.link_added_routes["wg0"];
		for (const Route &route : std::set<Route>(routes.begin(), routes.end()))
			text += "route " + format_prefix(route.destination) + " " + std::to_string(route.table) + "\n";
		for (const Prefix &address : network.link_addresses["wg0"])
			text += "address " + format_prefix(address) + "\n";
		text += resolv_conf(host.dns.present["wg0"], "DNS");
		return text + (network.links.empty() ? "" : "mtu " + std::to_string(network.link_mtu) + "\n");
	}
};

/* DOWN: the interface is not up. ALL: it is the way to everywhere. BREAK=N: the action number N fails.
 * INTERRUPT=N: a signal comes with it. HOOK=N: hooks end with this status. FULL: the output takes
 * nothing. TERM: it is a terminal. AGE=N: the last handshake's. EVENTS=N: of the network. AGAIN=N: name
 * servers answer the lookup after so many. NEXT, KEY, IN: a key in the file for the next one, in other
 * files, on standard input. RESOLV: the namespace has a resolv.conf. All others: the environment. */
struct Case {
	std::map<std::string, std::string> circumstances;
	std::vector<std::string_view> words;
	std::optional<std::string_view> file;

	explicit Case(std::string_view text)
	{
		while (!text.empty()) {
			std::size_t end = std::min(text.find('\n'), text.size()), equals = text.substr(0, end).find('=');
			std::string_view word = text.substr(0, end);
			text.remove_prefix(std::min(end + 1, text.size()));
			if (word.empty()) {
				file = text;
				break;
			}
			/* No argument has a NUL in it. */
			word = word.substr(0, word.find('\0'));
			if (words.empty() && equals < word.size())
				circumstances[std::string(word.substr(0, equals))] = word.substr(equals + 1);
			else
				words.push_back(word);
		}
	}
	bool is_so(const std::string &name) const { return circumstances.contains(name); }
	std::string text(const std::string &name, const std::string &otherwise) const
	{
		auto found = circumstances.find(name);
		return found == circumstances.end() || found->second.empty() ? otherwise : found->second;
	}
	bool has(std::string_view word) const { return std::find(words.begin(), words.end(), word) != words.end(); }
	bool is(std::initializer_list<std::string_view> names) const
	{
		return !words.empty() && std::find(names.begin(), names.end(), words[0]) != names.end();
	}
	std::size_t number(const std::string &name) const
	{
		auto found = circumstances.find(name);
		return found == circumstances.end() ? 0 : parse_number<std::uint16_t>(found->second).value_or(0);
	}
};

int run(const Case &given, Outside &outside)
{
	outside.terminal.out.clear();
	outside.terminal.err.clear();
	try {
		return run_command_line(given.words, outside.world);
	} catch (const Enough &) {
		return 0;
	}
}

void set_the_stage(const Case &given, Outside &outside)
{
	std::string file = "[Interface]\nPrivateKey = " + test_key_text(8) +
					"\n# Endpoint = vpn.example.com:51820\nListenPort = 1\nAddress = 10.0.0.1/24\n\n[Peer]\n# Name = Ann\nPublicKey = " +
					test_key_text(1) + "\nPresharedKey = " + test_key_text(2) +
					"\nAllowedIPs = 10.0.0.2/32, 10.1.0.0/16" + (given.is_so("ALL") ? ",0.0.0.0/0,::/0" : "") + "\nEndpoint = example.com:7\n\n[Peer]\nPublicKey = " + test_key_text(3) +
					"\nAllowedIPs = 10.0.0.3/32\n";
	std::map<std::string, std::string> &contents = outside.files.contents;
	static constexpr std::string_view UP[] = {"up", "wg0"};

	contents[PATH] = file;
	contents["key"] = contents["/dev/fd/0"] = given.text("KEY", test_key_text(9));
	if (given.is_so("NEXT"))
		contents[PENDING] = given.text("NEXT", test_key_text(0x48));
	if (given.is_so("RESOLV"))
		contents["/etc/netns/red/resolv.conf"] = "nameserver 192.0.2.54\n";
	contents["/proc/sys/net/ipv4/conf/all/src_valid_mark"] = "0\n";
	for (const char *sysctl : {"ipv4/ip_forward", "ipv4/conf/all/accept_redirects", "ipv6/conf/all/forwarding"})
		contents[std::string("/proc/sys/net/") + sysctl] = "0\n";
	contents["/proc/sys/net/ipv6/conf/eth0/accept_ra"] = "1\n";
	contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	outside.terminal.input = given.is_so("IN") ? given.circumstances.at("IN") : test_key_text(9);
	outside.host.namespaces.known = {{"/run/netns/red", 2}, {"/proc/7/ns/net", 3}};
	outside.network.way_links["192.0.2.7:7"] = "eth0";
	outside.host.lookout.names["example.com"] = {parse_endpoint("192.0.2.7:7", outside.world), parse_endpoint("[2001:db8::7]:7", outside.world)};
	outside.network.link_counters["wg0"] = {{"drop-bad-mac1", 7}, {"rx_packets", 1}};
	if (!given.is_so("DOWN")) {
		run_command_line(UP, outside.world);
		Peer &peer = outside.devices.present["wg0"].peers.at(0);
		peer.last_handshake = {outside.clock.time - static_cast<std::int64_t>(given.number("AGE")), 5};
		peer.rx_bytes = 1 << given.number("AGE") % 20;
		peer.tx_bytes = 4711;
	}
	if (given.file)
		contents[PATH] = *given.file;
	for (const auto &[name, value] : given.circumstances)
		outside.environment.variables[name] = value;
	outside.terminal.is_terminal = given.is_so("TERM");
	outside.terminal.is_full = given.is_so("FULL");
	outside.shell.status = static_cast<int>(given.number("HOOK") % 256);
	outside.resolver.errors.assign(outside.resolver.lookups + given.number("AGAIN") % LONGEST_LOOP, EAI_AGAIN);
	outside.host.lookout.events.assign(given.number("EVENTS") % LONGEST_LOOP, Lookout::Event::network);
	outside.clock.on_sleep = [&outside] {
		if (outside.clock.sleeps.size() > LONGEST_LOOP)
			throw Enough();
	};
	outside.host.log.actions.clear();
	outside.devices.changes.clear();
}

bool is_right(const std::string &file)
{
	FakeWorld fake;

	fake.files.contents[PATH] = file;
	return failure_of([&] { parse_without_lookup(read_quick_config("wg0", fake), fake); }).empty();
}

/* Hooks are shown as they are: whoever wrote them runs them. */
std::string without_hooks(std::string_view text)
{
	std::string rest;

	for_each_line(text, [&](std::string_view line) { rest += line.starts_with("[#] ") ? "" : std::string(line) + "\n"; });
	return rest;
}

void tells_no_secret(const Case &given, const Outside &outside, const std::set<std::string> &secrets)
{
	bool may_tell = given.words.empty() || given.is({"show", "showconf", "strip", "client", "export", "import"});

	for (const std::string &secret : secrets) {
		/* What the user wrote where no secret belongs is repeated to him. */
		bool is_told = std::any_of(given.words.begin(), given.words.end(), [&](std::string_view word) { return word.find(secret) != word.npos; }) ||
			       (given.file && is_elsewhere(secret, *given.file));
		must(is_told || outside.terminal.err.find(secret) == std::string::npos, "no message has a secret in it");
		must(is_told || may_tell || outside.terminal.out.find(secret) == std::string::npos, "only who is asked for secrets tells them");
	}
}

void check(const Case &given)
{
	Outside outside;
	set_the_stage(given, outside);
	std::map<std::string, std::string> files = outside.files.contents;
	std::string state = outside.state();
	std::set<std::string> secrets = secrets_in(files[PATH]);
	bool was_right = is_right(files[PATH]);

	if (given.is_so("BREAK") || given.is_so("INTERRUPT")) {
		Outside rehearsal;
		set_the_stage(given, rehearsal);
		run(given, rehearsal);
		const std::vector<std::string> &actions = rehearsal.host.log.actions;
		if (!actions.empty() && given.is_so("BREAK"))
			outside.host.log.broken = actions[given.number("BREAK") % actions.size()];
		/* The way back from a namespace is always open, or the program ends (visit.h). */
		if (outside.host.log.broken.starts_with("enter "))
			outside.host.log.broken.clear();
		if (!actions.empty() && given.is_so("INTERRUPT"))
			outside.shell.interruption = actions[given.number("INTERRUPT") % actions.size()];
	}
	int status = run(given, outside);
	std::string err = outside.terminal.err;
	bool reports = given.is({"apply", "doctor", "exec", "watch"});

	must(status >= 0 && status < 256, "the status is one");
	must(status == 0 || reports || !err.empty(), "who fails says why");
	must(err.empty() || err.back() == '\n', "in whole lines");
	must(is_harmless(without_hooks(err)), "and steers no terminal");
	tells_no_secret(given, outside, secrets);
	if (outside.terminal.out.starts_with('{'))
		must(Json::accept(outside.terminal.out), "JSON is JSON");
	if (status == 0 && given.is({"metrics"}) && outside.terminal.out.starts_with('#'))
		must(outside.terminal.out.ends_with("# EOF\n"), "metrics have an end");
	must(!was_right || is_right(outside.files.contents[PATH]), "a file that was right stays so");
	if (status == 0 && given.is({"peer", "client", "init"}) && !given.has("--qr") && !given.has("--help"))
		for (const auto &[path, text] : outside.files.contents)
			must(files.contains(path) || path == KEPT || path.ends_with(".png") || path.ends_with(".svg") || is_right(text),
			     "the client's file is one");
	if (status == 0 && (given.is({"client"}) || given.has("add")) && outside.terminal.out.starts_with("[Interface]"))
		must(is_right(outside.terminal.out), "the client's file is one, wherever it goes");
	if (given.is({"show", "showconf", "strip", "watch", "metrics", "doctor", "genkey", "genpsk", "pubkey"}) || given.has("--dry-run") || given.has("--help")) {
		must(outside.files.contents == files, "who looks changes no file");
		must_equal(outside.state(), state, "who looks changes nothing");
	}
	if (status == 1 && given.is({"peer", "client", "rotate", "save"})) {
		outside.files.contents.erase(PENDING);
		files.erase(PENDING);
		must(outside.files.contents == files, "who fails leaves all files as they were");
		must_equal(outside.state(), state, "who fails leaves all as it was");
	}
	if ((status == 1 && given.is({"up", "apply"})) || given.is({"exec"}))
		must_equal(outside.state(), state, "what could not be done as a whole is undone");
	if (status == 0 && given.is({"down"}) && !given.file && !given.has("--help"))
		must(outside.network.links.empty() && outside.network.all_rules.empty() && outside.host.filter.contents.empty(), "down leaves nothing");
	if (given.is({"apply"}) && (status == 0 || status == 2) && !given.has("--dry-run")) {
		outside.host.log.broken.clear();
		outside.shell.interruption.clear();
		must(run(given, outside) == 0, "what is applied is no difference any more");
	}
}

}

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
	/* Keys are made, but the same ones each time. */
	static std::uint32_t state = 1;
	static randombytes_implementation same = {
		[] { return "same"; }, [] { return state = state * 1664525 + 1013904223; }, nullptr, nullptr,
		[](void *buffer, std::size_t size) {
			for (std::size_t i = 0; i < size; ++i)
				static_cast<unsigned char *>(buffer)[i] = static_cast<unsigned char>((state = state * 1664525 + 1013904223) >> 24);
		},
		nullptr};

	randombytes_set_implementation(&same);
	return sodium_init() < 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	check(Case(std::string_view(reinterpret_cast<const char *>(data), size)));
	return 0;
}
