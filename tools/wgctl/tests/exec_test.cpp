// SPDX-License-Identifier: GPL-2.0
/* The command lines of up, down, save, strip and exec. */
#include "commands/commands.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

namespace {

struct QuickCommands : testing::Test {
	FakeWorld fake;
	const std::string path = "/etc/wireguard/wg0.conf";

	QuickCommands()
	{
		fake.files.contents[path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\nAddress = 10.0.0.1/24\nDNS = 10.0.0.53\nPostUp = hook\n[Peer]\nPublicKey = " +
					    test_key_text(1) + "\nAllowedIPs = 0.0.0.0/0\n";
		Device &device = fake.devices.present["wg0"];
		device.name = "wg0";
		device.peers.emplace_back().public_key = test_key(1);
		device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	}
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.err.clear();
		fake.host.log.actions.clear();
		return run_command_line(arguments, fake);
	}
	std::string log() { return fake.host.log.joined(); }
};

}

TEST_F(QuickCommands, exec_runs_behind_the_tunnel_and_cleans_up)
{
	fake.host.namespaces.status = 42;
	EXPECT_EQ(run({"exec", "wg0", "--", "curl", "-v", "--", "x"}), 42);
	EXPECT_EQ(log(), "new namespace\nadd link wg0 in 99\nenter 99\nup lo\naddress 10.0.0.1/24\nup wg0 1420\n"
			 "route 0.0.0.0/0 table 254\nexec curl -v -- x\ndelete link wg0\n");
	EXPECT_EQ(fake.host.namespaces.resolv_conf, "# written by wgctl for wg0\nnameserver 10.0.0.53\n");
	EXPECT_EQ(fake.terminal.err, path + ":5: PostUp is not run by exec\n");
}

TEST_F(QuickCommands, exec_with_a_search_domain_alone_keeps_the_servers)
{
	std::string &file = fake.files.contents[path];

	file.replace(file.find("10.0.0.53"), 9, "corp");
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.1\n";
	EXPECT_EQ(run({"exec", "wg0", "--", "x"}), 0);
	EXPECT_EQ(fake.host.namespaces.resolv_conf, "# written by wgctl for wg0\nsearch corp\n# of others, as it was:\nnameserver 192.0.2.1\n");
}

TEST_F(QuickCommands, exec_undoes_what_failed)
{
	fake.host.log.broken = "up wg0 1420";
	EXPECT_EQ(run({"exec", "wg0", "--", "x"}), 1);
	EXPECT_EQ(fake.host.log.actions.back(), "delete link wg0");
}

TEST_F(QuickCommands, exec_that_is_interrupted_runs_nothing)
{
	fake.host.shell.interruption = "route 0.0.0.0/0 table 254";
	EXPECT_EQ(run({"exec", "wg0", "--", "x"}), 1);
	EXPECT_EQ(fake.host.log.actions.back(), "delete link wg0");
	EXPECT_EQ(log().find("exec x"), std::string::npos);
}

TEST_F(QuickCommands, exec_refuses_a_key_that_is_in_use)
{
	fake.devices.order = {"wg7"};
	fake.devices.present["wg7"].public_key = public_key_of(test_key(8));
	EXPECT_EQ(run({"exec", "wg0", "--", "x"}), 1);
	EXPECT_NE(fake.terminal.err.find("interface `wg7' has the same private key"), std::string::npos);
	EXPECT_EQ(log(), "");
}

TEST_F(QuickCommands, wrong_command_lines_are_told_and_do_nothing)
{
	for (std::vector<std::string_view> wrong : std::vector<std::vector<std::string_view>>{
		     {"up"}, {"up", "wg0", "wg1"}, {"up", "--netns"}, {"up", "--netns=", "wg0"}, {"up", "--nets", "x", "wg0"}, {"up", "--netns", "x"},
		     {"exec", "wg0"}, {"exec", "wg0", "x"}, {"exec", "wg0", "--"}, {"exec", "--", "x"}, {"exec", "--netns", "x", "wg0", "--", "y"},
		     {"down"}, {"save"}, {"strip"}, {"strip", "wg0", "x"}, {"up", "wg1"}, {"up", "--netns", "nowhere", "wg0"}}) {
		EXPECT_EQ(run(wrong), 1);
		EXPECT_NE(fake.terminal.err, "");
		EXPECT_EQ(log(), "");
	}
}

TEST_F(QuickCommands, options_come_in_both_forms)
{
	fake.host.namespaces.known = {{"/run/netns/a", 2}, {"/run/netns/b", 3}};
	fake.files.contents[path].erase(fake.files.contents[path].find("DNS"), sizeof("DNS = 10.0.0.53"));
	EXPECT_EQ(run({"up", "--netns", "a", "--birth-netns=b", "wg0"}), 0) << fake.terminal.err;
	EXPECT_NE(log().find("enter 2\nenter 3\nadd link wg0 in 2\nenter 2\n"), std::string::npos) << log();
}

TEST_F(QuickCommands, strip_prints)
{
	EXPECT_EQ(run({"strip", "wg0"}), 0);
	EXPECT_EQ(fake.terminal.out,
		  "[Interface]\nPrivateKey = " + test_key_text(8) + "\n[Peer]\nPublicKey = " + test_key_text(1) + "\nAllowedIPs = 0.0.0.0/0\n\n");
}

TEST_F(QuickCommands, save_writes_the_state_back)
{
	Device &device = fake.devices.present["wg0"];
	device.private_key = test_key(8);
	device.listen_port = 99;
	fake.host.network.link_addresses["wg0"] = {test_prefix("10.0.0.1/24")};
	EXPECT_EQ(run({"save", "wg0"}), 0) << fake.terminal.err;
	EXPECT_EQ(log(), "write " + path + "\n");
	EXPECT_NE(fake.files.contents[path].find("PostUp = hook\nListenPort = 99\n[Peer]"), std::string::npos) << fake.files.contents[path];
}

TEST_F(QuickCommands, save_leaves_out_addresses_no_file_can_ask_for)
{
	fake.devices.present["wg0"].private_key = test_key(8);
	fake.host.network.link_addresses["wg0"] = {test_prefix("10.0.0.1/24"), test_prefix("10.9.0.1/32"), test_prefix("10.8.0.1/32")};
	fake.host.network.automatic = {test_prefix("10.9.0.1/32")};
	EXPECT_EQ(run({"save", "wg0"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.files.contents[path].find("\nAddress = 10.0.0.1/24, 10.8.0.1/32\n"), std::string::npos) << fake.files.contents[path];
}

/* systemd-resolved's stub listens outside. */
TEST_F(QuickCommands, exec_without_dns_says_that_no_name_will_be_found)
{
	std::string &file = fake.files.contents[path];

	fake.files.contents["/etc/resolv.conf"] = "nameserver 127.0.0.53\n";
	run({"exec", "wg0", "--", "true"});
	EXPECT_EQ(fake.terminal.err.find("no name will be found"), std::string::npos);
	file.erase(file.find("DNS = 10.0.0.53\n"), 16);
	run({"exec", "wg0", "--", "true"});
	EXPECT_NE(fake.terminal.err.find("has no DNS, and the name server of this machine, 127.0.0.53"), std::string::npos) << fake.terminal.err;
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	run({"exec", "wg0", "--", "true"});
	EXPECT_EQ(fake.terminal.err.find("no name will be found"), std::string::npos);
}

}
