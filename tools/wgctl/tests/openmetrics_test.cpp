// SPDX-License-Identifier: GPL-2.0
#include "view/openmetrics.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {


struct Metrics : testing::Test {
	FakeWorld fake;
	Device &device = fake.devices.present["wg0"];

	Metrics()
	{

		fake.devices.order.push_back("wg0");
		device.name = "wg0";
		device.private_key = test_key(9);
		device.public_key = test_key(8);
		device.listen_port = 51820;
		device.peers.resize(2);
		device.peers[0].public_key = test_key(1);
		device.peers[0].preshared_key = test_key(7);
		device.peers[0].last_handshake = {1'600'000'000, 5};
		device.peers[0].rx_bytes = UINT64_MAX;
		device.peers[0].tx_bytes = 5;
		device.peers[0].endpoint = endpoint_of(test_prefix("2001:db8::7"), 51820);
		device.peers[1].public_key = test_key(2);
		fake.host.network.link_counters["wg0"] = {{"drop-bad-tag", 3}, {"something-else", 4}};
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\n# Name = lap\"top\\1\nPublicKey = " + K1 + "\n";
	}
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake);
	}
};

}

TEST_F(Metrics, text_is_openmetrics)
{
	EXPECT_EQ(run({"metrics"}), 0);
	std::string peer1 = R"({interface="wg0",public_key=")" + K1 + R"(",name="lap\"top\\1"})";
	std::string peer2 = R"({interface="wg0",public_key=")" + K2 + R"("})";
	EXPECT_EQ(fake.terminal.out, R"(# TYPE wireguard_interface info
# HELP wireguard_interface A WireGuard interface.
wireguard_interface_info{interface="wg0",public_key=")" + K8 + R"(",listen_port="51820"} 1
# TYPE wireguard_interface_peers gauge
# HELP wireguard_interface_peers How many peers the interface has.
wireguard_interface_peers{interface="wg0"} 2
# TYPE wireguard_interface_dropped_packets counter
# UNIT wireguard_interface_dropped_packets packets
# HELP wireguard_interface_dropped_packets Packets that ended at the interface, by reason.
wireguard_interface_dropped_packets_total{interface="wg0",reason="bad-tag"} 3
# TYPE wireguard_peer_receive_bytes counter
# UNIT wireguard_peer_receive_bytes bytes
# HELP wireguard_peer_receive_bytes Bytes that came from the peer, encrypted.
wireguard_peer_receive_bytes_total)" + peer1 + R"( 18446744073709551615
wireguard_peer_receive_bytes_total)" + peer2 + R"( 0
# TYPE wireguard_peer_transmit_bytes counter
# UNIT wireguard_peer_transmit_bytes bytes
# HELP wireguard_peer_transmit_bytes Bytes that went to the peer, encrypted.
wireguard_peer_transmit_bytes_total)" + peer1 + R"( 5
wireguard_peer_transmit_bytes_total)" + peer2 + R"( 0
# TYPE wireguard_peer_last_handshake_timestamp_seconds gauge
# UNIT wireguard_peer_last_handshake_timestamp_seconds seconds
# HELP wireguard_peer_last_handshake_timestamp_seconds When the last handshake was completed, in seconds since 1970; 0 when there was none.
wireguard_peer_last_handshake_timestamp_seconds)" + peer1 + R"( 1600000000
wireguard_peer_last_handshake_timestamp_seconds)" + peer2 + R"( 0
# TYPE wireguard_peer_online gauge
# HELP wireguard_peer_online 1 when the last handshake was in the last 180 seconds, else 0.
wireguard_peer_online)" + peer1 + R"( 0
wireguard_peer_online)" + peer2 + R"( 0
# TYPE wireguard_peer_endpoint info
# HELP wireguard_peer_endpoint Where the peer was last heard from, or is looked for.
wireguard_peer_endpoint_info)" + peer1.substr(0, peer1.size() - 1) + R"(,endpoint="[2001:db8::7]:51820"} 1
# EOF
)");
}

TEST_F(Metrics, state_is_counted_where_the_kernel_tells_it)
{
	device.state = DeviceState{.cookies_sent = 7};
	device.peers[1].state = PeerState{.drops = {{"no-session", 3}, {"malformed", 0}}, .staged = 2};
	EXPECT_EQ(run({"metrics"}), 0);
	const std::string peer2 = R"({interface="wg0",public_key=")" + K2 + R"(")";
	EXPECT_NE(fake.terminal.out.find(R"(# TYPE wireguard_peer_dropped_packets counter
# UNIT wireguard_peer_dropped_packets packets
# HELP wireguard_peer_dropped_packets Packets and messages of the peer that were dropped, by reason.
wireguard_peer_dropped_packets_total)" + peer2 +
					 R"(,reason="no-session"} 3
# TYPE wireguard_peer_staged_packets gauge
# UNIT wireguard_peer_staged_packets packets
# HELP wireguard_peer_staged_packets Packets that wait for a session.
wireguard_peer_staged_packets)" + peer2 +
					 R"(} 2
# TYPE wireguard_interface_sent_cookies counter
# HELP wireguard_interface_sent_cookies Cookie replies, each to a handshake message that came under load.
wireguard_interface_sent_cookies_total{interface="wg0"} 7
# EOF
)"),
		  std::string::npos)
		<< fake.terminal.out;
}

TEST_F(Metrics, a_peer_is_online_for_three_minutes)
{
	const std::string online = "\nwireguard_peer_online{interface=\"wg0\",public_key=\"" + K1 + "\",name=\"lap\\\"top\\\\1\"} ";

	for (auto [age, is_online] : {std::pair(0, '1'), {180, '1'}, {181, '0'}}) {
		fake.clock.time = 1'600'000'000 + age;
		EXPECT_EQ(run({"metrics"}), 0);
		EXPECT_NE(fake.terminal.out.find(online + is_online), std::string::npos) << age << fake.terminal.out;
	}
}

TEST_F(Metrics, labels_are_utf8_whatever_an_interface_is_called)
{
	Device device = fake.devices.present["wg0"];

	device.name = "a\xff\n\"\x1b";
	fake.devices.order = {device.name};
	fake.devices.present[device.name] = device;
	EXPECT_EQ(run({"metrics"}), 0);
	EXPECT_NE(fake.terminal.out.find("wireguard_interface_peers{interface=\"a??\\\"?\"} 2\n"), std::string::npos) << fake.terminal.out;
}

TEST_F(Metrics, another_namespace_is_measured_and_this_one_listened_to)
{
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	EXPECT_EQ(run({"metrics", "--netns", "box", "--listen", "127.0.0.1:1"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.log.joined(), "enter 2\nenter 1\n");
	EXPECT_NE(fake.host.web.last.body.find("wireguard_interface_peers"), std::string::npos);
}

TEST_F(Metrics, only_the_interfaces_that_are_named_are_measured)
{
	fake.devices.order.push_back("wg1");
	fake.devices.present["wg1"].name = "wg1";
	EXPECT_EQ(run({"metrics", "wg1"}), 0);
	EXPECT_EQ(fake.terminal.out.find("wg0"), std::string::npos);
	EXPECT_NE(fake.terminal.out.find("wireguard_interface_peers{interface=\"wg1\"} 0\n"), std::string::npos);
	EXPECT_EQ(run({"metrics", "wg2"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: cannot read interface `wg2': No such device\n");
	EXPECT_EQ(fake.terminal.out, "");
}

TEST_F(Metrics, interface_that_goes_away_is_left_out)
{
	fake.devices.order.push_back("wg1");
	EXPECT_EQ(run({"metrics"}), 0);
	EXPECT_NE(fake.terminal.out.find("interface=\"wg0\""), std::string::npos);
	fake.devices.broken["wg0"] = "Operation not permitted";
	EXPECT_EQ(run({"metrics"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: cannot read interface `wg0': Operation not permitted\n");
}

TEST_F(Metrics, without_interfaces_there_is_still_a_document)
{
	fake.devices.order.clear();
	EXPECT_EQ(run({"metrics"}), 0);
	EXPECT_EQ(fake.terminal.out, "# EOF\n");
}

TEST_F(Metrics, listening_serves_the_same_text)
{
	run({"metrics"});
	std::string text = fake.terminal.out;
	EXPECT_EQ(run({"metrics", "--listen", "127.0.0.1:9586"}), 0);
	EXPECT_EQ(fake.terminal.out, "");
	EXPECT_EQ(fake.host.web.place, "127.0.0.1:9586");
	EXPECT_EQ(fake.host.web.path, "/metrics");
	EXPECT_EQ(fake.host.web.last.body, text);
	EXPECT_EQ(fake.host.web.last.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

/* Not one that never has a sample. */
TEST_F(Metrics, listening_for_an_interface_that_is_not_there_fails)
{
	EXPECT_EQ(run({"metrics", "--listen", "127.0.0.1:9586", "wg0typo"}), 1);
	EXPECT_NE(fake.terminal.err.find("there is no interface `wg0typo'"), std::string::npos) << fake.terminal.err;
}

TEST_F(Metrics, listening_without_one_of_several_is_told)
{
	EXPECT_EQ(run({"metrics", "--listen", "127.0.0.1:9586", "wg0", "wg0typo"}), 0);
	EXPECT_EQ(fake.terminal.err, "wgctl: there is no interface `wg0typo' now: it has no samples until there is\n");
	EXPECT_NE(fake.host.web.last.body.find("interface=\"wg0\""), std::string::npos);
}

}
