// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include <algorithm>
#include <array>
#include <csignal>

#include "../../../uapi/version.h"
#include "model/machine.h"
#include "model/values.h"
#include "view/dashboard.h"

namespace wgctl {

namespace {

constexpr std::string_view VERSION = "wgctl v" WG_VERSION ", speaks what wireguard-tools v1.0 speaks\n";

const std::array COMMANDS = {
	Command{"show", "Show the configuration and state of interfaces", "--names --verbose --json --secrets --netns",
		"[INTERFACE|all|interfaces] [public-key|private-key|listen-port|fwmark|peers|preshared-keys|endpoints|allowed-ips|"
		"latest-handshakes|transfer|persistent-keepalive|dump]",
		"wgctl show wg0 latest-handshakes", show},
	Command{"showconf", "Show the configuration of an interface as a file for setconf", "", "INTERFACE", "wgctl showconf wg0", showconf},
	Command{"set", "Change an interface: add, change or remove peers",
		"listen-port fwmark private-key peer remove preshared-key endpoint persistent-keepalive allowed-ips", "INTERFACE SETTING...",
		"wgctl set wg0 peer PUBLIC-KEY endpoint 192.0.2.1:51820 allowed-ips 10.0.0.0/24", set},
	Command{"setconf", "Replace an interface's configuration by a file's", "", "INTERFACE FILE", "wgctl setconf wg0 wg0.conf", setconf},
	Command{"addconf", "Add a file's configuration to an interface", "", "INTERFACE FILE", "wgctl addconf wg0 peer.conf", addconf},
	Command{"syncconf", "Like setconf, but leave the sessions of unchanged peers alone", "", "INTERFACE FILE", "wgctl syncconf wg0 wg0.conf",
		syncconf},
	Command{"genkey", "Write a new private key to standard output", "", "", "wgctl genkey > private.key", genkey},
	Command{"genpsk", "Write a new preshared key to standard output", "", "", "wgctl genpsk > preshared.key", genpsk},
	Command{"pubkey", "Read a private key from standard input, write its public key to standard output", "", "", "wgctl pubkey < private.key",
		pubkey},
	Command{"up", "Bring up an interface with its addresses, routes and DNS, from a file as wg-quick(8) has it",
		"--wait --netns --birth-netns", "FILE|INTERFACE", "wgctl up wg0", up},
	Command{"down", "Take down what `up' brought up", "--netns --birth-netns", "FILE|INTERFACE", "wgctl down wg0", down},
	Command{"save", "Write the state of a running interface back into its file", "--netns", "FILE|INTERFACE", "wgctl save wg0", save},
	Command{"strip", "Print a file without what only `up' and `down' understand", "", "FILE|INTERFACE", "wgctl strip wg0", strip},
	Command{"networks", "Print AllowedIPs for all addresses, or those of NETs, but some", "--except", "[NET...]",
		"wgctl networks --except 192.168.0.0/16", networks},
	Command{"check", "Find what is wrong with files, without changing or asking anything; exit code 1 when there is an error", "--json",
		"FILE|INTERFACE...", "wgctl check wg0.conf", check},
	Command{"import", "Make a file like wg-quick's of systemd-networkd's pair or NetworkManager's keyfile", "--out", "FILE...",
		"wgctl import wg0.netdev wg0.network --out wg0.conf", import_from},
	Command{"export", "Write a file as systemd-networkd's pair or NetworkManager's keyfile", "--format --out", "FILE|INTERFACE",
		"wgctl export wg0 --format networkd --out /etc/systemd/network", export_to},
	Command{"status", "Show peers in a line each: name, last handshake, rates, address, endpoint", "--sort --online --offline --json --netns",
		"[INTERFACE]", "wgctl status wg0 --online --sort rate", status},
	Command{"watch", "Watch traffic and handshakes of all interfaces or one; q quits", "--once --json --interval --netns", "[INTERFACE]",
		"wgctl watch wg0", watch},
	Command{"monitor", "Tell what happens to interfaces and their peers, as it happens; until stopped",
		"--json --exec --moves --strangers --netns", "[INTERFACE]", "wgctl monitor wg0 --json", monitor},
	Command{"debug", "Switch on the kernel's debug lines and print those of an interface, until stopped", "--netns", "INTERFACE", "wgctl debug wg0",
		debug},
	Command{"wait", "Wait until all peers with an endpoint have a session, or the one that is named; exit code 1 when they have none in time",
		"--timeout --netns", "INTERFACE [PEER]", "wgctl wait wg0 laptop --timeout 60", wait},
	Command{"apply", "Show and make the difference between a file and the running interface",
		"--dry-run --exit-code --json --steal --endpoints --netns --birth-netns", "FILE|INTERFACE...", "wgctl apply --dry-run wg0", apply},
	Command{"metrics", "Print counters for Prometheus and others, as OpenMetrics text, or serve them over HTTP", "--listen --netns",
		"[INTERFACE...]", "wgctl metrics --listen 127.0.0.1:9586", metrics},
	Command{"init", "Write the file of a new hub, with a key of its own: a machine that passes its peers' packets on", "--address --nat --endpoint",
		"FILE|INTERFACE", "wgctl init wg0 --address 10.8.0.0/24 --nat --endpoint vpn.example.com", init},
	Command{"peer add", "Add a peer, with the file for its side: in the file, and in the interface if it runs",
		"--pool --allowed-ips --endpoint --dns --keepalive --psk --public-key --keep-key --out --qr --json --secrets --netns", "FILE|INTERFACE NAME",
		"wgctl peer add wg0 laptop --endpoint vpn.example.com --qr", peer_add},
	Command{"peer remove", "Remove a peer: from the file, and from the interface if it runs", "--json --netns", "FILE|INTERFACE PEER",
		"wgctl peer remove wg0 laptop", peer_remove},
	Command{"peer list", "List the peers of a file with their state, last handshake and addresses", "--json --netns", "FILE|INTERFACE",
		"wgctl peer list wg0", peer_list},
	Command{"peer show", "Show what a file and the running interface have of one peer", "--json --netns", "FILE|INTERFACE PEER",
		"wgctl peer show wg0 laptop", peer_show},
	Command{"peer rename", "Give a peer another name", "--json --netns", "FILE|INTERFACE PEER NAME", "wgctl peer rename wg0 laptop ann-laptop",
		peer_rename},
	Command{"peer edit", "Change what a peer is allowed and where it is: in the file, and in the interface if it runs", "--json --netns",
		"FILE|INTERFACE PEER KEY=VALUE...", "wgctl peer edit wg0 laptop AllowedIPs=+10.1.0.0/16 PersistentKeepalive=25", peer_edit},
	Command{"peer disable", "Keep a peer in the file, but let it in no longer", "--json --netns", "FILE|INTERFACE PEER",
		"wgctl peer disable wg0 laptop", peer_disable},
	Command{"peer enable", "Let a disabled peer in again", "--json --netns", "FILE|INTERFACE PEER", "wgctl peer enable wg0 laptop", peer_enable},
	Command{"peer expire", "Let a peer in until some time and no longer", "--json --netns", "FILE|INTERFACE PEER WHEN",
		"wgctl peer expire wg0 guest 30d", peer_expire},
	Command{"client", "Write a peer's file again: with its key if that is kept, or else a new one, and the old one ends",
		"--allowed-ips --endpoint --dns --keepalive --keep-key --renew --out --qr --json --secrets --netns", "FILE|INTERFACE PEER",
		"wgctl client wg0 laptop --out laptop.conf", client},
	Command{"rotate", "Change the key pair, in two steps, or a peer's key; tells what to run at the other side",
		"--commit --abort --peer --new-key --psk-fd --dry-run --json --netns", "FILE|INTERFACE", "wgctl rotate wg0 --dry-run", rotate},
	/* 1 would be one finding. */
	Command{"doctor", "Find what keeps an interface from working; the exit code is how much was found",
		"--no-probe --json --netns --birth-netns", "FILE|INTERFACE", "wgctl doctor wg0", doctor, 125},
	Command{"ping", "Send a ping through the tunnel to a peer's address inside it", "--netns", "INTERFACE PEER", "wgctl ping wg0 laptop", ping},
	Command{"agent", "Keep the endpoints of an interface at the names its file has, when sessions are dead", "--netns --birth-netns",
		"FILE|INTERFACE", "wgctl agent wg0", agent},
	Command{"exec", "Run a command whose only way to the network is the tunnel", "--birth-netns", "FILE|INTERFACE -- COMMAND [ARGUMENT...]",
		"wgctl exec wg0 -- curl https://example.com", exec},
};

/* What the program is, by its name. */
struct Guise {
	std::string_view name;
	/* Those it has; all of them when empty. */
	std::string_view commands;

	bool is_quick() const { return name == "wg-quick"; }
	bool has(const Command &command) const { return commands.empty() || contains(list_items(commands), std::string(command.name)); }
};
constexpr Guise OWN{"wgctl", ""};
constexpr std::array OTHERS{
	Guise{"wg", "show showconf set setconf addconf syncconf genkey genpsk pubkey"},
	Guise{"wg-quick", "up down save strip"},
};

bool asks_for_help(std::string_view argument)
{
	return argument == "-h" || argument == "--help" || argument == "help";
}

using Rows = std::vector<std::pair<std::string, std::string_view>>;

/* What is on the left of them in a column. */
std::string text_of(const Rows &rows)
{
	std::size_t width = 0;
	std::string text;

	for (const auto &[name, meaning] : rows)
		width = std::max(width, name.size());
	for (const auto &[name, meaning] : rows)
		text.append("  ").append(name).append(width + 2 - name.size(), ' ').append(meaning).append("\n");
	return text;
}

std::string help(const Command &command)
{
	std::string usage = "Usage: wgctl " + std::string(command.name) + (command.options.starts_with("--") ? " [OPTION]..." : "");
	Rows rows;

	for (const std::string &item : list_items(command.operands)) {
		usage += " " + item;
		if (const Word *word = find_word(without_brackets(item)))
			rows.emplace_back(word->name, word->meaning);
	}
	for (const std::string &item : list_items(command.options)) {
		const Word *option = find_word(item);
		rows.emplace_back(item + (option->takes_next_word() ? " " : "") + std::string(option->value), option->meaning);
	}
	return usage + "\n\n" + std::string(command.summary) + ".\n\n" + text_of(rows) + (rows.empty() ? "" : "\n") + "Example: " +
	       std::string(command.example) + "\n";
}

/* Those whose names begin so; empty when there are none. */
std::string overview(const std::string &beginning, const Guise &guise)
{
	std::string name(guise.name);
	Rows rows;

	for (const Command &command : COMMANDS)
		if (command.name.starts_with(beginning) && guise.has(command))
			rows.emplace_back(command.name, command.summary);
	return rows.empty() ? "" : "Usage: " + name + " " + beginning + "COMMAND [ARGUMENTS]\n\nCommands:\n" + text_of(rows) +
				   (beginning.empty() && !guise.is_quick() ? "Without a command, all interfaces are shown. " : "") + "`" + name +
				   " help " + beginning + "COMMAND' tells more.\n";
}

int no_command(Arguments words, bool wants_help, const Guise &guise, World &world)
{
	std::string group = words.empty() ? "" : std::string(words[0]) + " ", text = overview(group, guise);
	std::string unknown = words.empty() ? "" : std::string(words[0]);
	std::vector<std::string_view> names;

	if (wants_help && !text.empty()) {
		world.terminal.write(Stream::out, text);
		return 0;
	}
	if (!text.empty() && words.size() == 1) {
		complain(unknown + ": which of its commands?", world.terminal);
		world.terminal.write(Stream::err, text);
		return 1;
	}
	if (!text.empty())
		unknown = group.append(words[1]);
	/* Of a group's, the group's name is enough. */
	for (const Command &command : COMMANDS)
		if (guise.has(command))
			names.push_back(text.empty() ? command.name.substr(0, command.name.find(' ')) : command.name);
	complain("unknown command " + in_quotes(unknown) + did_you_mean(unknown, names) + " (" + std::string(guise.name) + " help" +
			 (text.empty() ? "" : " " + std::string(words[0])) + ")",
		 world.terminal);
	return 1;
}

/* As wg-quick runs itself again without root; nothing when it need not. */
std::optional<int> run_by_sudo(Arguments words, World &world)
{
	std::vector<std::string> line = world.host.shell.sudo();

	if (line.empty())
		return {};
	line.insert(line.end(), words.begin(), words.end());
	complain("wg-quick takes root: runs again by sudo", world.terminal);
	int status = world.host.shell.run_program(line);
	if (status == 127)
		throw Failure{"there is no sudo: run it as root"};
	return status;
}

/* Sets what a failure of the command ends with. */
int run(Arguments words, const Guise &guise, World &world, int &failed)
{
	static constexpr std::string_view FOR_PEOPLE[] = {"status"}, AS_WG[] = {"show"};

	if (words.empty() && guise.is_quick()) {
		world.terminal.write(Stream::err, overview("", guise));
		return 1;
	}
	if (words.empty())
		words = guise.name == OWN.name && world.terminal.output_is_terminal() && world.host.screen.size().columns >= FULL_WIDTH ? FOR_PEOPLE : AS_WG;
	bool wants_help = false;
	for (; !words.empty() && asks_for_help(words[0]); words = words.subspan(1))
		wants_help = true;
	if (!words.empty() && (words[0] == "-v" || words[0] == "--version" || words[0] == "version")) {
		world.terminal.write(Stream::out, VERSION);
		return 0;
	}
	if (wants_help && !words.empty() && words[0] == "--complete")
		return complete(words.subspan(1), world);
	const Command *command = find_command(words);
	if (command && !guise.has(*command))
		command = nullptr;
	Arguments behind = words.subspan(command ? count_words(*command) : std::min<std::size_t>(words.size(), 1));
	/* Behind a lone "--" it is another program's. */
	Arguments own = behind.first(std::find(behind.begin(), behind.end(), "--") - behind.begin());
	wants_help = wants_help || (behind.size() == 1 && asks_for_help(behind[0])) || std::find(own.begin(), own.end(), "--help") != own.end() ||
		     (command && command->options.starts_with("--") && std::find(own.begin(), own.end(), "-h") != own.end());
	if (!command)
		return no_command(words, wants_help, guise, world);
	if (wants_help) {
		world.terminal.write(Stream::out, help(*command));
		return 0;
	}
	failed = command->failed;
	Options options(*command, behind);
	options.check_operands();
	std::optional<int> status = guise.is_quick() ? run_by_sudo(words, world) : std::nullopt;
	return status ? *status : command->run(options, world);
}

}

std::span<const Command> all_commands()
{
	return COMMANDS;
}

std::size_t count_words(const Command &command)
{
	return 1 + std::count(command.name.begin(), command.name.end(), ' ');
}

const Command *find_command(Arguments words)
{
	for (const Command &command : COMMANDS) {
		std::vector<std::string> name = list_items(command.name);
		if (words.size() >= name.size() && std::equal(name.begin(), name.end(), words.begin()))
			return &command;
	}
	return nullptr;
}

int run_command_line(Arguments arguments, World &world, std::string_view name)
{
	auto other = std::find_if(OTHERS.begin(), OTHERS.end(), [=](const Guise &guise) { return guise.name == name; });
	int failed = 1;

	try {
		return run(arguments, other == OTHERS.end() ? OWN : *other, world, failed);
	} catch (const ReaderGone &) {
		/* As a shell has it of a program that SIGPIPE ended. */
		return 128 + SIGPIPE;
	} catch (const Failure &failure) {
		complain(failure.text, world.terminal);
	} catch (const std::bad_alloc &) {
		complain("out of memory", world.terminal);
	}
	return failed;
}

bool wants_colour(World &world)
{
	const char *mode = world.environment.get("WG_COLOR_MODE"), *none = world.environment.get("NO_COLOR");
	std::string_view wanted = mode ? mode : none && *none ? "never" : "";

	return wanted == "always" || (wanted != "never" && world.terminal.output_is_terminal());
}

Device get_device(const std::string &name, World &world, Reading reading)
{
	return step("read interface " + in_quotes(name),
		    [&] { return reading == Reading::with_state ? world.devices.get_with_state(name) : world.devices.get(name); });
}

void set_device(const Device &change, World &world)
{
	step("change interface " + in_quotes(change.name), [&] { world.devices.set(change); });
}

}
