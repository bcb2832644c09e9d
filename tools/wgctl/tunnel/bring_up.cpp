// SPDX-License-Identifier: GPL-2.0
#include "tunnel/bring_up.h"

#include <algorithm>
#include <set>

#include "config/config.h"
#include "config/peer_names.h"
#include "host/resolv_conf.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/hooks.h"
#include "tunnel/interface_dns.h"

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
		steps_.stop_when_interrupted();
		if (!placement_.is_private)
			run_hooks(config_, config_.post_up, world_);
		steps_.stop_when_interrupted();
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
		change_ = parse_config(config_.plain_text, config_.path, FileMeaning::replace, world_, Names::leave);
		look_up();
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
			forget_notes(name, world);
		});
		step("configure interface " + name_ + " from " + config_.path, [&] { world_.devices.set(change_); });
		device_ = step("read interface " + name_, [&] { return world_.devices.get(name_); });
	}

	/* A site whose name nobody knows must not cut off the others. */
	void look_up()
	{
		std::map<Key, std::string> failures = look_up_names(change_.peers, Patience::retries, world_);
		bool any_found = std::any_of(change_.peers.begin(), change_.peers.end(), [](const Peer &peer) { return peer.endpoint.has_value(); });

		if (!failures.empty() && !any_found)
			throw Failure{config_.path + ": no endpoint has an address: " + failures.begin()->second};
		tell_unknown_names(failures, config_, world_);
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
		std::set<Prefix> added;

		for (const Address &address : config_.addresses) {
			try {
				steps_.run("add address " + format_prefix(address.prefix) + " to " + name_,
					   [&] { host_.network.add_address(name_, address.prefix); });
			} catch (const Failure &failure) {
				throw Failure{config_.at(address.line) + failure.text};
			}
			added.insert(address.prefix);
		}
		if (!placement_.is_private)
			note_prefixes(name_, ADDRESSES_NOTE, added, world_);
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
		if (placement_.is_here && !config_.dns_servers.empty())
			warn_of_other_servers();
	}

	/* systemd-resolved may run while programs read a resolv.conf that is somebody else's. */
	void warn_of_other_servers()
	{
		Text text = read_resolv_conf(RESOLV_CONF, world_);
		std::vector<std::string> servers = parse_resolv_conf(text).servers;
		bool asks_ours = std::any_of(servers.begin(), servers.end(), [this](const std::string &server) {
			return server.starts_with("127.") || contains(config_.dns_servers, server);
		});

		if (!servers.empty() && !asks_ours && text.find("systemd-resolved") == text.npos && !asks_resolved())
			world_.terminal.write(Stream::err, "[!] DNS of " + name_ + " is set, but " + RESOLV_CONF + " names other servers (" +
								   harmless(servers[0]) + "), which most programs will ask\n");
	}

	/* By the C library itself, whatever resolv.conf says. */
	bool asks_resolved()
	{
		bool found = false;

		try {
			Text text = world_.files.read("/etc/nsswitch.conf", RESOLV_CONF_LIMIT);
			for_each_line(text, [&](std::string_view line) { found = found || (line.starts_with("hosts:") && line.find("resolve") != line.npos); });
		} catch (const Failure &) {
			/* Without that file, it does not. */
		}
		return found;
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
		std::set<Prefix> present, made;
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
			made.insert(prefix);
		}
		if (!placement_.is_private)
			note_prefixes(name_, ROUTES_NOTE, made, world_);
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
	throw Failure{"interface " + in_quotes(config.interface) + " already exists" +
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

void tell_unknown_names(const std::map<Key, std::string> &failures, const QuickConfig &config, World &world)
{
	PeerNames names = parse_peer_names(config.text);

	for (const auto &[key, reason] : failures)
		complain(config.path + ": the endpoint of peer " + describe_peer(key, names) + " is left as it is: " + reason, world.terminal);
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

}
