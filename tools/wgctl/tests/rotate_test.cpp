// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Rotating : testing::Test {
	FakeWorld fake;
	const std::string path = "/etc/wireguard/wg0.conf", next = "/etc/wireguard/wg0.next-key";
	std::string text = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n\n[Peer]\n# Name = Bob\nPublicKey = " + test_key_text(2) +
			   "\nAllowedIPs = 10.0.0.3/32\n";

	Rotating()
	{
		fake.files.contents[path] = text;
		fake.host.network.links = {"wg0"};
		Device &device = fake.devices.present["wg0"];
		device.private_key = test_key(8);
		Peer &bob = device.peers.emplace_back();
		bob.public_key = test_key(2);
		bob.endpoint = parse_endpoint("192.0.2.9:7", fake);
		bob.allowed_ips = {test_prefix("10.0.0.3/32")};
	}
	int run(std::vector<std::string_view> arguments) { return run_command_line(arguments, fake); }
	std::string &file() { return fake.files.contents[path]; }
	std::string replaced(const std::string &from, const std::string &to) const
	{
		std::string changed = text;
		return changed.replace(changed.find(from), from.size(), to);
	}
};

}

TEST_F(Rotating, first_the_key_is_made_and_told_but_not_used)
{
	ASSERT_EQ(run({"rotate", "wg0"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), text);
	EXPECT_TRUE(fake.devices.changes.empty());
	std::string secret = fake.files.contents[next];
	std::string new_key = plain(to_base64(public_key_of(parse_key_file(secret))));
	EXPECT_EQ(fake.terminal.out, "The new key is in " + next + "; wg0 does not use it yet.\n1. Run at the other side of each peer:\n"
				     "   wgctl rotate INTERFACE --peer " + plain(to_base64(public_key_of(test_key(8)))) + " --new-key " + new_key +
				     "\n   - Bob (" + test_key_text(2) + ")\n   From then on, that side waits for step 2.\n2. Then here:\n"
				     "   wgctl rotate wg0 --commit\nTo forget the new key instead: wgctl rotate wg0 --abort\n");
	EXPECT_EQ(fake.terminal.out.find(secret.substr(0, 44)), std::string::npos);
	ASSERT_EQ(run({"rotate", "wg0"}), 0);
	EXPECT_EQ(fake.files.contents[next], secret);
}

TEST_F(Rotating, the_line_to_run_here_is_for_this_file_and_namespace)
{
	fake.files.contents["./wg0.conf"] = text;
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	ASSERT_EQ(run({"rotate", "--netns=box", "./wg0.conf"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.terminal.out.find("\n   wgctl rotate ./wg0.conf --netns box --commit\n"), std::string::npos) << fake.terminal.out;
	EXPECT_TRUE(fake.files.contents.contains("./wg0.next-key"));
	fake.files.contents["./my files/wg0.conf"] = text;
	ASSERT_EQ(run({"rotate", "./my files/wg0.conf"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.terminal.out.find("\n   wgctl rotate './my files/wg0.conf' --commit\n"), std::string::npos) << fake.terminal.out;
}

TEST_F(Rotating, then_it_is_used_in_file_and_interface)
{
	EXPECT_EQ(run({"rotate", "wg0", "--commit"}), 1);
	fake.files.contents[next] = test_key_text(16) + "\n";
	ASSERT_EQ(run({"rotate", "wg0", "--commit"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), replaced(test_key_text(8), test_key_text(16)));
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_EQ(fake.devices.changes[0].private_key, test_key(16));
	EXPECT_TRUE(fake.devices.changes[0].peers.empty());
	EXPECT_FALSE(fake.files.contents.contains(next));
}

TEST_F(Rotating, or_it_is_forgotten)
{
	fake.files.contents[next] = test_key_text(16) + "\n";
	ASSERT_EQ(run({"rotate", "wg0", "--abort"}), 0);
	EXPECT_FALSE(fake.files.contents.contains(next));
	EXPECT_EQ(file(), text);
}

TEST_F(Rotating, the_other_side_follows_with_endpoint_and_allowed_ips)
{
	ASSERT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--new-key", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), replaced(test_key_text(2), test_key_text(3)));
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	const std::vector<Peer> &peers = fake.devices.changes[0].peers;
	ASSERT_EQ(peers.size(), 2u);
	EXPECT_TRUE(peers[0].remove && peers[0].public_key == test_key(2));
	EXPECT_EQ(peers[1].public_key, test_key(3));
	EXPECT_EQ(plain(format_endpoint(*peers[1].endpoint)), "192.0.2.9:7");
	EXPECT_EQ(peers[1].allowed_ips.size(), 1u);
}

TEST_F(Rotating, a_peer_in_several_sections_is_one_peer)
{
	file() = text += "\n[Peer]\nPublicKey = " + test_key_text(2) + "\nAllowedIPs = 10.0.0.4/32\n";
	ASSERT_EQ(run({"rotate", "wg0", "--dry-run"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.terminal.out.find("at the other side of each peer (1): "), std::string::npos) << fake.terminal.out;
	ASSERT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--new-key", test_key_text(3)}), 0) << fake.terminal.err;
	text = replaced(test_key_text(2), test_key_text(3));
	EXPECT_EQ(file(), replaced(test_key_text(2), test_key_text(3)));
}

TEST_F(Rotating, a_preshared_key_comes_from_a_descriptor)
{
	fake.files.contents["/dev/fd/3"] = test_key_text(9) + "\n";
	ASSERT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--psk-fd", "3"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), text + "PresharedKey = " + test_key_text(9) + "\n");
	ASSERT_EQ(fake.devices.changes.at(0).peers.size(), 1u);
	EXPECT_TRUE(fake.devices.changes[0].peers[0].update_only);
	EXPECT_EQ(fake.devices.changes[0].peers[0].preshared_key, test_key(9));
	EXPECT_EQ(fake.terminal.out.find(test_key_text(9)), std::string::npos);
	EXPECT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--psk-fd", "x"}), 1);
}

/* The file has been replaced, then the program was killed. */
TEST_F(Rotating, what_was_cut_off_is_finished_by_the_same_line)
{
	const std::string bob_has_moved = replaced(test_key_text(2), test_key_text(3));

	fake.files.contents[next] = test_key_text(16) + "\n";
	file() = replaced(test_key_text(8), test_key_text(16));
	EXPECT_EQ(run({"rotate", "wg0"}), 1);
	EXPECT_NE(fake.terminal.err.find("--commit finishes what was begun"), std::string::npos) << fake.terminal.err;
	EXPECT_EQ(run({"rotate", "wg0", "--abort"}), 1);
	EXPECT_TRUE(fake.files.contents.contains(next));
	EXPECT_EQ(run({"rotate", "wg0", "--commit"}), 0);
	EXPECT_EQ(fake.devices.changes.at(0).private_key, test_key(16));
	EXPECT_FALSE(fake.files.contents.contains(next));

	file() = bob_has_moved;
	fake.devices.changes.clear();
	EXPECT_EQ(run({"rotate", "wg0", "--peer", test_key_text(2), "--new-key", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), bob_has_moved);
	EXPECT_EQ(fake.devices.changes.at(0).peers.at(1).public_key, test_key(3));
	fake.devices.present["wg0"].peers[0].public_key = test_key(3);
	fake.devices.changes.clear();
	EXPECT_EQ(run({"rotate", "wg0", "--peer", test_key_text(2), "--new-key", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_TRUE(fake.devices.changes.empty());
	EXPECT_EQ(run({"rotate", "wg0", "--peer", test_key_text(4), "--new-key", test_key_text(5)}), 1);
}

TEST_F(Rotating, a_dry_run_changes_nothing)
{
	fake.files.contents["/dev/fd/3"] = test_key_text(9);
	ASSERT_EQ(run({"rotate", "wg0", "--dry-run"}), 0);
	EXPECT_FALSE(fake.files.contents.contains(next));
	fake.files.contents[next] = test_key_text(16);
	ASSERT_EQ(run({"rotate", "wg0", "--commit", "--dry-run"}), 0);
	ASSERT_EQ(run({"rotate", "wg0", "--abort", "--dry-run"}), 0);
	ASSERT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--new-key", test_key_text(3), "--dry-run"}), 0);
	ASSERT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--psk-fd=3", "--dry-run"}), 0);
	EXPECT_TRUE(fake.host.log.actions.empty()) << fake.host.log.joined();
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(Rotating, one_thing_at_a_time)
{
	EXPECT_EQ(run({"rotate", "wg0", "--commit", "--abort"}), 1);
	EXPECT_EQ(run({"rotate", "wg0", "--peer", "Bob"}), 1);
	EXPECT_EQ(run({"rotate", "wg0", "--new-key", test_key_text(3)}), 1);
	EXPECT_EQ(run({"rotate", "wg0", "--peer", "Bob", "--new-key", plain(to_base64(public_key_of(test_key(8))))}), 1);
	EXPECT_NE(fake.terminal.err.find("--new-key: that is the key of wg0 itself"), std::string::npos) << fake.terminal.err;
	EXPECT_EQ(run({"rotate", "wg0", "--netns=", "--dry-run"}), 1);
	EXPECT_EQ(file(), text);
}

TEST_F(Rotating, a_damaged_key_is_told_with_its_file)
{
	fake.files.contents[next] = "what\n";
	EXPECT_EQ(run({"rotate", "wg0", "--commit"}), 1);
	EXPECT_EQ(fake.terminal.err.find("wgctl: " + next + ": not a key"), 0u) << fake.terminal.err;
}

}
