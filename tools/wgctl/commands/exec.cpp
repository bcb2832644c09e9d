// SPDX-License-Identifier: GPL-2.0
/* A command in a network namespace of its own, whose only way out is the tunnel. */
#include "commands/commands.h"

#include <algorithm>

#include "host/resolv_conf.h"
#include "model/values.h"
#include "tunnel/bring_up.h"
#include "tunnel/interface_dns.h"

namespace wgctl {

namespace {

/* Two devices with one key would take each session from the other. */
void refuse_second_device(const QuickConfig &config, World &world)
{
	Device wanted = parse_without_lookup(config, world);

	if (!wanted.private_key || wanted.private_key->is_zero())
		throw Failure{config.path + ": there is no PrivateKey"};
	Key public_key = public_key_of(*wanted.private_key);
	for (const std::string &name : world.devices.names())
		if (get_device(name, world).public_key == public_key)
			throw Failure{"interface " + in_quotes(name) + " has the same private key and would lose its sessions: wgctl down " + name +
				      " first, or give " + config.path + " a key of its own"};
}

void tell_what_is_left_out(const QuickConfig &config, World &world)
{
	for (const std::vector<Hook> *hooks : {&config.pre_up, &config.post_up, &config.pre_down, &config.post_down})
		for (const Hook &hook : *hooks)
			world.terminal.write(Stream::err, harmless(config.at(hook.line)) + std::string(hook.key) + " is not run by exec\n");
}

/* The machine's own name server, as systemd-resolved's, is not in there. */
void tell_missing_dns(const QuickConfig &config, World &world)
{
	std::vector<std::string> servers = parse_resolv_conf(read_resolv_conf(RESOLV_CONF, world)).servers;

	if (config.has_dns() || servers.empty() || !std::all_of(servers.begin(), servers.end(), [](const std::string &s) { return s.starts_with("127."); }))
		return;
	world.terminal.write(Stream::err, harmless(config.path) + " has no DNS, and the name server of this machine, " + harmless(servers[0]) +
						  ", is not reached from inside: no name will be found. DNS = ADDRESS in [Interface] helps\n");
}

}

int exec(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);
	/* Behind the file and "--". */
	Arguments command = Arguments(options.operands()).subspan(2);
	Placement placement;

	placement.is_private = true;
	placement.birth = open_namespace(options.text("--birth-netns"), world);
	refuse_second_device(config, world);
	tell_what_is_left_out(config, world);
	tell_missing_dns(config, world);
	placement.home = world.host.namespaces.create();

	Steps steps(world, Steps::Tells::failures);
	bring_up(config, placement, steps, world);
	if (world.host.shell.is_interrupted())
		throw Failure{"interrupted"};
	std::optional<std::string> resolver;
	if (config.has_dns())
		resolver = resolv_conf({config.dns_servers, config.dns_domains}, config.interface, read_resolv_conf(RESOLV_CONF, world));
	return world.host.namespaces.run(command, resolver);
}

}
