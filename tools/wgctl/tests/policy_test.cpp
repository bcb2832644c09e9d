// SPDX-License-Identifier: GPL-2.0
#include "config/policies.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct PolicyTest : testing::Test {
	/* It becomes what it is told, as our module does. */
	struct PolicyDevices : FakeDevices {
		void set(const Device &change) override
		{
			FakeDevices::set(change);
			Device &device = present[change.name];
			order = {change.name};
			if (device.name.empty())
				device = change;
			device.binding = change.binding ? change.binding : device.binding.value_or(Binding());
			for (const Peer &peer : change.peers)
				for (Peer &there : device.peers)
					if (there.public_key == peer.public_key)
						there.policy = peer.policy ? peer.policy : there.policy.value_or(PeerPolicy());
		}
	} devices;
	FakeWorld fake;
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};
	const std::string head = "[Interface]\nPrivateKey = " + K8 + "\n", peer = "[Peer]\nPublicKey = " + K1 + "\nAllowedIPs = 10.0.0.2/32\n";

	std::string &file() { return fake.files.contents[FILE_NAME]; }
	std::string &err() { return fake.terminal.err; }
	std::string &out() { return fake.terminal.out; }
	int run(std::vector<std::string_view> line)
	{
		out().clear();
		err().clear();
		return run_command_line(line, world);
	}
	std::map<Key, PeerPolicy> parsed(const std::string &text)
	{
		QuickConfig config;
		config.path = FILE_NAME;
		config.text = Text(text);
		return parse_policies(config);
	}
};

}

TEST_F(PolicyTest, comments_of_a_peer_are_its_policy)
{
	std::map<Key, PeerPolicy> found = parsed(head + peer + "# PinEndpoint = yes\n# OpenedMark = 0x9\n#outermark=7\n# DSCP = inherit\nPersistentKeepalive = 5\n[Peer]\n# DSCP = 46\nPublicKey = " +
						K2 + "\n[Peer]\nPublicKey = " + K3 + "\n");
	ASSERT_EQ(found.size(), 2u);
	EXPECT_EQ(found[test_key(1)], (PeerPolicy{true, 9, 7, DSCP_INHERIT}));
	EXPECT_EQ(found[test_key(2)], (PeerPolicy{.dscp = 46}));
}

TEST_F(PolicyTest, what_is_wrong_with_one_names_its_line)
{
	const std::string at = FILE_NAME + ":6: # ";
	EXPECT_EQ(failure_of([&] { parsed(head + peer + "# DSCP = 64\n"); }), at + "DSCP: neither 0-63 nor inherit: `64'");
	EXPECT_EQ(failure_of([&] { parsed(head + peer + "# PinEndpoint = maybe\n"); }), at + "PinEndpoint: neither yes nor no: `maybe'");
	EXPECT_EQ(failure_of([&] { parsed(head + "# DSCP = 4\n" + peer); }), FILE_NAME + ":3: # DSCP is about a peer, and stands in no [Peer]");
	EXPECT_EQ(failure_of([&] { parsed(head + peer + "# DSCP = 4\n[Peer]\n"); }),
		  at + "DSCP right above a title is about nobody: put it behind the title of its peer");
	file() = head + "BindDevice = a/b\n";
	EXPECT_EQ(run({"up", "wg0"}), 1);
	EXPECT_NE(err().find(FILE_NAME + ":3: BindDevice: no interface can have this name: `a/b'"), std::string::npos) << err();
	file() = head + "BindAddress = 10.0.0.0/8\n";
	EXPECT_EQ(run({"check", "wg0"}), 1);
	EXPECT_NE(out().find(":3: BindAddress: one address, without a length: `10.0.0.0/8'"), std::string::npos) << out() << err();
}

TEST_F(PolicyTest, up_sets_it_and_apply_changes_it)
{
	file() = head + "# BindDevice = eth0\n# BindAddress = 192.0.2.1\nAddress = 10.0.0.1/24\n" + peer + "# DSCP = 46\n# PinEndpoint = yes\n";
	ASSERT_EQ(run({"up", "wg0"}), 0) << err();
	ASSERT_FALSE(devices.changes.empty());
	EXPECT_EQ(devices.changes[0].binding, (Binding{"eth0", "192.0.2.1"}));
	EXPECT_EQ(devices.changes[0].peers.at(0).policy, (PeerPolicy{true, 0, 0, 46}));
	fake.host.network.links = {"wg0"};
	EXPECT_EQ(run({"apply", "wg0"}), 0) << err();
	EXPECT_EQ(out(), "wg0: unchanged\n");
	devices.changes.clear();
	file() = head + "# BindDevice = eth0\n# BindAddress = 192.0.2.1\nAddress = 10.0.0.1/24\n" + peer + "# OuterMark = 5\n";
	EXPECT_EQ(run({"apply", "wg0"}), 0) << err();
	for (const char *line : {"endpoint pinned yes -> no", "mark of outer packets off -> 0x5", "dscp 46 -> 0"})
		EXPECT_NE(out().find("~ peer " + K1 + ": " + line + "\n"), std::string::npos) << line << "\n" << out();
	ASSERT_EQ(devices.changes.size(), 1u);
	EXPECT_EQ(devices.changes[0].peers.at(0).policy, (PeerPolicy{.outer_mark = 5}));
}

/* Packets with another mark would be led into the tunnel, or dropped. */
TEST_F(PolicyTest, an_outer_mark_does_not_go_with_a_default_route_or_kill_switch)
{
	for (const std::string &text : {head + "# KillSwitch = yes\n" + peer + "# OuterMark = 7\n", head + peer + "AllowedIPs = 0.0.0.0/0\n# OuterMark = 7\n"}) {
		file() = text;
		EXPECT_EQ(run({"up", "wg0"}), 1);
		EXPECT_NE(err().find("wgctl: " + FILE_NAME + ": OuterMark cannot be used with KillSwitch"), std::string::npos) << err();
	}
	file() = head + "Table = 5\n" + peer + "AllowedIPs = 0.0.0.0/0\n# OuterMark = 7\n";
	EXPECT_EQ(run({"up", "wg0"}), 0) << err();
}

/* A change of something else, too. */
TEST_F(PolicyTest, it_stays_when_the_peer_is_edited)
{
	file() = head + "Address = 10.0.0.1/24\n" + peer + "# DSCP = 46\n";
	ASSERT_EQ(run({"up", "wg0"}), 0) << err();
	fake.host.network.links = {"wg0"};
	ASSERT_EQ(run({"peer", "edit", "wg0", K1, "PersistentKeepalive=25"}), 0) << err();
	EXPECT_EQ(devices.present["wg0"].peers.at(0).policy, (PeerPolicy{.dscp = 46}));
	ASSERT_FALSE(devices.changes.empty());
	for (const Peer &changed : devices.changes.back().peers)
		EXPECT_EQ(changed.policy.value_or(PeerPolicy{.dscp = 46}), (PeerPolicy{.dscp = 46}));
}

/* Sockets are bound when they are opened. */
TEST_F(PolicyTest, a_binding_is_not_changed_under_way)
{
	file() = head + "Address = 10.0.0.1/24\n" + peer;
	ASSERT_EQ(run({"up", "wg0"}), 0) << err();
	fake.host.network.links = {"wg0"};
	file() = head + "BindAddress = 2001:db8::1\nAddress = 10.0.0.1/24\n" + peer;
	EXPECT_EQ(run({"apply", "wg0"}), 1);
	EXPECT_EQ(err(), "wgctl: " + FILE_NAME + ": BindDevice and BindAddress cannot change while the interface is up (any -> 2001:db8::1): run "
						 "wgctl down wg0 && wgctl up wg0\n");
}

}
