// SPDX-License-Identifier: GPL-2.0
#include "config/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Saving : testing::Test {
	FakeWorld fake;
	Device device;
	LinkState link;
	std::string text;

	Saving()
	{
		text = "# head\n\n[Interface]\nPrivateKey = " + test_key_text(8) + " # secret\nListenPort=5\nAddress = 10.0.0.1/24, fd00::1/64\nDNS = 1.2.3.4\n\n"
		       "# Name = Ann\n[Peer]\nPublicKey = " + test_key_text(1) +
		       "\nEndpoint = hub.example:7 # moves\nAllowedIPs = 10.1.0.0/16,\t10.2.0.5/16\n\n# Name = Bob\n[peer]\npublickey=" + test_key_text(2) +
		       "\nallowedips=10.3.0.0/16\n# end\n";
		device.private_key = test_key(8);
		device.listen_port = 5;
		device.fwmark = 0;
		Peer &ann = add_peer(1, "10.1.0.0/16,10.2.0.0/16");
		ann.endpoint = parse_endpoint("192.0.2.9:7", fake);
		add_peer(2, "10.3.0.0/16");
		link.addresses = {test_prefix("10.0.0.1/24"), test_prefix("fd00::1/64")};
		link.mtu = 1420;
	}
	Peer &add_peer(std::uint8_t number, const char *allowed)
	{
		Peer &peer = device.peers.emplace_back();
		peer.public_key = test_key(number);
		peer.preshared_key = Key();
		peer.persistent_keepalive = 0;
		FakeTerminal terminal;
		parse_allowed_ips(allowed, peer.allowed_ips, terminal);
		return peer;
	}
	QuickConfig config()
	{
		fake.files.contents["/etc/wireguard/wg0.conf"] = text;
		return read_quick_config("wg0", fake);
	}
	std::string merged() { return plain(merged_config(config(), device, link, fake)); }
	std::string with(const std::string &from, const std::string &to) const
	{
		std::string changed = text;
		std::size_t at = changed.find(from);
		EXPECT_NE(at, std::string::npos) << from;
		return changed.replace(at, from.size(), to);
	}
};

}

TEST_F(Saving, what_still_holds_stays_to_the_letter)
{
	EXPECT_EQ(merged(), text);
}

TEST_F(Saving, an_unchanged_file_is_not_written)
{
	fake.host.network.link_addresses["wg0"] = link.addresses;
	fake.devices.present["wg0"] = device;
	save_config(config(), fake);
	EXPECT_TRUE(fake.host.log.actions.empty());
	fake.devices.present["wg0"].listen_port = 6;
	save_config(config(), fake);
	EXPECT_EQ(fake.host.log.joined(), "write /etc/wireguard/wg0.conf\n");
	EXPECT_EQ(fake.files.contents["/etc/wireguard/wg0.conf"], with("ListenPort=5", "ListenPort=6"));
}

/* Whoever had the lock before has added a peer. */
TEST_F(Saving, file_and_interface_are_read_once_nobody_else_changes_them)
{
	const std::string path = "/etc/wireguard/wg0.conf", carl = "\n[Peer]\n# Name = Carl\nPublicKey = " + test_key_text(3) + "\nAllowedIPs = 10.4.0.0/16\n";
	std::vector<std::string_view> line{"save", "wg0"};

	fake.host.network.link_addresses["wg0"] = link.addresses;
	fake.devices.present["wg0"] = device;
	config();
	fake.host.store.on_lock = [&] {
		fake.files.contents[path] += carl;
		add_peer(3, "10.4.0.0/16");
		fake.devices.present["wg0"] = device;
	};
	EXPECT_EQ(run_command_line(line, fake), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.store.locked, std::vector<std::string>{path});
	EXPECT_EQ(fake.files.contents[path], text + carl);
}

TEST_F(Saving, new_values_replace_old_ones_in_their_place)
{
	device.private_key = test_key(16);
	EXPECT_EQ(merged(), with(test_key_text(8), test_key_text(16)));
}

TEST_F(Saving, missing_values_are_added_to_their_section)
{
	device.fwmark = 16;
	device.peers[0].persistent_keepalive = 25;
	device.peers[1].preshared_key = test_key(9);
	std::string saved = merged();
	EXPECT_NE(saved.find("DNS = 1.2.3.4\nFwMark = 0x10\n\n# Name = Ann"), std::string::npos) << saved;
	EXPECT_NE(saved.find("10.2.0.5/16\nPersistentKeepalive = 25\n\n# Name = Bob"), std::string::npos) << saved;
	EXPECT_NE(saved.find("allowedips=10.3.0.0/16\nPresharedKey = " + test_key_text(9) + "\n# end\n"), std::string::npos) << saved;
}

TEST_F(Saving, values_that_are_gone_go)
{
	text = with("ListenPort=5", "ListenPort=5\nFwMark = 7");
	EXPECT_EQ(merged(), with("FwMark = 7\n", ""));
}

TEST_F(Saving, off_is_as_good_as_nothing)
{
	text = with("ListenPort=5", "ListenPort=5\nFwMark = off");
	EXPECT_EQ(merged(), text);
}

TEST_F(Saving, host_names_stay_but_addresses_follow)
{
	device.peers[0].endpoint = parse_endpoint("198.51.100.1:99", fake);
	EXPECT_EQ(merged(), text);
	text = with("hub.example:7", "192.0.2.9:7");
	EXPECT_EQ(merged(), with("192.0.2.9:7", "198.51.100.1:99"));
	text = with("192.0.2.9:7", "[2001:db8::1]:7");
	EXPECT_EQ(merged(), with("[2001:db8::1]:7", "198.51.100.1:99"));
	device.peers[0].endpoint = parse_endpoint("[2001:db8::1]:7", fake);
	text = with("[2001:db8::1]:7", "[2001:DB8:0::1]:07");
	EXPECT_EQ(merged(), text);
}

TEST_F(Saving, a_peer_that_is_gone_takes_its_comments_along)
{
	device.peers.pop_back();
	EXPECT_EQ(merged(), text.substr(0, text.find("# Name = Bob")));
}

TEST_F(Saving, a_new_peer_comes_last)
{
	add_peer(3, "10.4.0.0/16,fd00::/64").endpoint = parse_endpoint("192.0.2.9:7", fake);
	EXPECT_EQ(merged(), text + "\n[Peer]\nPublicKey = " + test_key_text(3) + "\nAllowedIPs = 10.4.0.0/16, fd00::/64\nEndpoint = 192.0.2.9:7\n");
}

TEST_F(Saving, lists_lose_and_gain_items)
{
	device.peers[0].allowed_ips = {test_prefix("10.2.0.0/16"), test_prefix("10.9.0.0/16")};
	link.addresses = {test_prefix("fd00::1/64"), test_prefix("10.0.0.7/24")};
	std::string saved = merged();
	EXPECT_NE(saved.find("AllowedIPs = 10.2.0.5/16, 10.9.0.0/16\n"), std::string::npos) << saved;
	EXPECT_NE(saved.find("Address = fd00::1/64, 10.0.0.7/24\n"), std::string::npos) << saved;
	device.peers[0].allowed_ips.clear();
	EXPECT_EQ(merged().find("AllowedIPs"), std::string::npos);
}

TEST_F(Saving, the_mtu_is_saved_only_where_it_was_set)
{
	link.mtu = 1300;
	EXPECT_EQ(merged(), text);
	text = with("DNS", "MTU = 1400\nDNS");
	EXPECT_EQ(merged(), with("MTU = 1400", "MTU = 1300"));
}

TEST_F(Saving, a_chosen_mark_is_not_saved)
{
	device.peers[0].allowed_ips.push_back(test_prefix("0.0.0.0/0"));
	device.fwmark = 51820;
	EXPECT_EQ(merged().find("FwMark"), std::string::npos);
	text = with("DNS", "FwMark = 1\nDNS");
	EXPECT_NE(merged().find("FwMark = 0xca6c\n"), std::string::npos);
}

TEST_F(Saving, what_is_saved_means_what_was_there)
{
	device.fwmark = 16;
	add_peer(3, "10.4.0.0/16").preshared_key = test_key(4);
	text = merged();
	EXPECT_EQ(merged(), text);
}

TEST_F(Saving, blanks_within_names_and_values_do_not_matter)
{
	std::string key = test_key_text(1);
	text = "[ Interface ]\nPrivate Key = " + test_key_text(8) + "\nListen Port = 0 5\nAddress = 10.0.0.1/24, fd00::1/64\n\n[ Peer ]\nPublic Key = " +
	       key.substr(0, 9) + " " + key.substr(9) + "\nEnd point = hub.example:7\nAllowed IPs = 10.1.0.0/16, 10.2.0.0/16\n";
	device.peers.pop_back();
	EXPECT_EQ(merged(), text);
	device.listen_port = 0;
	EXPECT_EQ(merged(), with("Listen Port = 0 5\n", ""));
}

/* As wg-quick reads them. */
TEST_F(Saving, blanks_separate_addresses)
{
	text = with("10.0.0.1/24, fd00::1/64", "10.0.0.1/24 fd00::1/64");
	EXPECT_EQ(merged(), text);
	link.addresses.pop_back();
	EXPECT_EQ(merged(), with("10.0.0.1/24 fd00::1/64", "10.0.0.1/24"));
}

TEST_F(Saving, text_behind_a_nul_is_a_comment)
{
	device.listen_port = 6;
	std::string nul("5\0 or so", 8);
	text = with("ListenPort=5", "ListenPort=" + nul);
	EXPECT_EQ(merged(), with(nul, std::string("6\0 or so", 8)));
}

TEST_F(Saving, interface_may_have_several_sections)
{
	text += "[Interface]\nListenPort = 6\nMTU = 1400\nAddress = 10.0.0.9/24\n";
	device.listen_port = 6;
	link.mtu = 1400;
	link.addresses.push_back(test_prefix("10.0.0.9/24"));
	EXPECT_EQ(merged(), text);
	device.listen_port = 7;
	link.mtu = 1300;
	link.addresses.pop_back();
	EXPECT_EQ(merged(), with("ListenPort = 6\nMTU = 1400\nAddress = 10.0.0.9/24\n", "ListenPort = 7\nMTU = 1300\n"));
	device.listen_port = 0;
	link.mtu = 1400;
	EXPECT_EQ(merged().find("ListenPort"), std::string::npos);
}

TEST_F(Saving, a_peer_may_have_several_sections)
{
	const std::string again = "[Peer]\nPublicKey = " + test_key_text(1) + "\n# Name = Anna\nEndpoint = new.example:8\nAllowedIPs = 10.5.0.0/16\n";

	text += again;
	device.peers[0].allowed_ips = {test_prefix("10.5.0.0/16")};
	/* Only the last list holds; the first could take prefixes from others. */
	text = with("AllowedIPs = 10.1.0.0/16,\t10.2.0.5/16\n", "");
	EXPECT_EQ(merged(), text);
	device.peers[0].persistent_keepalive = 25;
	device.peers[0].allowed_ips.push_back(test_prefix("10.1.0.0/16"));
	std::string saved = merged();
	EXPECT_NE(saved.find("# moves\nPersistentKeepalive = 25\n"), std::string::npos) << saved;
	EXPECT_TRUE(saved.ends_with("10.5.0.0/16, 10.1.0.0/16\n")) << saved;
	device.peers.erase(device.peers.begin());
	EXPECT_EQ(merged().find(test_key_text(1)), std::string::npos);
}

TEST_F(Saving, a_list_that_does_not_hold_takes_nothing_from_others)
{
	text += "[Peer]\nPublicKey = " + test_key_text(1) + "\nAllowedIPs = 10.2.0.0/16\n";
	device.peers[0].allowed_ips = {test_prefix("10.2.0.0/16")};
	EXPECT_EQ(merged(), with("10.1.0.0/16,\t10.2.0.5/16", "10.2.0.5/16"));
}

TEST_F(Saving, empty_list_that_was_there_stays)
{
	text += "AllowedIPs =\n";
	EXPECT_EQ(merged(), text);
}


/* A hub's file: as many peers as there are, or one with as many allowed IPs. */
TEST_F(Saving, four_times_as_much_takes_about_four_times_as_long)
{
	auto seconds = [&](unsigned peers, unsigned prefixes) {
		std::clock_t least = std::numeric_limits<std::clock_t>::max();
		device.peers.clear();
		text = "[Interface]\n";
		for (unsigned i = 0; i < peers; ++i) {
			Peer &peer = device.peers.emplace_back();
			std::string list;
			std::memcpy(peer.public_key.bytes.data(), &i, sizeof(i));
			for (unsigned j = 0; j < prefixes; ++j) {
				Prefix &prefix = peer.allowed_ips.emplace_back(test_prefix("10.0.0.0/32"));
				prefix.address[1] = static_cast<std::uint8_t>((i + j) >> 16);
				prefix.address[2] = static_cast<std::uint8_t>((i + j) >> 8);
				prefix.address[3] = static_cast<std::uint8_t>(i + j);
				list += (list.empty() ? "" : ", ") + format_prefix(prefix);
			}
			text += "[Peer]\nPublicKey = " + plain(to_base64(peer.public_key)) + "\nAllowedIPs = " + list + "\n";
		}
		link.addresses.clear();
		QuickConfig file = config();
		for (int round = 0; round < 3; ++round) {
			std::clock_t start = std::clock();
			merged_config(file, device, link, fake);
			least = std::min(least, std::clock() - start);
		}
		return static_cast<double>(least) / CLOCKS_PER_SEC;
	};

	EXPECT_LT(seconds(4000, 1), 10 * seconds(1000, 1));
	EXPECT_LT(seconds(1, 8000), 10 * seconds(1, 2000));
}

}
