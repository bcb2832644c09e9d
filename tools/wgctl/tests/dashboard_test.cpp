// SPDX-License-Identifier: GPL-2.0
#include "view/dashboard.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

std::deque<Rates> history_of(std::vector<double> values)
{
	std::deque<Rates> history;

	for (double value : values)
		history.push_back({value, 0});
	return history;
}

struct WatchCommand : testing::Test {
	FakeWorld fake;
	using Event = Screen::Event;

	WatchCommand()
	{
		Device &device = fake.devices.present["wg0"];

		fake.devices.order.push_back("wg0");
		device.name = "wg0";
		device.listen_port = 51820;
		device.private_key = test_key(9);
		device.peers.resize(2);
		device.peers[0].public_key = test_key(1);
		device.peers[0].endpoint = parse_endpoint("192.0.2.7:5", fake);
		device.peers[0].last_handshake = {fake.clock.time - 11, 0};
		device.peers[0].rx_bytes = 1000;
		device.peers[1].public_key = test_key(2);
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\n# Name = laptop\nPublicKey = " + test_key_text(1) + "\n";
		fake.environment.variables["LANG"] = "en_US.UTF-8";
	}
	/* Between the samples, so many bytes come from the first peer. */
	void let_traffic_flow(std::uint64_t bytes)
	{
		fake.clock.on_sleep = [this, bytes] { fake.devices.present["wg0"].peers[0].rx_bytes += bytes; };
	}
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake);
	}
	void pass(std::int64_t milliseconds) { fake.clock.milliseconds_passed += milliseconds; }
};

}

TEST(Dashboard, rates_have_units_people_read)
{
	EXPECT_EQ(format_rate(0), "0 B/s");
	EXPECT_EQ(format_rate(999), "999 B/s");
	EXPECT_EQ(format_rate(1000), "1.0 KiB/s");
	EXPECT_EQ(format_rate(1536), "1.5 KiB/s");
	EXPECT_EQ(format_rate(300 * 1024), "300 KiB/s");
	EXPECT_EQ(format_rate(2.5 * 1024 * 1024 * 1024), "2.5 GiB/s");
}

TEST(Dashboard, ages_are_short)
{
	EXPECT_EQ(format_age(0), "0s");
	EXPECT_EQ(format_age(59), "59s");
	EXPECT_EQ(format_age(200), "3m 20s");
	EXPECT_EQ(format_age(7500), "2h 5m");
	EXPECT_EQ(format_age(86400 * 3 + 3600 * 4), "3d 4h");
	EXPECT_EQ(format_age(-1), "future");
}

TEST(Dashboard, sparkline_is_relative_to_its_busiest_moment)
{
	EXPECT_EQ(sparkline(history_of({0, 1, 50, 100}), 10, true), "▁▂▅█");
	EXPECT_EQ(sparkline(history_of({0, 1, 50, 100}), 10, false), "_.=#");
	EXPECT_EQ(sparkline(history_of({100, 0, 0}), 2, false), "__");
	EXPECT_EQ(sparkline({}, 10, true), "");
}

TEST(Dashboard, rates_are_between_samples)
{
	RateHistory history;
	Peer peer;

	peer.rx_bytes = 1000;
	history.sample(peer, 5000);
	EXPECT_FALSE(history.has_rates());
	peer.rx_bytes = 2000;
	peer.tx_bytes = 100;
	history.sample(peer, 5500);
	EXPECT_EQ(history.rates().received, 2000);
	EXPECT_EQ(history.rates().sent, 200);
	for (std::size_t i = 1; i <= RateHistory::LENGTH; ++i)
		history.sample(peer, 5500 + static_cast<std::int64_t>(i) * 1000);
	EXPECT_EQ(history.all().size(), RateHistory::LENGTH);
	EXPECT_EQ(history.rates().received, 0);
}

TEST(Dashboard, counters_that_go_back_start_anew)
{
	RateHistory history;
	Peer peer;

	for (std::uint64_t bytes : {1000, 2000, 10}) {
		peer.rx_bytes = bytes;
		history.sample(peer, static_cast<std::int64_t>(bytes) + 1);
	}
	EXPECT_FALSE(history.has_rates());
}

TEST_F(WatchCommand, once_is_two_samples)
{
	let_traffic_flow(2048);
	EXPECT_EQ(run({"watch", "--once"}), 0);
	EXPECT_EQ(fake.clock.sleeps, std::vector<std::int64_t>{1000});
	EXPECT_EQ(fake.terminal.out,
		  "wg0  port 51820  2 peers, 1 online  in 2.0 KiB/s  out 0 B/s\n"
		  "  PEER                  HANDSHAKE           IN          OUT  TRAFFIC               ENDPOINT\n"
		  "  laptop                      12s    2.0 KiB/s        0 B/s  █                     192.0.2.7:5\n"
		  "  AgICAgICAgICAgICAgI~      never        0 B/s        0 B/s  ▁                     -\n");
}

TEST_F(WatchCommand, once_waits_as_long_as_told)
{
	let_traffic_flow(2048);
	EXPECT_EQ(run({"watch", "--once", "--interval", "2", "wg0"}), 0);
	EXPECT_EQ(fake.clock.sleeps, std::vector<std::int64_t>{2000});
	EXPECT_NE(fake.terminal.out.find("in 1.0 KiB/s"), std::string::npos);
	for (std::string_view wrong : {"0", "x", "-1", "3601", ""})
		EXPECT_EQ(run({"watch", "--once", "--interval", wrong}), 1) << wrong;
}

TEST_F(WatchCommand, once_as_json_is_the_schema_of_show_with_rates)
{
	let_traffic_flow(2048);
	run({"watch", "--once", "--json"});
	const std::string &out = fake.terminal.out;
	EXPECT_EQ(out.find("{\n  \"version\": 1,\n  \"interfaces\": [\n"), 0u);
	EXPECT_NE(out.find("\"name\": \"laptop\""), std::string::npos);
	EXPECT_NE(out.find("\"rx_bytes_per_second\": 2048,"), std::string::npos);
	EXPECT_NE(out.find("\"online\": true,\n          \"address\": null\n"), std::string::npos) << out;
	EXPECT_NE(out.find("\"online\": false,"), std::string::npos);
	EXPECT_EQ(out.find(test_key_text(9)), std::string::npos);
	EXPECT_EQ(run({"watch", "--json"}), 1);
}

TEST_F(WatchCommand, once_fails_without_the_interface)
{
	EXPECT_EQ(run({"watch", "--once", "wg7"}), 1);
	EXPECT_EQ(fake.terminal.out, "wg7  No such device\n");
	fake.devices.order.clear();
	EXPECT_EQ(run({"watch", "--once"}), 0);
	EXPECT_EQ(fake.terminal.out, "There is no WireGuard interface.\n");
}

TEST_F(WatchCommand, without_unicode_bars_are_ascii)
{
	let_traffic_flow(2048);
	fake.environment.variables["LC_ALL"] = "C";
	run({"watch", "--once"});
	EXPECT_NE(fake.terminal.out.find("#"), std::string::npos);
	EXPECT_EQ(fake.terminal.out.find("█"), std::string::npos);
}

TEST_F(WatchCommand, terminal_is_given_back_on_q_and_on_ctrl_c)
{
	fake.terminal.is_terminal = true;
	fake.host.screen.steps = {{Event::key, 'x'}, {Event::resized}, {Event::key, 'q'}};
	EXPECT_EQ(run({"watch"}), 0);
	EXPECT_FALSE(fake.host.screen.is_open);
	EXPECT_EQ(fake.host.screen.pages.size(), 3u);
	EXPECT_EQ(fake.terminal.out, "");
	fake.host.screen.steps = {{Event::quit}};
	fake.host.screen.next = 0;
	EXPECT_EQ(run({"watch"}), 0);
	EXPECT_FALSE(fake.host.screen.is_open);
}

TEST_F(WatchCommand, keys_do_not_hurry_the_samples)
{
	fake.terminal.is_terminal = true;
	let_traffic_flow(0);
	auto bytes_come = [this] {
		fake.devices.present["wg0"].peers[0].rx_bytes += 500;
		pass(500);
	};
	fake.host.screen.steps = {{Event::key, 'x', bytes_come}, {Event::key, 'x', bytes_come}, {Event::quit}};
	run({"watch"});
	EXPECT_EQ(fake.host.screen.pages.at(1).find("1000 B/s"), std::string::npos);
	EXPECT_NE(fake.host.screen.pages.at(2).find("1.0 KiB/s"), std::string::npos) << fake.host.screen.pages.at(2);
}

TEST_F(WatchCommand, interface_may_go_away_and_come_back)
{
	Device device = fake.devices.present["wg0"];

	fake.terminal.is_terminal = true;
	fake.host.screen.steps = {
		{Event::time, 0, [&] { pass(1000); fake.devices.present.clear(); }},
		{Event::time, 0, [&] { pass(1000); device.peers[0].rx_bytes = 5; fake.devices.present["wg0"] = device; }},
		{Event::time, 0, [&] { pass(1000); fake.devices.present["wg0"].peers[0].rx_bytes = 5005; }},
	};
	EXPECT_EQ(run({"watch", "wg0"}), 0);
	const std::vector<std::string> &pages = fake.host.screen.pages;
	ASSERT_EQ(pages.size(), 4u);
	EXPECT_NE(pages[0].find("laptop"), std::string::npos);
	EXPECT_NE(pages[1].find("No such device"), std::string::npos);
	EXPECT_NE(pages[2].find("laptop"), std::string::npos);
	EXPECT_NE(pages[3].find("4.9 KiB/s"), std::string::npos);
}

TEST_F(WatchCommand, narrow_screens_show_no_endpoint)
{
	fake.terminal.is_terminal = true;
	fake.host.screen.page_size = {24, 80};
	run({"watch"});
	EXPECT_EQ(fake.host.screen.pages.at(0).find("192.0.2.7"), std::string::npos);
	fake.host.screen.page_size = {24, 100};
	fake.host.screen.next = 0;
	run({"watch"});
	EXPECT_NE(fake.host.screen.pages.at(1).find("192.0.2.7"), std::string::npos);
}

TEST_F(WatchCommand, no_line_is_wider_than_the_screen)
{
	auto width = [](std::string_view line) {
		return std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
	};

	fake.terminal.is_terminal = true;
	fake.environment.variables["WG_COLOR_MODE"] = "never";
	let_traffic_flow(1000);
	for (std::size_t columns = 49; columns < 130; ++columns) {
		fake.host.screen.page_size = {24, columns};
		fake.host.screen.steps.clear();
		for (int i = 0; i < 30; ++i)
			fake.host.screen.steps.push_back({Event::time, 0, [this] { pass(1000); }});
		fake.host.screen.next = 0;
		fake.host.screen.pages.clear();
		run({"watch"});
		std::string_view page = fake.host.screen.pages.back();
		page.remove_prefix(page.find('\n') + 1);
		for (std::size_t end; (end = page.find('\n')) != page.npos; page.remove_prefix(end + 1))
			EXPECT_LE(width(page.substr(0, end)), static_cast<std::ptrdiff_t>(columns)) << page.substr(0, end);
	}
}

TEST_F(WatchCommand, a_long_page_is_moved_by_keys)
{
	std::vector<Peer> &peers = fake.devices.present["wg0"].peers;

	fake.terminal.is_terminal = true;
	fake.host.screen.page_size = {10, 80};
	peers.resize(32);
	for (std::uint8_t i = 0; i < 32; ++i)
		peers[i].public_key = test_key(i);
	for (char key : std::string("j\x1b[6~\x1b[Bk\x1b[5~    b\x1b[5~\x1b[5~\x1b[5~"))
		fake.host.screen.steps.push_back({Event::key, key});
	run({"watch"});
	std::string seen;
	for (const std::string &page : fake.host.screen.pages) {
		std::size_t at = page.find("lines ");
		ASSERT_NE(at, page.npos) << page;
		EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 10);
		std::string range = page.substr(at + 6, page.find(';') - at - 6);
		if (!seen.ends_with(range + "\n"))
			seen += range + "\n";
	}
	EXPECT_EQ(seen, "1-9 of 34\n2-10 of 34\n11-19 of 34\n12-20 of 34\n11-19 of 34\n2-10 of 34\n11-19 of 34\n20-28 of 34\n26-34 of 34\n"
			"17-25 of 34\n8-16 of 34\n1-9 of 34\n");
}

TEST_F(WatchCommand, wide_names_keep_columns_in_line_and_odd_ones_steer_nothing)
{
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\n# Name = 日本語日本語日本語日本語\nPublicKey = " + test_key_text(1) + "\n";
	fake.devices.order = {"\x1b[2Jx"};
	Device device = fake.devices.present["wg0"];
	device.name = "\x1b[2Jx";
	fake.devices.present["\x1b[2Jx"] = device;
	run({"watch", "--once"});
	EXPECT_EQ(fake.terminal.out.find('\x1b'), std::string::npos);
	EXPECT_EQ(fake.terminal.out.find("?[2Jx  port"), 0u) << fake.terminal.out;
	run({"watch", "--once", "wg0"});
	/* Nine of two columns, and a sign that there is more. */
	EXPECT_NE(fake.terminal.out.find("  日本語日本語日本語~   "), std::string::npos) << fake.terminal.out;
}

TEST_F(WatchCommand, without_a_terminal_pages_follow_each_other)
{
	int samples = 0;
	fake.clock.on_sleep = [&] {
		if (++samples == 2)
			fake.terminal.is_full = true;
	};
	EXPECT_EQ(run({"watch"}), 1);
	EXPECT_EQ(fake.terminal.out.find("2023-11-14T22:13:20Z\nwg0  port 51820"), 0u);
	EXPECT_NE(fake.terminal.out.find("\n\n2023-11-14T22:13:21Z\nwg0"), std::string::npos);
	EXPECT_EQ(fake.terminal.out.find('\x1b'), std::string::npos);
}

struct StatusCommand : WatchCommand {
	/* Three more: one with a session that is just over, one that is online, one without a name. */
	StatusCommand()
	{
		std::vector<Peer> &peers = fake.devices.present["wg0"].peers;

		peers.resize(4);
		peers[0].allowed_ips = {test_prefix("192.168.0.0/24"), test_prefix("10.0.0.9/32")};
		peers[1].allowed_ips = {test_prefix("192.168.7.0/24")};
		peers[2].public_key = test_key(3);
		peers[2].last_handshake = {fake.clock.time - 180, 0};
		peers[2].allowed_ips = {test_prefix("fd00::2/128")};
		peers[3].public_key = test_key(4);
		peers[3].last_handshake = {fake.clock.time - 5, 0};
		peers[3].allowed_ips = {test_prefix("10.0.0.10/32")};
		fake.files.contents["/etc/wireguard/wg0.conf"] += "[Peer]\n# Name = desk\nPublicKey = " + test_key_text(2) +
								  "\n[Peer]\n# Name = tv\nPublicKey = " + test_key_text(3) + "\n[Peer]\n# Name = car\nPublicKey = " +
								  test_key_text(4) + "\n";
		fake.clock.on_sleep = [this] {
			fake.devices.present["wg0"].peers[0].rx_bytes += 1024;
			fake.devices.present["wg0"].peers[1].tx_bytes += 2048;
			fake.clock.milliseconds_passed += 500;
		};
	}
	/* The peers' names, in order. */
	std::string order(std::vector<std::string_view> options)
	{
		std::string names;

		options.insert(options.begin(), {"status", "wg0"});
		EXPECT_EQ(run(options), 0) << fake.terminal.err;
		for_each_line(fake.terminal.out, [&](std::string_view line) {
			if (line.starts_with("  ") && !line.starts_with("  PEER"))
				names.append(line.substr(2, line.find(' ', 2) - 1));
		});
		return names;
	}
};

TEST_F(StatusCommand, there_is_a_line_for_each_peer)
{
	EXPECT_EQ(run({"status"}), 0);
	EXPECT_EQ(fake.clock.sleeps, std::vector<std::int64_t>{500});
	EXPECT_EQ(fake.terminal.out,
		  "wg0  port 51820  4 peers, 2 online  in 1.0 KiB/s  out 2.0 KiB/s\n"
		  "  PEER                  HANDSHAKE           IN          OUT  ADDRESS               ENDPOINT\n"
		  "  car                          6s        0 B/s        0 B/s  10.0.0.10             -\n"
		  "  laptop                      12s    1.0 KiB/s        0 B/s  10.0.0.9              192.0.2.7:5\n"
		  "  tv                        3m 1s        0 B/s        0 B/s  fd00::2               -\n"
		  "  desk                      never        0 B/s    2.0 KiB/s  192.168.7.0/24        -\n");
}

TEST_F(StatusCommand, the_order_is_the_one_that_is_asked_for)
{
	EXPECT_EQ(order({}), "car laptop tv desk ");
	EXPECT_EQ(order({"--sort", "handshake"}), "car laptop tv desk ");
	EXPECT_EQ(order({"--sort", "name"}), "car desk laptop tv ");
	EXPECT_EQ(order({"--sort", "address"}), "laptop car desk tv ");
	EXPECT_EQ(order({"--sort", "rate"}), "desk laptop tv car ");
	fake.devices.present["wg0"].peers[0].allowed_ips.clear();
	EXPECT_EQ(order({"--sort", "address"}), "car desk tv laptop ");
	EXPECT_EQ(run({"status", "--sort", "hanshake"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: status: --sort is by handshake, name, address or rate, not `hanshake': did you mean handshake? "
				     "(wgctl status --help)\n");
}

TEST_F(StatusCommand, who_is_online_has_a_session)
{
	EXPECT_EQ(order({"--online"}), "car laptop ");
	EXPECT_EQ(order({"--offline", "--sort", "name"}), "desk tv ");
	/* Whoever is not shown is counted still. */
	EXPECT_NE(fake.terminal.out.find("4 peers, 2 online  in 1.0 KiB/s"), std::string::npos) << fake.terminal.out;
	EXPECT_EQ(run({"status", "--online", "--offline"}), 1);
	EXPECT_NE(fake.terminal.err, "");
	fake.devices.present["wg0"].peers.resize(2);
	fake.devices.present["wg0"].peers[0].last_handshake = {};
	EXPECT_EQ(order({"--online"}), "");
	EXPECT_EQ(fake.terminal.out.find("PEER"), std::string::npos);
}

TEST_F(StatusCommand, json_has_the_same_peers_in_the_same_order)
{
	EXPECT_EQ(run({"status", "--online", "--json"}), 0);
	const std::string &out = fake.terminal.out;
	EXPECT_LT(out.find("\"name\": \"car\""), out.find("\"name\": \"laptop\"")) << out;
	EXPECT_EQ(out.find("\"name\": \"tv\""), out.npos);
	EXPECT_NE(out.find("\"rx_bytes_per_second\": 1024,\n          \"tx_bytes_per_second\": 0,\n          \"online\": true,\n"
			   "          \"address\": \"10.0.0.9/32\"\n"), out.npos) << out;
}

TEST_F(StatusCommand, a_terminal_gets_no_line_it_would_break)
{
	fake.terminal.is_terminal = true;
	fake.environment.variables["WG_COLOR_MODE"] = "never";
	fake.host.screen.page_size = {24, 80};
	EXPECT_EQ(run({"status"}), 0);
	for_each_line(fake.terminal.out, [](std::string_view line) { EXPECT_LE(line.size(), 80u) << line; });
	EXPECT_EQ(fake.terminal.out.find("192.0.2.7"), std::string::npos);
	EXPECT_EQ(run({"status", "wg7"}), 1);
	EXPECT_EQ(fake.terminal.out, "wg7  No such device\n");
}

TEST_F(StatusCommand, without_a_command_it_is_for_wide_terminals)
{
	auto is_status = [this] {
		EXPECT_EQ(run({}), 0);
		return fake.terminal.out.find("  PEER ") != std::string::npos;
	};

	fake.environment.variables["WG_COLOR_MODE"] = "never";
	fake.host.screen.page_size = {24, FULL_WIDTH};
	EXPECT_FALSE(is_status());
	EXPECT_EQ(fake.terminal.out.find("interface: wg0\n"), 0u);
	EXPECT_TRUE(fake.clock.sleeps.empty());
	fake.terminal.is_terminal = true;
	EXPECT_TRUE(is_status());
	fake.host.screen.page_size = {24, FULL_WIDTH - 1};
	EXPECT_FALSE(is_status());
	fake.host.screen.page_size = {24, FULL_WIDTH};
	EXPECT_EQ(run({"show"}), 0);
	EXPECT_EQ(fake.terminal.out.find("interface: wg0\n"), 0u);
}

}
