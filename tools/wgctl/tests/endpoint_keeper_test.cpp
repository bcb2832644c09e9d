// SPDX-License-Identifier: GPL-2.0
#include "tunnel/endpoint_keeper.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct AgentTest : testing::Test {
	FakeWorld fake;
	EndpointKeeper agent{"/etc/wireguard/wg0.conf", "wg0", find_placement("", "", fake), fake};

	AgentTest()
	{
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\nListenPort = 4711\nPrivateKey = " + test_key_text(8) +
								 "\n[Peer]\n# Name = hub\nPublicKey = " + test_key_text(1) +
								 "\nEndpoint = hub.example:7\n# Endpoint = other.example:8\n";
		fake.host.lookout.names["hub.example"] = {parse_endpoint("192.0.2.1:7", fake), parse_endpoint("[2001:db8::1]:7", fake)};
		fake.host.lookout.names["other.example"] = {parse_endpoint("192.0.2.2:8", fake)};
		Peer &hub = fake.devices.present["wg0"].peers.emplace_back();
		hub.public_key = test_key(1);
		hub.endpoint = parse_endpoint("192.0.2.1:7", fake);
		hub.persistent_keepalive = 25;
		handshake(181);
	}
	Peer &peer() { return fake.devices.present["wg0"].peers[0]; }
	void handshake(std::int64_t seconds_ago) { peer().last_handshake.seconds = fake.clock.now() - seconds_ago; }
	void pass(std::int64_t seconds) { fake.clock.milliseconds_passed += seconds * 1000; }
	/* Where the endpoints went, in order; the device follows. */
	std::string moves()
	{
		std::string text;
		for (const Device &change : fake.devices.changes) {
			EXPECT_EQ(change.listen_port.value_or(0), 0);
			text += change.listen_port ? "port " : "";
			for (const Peer &moved : change.peers) {
				EXPECT_TRUE(moved.update_only);
				text += plain(format_endpoint(*moved.endpoint)) + " ";
				peer().endpoint = moved.endpoint;
			}
		}
		fake.devices.changes.clear();
		return text;
	}
	std::string look()
	{
		agent.look();
		return moves();
	}
};

}

TEST_F(AgentTest, a_live_session_is_never_touched)
{
	handshake(180);
	peer().endpoint = parse_endpoint("198.51.100.9:9", fake);
	EXPECT_EQ(look(), "");
	EXPECT_TRUE(fake.host.lookout.lookups.empty());
}

TEST_F(AgentTest, a_dead_one_gets_every_address_of_every_name_in_turn)
{
	EXPECT_EQ(look(), "[2001:db8::1]:7 ");
	EXPECT_EQ(look(), "");
	pass(15);
	EXPECT_EQ(look(), "192.0.2.2:8 ");
	pass(15);
	EXPECT_EQ(look(), "192.0.2.1:7 ");
	EXPECT_EQ(fake.host.lookout.lookups, (std::vector<std::string>{"hub.example:7", "other.example:8"}));
	EXPECT_EQ(fake.terminal.out.substr(0, fake.terminal.out.find('\n')),
		  "hub (" + test_key_text(1) + "): no session, trying [2001:db8::1]:7 of hub.example:7");
}

TEST_F(AgentTest, names_are_asked_again_each_round_and_rounds_grow_apart)
{
	fake.host.lookout.names["hub.example"].pop_back();
	fake.host.lookout.names["other.example"].clear();
	EXPECT_EQ(look(), "");
	fake.host.lookout.names["hub.example"] = {parse_endpoint("203.0.113.5:7", fake)};
	pass(14);
	EXPECT_EQ(look(), "");
	pass(1);
	EXPECT_EQ(look(), "203.0.113.5:7 ");
	fake.host.lookout.names["hub.example"] = {parse_endpoint("203.0.113.6:7", fake)};
	pass(29);
	EXPECT_EQ(look(), "");
	pass(1);
	EXPECT_EQ(look(), "203.0.113.6:7 ");
}

TEST_F(AgentTest, names_that_nobody_knows_are_told)
{
	fake.host.lookout.names.clear();
	EXPECT_EQ(look(), "");
	EXPECT_EQ(fake.terminal.out, "hub (" + test_key_text(1) + "): no session, and no address known for hub.example:7, other.example:8; is there a name "
							       "server that knows it?\n");
	fake.terminal.out.clear();
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\nPublicKey = " + test_key_text(1) + "\n";
	pass(15);
	EXPECT_EQ(look(), "");
	EXPECT_EQ(fake.terminal.out, "");
}

/* All questions go through the tunnel whose end they are about. */
TEST_F(AgentTest, behind_a_dead_tunnel_the_servers_before_it_are_asked)
{
	fake.host.lookout.names.clear();
	fake.devices.present["wg0"].fwmark = 7;
	fake.host.dns.before = {"192.0.2.52", "192.0.2.53"};
	fake.host.lookout.known_to["192.0.2.53 7 hub.example:7"] = {parse_endpoint("192.0.2.9:7", fake)};
	EXPECT_EQ(look(), "");
	pass(15);
	fake.host.dns.ours = {"wg0"};
	EXPECT_EQ(look(), "192.0.2.9:7 ");
}

TEST_F(AgentTest, an_address_has_its_time_however_long_the_question_took)
{
	fake.host.lookout.on_lookup = [&] { pass(10); };
	EXPECT_EQ(look(), "[2001:db8::1]:7 ");
	pass(14);
	EXPECT_EQ(look(), "");
	pass(1);
	EXPECT_EQ(look(), "192.0.2.2:8 ");
}

/* Else who is to go at a time would stay for as long as all names took. */
TEST_F(AgentTest, names_are_left_to_the_next_look_when_answers_are_long_in_coming)
{
	for (unsigned char number : {2, 3}) {
		fake.files.contents["/etc/wireguard/wg0.conf"] += "\n[Peer]\nPublicKey = " + test_key_text(number) + "\nEndpoint = n" + std::to_string(number) + ":7\n";
		Peer &other = fake.devices.present["wg0"].peers.emplace_back(peer());
		other.public_key = test_key(number);
	}
	fake.host.lookout.on_lookup = [&] { pass(15); };
	EXPECT_EQ(look(), "[2001:db8::1]:7 ");
	EXPECT_EQ(fake.host.lookout.lookups, (std::vector<std::string>{"hub.example:7", "other.example:8"}));
	EXPECT_LE(agent.next_look(), fake.clock.monotonic());
	EXPECT_EQ(look(), "");
	EXPECT_EQ(fake.host.lookout.lookups.back(), "n2:7");
	EXPECT_EQ(look(), "192.0.2.2:8 ");
	EXPECT_EQ(fake.host.lookout.lookups.back(), "n3:7");
	EXPECT_EQ(fake.host.lookout.lookups.size(), 4u);
}

TEST_F(AgentTest, after_a_change_it_can_be_ended_at_once_as_before)
{
	EXPECT_EQ(look(), "[2001:db8::1]:7 ");
	EXPECT_FALSE(fake.host.shell.are_signals_held);
}

TEST_F(AgentTest, what_it_tells_of_a_name_steers_no_terminal)
{
	fake.host.lookout.names.clear();
	fake.files.contents["/etc/wireguard/wg0.conf"] += "# Endpoint = x\x1b]0;title\a\n";
	EXPECT_EQ(look(), "");
	EXPECT_NE(fake.terminal.out.find("x?]0;title?"), std::string::npos) << fake.terminal.out;
}

TEST_F(AgentTest, a_changed_network_ends_the_wait)
{
	fake.host.lookout.names.clear();
	EXPECT_EQ(look(), "");
	fake.host.lookout.names["other.example"] = {parse_endpoint("192.0.2.2:8", fake)};
	EXPECT_EQ(look(), "");
	agent.network_changed();
	EXPECT_EQ(look(), "");
	pass(5);
	EXPECT_EQ(look(), "192.0.2.2:8 ");
}

TEST_F(AgentTest, a_network_that_changes_all_the_time_is_no_reason_to_hurry_nor_to_begin_anew)
{
	std::string all;

	for (int second = 0; second < 15; ++second) {
		all += look();
		pass(1);
		agent.network_changed();
	}
	EXPECT_EQ(all, "[2001:db8::1]:7 192.0.2.2:8 192.0.2.1:7 ");
	EXPECT_EQ(fake.host.lookout.lookups.size(), 2u);
}

TEST_F(AgentTest, addresses_without_a_way_are_left_out)
{
	fake.host.network.way_links["192.0.2.2:8"] = "eth0";
	EXPECT_EQ(look(), "192.0.2.2:8 ");
}

TEST_F(AgentTest, a_clock_that_jumps_kills_no_session)
{
	handshake(10);
	EXPECT_EQ(look(), "");
	fake.clock.time += 86400;
	pass(5);
	EXPECT_EQ(look(), "");
	/* Nor does it keep a dead one alive. */
	fake.clock.time -= 2 * 86400;
	pass(165);
	EXPECT_EQ(look(), "");
	pass(1);
	EXPECT_EQ(look(), "[2001:db8::1]:7 ");
}

TEST_F(AgentTest, whoever_is_heard_from_is_alive)
{
	handshake(170);
	EXPECT_EQ(look(), "");
	pass(15);
	peer().rx_bytes = 32;
	EXPECT_EQ(look(), "");
}

TEST_F(AgentTest, trouble_with_one_peer_is_no_trouble_for_others)
{
	Peer other = peer();

	bool is_first = true;
	fake.host.lookout.on_lookup = [&] {
		if (std::exchange(is_first, false))
			throw Failure{"broken"};
	};
	other.public_key = test_key(2);
	fake.devices.present["wg0"].peers.push_back(other);
	fake.files.contents["/etc/wireguard/wg0.conf"] += "[Peer]\nPublicKey = " + test_key_text(2) + "\nEndpoint = other.example:9\n";
	EXPECT_EQ(failure_of([&] { agent.look(); }), "broken");
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_EQ(fake.devices.changes[0].peers[0].public_key, test_key(2));
	/* And is not tried again at once. */
	EXPECT_EQ(failure_of([&] { agent.look(); }), "");
}

TEST_F(AgentTest, names_are_asked_for_where_the_sockets_are)
{
	std::vector<std::string_view> line{"agent", "--netns", "box", "wg0"};

	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	EXPECT_EQ(run_command_line(line, fake), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.log.joined(), "enter 2\nenter 1\nenter 2\nenter 1\nenter 2\nenter 1\n");
	EXPECT_EQ(moves(), "[2001:db8::1]:7 ");
}

TEST_F(AgentTest, without_keepalive_only_traffic_makes_it_act)
{
	peer().persistent_keepalive = 0;
	peer().tx_bytes = 1000;
	EXPECT_EQ(look(), "");
	EXPECT_EQ(look(), "");
	peer().tx_bytes = 1148;
	EXPECT_EQ(look(), "[2001:db8::1]:7 ");
}

/* As `up` leaves it when nobody knows the name: nothing can be sent, so nothing would ever be waited for. */
TEST_F(AgentTest, a_missing_endpoint_is_filled_in_without_keepalive_or_traffic)
{
	peer().persistent_keepalive = 0;
	peer().endpoint.reset();
	peer().last_handshake = {};
	fake.host.lookout.names.clear();
	EXPECT_EQ(look(), "");
	fake.host.lookout.names["hub.example"] = {parse_endpoint("192.0.2.1:7", fake)};
	pass(15);
	EXPECT_EQ(look(), "192.0.2.1:7 ");
}

TEST_F(AgentTest, the_command_outlives_its_interface_and_tells_trouble_once)
{
	fake.devices.broken["wg0"] = "No such device";
	fake.host.lookout.events = {Lookout::Event::time, Lookout::Event::time, Lookout::Event::network};
	std::vector<std::string_view> line{"agent", "wg0"};
	fake.host.lookout.on_wait = [&] {
		if (fake.host.lookout.events.empty())
			fake.devices.broken.clear();
	};
	EXPECT_EQ(run_command_line(line, fake), 0);
	EXPECT_EQ(fake.terminal.err, "wgctl: wg0: No such device\n");
	EXPECT_EQ(moves(), "[2001:db8::1]:7 ");
}

TEST_F(AgentTest, the_file_is_read_once_a_look)
{
	std::string &file = fake.files.contents["/etc/wireguard/wg0.conf"];

	for (std::uint8_t number = 2; number < 9; ++number) {
		Peer other = peer();
		other.public_key = test_key(number);
		fake.devices.present["wg0"].peers.push_back(other);
		file += "[Peer]\nPublicKey = " + test_key_text(number) + "\nEndpoint = other.example:9\n";
	}
	agent.look();
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_EQ(fake.devices.changes[0].peers.size(), 8u);
	EXPECT_EQ(fake.files.reads, 1u);
	agent.look();
	EXPECT_EQ(fake.files.reads, 1u);
}

/* A later look tries another address. */
TEST_F(AgentTest, a_change_that_fails_is_not_told_as_made)
{
	fake.devices.broken_peer = test_key(1);
	EXPECT_TRUE(failure_of([&] { agent.look(); }).starts_with("cannot change interface `wg0': broken peer"));
	EXPECT_EQ(fake.terminal.out, "");
	fake.devices.broken_peer.reset();
	fake.devices.changes.clear();
	pass(15);
	EXPECT_EQ(look(), "192.0.2.2:8 ");
}

/* A router's memory of the way back may be spoilt for one port. */
TEST_F(AgentTest, after_a_vain_round_another_port_is_taken)
{
	std::string &file = fake.files.contents["/etc/wireguard/wg0.conf"];
	const std::string with_port = file;

	file.erase(file.find("ListenPort"), 18);
	const std::string without_port = file;
	fake.host.lookout.names["other.example"].clear();
	fake.host.lookout.names["hub.example"].pop_back();
	EXPECT_EQ(look(), "");
	pass(15);
	EXPECT_EQ(look(), "port ");
	pass(29);
	EXPECT_EQ(look(), "");
	/* One the file names is the user's, and a session that is alive would have to move. */
	file = with_port;
	pass(1);
	EXPECT_EQ(look(), "");
	file = without_port;
	Peer other = peer();
	other.public_key = test_key(2);
	other.last_handshake.seconds = fake.clock.now();
	fake.devices.present["wg0"].peers.push_back(other);
	pass(60);
	EXPECT_EQ(look(), "");
}

/* Every 5 s is for kernels that tell nothing. */
TEST_F(AgentTest, it_wakes_by_what_the_kernel_tells)
{
	auto heard = [](DeviceEvent::Kind kind, std::string interface) { return std::vector{DeviceEvent{.kind = kind, .interface = std::move(interface)}}; };
	handshake(0);
	fake.devices.tells = true;
	fake.devices.told = {heard(DeviceEvent::Kind::session_established, "wg0"), heard(DeviceEvent::Kind::handshake_given_up, "wg1"),
			     heard(DeviceEvent::Kind::handshake_given_up, "wg0")};
	fake.host.lookout.events = {Lookout::Event::besides, Lookout::Event::besides, Lookout::Event::besides, Lookout::Event::time};
	std::vector<std::string_view> line{"agent", "wg0"};
	EXPECT_EQ(run_command_line(line, fake), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.lookout.waits, (std::vector<std::int64_t>{30'000, 30'000, 30'000, 5'000, 30'000}));
	EXPECT_EQ(fake.host.lookout.waited_besides, 77);
	fake.devices.tells = false;
	fake.host.lookout.waits.clear();
	fake.host.lookout.events = {Lookout::Event::time};
	EXPECT_EQ(run_command_line(line, fake), 0);
	EXPECT_EQ(fake.host.lookout.waits, (std::vector<std::int64_t>{5'000, 5'000}));
}

TEST_F(AgentTest, it_looks_when_there_is_something_to_do)
{
	agent.look();
	/* Dead, and just tried. */
	EXPECT_EQ(agent.next_look(), fake.clock.monotonic() + 15'000);
	handshake(100);
	agent.look();
	EXPECT_EQ(agent.next_look(), fake.clock.monotonic() + 180'001);
}

}
