// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>

#include "../../../uapi/version.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::size_t ANY = SIZE_MAX;

constexpr std::string_view VERSION = "wgctl v" WG_VERSION ", speaks what wireguard-tools v1.0 speaks\n";

const std::array COMMANDS = {
	Command{"show", "Show the configuration and state of interfaces",
		"{ INTERFACE | all | interfaces } [public-key | private-key | listen-port | fwmark | peers | preshared-keys | "
		"endpoints | allowed-ips | latest-handshakes | transfer | persistent-keepalive | dump] [--names] [--json] [--secrets] "
		"[--netns NAME|PID|PATH]",
		"wgctl show wg0 latest-handshakes", 0, ANY, show},
	Command{"showconf", "Show the configuration of an interface as a file for setconf", "INTERFACE", "wgctl showconf wg0", 1, 1,
		showconf},
	Command{"set", "Change an interface: add, change or remove peers",
		"INTERFACE [listen-port PORT] [fwmark MARK] [private-key FILE] [peer PUBLIC-KEY [remove] [preshared-key FILE] "
		"[endpoint HOST:PORT] [persistent-keepalive SECONDS] [allowed-ips [+|-]IP[/LENGTH],...] ]...",
		"wgctl set wg0 peer PUBLIC-KEY endpoint 192.0.2.1:51820 allowed-ips 10.0.0.0/24", 2, ANY, set},
	Command{"setconf", "Replace an interface's configuration by a file's", "INTERFACE FILE", "wgctl setconf wg0 wg0.conf", 2, 2,
		setconf},
	Command{"addconf", "Add a file's configuration to an interface", "INTERFACE FILE", "wgctl addconf wg0 peer.conf", 2, 2,
		addconf},
	Command{"syncconf", "Like setconf, but leave the sessions of unchanged peers alone", "INTERFACE FILE",
		"wgctl syncconf wg0 wg0.conf", 2, 2, syncconf},
	Command{"genkey", "Write a new private key to standard output", "", "wgctl genkey > private.key", 0, 0, genkey},
	Command{"genpsk", "Write a new preshared key to standard output", "", "wgctl genpsk > preshared.key", 0, 0, genpsk},
	Command{"pubkey", "Read a private key from standard input, write its public key to standard output", "",
		"wgctl pubkey < private.key", 0, 0, pubkey},
	Command{"up", "Bring up an interface with its addresses, routes and DNS, from a file as wg-quick(8) has it",
		"[--netns NAME|PID|PATH] [--birth-netns NAME|PID|PATH] { FILE | INTERFACE }", "wgctl up wg0", 1, ANY, up},
	Command{"down", "Take down what `up' brought up", "[--netns NAME|PID|PATH] [--birth-netns NAME|PID|PATH] { FILE | INTERFACE }",
		"wgctl down wg0", 1, ANY, down},
	Command{"save", "Write the state of a running interface back into its file", "[--netns NAME|PID|PATH] { FILE | INTERFACE }",
		"wgctl save wg0", 1, ANY, save},
	Command{"strip", "Print a file without what only `up' and `down' understand", "{ FILE | INTERFACE }", "wgctl strip wg0", 1, 1,
		strip},
	Command{"check", "Find what is wrong with files, without changing or asking anything; exit code 1 when there is an error", "[--json] { FILE | INTERFACE }...",
		"wgctl check wg0.conf", 1, ANY, check},
	Command{"watch", "Watch traffic and handshakes of all interfaces or one; q quits",
		"[--once [--json]] [--interval SECONDS] [--netns NAME|PID|PATH] [INTERFACE]", "wgctl watch wg0", 0, ANY, watch},
	Command{"apply", "Show and make the difference between a file and the running interface; with --exit-code, 2 when there is one",
		"[--dry-run] [--exit-code] [--json] [--steal] [--endpoints] [--netns NAME|PID|PATH] [--birth-netns NAME|PID|PATH] "
		"{ FILE | INTERFACE }...",
		"wgctl apply --dry-run wg0", 1, ANY, apply},
	Command{"metrics", "Print counters for Prometheus and others, as OpenMetrics text, or serve them over HTTP",
		"[--listen unix:PATH | 127.0.0.1:PORT] [--netns NAME|PID|PATH] [INTERFACE...]", "wgctl metrics --listen 127.0.0.1:9586", 0, ANY, metrics},
	Command{"peer", "Add a peer, with the file for its side, or remove one: in the file, and in the interface if it runs",
		"{ add { FILE | INTERFACE } NAME [--pool NET,...] [--allowed-ips NET,...] [--endpoint HOST[:PORT]] [--dns LIST] "
		"[--keepalive SECONDS] [--psk] [--public-key KEY] [--out FILE] [--qr] [--secrets] | remove { FILE | INTERFACE } { NAME | KEY } } [--json] "
		"[--netns NAME|PID|PATH]",
		"wgctl peer add wg0 laptop --endpoint vpn.example.com --qr", 1, ANY, peer},
	Command{"client", "Write a peer's file anew, with a new key: the old one ends",
		"{ FILE | INTERFACE } { NAME | KEY } [--allowed-ips NET,...] [--endpoint HOST[:PORT]] [--dns LIST] [--keepalive SECONDS] "
		"[--out FILE] [--qr] [--json [--secrets]] [--netns NAME|PID|PATH]",
		"wgctl client wg0 laptop --out laptop.conf", 2, ANY, client},
	Command{"rotate", "Change the key pair, in two steps, or a preshared key; tells what to run at the other side",
		"{ FILE | INTERFACE } [--commit | --abort | --peer NAME|KEY { --new-key KEY | --psk-fd NUMBER }] [--dry-run] "
		"[--json] [--netns NAME|PID|PATH]",
		"wgctl rotate wg0 --dry-run", 1, ANY, rotate},
	Command{"doctor", "Find what keeps an interface from working; the exit code is how much was found",
		"[--no-probe] [--json] [--netns NAME|PID|PATH] [--birth-netns NAME|PID|PATH] { FILE | INTERFACE }",
		"wgctl doctor wg0", 1, ANY, doctor},
	Command{"agent", "Keep the endpoints of an interface at the names its file has, when sessions are dead",
		"[--netns NAME|PID|PATH] [--birth-netns NAME|PID|PATH] { FILE | INTERFACE }", "wgctl agent wg0", 1, ANY, agent},
	Command{"exec", "Run a command whose only way to the network is the tunnel",
		"[--birth-netns NAME|PID|PATH] { FILE | INTERFACE } -- COMMAND [ARGUMENT...]", "wgctl exec wg0 -- curl https://example.com", 1,
		ANY, exec},
};

bool asks_for_help(std::string_view argument)
{
	return argument == "-h" || argument == "--help" || argument == "help";
}

std::string usage_line(const Command &command)
{
	return "Usage: wgctl " + std::string(command.name) + (command.arguments.empty() ? "" : " ") + std::string(command.arguments) +
	       "\n";
}

std::string help(const Command &command)
{
	return usage_line(command) + "\n" + std::string(command.summary) + ".\n\nExample: " + std::string(command.example) + "\n";
}

std::string overview()
{
	std::string text("Usage: wgctl COMMAND [ARGUMENTS]\n\nCommands:\n");

	for (const Command &command : COMMANDS)
		text.append("  ").append(command.name).append(": ").append(command.summary).append("\n");
	return text + "Without a command, all interfaces are shown. `wgctl COMMAND --help' tells more.\n";
}

int run(Arguments arguments, World &world)
{
	if (arguments.empty())
		return show(arguments, world);
	auto find = [](std::string_view name) { return std::find_if(COMMANDS.begin(), COMMANDS.end(), [=](const Command &c) { return c.name == name; }); };
	if (auto asked = find(arguments.back()); arguments.size() == 2 && asks_for_help(arguments[0]) && asked != COMMANDS.end()) {
		world.terminal.write(Stream::out, help(*asked));
		return 0;
	}
	if (asks_for_help(arguments[0]) || arguments[0] == "-v" || arguments[0] == "--version" || arguments[0] == "version") {
		world.terminal.write(Stream::out, asks_for_help(arguments[0]) ? overview() : VERSION);
		return 0;
	}
	auto command = find(arguments[0]);
	if (command == COMMANDS.end()) {
		std::vector<std::string_view> names;
		std::transform(COMMANDS.begin(), COMMANDS.end(), std::back_inserter(names), [](const Command &c) { return c.name; });
		world.terminal.write(Stream::err, "wgctl: unknown command " + in_quotes(arguments[0]) + did_you_mean(arguments[0], names) + "\n" + overview());
		return 1;
	}
	arguments = arguments.subspan(1);
	/* Behind a lone "--" it is another program's. */
	Arguments own = arguments.first(std::find(arguments.begin(), arguments.end(), "--") - arguments.begin());
	if ((arguments.size() == 1 && asks_for_help(arguments[0])) || std::find(own.begin(), own.end(), "--help") != own.end()) {
		world.terminal.write(Stream::out, help(*command));
		return 0;
	}
	if (arguments.size() < command->least_arguments || arguments.size() > command->most_arguments) {
		world.terminal.write(Stream::err, usage_line(*command));
		return 1;
	}
	return command->run(arguments, world);
}

}

std::span<const Command> all_commands()
{
	return COMMANDS;
}

int run_command_line(Arguments arguments, World &world)
{
	try {
		return run(arguments, world);
	} catch (const ReaderGone &) {
		/* As a shell has it of a program that SIGPIPE ended. */
		return 128 + SIGPIPE;
	} catch (const Failure &failure) {
		complain(failure.text, world.terminal);
	} catch (const std::bad_alloc &) {
		complain("out of memory", world.terminal);
	}
	return 1;
}

bool wants_colour(World &world)
{
	const char *mode = world.environment.get("WG_COLOR_MODE");
	std::string_view wanted = mode ? mode : "";

	return wanted == "always" || (wanted != "never" && world.terminal.output_is_terminal());
}

Device get_device(const std::string &name, World &world)
{
	return step("read interface " + in_quotes(name), [&] { return world.devices.get(name); });
}

void set_device(const Device &change, World &world)
{
	step("change interface " + in_quotes(change.name), [&] { world.devices.set(change); });
}

}
