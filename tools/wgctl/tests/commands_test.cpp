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

	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake);
	}
	const std::string &out() const { return fake.terminal.out; }
	const std::string &err() const { return fake.terminal.err; }
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
	EXPECT_EQ(err(), "wgctl: ?[2J: unknown argument\n");
	EXPECT_EQ(run({"setconf", "wg0", "\x1b]0;x\a"}), 1);
	EXPECT_EQ(err(), "wgctl: ?]0;x?: No such file or directory\n");
	EXPECT_NE(run({"doctor", "\x1b[2J"}), 0);
	EXPECT_EQ(err().find('\x1b'), std::string::npos);
	add("wg\x1b[2J", 1);
	EXPECT_EQ(run({"show"}), 0);
	EXPECT_EQ(out().find("\x1b[2J"), std::string::npos) << out();
	/* C1: as two bytes of UTF-8, and as one byte. */
	EXPECT_EQ(run({"set", "wg0", "a\xc2\x9b" "2J\x9b" "2J", "1"}), 1);
	EXPECT_EQ(err(), "wgctl: a??2J?2J: unknown argument\n");
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
		EXPECT_EQ(run({command.name, "x", "--help"}), 0);
		EXPECT_NE(out().find("Example: "), std::string::npos) << command.name;
		EXPECT_EQ(run({command.name, "--help"}), 0);
		EXPECT_NE(out().find("Example: wgctl " + std::string(command.name)), std::string::npos);
	}
	EXPECT_EQ(run({"--version"}), 0);
	EXPECT_NE(out().find("wgctl v"), std::string::npos);
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
	EXPECT_EQ(err(), "wgctl: fwmark: fwmark is neither \"off\" nor 0-0xffffffff: `x'\n");
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
	EXPECT_TRUE(err().starts_with("wgctl: unknown command `aply': did you mean apply?\n")) << err();
	EXPECT_EQ(run({"frobnicate"}), 1);
	EXPECT_TRUE(err().starts_with("wgctl: unknown command `frobnicate'\n")) << err();
}

TEST_F(Commands, help_is_had_by_either_order_of_words)
{
	EXPECT_EQ(run({"help", "up"}), 0);
	std::string help = out();
	EXPECT_TRUE(help.starts_with("Usage: wgctl up ")) << help;
	run({"up", "--help"});
	EXPECT_EQ(out(), help);
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
