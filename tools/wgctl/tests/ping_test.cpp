// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Ping : testing::Test {
	FakeWorld fake;

	Ping()
	{
		Device &device = fake.devices.present["wg0"];

		device.name = "wg0";
		device.peers.resize(2);
		for (std::uint8_t i = 0; i < 2; ++i) {
			device.peers[i].public_key = test_key(i + 1);
			device.peers[i].endpoint = parse_endpoint("192.0.2.7:5", fake);
		}
		device.peers[0].allowed_ips = {test_prefix("10.1.0.0/16"), test_prefix("10.0.0.2/32")};
		device.peers[1].allowed_ips = {test_prefix("10.1.2.0/24")};
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\n# Name = laptop\nPublicKey = " + test_key_text(1) + "\n";
		handshake();
		fake.host.lookout.echoes = {{"10.0.0.2:9", 1500}, {"10.1.2.1:9", 1500}, {"10.1.2.77:9", 1500}, {"10.1.9.9:9", 1500}};
	}
	std::vector<Peer> &peers() { return fake.devices.present["wg0"].peers; }
	void handshake() { peers()[0].last_handshake.seconds = peers()[1].last_handshake.seconds = fake.clock.now() - 5; }
	std::size_t echoes() const { return fake.host.lookout.echo_calls.size(); }
	int run(std::string_view peer)
	{
		std::vector<std::string_view> words{"ping", "wg0", peer};

		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(words, fake);
	}
	/* Whom it went to, and where: the beginning of the line. */
	std::string target(std::string_view peer)
	{
		EXPECT_EQ(run(peer), 0) << fake.terminal.err;
		return fake.terminal.out.substr(0, fake.terminal.out.find(": answer"));
	}
};

}

TEST_F(Ping, an_answer_is_told_with_its_time_and_the_handshake)
{
	EXPECT_EQ(run("laptop"), 0);
	EXPECT_EQ(fake.terminal.out, "laptop (" + test_key_text(1) + ") at 10.0.0.2: answer in 12.3 ms; last handshake: 5s ago\n");
	EXPECT_EQ(echoes(), 1u);
}

TEST_F(Ping, no_answer_is_a_failure)
{
	fake.host.lookout.echoes.clear();
	EXPECT_EQ(run("laptop"), 1);
	EXPECT_EQ(fake.terminal.out, "");
	EXPECT_EQ(fake.terminal.err, "wgctl: laptop (" + test_key_text(1) + ") at 10.0.0.2: no answer; last handshake: 5s ago\n");
	EXPECT_EQ(echoes(), 4u);
	peers()[0].last_handshake = {};
	EXPECT_EQ(run("laptop"), 1);
	EXPECT_NE(fake.terminal.err.find("last handshake: never\n"), std::string::npos);
}

TEST_F(Ping, an_answer_that_waited_for_a_handshake_tells_no_time)
{
	peers()[0].last_handshake.seconds -= 1000;
	fake.host.lookout.on_echo = [this] { handshake(); };
	EXPECT_EQ(run("laptop"), 0);
	EXPECT_EQ(echoes(), 2u);
	EXPECT_NE(fake.terminal.out.find("last handshake: 5s ago"), std::string::npos);
}

TEST_F(Ping, a_peer_is_meant_by_name_key_or_address)
{
	EXPECT_EQ(target(test_key_text(1)), "laptop (" + test_key_text(1) + ") at 10.0.0.2");
	EXPECT_EQ(target(test_key_text(2)), test_key_text(2) + " at 10.1.2.1");
	EXPECT_EQ(target("10.1.9.9"), "laptop (" + test_key_text(1) + ") at 10.1.9.9");
	/* The longest of those that have it, wherever it stands. */
	EXPECT_EQ(target("10.1.2.77"), test_key_text(2) + " at 10.1.2.77");
	std::swap(peers()[0], peers()[1]);
	EXPECT_EQ(target("10.1.2.77"), test_key_text(2) + " at 10.1.2.77");
}

TEST_F(Ping, whoever_cannot_be_sent_to_is_told)
{
	auto why = [this](std::string_view peer) {
		EXPECT_EQ(run(peer), 1);
		return fake.terminal.err;
	};

	EXPECT_EQ(why("desk"), "wgctl: wg0 has no peer of this name, key or address: `desk'\n");
	EXPECT_EQ(why("10.9.9.9"), "wgctl: wg0 has no peer of this name, key or address: `10.9.9.9'\n");
	EXPECT_EQ(why(test_key_text(3)), "wgctl: wg0 has no peer of this name, key or address: `" + test_key_text(3) + "'\n");
	fake.files.contents["/etc/wireguard/wg0.conf"] += "[Peer]\n# Name = laptop\nPublicKey = " + test_key_text(2) + "\n";
	EXPECT_EQ(why("laptop"), "wgctl: wg0 has 2 peers named `laptop'; give the public key\n");
	peers()[0].endpoint.reset();
	EXPECT_NE(why(test_key_text(1)).find("has no endpoint"), std::string::npos);
	peers()[0].allowed_ips.clear();
	EXPECT_NE(why(test_key_text(1)).find("has no allowed IPs"), std::string::npos);
	EXPECT_EQ(echoes(), 0u);
}

}
