// SPDX-License-Identifier: GPL-2.0
#include "tunnel/kill_switch.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"
#include "tunnel/default_route.h"
#include "tunnel/endpoint_keeper.h"

namespace wgctl {

namespace {

const std::string SWITCH_TABLE = "inet wgctl-kill-wg0";

/* Has what it is given. */
struct KeptDevices : FakeDevices {
	explicit KeptDevices(FakeLog &l) : log(l) {}
	FakeLog &log;

	void set(const Device &change) override
	{
		log.act("configure " + change.name);
		if (change.replace_peers)
			present[change.name] = change;
		present[change.name].fwmark = change.fwmark ? change.fwmark : present[change.name].fwmark;
		order = {change.name};
	}
};

struct KillSwitches : testing::Test {
	FakeWorld fake;
	KeptDevices devices{fake.host.log};
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};
	std::string endpoint = "192.0.2.7:5", allowed = "10.1.0.0/16";

	int run(std::vector<std::string_view> arguments, const std::string &interface)
	{
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n" + interface +
								 "\n[Peer]\nPublicKey = " + test_key_text(1) + "\nEndpoint = " + endpoint +
								 "\nAllowedIPs = " + allowed + "\n";
		fake.host.namespaces.present = 1;
		fake.host.log.actions.clear();
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, world);
	}
	bool is_closed() { return KillSwitch("wg0", fake).is_closed(); }
	bool is_closed_as(std::uint32_t mark, const std::vector<Prefix> &excepted = {}) { return KillSwitch("wg0", fake).is_closed_as(mark, excepted); }
	void close()
	{
		Steps steps(fake, Steps::Tells::failures);
		KillSwitch("wg0", fake).close(51820, {}, steps);
		steps.keep();
	}
	std::string first_action() const { return fake.host.log.actions.empty() ? "" : fake.host.log.actions[0]; }
	/* When the interface goes, the kernel's part of it does. */
	void lose_interface()
	{
		devices.order.clear();
		fake.host.network.links.clear();
		fake.host.network.link_addresses.clear();
		fake.host.network.link_added_routes.clear();
	}
};

}

TEST(KillSwitchTable, it_lets_out_what_is_the_tunnel_s_and_little_else)
{
	EXPECT_EQ(kill_switch_setup("wg+", 16, {test_prefix("192.168.0.0/16"), test_prefix("fd00::1/128")}),
		  "add table inet wgctl-kill-wg/2b\n"
		  "add chain inet wgctl-kill-wg/2b output { type filter hook output priority 0; policy drop; }\n"
		  "add rule inet wgctl-kill-wg/2b output oifname \"wg+\" accept\n"
		  "add rule inet wgctl-kill-wg/2b output oifname \"lo\" accept\n"
		  "add rule inet wgctl-kill-wg/2b output meta l4proto udp meta mark 0x00000010 accept\n"
		  "add rule inet wgctl-kill-wg/2b output meta nfproto ipv4 udp sport 68 udp dport 67 accept\n"
		  "add rule inet wgctl-kill-wg/2b output ip6 daddr fe80::/10 udp sport 546 udp dport 547 accept\n"
		  "add rule inet wgctl-kill-wg/2b output ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept\n"
		  "add rule inet wgctl-kill-wg/2b output icmpv6 type nd-router-solicit accept\n"
		  "add rule inet wgctl-kill-wg/2b output icmpv6 type nd-neighbor-solicit accept\n"
		  "add rule inet wgctl-kill-wg/2b output icmpv6 type nd-neighbor-advert accept\n"
		  "add rule inet wgctl-kill-wg/2b output icmpv6 type mld2-listener-report accept\n"
		  "add rule inet wgctl-kill-wg/2b output ip daddr 192.168.0.0/16 accept\n"
		  "add rule inet wgctl-kill-wg/2b output ip6 daddr fd00::1 accept\n"
		  "add rule inet wgctl-kill-wg/2b output meta l4proto tcp reject with tcp reset\n"
		  "add rule inet wgctl-kill-wg/2b output reject with icmpx admin-prohibited\n"
		  "add chain inet wgctl-kill-wg/2b forward { type filter hook forward priority 0; policy drop; }\n"
		  "add rule inet wgctl-kill-wg/2b forward oifname \"wg+\" accept\n"
		  "add rule inet wgctl-kill-wg/2b forward iifname \"wg+\" ct state established,related accept\n"
		  "add rule inet wgctl-kill-wg/2b forward ip daddr 192.168.0.0/16 accept\n"
		  "add rule inet wgctl-kill-wg/2b forward ip6 daddr fd00::1 accept\n"
		  "add rule inet wgctl-kill-wg/2b forward meta l4proto tcp reject with tcp reset\n"
		  "add rule inet wgctl-kill-wg/2b forward reject with icmpx admin-prohibited\n");
	/* No mark would be everybody's. */
	EXPECT_EQ(kill_switch_setup("wg0", 0, {}).find("mark"), std::string::npos);
}

TEST_F(KillSwitches, it_is_closed_before_anything_else)
{
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes\nPreUp = before"), 0) << fake.terminal.err;
	EXPECT_EQ(first_action(), "nft add table " + SWITCH_TABLE);
	EXPECT_TRUE(is_closed_as(51820));
	EXPECT_EQ(devices.present["wg0"].fwmark, 51820u);
}

TEST_F(KillSwitches, as_a_comment_with_the_mark_of_the_file)
{
	EXPECT_EQ(run({"up", "wg0"}, "FwMark = 7\n# KillSwitch = yes\n# KillSwitchExcept = 10.9.0.1/8, fd00::/8"), 0) << fake.terminal.err;
	EXPECT_TRUE(is_closed_as(7, {test_prefix("10.0.0.0/8"), test_prefix("fd00::/8")}));
}

TEST_F(KillSwitches, without_it_there_is_none)
{
	for (const char *interface : {"", "KillSwitch = no", "# KillSwitch = no\n# KillSwitchExcept = 10.0.0.0/8"}) {
		EXPECT_EQ(run({"up", "wg0"}, interface), 0) << fake.terminal.err;
		EXPECT_EQ(first_action(), "add link wg0");
		EXPECT_FALSE(is_closed());
		EXPECT_EQ(devices.present["wg0"].fwmark.value_or(0), 0u);
		EXPECT_EQ(run({"down", "wg0"}, interface), 0) << fake.terminal.err;
		lose_interface();
	}
}

TEST_F(KillSwitches, whatever_step_of_up_fails_it_stays_and_up_goes_on)
{
	allowed = "0.0.0.0/0, ::/0";
	fake.files.contents["/proc/sys/net/ipv4/conf/all/src_valid_mark"] = "0\n";
	const std::string interface = "Address = 10.0.0.1/24\nKillSwitch = yes\nDNS = 10.0.0.53\nPreUp = a\nPostUp = b";
	std::size_t step = 1;
	for (;; ++step) {
		fake.host.log.failing = step;
		if (!run({"up", "wg0"}, interface))
			break;
		fake.host.log.failing.reset();
		EXPECT_TRUE(is_closed()) << step;
		EXPECT_NE(fake.terminal.err.find("leave the kill switch closed: `wgctl down wg0' opens it"), std::string::npos) << fake.terminal.err;
		EXPECT_TRUE(fake.host.network.links.empty()) << step;
		lose_interface();
		ASSERT_LT(step, 60u);
	}
	EXPECT_GT(step, 10u);
	fake.host.log.failing.reset();
	EXPECT_TRUE(is_closed_as(51820));
}

TEST_F(KillSwitches, down_opens_it_last)
{
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes"), 0);
	EXPECT_EQ(run({"down", "wg0"}, ""), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.log.actions.back(), "nft delete table " + SWITCH_TABLE);
	EXPECT_FALSE(is_closed());
}

TEST_F(KillSwitches, down_that_fails_before_the_end_of_the_interface_does_not)
{
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes"), 0);
	fake.host.shell.statuses["no"] = 1;
	EXPECT_EQ(run({"down", "wg0"}, "KillSwitch = yes\nPreDown = no"), 1);
	EXPECT_TRUE(is_closed());
	fake.host.log.broken = "delete link wg0";
	EXPECT_EQ(run({"down", "wg0"}, "KillSwitch = yes"), 1);
	EXPECT_TRUE(is_closed());
}

TEST_F(KillSwitches, down_without_an_interface_opens_it)
{
	close();
	EXPECT_EQ(run({"down", "wg0"}, "KillSwitch = yes"), 0) << fake.terminal.err;
	EXPECT_FALSE(is_closed());
}

TEST_F(KillSwitches, a_change_replaces_it_and_is_undone_with_the_rest)
{
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes"), 0);
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, "KillSwitch = yes"), 0) << fake.terminal.out;
	EXPECT_EQ(run({"apply", "wg0"}, "FwMark = 9\nKillSwitch = yes\nKillSwitchExcept = 10.0.0.0/8"), 0) << fake.terminal.err;
	EXPECT_NE(fake.terminal.out.find("~ kill switch " + SWITCH_TABLE), std::string::npos) << fake.terminal.out;
	EXPECT_EQ(first_action(), "nft add table " + SWITCH_TABLE);
	EXPECT_TRUE(fake.host.filter.last.starts_with("add table " + SWITCH_TABLE + "\ndelete table " + SWITCH_TABLE + "\nadd table "));
	EXPECT_TRUE(is_closed_as(9, {test_prefix("10.0.0.0/8")}));
	fake.host.log.broken = "address 10.0.0.1/24";
	EXPECT_EQ(run({"apply", "wg0"}, "FwMark = 9\nKillSwitch = yes\nAddress = 10.0.0.1/24"), 1);
	EXPECT_TRUE(is_closed_as(9, {test_prefix("10.0.0.0/8")}));
}

TEST_F(KillSwitches, apply_closes_it_and_gives_the_mark)
{
	EXPECT_EQ(run({"up", "wg0"}, ""), 0);
	EXPECT_EQ(run({"apply", "wg0"}, "KillSwitch = yes"), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "wg0:\n  ~ fwmark off -> 0xca6c\n  + kill switch " + SWITCH_TABLE + "\n");
	EXPECT_EQ(first_action(), "nft add table " + SWITCH_TABLE);
	EXPECT_TRUE(is_closed_as(51820));
	EXPECT_EQ(devices.present["wg0"].fwmark, 51820u);
}

TEST_F(KillSwitches, a_file_that_has_it_no_longer_does_not_open_it)
{
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes"), 0);
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, ""), 0) << fake.terminal.out;
	EXPECT_EQ(fake.terminal.out, "wg0: unchanged\n  = kill switch " + SWITCH_TABLE + ": stays closed; wgctl down opens it\n");
	EXPECT_TRUE(is_closed_as(51820));
	EXPECT_EQ(devices.present["wg0"].fwmark, 51820u);
	EXPECT_EQ(run({"up", "wg0"}, ""), 1);
	EXPECT_NE(fake.terminal.err.find("is closed, and the file has none: wgctl down wg0 opens it"), std::string::npos) << fake.terminal.err;
}

TEST_F(KillSwitches, where_the_sockets_are_elsewhere_no_mark_passes)
{
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	EXPECT_EQ(run({"up", "wg0", "--netns", "box"}, "FwMark = 7\nKillSwitch = yes"), 0) << fake.terminal.err;
	EXPECT_TRUE(is_closed_as(0));
	EXPECT_EQ(run({"apply", "--exit-code", "wg0", "--netns", "box"}, "FwMark = 7\nKillSwitch = yes"), 0) << fake.terminal.out;
}

TEST_F(KillSwitches, names_are_asked_for_with_the_mark)
{
	endpoint = "hub.test:5";
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	fake.environment.variables["WG_ENDPOINT_RESOLUTION_RETRIES"] = "0";
	fake.host.lookout.known_to["192.0.2.53 51820 hub.test:5"] = {parse_endpoint("192.0.2.8:5", fake)};
	EXPECT_EQ(run({"up", "wg0"}, ""), 1);
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes"), 0) << fake.terminal.err;
	EXPECT_EQ(std::string(format_endpoint(*devices.present["wg0"].peers[0].endpoint)), "192.0.2.8:5");
	devices.present["wg0"].peers[0].endpoint.reset();
	EXPECT_EQ(run({"apply", "--exit-code", "wg0"}, "KillSwitch = yes"), 2) << fake.terminal.err;
	EXPECT_NE(fake.terminal.out.find("endpoint 192.0.2.8:5"), std::string::npos) << fake.terminal.out;
}

TEST_F(KillSwitches, the_agent_asks_with_the_mark)
{
	endpoint = "hub.test:5";
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	fake.host.dns.before = {"192.0.2.54"};
	fake.host.lookout.known_to["192.0.2.54 51820 hub.test:5"] = {parse_endpoint("192.0.2.8:5", fake)};
	for (bool is_switch_closed : {false, true}) {
		EXPECT_EQ(run({"up", "wg0"}, is_switch_closed ? "KillSwitch = yes\nFwMark = 51820" : "FwMark = 51820"), is_switch_closed ? 0 : 1);
		devices.present["wg0"].name = "wg0";
		devices.present["wg0"].fwmark = 51820;
		Peer peer;
		peer.public_key = test_key(1);
		peer.persistent_keepalive = 1;
		devices.present["wg0"].peers = {peer};
		fake.terminal.out.clear();
		EndpointKeeper keeper("/etc/wireguard/wg0.conf", "wg0", find_placement("", "", world), world);
		keeper.look();
		EXPECT_EQ(fake.terminal.out.find("trying 192.0.2.8:5") != std::string::npos, is_switch_closed) << fake.terminal.out;
		lose_interface();
	}
}

TEST_F(KillSwitches, the_doctor_names_it_when_it_is_all_there_is)
{
	close();
	EXPECT_EQ(run({"doctor", "wg0"}, "KillSwitch = yes"), 1) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "wg0: wg0 is not there, and its kill switch, nftables table " + SWITCH_TABLE +
					     ", lets nothing else out of this machine.\n  Remedy: wgctl up wg0, or wgctl down wg0 to open it\n");
}

TEST_F(KillSwitches, the_doctor_names_it_when_it_is_open_or_nobody_answers)
{
	EXPECT_EQ(run({"up", "wg0"}, "KillSwitch = yes"), 0);
	devices.present["wg0"].name = "wg0";
	run({"doctor", "--no-probe", "wg0"}, "KillSwitch = yes");
	EXPECT_NE(fake.terminal.out.find("wg0 has no session, and its kill switch"), std::string::npos) << fake.terminal.out;
	EXPECT_EQ(fake.terminal.out.find("is not whole"), std::string::npos) << fake.terminal.out;
	devices.present["wg0"].peers[0].last_handshake.seconds = fake.clock.now();
	run({"doctor", "--no-probe", "wg0"}, "KillSwitch = yes");
	EXPECT_EQ(fake.terminal.out.find("has no session"), std::string::npos) << fake.terminal.out;
	fake.host.filter.contents.clear();
	run({"doctor", "--no-probe", "wg0"}, "KillSwitch = yes");
	EXPECT_NE(fake.terminal.out.find("is not whole (nftables table " + SWITCH_TABLE + ")"), std::string::npos) << fake.terminal.out;
}

TEST_F(KillSwitches, a_wrong_value_is_refused_in_a_comment_too)
{
	for (const char *wrong : {"KillSwitch = maybe", "# KillSwitch = yes please", "#killswitch = on", "KillSwitch =", "KillSwitchExcept = 10.0.0.0/33",
				  "# KillSwitchExcept = 0.0.0.0/0", "KillSwitchExcept = ::/0"}) {
		EXPECT_EQ(run({"up", "wg0"}, wrong), 1) << wrong;
		EXPECT_TRUE(fake.host.log.actions.empty()) << wrong;
		EXPECT_NE(fake.terminal.err.find("wg0.conf:3: "), std::string::npos) << fake.terminal.err;
	}
}

/* Right above a peer, a comment is the peer's; this one is nobody's but the interface's. */
TEST_F(KillSwitches, it_counts_wherever_the_comment_stands)
{
	allowed = "10.1.0.0/16\n# KillSwitch = yes";
	EXPECT_EQ(run({"up", "wg0"}, ""), 0);
	EXPECT_TRUE(is_closed());
}

TEST_F(KillSwitches, exec_needs_none)
{
	EXPECT_EQ(run({"exec", "wg0", "--", "true"}, "KillSwitch = yes"), 0) << fake.terminal.err;
	EXPECT_FALSE(is_closed());
}

}
