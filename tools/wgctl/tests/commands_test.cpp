// SPDX-License-Identifier: GPL-2.0
/* Whole command lines, from their words to output, exit code and change. */
#include "commands/commands.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Commands : testing::Test {
	FakeWorld fake;

	int run(std::vector<std::string_view> arguments, std::string_view name = "wgctl")
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake, name);
	}
	const std::string &out() const { return fake.terminal.out; }
	const std::string &err() const { return fake.terminal.err; }
	static std::vector<std::string_view> words_of(const Command &command, std::vector<std::string_view> more)
	{
		std::size_t blank = command.name.find(' ');

		if (blank != command.name.npos)
			more.insert(more.begin(), command.name.substr(blank + 1));
		more.insert(more.begin(), command.name.substr(0, blank));
		return more;
	}
	/* Whether these words are offered for the last one, and those are not. */
	bool completes(std::vector<std::string_view> words, const std::vector<std::string> &offered, const std::vector<std::string> &not_offered)
	{
		auto is_offered = [&](const std::string &word) { return out().find("\n" + word + "\t") != std::string::npos; };

		words.insert(words.begin(), {"help", "--complete"});
		return run(words) == 0 && std::all_of(offered.begin(), offered.end(), is_offered) &&
		       std::none_of(not_offered.begin(), not_offered.end(), is_offered);
	}
	void add(const std::string &name, std::uint16_t port)
	{
		fake.devices.order.push_back(name);
		fake.devices.present[name].name = name;
		fake.devices.present[name].listen_port = port;
	}
};

}

TEST_F(Commands, genkey_prints_a_private_key)
{
	EXPECT_EQ(run({"genkey"}), 0);
	ASSERT_EQ(out().size(), KEY_TEXT_LENGTH + 1);
	Key key = parse_key_file(out());
	EXPECT_EQ(key.bytes[0] & 7, 0);
	std::string first = out();
	run({"genkey"});
	EXPECT_NE(out(), first);
	EXPECT_EQ(err(), "");
}

TEST_F(Commands, secrets_in_a_world_readable_file_are_worth_a_warning)
{
	fake.terminal.is_open_to_the_world = true;
	add("wg0", 7);
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\n";
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{
		     {"genkey"}, {"genpsk"}, {"showconf", "wg0"}, {"strip", "wg0"}, {"show", "wg0", "--json", "--secrets"}}) {
		EXPECT_EQ(run(line), 0);
		EXPECT_EQ(err(), "Warning: writing to world accessible file.\nConsider setting the umask to 077 and trying again.\n") << line[0];
		EXPECT_NE(out(), "");
	}
	run({"show", "wg0", "--json"});
	EXPECT_EQ(err(), "");
}

TEST_F(Commands, no_message_steers_the_terminal)
{
	EXPECT_EQ(run({"set", "wg0", "\x1b[2J", "1"}), 1);
	EXPECT_EQ(err(), "wgctl: ?[2J: unknown word\n");
	EXPECT_EQ(run({"setconf", "wg0", "\x1b]0;x\a"}), 1);
	EXPECT_EQ(err(), "wgctl: ?]0;x?: No such file or directory\n");
	EXPECT_NE(run({"doctor", "\x1b[2J"}), 0);
	EXPECT_EQ(err().find('\x1b'), std::string::npos);
	add("wg\x1b[2J", 1);
	EXPECT_EQ(run({"show"}), 0);
	EXPECT_EQ(out().find("\x1b[2J"), std::string::npos) << out();
	/* C1: as two bytes of UTF-8, and as one byte. */
	EXPECT_EQ(run({"set", "wg0", "a\xc2\x9b" "2J\x9b" "2J", "1"}), 1);
	EXPECT_EQ(err(), "wgctl: a??2J?2J: unknown word\n");
	fake.devices.order.clear();
	add("wg0", 1);
	fake.devices.broken["wg0"] = "\x1b[2J";
	EXPECT_EQ(run({"show", "all"}), 1);
	EXPECT_EQ(err(), "wgctl: cannot read interface `wg0': ?[2J\n");
}

TEST_F(Commands, output_that_cannot_be_written_is_an_error)
{
	fake.terminal.is_full = true;
	EXPECT_EQ(run({"genkey"}), 1);
	EXPECT_EQ(err(), "wgctl: standard output: No space left on device\n");
}

TEST_F(Commands, output_nobody_reads_ends_without_a_word)
{
	fake.terminal.is_unread = true;
	EXPECT_EQ(run({"genkey"}), 128 + SIGPIPE);
	EXPECT_EQ(err(), "");
}

TEST_F(Commands, pubkey_reads_one_key)
{
	fake.terminal.input = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n";
	EXPECT_EQ(run({"pubkey"}), 0);
	EXPECT_EQ(out(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n");
	for (const std::string &wrong : {std::string(), std::string("x"), fake.terminal.input + "x", " " + fake.terminal.input}) {
		fake.terminal.input = wrong;
		EXPECT_EQ(run({"pubkey"}), 1) << wrong;
		EXPECT_EQ(out(), "");
		EXPECT_EQ(std::count(err().begin(), err().end(), '\n'), 1);
	}
}

TEST_F(Commands, wrong_usage_is_told_and_changes_nothing)
{
	for (std::vector<std::string_view> wrong :
	     std::vector<std::vector<std::string_view>>{{"set"}, {"set", "wg0"}, {"genkey", "x"}, {"setconf", "wg0"}, {"showconf"}, {"foo"},
							{"show", "wg0", "foo"}, {"show", "wg0", "dump", "x"}, {"show", "interfaces", "x"},
							{"syncconf", "wg0", "/f", "x"}}) {
		EXPECT_EQ(run(wrong), 1);
		EXPECT_EQ(out(), "");
		EXPECT_NE(err(), "");
	}
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(Commands, help_is_there_for_each_command)
{
	for (std::string_view help : {"help", "-h", "--help"}) {
		EXPECT_EQ(run({help}), 0);
		for (const Command &command : all_commands())
			EXPECT_NE(out().find(command.name), std::string::npos);
	}
	for (const Command &command : all_commands()) {
		EXPECT_EQ(run(words_of(command, {"x", "--help"})), 0);
		EXPECT_TRUE(out().starts_with("Usage: wgctl " + std::string(command.name))) << out();
		std::string help = out();
		EXPECT_NE(help.find("\nExample: wgctl " + std::string(command.name)), std::string::npos) << help;
		EXPECT_EQ(run(words_of(command, {"--help"})), 0);
		EXPECT_EQ(out(), help);
	}
	EXPECT_EQ(run({"--version"}), 0);
	EXPECT_NE(out().find("wgctl v"), std::string::npos);
}

TEST_F(Commands, called_wg_it_has_its_commands_and_no_others)
{
	EXPECT_EQ(run({"genpsk"}, "wg"), 0);
	EXPECT_EQ(run({"--help"}, "wg"), 0);
	EXPECT_TRUE(out().starts_with("Usage: wg COMMAND")) << out();
	EXPECT_NE(out().find("\n  syncconf "), std::string::npos);
	EXPECT_EQ(out().find("\n  up "), std::string::npos);
	EXPECT_EQ(run({"statu"}, "wg"), 1);
	EXPECT_TRUE(err().starts_with("wgctl: unknown command `statu'")) << err();
	EXPECT_TRUE(err().ends_with(" (wg help)\n")) << err();
	EXPECT_EQ(err().find("status"), std::string::npos) << "it has none";
	fake.host.shell.sudo_words = {"sudo"};
	EXPECT_EQ(run({"up", "wg0"}, "wg"), 1);
	EXPECT_EQ(run({"peer", "list", "wg0"}, "wg"), 1);
	EXPECT_TRUE(err().starts_with("wgctl: unknown command `peer'")) << err();
	EXPECT_EQ(run({"genpsk"}, "wg"), 0);
	EXPECT_TRUE(fake.host.log.actions.empty());
}

TEST_F(Commands, called_wg_it_shows_interfaces_as_that_does_even_to_people)
{
	fake.terminal.is_terminal = true;
	fake.host.screen.page_size.columns = 200;
	fake.environment.variables["WG_COLOR_MODE"] = "never";
	add("wg0", 7);
	EXPECT_EQ(run({}, "wg"), 0);
	EXPECT_EQ(out(), "interface: wg0\n  listening port: 7\n");
	EXPECT_EQ(run({}), 0);
	EXPECT_NE(out(), "interface: wg0\n  listening port: 7\n");
}

TEST_F(Commands, called_wg_quick_it_takes_root_by_sudo)
{
	FakeShell &shell = fake.host.shell;
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\n";

	EXPECT_EQ(run({"strip", "wg0"}, "wg-quick"), 0);
	EXPECT_EQ(out(), "[Interface]\n\n");
	shell.sudo_words = {"sudo", "--", "/usr/bin/wgctl"};
	shell.statuses["sudo -- /usr/bin/wgctl strip wg0"] = 7;
	EXPECT_EQ(run({"strip", "wg0"}, "wg-quick"), 7);
	EXPECT_EQ(out(), "");
	EXPECT_EQ(err(), "wgctl: wg-quick takes root: runs again by sudo\n");
	EXPECT_EQ(fake.host.log.joined(), "start sudo -- /usr/bin/wgctl strip wg0\n");
	shell.statuses["sudo -- /usr/bin/wgctl strip wg0"] = 127;
	EXPECT_EQ(run({"strip", "wg0"}, "wg-quick"), 1);
	EXPECT_TRUE(err().ends_with("\nwgctl: there is no sudo: run it as root\n")) << err();
	fake.host.log.actions.clear();
	EXPECT_EQ(run({}, "wg-quick"), 1);
	EXPECT_TRUE(err().starts_with("Usage: wg-quick COMMAND")) << err();
	EXPECT_EQ(err().find("all interfaces"), std::string::npos);
	for (std::vector<std::string_view> words : std::vector<std::vector<std::string_view>>{{"up"}, {"show"}, {"up", "wg0", "wg1"}})
		EXPECT_EQ(run(words, "wg-quick"), 1);
	EXPECT_EQ(run({"help"}, "wg-quick"), 0);
	EXPECT_EQ(run({"strip", "wg0"}), 0);
	EXPECT_TRUE(fake.host.log.actions.empty());
}

TEST_F(Commands, each_option_is_explained)
{
	for (const Command &command : all_commands()) {
		run(words_of(command, {"--help"}));
		std::string help = out().substr(out().find('\n'));
		for (const std::string &name : list_items(command.options)) {
			const Word *option = find_word(name);
			ASSERT_TRUE(option && !option->meaning.empty()) << name;
			std::string row = "\n  " + name + (option->takes_next_word() ? " " : "") + std::string(option->value) + "  ";
			EXPECT_NE(help.find(row), std::string::npos) << help << row;
			EXPECT_NE(help.find("  " + std::string(option->meaning) + "\n"), std::string::npos) << help << option->meaning;
		}
		for_each_line(help, [](std::string_view line) { EXPECT_LE(line.size(), 120u) << line; });
	}
}

TEST_F(Commands, each_option_is_understood)
{
	for (const Command &command : all_commands())
		for (const std::string &name : list_items(command.options)) {
			bool has_value = !find_word(name)->value.empty(), needs_value = find_word(name)->takes_next_word();
			std::string joined = name + "=x", mistyped = name.substr(0, name.size() - 1);
			if (!name.starts_with("--"))
				continue;
			for (std::vector<std::string_view> words : {std::vector<std::string_view>{name, "x", "y"}, {"x", joined, "y"}, {"x", "y", "--", name}}) {
				bool is_joined = words[1] == joined, is_behind = words[2] == "--";
				if (is_joined && !has_value) {
					EXPECT_NE(failure_of([&] { Options(command, words); }).find("unknown option `" + joined), std::string::npos);
					continue;
				}
				Options options(command, words);
				EXPECT_EQ(options.has(name), !is_behind) << name;
				EXPECT_EQ(options.text(name), (is_joined ? has_value : needs_value) && !is_behind ? "x" : "") << name;
				EXPECT_EQ(options.operands().back(), is_behind ? name : "y") << name;
			}
			std::string without_value = failure_of([&] { Options(command, std::vector<std::string_view>{name}); });
			EXPECT_EQ(without_value.find(name + " needs a value") != std::string::npos, needs_value) << without_value;
			std::string failure = failure_of([&] { Options(command, std::vector<std::string_view>{mistyped}); });
			EXPECT_TRUE(failure.starts_with(std::string(command.name) + ": unknown option `" + mistyped + "': did you mean --")) << failure;
		}
}

TEST_F(Commands, operands_are_those_of_the_table)
{
	const std::map<std::vector<std::string_view>, std::string> wrong{
		{{"setconf", "wg0"}, "setconf: FILE is missing (wgctl setconf --help)"},
		{{"showconf", "-x", "y"}, "showconf: there is one word too many: `y' (wgctl showconf --help)"},
		{{"apply", "--json"}, "apply: FILE|INTERFACE is missing (wgctl apply --help)"},
		{{"peer", "add", "wg0"}, "peer add: NAME is missing (wgctl peer add --help)"},
		{{"show", "wg0", "DUMP"}, "show: unknown word `DUMP': did you mean dump? (wgctl show --help)"},
		{{"show", "wg0", "latest-handshake"}, "show: unknown word `latest-handshake': did you mean latest-handshakes? (wgctl show --help)"},
		{{"exec", "wg0", "ls"}, "exec: which command? It stands behind a lone -- (wgctl exec --help)"},
		{{"exec", "wg0", "--"}, "exec: COMMAND is missing (wgctl exec --help)"},
		{{"exec", "--", "ls"}, "exec: FILE|INTERFACE is missing (wgctl exec --help)"}};

	for (const auto &[words, failure] : wrong) {
		EXPECT_EQ(run(words), 1);
		EXPECT_EQ(err(), "wgctl: " + failure + "\n");
	}
	/* Behind "--" all words are another program's. */
	const std::vector<std::string_view> exec{"exec"}, words{"wg0", "--", "ssh", "--", "host"};
	EXPECT_EQ(failure_of([&] { Options(*find_command(exec), words).check_operands(); }), "");
	EXPECT_EQ(run({"doctor"}), 125);
	EXPECT_EQ(run({"doctor", "wg0", "--jsn"}), 125);
}

TEST_F(Commands, a_command_of_two_words_has_a_group)
{
	EXPECT_EQ(run({"peer"}), 1);
	EXPECT_TRUE(err().starts_with("wgctl: peer: which of its commands?\n")) << err();
	EXPECT_EQ(run({"pear", "add"}), 1);
	EXPECT_EQ(err(), "wgctl: unknown command `pear': did you mean peer? (wgctl help)\n");
	EXPECT_EQ(run({"peer", "ad", "wg0"}), 1);
	EXPECT_EQ(err(), "wgctl: unknown command `peer ad': did you mean peer add? (wgctl help peer)\n");
	for (std::vector<std::string_view> words : std::vector<std::vector<std::string_view>>{{"peer", "--help"}, {"help", "peer"}, {"peer", "help"}}) {
		EXPECT_EQ(run(words), 0);
		EXPECT_NE(out().find("  peer remove  "), std::string::npos) << out();
		EXPECT_EQ(out().find("  show  "), std::string::npos) << out();
	}
	for (std::vector<std::string_view> words : std::vector<std::vector<std::string_view>>{{"help", "-h"}, {"help", "help"}, {"help", "version"}})
		EXPECT_EQ(run(words), 0) << words[1];
	EXPECT_EQ(run({"help", "peer", "add"}), 0);
	EXPECT_TRUE(out().starts_with("Usage: wgctl peer add ")) << out();
	EXPECT_EQ(run({"help", "pear"}), 1);
}

TEST_F(Commands, the_table_has_the_fields_of_show)
{
	add("wg0", 5);
	std::string fields(find_command(std::vector<std::string_view>{"show"})->operands);
	fields = fields.substr(fields.find(' ') + 2);
	fields.pop_back();
	std::replace(fields.begin(), fields.end(), '|', ' ');
	EXPECT_EQ(list_items(fields).size(), 12u);
	fake.devices.present["wg0"].peers.resize(1);
	for (const std::string &field : list_items(fields)) {
		EXPECT_EQ(run({"show", "wg0", field}), 0) << field;
		EXPECT_NE(out(), "") << field;
	}
}

TEST_F(Commands, completion_knows_commands_and_options)
{
	EXPECT_TRUE(completes({""}, {"show", "peer", "exec"}, {"add", "peer add"}));
	EXPECT_TRUE(completes({"peer", ""}, {"add", "remove", "show"}, {"status", "peer"}));
	EXPECT_TRUE(completes({"peer", "remove", "-"}, {"--json", "--netns"}, {"--pool"}));
	EXPECT_NE(out().find("--json\tprint a document for programs\n"), std::string::npos) << out();
	EXPECT_TRUE(completes({"showconf", "-"}, {}, {"--netns"}));
	EXPECT_TRUE(completes({"exec", "wg0", "--", "-"}, {}, {"--birth-netns"}));
	EXPECT_TRUE(out().starts_with("program\n"));
	EXPECT_TRUE(completes({"frobnicate", ""}, {}, {"show"}));
	EXPECT_TRUE(completes({"up", "--frobnicate", ""}, {}, {"wg0"}));
	EXPECT_EQ(run({"help", "--complete"}), 0);
}

TEST_F(Commands, completion_knows_what_stands_where)
{
	add("wg0", 5);
	fake.files.contents["/etc/wireguard/hub.conf"] = "[Interface]\n";
	fake.files.contents["/run/netns/web"] = "";
	EXPECT_TRUE(completes({"show", ""}, {"wg0", "hub", "all", "interfaces"}, {"dump"}));
	EXPECT_TRUE(out().starts_with("words\n"));
	EXPECT_TRUE(completes({"show", "wg0", ""}, {"dump", "latest-handshakes"}, {"wg0", "all"}));
	EXPECT_TRUE(completes({"show", "wg0", "dump", ""}, {}, {"wg0", "dump"}));
	EXPECT_TRUE(completes({"up", ""}, {"wg0", "hub"}, {}));
	EXPECT_TRUE(out().starts_with("files\n"));
	EXPECT_TRUE(completes({"up", "--netns", ""}, {"web"}, {"wg0"}));
	EXPECT_TRUE(completes({"up", "--netns", "web", ""}, {"wg0", "hub"}, {"web"}));
	EXPECT_TRUE(completes({"up", "wg0", ""}, {}, {"wg0"}));
	EXPECT_TRUE(completes({"up", "--wait", ""}, {"wg0", "hub"}, {}));
	EXPECT_TRUE(completes({"metrics", "wg0", ""}, {"hub"}, {}));
	EXPECT_TRUE(completes({"metrics", "--listen", ""}, {"unix:", "127.0.0.1:"}, {"wg0"}));
	EXPECT_TRUE(completes({"peer", "add", "wg0", "x", "--pool", ""}, {}, {"wg0"}));
	EXPECT_TRUE(out().starts_with("words\n"));
	EXPECT_TRUE(completes({"setconf", "wg0", ""}, {}, {"wg0"}));
	EXPECT_TRUE(out().starts_with("files\n"));
	EXPECT_TRUE(completes({"genkey", ""}, {}, {"wg0"}));
	EXPECT_TRUE(completes({"set", ""}, {"wg0"}, {"peer"}));
	EXPECT_TRUE(completes({"set", "wg0", "listen-port", "7", ""}, {"peer", "fwmark", "endpoint"}, {"wg0"}));
	EXPECT_TRUE(completes({"set", "wg0", "fwmark", ""}, {"off"}, {"peer"}));
}

TEST_F(Commands, completion_knows_peers)
{
	std::string file = test_key_text(1), other = test_key_text(2), running = test_key_text(3);
	add("wg0", 5);
	fake.devices.present["wg0"].peers.resize(1);
	fake.devices.present["wg0"].peers[0].public_key = test_key(3);
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\n# Name = Ann's phone\nPublicKey = " + file + " # hers\n[Peer]\npublickey=" + other + "\n";
	EXPECT_TRUE(completes({"client", "wg0", ""}, {"Ann's phone", file, other, running}, {""}));
	EXPECT_TRUE(completes({"peer", "remove", "--json", "wg0", ""}, {"Ann's phone", file}, {"wg0"}));
	EXPECT_TRUE(completes({"rotate", "wg0", "--peer", ""}, {"Ann's phone", file}, {"wg0"}));
	EXPECT_TRUE(completes({"set", "wg0", "peer", ""}, {file, other, running}, {"Ann's phone"}));
	EXPECT_TRUE(completes({"peer", "add", "wg0", ""}, {}, {"Ann's phone", file}));
	EXPECT_TRUE(completes({"peer", "edit", "wg0", "Ann's phone", ""}, {"AllowedIPs=", "Endpoint="}, {"Ann's phone", "Name="}));
	EXPECT_TRUE(completes({"peer", "edit", "wg0", "Ann's phone", "Endpoint=", "P"}, {"PersistentKeepalive="}, {}));
	fake.files.contents.clear();
	EXPECT_TRUE(completes({"client", "wg0", ""}, {running}, {file}));
	fake.devices.broken["wg0"] = "Operation not permitted";
	EXPECT_TRUE(completes({"client", "wg0", ""}, {}, {running}));
	EXPECT_EQ(err(), "");
}

TEST_F(Commands, set_makes_a_change)
{
	EXPECT_EQ(run({"set", "wg0", "listen-port", "5"}), 0);
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_EQ(fake.devices.changes[0].name, "wg0");
	EXPECT_EQ(fake.devices.changes[0].listen_port, 5);
}

TEST_F(Commands, bad_argument_changes_nothing)
{
	EXPECT_EQ(run({"set", "wg0", "listen-port", "5", "fwmark", "x"}), 1);
	EXPECT_EQ(err(), "wgctl: fwmark: neither \"off\" nor 0-0xffffffff: `x'\n");
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(Commands, refusal_names_the_interface)
{
	fake.devices.broken["wg0"] = "Operation not permitted";
	EXPECT_EQ(run({"set", "wg0", "listen-port", "5"}), 1);
	EXPECT_EQ(err(), "wgctl: cannot change interface `wg0': Operation not permitted\n");
	EXPECT_EQ(run({"show", "wg0"}), 1);
	EXPECT_EQ(err(), "wgctl: cannot read interface `wg0': Operation not permitted\n");
}

TEST_F(Commands, a_mistyped_command_is_told_what_is_like_it)
{
	EXPECT_EQ(run({"aply", "wg0"}), 1);
	EXPECT_EQ(err(), "wgctl: unknown command `aply': did you mean apply? (wgctl help)\n");
	EXPECT_EQ(run({"frobnicate"}), 1);
	EXPECT_EQ(err(), "wgctl: unknown command `frobnicate' (wgctl help)\n");
}

TEST_F(Commands, help_is_had_by_either_order_of_words)
{
	EXPECT_EQ(run({"help", "up"}), 0);
	std::string help = out();
	EXPECT_TRUE(help.starts_with("Usage: wgctl up ")) << help;
	for (std::vector<std::string_view> words : std::vector<std::vector<std::string_view>>{{"up", "--help"}, {"up", "-h"}, {"up", "wg0", "-h"}}) {
		run(words);
		EXPECT_EQ(out(), help);
	}
	/* Those that are as wg has them take it for a name. */
	EXPECT_EQ(run({"setconf", "-h", "x"}), 1);
}

TEST_F(Commands, check_finds_nothing_in_a_good_file)
{
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\nPrivateKey = " + test_key_text(9) + "\nAddress = 10.0.0.1/24\nDNS = 10.0.0.53\n[Peer]\nPublicKey = " +
							 test_key_text(1) + "\nEndpoint = nobody.example:5\nAllowedIPs = 10.0.0.2\n";
	EXPECT_EQ(run({"check", "wg0"}), 0);
	EXPECT_EQ(out(), "/etc/wireguard/wg0.conf: nothing is wrong\n");
	EXPECT_TRUE(fake.resolver.asked.empty());
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(Commands, check_tells_all_that_is_wrong_by_line)
{
	fake.files.contents["wg0.conf"] = "[Interface]\nPrivateKey = " + test_key_text(9) + "\nAdress = 10.0.0.1/24\nMTU = much\n[Peer]\nAllowedIPs = 10.0.0.7\n[Peer]\nPublicKey = " +
					  test_key_text(1) + "\nAllowedIPs = 10.0.0.0/99\n[Peers]\nPublicKey = x\n[Peer]\nPublicKey = " + test_key_text(2) +
					  "\nAllowedIPs = 10.0.0.2, 10.1.0.5/16\n[Peer]\nPublicKey = " + test_key_text(3) + "\nAllowedIPs = 10.1.0.0/16\n";
	fake.host.store.open_files = {"wg0.conf"};
	EXPECT_EQ(run({"check", "wg0.conf"}), 1);
	std::vector<std::string> starts{"wg0.conf: warning: wg0.conf is accessible to everybody", "wg0.conf:3: `Adress' is not a key of [Interface]: did you mean Address?",
					"wg0.conf:4: MTU: not a number of bytes", "wg0.conf:5: this peer has no PublicKey",
					"wg0.conf:9: AllowedIPs: ", "wg0.conf:10: unknown section `[Peers]'", "wg0.conf:14: warning: AllowedIP has nonzero host part: 10.1.0.5/16",
					"wg0.conf:15: warning: allowed IP 10.1.0.0/16 is that of the peer in line 12, too"};
	std::istringstream lines(out());
	std::string line;
	for (const std::string &start : starts) {
		std::getline(lines, line);
		EXPECT_TRUE(line.starts_with(start)) << line << " / " << start;
	}
	EXPECT_FALSE(std::getline(lines, line)) << line;
	EXPECT_EQ(err(), "");
}

TEST_F(Commands, check_warns_without_failing)
{
	fake.files.contents["wg0.conf"] = "[Interface]\n[Peer]\nPublicKey = " + test_key_text(1) + "\nAllowedIPs = 10.0.0.2\n[Peer]\nPublicKey = " + test_key_text(1) + "\n";
	EXPECT_EQ(run({"check", "wg0.conf"}), 0);
	EXPECT_EQ(out(), "wg0.conf: warning: there is no PrivateKey: no peer will answer\n"
			 "wg0.conf:5: warning: the same peer as in line 2: what this section says holds, AllowedIPs as a whole\n"
			 "wg0.conf:5: warning: a peer without AllowedIPs: no packet goes to it, and none from it is let in\n");
	EXPECT_EQ(run({"check", "wg0.conf", "--json"}), 0);
	EXPECT_NE(out().find("\"line\": 5"), std::string::npos);
	EXPECT_NE(out().find("\"severity\": \"warning\""), std::string::npos);
}

TEST_F(Commands, check_refuses_what_up_refuses)
{
	std::string good = "[Interface]\nPrivateKey = " + test_key_text(9) + "\nAddress = 10.0.0.1/24\n";
	for (std::string more : {"MTU = 60\n", "MTU = 1000\nAddress = fd00::1/64\n", "Table = nowhere\n", "ListenPort = 99999\n", "[Peer]\n", "x\n"}) {
		fake.files.contents["wg0.conf"] = good + more;
		EXPECT_EQ(run({"check", "wg0.conf"}), 1) << more << out();
		EXPECT_EQ(run({"up", "wg0.conf"}), 1) << more;
	}
	EXPECT_EQ(run({"check", "nothing.conf"}), 1);
	EXPECT_EQ(run({"check"}), 1);
}

TEST_F(Commands, setconf_replaces_and_addconf_adds)
{
	fake.files.contents["/f"] = "[Interface]\nListenPort = 5\n";
	EXPECT_EQ(run({"setconf", "wg0", "/f"}), 0);
	EXPECT_EQ(run({"addconf", "wg0", "/f"}), 0);
	ASSERT_EQ(fake.devices.changes.size(), 2u);
	EXPECT_TRUE(fake.devices.changes[0].replace_peers && fake.devices.changes[0].private_key);
	EXPECT_FALSE(fake.devices.changes[1].replace_peers || fake.devices.changes[1].private_key);
	EXPECT_EQ(run({"setconf", "wg0", "/missing"}), 1);
	EXPECT_EQ(fake.devices.changes.size(), 2u);
}

TEST_F(Commands, syncconf_removes_only_the_peers_that_are_gone)
{
	add("wg0", 1);
	fake.devices.present["wg0"].peers.resize(2);
	fake.devices.present["wg0"].peers[0].public_key = test_key(1);
	fake.devices.present["wg0"].peers[1].public_key = test_key(2);
	fake.files.contents["/f"] = "[Peer]\nPublicKey = " + test_key_text(2) + "\n[Peer]\nPublicKey = " + test_key_text(3) + "\n";
	EXPECT_EQ(run({"syncconf", "wg0", "/f"}), 0);
	const Device &change = fake.devices.changes.at(0);

	EXPECT_FALSE(change.replace_peers);
	ASSERT_EQ(change.peers.size(), 3u);
	EXPECT_TRUE(change.peers[0].remove && change.peers[0].public_key == test_key(1));
	EXPECT_TRUE(!change.peers[1].remove && change.peers[1].public_key == test_key(2));
	EXPECT_TRUE(!change.peers[2].remove && change.peers[2].public_key == test_key(3));
}

TEST_F(Commands, syncconf_without_peers_removes_all)
{
	fake.files.contents["/f"] = "";
	EXPECT_EQ(run({"syncconf", "wg0", "/f"}), 0);
	EXPECT_TRUE(fake.devices.changes.at(0).replace_peers);
}

TEST_F(Commands, show_is_for_one_all_or_names)
{
	add("wg0", 5);
	add("wg1", 6);
	EXPECT_EQ(run({"show", "interfaces"}), 0);
	EXPECT_EQ(out(), "wg0 wg1\n");
	for (std::vector<std::string_view> all : std::vector<std::vector<std::string_view>>{{}, {"show"}, {"show", "all"}}) {
		EXPECT_EQ(run(all), 0);
		EXPECT_EQ(out(), "interface: wg0\n  listening port: 5\n\ninterface: wg1\n  listening port: 6\n");
	}
	EXPECT_EQ(run({"show", "wg1", "listen-port"}), 0);
	EXPECT_EQ(out(), "6\n");
	EXPECT_EQ(run({"show", "all", "listen-port"}), 0);
	EXPECT_EQ(out(), "wg0\t5\nwg1\t6\n");
	EXPECT_EQ(run({"showconf", "wg0"}), 0);
	EXPECT_EQ(out(), "[Interface]\nListenPort = 5\n\n");
}

TEST_F(Commands, show_without_interfaces_is_empty)
{
	EXPECT_EQ(run({"show"}), 0);
	EXPECT_EQ(run({"show", "interfaces"}), 0);
	EXPECT_EQ(out(), "");
}

TEST_F(Commands, one_unreadable_interface_does_not_hide_the_others)
{
	add("wg0", 5);
	add("wg1", 6);
	fake.devices.broken["wg0"] = "Operation not permitted";
	EXPECT_EQ(run({"show", "all", "listen-port"}), 0);
	EXPECT_EQ(out(), "wg1\t6\n");
	EXPECT_EQ(err(), "wgctl: cannot read interface `wg0': Operation not permitted\n");
	fake.devices.broken["wg1"] = "Operation not permitted";
	EXPECT_EQ(run({"show", "all"}), 1);
}

TEST_F(Commands, colour_is_for_terminals_unless_told_otherwise)
{
	add("wg0", 5);
	auto coloured = [&] {
		run({"show", "wg0"});
		return out().find('\x1b') != std::string::npos;
	};
	EXPECT_FALSE(coloured());
	fake.environment.variables["WG_COLOR_MODE"] = "always";
	EXPECT_TRUE(coloured());
	fake.terminal.is_terminal = true;
	fake.environment.variables["WG_COLOR_MODE"] = "auto";
	EXPECT_TRUE(coloured());
	fake.environment.variables["WG_COLOR_MODE"] = "never";
	EXPECT_FALSE(coloured());
	fake.environment.variables = {{"NO_COLOR", ""}};
	EXPECT_TRUE(coloured());
	fake.environment.variables = {{"NO_COLOR", "1"}};
	EXPECT_FALSE(coloured());
	fake.environment.variables["WG_COLOR_MODE"] = "always";
	EXPECT_TRUE(coloured());
}

TEST_F(Commands, keys_are_hidden_unless_told_otherwise)
{
	add("wg0", 5);
	fake.devices.present["wg0"].private_key = test_key(1);
	for (const auto &[value, hidden] : std::map<std::string, bool>{{"never", false}, {"always", true}, {"x", true}}) {
		fake.environment.variables["WG_HIDE_KEYS"] = value;
		run({"show", "wg0"});
		EXPECT_EQ(out().find(test_key_text(1)) == std::string::npos, hidden) << value;
	}
}

}
