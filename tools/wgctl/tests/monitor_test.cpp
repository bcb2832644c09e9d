// SPDX-License-Identifier: GPL-2.0
#include "tunnel/observer.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

using Kind = DeviceEvent::Kind;

struct Monitor : testing::Test {
	FakeWorld fake;
	Device &device = fake.devices.present["wg0"];
	std::string phone = "phone (" + K1 + ")";

	Monitor()
	{
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\n[Peer]\n# Name = phone\nPublicKey = " + K1 + "\n";
		device.name = "wg0";
		fake.devices.order = {"wg0"};
		for (std::uint8_t number : {1, 2}) {
			Peer &peer = device.peers.emplace_back();
			peer.public_key = test_key(number);
			peer.allowed_ips = test_prefixes("10.0.0." + std::to_string(number) + "/32");
		}
		device.peers[0].endpoint = parse_endpoint("192.0.2.7:5", fake);
	}
	DeviceEvent event(Kind kind) { return {.kind = kind, .interface = "wg0", .peer = test_key(1)}; }
	/* The kernel tells these, one list after the other, and then the program is asked to end. */
	void tell(std::vector<std::vector<DeviceEvent>> lists)
	{
		fake.devices.tells = true;
		fake.devices.told.assign(lists.begin(), lists.end());
		fake.host.lookout.events.assign(lists.size(), Lookout::Event::besides);
	}
	int run(std::vector<std::string_view> line)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(line, fake);
	}
	/* What was seen of these changes by looking, without the times. */
	std::string seen(std::vector<std::function<void()>> changes, std::vector<std::string_view> line = {"monitor", "wg0"})
	{
		fake.host.lookout.events.assign(changes.size(), Lookout::Event::time);
		auto next = changes.begin();
		fake.host.lookout.on_wait = [&] { (*next++)(); };
		EXPECT_EQ(run(line), 0);
		EXPECT_EQ(fake.terminal.err, "wgctl: this kernel's WireGuard tells nothing by itself: looking at it once a second\n");
		std::string text;
		for_each_line(fake.terminal.out, [&](std::string_view one) { text += std::string(one.substr(one.find(' ') + 1)) + "\n"; });
		return text;
	}
};

}

TEST_F(Monitor, what_the_kernel_tells_is_a_line_each)
{
	DeviceEvent established = event(Kind::session_established), changed = event(Kind::configuration_changed), stranger = event(Kind::unknown_initiation);
	established.endpoint = stranger.endpoint = device.peers[0].endpoint;
	established.is_responder = true;
	changed.peer.reset();
	changed.generation = 7;
	changed.port_id = 4242;
	stranger.peer = test_key(9);
	DeviceEvent rekeyed = established, moved = event(Kind::endpoint_moved), elsewhere = event(Kind::peer_added);
	rekeyed.is_rekey = true;
	rekeyed.is_responder = false;
	moved.endpoint = established.endpoint;
	elsewhere.interface = "wg1";
	tell({{event(Kind::peer_added), changed}, {established, elsewhere, rekeyed}, {moved, event(Kind::session_expired), event(Kind::handshake_given_up)},
	      {stranger, event(Kind::peer_changed), event(Kind::peer_removed), {}}});
	ASSERT_EQ(run({"monitor", "wg0"}), 0) << fake.terminal.err;
	const std::string begin = "2023-11-14T22:13:20Z ", wg0 = begin + "wg0: ", peer = wg0 + phone + ": ";
	EXPECT_EQ(fake.terminal.out, peer + "added\n" + wg0 + "configuration changed, generation 7, by netlink port 4242\n" + peer +
					     "session established with 192.0.2.7:5, begun by the peer\n" + peer + "new keys with 192.0.2.7:5, begun here\n" + peer +
					     "moved to 192.0.2.7:5\n" + peer + "session expired\n" + peer + "no answer: handshake given up\n" + wg0 + K9 +
					     ": unknown key, asks for a session from 192.0.2.7:5\n" + peer + "changed\n" + peer + "removed\n" + begin +
					     "events were missed: there were more than could be read\n");
	EXPECT_EQ(fake.terminal.err, "");
	EXPECT_EQ(fake.host.lookout.waited_besides, 77);
	EXPECT_FALSE(fake.devices.wishes->moves || fake.devices.wishes->strangers);
}

TEST_F(Monitor, all_interfaces_are_told_of_without_a_name)
{
	DeviceEvent other = event(Kind::peer_removed);
	other.interface = "wg1";
	tell({{event(Kind::peer_removed), other}});
	ASSERT_EQ(run({"monitor", "--moves", "--strangers"}), 0);
	EXPECT_EQ(std::count(fake.terminal.out.begin(), fake.terminal.out.end(), '\n'), 2);
	/* wg1 has no file, so no names. */
	EXPECT_NE(fake.terminal.out.find("wg1: " + K1 + ": removed\n"), std::string::npos) << fake.terminal.out;
	EXPECT_TRUE(fake.devices.wishes->moves && fake.devices.wishes->strangers);
}

TEST_F(Monitor, a_json_object_is_one_line)
{
	DeviceEvent established = event(Kind::session_established);
	established.endpoint = device.peers[0].endpoint;
	established.is_responder = false;
	tell({{established}, {event(Kind::session_expired)}, {{}}});
	ASSERT_EQ(run({"monitor", "--json"}), 0);
	const std::string head = R"({"version":1,"time":1700000000,"event":")", peer = R"(","interface":"wg0","peer":")" + K1 + R"(","name":"phone",)";
	EXPECT_EQ(fake.terminal.out,
		  head + "session-established" + peer + R"("endpoint":"192.0.2.7:5","role":"initiator","rekey":false,"generation":null,"port_id":null})" + "\n" +
			  head + "session-expired" + peer + R"("endpoint":null,"role":null,"rekey":null,"generation":null,"port_id":null})" + "\n" + head +
			  R"(events-missed","interface":null,"peer":null,"name":null,"endpoint":null,"role":null,"rekey":null,"generation":null,"port_id":null})" +
			  "\n");
}

TEST_F(Monitor, a_command_gets_the_event_in_variables)
{
	DeviceEvent moved = event(Kind::endpoint_moved);
	moved.endpoint = device.peers[0].endpoint;
	tell({{moved}});
	fake.host.shell.statuses["notify"] = 3;
	ASSERT_EQ(run({"monitor", "--exec", "notify"}), 0);
	EXPECT_EQ(fake.host.log.joined(), "run notify\n");
	EXPECT_EQ(fake.host.shell.last_variables,
		  (std::map<std::string, std::string>{{"WGCTL_EVENT", "endpoint-moved"}, {"WGCTL_INTERFACE", "wg0"}, {"WGCTL_PEER", K1},
						      {"WGCTL_NAME", "phone"}, {"WGCTL_ENDPOINT", "192.0.2.7:5"}}));
	EXPECT_EQ(fake.terminal.err, "wgctl: --exec: exit status 3 for endpoint-moved\n");
	tell({{{.kind = Kind::configuration_changed, .interface = "wg0"}}});
	ASSERT_EQ(run({"monitor", "--exec", "true"}), 0);
	EXPECT_EQ(fake.host.shell.last_variables["WGCTL_PEER"] + fake.host.shell.last_variables["WGCTL_NAME"], "");
	EXPECT_EQ(fake.terminal.err, "");
}

TEST_F(Monitor, the_file_is_not_read_for_each_event)
{
	std::vector<std::vector<DeviceEvent>> many(100, {event(Kind::peer_changed)});
	tell(many);
	ASSERT_EQ(run({"monitor"}), 0);
	EXPECT_EQ(fake.files.reads, 1u);
	fake.host.lookout.on_wait = [&] { fake.clock.milliseconds_passed += 10'000; };
	tell(many);
	ASSERT_EQ(run({"monitor"}), 0);
	EXPECT_EQ(fake.files.reads, 101u);
}

TEST_F(Monitor, where_nobody_tells_it_looks)
{
	auto second = [&] { fake.clock.milliseconds_passed += 1000; };
	EXPECT_EQ(seen({second, [&] { device.peers[0].last_handshake.seconds = fake.clock.now(); }, second,
			[&] { device.peers[0].last_handshake.seconds = fake.clock.now(); }, [&] { fake.clock.milliseconds_passed += 181'000; }, second}),
		  "wg0: " + phone + ": session established with 192.0.2.7:5\nwg0: " + phone + ": new keys with 192.0.2.7:5\nwg0: " + phone + ": session expired\n");
	EXPECT_EQ(fake.host.lookout.waits, std::vector<std::int64_t>(7, 1000));
	EXPECT_EQ(fake.host.lookout.waited_besides, -1);
}

TEST_F(Monitor, what_is_configured_is_seen_by_looking)
{
	const std::string changed = "wg0: configuration changed\n";
	EXPECT_EQ(seen({[&] { device.peers[1].persistent_keepalive = 25; }, [&] { device.listen_port = 5; }, [&] { device.peers.pop_back(); },
			[&] { device.peers[0].endpoint = parse_endpoint("192.0.2.8:5", fake); }}),
		  "wg0: " + K2 + ": changed\n" + changed + changed + "wg0: " + K2 + ": removed\n" + changed);
	EXPECT_EQ(seen({[&] { device.peers[0].endpoint = parse_endpoint("192.0.2.9:5", fake); }}, {"monitor", "--moves"}), "wg0: " + phone + ": moved to 192.0.2.9:5\n");
}

TEST_F(Monitor, an_interface_comes_and_goes_with_its_peers)
{
	const Device kept = device;
	EXPECT_EQ(seen({[&] { fake.devices.present.clear(), fake.devices.order.clear(); }, [] {}, [&] { fake.devices.present["wg0"] = kept; }, [] {}}),
		  "wg0: " + phone + ": removed\nwg0: " + K2 + ": removed\nwg0: configuration changed\nwg0: " + phone + ": added\nwg0: " + K2 +
			  ": added\nwg0: configuration changed\n");
}

TEST_F(Monitor, wait_ends_with_the_session_of_whom_it_names)
{
	device.peers[1].last_handshake.seconds = fake.clock.now();
	EXPECT_EQ(run({"wait", "wg0", K2}), 0) << fake.terminal.err;
	fake.clock.on_sleep = [&] {
		if (fake.clock.monotonic() >= 2000)
			device.peers[0].last_handshake.seconds = fake.clock.now();
	};
	EXPECT_EQ(run({"wait", "wg0", "phone"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.clock.monotonic(), 2000);
	EXPECT_EQ(fake.host.lookout.knocks, std::vector<std::string>{"wg0 10.0.0.1:9"});
	EXPECT_EQ(fake.terminal.out, "");
}

TEST_F(Monitor, wait_names_who_has_no_session_in_time)
{
	EXPECT_EQ(run({"wait", "wg0", "--timeout", "3"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: wg0: these peers have not answered in 3 s: " + phone + "\n");
	EXPECT_EQ(fake.clock.monotonic(), 3000);
	device.peers[0].endpoint.reset();
	EXPECT_EQ(run({"wait", "wg0"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: wg0 knows no peer's endpoint, so it can reach nobody by itself; name the peer to wait for\n");
	EXPECT_EQ(run({"wait", "wg0", "nobody"}), 1);
	EXPECT_EQ(run({"wait", "wg0", "--timeout", "0"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: wait: --timeout is not 1-3600 seconds: `0' (wgctl wait --help)\n");
	/* A session of an hour ago is none. */
	device.peers[0].last_handshake.seconds = fake.clock.now() - 3600;
	EXPECT_EQ(run({"wait", "wg0", "phone", "--timeout=1"}), 1);
}

TEST_F(Monitor, debug_lines_name_the_peer)
{
	device.peers[0].state = PeerState{.number = 4};
	fake.host.lookout.logged = {{"wireguard: wg0: Peer 4: before"},
				    {"wireguard: wg0: Peer 4: initiation sent (192.0.2.7:5)", "wireguard: wg1: Peer 4: of another", "usb 1-1: new device"},
				    {"wireguard: wg0: Peer 40: session expired", "wireguard: wg0: dropped: malformed"}};
	fake.host.lookout.events = {Lookout::Event::besides};
	std::vector<std::string> switched;
	fake.host.lookout.on_wait = [&] { switched.push_back(fake.files.contents["/proc/dynamic_debug/control"]); };
	ASSERT_EQ(run({"debug", "wg0"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "Peer 4, " + phone + ": initiation sent (192.0.2.7:5)\nPeer 40: session expired\ndropped: malformed\n");
	EXPECT_EQ(switched, std::vector<std::string>{"module wireguard +p\n"});
	EXPECT_EQ(fake.files.contents["/proc/dynamic_debug/control"], "module wireguard -p\n");
	EXPECT_EQ(fake.host.lookout.waited_besides, 88);
}

}
