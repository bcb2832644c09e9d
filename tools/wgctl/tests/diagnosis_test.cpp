// SPDX-License-Identifier: GPL-2.0
#include "view/diagnosis.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"
#include "tunnel/default_route.h"

namespace wgctl {

namespace {

/* A clock that was set. */
constexpr std::int64_t LATER = 1'790'000'000;

/* A tunnel with nothing wrong; each test breaks one thing. */
struct DoctorTest : testing::Test {
	FakeWorld fake;
	Examination seen;

	DoctorTest()
	{
		seen.now = LATER;
		seen.mtu = 1420;
		seen.device.name = "wg0";
		seen.device.private_key = test_key(8);
		seen.device.public_key = test_key(7);
		seen.path = "/etc/wireguard/wg0.conf";
		seen.routes = {test_prefix("10.0.0.0/24")};
		seen.forwards_ipv4 = seen.forwards_ipv6 = true;
		seen.counters = {{"drop-malformed", 0}};
		add_peer(1, "10.0.0.2/32");
		seen.names[test_key(1)] = "Ann";
	}
	Peer &add_peer(std::uint8_t number, std::string_view allowed)
	{
		Peer &peer = seen.device.peers.emplace_back();
		peer.public_key = test_key(number);
		peer.endpoint = parse_endpoint("192.0.2.1:7", fake);
		peer.allowed_ips = {test_prefix(allowed)};
		peer.last_handshake.seconds = LATER - 5;
		peer.tx_bytes = 1000;
		seen.ways[peer.public_key] = {"eth0", false, 1500, false};
		return peer;
	}
	std::string found() const
	{
		std::string text;
		for (const Finding &finding : diagnose(seen))
			text += finding.what + " => " + finding.remedy + "\n";
		return text;
	}
	const std::string ann = "peer Ann (" + test_key_text(1) + ")";
};

}

TEST_F(DoctorTest, a_sound_tunnel_has_no_findings)
{
	EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, no_route_to_the_endpoint)
{
	seen.ways[test_key(1)] = {};
	EXPECT_EQ(found(), "there is no route to 192.0.2.1:7, the endpoint of " + ann +
			   " => connect this machine to the network, or add a route to that address\n");
}

TEST_F(DoctorTest, what_the_sockets_are_bound_to_is_gone)
{
	const std::string anew = " in /etc/wireguard/wg0.conf, then run wgctl down wg0 and wgctl up wg0\n";

	seen.device.binding = Binding{"eth1", "192.0.2.7"};
	seen.ways[test_key(1)] = {};
	EXPECT_EQ(found(), "there is no route to 192.0.2.1:7, the endpoint of " + ann + ", by eth1, which the sockets are bound to"
			   " => add a route by it to that address, or correct BindDevice" + anew);
	seen.lacks_bound_address = true;
	EXPECT_EQ(found(), "the sockets of wg0 are bound to 192.0.2.7 (BindAddress), which is no address of this machine"
			   " => give it back its address or correct BindAddress" + anew);
	seen.lacks_bound_address = false;
	seen.lacks_bound_link = true;
	EXPECT_EQ(found(), "the sockets of wg0 are bound to the link eth1 (BindDevice), which is not there => bring it back or correct BindDevice" + anew);
}

TEST_F(DoctorTest, a_pinned_peer_may_have_moved)
{
	seen.asked = {test_key(1)};
	seen.device.peers[0].last_handshake.seconds = 0;
	seen.device.peers[0].policy = PeerPolicy{.pins_endpoint = true};
	EXPECT_NE(found().find("at 192.0.2.1:7, where it is pinned => "), std::string::npos) << found();
	EXPECT_NE(found().find("; if it has moved, correct Endpoint in /etc/wireguard/wg0.conf and run wgctl apply wg0, or take PinEndpoint out\n"),
		  std::string::npos)
		<< found();
}

TEST_F(DoctorTest, an_endpoint_inside_allowed_ips_without_mark)
{
	seen.ways[test_key(1)] = {"wg0", true, {}, false};
	seen.device.peers[0].allowed_ips = {test_prefix("0.0.0.0/0")};
	seen.routes = {test_prefix("0.0.0.0/0")};
	EXPECT_NE(found().find("go into the tunnel itself: it is inside allowed IPs => wgctl down wg0 and wgctl up wg0 set"), std::string::npos) << found();
	seen.device.fwmark = 51820;
	EXPECT_NE(found().find("although they carry a mark => wgctl down wg0 and wgctl up wg0 set"), std::string::npos) << found();
	seen.path = "./wg0.conf";
	EXPECT_NE(found().find("although they carry a mark => wgctl down ./wg0.conf and"), std::string::npos) << found();
	seen.path.reset();
	EXPECT_NE(found().find("although they carry a mark => bring wg0 up from a file"), std::string::npos) << found();
}

/* `up' gives no rule to other routes than default ones: neither it nor a mark would help. */
TEST_F(DoctorTest, a_mark_is_no_remedy_for_a_route_that_is_no_default_route)
{
	seen.ways[test_key(1)] = {"wg0", true, {}, false};
	seen.device.peers[0].allowed_ips = {test_prefix("0.0.0.0/1"), test_prefix("128.0.0.0/1")};
	seen.routes = seen.device.peers[0].allowed_ips;
	for (std::uint32_t mark : {0, 51820}) {
		seen.device.fwmark = mark;
		EXPECT_NE(found().find(" => write 0.0.0.0/0 instead of its halves into AllowedIPs in /etc/wireguard/wg0.conf and run wgctl apply wg0\n"),
			  std::string::npos)
			<< found();
	}
	seen.device.peers[0].allowed_ips.push_back(test_prefix("192.0.2.0/24"));
	EXPECT_NE(found().find(" => take 192.0.2.0/24 out of AllowedIPs in /etc/wireguard/wg0.conf and run wgctl apply wg0\n"), std::string::npos) << found();
	seen.is_routing_off = true;
	EXPECT_NE(found().find(" => add a route to that address that does not go over wg0\n"), std::string::npos) << found();
}

TEST_F(DoctorTest, no_reply_at_all)
{
	seen.asked = {test_key(1)};
	EXPECT_EQ(found(), "");
	seen.device.peers[0].last_handshake.seconds = 0;
	EXPECT_EQ(found(), "no reply at all from " + ann + " at 192.0.2.1:7 => check there that WireGuard listens on that port, that no firewall "
			   "stops UDP, and that it knows " + test_key_text(7) + "\n");
	seen.device.peers[0].last_handshake.seconds = LATER - 181;
	EXPECT_NE(found().find("since 181 s"), std::string::npos);
	seen.asked = {test_key(2)};
	EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, who_was_not_asked_is_silent_when_it_should_not_be)
{
	Peer &peer = seen.device.peers[0];

	/* It has had sessions and nothing to say: that is no trouble. */
	peer.last_handshake.seconds = LATER - 181;
	EXPECT_EQ(found(), "");
	peer.persistent_keepalive = 25;
	EXPECT_NE(found().find("no reply at all"), std::string::npos);
	peer.persistent_keepalive = peer.last_handshake.seconds = 0;
	EXPECT_NE(found().find("no reply at all"), std::string::npos);
	peer.tx_bytes = 0;
	EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, a_module_that_counts_no_drops_does_not_know_whether_there_were_replies)
{
	seen.asked = {test_key(1)};
	seen.device.peers[0].last_handshake.seconds = 0;
	seen.counters.clear();
	EXPECT_EQ(found().find("no reply from " + ann + " at 192.0.2.1:7, or none that could be used"), 0u) << found();
}

TEST_F(DoctorTest, a_port_that_nobody_listens_on)
{
	seen.asked = {test_key(1)};
	seen.ways[test_key(1)].is_refused = true;
	EXPECT_EQ(found(), "");
	seen.device.peers[0].last_handshake.seconds = 0;
	EXPECT_EQ(found(), "nothing listens where " + ann + " at 192.0.2.1:7 should: the machine there refuses packets to that port => start "
			   "WireGuard there, or correct the port of Endpoint in /etc/wireguard/wg0.conf\n");
}

TEST_F(DoctorTest, replies_that_are_dropped_say_why)
{
	seen.asked = {test_key(1)};
	seen.device.peers[0].last_handshake.seconds = 0;
	seen.counters = {{"drop-bad-mac1", 0}, {"drop-bad-handshake", 12}, {"drop-no-session", 9}};
	EXPECT_EQ(found(), ann + " has no session; 12 packets came in and were dropped: they do not decrypt => compare public keys and "
			   "PresharedKey on both sides\n");
}

TEST_F(DoctorTest, the_kernel_may_tell_whose_packets_were_dropped)
{
	seen.asked = {test_key(1)};
	Peer &peer = seen.device.peers[0];
	peer.last_handshake.seconds = 0;
	peer.state = PeerState{.last_drop = "bad-handshake", .last_drop_age = 3'900};
	/* Of others, maybe. */
	seen.counters = {{"drop-bad-mac1", 12}};
	EXPECT_EQ(found(), ann + " has no session; its packets are dropped, the last one 3 s ago: they do not decrypt => compare public keys and "
			   "PresharedKey on both sides\n");
	peer.state->last_drop_age = 60'001;
	EXPECT_NE(found().find("12 packets came in and were dropped: they were made for another public key"), std::string::npos) << found();
	peer.state = PeerState{.last_drop = "no-session"};
	EXPECT_NE(found().find("12 packets came in"), std::string::npos) << found();
}

TEST_F(DoctorTest, packets_from_addresses_that_are_not_their_senders)
{
	seen.wrong_sources = 3;
	EXPECT_EQ(found(), "3 packets came in just now and were dropped: their inner source address is not among their sender's AllowedIPs => add the "
			   "addresses the other side sends from to its AllowedIPs in /etc/wireguard/wg0.conf and run wgctl apply wg0\n");
}

TEST_F(DoctorTest, a_wrong_clock)
{
	seen.now = 1000;
	EXPECT_NE(found().find("the clock was never set"), std::string::npos);
	seen.now = LATER - 10;
	EXPECT_NE(found().find("the clock went back"), std::string::npos);
}

TEST_F(DoctorTest, two_peers_that_claim_the_same)
{
	seen.wanted = seen.device;
	seen.wanted->peers.push_back(seen.wanted->peers[0]);
	EXPECT_EQ(found(), "");
	seen.wanted->peers[1].public_key = test_key(2);
	EXPECT_EQ(found(), ann + " and peer " + test_key_text(2) +
			   " both claim 10.0.0.2/32; only the last one gets it => leave it to one of them in /etc/wireguard/wg0.conf and run wgctl apply "
			   "wg0\n");
}

TEST_F(DoctorTest, a_missing_return_route)
{
	seen.device.peers[0].allowed_ips.push_back(test_prefix("10.9.0.0/16"));
	EXPECT_EQ(found(), "there is no route over wg0 to 10.9.0.0/16 of " + ann + ": answers to it go elsewhere => ip route add 10.9.0.0/16 dev wg0\n");
	seen.is_routing_off = true;
	EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, two_halves_are_a_whole_route)
{
	seen.device.fwmark = 1;
	seen.device.peers[0].allowed_ips = {test_prefix("0.0.0.0/0"), test_prefix("10.9.0.0/15")};
	seen.routes = {test_prefix("0.0.0.0/1"), test_prefix("128.0.0.0/1"), test_prefix("10.8.0.0/16")};
	EXPECT_EQ(found(), "");
	seen.routes.erase(seen.routes.begin());
	EXPECT_NE(found().find("no route over wg0 to 0.0.0.0/0"), std::string::npos);
}

/* Added by hand it would take what the tunnel itself sends. */
TEST_F(DoctorTest, a_default_route_is_not_added_by_hand)
{
	seen.device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	EXPECT_EQ(found(), "there is no route over wg0 to 0.0.0.0/0 of " + ann + ": answers to it go elsewhere => wgctl apply wg0\n");
	/* Without a file somebody else decides what goes there. */
	seen.path.reset();
	EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, forwarding_that_is_off_on_a_hub)
{
	seen.forwards_ipv4 = seen.forwards_ipv6 = false;
	EXPECT_EQ(found(), "");
	add_peer(2, "10.0.0.3/32");
	EXPECT_EQ(found(), "forwarding of IPv4 is off: the peers reach this machine, but not each other => sysctl -w net.ipv4.ip_forward=1\n");
	/* In a mesh everybody finds everybody else. */
	seen.wanted = seen.device;
	EXPECT_EQ(found(), "");
	seen.wanted->peers[1].endpoint.reset();
	EXPECT_NE(found(), "");
	/* Who keeps them apart says so in the file. */
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};
	fake.devices.present["wg0"] = seen.device;
	for (const auto &[line, isolates] : std::map<std::string, bool>{{"# Isolated = yes", true}, {"# Isolated = no", false}, {"", false}}) {
		fake.files.contents[patient.path] = "[Interface]\n" + line + "\nPrivateKey = " + test_key_text(8) + "\n";
		seen.is_isolating = examine(patient, Probing::none, fake).is_isolating;
		EXPECT_EQ(found().empty(), isolates) << line;
	}
}

TEST_F(DoctorTest, an_mtu_that_is_too_big)
{
	seen.ways[test_key(1)].mtu = 1400;
	EXPECT_EQ(found(), "the MTU of wg0, 1420, is too big: the path to " + ann +
			   " takes 1340 inside the tunnel => set MTU = 1340 in /etc/wireguard/wg0.conf and run wgctl apply wg0\n");
	seen.path.reset();
	EXPECT_NE(found().find("inside the tunnel => ip link set wg0 mtu 1340\n"), std::string::npos) << found();
	seen.ways[test_key(1)].mtu = 1480;
	EXPECT_EQ(found(), "");
}

TEST_F(DoctorTest, a_path_that_loses_long_packets_without_a_word)
{
	seen.ways[test_key(1)].mtu = 1500;
	seen.ways[test_key(1)].largest_inside = 1360;
	EXPECT_EQ(found(), "the MTU of wg0, 1420, is too big: packets as long get lost between here and " + ann +
			   " without a word; 1360 bytes come through => set MTU = 1360 in /etc/wireguard/wg0.conf and run wgctl apply wg0\n");
	/* One finding is enough. */
	seen.ways[test_key(1)].mtu = 1300;
	EXPECT_NE(found().find("takes 1240 inside the tunnel => set MTU = 1240"), std::string::npos) << found();
	EXPECT_EQ(found().find("without a word"), std::string::npos);
}

TEST_F(DoctorTest, long_packets_are_asked_for_where_short_ones_are_answered)
{
	std::vector<std::string_view> line{"doctor", "wg0"};
	Peer &peer = seen.device.peers[0];
	auto largest = [&] {
		fake.terminal.out.clear();
		fake.host.lookout.echo_calls.clear();
		run_command_line(line, fake);
		std::size_t at = fake.terminal.out.find("without a word; ");
		return at == std::string::npos ? std::string() : fake.terminal.out.substr(at + 16, fake.terminal.out.find(' ', at + 16) - at - 16);
	};

	fake.clock.time = LATER;
	peer.allowed_ips = {test_prefix("10.0.1.0/24"), test_prefix("10.0.0.2/32")};
	fake.devices.present["wg0"] = seen.device;
	fake.host.network.link_routes["wg0"] = peer.allowed_ips;
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	fake.host.network.path_mtus["192.0.2.1"] = 1500;
	for (auto [answers, told] : std::map<std::uint32_t, std::string>{{0, ""}, {300, ""}, {1000, "928"}, {1279, "1192"}, {1365, "1360"}, {1419, "1410"}, {1420, ""}}) {
		fake.host.lookout.echoes["10.0.0.2:9"] = answers;
		EXPECT_EQ(largest(), told) << answers << fake.terminal.out << fake.terminal.err;
		EXPECT_EQ(fake.host.lookout.echo_calls.size(), answers == 0 || answers == 1420 ? 1u : 2u) << answers;
	}
	/* Of two addresses the one counts that more comes back from. */
	fake.host.lookout.echoes["10.0.0.2:9"] = 1300;
	EXPECT_EQ(largest(), "1300");
	fake.host.lookout.echoes["10.0.1.1:9"] = 1420;
	EXPECT_EQ(largest(), "");
	fake.host.lookout.echoes["10.0.1.1:9"] = 0;
	/* Nobody is asked without a session, or when told not to probe. */
	line.push_back("--no-probe");
	EXPECT_EQ(largest(), "");
	line.pop_back();
	fake.devices.present["wg0"].peers[0].last_handshake = {};
	EXPECT_EQ(largest(), "");
	EXPECT_TRUE(fake.host.lookout.echo_calls.empty());
}

TEST_F(DoctorTest, dns_outside_of_a_tunnel_for_everything)
{
	seen.name_servers = {{"192.0.2.53", "eth0"}, {"127.0.0.1", "lo"}, {"10.0.0.1", "wg0"}};
	EXPECT_EQ(found(), "");
	seen.routes.push_back(test_prefix("0.0.0.0/0"));
	seen.device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	EXPECT_EQ(found(), "all traffic goes through the tunnel, but questions to the name server 192.0.2.53 leave by eth0 => set DNS in "
			   "[Interface] of /etc/wireguard/wg0.conf to a server behind the tunnel, and run wgctl apply wg0\n");
}

TEST_F(DoctorTest, keys_that_everybody_can_read)
{
	seen.is_open_to_the_world = true;
	EXPECT_EQ(found(), "/etc/wireguard/wg0.conf holds a private key and everybody may read it => chmod 600 /etc/wireguard/wg0.conf\n");
}

TEST_F(DoctorTest, an_interface_that_is_down)
{
	seen.is_up = false;
	seen.device.peers[0].last_handshake.seconds = 0;
	seen.routes.clear();
	EXPECT_EQ(found(), "wg0 is down => ip link set wg0 up\n");
	seen.wanted = seen.device;
	EXPECT_EQ(found(), "wg0 is down => wgctl apply wg0\n");
}

TEST_F(DoctorTest, the_exit_code_counts_what_was_found_in_the_system)
{
	const std::string path = "/etc/wireguard/wg0.conf";
	std::vector<std::string_view> line{"doctor", "wg0"};

	fake.clock.time = LATER;
	fake.devices.present["wg0"] = seen.device;
	fake.files.contents[path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n[Peer]\n# Name = Ann\nPublicKey = " + test_key_text(1) + "\n";
	fake.files.contents["/etc/resolv.conf"] = "nameserver 127.0.0.53\n";
	fake.files.contents["/run/systemd/resolve/resolv.conf"] = "nameserver 192.0.2.53\n";
	fake.host.network.link_routes["wg0"] = {test_prefix("10.0.0.0/24")};
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	fake.host.network.path_mtus["192.0.2.1"] = 1500;
	EXPECT_EQ(run_command_line(line, fake), 0) << fake.terminal.out << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "wg0: nothing is wrong as far as can be seen from here\n");

	fake.terminal.out.clear();
	fake.host.store.open_files = {path};
	fake.host.network.path_mtus["192.0.2.1"] = 1300;
	EXPECT_EQ(run_command_line(line, fake), 2) << fake.terminal.out;
	EXPECT_NE(fake.terminal.out.find("wg0: the MTU of wg0, 1420, is too big: the path to peer Ann"), std::string::npos) << fake.terminal.out;

	fake.host.network.path_mtus["192.0.2.1"] = 1500;
	fake.host.lookout.probed_mtu = 1280;
	EXPECT_EQ(run_command_line(line, fake), 2);
	line.push_back("--no-probe");
	EXPECT_EQ(run_command_line(line, fake), 1);

	fake.devices.present.clear();
	EXPECT_EQ(run_command_line(line, fake), 125);
	EXPECT_NE(fake.terminal.err.find("cannot read interface `wg0': No such device"), std::string::npos);
}

TEST_F(DoctorTest, a_container_has_a_resolv_conf_of_its_own)
{
	fake.devices.present["wg0"] = seen.device;
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	fake.files.contents["/proc/77/root/etc/resolv.conf"] = "nameserver 10.0.0.53\n";
	fake.host.namespaces.known = {{"/proc/77/ns/net", 2}, {"/some/where", 2}};
	for (const char *server : {"10.0.0.53", "192.0.2.53"})
		fake.host.lookout.names[server] = {parse_endpoint(std::string(server) + ":53", fake)};
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "/proc/77/root", find_placement("77", "", fake)};
	auto servers = examine(patient, Probing::none, fake).name_servers;
	EXPECT_EQ(servers.size(), 1u);
	EXPECT_TRUE(servers.contains("10.0.0.53"));
	fake.host.namespaces.present = 1;
	patient = {"wg0", "/etc/wireguard/wg0.conf", "", find_placement("/some/where", "", fake)};
	EXPECT_TRUE(examine(patient, Probing::none, fake).name_servers.empty());
}

TEST_F(DoctorTest, a_file_that_is_not_there_is_told)
{
	fake.devices.present["wg0"] = seen.device;
	std::vector<std::string_view> line{"doctor", "/nowhere/wg0.conf"};
	EXPECT_EQ(run_command_line(line, fake), 125);
	EXPECT_NE(fake.terminal.err.find("there is no /nowhere/wg0.conf"), std::string::npos) << fake.terminal.err;
}

TEST_F(DoctorTest, a_file_that_cannot_be_used_is_a_finding)
{
	std::vector<std::string_view> line{"doctor", "./wg0.conf"};

	fake.clock.time = LATER;
	fake.devices.present["wg0"] = seen.device;
	fake.files.contents["./wg0.conf"] = "[Interface]\nPrivatKey = x\n";
	fake.host.network.link_routes["wg0"] = {test_prefix("10.0.0.0/24")};
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	EXPECT_EQ(run_command_line(line, fake), 1) << fake.terminal.out;
	EXPECT_EQ(fake.terminal.out.find("wg0: the file cannot be used: ./wg0.conf:2: "), 0u) << fake.terminal.out;
}

TEST_F(DoctorTest, a_peer_without_session_is_asked_and_given_time)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", {}};
	Device &device = fake.devices.present["wg0"] = seen.device;

	fake.clock.time = LATER;
	device.peers[0].last_handshake.seconds = 0;
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	fake.host.network.path_mtus["192.0.2.1"] = 1500;
	fake.host.network.link_counters["wg0"] = {{"drop-malformed", 5}, {"drop-wrong-source", 20}};
	fake.clock.on_sleep = [&] {
		fake.host.network.link_counters["wg0"][0].value = 7;
		fake.host.network.link_counters["wg0"][1].value = 23;
		if (fake.clock.milliseconds_passed >= 2000)
			device.peers[0].last_handshake.seconds = fake.clock.now();
	};
	patient.placement = find_placement("", "", fake);
	seen = examine(patient, Probing::paths, fake);
	EXPECT_EQ(fake.host.lookout.knocks, std::vector<std::string>{"wg0 10.0.0.2:9"});
	EXPECT_EQ(seen.asked, std::set<Key>{test_key(1)});
	EXPECT_EQ(fake.clock.milliseconds_passed, 2000);
	EXPECT_EQ(seen.device.peers[0].last_handshake.seconds, LATER + 2);
	EXPECT_EQ(seen.counters[0].value, 2u);
	EXPECT_EQ(seen.wrong_sources, 3u);

	/* Not for ever; and not those the file has no endpoint for. */
	fake.clock.on_sleep = [] {};
	device.peers[0].last_handshake.seconds = 0;
	fake.clock.milliseconds_passed = 0;
	examine(patient, Probing::paths, fake);
	EXPECT_EQ(fake.clock.milliseconds_passed, 6000);
	fake.files.contents[patient.path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n[Peer]\nPublicKey = " + test_key_text(1) + "\n";
	EXPECT_TRUE(examine(patient, Probing::paths, fake).asked.empty());
}

/* A hub that was set up without a file: its clients may be switched off. */
TEST_F(DoctorTest, without_a_file_whoever_was_heard_from_may_be_away)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", {}};

	add_peer(2, "10.0.0.3/32").last_handshake.seconds = 0;
	seen.device.peers[0].last_handshake.seconds = LATER - 300;
	fake.clock.time = LATER;
	fake.devices.present["wg0"] = seen.device;
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	fake.host.network.path_mtus["192.0.2.1"] = 1500;
	patient.placement = find_placement("", "", fake);
	EXPECT_EQ(examine(patient, Probing::paths, fake).asked, std::set<Key>{test_key(2)});
	fake.devices.present["wg0"].peers.pop_back();
	EXPECT_EQ(examine(patient, Probing::paths, fake).asked, std::set<Key>{test_key(1)});
}

TEST_F(DoctorTest, endpoints_are_looked_for_where_the_sockets_are)
{
	std::vector<std::string_view> line{"doctor", "--netns", "box", "--birth-netns", "out", "wg0"};

	fake.clock.time = LATER;
	fake.host.namespaces.known = {{"/run/netns/box", 2}, {"/run/netns/out", 3}};
	fake.devices.present["wg0"] = seen.device;
	fake.host.network.link_routes["wg0"] = {test_prefix("10.0.0.0/24")};
	fake.host.network.way_links["192.0.2.1:7"] = "wg0";
	EXPECT_EQ(run_command_line(line, fake), 0) << fake.terminal.out;
	EXPECT_EQ(fake.host.log.joined(), "enter 2\nenter 3\nenter 2\nenter 3\nenter 2\n");
}

TEST_F(DoctorTest, remedies_are_for_the_place_where_the_interface_is)
{
	const std::map<std::string, std::string> prefixes{
		{"box", "ip netns exec box "}, {"77", "nsenter -t 77 -n "}, {"/proc/77/ns/net", "nsenter --net=/proc/77/ns/net "}, {"", ""}};

	fake.host.namespaces.known = {{"/run/netns/box", 2}, {"/proc/77/ns/net", 2}};
	fake.clock.time = LATER;
	fake.devices.present["wg0"] = seen.device;
	fake.devices.present["wg0"].private_key.reset();
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	fake.files.contents["./wg0.conf"] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n";
	for (const auto &[netns, prefix] : prefixes) {
		std::string option = "--netns=" + netns;
		std::vector<std::string_view> line{"doctor", "./wg0.conf"};
		if (!netns.empty())
			line.push_back(option);
		fake.host.namespaces.present = 1;
		fake.host.network.link_is_up = false;
		fake.terminal.out.clear();
		run_command_line(line, fake);
		EXPECT_NE(fake.terminal.out.find("  Remedy: wgctl apply ./wg0.conf" + (netns.empty() ? "" : " --netns " + netns) + "\n"), std::string::npos)
			<< fake.terminal.out;
		EXPECT_NE(fake.terminal.out.find(" and run wgctl apply ./wg0.conf" + (netns.empty() ? "" : " --netns " + netns) + "\n"), std::string::npos)
			<< fake.terminal.out;
		fake.host.namespaces.present = 1;
		fake.host.network.link_is_up = true;
		fake.terminal.out.clear();
		run_command_line(line, fake);
		EXPECT_NE(fake.terminal.out.find("  Remedy: " + prefix + "ip route add 10.0.0.2/32 dev wg0\n"), std::string::npos) << fake.terminal.out;
	}
	seen.prefix = "ip netns exec box ";
	seen.is_up = false;
	EXPECT_NE(found().find("=> ip netns exec box ip link set wg0 up\n"), std::string::npos) << found();
	seen.is_up = true;
	seen.forwards_ipv4 = false;
	add_peer(2, "10.0.0.3/32");
	EXPECT_NE(found().find("=> ip netns exec box sysctl -w net.ipv4.ip_forward=1\n"), std::string::npos) << found();
}

TEST_F(DoctorTest, json_is_the_documented_schema)
{
	std::vector<std::string_view> line{"doctor", "wg0", "--json"};

	fake.devices.present["wg0"].name = "wg0";
	fake.host.network.link_is_up = false;
	int count = run_command_line(line, fake);
	const std::string &out = fake.terminal.out;
	EXPECT_EQ(out.find("{\n  \"version\": 1,\n  \"interface\": \"wg0\",\n  \"findings\": [\n    {\n      \"what\": \""), 0u) << out;
	EXPECT_GT(count, 0);
	int remedies = 0;
	for (std::size_t at = 0; (at = out.find("\"remedy\": \"", at)) != out.npos; ++at)
		++remedies;
	EXPECT_EQ(remedies, count);
}

TEST_F(DoctorTest, the_servers_behind_a_stub_are_judged)
{
	fake.devices.present["wg0"] = seen.device;
	fake.files.contents["/etc/resolv.conf"] = "# stub\nnameserver 127.0.0.53\noptions edns0\n";
	fake.files.contents["/run/systemd/resolve/resolv.conf"] = "nameserver 192.0.2.53\n";
	fake.host.lookout.names["192.0.2.53"] = {parse_endpoint("192.0.2.53:53", fake)};
	fake.host.network.way_links["192.0.2.53:53"] = "eth0";
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};
	using Servers = std::map<std::string, std::optional<std::string>>;
	EXPECT_EQ(examine(patient, Probing::none, fake).name_servers, (Servers{{"192.0.2.53", "eth0"}}));

	/* The stub tells whom it asks, whoever told it to. */
	fake.host.dns.servers = {"10.0.0.54"};
	fake.host.lookout.names["10.0.0.54"] = {parse_endpoint("10.0.0.54:53", fake)};
	fake.host.network.way_links["10.0.0.54:53"] = "wg0";
	EXPECT_EQ(examine(patient, Probing::none, fake).name_servers, (Servers{{"10.0.0.54", "wg0"}}));
	fake.host.dns.servers.reset();

	/* `up' has told the stub to ask these alone. */
	fake.files.contents[patient.path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\nDNS = 10.0.0.53\n";
	fake.host.lookout.names["10.0.0.53"] = {parse_endpoint("10.0.0.53:53", fake)};
	fake.host.network.way_links["10.0.0.53:53"] = "wg0";
	EXPECT_EQ(examine(patient, Probing::none, fake).name_servers, (Servers{{"10.0.0.53", "wg0"}}));
}

TEST_F(DoctorTest, a_name_without_address_is_named)
{
	seen.unknown_names[test_key(1)] = "Name or service not known: `nobody.example:5'";
	EXPECT_NE(found().find("there is no address for the endpoint of " + ann + ": Name or service not known: `nobody.example:5' => correct Endpoint"),
		  std::string::npos)
		<< found();
}

TEST_F(DoctorTest, a_network_that_is_here_too_is_named)
{
	add_peer(2, "192.168.178.0/24");
	seen.routes.push_back(test_prefix("192.168.178.0/24"));
	seen.other_addresses.emplace("eth0", parse_address("192.168.178.20/24"));
	seen.other_addresses.emplace("eth1", parse_address("192.168.0.20/16"));
	EXPECT_NE(found().find("192.168.178.0/24 of peer " + test_key_text(2) + " is also the network of eth0 here"), std::string::npos) << found();
	EXPECT_EQ(found().find("eth1"), std::string::npos);
	/* A part of it is enough, but not of all the world, which is never meant to have one's own network. */
	add_peer(3, "172.16.0.0/12");
	add_peer(4, "128.0.0.0/1");
	seen.routes.insert(seen.routes.end(), {test_prefix("172.16.0.0/12"), test_prefix("128.0.0.0/1")});
	seen.other_addresses.emplace("docker0", parse_address("172.17.0.1/16"));
	EXPECT_NE(found().find("172.17.0.0/16 of peer " + test_key_text(3) + " is also the network of docker0 here"), std::string::npos) << found();
	EXPECT_EQ(found().find(test_key_text(4)), std::string::npos) << found();
}

/* Whatever routes the tunnel has. */
TEST_F(DoctorTest, packets_that_leave_elsewhere)
{
	seen.elsewhere[test_prefix("10.0.0.2/32")] = "eth0";
	EXPECT_EQ(found(), "packets to 10.0.0.2/32 of " + ann + " leave by eth0, at least some, not by wg0 => take the longer route or the rule away that "
			   "wins: ip rule and ip route show them\n");
	seen.elsewhere[test_prefix("10.0.0.2/32")] = "";
	EXPECT_NE(found().find("have no way, although there is a route over wg0"), std::string::npos) << found();
	/* What has a finding of its own is not told twice. */
	seen.lost_parts = {"rule"};
	EXPECT_EQ(found().find("10.0.0.2/32"), std::string::npos) << found();
	seen.lost_parts.clear();
	seen.routes.clear();
	EXPECT_EQ(found().find("leave by"), std::string::npos) << found();
}

TEST_F(DoctorTest, ways_into_the_tunnel_are_looked_for_here_and_there)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};
	auto elsewhere = [&] { return examine(patient, Probing::none, fake).elsewhere; };
	Peer &peer = seen.device.peers[0];

	peer.allowed_ips = {test_prefix("10.0.0.0/24"), test_prefix("0.0.0.0/0"), test_prefix("0.0.0.0/1"), test_prefix("ff02::/16")};
	seen.device.fwmark = 51820;
	fake.devices.present["wg0"] = seen.device;
	fake.files.contents[patient.path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n";
	fake.host.network.link_routes["wg0"] = peer.allowed_ips;
	EXPECT_TRUE(elsewhere().empty());
	/* As of a router that wants to see all traffic: longer than a default route. */
	fake.host.network.way_links["201.0.0.1:0"] = "eth0";
	EXPECT_EQ(elsewhere(), (std::map<Prefix, std::string>{{test_prefix("0.0.0.0/0"), "eth0"}}));
	fake.host.network.way_links["10.0.0.1:9"] = "wg1";
	EXPECT_EQ(elsewhere().at(test_prefix("10.0.0.0/24")), "wg1");
	fake.host.network.way_links["10.0.0.1:9"] = "lo";
	EXPECT_EQ(elsewhere().size(), 1u);
	/* Where that is the user's business. */
	fake.files.contents[patient.path] += "Table = 77\n";
	EXPECT_TRUE(elsewhere().empty());
}

TEST_F(DoctorTest, bindings_and_marks_of_peers_are_looked_at)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};
	auto link_of_way = [&] { return examine(patient, Probing::none, fake).ways[test_key(1)].link; };

	fake.files.contents[patient.path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n";
	seen.device.binding = Binding{"eth1", "192.0.2.7"};
	fake.devices.present["wg0"] = seen.device;
	EXPECT_TRUE(examine(patient, Probing::none, fake).lacks_bound_link);
	EXPECT_TRUE(examine(patient, Probing::none, fake).lacks_bound_address);
	fake.host.network.links.push_back("eth1");
	fake.host.network.others.emplace("eth1", parse_address("192.0.2.7/24"));
	EXPECT_FALSE(examine(patient, Probing::none, fake).lacks_bound_link);
	EXPECT_FALSE(examine(patient, Probing::none, fake).lacks_bound_address);
	fake.host.network.way_links["192.0.2.1:7 by eth1"] = "eth1";
	EXPECT_EQ(link_of_way(), "eth1");
	/* That of the link, whatever the plain route has. */
	fake.host.network.path_mtus["192.0.2.1"] = 9000;
	EXPECT_EQ(examine(patient, Probing::none, fake).ways[test_key(1)].mtu, 1420u);
	fake.devices.present["wg0"].peers[0].policy = PeerPolicy{.outer_mark = 9};
	fake.host.network.way_links["192.0.2.1:7 marked by eth1"] = "eth7";
	EXPECT_EQ(link_of_way(), "eth7");
}

TEST_F(DoctorTest, a_route_with_nobody_behind_it)
{
	seen.added_routes = {{test_prefix("10.0.0.0/24")}, {test_prefix("10.0.0.2/32")}};
	EXPECT_EQ(found(), "");
	seen.added_routes.push_back({test_prefix("10.7.0.0/16"), 77});
	EXPECT_EQ(found(), "there is a route over wg0 to 10.7.0.0/16, and no peer behind it: what goes there is lost => ip route del 10.7.0.0/16 dev wg0 table "
			   "77\n");
}

/* All the file asks for, taken away piece by piece. */
TEST_F(DoctorTest, each_difference_to_the_file_is_found)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};
	const std::string file = "[Interface]\nPrivateKey = " + test_key_text(8) + "\nAddress = 10.0.0.1/24\nDNS = 10.0.0.2\n[Peer]\nPublicKey = " +
				 test_key_text(1) + "\nAllowedIPs = 10.0.0.2/32\n";
	auto differences = [&] { return examine(patient, Probing::none, fake).differences; };
	using Texts = std::vector<std::string>;

	fake.devices.present["wg0"] = seen.device;
	fake.files.contents[patient.path] = file;
	fake.host.network.link_addresses["wg0"] = {parse_address("10.0.0.1/24")};
	fake.host.dns.present["wg0"] = {{"10.0.0.2"}, {}};
	EXPECT_EQ(differences(), Texts());
	/* Itself is no peer, and what two claim is a finding of its own. */
	fake.files.contents[patient.path] += "[Peer]\nPublicKey = " + test_key_text(7) + "\nAllowedIPs = 10.0.0.2/32\n";
	EXPECT_EQ(differences(), Texts());
	fake.files.contents[patient.path] = file;
	fake.host.network.link_addresses.clear();
	EXPECT_EQ(differences(), Texts{"no address 10.0.0.1/24"});
	fake.host.network.link_addresses["wg0"] = {parse_address("10.0.0.1/24")};
	fake.host.dns.present.clear();
	EXPECT_EQ(differences(), Texts{"DNS is none"});
	fake.host.dns.present["wg0"] = {{"10.0.0.2"}, {}};
	fake.devices.present["wg0"].peers[0].allowed_ips.clear();
	EXPECT_EQ(differences(), Texts{"no allowed IP 10.0.0.2/32 of peer " + test_key_text(1)});
	fake.devices.present["wg0"].peers.clear();
	EXPECT_EQ(differences(), Texts{"no peer " + test_key_text(1)});
	fake.devices.present["wg0"] = seen.device;
	fake.devices.present["wg0"].private_key = test_key(9);
	EXPECT_EQ(differences(), Texts{"another private key"});
	seen.differences = Texts(7, "x");
	EXPECT_EQ(found(), "wg0 is not as /etc/wireguard/wg0.conf has it: x, x, x, x, x, and 2 more => wgctl apply wg0\n");
}

TEST_F(DoctorTest, name_servers_of_the_file_that_nobody_asks)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};

	fake.devices.present["wg0"] = seen.device;
	fake.files.contents[patient.path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\nDNS = 10.0.0.2\n";
	fake.host.dns.present["wg0"] = {{"10.0.0.2"}, {}};
	fake.files.contents["/etc/resolv.conf"] = "nameserver 10.0.0.2\n";
	EXPECT_FALSE(examine(patient, Probing::none, fake).asked_instead);
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	seen.asked_instead = examine(patient, Probing::none, fake).asked_instead;
	EXPECT_NE(found().find("the name servers of /etc/wireguard/wg0.conf are not asked, but 192.0.2.53"), std::string::npos);
	/* That it leaks says more. */
	seen.device.peers[0].allowed_ips = {test_prefix("0.0.0.0/0")};
	seen.name_servers["192.0.2.53"] = "eth0";
	EXPECT_EQ(found().find("are not asked"), std::string::npos) << found();
}

TEST_F(DoctorTest, the_reverse_path_filter_is_named_when_it_drops)
{
	seen.reverse_path_drops = 7;
	EXPECT_EQ(found(), "");
	seen.is_reverse_path_strict = true;
	EXPECT_NE(found().find("=> sysctl -w net.ipv4.conf.wg0.rp_filter=2\n"), std::string::npos) << found();
	/* It will, without a packet that shows it, where the way back is another one. */
	seen.reverse_path_drops = 0;
	EXPECT_EQ(found(), "");
	seen.is_routing_off = true;
	seen.elsewhere[test_prefix("10.0.0.2/32")] = "eth0";
	EXPECT_NE(found().find("packets from 10.0.0.2/32 are dropped by the strict reverse path filter"), std::string::npos) << found();
	seen.is_reverse_path_strict = false;
	EXPECT_EQ(found(), "");
}

/* Not the other side's fault. */
TEST_F(DoctorTest, a_filter_of_this_machine_is_looked_for_here)
{
	seen.device.peers[0].last_handshake.seconds = 0;
	seen.asked = {test_key(1)};
	seen.ways[test_key(1)].is_forbidden = true;
	EXPECT_NE(found().find("this machine's own packet filter"), std::string::npos) << found();
	EXPECT_EQ(found().find("check there"), std::string::npos) << found();
}

TEST_F(DoctorTest, a_filter_of_this_machine_may_stand_before_the_tunnel)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};

	fake.clock.time = LATER;
	fake.devices.present["wg0"] = seen.device;
	fake.host.network.way_links["192.0.2.1:7"] = "eth0";
	fake.host.network.path_mtus["192.0.2.1"] = 1500;
	EXPECT_TRUE(examine(patient, Probing::paths, fake).shut_out.empty());
	fake.host.lookout.knock_error = EPERM;
	/* Whether there is a session or not. */
	for (std::int64_t handshake : {LATER - 5, std::int64_t{0}}) {
		fake.devices.present["wg0"].peers[0].last_handshake.seconds = handshake;
		seen.shut_out = examine(patient, Probing::paths, fake).shut_out;
		EXPECT_NE(found().find("this machine's own packet filter lets nothing into wg0 for " + ann), std::string::npos) << found();
		seen.shut_out.clear();
	}
}

/* All that keeps traffic in the tunnel, taken away piece by piece. */
TEST_F(DoctorTest, each_lost_part_of_a_default_route_is_found)
{
	Patient patient{"wg0", "/etc/wireguard/wg0.conf", "", find_placement("", "", fake)};
	FakeNetwork &network = fake.host.network;
	std::string &sysctl = fake.files.contents["/proc/sys/net/ipv4/conf/all/src_valid_mark"];
	auto lost = [&] { return examine(patient, Probing::none, fake).lost_parts; };

	fake.files.contents[patient.path] = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n[Peer]\nPublicKey = " + test_key_text(1) +
					    "\nAllowedIPs = 0.0.0.0/0\n";
	seen.device.peers[0].allowed_ips = {test_prefix("0.0.0.0/0")};
	seen.device.fwmark = 51820;
	fake.devices.present["wg0"] = seen.device;
	sysctl = "1\n";
	Steps steps(fake, Steps::Tells::failures);
	DefaultRoute("wg0", AF_INET, 51820, fake).make(steps);
	steps.keep();
	EXPECT_TRUE(lost().empty());

	std::vector<Rule> rules = network.all_rules;
	for (std::size_t i = 0; i < rules.size(); ++i) {
		network.all_rules.erase(network.all_rules.begin() + static_cast<std::ptrdiff_t>(i));
		EXPECT_EQ(lost().size(), 1u) << i;
		network.all_rules = rules;
	}
	std::vector<Route> routes = std::exchange(network.link_added_routes["wg0"], {});
	EXPECT_EQ(lost().size(), 1u);
	network.link_added_routes["wg0"] = routes;
	auto filter = std::exchange(fake.host.filter.contents, {});
	EXPECT_EQ(lost().size(), 1u);
	fake.host.filter.contents = filter;
	sysctl = "0\n";
	EXPECT_EQ(lost().size(), 1u);
	sysctl = "1\n";
	fake.devices.present["wg0"].fwmark = 0;
	EXPECT_EQ(lost().size(), 1u);
	fake.devices.present["wg0"].fwmark = 51820;
	/* What cannot be looked at is not known to be there. */
	fake.files.contents.erase("/proc/sys/net/ipv4/conf/all/src_valid_mark");
	EXPECT_EQ(lost().size(), 1u);

	seen.lost_parts = {"rule IPv4"};
	EXPECT_NE(found().find("=> wgctl apply wg0\n"), std::string::npos) << found();
}

}
