// SPDX-License-Identifier: GPL-2.0
#include "quick.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "config.h"
#include "save.h"
#include "values.h"

namespace wgctl {

namespace {

constexpr std::uint32_t FIRST_TABLE = 51820;
/* IPv6 header, UDP header, and 32 bytes of WireGuard's. */
constexpr std::uint32_t OVERHEAD = 80;
constexpr std::uint32_t USUAL_MTU = 1500;
/* IPv4's least; a link refuses less. */
constexpr std::uint32_t LEAST_MTU = 68;
const std::string SRC_VALID_MARK = "/proc/sys/net/ipv4/conf/all/src_valid_mark";
const std::string NETNS_FOLDER = "/etc/netns/";

/* Runs `action`; what it throws is told as "cannot WHAT: ...". */
template<class Action>
auto step(const std::string &what, Action action)
{
	try {
		return action();
	} catch (const Failure &failure) {
		throw Failure{"cannot " + what + ": " + failure.text};
	}
}

void run_hooks(const QuickConfig &config, const std::vector<Hook> &hooks, World &world)
{
	for (const Hook &hook : hooks) {
		world.terminal.write(Stream::err, "[#] " + hook.command + "\n");
		int status = world.host.shell.run(hook.command);
		if (status)
			throw Failure{config.at(hook.line) + std::string(hook.key) + " ended with status " + std::to_string(status) + ": " +
				      quoted(hook.command)};
	}
}

/* Accepts every name without asking anybody. */
class NoResolver : public Resolver {
public:
	explicit NoResolver(Resolver &resolver) : resolver_(resolver) {}
	int lookup(const char *host, const char *service, Endpoint &result) override
	{
		return resolver_.lookup(host ? "127.0.0.1" : nullptr, service, result);
	}

private:
	Resolver &resolver_;
};

class SilentTerminal : public Terminal {
public:
	Text read_input(std::size_t) override { return {}; }
	void write(Stream, std::string_view) override {}
	bool output_is_terminal() override { return false; }
	bool output_is_open_to_the_world() override { return false; }
};

Prefix address_of(const Endpoint &endpoint)
{
	Prefix prefix;

	prefix.family = endpoint.any.sa_family;
	prefix.cidr = prefix.bits();
	if (prefix.family == AF_INET6)
		std::memcpy(prefix.address.data(), &endpoint.v6.sin6_addr, 16);
	else
		std::memcpy(prefix.address.data(), &endpoint.v4.sin_addr, 4);
	return prefix;
}

/* What fits through the widest way to an endpoint, as wg-quick has it: path MTU discovery takes care
 * of the others, while a tunnel too narrow for its best peer would stay so. */
std::uint32_t find_mtu(const Device &device, Network &network)
{
	std::uint32_t widest = 0;

	for (const Peer &peer : device.peers)
		if (peer.endpoint)
			widest = std::max(widest, network.path_mtu(address_of(*peer.endpoint)).value_or(0));
	if (!widest)
		widest = network.path_mtu({}).value_or(0);
	if (!widest)
		widest = USUAL_MTU;
	return widest > OVERHEAD + LEAST_MTU ? widest - OVERHEAD : LEAST_MTU;
}

/* Longest first; IPv6 first among equals. */
bool goes_before(const Prefix &a, const Prefix &b)
{
	if (a.cidr != b.cidr)
		return a.cidr > b.cidr;
	return a.family != b.family ? a.family > b.family : a.address > b.address;
}

std::vector<Prefix> all_allowed_ips(const Device &device)
{
	std::vector<Prefix> all;

	for (const Peer &peer : device.peers)
		all.insert(all.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
	std::sort(all.begin(), all.end(), goes_before);
	return all;
}

Prefix shortened(Prefix prefix, unsigned length)
{
	for (unsigned bit = length; bit < prefix.bits(); ++bit)
		prefix.address[bit / 8] = static_cast<std::uint8_t>(prefix.address[bit / 8] & ~(0x80 >> bit % 8));
	prefix.cidr = static_cast<std::uint8_t>(length);
	return prefix;
}

struct PrefixOrder {
	bool operator()(const Prefix &a, const Prefix &b) const { return goes_before(a, b); }
};
using PrefixSet = std::set<Prefix, PrefixOrder>;

/* Is `prefix` part of one of `set`? */
bool is_covered(const Prefix &prefix, const PrefixSet &set)
{
	for (unsigned length = 0; length <= prefix.cidr; ++length)
		if (set.contains(shortened(prefix, length)))
			return true;
	return false;
}

/* One interface on its way up. */
class Up {
public:
	Up(const QuickConfig &config, const Placement &placement, UndoList &undo, World &world) :
		config_(config), placement_(placement), name_(config.interface), undo_(undo), world_(world), host_(world.host)
	{
	}

	void run()
	{
		check();
		if (!placement_.is_private)
			run_hooks(config_, config_.pre_up, world_);
		add_link();
		add_addresses();
		set_up();
		if (config_.has_dns() && !placement_.is_private)
			set_dns();
		add_routes();
		if (!placement_.is_private)
			run_hooks(config_, config_.post_up, world_);
	}

	/* Of an interface that is up. */
	void add_default_routes(const Device &device, const std::vector<Prefix> &prefixes)
	{
		device_ = device;
		for (const Prefix &prefix : prefixes)
			add_default_route(prefix);
	}

private:
	/* Whatever can be known to be wrong before anything is done. */
	void check()
	{
		parse_without_lookup(config_, world_);
		if (config_.mtu && *config_.mtu < LEAST_MTU)
			throw Failure{config_.path + ": MTU is less than " + std::to_string(LEAST_MTU) + ": " + std::to_string(*config_.mtu)};
		if (config_.has_dns() && !placement_.is_here && placement_.home_name.empty() && !placement_.is_private)
			throw Failure{config_.at(config_.dns_line) +
				      "DNS cannot be set in a namespace without a name: its processes have their own resolv.conf. Remove DNS, "
				      "or use --netns NAME"};
		/* One that was made for this has no links; and entering it may be for good. */
		if (placement_.is_private)
			return;
		enter_home();
		if (host_.network.has_link(name_))
			throw Failure{"interface " + quoted(name_) + " already exists: wgctl down " + name_ + " takes it down"};
	}

	/* Tells beforehand what is done, as wg-quick does. */
	template<class Action>
	void told(const std::string &what, Action action)
	{
		if (!placement_.is_private)
			world_.terminal.write(Stream::err, "[#] " + what + "\n");
		if (host_.shell.is_interrupted())
			throw Failure{"interrupted"};
		step(what, action);
	}

	void enter_home()
	{
		step("enter the interface's namespace", [&] { host_.namespaces.enter(placement_.home); });
	}

	/* In the namespace of the sockets: names are looked up, and ways to endpoints found, there. */
	void add_link()
	{
		step("enter the sockets' namespace", [&] { host_.namespaces.enter(placement_.birth); });
		change_ = parse_config(config_.plain_text, config_.path, FileMeaning::replace, world_);
		change_.name = name_;
		if (placement_.is_private)
			leave_out_socket_defaults();
		mtu_ = config_.mtu ? *config_.mtu : step("find the MTU", [&] { return find_mtu(change_, host_.network); });
		/* Looking up names may take long and be ended; from here on, what is begun is ended or undone. */
		host_.shell.hold_signals();
		told("add interface " + name_, [&] { host_.network.add_wireguard(name_, placement_.is_apart() ? std::optional(placement_.home) : std::nullopt); });
		enter_home();
		undo_.add("delete interface " + name_, [this_host = &host_, name = name_] { this_host->network.delete_link(name); });
		step("configure interface " + name_ + " from " + config_.path, [&] { world_.devices.set(change_); });
		device_ = step("read interface " + name_, [&] { return world_.devices.get(name_); });
	}

	/* A new interface has no port of its own choice and no mark. To say so takes rights over the
	 * namespace of the sockets, which a program in a user namespace of its own has given up. */
	void leave_out_socket_defaults()
	{
		if (!change_.listen_port.value_or(0))
			change_.listen_port.reset();
		if (!change_.fwmark.value_or(0))
			change_.fwmark.reset();
		if (placement_.home.user >= 0 && (change_.listen_port || change_.fwmark))
			throw Failure{config_.path + ": without CAP_SYS_ADMIN, exec cannot set ListenPort and FwMark: use a file without them"};
	}

	void add_addresses()
	{
		for (const Address &address : config_.addresses) {
			try {
				told("add address " + format_prefix(address.prefix) + " to " + name_, [&] { host_.network.add_address(name_, address.prefix); });
			} catch (const Failure &failure) {
				throw Failure{config_.at(address.line) + failure.text};
			}
		}
	}

	void set_up()
	{
		if (placement_.is_private)
			step("set lo up", [&] { host_.network.set_up("lo", {}); });
		told("set " + name_ + " up, MTU " + std::to_string(mtu_), [&] { host_.network.set_up(name_, mtu_); });
	}

	void set_dns()
	{
		DnsSettings settings{config_.dns_servers, config_.dns_domains};
		World &world = world_;

		if (placement_.is_here) {
			told("set the DNS of " + name_, [&] { host_.dns.set(name_, settings); });
			undo_.add("unset the DNS of " + name_, [&world, name = name_] { world.host.dns.unset(name); });
			return;
		}
		told("write " + netns_resolv_conf(), [&] { write_netns_resolv_conf(settings); });
	}

	std::string netns_resolv_conf() const { return NETNS_FOLDER + placement_.home_name + "/resolv.conf"; }
	void write_netns_resolv_conf(const DnsSettings &settings);

	void add_routes()
	{
		if (config_.routing == Routing::off && !placement_.is_private)
			return;
		bool is_plain = placement_.is_apart() || config_.routing == Routing::numbered;
		std::uint32_t table = config_.routing == Routing::numbered && !placement_.is_private ? config_.table : MAIN_TABLE;
		bool skips_covered = table == MAIN_TABLE && config_.routing != Routing::numbered;
		PrefixSet present;
		if (skips_covered)
			for (const Prefix &prefix : step("read the routes of " + name_, [&] { return host_.network.main_routes(name_); }))
				present.insert(prefix);
		for (const Prefix &prefix : all_allowed_ips(device_)) {
			if (is_default_route(prefix) && !is_plain) {
				add_default_route(prefix);
				continue;
			}
			if (skips_covered && is_covered(prefix, present))
				continue;
			add_route(prefix, table);
			present.insert(prefix);
		}
	}

	/* It goes with the interface. */
	void add_route(const Prefix &prefix, std::uint32_t table)
	{
		std::string where = table == MAIN_TABLE ? "" : " table " + std::to_string(table);
		told("add route " + format_prefix(prefix) + " to " + name_ + where, [&] { host_.network.add_route(name_, {prefix, table}); });
	}

	void add_default_route(const Prefix &prefix);
	void choose_table();
	void add_rule(const Rule &rule, const std::string &what);
	void set_src_valid_mark();
	void add_filter(std::uint16_t family);

	const QuickConfig &config_;
	const Placement &placement_;
	const std::string name_;
	UndoList &undo_;
	World &world_;
	Host &host_;
	Device change_, device_;
	std::uint32_t mtu_ = 0;
	/* That of default routes, and the mark of packets that do not take them. */
	std::uint32_t table_ = 0;
};

/* The file that `ip netns exec` shows its programs. One that was there is kept beside it. */
void Up::write_netns_resolv_conf(const DnsSettings &settings)
{
	std::string path = netns_resolv_conf(), kept = path + ".before-" + name_;
	World &world = world_;

	host_.store.make_folder("/etc/netns");
	host_.store.make_folder(NETNS_FOLDER + placement_.home_name);
	bool was_there = host_.store.exists(path);
	if (was_there)
		host_.store.rename(path, kept);
	undo_.add("restore " + path, [&world, was_there, path, kept] {
		if (was_there)
			world.host.store.rename(kept, path);
		else if (world.host.store.exists(path))
			world.host.store.remove(path);
	});
	host_.store.replace(path, resolv_conf(settings, name_), 0644);
}

/* All that has no mark goes by the tunnel's table, but not where the main table has more to say
 * than a default route; what the tunnel itself sends has the mark. */
void Up::add_default_route(const Prefix &prefix)
{
	std::uint16_t family = prefix.family;

	choose_table();
	add_route(prefix, table_);
	Rule unmarked{family, true, table_, table_, {}, {}, false};
	Rule specific{family, false, {}, MAIN_TABLE, 0, {}, false};
	std::string version = family == AF_INET6 ? "IPv6" : "IPv4";
	add_rule(unmarked, version + " rule: without mark " + std::to_string(table_) + ", table " + std::to_string(table_));
	add_rule(specific, version + " rule: main table first, default routes excepted");
	if (family == AF_INET)
		set_src_valid_mark();
	add_filter(family);
}

void Up::choose_table()
{
	if (table_)
		return;
	table_ = device_.fwmark.value_or(0);
	if (table_)
		return;
	table_ = FIRST_TABLE;
	while (!step("read the routes", [&] { return host_.network.is_table_empty(table_); }))
		++table_;
	told("set the mark of " + name_ + " to " + std::to_string(table_), [&] {
		Device mark;
		mark.name = name_;
		mark.fwmark = table_;
		world_.devices.set(mark);
	});
}

void Up::add_rule(const Rule &rule, const std::string &what)
{
	told("add " + what, [&] { host_.network.add_rule(rule); });
	undo_.add("delete " + what, [host = &host_, rule] { host->network.delete_rule(rule); });
}

/* Or the reverse path filter looks for the way back without the mark, finds the tunnel, and drops what
 * comes in for it. Only written when it is not right: a container may not be allowed to. */
void Up::set_src_valid_mark()
{
	Text now = step("read " + SRC_VALID_MARK, [&] { return world_.files.read(SRC_VALID_MARK, 16); });

	if (now.starts_with('1'))
		return;
	try {
		told("set net.ipv4.conf.all.src_valid_mark to 1", [&] { host_.store.overwrite(SRC_VALID_MARK, "1\n"); });
	} catch (const Failure &failure) {
		throw Failure{failure.text + ". Set it from outside: sysctl net.ipv4.conf.all.src_valid_mark=1"};
	}
	undo_.add("restore net.ipv4.conf.all.src_valid_mark",
		  [host = &host_, before = std::string(now.begin(), now.end())] { host->store.overwrite(SRC_VALID_MARK, before); });
}

void Up::add_filter(std::uint16_t family)
{
	std::string table = (family == AF_INET6 ? "ip6 " : "ip ") + filter_table(name_);
	std::vector<Prefix> addresses = step("read the addresses of " + name_, [&] { return host_.network.addresses(name_); });

	told("add nftables table " + table, [&] { host_.filter.run(filter_setup(name_, family, table_, addresses)); });
	undo_.add("delete nftables table " + table, [host = &host_, table] { host->filter.run("delete table " + table + "\n"); });
}

/* One interface on its way down: goes on after failures, tells them all. */
class Down {
public:
	Down(const QuickConfig &config, const Placement &placement, World &world) :
		config_(config), placement_(placement), name_(config.interface), world_(world), host_(world.host)
	{
	}

	void run()
	{
		step("enter the interface's namespace", [&] { host_.namespaces.enter(placement_.home); });
		std::vector<std::string> names = step("list the interfaces", [&] { return world_.devices.names(); });
		if (std::find(names.begin(), names.end(), name_) == names.end())
			throw Failure{"there is no WireGuard interface " + quoted(name_) + ": nothing to take down"};
		run_hooks(config_, config_.pre_down, world_);
		host_.shell.hold_signals();
		Device device = get_device();
		if (config_.save)
			save(device);

		attempt("read the nftables tables", [&] { delete_filters(); });
		if (device.fwmark.value_or(0) && config_.routing == Routing::automatic)
			for (std::uint16_t family : FAMILIES)
				attempt("read the rules", [&] { delete_rules(family, *device.fwmark); });
		if (config_.has_dns())
			unset_dns();
		attempt("delete interface " + name_, [&] { host_.network.delete_link(name_); });
		if (failed_)
			throw Failure{name_ + " is not down as a whole: see above"};
		run_hooks(config_, config_.post_down, world_);
	}

	/* The interface stays. */
	void delete_default_route(const Device &device, const Prefix &prefix)
	{
		std::string table = (prefix.family == AF_INET6 ? "ip6 " : "ip ") + filter_table(name_);
		std::uint32_t mark = device.fwmark.value_or(0);

		attempt("read the nftables tables", [&] { delete_filter(table, host_.filter.tables()); });
		attempt("read the rules", [&] { delete_rules(prefix.family, mark); });
		attempt("read the routes of " + name_, [&] {
			std::vector<Route> routes = host_.network.added_routes(name_);
			if (std::find(routes.begin(), routes.end(), Route{prefix, mark}) != routes.end())
				tell_and_attempt("delete route " + format_prefix(prefix) + " of " + name_,
						 [&] { host_.network.delete_route(name_, {prefix, mark}); });
		});
		if (failed_)
			throw Failure{"the default route of " + name_ + " is not gone as a whole: see above"};
	}

private:
	Device get_device()
	{
		return step("read interface " + name_, [&] { return world_.devices.get(name_); });
	}

	void save(const Device &device)
	{
		world_.terminal.write(Stream::err, "[#] save the configuration to " + config_.path + "\n");
		step("save the configuration to " + config_.path, [&] { save_config(config_, device, world_); });
	}

	template<class Action>
	void attempt(const std::string &what, Action action)
	{
		try {
			step(what, action);
		} catch (const Failure &failure) {
			complain(failure.text, world_.terminal);
			failed_ = true;
		}
	}
	template<class Action>
	void tell_and_attempt(const std::string &what, Action action)
	{
		world_.terminal.write(Stream::err, "[#] " + what + "\n");
		attempt(what, action);
	}

	void delete_filters()
	{
		std::vector<std::string> tables = host_.filter.tables();
		for (const std::string &table : {"ip " + filter_table(name_), "ip6 " + filter_table(name_)})
			delete_filter(table, tables);
	}
	void delete_filter(const std::string &table, const std::vector<std::string> &tables)
	{
		if (std::find(tables.begin(), tables.end(), table) != tables.end())
			tell_and_attempt("delete nftables table " + table, [&] { host_.filter.run("delete table " + table + "\n"); });
	}

	/* The pair that `up` added. Other tunnels have pairs like it; theirs stay. */
	void delete_rules(std::uint16_t family, std::uint32_t mark)
	{
		std::vector<Rule> rules = host_.network.rules(family);
		auto unmarked = std::find_if(rules.begin(), rules.end(), [mark](const Rule &rule) {
			return !rule.is_special && rule.invert && rule.fwmark == mark && rule.table == mark && !rule.suppress_prefix_length;
		});
		if (unmarked == rules.end())
			return;
		/* `up' put it right before the other. */
		const Rule *specific = nullptr;
		for (const Rule &rule : rules)
			if (!rule.is_special && !rule.invert && !rule.fwmark && rule.table == MAIN_TABLE && rule.suppress_prefix_length == 0u &&
			    rule.priority < unmarked->priority && (!specific || rule.priority > specific->priority))
				specific = &rule;
		std::string version = family == AF_INET6 ? "IPv6" : "IPv4";
		tell_and_attempt("delete the " + version + " rules of " + name_, [&] {
			host_.network.delete_rule(*unmarked);
			if (specific)
				host_.network.delete_rule(*specific);
		});
	}

	void unset_dns()
	{
		if (placement_.is_here) {
			tell_and_attempt("unset the DNS of " + name_, [&] { host_.dns.unset(name_); });
			return;
		}
		if (placement_.home_name.empty())
			return;
		std::string path = NETNS_FOLDER + placement_.home_name + "/resolv.conf", kept = path + ".before-" + name_;
		tell_and_attempt("restore " + path, [&] {
			if (host_.store.exists(kept))
				host_.store.rename(kept, path);
			else if (host_.store.exists(path))
				host_.store.remove(path);
		});
	}

	const QuickConfig &config_;
	const Placement &placement_;
	const std::string name_;
	World &world_;
	Host &host_;
	bool failed_ = false;
};

}

void UndoList::undo()
{
	while (!steps_.empty()) {
		Step step = std::move(steps_.back());
		steps_.pop_back();
		try {
			if (tells_ == Tells::all)
				terminal_.write(Stream::err, "[#] " + step.what + "\n");
			step.action();
		} catch (const Failure &failure) {
			complain("cannot " + step.what + ": " + failure.text, terminal_);
		}
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
		throw Failure{"cannot open network namespace " + quoted(what) + ": " + failure.text};
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
	return placement;
}

Device parse_without_lookup(const QuickConfig &config, World &world)
{
	NoResolver resolver(world.resolver);
	SilentTerminal terminal;
	World quiet{world.devices, world.files, terminal, resolver, world.clock, world.environment, world.host};

	return parse_config(config.plain_text, config.path, FileMeaning::replace, quiet);
}

void bring_up(const QuickConfig &config, const Placement &placement, UndoList &undo, World &world)
{
	Up(config, placement, undo, world).run();
}

void bring_up(const QuickConfig &config, const Placement &placement, World &world)
{
	UndoList undo(world.terminal, UndoList::Tells::all);

	bring_up(config, placement, undo, world);
	undo.keep();
}

void take_down(const QuickConfig &config, const Placement &placement, World &world)
{
	Down(config, placement, world).run();
}

void add_default_routes(const QuickConfig &config, const Placement &placement, const Device &device,
			const std::vector<Prefix> &prefixes, World &world)
{
	UndoList undo(world.terminal, UndoList::Tells::all);

	Up(config, placement, undo, world).add_default_routes(device, prefixes);
	undo.keep();
}

void delete_default_route(const QuickConfig &config, const Placement &placement, const Device &device, const Prefix &prefix,
			  World &world)
{
	Down(config, placement, world).delete_default_route(device, prefix);
}

bool is_default_route(const Prefix &prefix)
{
	return !prefix.cidr;
}

/* The same name as wg-quick's, so that either can take down what the other brought up. What nftables
 * does not take in a name is written in hexadecimal, behind a slash, which no interface has. */
std::string filter_table(const std::string &interface)
{
	std::string table("wg-quick-");

	for (char c : interface) {
		if (c == '=')
			table += "/3d";
		else if (c == '+')
			table += "/2b";
		else
			table += c;
	}
	return table;
}

/* Nobody but the tunnel may bring packets for its addresses: whoever shares a network with this
 * machine could otherwise find out that it has them, and reach into connections within the tunnel
 * (CVE-2019-14899). And what answers the tunnel's own packets gets their mark, through the connection,
 * for the reverse path filter. */
std::string filter_setup(const std::string &interface, std::uint16_t family, std::uint32_t mark, const std::vector<Prefix> &addresses)
{
	std::string version = family == AF_INET6 ? "ip6" : "ip";
	std::string table = version + " " + filter_table(interface);
	std::string text = "add table " + table + "\n";

	text += "add chain " + table + " preraw { type filter hook prerouting priority -300; }\n";
	text += "add chain " + table + " premangle { type filter hook prerouting priority -150; }\n";
	text += "add chain " + table + " postmangle { type filter hook postrouting priority -150; }\n";
	for (const Prefix &address : addresses)
		if (address.family == family)
			text += "add rule " + table + " preraw iifname != \"" + interface + "\" " + version + " daddr " + format_address(address) +
				" fib saddr type != local drop\n";
	text += "add rule " + table + " postmangle meta l4proto udp meta mark " + std::to_string(mark) + " ct mark set meta mark\n";
	text += "add rule " + table + " premangle meta l4proto udp meta mark set ct mark\n";
	return text;
}

std::string resolv_conf(const DnsSettings &settings, const std::string &interface)
{
	std::string text = "# written by wgctl for " + interface + "\n";

	for (const std::string &server : settings.servers)
		text += "nameserver " + server + "\n";
	if (!settings.domains.empty()) {
		text += "search";
		for (const std::string &domain : settings.domains)
			text += " " + domain;
		text += "\n";
	}
	return text;
}

}
