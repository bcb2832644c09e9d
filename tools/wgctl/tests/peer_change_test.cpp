// SPDX-License-Identifier: GPL-2.0
/* Peers that are listed, renamed, edited, disabled and enabled. Those that expire: expiry_test.cpp. */
#include <gtest/gtest.h>

#include "commands/commands.h"
#include "config/edit.h"
#include "config/quick_config.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct PeerChange : testing::Test {
	FakeWorld fake;
	const std::string path = "/etc/wireguard/wg0.conf";
	const std::string head = "[Interface]\nPrivateKey = " + test_key_text(8) + "\nListenPort = 51820\nAddress = 10.0.0.1/24\n# Endpoint = vpn.example.com\n\n";
	const std::string ann = "# of Ann\n[Peer]\n# Name = Ann\nPublicKey = " + test_key_text(1) + " # hers\n\nAllowedIPs = 10.0.0.2/32, 10.1.0.0/16\n";
	const std::string bob = "# of Bob\n[Peer]\n#Name=Bob\nPublicKey = " + test_key_text(2) + "\nAllowedIPs = 10.0.0.3/32\n";
	const std::string eve = "[Peer]\nPublicKey = " + test_key_text(3) + "\nPresharedKey = " + test_key_text(9) +
				"\nEndpoint = 192.0.2.3:7\nAllowedIPs = 10.0.0.4/32\nPersistentKeepalive = 25\n";
	/* Bob's section begins right behind Ann's. */
	const std::string text = head + ann + bob + "\n" + eve;

	PeerChange() { fake.files.contents[path] = text; }
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		fake.devices.changes.clear();
		return run_command_line(arguments, fake);
	}
	/* `peer ACTION wg0 ...`, that fails with these words and changes nothing. */
	void refuses(const std::string &words, std::vector<std::string_view> arguments)
	{
		std::string before = file();

		arguments.insert(arguments.begin(), "peer");
		EXPECT_EQ(run(arguments), 1) << words;
		EXPECT_EQ(fake.terminal.err, "wgctl: " + words + "\n");
		EXPECT_EQ(file(), before);
		EXPECT_TRUE(fake.devices.changes.empty());
	}
	std::string &file() { return fake.files.contents[path]; }
	Device &device() { return fake.devices.present["wg0"]; }
	/* It is as the file says; Bob's handshake was a minute ago, and he has moved. */
	void start()
	{
		fake.host.network.links = {"wg0"};
		fake.host.network.link_addresses["wg0"] = {test_prefix("10.0.0.1/24")};
		fake.host.network.link_added_routes["wg0"] = {{test_prefix("10.1.0.0/16"), MAIN_TABLE}};
		device().name = "wg0";
		for (std::uint8_t number = 1; number < 4; ++number) {
			Peer &peer = device().peers.emplace_back();
			peer.public_key = test_key(number);
			peer.allowed_ips = {test_prefix("10.0.0." + std::to_string(number + 1) + "/32")};
		}
		device().peers[0].allowed_ips.push_back(test_prefix("10.1.0.0/16"));
		device().peers[1].endpoint = parse_endpoint("198.51.100.2:9", fake);
		device().peers[1].last_handshake.seconds = fake.clock.now() - 60;
		device().peers[2].endpoint = parse_endpoint("192.0.2.3:7", fake);
		device().peers[2].preshared_key = test_key(9);
		device().peers[2].persistent_keepalive = 25;
	}
	static std::string disabled(const std::string &section)
	{
		std::string marked;
		for_each_line(section, [&](std::string_view line) { marked += (line.empty() ? "" : "#[disabled] ") + std::string(line) + "\n"; });
		return marked;
	}
	static std::string with(std::string whole, const std::string &from, const std::string &to)
	{
		std::size_t at = whole.find(from);
		EXPECT_NE(at, std::string::npos) << from;
		return whole.replace(at, from.size(), to);
	}
	const Peer &only_change()
	{
		EXPECT_EQ(fake.devices.changes.size(), 1u);
		EXPECT_EQ(fake.devices.changes.at(0).peers.size(), 1u);
		return fake.devices.changes[0].peers.at(0);
	}
};

}

TEST_F(PeerChange, a_list_has_a_line_a_peer)
{
	const std::string key = test_key_text(3);

	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0) << fake.terminal.err;
	const std::string name = key + "  ", blanks(key.size() - 2, ' ');
	EXPECT_EQ(fake.terminal.out, "NAME" + blanks + "STATE     HANDSHAKE  ADDRESSES\n" +
				     "Ann " + blanks + "enabled   -          10.0.0.2/32, 10.1.0.0/16\n" +
				     "Bob " + blanks + "disabled  -          10.0.0.3/32\n" +
				     name + "enabled   -          10.0.0.4/32\n");
	start();
	device().peers.erase(device().peers.begin());
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0) << fake.terminal.err;
	/* He is on the interface still: somebody put him there. */
	EXPECT_EQ(fake.terminal.out, "NAME" + blanks + "STATE     HANDSHAKE  ADDRESSES\n" +
				     "Ann " + blanks + "enabled   absent     10.0.0.2/32, 10.1.0.0/16\n" +
				     "Bob " + blanks + "disabled  1m 0s      10.0.0.3/32\n" +
				     name + "enabled   never      10.0.0.4/32\n");
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(PeerChange, who_looks_waits_for_nobody)
{
	start();
	ASSERT_EQ(run({"peer", "list", "wg0"}), 0);
	ASSERT_EQ(run({"peer", "show", "wg0", "Ann"}), 0);
	EXPECT_TRUE(fake.host.store.locked.empty());
	ASSERT_EQ(run({"peer", "disable", "wg0", "Ann"}), 0);
	EXPECT_EQ(fake.host.store.locked, std::vector<std::string>{path});
}

TEST_F(PeerChange, a_file_without_private_key_has_peers_too)
{
	file() = with(text, "PrivateKey = " + test_key_text(8) + "\n", "");
	EXPECT_EQ(run({"peer", "list", "wg0"}), 0) << fake.terminal.err;
	EXPECT_EQ(run({"peer", "disable", "wg0", "Ann"}), 0) << fake.terminal.err;
	EXPECT_EQ(run({"peer", "remove", "wg0", "Ann"}), 0) << fake.terminal.err;
	EXPECT_EQ(run({"client", "wg0", "Bob"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: " + path + ": [Interface] has no PrivateKey; wgctl genkey makes one\n");
	EXPECT_EQ(run({"peer", "add", "wg0", "new"}), 1);
	EXPECT_EQ(run({"rotate", "wg0"}), 1);
}

TEST_F(PeerChange, one_peer_is_shown_with_all_that_is_known)
{
	start();
	ASSERT_EQ(run({"peer", "show", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "peer: Bob\n  public key: " + test_key_text(2) +
				     "\n  state: enabled\n  allowed ips: 10.0.0.3/32\n  present endpoint: 198.51.100.2:9\n  latest handshake: 1m 0s\n");
	ASSERT_EQ(run({"peer", "show", "wg0", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "peer: " + test_key_text(3) + "\n  state: enabled\n  preshared key: (hidden)\n  allowed ips: 10.0.0.4/32\n  endpoint: "
				     "192.0.2.3:7\n  persistent keepalive: every 25 seconds\n  present endpoint: 192.0.2.3:7\n  latest handshake: never\n");
	refuses(path + " has no peer of this name or key: `Joe'", {"show", "wg0", "Joe"});
}

TEST_F(PeerChange, a_new_name_takes_the_place_of_the_old)
{
	start();
	ASSERT_EQ(run({"peer", "rename", "wg0", "Bob", "Robert # tall"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), with(text, "#Name=Bob", "#Name=Robert # tall"));
	ASSERT_EQ(run({"peer", "rename", "wg0", test_key_text(3), "Eve"}), 0) << fake.terminal.err;
	EXPECT_EQ(plain(with_name(text, test_key(3), "Eve")), with(text, eve, with(eve, "[Peer]\n", "[Peer]\n# Name = Eve\n")));
	EXPECT_TRUE(fake.devices.changes.empty());
	/* Above the title it is a name, too. */
	file() = with(text, "# of Ann\n[Peer]\n# Name = Ann\n", "# Name = Ann\n[Peer]\n");
	ASSERT_EQ(run({"peer", "rename", "wg0", "Ann", "Anna"}), 0) << fake.terminal.err;
	EXPECT_NE(file().find("# Name = Anna\n[Peer]\nPublicKey"), std::string::npos) << file();
	refuses(path + " has a peer named `Bob' already: " + test_key_text(2), {"rename", "wg0", "Anna", "Bob"});
	EXPECT_EQ(run({"peer", "rename", "wg0", "Anna", "a\nb"}), 1);
	EXPECT_EQ(run({"peer", "rename", "wg0", "Anna", test_key_text(4)}), 1);
}

TEST_F(PeerChange, a_value_changes_in_the_file_and_on_the_interface)
{
	start();
	ASSERT_EQ(run({"peer", "edit", "wg0", "Bob", "persistentkeepalive = 21"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), with(text, "AllowedIPs = 10.0.0.3/32\n", "AllowedIPs = 10.0.0.3/32\nPersistentKeepalive = 21\n"));
	EXPECT_EQ(only_change().persistent_keepalive, 21);
	/* He is where he is, and keeps what he may send. */
	EXPECT_TRUE(only_change().update_only && !only_change().endpoint && !only_change().replace_allowed_ips && only_change().allowed_ips.empty());

	ASSERT_EQ(run({"peer", "edit", "wg0", "Ann", "AllowedIPs=10.0.0.9,10.2.0.5/16", "Endpoint=example.com:5"}), 0) << fake.terminal.err;
	EXPECT_NE(file().find("\nAllowedIPs = 10.0.0.9/32, 10.2.0.5/16\nEndpoint = example.com:5\n"), std::string::npos) << file();
	EXPECT_EQ(format_prefixes(only_change().allowed_ips), "10.0.0.9/32, 10.2.0.0/16");
	EXPECT_EQ(plain(format_endpoint(*only_change().endpoint)), "192.0.2.7:5");
	EXPECT_NE(fake.host.log.joined().find("\nroute 10.2.0.0/16 table 254\n"), std::string::npos) << fake.host.log.joined();
	EXPECT_NE(fake.host.log.joined().find("\nno route 10.1.0.0/16 table 254\n"), std::string::npos) << fake.host.log.joined();
}

/* Who gives an endpoint means it, though the peer is alive elsewhere. */
TEST_F(PeerChange, an_endpoint_that_is_given_is_taken)
{
	start();
	ASSERT_EQ(run({"peer", "edit", "wg0", "Bob", "Endpoint=192.0.2.9:9"}), 0) << fake.terminal.err;
	EXPECT_EQ(plain(format_endpoint(*only_change().endpoint)), "192.0.2.9:9");
	/* One that nobody knows is left to the agent. */
	ASSERT_EQ(run({"peer", "edit", "wg0", "Bob", "Endpoint=nowhere.example:9"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.terminal.err.find("the endpoint of peer Bob"), std::string::npos) << fake.terminal.err;
	EXPECT_TRUE(fake.devices.changes.empty());
	EXPECT_NE(file().find("Endpoint = nowhere.example:9\n"), std::string::npos);
}

TEST_F(PeerChange, signs_add_and_take_away)
{
	start();
	ASSERT_EQ(run({"peer", "edit", "wg0", "Ann", "AllowedIPs=+10.7.0.0/16", "AllowedIPs=+10.1.0.0/16,-10.0.0.2/32"}), 0) << fake.terminal.err;
	EXPECT_NE(file().find("\nAllowedIPs = 10.1.0.0/16, 10.7.0.0/16\n"), std::string::npos) << file();
	refuses("AllowedIPs: the peer has no 10.0.0.2/32", {"edit", "wg0", "Ann", "AllowedIPs=-10.0.0.2"});
}

TEST_F(PeerChange, an_empty_value_takes_the_key_out)
{
	start();
	ASSERT_EQ(run({"peer", "edit", "wg0", test_key_text(3), "PresharedKey=", "Endpoint=", "PersistentKeepalive=", "AllowedIPs="}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), head + ann + bob + "\n[Peer]\nPublicKey = " + test_key_text(3) + "\n");
	EXPECT_TRUE(only_change().preshared_key->is_zero());
	EXPECT_EQ(only_change().persistent_keepalive, 0);
	EXPECT_TRUE(only_change().replace_allowed_ips && only_change().allowed_ips.empty());
	EXPECT_FALSE(only_change().endpoint);
}

TEST_F(PeerChange, several_lines_and_sections_become_one_value)
{
	file() = text + "AllowedIPs = 10.0.0.5/32\n[Peer]\nPublicKey = " + test_key_text(3) + "\n";
	ASSERT_EQ(run({"peer", "edit", "wg0", test_key_text(3), "AllowedIPs=10.0.0.6"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), with(text, "AllowedIPs = 10.0.0.4/32\n", "") + "[Peer]\nPublicKey = " + test_key_text(3) + "\nAllowedIPs = 10.0.0.6/32\n");
}

TEST_F(PeerChange, what_cannot_be_edited_is_told_with_the_way)
{
	start();
	refuses("peer edit: not KEY=VALUE: `Endpoint' (wgctl peer edit --help)", {"edit", "wg0", "Ann", "Endpoint"});
	refuses("peer edit: KEY=VALUE is missing (wgctl peer edit --help)", {"edit", "wg0", "Ann"});
	refuses("unknown key `AlowedIPs': did you mean AllowedIPs?", {"edit", "wg0", "Ann", "AlowedIPs=10.0.0.9"});
	refuses("unknown key `Colour': there are AllowedIPs, Endpoint, PersistentKeepalive, PresharedKey", {"edit", "wg0", "Ann", "Colour=red"});
	refuses("Name: wgctl peer rename changes it", {"edit", "wg0", "Ann", "name=x"});
	refuses("PublicKey: wgctl rotate --peer changes it", {"edit", "wg0", "Ann", "PublicKey=x"});
	refuses("PresharedKey: everybody may see a command line: wgctl rotate --peer PEER --psk-fd NUMBER reads the key from an open file",
		{"edit", "wg0", "Ann", "PresharedKey=x"});
	refuses("PersistentKeepalive: neither \"off\" nor 0-65535 seconds: `x'", {"edit", "wg0", "Ann", "PersistentKeepalive=x"});
	refuses("AllowedIPs: not an IP address: `x'", {"edit", "wg0", "Ann", "AllowedIPs=x"});
	for (const char *endpoint : {"a", "a:", ":7", "a:0", "a:70000", "a b:1", "a:1 # x", "a:1\nTable = off", "[a:7", "1.2.3.256:1", "a:http",
				     "fe80::1%lo:80\n[Interface]\nPostUp = x #:80", "[fe80::1%a b]:1", "[fe80::1%a#b]:1", "1.2.3.4 \n[Interface]\nPostUp = x:80",
				     "[1.2.3.4 x]:80", "1.2.3.4%lo:1"})
		EXPECT_EQ(run({"peer", "edit", "wg0", "Ann", "Endpoint=" + std::string(endpoint)}), 1) << endpoint;
	EXPECT_EQ(file(), text);
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(PeerChange, nobodys_allowed_ip_goes_to_another)
{
	start();
	refuses("allowed IP 10.0.0.3/32 is that of peer Bob (" + test_key_text(2) + ") in " + path + " already: take it from that peer first",
		{"edit", "wg0", "Ann", "AllowedIPs=+10.0.0.3/32"});
	device().peers[2].allowed_ips.push_back(test_prefix("10.0.0.77/32"));
	refuses("allowed IP 10.0.0.77/32 is that of peer " + test_key_text(3) + " in the running wg0 already: take it from that peer first",
		{"edit", "wg0", "Ann", "AllowedIPs=+10.0.0.77/32"});
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	device().peers.erase(device().peers.begin() + 1);
	ASSERT_EQ(run({"peer", "edit", "wg0", "Ann", "AllowedIPs=+10.0.0.3/32"}), 0) << fake.terminal.err;
	refuses("allowed IP 10.0.0.3/32 is that of peer Ann (" + test_key_text(1) + ") in " + path + " already: take it from that peer first",
		{"enable", "wg0", "Bob"});
}

TEST_F(PeerChange, disabled_and_enabled_is_as_it_was)
{
	start();
	for (const auto &[name, section] : {std::pair(std::string("Ann"), ann), std::pair(std::string("Bob"), bob), std::pair(test_key_text(3), eve)}) {
		ASSERT_EQ(run({"peer", "disable", "wg0", name}), 0) << fake.terminal.err;
		EXPECT_EQ(file(), with(text, section, disabled(section)));
		EXPECT_TRUE(only_change().remove);
		std::string once = file();
		ASSERT_EQ(run({"peer", "disable", "wg0", name}), 0) << fake.terminal.err;
		EXPECT_EQ(file(), once);
		EXPECT_TRUE(fake.devices.changes.empty());
		std::erase_if(device().peers, [&](const Peer &peer) { return !peer_with(peer.public_key, parse_without_lookup(read_quick_config("wg0", fake), fake).peers); });
		ASSERT_EQ(device().peers.size(), 2u);
		ASSERT_EQ(run({"peer", "enable", "wg0", name}), 0) << fake.terminal.err;
		EXPECT_EQ(file(), text);
		EXPECT_FALSE(only_change().remove || only_change().update_only);
		EXPECT_FALSE(only_change().allowed_ips.empty());
		device().peers.clear();
		start();
	}
	ASSERT_EQ(run({"peer", "enable", "wg0", "Ann"}), 0) << fake.terminal.err;
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(PeerChange, a_disabled_peer_is_nobody_to_who_reads_the_file)
{
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_EQ(strip_quick_keys(file()).find("\n[Peer]\nPublicKey = " + Text(test_key_text(2))), Text::npos);
	EXPECT_EQ(parse_without_lookup(read_quick_config("wg0", fake), fake).peers.size(), 2u);
	/* Ann above and Eve below keep what is theirs. */
	std::string before = file();
	ASSERT_EQ(run({"peer", "remove", "wg0", "Ann"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), head + disabled(bob) + "\n" + eve);
	file() = before;
	ASSERT_EQ(run({"peer", "remove", "wg0", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), head + ann + disabled(bob));
	ASSERT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), head + ann);
}

TEST_F(PeerChange, saving_keeps_a_disabled_peer)
{
	start();
	fake.host.network.link_mtu = 1420;
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	device().peers.erase(device().peers.begin(), device().peers.begin() + 2);
	device().private_key = test_key(8);
	device().listen_port = 51820;
	ASSERT_EQ(run({"save", "wg0"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), head + disabled(bob) + "\n" + eve);
}

TEST_F(PeerChange, name_and_addresses_of_a_disabled_peer_stay_its_own)
{
	start();
	ASSERT_EQ(run({"peer", "disable", "wg0", "Ann"}), 0) << fake.terminal.err;
	device().peers.erase(device().peers.begin());
	EXPECT_EQ(run({"peer", "add", "wg0", "Ann", "--out", "x"}), 1);
	EXPECT_EQ(run({"peer", "add", "wg0", "new", "--public-key", test_key_text(1), "--out", "x"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: " + path + " has this peer already: Ann (" + test_key_text(1) + ")\n");
	ASSERT_EQ(run({"peer", "add", "wg0", "new", "--out", "x"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.files.contents["x"].find("Address = 10.0.0.5/32\n"), std::string::npos) << fake.files.contents["x"];
}

TEST_F(PeerChange, a_disabled_peer_is_edited_and_stays_disabled)
{
	start();
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	ASSERT_EQ(run({"peer", "edit", "wg0", "Bob", "PersistentKeepalive=21"}), 0) << fake.terminal.err;
	ASSERT_EQ(run({"peer", "rename", "wg0", "Bob", "Rob"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), with(text, bob, disabled(with(bob, "Bob\n[Peer]\n#Name=Bob", "Bob\n[Peer]\n#Name=Rob") + "PersistentKeepalive = 21\n")));
	EXPECT_TRUE(fake.devices.changes.empty());
	refuses("PersistentKeepalive: neither \"off\" nor 0-65535 seconds: `x'", {"edit", "wg0", "Rob", "PersistentKeepalive=x"});
}

TEST_F(PeerChange, who_is_not_let_in_gets_no_file_and_no_key)
{
	const std::string words = "wgctl: " + path + ": peer Bob (" + test_key_text(2) + ") is disabled: wgctl peer enable wg0 Bob\n", other = test_key_text(4);

	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	fake.files.contents["/dev/fd/3"] = test_key_text(6);
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{{"client", "wg0", "Bob"},
	     {"rotate", "wg0", "--peer", "Bob", "--psk-fd", "3"}, {"rotate", "wg0", "--peer", "Bob", "--new-key", other}}) {
		EXPECT_EQ(run(line), 1);
		EXPECT_EQ(fake.terminal.err, words);
	}
}

/* A kill switch is the whole file's, wherever it stands. */
TEST_F(PeerChange, disabling_a_peer_opens_no_kill_switch)
{
	file() += "# KillSwitch = yes\n";
	ASSERT_EQ(run({"peer", "disable", "wg0", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_NE(file().find("#[disabled] # KillSwitch = yes\n"), std::string::npos) << file();
	EXPECT_TRUE(read_quick_config("wg0", fake).kill_switch);
}

/* wg would read it as one of Ann's. */
TEST_F(PeerChange, a_line_that_was_enabled_by_hand_is_refused)
{
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	file() = with(file(), "#[disabled] AllowedIPs", "AllowedIPs");
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{{"up", "wg0"}, {"check", "wg0"}, {"peer", "enable", "wg0", "Bob"}}) {
		EXPECT_EQ(run(line), 1);
		EXPECT_NE((fake.terminal.out + fake.terminal.err).find(path + ":17: this stands among the lines of a disabled peer, and would be about the "
								       "section above: put `#[disabled] ' before it, or move it\n"),
			  std::string::npos)
			<< fake.terminal.out << fake.terminal.err;
	}
}

TEST_F(PeerChange, what_fails_late_leaves_nothing_behind)
{
	start();
	ASSERT_EQ(run({"peer", "disable", "wg0", "Bob"}), 0) << fake.terminal.err;
	const std::string before = file();
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{
		     {"peer", "disable", "wg0", "Ann", "--json"}, {"peer", "edit", "wg0", "Ann", "PersistentKeepalive=7", "--json"},
		     {"peer", "rename", "wg0", "Ann", "Anna", "--json"}, {"peer", "enable", "wg0", "Bob", "--json"}, {"peer", "expire", "wg0", "Ann", "0s"}}) {
		fake.terminal.is_full = true;
		EXPECT_EQ(run(line), 1) << line[1];
		EXPECT_EQ(file(), before) << line[1];
		if (line[1] != "rename" && line[1] != "enable") {
			EXPECT_EQ(fake.devices.changes.size(), 2u) << line[1];
		}
		fake.terminal.is_full = false;
		fake.devices.broken_peer = line[1] == "enable" ? test_key(2) : test_key(1);
		if (line[1] == "disable" || line[1] == "expire" || line[1] == "edit") {
			EXPECT_EQ(run(line), 1) << line[1];
			EXPECT_EQ(file(), before) << line[1];
		}
		fake.devices.broken_peer.reset();
	}
}

}
