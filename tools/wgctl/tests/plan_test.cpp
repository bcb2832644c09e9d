// SPDX-License-Identifier: GPL-2.0
#include "tunnel/plan.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"
#include "tunnel/default_route.h"

namespace wgctl {

namespace {


/* An interface that is as its file says; tests change one of them. */
struct Apply : testing::Test {
	FakeWorld fake;
	Device &device = fake.devices.present["wg0"];

	Apply()
	{
		fake.devices.order.push_back("wg0");
		device.name = "wg0";
		device.private_key = test_key(9);
		device.listen_port = 51820;
		device.peers.resize(2);
		device.peers[0].public_key = test_key(1);
		device.peers[0].preshared_key = test_key(0);
		device.peers[0].endpoint = parse_endpoint("192.0.2.7:5", fake);
		device.peers[0].allowed_ips = {test_prefix("10.0.0.2/32"), test_prefix("192.168.2.0/24")};
		device.peers[0].persistent_keepalive = 25;
		device.peers[1].public_key = test_key(2);
		device.peers[1].preshared_key = test_key(8);
		device.peers[1].allowed_ips = {test_prefix("10.0.0.3/32")};
		fake.host.network.link_addresses["wg0"] = {parse_address("10.0.0.1/24")};
		fake.host.network.link_added_routes["wg0"] = {{test_prefix("192.168.2.0/24"), MAIN_TABLE}};
		write("[Interface]\nPrivateKey = " + K9 + "\nListenPort = 51820\nAddress = 10.0.0.1/24\n", laptop(), phone());
	}

	static std::string laptop(const std::string &allowed_ips = "10.0.0.2, 192.168.2.0/24", const std::string &more = "")
	{
		return "[Peer]\n# Name = laptop\nPublicKey = " + K1 + "\nEndpoint = 192.0.2.7:5\nPersistentKeepalive = 25\nAllowedIPs = " + allowed_ips +
		       "\n" + more;
	}
	static std::string phone(const std::string &allowed_ips = "10.0.0.3/32", const std::string &more = "")
	{
		return "[Peer]\n# Name = phone\nPublicKey = " + K2 + "\nPresharedKey = " + K8 + "\nAllowedIPs = " + allowed_ips + "\n" + more;
	}
	static std::string interface(const std::string &more)
	{
		return "[Interface]\nPrivateKey = " + K9 + "\nListenPort = 51820\n" + more;
	}
	template<class... Parts>
	void write(const Parts &...parts)
	{
		fake.files.contents[FILE_NAME] = (std::string() + ... + parts);
	}
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		fake.devices.changes.clear();
		fake.host.log.actions.clear();
		return run_command_line(arguments, fake);
	}
	int run() { return run({"apply", "--exit-code", "wg0"}); }
	/* As `up` leaves it; the mark is the device's. */
	void add_default_route()
	{
		Steps steps(fake, Steps::Tells::failures);

		fake.files.contents[SRC_VALID_MARK] = "1\n";
		device.fwmark = 51820;
		DefaultRoute("wg0", AF_INET, 51820, fake).make(steps);
		steps.keep();
	}
	const std::string &out() const { return fake.terminal.out; }
	const std::string &err() const { return fake.terminal.err; }
	bool nothing_is_done() const { return fake.devices.changes.empty() && fake.host.log.actions.empty(); }
	const Device &change() const { return fake.devices.changes.at(0); }
};

const std::string ADDRESS = "Address = 10.0.0.1/24\n";

}

/* Whoever looks at a stranger's file before it runs must see all of it. */
TEST_F(Apply, nothing_in_a_file_steers_the_terminal)
{
	fake.devices.order.clear();
	write(interface("PostUp = evil; \x1b[2K\xc2\x9b" "1Atrue\n"));
	EXPECT_EQ(run({"apply", "--exit-code", "--dry-run", "wg0"}), 2);
	EXPECT_NE(fake.terminal.out.find("PostUp runs: evil; ?[2K??1Atrue\n"), std::string::npos) << fake.terminal.out;
}

TEST_F(Apply, a_difference_is_told_by_the_exit_code_when_asked)
{
	write(interface("Address = 10.0.0.7/24\n"));
	EXPECT_EQ(run({"apply", "--dry-run", "wg0"}), 0);
	EXPECT_EQ(run({"apply", "--dry-run", "--exit-code", "wg0"}), 2);
	EXPECT_EQ(run({"apply", "wg0"}), 0);
	EXPECT_FALSE(nothing_is_done());
}

TEST_F(Apply, same_is_unchanged)
{
	EXPECT_EQ(run(), 0);
	EXPECT_EQ(out(), "wg0: unchanged\n");
	EXPECT_TRUE(nothing_is_done());
}

TEST_F(Apply, only_what_differs_is_touched)
{
	write(interface(ADDRESS), laptop("10.0.0.2, 192.168.2.0/24, 192.168.3.0/24"), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  + peer laptop (" + K1 + "): allowed ip 192.168.3.0/24\n  + route 192.168.3.0/24\n");
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_FALSE(change().private_key || change().listen_port || change().fwmark || change().replace_peers);
	ASSERT_EQ(change().peers.size(), 1u);
	const Peer &peer = change().peers[0];
	EXPECT_TRUE(peer.public_key == test_key(1) && peer.update_only);
	EXPECT_FALSE(peer.endpoint || peer.preshared_key || peer.persistent_keepalive || peer.replace_allowed_ips || peer.remove);
	EXPECT_EQ(peer.allowed_ips, std::vector{test_prefix("192.168.3.0/24")});
	EXPECT_EQ(fake.host.log.joined(), "route 192.168.3.0/24 table 254\n");
}

TEST_F(Apply, dry_run_shows_and_does_nothing)
{
	write(interface(ADDRESS), phone());
	EXPECT_EQ(run({"apply", "--exit-code", "--dry-run", "wg0"}), 2);
	EXPECT_EQ(out(), "wg0:\n  - peer " + K1 + "\n  - route 192.168.2.0/24\n");
	EXPECT_TRUE(nothing_is_done());
}

TEST_F(Apply, peers_come_and_go)
{
	write(interface(ADDRESS), phone(), "[Peer]\n# Name = tablet\nPublicKey = " + K3 + "\nPresharedKey = " + K8 +
					      "\nEndpoint = [2001:db8::1]:7\nPersistentKeepalive = 9\nAllowedIPs = 10.0.0.4\n");
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  - peer " + K1 + "\n  + peer tablet (" + K3 + ")\n  + peer tablet (" + K3 + "): preshared key\n  + peer tablet (" + K3 +
				 "): endpoint [2001:db8::1]:7\n  + peer tablet (" + K3 + "): persistent keepalive 9\n  + peer tablet (" + K3 +
				 "): allowed ip 10.0.0.4/32\n  - route 192.168.2.0/24\n");
	ASSERT_EQ(change().peers.size(), 2u);
	EXPECT_TRUE(change().peers[0].remove && change().peers[0].public_key == test_key(1));
	EXPECT_TRUE(!change().peers[1].update_only && change().peers[1].endpoint && change().peers[1].preshared_key == test_key(8));
	EXPECT_EQ(out().find(K8), std::string::npos);
}

TEST_F(Apply, values_of_the_interface_are_changed)
{
	write("[Interface]\nPrivateKey = " + K8 + "\nListenPort = 7\nFwMark = 0x10\nMTU = 1300\nAddress = 10.0.0.1/24\n", laptop(), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  ~ private key\n  ~ listen port 51820 -> 7\n  ~ fwmark off -> 0x10\n  ~ mtu 1420 -> 1300\n");
	EXPECT_TRUE(change().private_key == test_key(8) && change().listen_port == 7 && change().fwmark == 16u);
	EXPECT_TRUE(change().peers.empty());
	EXPECT_EQ(fake.host.log.joined(), "up wg0 1300\n");
}

TEST_F(Apply, what_the_file_leaves_to_others_stays)
{
	device.private_key = test_key(5);
	device.listen_port = 33333;
	write("[Interface]\n" + ADDRESS, laptop(), phone());
	EXPECT_EQ(run(), 0) << out();
}

TEST_F(Apply, values_of_a_peer_are_changed)
{
	write(interface(ADDRESS), "[Peer]\nPublicKey = " + K1 + "\nEndpoint = 192.0.2.8:5\nAllowedIPs = 10.0.0.2, 192.168.2.0/24\nPresharedKey = " + K3 + "\n",
	      "[Peer]\nPublicKey = " + K2 + "\nAllowedIPs = 10.0.0.3\n");
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  + peer " + K1 + ": preshared key\n  ~ peer " + K1 + ": endpoint 192.0.2.7:5 -> 192.0.2.8:5\n  ~ peer " + K1 +
				 ": persistent keepalive 25 -> off\n  - peer " + K2 + ": preshared key\n");
	ASSERT_EQ(change().peers.size(), 2u);
	EXPECT_EQ(change().peers[0].persistent_keepalive, 0);
	EXPECT_TRUE(change().peers[0].allowed_ips.empty());
	EXPECT_TRUE(change().peers[1].preshared_key && change().peers[1].preshared_key->is_zero());
}

TEST_F(Apply, live_peer_that_has_moved_stays_where_it_is)
{
	device.peers[0].endpoint = parse_endpoint("198.51.100.1:9", fake);
	device.peers[0].last_handshake = {fake.clock.time - 180, 0};
	EXPECT_EQ(run(), 0);
	EXPECT_EQ(out(), "wg0: unchanged\n  = peer laptop (" + K1 + "): stays at 198.51.100.1:9, where it is alive, not 192.0.2.7:5; --endpoints moves it\n");
	EXPECT_TRUE(nothing_is_done());
	EXPECT_EQ(run({"apply", "--exit-code", "wg0", "--endpoints"}), 2);
	EXPECT_TRUE(change().peers.at(0).endpoint);
	device.peers[0].last_handshake = {fake.clock.time - 181, 0};
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  ~ peer laptop (" + K1 + "): endpoint 198.51.100.1:9 -> 192.0.2.7:5\n");
}

TEST_F(Apply, learned_endpoint_of_a_peer_without_one_in_the_file_stays)
{
	device.peers[1].endpoint = parse_endpoint("198.51.100.1:9", fake);
	EXPECT_EQ(run(), 0);
}

TEST_F(Apply, removed_allowed_ip_keeps_the_others)
{
	write(interface(ADDRESS), laptop("10.0.0.2"), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  - peer laptop (" + K1 + "): allowed ip 192.168.2.0/24\n  - route 192.168.2.0/24\n");
	EXPECT_TRUE(change().peers.at(0).replace_allowed_ips);
	EXPECT_EQ(change().peers[0].allowed_ips, std::vector{test_prefix("10.0.0.2/32")});
	EXPECT_EQ(fake.host.log.joined(), "no route 192.168.2.0/24 table 254\n");
}

TEST_F(Apply, two_peers_of_a_file_cannot_have_one_allowed_ip)
{
	write(interface(ADDRESS), laptop(), phone("10.0.0.3, 192.168.2.9/24"));
	EXPECT_EQ(run(), 1);
	EXPECT_EQ(err(), "Warning: " + FILE_NAME + ":15: AllowedIP has nonzero host part: 192.168.2.9/24\nwgctl: " + FILE_NAME +
				 ":15: allowed IP 192.168.2.0/24 of peer phone (" + K2 + ") is that of peer laptop (" + K1 +
				 ") already, in line 10: remove one of them, or --steal gives it to the later\n");
	EXPECT_TRUE(nothing_is_done());
	EXPECT_EQ(run({"apply", "--exit-code", "--steal", "wg0"}), 2);
	EXPECT_EQ(out(), "wg0:\n  - peer laptop (" + K1 + "): allowed ip 192.168.2.0/24\n  + peer phone (" + K2 + "): allowed ip 192.168.2.0/24\n");
}

TEST_F(Apply, peer_does_not_silently_take_anothers_allowed_ip)
{
	write(interface(ADDRESS), laptop("10.0.0.2"), phone("10.0.0.3, 192.168.2.0/24"));
	EXPECT_EQ(run(), 1);
	EXPECT_EQ(err(), "wgctl: " + FILE_NAME + ":15: peer phone (" + K2 + ") would take allowed IP 192.168.2.0/24 from peer laptop (" + K1 +
				 "), which has it on interface `wg0': --steal lets it\n");
	EXPECT_TRUE(nothing_is_done());
	EXPECT_EQ(run({"apply", "--exit-code", "--steal", "wg0"}), 2);
	EXPECT_EQ(change().peers.size(), 2u);
}

TEST_F(Apply, allowed_ip_of_a_peer_that_goes_is_free)
{
	write(interface(ADDRESS), phone("10.0.0.3, 192.168.2.0/24"));
	EXPECT_EQ(run(), 2) << err();
	EXPECT_TRUE(change().peers.at(0).remove);
}

TEST_F(Apply, part_of_anothers_allowed_ip_is_not_taken)
{
	write(interface(ADDRESS), laptop(), phone("10.0.0.3, 192.168.2.128/25"));
	EXPECT_EQ(run(), 2) << err();
}

TEST_F(Apply, addresses_are_added_before_others_are_removed)
{
	write(interface("Address = 10.0.0.9/24, fd00::1/64\n"), laptop(), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  + address 10.0.0.9/24\n  + address fd00::1/64\n  - address 10.0.0.1/24\n");
	/* 10.0.0.9/24 goes with the first address of its network, and must not be the last to go. */
	EXPECT_EQ(fake.host.log.joined(), "address 10.0.0.9/24\naddress fd00::1/64\naddress 10.0.0.9/32\nno address 10.0.0.1/24\n"
					  "address 10.0.0.9/24\nno address 10.0.0.9/32\n");
	write(interface("Address = 10.0.1.9/24, fd00::1/64\n"), laptop(), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(fake.host.log.joined(), "address 10.0.1.9/24\nno address 10.0.0.9/24\nroute 10.0.0.2/32 table 254\n"
					  "route 10.0.0.3/32 table 254\n");
}

TEST_F(Apply, only_addresses_of_the_kernels_own_choice_stay)
{
	fake.host.network.link_addresses["wg0"].push_back(parse_address("fe80::1/64"));
	fake.host.network.link_addresses["wg0"].push_back(parse_address("fe80::2/64"));
	fake.host.network.automatic = {parse_address("fe80::2/64")};
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  - address fe80::1/64\n");
	EXPECT_EQ(run(), 0);
}

TEST_F(Apply, new_routes_are_there_before_old_ones_go)
{
	write(interface(ADDRESS), laptop("10.0.0.2, 192.168.2.0/25"), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(fake.host.log.joined(), "route 192.168.2.0/25 table 254\nno route 192.168.2.0/24 table 254\n");
}

TEST_F(Apply, a_route_that_somebody_made_his_own_counts_and_stays)
{
	fake.host.network.link_added_routes["wg0"][0].is_plain = false;
	EXPECT_EQ(run(), 0) << out();
	write(interface(ADDRESS), laptop("10.0.0.2"), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  - peer laptop (" + K1 + "): allowed ip 192.168.2.0/24\n");
}

TEST_F(Apply, mtu_of_a_narrow_way_leaves_room_for_ipv6)
{
	fake.host.network.path_mtus = {{"default", 1300}};
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  ~ mtu 1420 -> 1220\n");
	write(interface("Address = 10.0.0.1/24, fd00::1/64\n"), laptop(), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  + address fd00::1/64\n  ~ mtu 1220 -> 1280\n");
}

TEST_F(Apply, routes_of_others_stay)
{
	fake.host.network.link_added_routes["wg0"].push_back({test_prefix("172.16.0.0/12"), MAIN_TABLE});
	fake.host.network.link_added_routes["wg0"].push_back({test_prefix("192.168.2.0/24"), 7});
	EXPECT_EQ(run(), 0) << out();
	write(interface(ADDRESS + "Table = off\n"), laptop("10.0.0.2"), phone());
	EXPECT_EQ(run({"apply", "--exit-code", "--dry-run", "wg0"}), 2);
	EXPECT_EQ(out().find("route"), std::string::npos);
}

/* The note says which table `up` used; a default route in the main one was never by `up`. */
TEST_F(Apply, routes_in_a_former_table_go)
{
	write(interface(ADDRESS + "Table = 9\n"), laptop("10.0.0.2, 192.168.2.0/24, 0.0.0.0/0"), phone());
	fake.devices.present["wg0"].peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	for (std::uint32_t former : {MAIN_TABLE, 7u}) {
		std::string where = former == MAIN_TABLE ? "" : " table 7";
		fake.host.notes.present[{"wg0", "table"}] = std::to_string(former) + "\n";
		fake.host.network.link_added_routes["wg0"].clear();
		for (const char *prefix : {"10.0.0.2/32", "192.168.2.0/24", "0.0.0.0/0", "10.0.0.3/32"})
			fake.host.network.link_added_routes["wg0"].push_back({test_prefix(prefix), 9});
		for (const char *prefix : {"192.168.2.0/24", "0.0.0.0/0", "172.16.0.0/12"})
			for (std::uint32_t table : {7u, 8u, MAIN_TABLE})
				fake.host.network.link_added_routes["wg0"].push_back({test_prefix(prefix), table});
		EXPECT_EQ(run(), 2);
		EXPECT_EQ(out(), (former == MAIN_TABLE ? "wg0:\n" : "wg0:\n  - route 0.0.0.0/0 table 7\n") + ("  - route 192.168.2.0/24" + where + "\n"));
		EXPECT_EQ(fake.host.notes.present.at({"wg0", "table"}), "9\n");
	}
}

TEST_F(Apply, numbered_table_gets_all_routes)
{
	write(interface(ADDRESS + "Table = 7\n"), laptop(), phone());
	fake.host.network.link_added_routes["wg0"] = {{test_prefix("10.0.0.2/32"), 7}};
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  + route 10.0.0.3/32 table 7\n  + route 192.168.2.0/24 table 7\n");
}

TEST_F(Apply, default_route_comes_with_mark_rules_and_filter)
{
	write(interface(ADDRESS), laptop("10.0.0.2, 192.168.2.0/24, 0.0.0.0/0"), phone());
	fake.files.contents[SRC_VALID_MARK] = "1\n";
	EXPECT_EQ(run(), 2) << err();
	EXPECT_EQ(out(), "wg0:\n  + peer laptop (" + K1 + "): allowed ip 0.0.0.0/0\n  + default route 0.0.0.0/0\n");
	EXPECT_EQ(fake.host.log.joined(), "route 0.0.0.0/0 table 51820\nadd rule 4 not mark 51820 table 51820\nadd rule 4 table 254 suppress 0\n"
					  "nft add table ip wg-quick-wg0\n");
	EXPECT_EQ(fake.devices.changes.back().fwmark, 51820u);
}

TEST_F(Apply, default_route_goes_with_rules_and_filter)
{
	device.fwmark = 51820;
	device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	add_default_route();
	EXPECT_EQ(run(), 2) << err();
	EXPECT_EQ(out(), "wg0:\n  ~ fwmark 0xca6c -> off\n  - peer laptop (" + K1 + "): allowed ip 0.0.0.0/0\n  - default route 0.0.0.0/0\n");
	EXPECT_EQ(change().fwmark, 0u);
	EXPECT_EQ(fake.host.log.joined(), "nft delete table ip wg-quick-wg0\n"
					  "delete rule 4 not mark 51820 table 51820 priority 32765\ndelete rule 4 table 254 suppress 0 priority 32764\n"
					  "no route 0.0.0.0/0 table 51820\n");
}

TEST_F(Apply, lost_default_route_comes_back_under_its_rule)
{
	add_default_route();
	device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	fake.host.network.delete_route("wg0", {test_prefix("0.0.0.0/0"), 51820});
	write(interface(ADDRESS), laptop("10.0.0.2, 192.168.2.0/24, 0.0.0.0/0"), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  + route 0.0.0.0/0 table 51820\n");
	EXPECT_EQ(fake.host.log.joined(), "route 0.0.0.0/0 table 51820\n");
}

TEST_F(Apply, default_route_with_a_new_mark_is_there_all_the_time)
{
	add_default_route();
	device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	write(interface(ADDRESS + "FwMark = 7\n"), laptop("10.0.0.2, 192.168.2.0/24, 0.0.0.0/0"), phone());
	EXPECT_EQ(run(), 2) << err();
	EXPECT_EQ(out(), "wg0:\n  ~ fwmark 0xca6c -> 0x7\n  - default route 0.0.0.0/0\n  + default route 0.0.0.0/0\n");
	EXPECT_EQ(fake.host.log.joined(), "route 0.0.0.0/0 table 7\nadd rule 4 not mark 7 table 7\nadd rule 4 table 254 suppress 0\n"
					  "nft add table ip wg-quick-wg0\ndelete rule 4 not mark 51820 table 51820 priority 32765\n"
					  "delete rule 4 table 254 suppress 0 priority 32764\nno route 0.0.0.0/0 table 51820\n");
	device.fwmark = 7;
	EXPECT_EQ(run(), 0) << out();
}

TEST_F(Apply, filter_follows_the_addresses)
{
	device.fwmark = 51820;
	device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	add_default_route();
	write(interface(ADDRESS), laptop("10.0.0.2, 192.168.2.0/24, 0.0.0.0/0"), phone());
	EXPECT_EQ(run(), 0) << out();
	write(interface("Address = 10.0.0.8/24\n"), laptop("10.0.0.2, 192.168.2.0/24, 0.0.0.0/0"), phone());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(fake.host.filter.last.find("add table ip wg-quick-wg0\ndelete table ip wg-quick-wg0\nadd table ip wg-quick-wg0\n"), 0u);
	EXPECT_NE(fake.host.filter.last.find("ip daddr 10.0.0.8 "), std::string::npos);
	EXPECT_EQ(fake.host.filter.last.find("10.0.0.1 "), std::string::npos);
}

TEST_F(Apply, interface_that_is_down_comes_up)
{
	fake.host.network.link_is_up = false;
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  ~ link down -> up\n");
	EXPECT_EQ(fake.host.log.joined(), "up wg0\n");
}

TEST_F(Apply, interface_that_is_not_there_is_brought_up)
{
	fake.devices.order.clear();
	EXPECT_EQ(run({"apply", "--exit-code", "--dry-run", "wg0"}), 2);
	EXPECT_EQ(out(), "wg0:\n  + interface wg0\n");
	EXPECT_TRUE(nothing_is_done());
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(fake.host.log.joined().find("add link wg0\n"), 0u);
}

TEST_F(Apply, all_files_are_looked_at_before_anything_is_done)
{
	write(interface(ADDRESS), phone());
	fake.files.contents["/x/wg1.conf"] = "[Interface]\nPrivateKey = broken\n";
	EXPECT_EQ(run({"apply", "--exit-code", "wg0", "/x/wg1.conf"}), 1);
	EXPECT_EQ(err().find("wgctl: /x/wg1.conf:2: PrivateKey: not a key"), 0u);
	EXPECT_EQ(out(), "");
	EXPECT_TRUE(nothing_is_done());
}

TEST_F(Apply, refusal_of_the_system_is_an_error)
{
	write(interface("Address = 10.0.0.1/24, 10.0.0.9/24\n"), laptop(), phone());
	fake.host.log.broken = "address 10.0.0.9/24";
	EXPECT_EQ(run(), 1);
	EXPECT_EQ(err(), "wgctl: " + FILE_NAME + ": cannot add address 10.0.0.9/24 to wg0: broken. Nothing is changed: what was done before is "
			 "undone\n");
}

/* As in a mesh whose machines all have the same list of peers. */
TEST_F(Apply, the_interface_itself_is_no_peer)
{
	std::string itself = "[Peer]\nPublicKey = " + std::string(to_base64(public_key_of(test_key(9)))) + "\nAllowedIPs = 10.0.0.1, 10.0.0.3, 172.16.0.0/12\n";

	write(interface(ADDRESS), itself, laptop(), phone());
	EXPECT_EQ(run(), 0) << out() << err();
	device.public_key = public_key_of(test_key(9));
	write("[Interface]\nListenPort = 51820\n" + ADDRESS, itself, laptop(), phone());
	EXPECT_EQ(run(), 0) << out() << err();
	EXPECT_TRUE(nothing_is_done());
}

TEST_F(Apply, sections_of_one_peer_are_one)
{
	write(interface(ADDRESS), laptop("10.0.0.2"), phone(), "[Peer]\nPublicKey = " + K1 + "\nAllowedIPs = 192.168.2.0/24, 10.0.0.2\n");
	EXPECT_EQ(run(), 0) << out();
}

TEST_F(Apply, json_is_the_documented_schema)
{
	device.peers[0].endpoint = parse_endpoint("198.51.100.1:9", fake);
	device.peers[0].last_handshake = {fake.clock.time, 0};
	write(interface(ADDRESS), laptop("10.0.0.2"), phone("10.0.0.3", "PresharedKey = " + K3 + "\n"));
	EXPECT_EQ(run({"apply", "--exit-code", "--dry-run", "--json", "wg0"}), 2);
	auto change = [](const std::string &action, const std::string &what, const std::string &peer, const std::string &name,
			 const std::string &before, const std::string &after) {
		auto text = [](const std::string &value) { return value.empty() ? "null" : "\"" + value + "\""; };
		return "        {\n          \"action\": \"" + action + "\",\n          \"what\": \"" + what + "\",\n          \"peer\": " + text(peer) +
		       ",\n          \"peer_name\": " + text(name) + ",\n          \"before\": " + text(before) + ",\n          \"after\": " + text(after) +
		       "\n        }";
	};
	EXPECT_EQ(out(), "{\n  \"version\": 1,\n  \"dry_run\": true,\n  \"changed\": true,\n  \"interfaces\": [\n    {\n      \"name\": \"wg0\",\n"
			 "      \"file\": \"" + FILE_NAME + "\",\n      \"changes\": [\n" +
				 change("remove", "allowed ip", K1, "laptop", "192.168.2.0/24", "") + ",\n" +
				 change("change", "preshared key", K2, "phone", "", "") + ",\n" +
				 change("remove", "route", "", "", "192.168.2.0/24", "") + "\n      ],\n      \"kept\": [\n" +
				 change("change", "endpoint", K1, "laptop", "198.51.100.1:9", "192.0.2.7:5") + "\n      ],\n      \"hooks\": []\n    }\n  ]\n}\n");
	EXPECT_TRUE(nothing_is_done());
}

/* The name server may be behind the tunnel that is to be mended. */
TEST_F(Apply, who_is_alive_is_not_looked_up)
{
	std::string named = laptop();
	named.replace(named.find("192.0.2.7:5"), 11, "nobody.example:5");
	write(interface(ADDRESS + "FwMark = 7\n"), named, phone());
	device.peers[0].last_handshake = {fake.clock.time - 5, 0};
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  ~ fwmark off -> 0x7\n");
	EXPECT_EQ(err(), "");
	EXPECT_FALSE(fake.resolver.asked.contains("nobody.example"));
}

TEST_F(Apply, a_name_nobody_knows_keeps_no_other_change_back)
{
	std::string named = laptop();
	named.replace(named.find("192.0.2.7:5"), 11, "nobody.example:5");
	write(interface(ADDRESS + "FwMark = 7\n"), named, phone());
	fake.resolver.silent = {"nobody.example"};
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  ~ fwmark off -> 0x7\n");
	EXPECT_NE(err().find("nobody.example:5"), std::string::npos);
	EXPECT_TRUE(fake.clock.sleeps.empty());
	EXPECT_TRUE(change().peers.empty());
}

/* `wgctl set wg0 peer KEY remove` takes no route away. */
TEST_F(Apply, route_of_a_peer_that_went_otherwise_goes)
{
	fake.host.notes.present[{"wg0", "routes"}] = "192.168.2.0/24\n172.16.0.0/12\n";
	fake.host.network.link_added_routes["wg0"].push_back({test_prefix("172.16.0.0/12"), MAIN_TABLE});
	fake.host.network.link_added_routes["wg0"].push_back({test_prefix("172.31.0.0/16"), MAIN_TABLE});
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  - route 172.16.0.0/12\n");
	EXPECT_EQ(fake.host.notes.present.at({"wg0", "routes"}), "192.168.2.0/24\n");
	EXPECT_EQ(run(), 0);
}

/* As hooks of links to routing daemons do. */
TEST_F(Apply, addresses_others_gave_stay)
{
	fake.host.notes.present[{"wg0", "addresses"}] = "10.0.0.1/24\n10.0.1.1/24\n";
	for (const char *address : {"10.0.1.1/24", "172.20.77.1/32", "fd20::1/128"})
		fake.host.network.link_addresses["wg0"].push_back(parse_address(address));
	EXPECT_EQ(run(), 2);
	EXPECT_EQ(out(), "wg0:\n  - address 10.0.1.1/24\n");
	EXPECT_EQ(fake.host.network.link_addresses["wg0"].size(), 3u);
	EXPECT_EQ(run(), 0);
}

}
