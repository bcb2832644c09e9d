// SPDX-License-Identifier: GPL-2.0
#include "quick.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "config.h"
#include "default_route.h"
#include "resolv_conf.h"
#include "save.h"
#include "values.h"

namespace wgctl {

namespace {

/* IPv6 header, UDP header, and 32 bytes of WireGuard's. */
constexpr std::uint32_t OVERHEAD = 80;
constexpr std::uint32_t USUAL_MTU = 1500;
/* IPv4's least; a link refuses less. */
constexpr std::uint32_t LEAST_MTU = 68;
/* With less, the kernel takes IPv6 off the link, addresses, routes and all. */
constexpr std::uint32_t LEAST_MTU_OF_IPV6 = 1280;

bool has_ipv6(const QuickConfig &config)
{
	return std::any_of(config.addresses.begin(), config.addresses.end(),
			   [](const Address &address) { return address.prefix.family == AF_INET6; });
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

/* Is `prefix` part of one of `set`? */
bool is_covered(const Prefix &prefix, const std::set<Prefix> &set)
{
	for (unsigned length = 0; length <= prefix.cidr; ++length)
		if (set.contains(shortened(prefix, length)))
			return true;
	return false;
}

/* The program that makes interfaces where the kernel cannot; the variable is wg-quick's. */
std::string userspace_program(World &world)
{
	const char *program = world.environment.get("WG_QUICK_USERSPACE_IMPLEMENTATION");

	return program && *program ? program : "wireguard-go";
}

/* One interface on its way up. */
class Up {
public:
	Up(const QuickConfig &config, const Placement &placement, Steps &steps, World &world) :
		config_(config), placement_(placement), name_(config.interface), steps_(steps), world_(world), host_(world.host)
	{
	}

	void run()
	{
		check_before_up(config_, placement_, world_);
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

private:
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
		mtu_ = config_.mtu ? *config_.mtu : step("find the MTU", [&] { return find_mtu(config_, change_, {{}, change_.fwmark.value_or(0)}, host_.network); });
		/* Looking up names may take long and be ended; from here on, what is begun is ended or undone. */
		host_.shell.hold_signals();
		bool is_made = false;
		steps_.run("add interface " + name_, [&] {
			is_made = host_.network.add_wireguard(name_, placement_.is_apart() ? std::optional(placement_.home) : std::nullopt);
		});
		if (!is_made)
			start_userspace_program();
		enter_home();
		steps_.undo_by("delete interface " + name_, [&world = world_, name = name_] {
			world.host.network.delete_link(name);
			note_table(name, {}, world);
		});
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

	/* It goes into the background by itself, and ends with its interface. */
	void start_userspace_program()
	{
		std::string program = userspace_program(world_);

		if (placement_.is_apart())
			throw Failure{"this kernel has no WireGuard, and without it an interface cannot have its sockets in another namespace: "
				      "modprobe wireguard"};
		world_.terminal.write(Stream::err, "[!] This kernel has no WireGuard (modprobe wireguard): falling back to " + program +
							   ", which is slower\n");
		steps_.run("start " + program + " " + name_, [&] {
			int status = host_.shell.run_program({program, name_});
			if (status == 127)
				throw Failure{"this kernel has no WireGuard, and there is no such program: modprobe wireguard, or install " + program};
			if (status)
				throw Failure{"it ended with status " + std::to_string(status)};
		});
	}

	void add_addresses()
	{
		for (const Address &address : config_.addresses) {
			try {
				steps_.run("add address " + format_prefix(address.prefix) + " to " + name_,
					   [&] { host_.network.add_address(name_, address.prefix); });
			} catch (const Failure &failure) {
				throw Failure{config_.at(address.line) + failure.text};
			}
		}
	}

	void set_up()
	{
		if (placement_.is_private)
			step("set lo up", [&] { host_.network.set_up("lo", {}); });
		steps_.run("set " + name_ + " up, MTU " + std::to_string(mtu_), [&] { host_.network.set_up(name_, mtu_); });
	}

	void set_dns()
	{
		InterfaceDns dns(name_, placement_, world_);

		steps_.run("set " + dns.place(), [&] { dns.set({config_.dns_servers, config_.dns_domains}); });
		steps_.undo_by("unset " + dns.place(), [dns]() mutable { dns.unset(); });
	}

	void add_routes()
	{
		std::optional<std::uint32_t> table = table_of_routes(config_, placement_);

		if (!table)
			return;
		if (!placement_.is_private)
			note_table(name_, table, world_);
		bool is_plain = placement_.is_apart() || config_.routing == Routing::numbered;
		bool skips_covered = table == MAIN_TABLE && config_.routing != Routing::numbered;
		std::set<Prefix> present;
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
			add_route({prefix, *table});
			present.insert(prefix);
		}
	}

	/* It goes with the interface. */
	void add_route(const Route &route)
	{
		std::string where = route.table == MAIN_TABLE ? "" : " table " + std::to_string(route.table);
		steps_.run("add route " + format_prefix(route.destination) + " to " + name_ + where, [&] { host_.network.add_route(name_, route); });
	}

	void add_default_route(const Prefix &prefix)
	{
		if (!mark_)
			mark_ = device_.fwmark.value_or(0);
		if (!mark_)
			mark_ = give_mark(name_, steps_, world_);
		DefaultRoute(name_, prefix.family, mark_, world_).make(steps_);
	}

	const QuickConfig &config_;
	const Placement &placement_;
	const std::string name_;
	Steps &steps_;
	World &world_;
	Host &host_;
	Device change_, device_;
	std::uint32_t mtu_ = 0;
	/* Of packets that do not take default routes, and the number of the table of those. */
	std::uint32_t mark_ = 0;
};

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
		if (config_.save)
			save();
		host_.shell.hold_signals();
		Device device = get_device();

		attempt("read the nftables tables", [&] { delete_filters(); });
		if (device.fwmark.value_or(0) && config_.routing == Routing::automatic)
			for (std::uint16_t family : FAMILIES)
				attempt("read the rules", [&] { delete_rules(family, *device.fwmark); });
		attempt("look for the DNS of " + name_, [&] { unset_dns(); });
		tell_and_attempt("delete interface " + name_, [&] { host_.network.delete_link(name_); });
		note_table(name_, {}, world_);
		if (failed_)
			throw Failure{name_ + " is not down as a whole: see above"};
		run_hooks(config_, config_.post_down, world_);
	}

private:
	Device get_device()
	{
		return step("read interface " + name_, [&] { return world_.devices.get(name_); });
	}

	/* Only now: a hook may have changed the file. */
	void save()
	{
		world_.terminal.write(Stream::err, "[#] save the configuration to " + config_.path + "\n");
		step("save the configuration to " + config_.path, [&] { save_config(config_, world_); });
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
			if (std::find(tables.begin(), tables.end(), table) != tables.end())
				tell_and_attempt("delete nftables table " + table, [&] { host_.filter.run("delete table " + table + "\n"); });
	}

	void delete_rules(std::uint16_t family, std::uint32_t mark)
	{
		RulePair pair = find_rules(host_.network.rules(family), mark);
		std::string version = family == AF_INET6 ? "IPv6" : "IPv4";

		if (!pair.unmarked)
			return;
		tell_and_attempt("delete the " + version + " rules of " + name_, [&] {
			host_.network.delete_rule(*pair.unmarked);
			if (pair.specific)
				host_.network.delete_rule(*pair.specific);
		});
	}

	/* The file may have lost its DNS since. */
	void unset_dns()
	{
		InterfaceDns dns(name_, placement_, world_);

		if (dns.has_place() && (config_.has_dns() || dns.is_ours()))
			tell_and_attempt("unset " + dns.place(), [&] { dns.unset(); });
	}

	const QuickConfig &config_;
	const Placement &placement_;
	const std::string name_;
	World &world_;
	Host &host_;
	bool failed_ = false;
};

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
	placement.options = (home.empty() ? "" : " --netns " + shell_word(home)) + (birth.empty() ? "" : " --birth-netns " + shell_word(birth));
	placement.prefix = way_into(home);
	return placement;
}

Device parse_without_lookup(const QuickConfig &config, World &world)
{
	NoResolver resolver(world.resolver);
	SilentTerminal terminal;
	World quiet{world.devices, world.files, terminal, resolver, world.clock, world.environment, world.host};

	Device device = parse_config(config.plain_text, config.path, FileMeaning::replace, quiet);
	device.peers = merged_peers(device.peers);
	return device;
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

void check_before_up(const QuickConfig &config, const Placement &placement, World &world)
{
	parse_without_lookup(config, world);
	check_values(config, placement, world);
	/* One that was made for this has no links; and entering it may be for good. */
	if (placement.is_private)
		return;
	step("enter the interface's namespace", [&] { world.host.namespaces.enter(placement.home); });
	if (!world.host.network.has_link(config.interface))
		return;
	bool is_wireguard = contains(world.devices.names(), config.interface);
	throw Failure{"interface " + quoted(config.interface) + " already exists" +
		      (is_wireguard ? ": wgctl down " + config.argument() + placement.options + " takes it down"
				    : ", and is not WireGuard's: give the file another name")};
}

void check_values(const QuickConfig &config, const Placement &placement, World &world)
{
	if (config.mtu && *config.mtu < LEAST_MTU)
		throw Failure{config.path + ": MTU is less than " + std::to_string(LEAST_MTU) + ": " + std::to_string(*config.mtu)};
	if (config.mtu && *config.mtu < LEAST_MTU_OF_IPV6 && has_ipv6(config))
		throw Failure{config.path + ": with MTU " + std::to_string(*config.mtu) + " the kernel takes no IPv6 address: make it " +
			      std::to_string(LEAST_MTU_OF_IPV6) + " or more, or remove the IPv6 addresses"};
	if (config.has_dns() && !InterfaceDns(config.interface, placement, world).has_place() && !placement.is_private)
		throw Failure{config.at(config.dns_line) + "DNS cannot be set in a namespace without a name: its processes have their own "
							   "resolv.conf. Remove DNS, or use --netns NAME"};
}

/* As wg-quick has it: path MTU discovery takes care of the narrower ways, while a tunnel too narrow
 * for its best peer would stay so. But where that would cost IPv6, packets had better go in two pieces. */
std::uint32_t find_mtu(const QuickConfig &config, const Device &device, PacketWay way, Network &network)
{
	std::uint32_t widest = 0, least = has_ipv6(config) ? LEAST_MTU_OF_IPV6 : LEAST_MTU;

	for (const Peer &peer : device.peers) {
		if (!peer.endpoint)
			continue;
		way.destination = address_of(*peer.endpoint);
		widest = std::max(widest, network.path_mtu(way).value_or(0));
	}
	way.destination.reset();
	if (!widest)
		widest = network.path_mtu(way).value_or(0);
	if (!widest)
		widest = USUAL_MTU;
	return std::max(least, widest > OVERHEAD ? widest - OVERHEAD : 0);
}

void bring_up(const QuickConfig &config, const Placement &placement, Steps &steps, World &world)
{
	Up(config, placement, steps, world).run();
}

void bring_up(const QuickConfig &config, const Placement &placement, World &world)
{
	Steps steps(world, Steps::Tells::all);

	bring_up(config, placement, steps, world);
	steps.keep();
}

void take_down(const QuickConfig &config, const Placement &placement, World &world)
{
	Down(config, placement, world).run();
}

bool is_default_route(const Prefix &prefix)
{
	return !prefix.cidr;
}

}
