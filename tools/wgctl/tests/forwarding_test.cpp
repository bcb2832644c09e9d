// SPDX-License-Identifier: GPL-2.0
#include "tunnel/forwarding.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

const std::string FORWARDING_TABLE = "inet wgctl-forward-wg0", NOTES = "inet wgctl-before-forwarding";
const std::string SWITCH4 = "/proc/sys/net/ipv4/ip_forward", SWITCH6 = "/proc/sys/net/ipv6/conf/all/forwarding";
const std::string REDIRECTS = "/proc/sys/net/ipv4/conf/all/accept_redirects";

/* Has what it is given. */
struct ListedDevices : FakeDevices {
	void set(const Device &change) override
	{
		present[change.name].name = change.name;
		present[change.name].private_key = change.private_key ? change.private_key : present[change.name].private_key;
		if (!contains(order, change.name))
			order.push_back(change.name);
	}
};

struct ForwardingTest : testing::Test {
	FakeWorld fake;
	ListedDevices devices;
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};

	ForwardingTest()
	{
		file(SWITCH4) = file(SWITCH6) = "0\n";
		file(REDIRECTS) = "1\n";
		for (const char *link : {"all", "default", "eth0", "wg0"})
			accept_ra(link) = "1\n";
		accept_ra("eth1") = "0\n";
	}
	std::string &file(const std::string &path) { return fake.files.contents[path]; }
	std::string &accept_ra(const std::string &link) { return file("/proc/sys/net/ipv6/conf/" + link + "/accept_ra"); }
	int run(std::vector<std::string_view> arguments, const std::string &interface)
	{
		file("/etc/wireguard/" + std::string(arguments.back()) + ".conf") = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n" + interface + "\n";
		fake.host.namespaces.present = 1;
		fake.host.log.actions.clear();
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, world);
	}
	/* When the interface goes, the kernel's part of it does. */
	void lose(const std::string &interface)
	{
		std::erase(devices.order, interface);
		std::erase(fake.host.network.links, interface);
		fake.host.network.link_addresses.erase(interface);
	}
	int down(const std::string &interface)
	{
		int status = run({"down", interface}, "");
		lose(interface);
		return status;
	}
	std::vector<std::string> tables() const { return fake.host.filter.tables(); }
	bool has_done(const std::string &action) const { return contains(fake.host.log.actions, action); }
	std::string told() const { return fake.terminal.out + fake.terminal.err; }
};

using Tables = std::vector<std::string>;

const std::string BOTH = "Address = 10.8.0.1/24, fd00:8::1/64\n# Forward = yes\n# Masquerade = yes";

}

TEST(ForwardingTable, what_comes_from_the_tunnel_leaves_with_this_machine_s_address)
{
	EXPECT_EQ(forwarding_setup("wg+", true),
		  "add table inet wgctl-forward-wg/2b\n"
		  "add chain inet wgctl-forward-wg/2b postrouting { type nat hook postrouting priority 100; policy accept; }\n"
		  "add rule inet wgctl-forward-wg/2b postrouting iifname \"wg+\" oifname != \"wg+\" masquerade\n");
	EXPECT_EQ(forwarding_setup("wg0", false), "add table inet wgctl-forward-wg0\n");
}

TEST_F(ForwardingTest, up_turns_it_on_and_down_turns_all_of_it_back)
{
	std::map<std::string, std::string> before = fake.files.contents;

	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), (Tables{NOTES, FORWARDING_TABLE}));
	EXPECT_EQ(fake.host.filter.contents[FORWARDING_TABLE]["postrouting"].back(), "iifname \"wg0\" oifname != \"wg0\" masquerade");
	EXPECT_EQ(file(SWITCH4), "1\n");
	EXPECT_EQ(file(SWITCH6), "1\n");
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables());
	fake.files.contents.erase("/etc/wireguard/wg0.conf");
	EXPECT_EQ(fake.files.contents, before);
}

TEST_F(ForwardingTest, without_it_nothing_is_done)
{
	for (const std::string &interface : {std::string(), std::string("Forward = no\n# Masquerade = no"),
					    "[Peer]\n# Forward = yes\nPublicKey = " + test_key_text(6)}) {
		EXPECT_EQ(run({"up", "wg0"}, "Address = 10.8.0.1/24\n" + interface), 0) << fake.terminal.err;
		EXPECT_EQ(tables(), Tables()) << interface;
		EXPECT_EQ(file(SWITCH4), "0\n");
		EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	}
}

/* Masquerading takes forwarding; and of a version without an address, there is nothing to forward. */
TEST_F(ForwardingTest, it_is_of_the_versions_of_the_addresses)
{
	EXPECT_EQ(run({"up", "wg0"}, "Address = 10.8.0.1/24\nMasquerade = yes"), 0) << fake.terminal.err;
	EXPECT_EQ(file(SWITCH4), "1\n");
	EXPECT_EQ(file(SWITCH6), "0\n");
	EXPECT_EQ(accept_ra("eth0"), "1\n");
	EXPECT_EQ(down("wg0"), 0);
	EXPECT_EQ(run({"up", "wg0"}, "Address = fd00:8::1/64\nForward = yes"), 0) << fake.terminal.err;
	EXPECT_EQ(file(SWITCH4), "0\n");
	EXPECT_EQ(file(SWITCH6), "1\n");
}

TEST_F(ForwardingTest, whatever_step_of_up_fails_nothing_is_left)
{
	std::size_t step = 1;

	for (;; ++step) {
		fake.host.log.failing = step;
		if (!run({"up", "wg0"}, BOTH + "\nPostUp = b"))
			break;
		fake.host.log.failing.reset();
		EXPECT_EQ(tables(), Tables()) << step << fake.terminal.err;
		EXPECT_EQ(file(SWITCH4) + file(SWITCH6) + accept_ra("eth0") + accept_ra("default"), "0\n0\n1\n1\n") << step << fake.terminal.err;
		lose("wg0");
		ASSERT_LT(step, 60u);
	}
	EXPECT_GT(step, 10u);
}

/* The interface's table is first, then what will be switched, then the switch: a killed `up' can be taken back. */
TEST_F(ForwardingTest, down_takes_back_what_a_killed_up_has_done)
{
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	const std::vector<std::string> &actions = fake.host.log.actions;
	auto at = [&](const std::string &action) { return std::find(actions.begin(), actions.end(), action) - actions.begin(); };
	EXPECT_LT(at("nft add table " + FORWARDING_TABLE), at("nft add table " + NOTES));
	EXPECT_LT(at("nft add table " + NOTES), at("write 1 to " + SWITCH4));
	EXPECT_LT(at("write 2 to /proc/sys/net/ipv6/conf/eth0/accept_ra"), at("write 1 to " + SWITCH6));
	lose("wg0");
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables());
	EXPECT_EQ(file(SWITCH4) + file(SWITCH6) + accept_ra("eth0"), "0\n0\n1\n");
	EXPECT_EQ(down("wg0"), 1);
}

/* A router takes no advertisements of routers but when told so: the machine would lose its way out. */
TEST_F(ForwardingTest, links_that_listen_to_routers_still_do)
{
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	EXPECT_EQ(accept_ra("eth0") + accept_ra("default") + accept_ra("eth1") + accept_ra("wg0"), "2\n2\n0\n1\n");
	accept_ra("default") = "0\n";
	fake.files.contents.erase("/proc/sys/net/ipv6/conf/eth0/accept_ra");
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(accept_ra("default"), "0\n");
}

/* The kernel sets it along, and has no memory of what it was. */
TEST_F(ForwardingTest, redirects_are_not_taken_afterwards_when_they_were_not_before)
{
	file(REDIRECTS) = "0\n";
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	file(REDIRECTS) = "1\n";
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(file(REDIRECTS), "0\n");
}

TEST_F(ForwardingTest, what_was_on_stays_on)
{
	file(SWITCH4) = file(SWITCH6) = "1\n";
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables{FORWARDING_TABLE});
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables());
	EXPECT_EQ(file(SWITCH4) + file(SWITCH6), "1\n1\n");
}

TEST_F(ForwardingTest, the_last_of_two_interfaces_turns_it_off)
{
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	EXPECT_EQ(run({"up", "wg1"}, "Address = 10.9.0.1/24\nForward = yes"), 0) << fake.terminal.err;
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), (Tables{NOTES, "inet wgctl-forward-wg1"}));
	EXPECT_EQ(file(SWITCH4), "1\n");
	EXPECT_EQ(down("wg1"), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables());
	EXPECT_EQ(file(SWITCH4) + file(SWITCH6), "0\n0\n");
}

TEST_F(ForwardingTest, who_came_to_forward_meanwhile_is_not_cut_off)
{
	const std::string hook = "add chain ip docker forward { type filter hook forward priority 0; policy accept; }\n";

	for (bool came_later : {true, false}) {
		fake.host.filter.contents.clear();
		if (!came_later)
			fake.host.filter.run(hook);
		EXPECT_EQ(run({"up", "wg0"}, BOTH), 0) << fake.terminal.err;
		if (came_later)
			fake.host.filter.run(hook);
		EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
		EXPECT_EQ(tables(), Tables{"ip docker"});
		EXPECT_EQ(file(SWITCH4), came_later ? "1\n" : "0\n");
		EXPECT_EQ(told().find("goes on forwarding: nftables table ip docker forwards, too") != std::string::npos, came_later) << told();
		file(SWITCH4) = file(SWITCH6) = "0\n";
	}
}

TEST_F(ForwardingTest, who_came_before_a_second_switch_is_not_cut_off_either)
{
	EXPECT_EQ(run({"up", "wg0"}, "Address = 10.8.0.1/24\nForward = yes"), 0) << fake.terminal.err;
	fake.host.filter.run("add chain ip docker forward { type filter hook forward priority 0; policy accept; }\n");
	EXPECT_EQ(run({"apply", "wg0"}, BOTH), 0) << fake.terminal.err;
	EXPECT_EQ(file(SWITCH6), "1\n");
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(file(SWITCH4) + file(SWITCH6), "1\n1\n");
}

/* Our own kill switches have such a chain, and need no forwarding. */
TEST_F(ForwardingTest, a_kill_switch_is_nobody_who_forwards)
{
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	EXPECT_EQ(run({"up", "wg1"}, "KillSwitch = yes"), 0) << fake.terminal.err;
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(file(SWITCH4), "0\n");
}

TEST_F(ForwardingTest, what_down_cannot_take_back_a_second_down_can)
{
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	fake.host.log.broken = "write 0 to " + SWITCH4;
	EXPECT_EQ(down("wg0"), 1);
	EXPECT_EQ(tables(), (Tables{NOTES, FORWARDING_TABLE}));
	fake.host.log.broken.clear();
	EXPECT_EQ(down("wg0"), 0) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables());
	EXPECT_EQ(file(SWITCH4) + file(SWITCH6), "0\n0\n");
}

TEST_F(ForwardingTest, apply_follows_the_file)
{
	const std::string address = "Address = 10.8.0.1/24\n";

	EXPECT_EQ(run({"up", "wg0"}, address), 0);
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, address + "Forward = yes"), 2) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "wg0:\n  + forwarding nftables table " + FORWARDING_TABLE + "\n  + forwarding sysctl net.ipv4.ip_forward\n");
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, address + "Forward = yes"), 0) << told();
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, address + "Masquerade = yes"), 2) << told();
	EXPECT_EQ(fake.host.filter.contents[FORWARDING_TABLE].size(), 1u);
	file(SWITCH4) = "0\n";
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, address + "Masquerade = yes"), 2) << told();
	EXPECT_EQ(fake.terminal.out, "wg0:\n  + forwarding sysctl net.ipv4.ip_forward\n");
	EXPECT_EQ(file(SWITCH4), "1\n");
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, address), 2) << told();
	EXPECT_EQ(fake.terminal.out, "wg0:\n  - forwarding nftables table " + FORWARDING_TABLE + "\n");
	EXPECT_EQ(tables(), Tables());
	EXPECT_EQ(file(SWITCH4), "0\n");
}

TEST_F(ForwardingTest, apply_that_fails_changes_nothing_of_it)
{
	const std::string address = "Address = 10.8.0.1/24\n";

	for (const char *before : {"", "Masquerade = yes\n"}) {
		std::string after = *before ? "" : "Masquerade = yes\n", dns = "DNS = 10.8.0.53\n";
		EXPECT_EQ(run({"up", "wg0"}, address + before), 0) << fake.terminal.err;
		auto chains = fake.host.filter.contents;
		std::string is_on = file(SWITCH4);
		fake.host.log.broken = "dns wg0";
		EXPECT_EQ(run({"apply", "wg0"}, address + after + dns), 1);
		fake.host.log.broken.clear();
		EXPECT_TRUE(has_done(*before ? "write 0 to " + SWITCH4 : "write 1 to " + SWITCH4)) << fake.host.log.joined();
		EXPECT_EQ(fake.host.filter.contents, chains) << told();
		EXPECT_EQ(file(SWITCH4), is_on);
		EXPECT_EQ(down("wg0"), 0);
	}
}

TEST_F(ForwardingTest, a_container_is_told_what_to_do)
{
	fake.host.log.broken = "write 1 to " + SWITCH4;
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 1);
	EXPECT_NE(fake.terminal.err.find("In a container, set it from outside: sysctl net.ipv4.ip_forward=1"), std::string::npos) << fake.terminal.err;
	EXPECT_EQ(tables(), Tables());
}

TEST_F(ForwardingTest, wrong_values_are_refused_with_their_line)
{
	for (const char *wrong : {"Forward = maybe", "# Forward = on", "#masquerade = 1", "Masquerade ="}) {
		EXPECT_EQ(run({"up", "wg0"}, wrong), 1) << wrong;
		EXPECT_TRUE(fake.host.log.actions.empty()) << wrong;
		EXPECT_NE(fake.terminal.err.find("wg0.conf:3: "), std::string::npos) << fake.terminal.err;
	}
	EXPECT_EQ(run({"check", "wg0"}, "KillSwitch = yes\n# Masquerade = yes"), 1);
	EXPECT_NE(fake.terminal.out.find("wg0.conf:4: Masquerade lets peers out by other interfaces, and KillSwitch nobody"), std::string::npos) << told();
	EXPECT_EQ(run({"check", "wg0"}, "KillSwitch = yes\n# Forward = yes"), 0) << told();
}

TEST_F(ForwardingTest, it_is_of_the_interface_s_namespace_and_not_of_a_program_s)
{
	file("/etc/wireguard/wg0.conf") = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n" + BOTH + "\n";
	fake.host.namespaces.present = 1;
	std::vector<std::string_view> words{"exec", "wg0", "--", "true"};
	EXPECT_EQ(run_command_line(words, world), 0) << fake.terminal.err;
	EXPECT_FALSE(has_done("nft add table " + FORWARDING_TABLE)) << fake.host.log.joined();
	lose("wg0");
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	EXPECT_EQ(run({"up", "--netns", "box", "wg0"}, BOTH), 0) << fake.terminal.err;
	std::string where, where_the_table_is;
	for (const std::string &action : fake.host.log.actions) {
		where = action.starts_with("enter ") ? action : where;
		where_the_table_is = action == "nft add table " + FORWARDING_TABLE ? where : where_the_table_is;
	}
	EXPECT_EQ(where_the_table_is, "enter 2");
}

TEST_F(ForwardingTest, the_doctor_misses_it)
{
	EXPECT_EQ(run({"up", "wg0"}, BOTH), 0);
	run({"doctor", "--no-probe", "wg0"}, BOTH);
	EXPECT_EQ(fake.terminal.out.find("forward"), std::string::npos) << fake.terminal.out;
	fake.host.filter.contents.erase(FORWARDING_TABLE);
	file(SWITCH6) = "0\n";
	run({"doctor", "--no-probe", "wg0"}, BOTH);
	EXPECT_NE(fake.terminal.out.find("the file says to forward for the peers, and what does it is not whole (nftables table " + FORWARDING_TABLE +
					 ", sysctl net.ipv6.conf.all.forwarding)"), std::string::npos) << fake.terminal.out;
}

}
