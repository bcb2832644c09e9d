// SPDX-License-Identifier: GPL-2.0
#include "commands/options.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::array WORDS = {
	Word{"FILE|INTERFACE", "", "the path of INTERFACE.conf, or the name of one in /etc/wireguard"},
	Word{"PEER", "", "a peer by its name or public key; for `ping' an address behind it, too"},
	Word{"NAME", "", "what the peer is called from now on"},
	Word{"KEY=VALUE", "", "AllowedIPs (=+NET adds, =-NET takes away), Endpoint, PersistentKeepalive; KEY= takes it out"},
	Word{"WHEN", "", "a time in UTC (2026-12-31, 2026-12-31T18:00:00Z), a time from now (12h, 30d), or never"},
	Word{"SETTING", "", "one of these; what follows a peer is about that peer"},
	Word{"--netns", "WHERE", "the network namespace of the interface: a name, a PID or a path"},
	Word{"--birth-netns", "WHERE", "the network namespace its UDP sockets stay in"},
	Word{"--wait", "[=SECONDS]", "end when each peer with an endpoint has answered, or after so long, 30 by default"},
	Word{"--json", "", "print a document for programs"},
	Word{"--names", "", "call peers by the names their file has for them"},
	Word{"--secrets", "", "print what is secret, too: keys, the other side's file"},
	Word{"--once", "", "measure for one interval, print one page and end"},
	Word{"--sort", "handshake|name|address|rate", "which come first: the latest, as by default, the least or the busiest"},
	Word{"--online", "", "only peers with a handshake in the last 180 seconds"},
	Word{"--offline", "", "only peers without one"},
	Word{"--interval", "SECONDS", "the time from one look to the next, 1 by default"},
	Word{"--dry-run", "", "only tell what would be done"},
	Word{"--exit-code", "", "end with 2 when there is a difference"},
	Word{"--steal", "", "let peers take allowed IPs of others"},
	Word{"--endpoints", "", "bring peers that are alive elsewhere to the file's endpoints, too"},
	Word{"--listen", "unix:PATH|127.0.0.1:PORT", "serve them at /metrics over HTTP until stopped"},
	Word{"--no-probe", "", "send no packets"},
	Word{"--address", "NET,...", "the networks of the tunnel; the hub gets the first address of each, or the one that is given"},
	Word{"--nat", "", "let peers out by this machine's other interfaces, with its address"},
	Word{"--pool", "NET,...", "the networks to take the peer's addresses from"},
	Word{"--allowed-ips", "NET,...", "what the other side sends here; by default the interface's networks"},
	Word{"--verbose", "", "with what keeps packets from passing: sessions, handshakes, drops, as far as the kernel tells"},
	Word{"--timeout", "SECONDS", "how long to wait, 30 by default"},
	Word{"--moves", "", "tell when a peer's endpoint moves, too"},
	Word{"--strangers", "", "tell who asks with a key that is not listed, too"},
	Word{"--exec", "COMMAND", "run this by the shell for each event, which stands in WGCTL_EVENT, _INTERFACE, _PEER, _NAME, _ENDPOINT"},
	Word{"--except", "NET,...", "what is to be left out"},
	Word{"--endpoint", "HOST[:PORT]", "where the other side finds this machine"},
	Word{"--dns", "LIST", "name servers and search domains of the other side"},
	Word{"--keepalive", "SECONDS|off", "how often the other side keeps the way open, 25 by default"},
	Word{"--psk", "", "make a preshared key, too"},
	Word{"--public-key", "KEY", "the other side's, which keeps its private key to itself"},
	Word{"--keep-key", "", "keep the other side's private key here, so that `client' can write its file again"},
	Word{"--renew", "", "make a new key though one is kept"},
	Word{"--out", "FILE", "write the new file there, for nobody else to read; of `export': into that folder"},
	Word{"--format", "networkd|networkmanager", "whose files to write"},
	Word{"--qr", "[=FILE]", "show the other side's file as a QR code, or write that as an image, .png or .svg"},
	Word{"--commit", "", "second step: use the new key"},
	Word{"--abort", "", "forget the new key instead"},
	Word{"--peer", "PEER", "change the key of this peer, not the own"},
	Word{"--new-key", "KEY", "the peer's new public key"},
	Word{"--psk-fd", "NUMBER", "read its new preshared key from this open file"},
	Word{"listen-port", "PORT", "the UDP port; 0 takes any"},
	Word{"fwmark", "MARK|off", "the mark of encrypted packets"},
	Word{"private-key", "FILE", "where the private key is; an empty file takes it away"},
	Word{"peer", "PUBLIC-KEY", "the peer to change; it is added when it is not there"},
	Word{"remove", "", "remove the peer"},
	Word{"preshared-key", "FILE", "where the preshared key is; an empty file takes it away"},
	Word{"endpoint", "HOST:PORT", "where the peer is"},
	Word{"persistent-keepalive", "SECONDS|off", "how often to send something when there is nothing to send"},
	Word{"allowed-ips", "NET,...", "what the peer may send and gets; +NET adds to them, -NET takes away"},
};

}

const Word *find_word(std::string_view name)
{
	auto found = std::find_if(WORDS.begin(), WORDS.end(), [=](const Word &word) { return word.name == name; });

	return found == WORDS.end() ? nullptr : &*found;
}

std::string_view without_brackets(std::string_view operand)
{
	std::size_t begin = std::min(operand.find_first_not_of('['), operand.size());

	return operand.substr(begin, operand.find_last_not_of("].") + 1 - begin);
}

std::vector<std::string> alternatives(std::string_view operand)
{
	std::string text(without_brackets(operand));

	std::replace(text.begin(), text.end(), '|', ' ');
	return list_items(text);
}

void Options::fail(const std::string &text) const
{
	std::string name(command_.name);

	throw Failure{name + ": " + text + " (wgctl " + name + " --help)"};
}

Options::Options(const Command &command, Arguments words) : command_(command)
{
	const std::vector<std::string> names = list_items(command.options);
	const std::vector<std::string_view> known(names.begin(), names.end());

	while (!words.empty()) {
		std::string_view word = words[0], name = word.substr(0, word.find('=')), value;
		words = words.subspan(1);
		/* Those that are as wg has them take each word as it stands, too: an interface may be called -x, and
		 * what a word of `set` is about depends on the peer before it (parse_set_arguments). */
		if (!command.options.starts_with("--") || !word.starts_with('-') || word == "-") {
			operands_.push_back(word);
			continue;
		}
		if (word == "--") {
			if (command.operands.find(" -- ") != command.operands.npos)
				operands_.push_back(word);
			operands_.insert(operands_.end(), words.begin(), words.end());
			break;
		}
		const Word *option = is_one_of(name, known) ? find_word(name) : nullptr;
		if (!option || (option->value.empty() && name != word))
			fail("unknown option " + in_quotes(word) + did_you_mean(name, known));
		if (name != word) {
			value = word.substr(name.size() + 1);
		} else if (option->takes_next_word() && !words.empty()) {
			value = words[0];
			words = words.subspan(1);
		}
		/* Not even an empty one, as of a script's variable that is not set. */
		if (value.empty() && (option->takes_next_word() || name != word))
			fail(std::string(name) + " needs a value");
		given_[name] = value;
	}
}

void Options::check_operands() const
{
	const std::vector<std::string> wanted = list_items(command_.operands);
	bool is_foreign = false;

	for (std::size_t i = 0; i < wanted.size(); ++i) {
		const std::vector<std::string> list = alternatives(wanted[i]);
		const std::vector<std::string_view> known(list.begin(), list.end());
		if (i < operands_.size() ? !is_foreign && (wanted[i] == "--") != (operands_[i] == "--") : !wanted[i].starts_with('['))
			fail(wanted[i] == "--" ? "which command? It stands behind a lone --" : std::string(without_brackets(wanted[i])) + " is missing");
		if (i < operands_.size() && std::islower(list[0][0]) && !contains(list, std::string(operands_[i])))
			fail("unknown word " + in_quotes(operands_[i]) + did_you_mean(operands_[i], known));
		is_foreign = is_foreign || wanted[i] == "--";
	}
	if (operands_.size() > wanted.size() && command_.operands.find("...") == std::string::npos)
		fail("there is one word too many: " + in_quotes(operands_[wanted.size()]));
}

std::optional<std::string_view> Options::value(std::string_view name) const
{
	auto found = given_.find(name);

	return found == given_.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t Options::seconds(std::string_view name, std::uint32_t otherwise) const
{
	constexpr std::uint32_t LONGEST = 3600;
	std::string given = text(name);
	std::optional<std::uint32_t> seconds = given.empty() ? otherwise : parse_number<std::uint32_t>(given);

	if (!seconds || !*seconds || *seconds > LONGEST)
		fail(std::string(name) + " is not 1-" + std::to_string(LONGEST) + " seconds: " + in_quotes(given));
	return *seconds;
}

Placement Options::placement(World &world) const
{
	return find_placement(text("--netns"), text("--birth-netns"), world);
}

void enter_netns(const Options &options, World &world)
{
	/* To stay where one is takes nothing, not even a /proc. */
	if (options.has("--netns"))
		world.host.namespaces.enter(open_namespace(options.text("--netns"), world));
}

}
