// SPDX-License-Identifier: GPL-2.0
#include "tunnel/bring_up.h"

#include <algorithm>

#include "config/config.h"
#include "config/expiry.h"
#include "config/peer_names.h"
#include "config/policies.h"
#include "model/times.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/hooks.h"
#include "tunnel/interface_dns.h"
#include "tunnel/kill_switch.h"
#include "tunnel/plan.h"

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
		/* Such a namespace has no other way out. */
		config_.kill_switch = config.kill_switch && !placement.is_private;
		config_.forward = config.forward && !placement.is_private;
		config_.masquerade = config.masquerade && !placement.is_private;
	}

	void run()
	{
		check_before_up(config_, placement_, world_);
		if (config_.kill_switch)
			close_kill_switch();
		if (!placement_.is_private)
			run_hooks(config_, config_.pre_up, world_);
		add_link();
		if (placement_.is_private)
			step("set lo up", [&] { host_.network.set_up("lo", {}); });
		carry_out(make_plan(config_, placement_, Plan::Scope::fresh, {}, world_), steps_, world_);
		steps_.stop_when_interrupted();
		if (!placement_.is_private)
			run_hooks(config_, config_.post_up, world_);
		steps_.stop_when_interrupted();
	}

private:
	/* For good: not among the steps that are undone. */
	void close_kill_switch()
	{
		Steps steps(world_, Steps::Tells::all);

		if (!placement_.is_apart())
			mark_ = parse_without_lookup(config_, world_).fwmark.value_or(0);
		if (!placement_.is_apart() && !mark_)
			mark_ = free_mark(name_, world_);
		KillSwitch(name_, world_).close(mark_, config_.kill_switch_except, steps);
		steps.keep();
		steps_.undo_by("leave the kill switch closed: `wgctl down " + config_.argument() + placement_.options + "' opens it", [] {});
	}

	void enter_home()
	{
		step("enter the interface's namespace", [&] { host_.namespaces.enter(placement_.home); });
	}

	/* In the namespace of the sockets: names are looked up, and ways to endpoints found, there. */
	void add_link()
	{
		step("enter the sockets' namespace", [&] { host_.namespaces.enter(placement_.birth); });
		change_ = parse_config(config_.plain_text, config_.path, FileMeaning::replace, world_, Names::leave);
		tell_expired();
		leave_out_expired(change_.peers, config_, world_);
		add_policies(change_.peers, config_);
		if (config_.binding != Binding())
			change_.binding = config_.binding;
		if (mark_)
			change_.fwmark = mark_;
		look_up();
		change_.name = name_;
		if (placement_.is_private)
			leave_out_socket_defaults();
		if (!config_.mtu)
			config_.mtu = step("find the MTU", [&] { return find_mtu(config_, change_, {{}, change_.fwmark.value_or(0)}, host_.network); });
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
	}

	void tell_expired()
	{
		PeerNames names = parse_peer_names(config_.text);

		for (const auto &[key, expiry] : config_.expiries)
			if (config_.is_expired(key, world_.clock.now()))
				world_.terminal.write(Stream::err, "[!] " + describe_peer(key, names) + " is left out: expired at " +
									   format_time(expiry.time) + "\n");
	}

	/* A site whose name nobody knows must not cut off the others. */
	void look_up()
	{
		ResolverPast resolver(KillSwitch(name_, world_), mark_, world_.resolver);
		World past{world_.devices, world_.files, world_.terminal, resolver, world_.clock, world_.environment, world_.host};
		std::map<Key, std::string> failures = look_up_names(change_.peers, Patience::retries, past);
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

	QuickConfig config_;
	const Placement &placement_;
	const std::string name_;
	Steps &steps_;
	World &world_;
	Host &host_;
	Device change_;
	/* That the kill switch knows; 0: there is none, or nothing of the tunnel's passes it. */
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
	if (!config.kill_switch && KillSwitch(config.interface, world).is_closed())
		throw Failure{"the kill switch of " + config.interface + " is closed, and the file has none: wgctl down " + config.argument() +
			      placement.options + " opens it"};
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
		throw Failure{config.at(config.mtu_line) + "MTU is less than " + std::to_string(LEAST_MTU) + ": " + std::to_string(*config.mtu)};
	if (config.mtu && *config.mtu < LEAST_MTU_OF_IPV6 && has_ipv6(config))
		throw Failure{config.at(config.mtu_line) + "with MTU " + std::to_string(*config.mtu) + " the kernel takes no IPv6 address: make it " +
			      std::to_string(LEAST_MTU_OF_IPV6) + " or more, or remove the IPv6 addresses"};
	if (config.masquerade && config.kill_switch)
		throw Failure{config.at(config.masquerade_line) + "Masquerade lets peers out by other interfaces, and KillSwitch nobody: remove one of them"};
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
