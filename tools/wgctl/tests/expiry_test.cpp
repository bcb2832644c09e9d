// SPDX-License-Identifier: GPL-2.0
#include "config/expiry.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "model/times.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

/* Now is 2023-11-14T22:13:20Z. */
struct ExpiryTest : testing::Test {
	/* They become what they are told. */
	struct ObedientDevices : FakeDevices {
		void set(const Device &change) override
		{
			FakeDevices::set(change);
			Device &device = present[change.name];
			device.name = change.name;
			order = {change.name};
			for (const Peer &peer : change.peers) {
				std::erase_if(device.peers, [&](const Peer &other) { return other.public_key == peer.public_key; });
				if (!peer.remove)
					device.peers.push_back(peer);
			}
		}
	} devices;
	FakeWorld fake;
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};
	const std::string path = "/etc/wireguard/wg0.conf";
	const std::string head = "[Interface]\nPrivateKey = " + test_key_text(8) + "\nListenPort = 1\nAddress = 10.0.0.1/24\n\n";
	const std::string ann = "[Peer]\n# Name = Ann\nPublicKey = " + test_key_text(1) + "\nAllowedIPs = 10.0.0.2/32\n\n";
	const std::string bob = "[Peer]\n# Name = Bob\nPublicKey = " + test_key_text(2) + "\nAllowedIPs = 10.0.0.3/32, 10.7.0.0/16\n";
	const std::string AN_HOUR_AGO = "# Expires = 2023-11-14T21:13:20Z\n", IN_AN_HOUR = "# Expires = 2023-11-14T23:13:20Z\n";

	ExpiryTest() { file() = head + ann + bob; }
	std::string &file() { return fake.files.contents[path]; }
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		devices.changes.clear();
		return run_command_line(arguments, world);
	}
	std::string bob_with(const std::string &line) const { return "[Peer]\n" + line + bob.substr(7); }
	void start()
	{
		ASSERT_EQ(run({"up", "wg0"}), 0) << fake.terminal.err;
		/* What the kernel would have made of it. */
		devices.present["wg0"].private_key = test_key(8);
		devices.present["wg0"].listen_port = 1;
	}
	/* Whom the interface has, by number. */
	std::string running()
	{
		std::string text;
		for (const Peer &peer : devices.present["wg0"].peers)
			text += std::to_string(peer.public_key.bytes[0]) + " ";
		return text;
	}
	std::string wrong()
	{
		return failure_of([&] { read_quick_config("wg0", world); });
	}
	const std::string &out() const { return fake.terminal.out; }
	const std::string &err() const { return fake.terminal.err; }
};

}

TEST_F(ExpiryTest, who_has_expired_does_not_come_up)
{
	file() = head + ann + bob_with(AN_HOUR_AGO);
	start();
	EXPECT_EQ(running(), "1 ");
	EXPECT_NE(err().find("[!] Bob (" + test_key_text(2) + ") is left out: expired at 2023-11-14T21:13:20Z\n"), std::string::npos) << err();
	EXPECT_EQ(fake.host.log.joined().find("route 10.7.0.0/16"), std::string::npos);
}

TEST_F(ExpiryTest, who_has_time_left_comes_up)
{
	file() = head + ann + bob_with(IN_AN_HOUR);
	start();
	EXPECT_EQ(running(), "1 2 ");
	EXPECT_EQ(err().find("expired"), std::string::npos);
}

TEST_F(ExpiryTest, the_second_itself_is_over)
{
	QuickConfig config = read_quick_config("wg0", world);

	config.expiries[test_key(2)] = {fake.clock.now(), 1};
	EXPECT_TRUE(config.is_expired(test_key(2), fake.clock.now()));
	EXPECT_FALSE(config.is_expired(test_key(2), fake.clock.now() - 1));
	EXPECT_FALSE(config.is_expired(test_key(1), fake.clock.now()));
}

TEST_F(ExpiryTest, apply_takes_away_and_gives_back)
{
	start();
	file() = head + ann + bob_with(IN_AN_HOUR);
	ASSERT_EQ(run({"apply", "wg0"}), 0) << err();
	EXPECT_EQ(running(), "1 2 ");
	fake.clock.milliseconds_passed += 3600 * 1000;
	ASSERT_EQ(run({"apply", "wg0"}), 0) << err();
	EXPECT_NE(out().find("- peer Bob"), std::string::npos) << out();
	EXPECT_EQ(running(), "1 ");
	file() = head + ann + bob;
	ASSERT_EQ(run({"apply", "wg0"}), 0) << err();
	EXPECT_EQ(running(), "1 2 ");
}

TEST_F(ExpiryTest, what_is_not_understood_is_refused)
{
	file() = head + ann + bob_with("# Expires = next summer\n");
	EXPECT_EQ(wrong(), path + ":12: # Expires: not a time in UTC, as 2026-12-31T00:00:00Z or 2026-12-31: `next summer'");
	file() = head + ann + bob_with("# Expires =\n");
	EXPECT_NE(wrong(), "");
	/* Nobody would be meant. */
	file() = head + ann + IN_AN_HOUR + bob;
	EXPECT_EQ(wrong(), path + ":11: # Expires right above a title is about nobody: put it behind the title of its peer");
	file() = head.substr(0, head.size() - 1) + IN_AN_HOUR + "\n" + ann;
	EXPECT_EQ(wrong(), path + ":5: # Expires is about a peer, and stands in no [Peer]");
	/* Behind an empty line, or at the end, it is its peer's. */
	for (const std::string &more : {IN_AN_HOUR, IN_AN_HOUR + "\n" + ann}) {
		file() = head + bob + more;
		EXPECT_EQ(wrong(), "");
		EXPECT_EQ(read_quick_config("wg0", world).expiries.at(test_key(2)).time, fake.clock.now() + 3600);
	}
	/* Words are words. */
	file() = head + ann + bob_with("# Expires next summer\n# expires: never\n");
	EXPECT_EQ(wrong(), "");
	EXPECT_TRUE(read_quick_config("wg0", world).expiries.empty());
}

TEST_F(ExpiryTest, of_several_sections_the_last_that_says_it_counts)
{
	file() = head + bob_with(AN_HOUR_AGO) + "\n" + bob_with("# expires=2030-01-01 # the contract\n") + "\n" + bob;
	EXPECT_EQ(read_quick_config("wg0", world).expiries.at(test_key(2)).time, parse_time("2030-01-01"));
}

TEST_F(ExpiryTest, check_warns)
{
	file() = head + ann + bob_with(AN_HOUR_AGO);
	EXPECT_EQ(run({"check", "wg0"}), 0);
	EXPECT_EQ(out(), path + ":12: warning: peer Bob (" + test_key_text(2) + ") has expired: it is not let in\n");
	file() = head + ann + bob_with(IN_AN_HOUR);
	EXPECT_EQ(run({"check", "wg0"}), 0);
	EXPECT_EQ(out(), path + ": nothing is wrong\n");
	file() = head + ann + bob_with("# Expires = soon\n");
	EXPECT_EQ(run({"check", "wg0"}), 1);
}

TEST_F(ExpiryTest, saving_keeps_who_has_expired)
{
	file() = head + ann + bob_with(AN_HOUR_AGO);
	start();
	devices.present["wg0"].peers.clear();
	ASSERT_EQ(run({"save", "wg0"}), 0) << err();
	EXPECT_EQ(file(), head + bob_with(AN_HOUR_AGO));
}

TEST_F(ExpiryTest, a_time_is_set_and_taken_back)
{
	start();
	ASSERT_EQ(run({"peer", "expire", "wg0", "Bob", "1h"}), 0) << err();
	EXPECT_EQ(out(), "Bob (" + test_key_text(2) + ") expires at 2023-11-14T23:13:20Z\n");
	EXPECT_EQ(file(), head + ann + bob_with(IN_AN_HOUR));
	EXPECT_TRUE(devices.changes.empty());
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0) << err();
	EXPECT_NE(out().find("Bob   expires at 2023-11-14T23:13:20Z  never      10.0.0.3/32"), std::string::npos) << out();

	/* At once; not even the agent has to run. */
	ASSERT_EQ(run({"peer", "expire", "wg0", "Bob", "2023-11-14T21:13:20Z"}), 0) << err();
	EXPECT_EQ(file(), head + ann + bob_with(AN_HOUR_AGO));
	EXPECT_EQ(running(), "1 ");
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0) << err();
	EXPECT_NE(out().find("Bob   expired at 2023-11-14T21:13:20Z  -          10.0.0.3/32"), std::string::npos) << out();

	ASSERT_EQ(run({"peer", "expire", "wg0", "Bob", "never"}), 0) << err();
	EXPECT_EQ(out(), "Bob (" + test_key_text(2) + ") does not expire\n");
	EXPECT_EQ(file(), head + ann + bob);
	EXPECT_EQ(running(), "1 2 ");
}

TEST_F(ExpiryTest, a_time_must_be_one)
{
	for (const char *when : {"soon", "30", "-1d", "2023-13-01", "200000d", "30 d", ""}) {
		EXPECT_EQ(run({"peer", "expire", "wg0", "Bob", when}), 1) << when;
		EXPECT_EQ(file(), head + ann + bob);
	}
	EXPECT_EQ(run({"peer", "expire", "wg0", "Bob", "soon"}), 1);
	EXPECT_EQ(err(), "wgctl: not a time in UTC, as 2026-12-31T00:00:00Z or 2026-12-31: `soon', nor a time from now of 100 years at most, as 12h or 30d, "
			 "nor never\n");
}

TEST_F(ExpiryTest, a_disabled_peer_expires_when_it_is_enabled)
{
	start();
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << err();
	ASSERT_EQ(run({"peer", "expire", "wg0", "Bob", "0s"}), 0) << err();
	EXPECT_NE(file().find("\n#[disabled] [Peer]\n#[disabled] # Expires = 2023-11-14T22:13:20Z\n"), std::string::npos) << file();
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0) << err();
	EXPECT_NE(out().find("Bob   disabled"), std::string::npos) << out();
	ASSERT_EQ(run({"peer", "enable", "wg0", "Bob"}), 0) << err();
	EXPECT_EQ(running(), "1 ");
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0) << err();
	EXPECT_NE(out().find("Bob   expired at"), std::string::npos) << out();
}

TEST_F(ExpiryTest, who_has_expired_gets_no_file_and_keeps_addresses)
{
	file() = head + ann + bob_with(AN_HOUR_AGO);
	EXPECT_EQ(run({"client", "wg0", "Bob", "--endpoint", "a"}), 1);
	EXPECT_EQ(err(), "wgctl: " + path + ": peer Bob (" + test_key_text(2) + ") has expired: wgctl peer expire wg0 Bob never\n");
	ASSERT_EQ(run({"peer", "add", "wg0", "new", "--endpoint", "a"}), 0) << err();
	EXPECT_NE(out().find("Address = 10.0.0.4/32\n"), std::string::npos) << out();
}

TEST_F(ExpiryTest, the_agent_takes_away_who_expires)
{
	file() = head + ann + bob_with(IN_AN_HOUR);
	start();
	fake.host.network.links = {"wg0"};
	fake.host.network.link_added_routes["wg0"] = {{test_prefix("10.7.0.0/16"), MAIN_TABLE}};
	/* One look each; the last two find nothing to do. */
	fake.host.lookout.events.assign(4, Lookout::Event::time);
	std::vector<std::string> seen;
	fake.host.lookout.on_wait = [&] {
		seen.push_back(running());
		fake.clock.milliseconds_passed += 1800 * 1000;
	};
	ASSERT_EQ(run({"agent", "wg0"}), 0) << err();
	EXPECT_EQ(seen, (std::vector<std::string>{"1 2 ", "1 2 ", "1 ", "1 "}));
	EXPECT_EQ(out(), "Bob (" + test_key_text(2) + "): expired at 2023-11-14T23:13:20Z, taken from wg0\n");
	EXPECT_EQ(err(), "");
	EXPECT_EQ(devices.changes.size(), 1u);
	EXPECT_NE(fake.host.log.joined().find("no route 10.7.0.0/16"), std::string::npos) << fake.host.log.joined();
	EXPECT_EQ(file(), head + ann + bob_with(IN_AN_HOUR));
}

/* Known within a minute; and who is given more time at the last moment stays. */
TEST_F(ExpiryTest, the_agent_reads_the_file_again)
{
	start();
	fake.host.lookout.events.assign(5, Lookout::Event::time);
	std::size_t turn = 0;
	fake.host.lookout.on_wait = [&] {
		fake.clock.milliseconds_passed += 30 * 1000;
		if (++turn == 1)
			file() = head + ann + bob_with("# Expires = 2023-11-14T22:14:50Z\n");
		/* It was read after a minute, and is not read again before he would go. */
		if (turn == 3)
			file() = head + ann + bob_with(IN_AN_HOUR);
	};
	ASSERT_EQ(run({"agent", "wg0"}), 0) << err();
	EXPECT_EQ(fake.clock.now(), parse_time("2023-11-14T22:15:50Z"));
	EXPECT_EQ(running(), "1 2 ");
	EXPECT_EQ(fake.host.store.locked.size(), 1u);
	EXPECT_EQ(out() + err(), "");
}

TEST_F(ExpiryTest, who_expires_while_the_file_is_wrong_goes_when_it_is_right)
{
	file() = head + ann + bob_with(IN_AN_HOUR);
	start();
	fake.host.lookout.events.assign(5, Lookout::Event::time);
	std::size_t turn = 0;
	fake.host.lookout.on_wait = [&] {
		fake.clock.milliseconds_passed += 30 * 60 * 1000;
		if (++turn == 1)
			file() = head + ann + bob_with("# Expires = x\n");
		if (turn == 3)
			file() = head + ann + bob_with(IN_AN_HOUR);
	};
	ASSERT_EQ(run({"agent", "wg0"}), 0);
	/* Told once. */
	EXPECT_EQ(err().find("wgctl: wg0: " + path + ":12: # Expires"), 0u) << err();
	EXPECT_EQ(err().find('\n'), err().size() - 1) << err();
	EXPECT_EQ(running(), "1 ");
}

}
