// SPDX-License-Identifier: GPL-2.0
/* What the command `up` does besides bring_up: waiting for the peers. */
#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct UpWait : testing::Test {
	/* It becomes what it is told. */
	struct ObedientDevices : FakeDevices {
		void set(const Device &change) override { present[change.name] = change; }
	} devices;
	FakeWorld fake;
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};

	UpWait()
	{
		std::string text = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n";
		for (std::uint8_t i = 1; i < 4; ++i)
			text += "[Peer]\n# Name = peer" + std::to_string(i) + "\nPublicKey = " + test_key_text(i) + "\nAllowedIPs = 10.0.0." +
				std::to_string(i) + "/32\n" + (i < 3 ? "Endpoint = 192.0.2.7:5\n" : "");
		fake.files.contents["/etc/wireguard/wg0.conf"] = text;
	}
	/* After so many milliseconds. */
	void let_answer(std::size_t peer, std::int64_t milliseconds)
	{
		fake.clock.on_sleep = [this, peer, milliseconds, before = fake.clock.on_sleep] {
			if (before)
				before();
			if (fake.clock.monotonic() >= milliseconds)
				devices.present["wg0"].peers[peer].last_handshake.seconds = fake.clock.now();
		};
	}
	int up(std::vector<std::string_view> options)
	{
		options.insert(options.begin(), {"up", "wg0"});
		return run_command_line(options, world);
	}
	std::string last_line() const
	{
		std::string text = fake.terminal.err.substr(0, fake.terminal.err.size() - 1);
		return text.substr(text.rfind('\n') + 1);
	}
};

}

TEST_F(UpWait, it_ends_when_all_have_answered)
{
	let_answer(0, 1000);
	let_answer(1, 2000);
	EXPECT_EQ(up({"--wait"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.clock.monotonic(), 2000);
	EXPECT_EQ(fake.host.lookout.knocks, (std::vector<std::string>{"wg0 10.0.0.1:9", "wg0 10.0.0.2:9"}));
}

TEST_F(UpWait, without_it_nobody_is_waited_for)
{
	EXPECT_EQ(up({}), 0);
	EXPECT_EQ(fake.clock.monotonic(), 0);
	EXPECT_TRUE(fake.host.lookout.knocks.empty());
}

TEST_F(UpWait, who_has_not_answered_in_time_is_named)
{
	let_answer(0, 1000);
	EXPECT_EQ(up({"--wait=7"}), 1);
	EXPECT_EQ(last_line(), "wgctl: wg0 is up, but these peers have not answered in 7 s: peer2 (" + test_key_text(2) + ")");
	EXPECT_EQ(fake.clock.monotonic(), 7000);
	EXPECT_TRUE(fake.host.network.has_link("wg0"));
	/* They are knocked at again. */
	EXPECT_EQ(fake.host.lookout.knocks, (std::vector<std::string>{"wg0 10.0.0.1:9", "wg0 10.0.0.2:9", "wg0 10.0.0.2:9"}));
}

TEST_F(UpWait, it_is_half_a_minute_by_itself)
{
	EXPECT_EQ(up({"--wait"}), 1);
	EXPECT_EQ(fake.clock.monotonic(), 30000);
}

/* The agent may find where it is. */
TEST_F(UpWait, whoever_has_a_name_without_an_address_is_waited_for)
{
	std::string &file = fake.files.contents["/etc/wireguard/wg0.conf"];

	file.replace(file.rfind("192.0.2.7:5"), 11, "nobody.example:5");
	let_answer(0, 0);
	EXPECT_EQ(up({"--wait=1"}), 1);
	EXPECT_NE(last_line().find(" in 1 s: peer2 ("), std::string::npos) << last_line();
	fake.host.network.links.clear();
	let_answer(1, 2000);
	EXPECT_EQ(up({"--wait=5"}), 0) << fake.terminal.err;
}

TEST_F(UpWait, a_signal_ends_it)
{
	fake.clock.on_sleep = [this] { fake.host.shell.interruption = "add link wg0"; };
	EXPECT_EQ(up({"--wait"}), 1);
	EXPECT_EQ(fake.clock.sleeps.size(), 1u);
	EXPECT_TRUE(fake.host.network.has_link("wg0"));
}

TEST_F(UpWait, a_wrong_time_is_refused_before_anything_is_done)
{
	for (std::string_view wrong : {"--wait=0", "--wait=x", "--wait=3601", "--wait="}) {
		EXPECT_EQ(up({wrong}), 1);
		EXPECT_NE(fake.terminal.err.find("--wait"), std::string::npos);
		EXPECT_TRUE(fake.host.log.actions.empty());
		fake.terminal.err.clear();
	}
	/* What follows it is the next word. */
	EXPECT_EQ(run_command_line(std::vector<std::string_view>{"up", "--wait", "9", "wg0"}, world), 1);
	EXPECT_NE(fake.terminal.err.find("one word too many"), std::string::npos);
}

}
