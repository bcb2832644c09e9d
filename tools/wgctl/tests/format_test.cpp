// SPDX-License-Identifier: GPL-2.0
/* The expected texts were taken from wireguard-tools 1.0.20210914, run on the same values. */
#include "view/format.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

namespace {

Device sample()
{
	FakeWorld world;
	Device device;

	device.name = "wg0";
	device.private_key = test_key(9);
	device.public_key = test_key(8);
	device.listen_port = 51820;
	device.fwmark = 0xca6c;
	device.peers.resize(2);
	device.peers[0].public_key = test_key(1);
	device.peers[0].preshared_key = test_key(0);
	device.peers[1].public_key = test_key(2);
	device.peers[1].preshared_key = test_key(3);
	device.peers[1].endpoint = parse_endpoint("[2001:db8::1]:5", world);
	device.peers[1].allowed_ips = {test_prefix("10.0.0.0/8"), test_prefix("::/0")};
	device.peers[1].persistent_keepalive = 3725;
	device.peers[1].last_handshake = {world.clock.time - 61, 5};
	device.peers[1].rx_bytes = 1024;
	device.peers[1].tx_bytes = 1610612736;
	return device;
}


std::string pretty_line(const Device &device, const std::string &label)
{
	std::string text = plain(format_pretty(device, {}, NOW));
	std::size_t start = text.find("  " + label + ": ");
	if (start == text.npos)
		return "";
	start += label.size() + 4;
	return text.substr(start, text.find('\n', start) - start);
}

std::string transfer_of(std::uint64_t rx)
{
	Device device;
	device.peers.resize(1);
	device.peers[0].rx_bytes = rx;
	device.peers[0].tx_bytes = 1;
	return pretty_line(device, "transfer");
}

std::string age_of(std::int64_t age)
{
	Device device;
	device.peers.resize(1);
	device.peers[0].last_handshake = {NOW - age, 0};
	return pretty_line(device, "latest handshake");
}

}

TEST(Format, pretty_shows_everything_latest_handshake_first)
{
	EXPECT_EQ(plain(format_pretty(sample(), {}, NOW)), "interface: wg0\n"
						    "  public key: " + K8 + "\n"
						    "  private key: (hidden)\n"
						    "  listening port: 51820\n"
						    "  fwmark: 0xca6c\n"
						    "\n"
						    "peer: " + K2 + "\n"
						    "  preshared key: (hidden)\n"
						    "  endpoint: [2001:db8::1]:5\n"
						    "  allowed ips: 10.0.0.0/8, ::/0\n"
						    "  latest handshake: 1 minute, 1 second ago\n"
						    "  transfer: 1.00 KiB received, 1.50 GiB sent\n"
						    "  persistent keepalive: every 1 hour, 2 minutes, 5 seconds\n"
						    "\n"
						    "peer: " + K1 + "\n"
						    "  allowed ips: (none)\n");
}

TEST(Format, pretty_of_an_empty_device_is_its_name)
{
	Device device;
	device.name = "wg0";
	EXPECT_EQ(plain(format_pretty(device, {}, NOW)), "interface: wg0\n");
}

TEST(Format, keys_are_shown_on_request)
{
	std::string text = plain(format_pretty(sample(), {.colour = false, .hide_keys = false}, NOW));
	EXPECT_NE(text.find("  private key: " + K9), text.npos);
	EXPECT_NE(text.find("  preshared key: " + K3), text.npos);
}

TEST(Format, colours_are_those_of_wg)
{
	Device device = sample();
	device.peers.erase(device.peers.begin());
	device.peers[0].allowed_ips.pop_back();
	std::string text = plain(format_pretty(device, {.colour = true, .hide_keys = true}, NOW));

	EXPECT_EQ(text.find("\x1b[0m\x1b[32m\x1b[1minterface\x1b[0m: \x1b[32mwg0\x1b[0m\n  \x1b[1mpublic key\x1b[0m: "), 0u);
	EXPECT_NE(text.find("\n\x1b[33m\x1b[1mpeer\x1b[0m: \x1b[33m" + K2 + "\x1b[0m\n"), text.npos);
	EXPECT_NE(text.find("\x1b[1mallowed ips\x1b[0m: 10.0.0.0\x1b[36m/\x1b[0m8\n"), text.npos);
	EXPECT_NE(text.find(": 1 \x1b[36mminute\x1b[0m, 1 \x1b[36msecond\x1b[0m ago\n"), text.npos);
	EXPECT_NE(text.find(": 1.00 \x1b[36mKiB\x1b[0m received, 1.50 \x1b[36mGiB\x1b[0m sent\n"), text.npos);
}

TEST(Format, ages_are_counted_in_words)
{
	EXPECT_EQ(age_of(0), "Now");
	EXPECT_EQ(age_of(1), "1 second ago");
	EXPECT_EQ(age_of(3600), "1 hour ago");
	EXPECT_EQ(age_of(400 * 86400 + 3600), "1 year, 35 days, 1 hour ago");
	EXPECT_EQ(age_of(-1), "(System clock wound backward; connection problems may ensue.)");
}

TEST(Format, bytes_have_binary_units)
{
	EXPECT_EQ(transfer_of(1023), "1023 B received, 1 B sent");
	EXPECT_EQ(transfer_of(1048576), "1.00 MiB received, 1 B sent");
	EXPECT_EQ(transfer_of(1ULL << 41), "2.00 TiB received, 1 B sent");
	EXPECT_EQ(transfer_of(INT64_MAX), "8388608.00 TiB received, 1 B sent");
}

TEST(Format, peers_of_equal_age_keep_their_order)
{
	Device device;
	device.peers.resize(40);
	for (std::uint8_t i = 0; i < 40; ++i)
		device.peers[i].public_key = test_key(i);
	std::string text = plain(format_pretty(device, {}, NOW));
	std::size_t at = 0;
	for (std::uint8_t i = 0; i < 40; ++i) {
		std::size_t next = text.find(test_key_text(i));
		EXPECT_GE(next, at);
		at = next;
	}
}

TEST(Format, dump_has_a_line_for_the_device_and_each_peer)
{
	EXPECT_EQ(plain(format_field(sample(), "dump", false)),
		  K9 + "\t" + K8 + "\t51820\t0xca6c\n" + K1 + "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n" + K2 + "\t" + K3 +
			  "\t[2001:db8::1]:5\t10.0.0.0/8,::/0\t" + std::to_string(NOW - 61) + "\t1024\t1610612736\t3725\n");
	EXPECT_EQ(plain(format_field(Device(), "dump", false)), "(none)\t(none)\t0\toff\n");
}

TEST(Format, single_fields_are_those_of_wg)
{
	Device device = sample();
	const std::map<std::string, std::string> expected = {
		{"public-key", K8 + "\n"},
		{"private-key", K9 + "\n"},
		{"listen-port", "51820\n"},
		{"fwmark", "0xca6c\n"},
		{"peers", K1 + "\n" + K2 + "\n"},
		{"preshared-keys", K1 + "\t(none)\n" + K2 + "\t" + K3 + "\n"},
		{"endpoints", K1 + "\t(none)\n" + K2 + "\t[2001:db8::1]:5\n"},
		{"allowed-ips", K1 + "\t(none)\n" + K2 + "\t10.0.0.0/8 ::/0\n"},
		{"latest-handshakes", K1 + "\t0\n" + K2 + "\t" + std::to_string(NOW - 61) + "\n"},
		{"transfer", K1 + "\t0\t0\n" + K2 + "\t1024\t1610612736\n"},
		{"persistent-keepalive", K1 + "\toff\n" + K2 + "\t3725\n"},
	};

	for (const auto &[field, text] : expected)
		EXPECT_EQ(plain(format_field(device, field, false)), text) << field;
}

TEST(Format, name_stands_before_each_line_but_only_once_before_endpoints)
{
	EXPECT_EQ(plain(format_field(sample(), "peers", true)), "wg0\t" + K1 + "\nwg0\t" + K2 + "\n");
	EXPECT_EQ(plain(format_field(sample(), "endpoints", true)), "wg0\t" + K1 + "\t(none)\n" + K2 + "\t[2001:db8::1]:5\n");
}

TEST(Format, config_is_a_file_for_setconf)
{
	EXPECT_EQ(plain(format_config(sample())), "[Interface]\nListenPort = 51820\nFwMark = 0xca6c\nPrivateKey = " + K9 +
						   "\n\n[Peer]\nPublicKey = " + K1 + "\n\n[Peer]\nPublicKey = " + K2 + "\nPresharedKey = " + K3 +
						   "\nAllowedIPs = 10.0.0.0/8, ::/0\nEndpoint = [2001:db8::1]:5\nPersistentKeepalive = 3725\n");
	EXPECT_EQ(plain(format_config(Device())), "[Interface]\n\n");
}

TEST(Format, verbose_tells_why)
{
	Device device;
	device.name = "wg0";
	device.state.emplace();
	device.state->aead = "avx512";
	Peer &peer = device.peers.emplace_back();
	peer.public_key = test_key(1);
	EXPECT_EQ(plain(format_pretty(device, {.is_verbose = true}, NOW)), "interface: wg0\n  aead: avx512\n\npeer: " + K1 + "\n  allowed ips: (none)\n");
	peer.state.emplace();
	EXPECT_EQ(plain(format_pretty(device, {.is_verbose = true}, NOW)), "interface: wg0\n  aead: avx512\n\npeer: " + K1 + "\n  allowed ips: (none)\n");
	device.state->is_under_load = true;
	device.state->queued_handshakes = 3;
	device.state->cookies_sent = 4;
	device.state->drops = {{"malformed", 0}, {"bad-mac1", 5}, {"no-identity", 6}};
	*peer.state = {.awaits_response = true,
		       .next_retry = 4200,
		       .last_drop = "no-session",
		       .last_drop_age = 61'000,
		       .drops = {{"no-session", 9}},
		       .staged = 2,
		       .source = "192.0.2.9",
		       .path_mtu = 1400,
		       .sessions = {{SessionState::Slot::previous, true, 130'000, 1, 2}, {SessionState::Slot::current, false, 900, 3, 4}}};
	EXPECT_EQ(plain(format_pretty(device, {.is_verbose = true}, NOW)),
		  "interface: wg0\n  aead: avx512\n  under load: handshakes need a cookie\n  queued handshakes: 3\n  cookies sent: 4\n"
		  "  dropped: 5 bad-mac1, 6 no-identity\n\npeer: " +
			  K1 +
			  "\n  allowed ips: (none)\n"
			  "  session: previous, begun by the peer, 2 minutes, 10 seconds old, messages sent 1, received 2\n"
			  "  session: current, begun here, less than a second old, messages sent 3, received 4\n"
			  "  handshake: waiting for an answer, retry in 4 seconds\n  waiting packets: 2\n  source address: 192.0.2.9\n  path mtu: 1400\n"
			  "  dropped: 9 no-session; last: no-session, 1 minute, 1 second ago\n");
	peer.state->awaits_response = false;
	EXPECT_NE(plain(format_pretty(device, {.is_verbose = true}, NOW)).find("  handshake: starts in 4 seconds\n"), std::string::npos);
	EXPECT_EQ(plain(format_pretty(device, {}, NOW)), "interface: wg0\n\npeer: " + K1 + "\n  allowed ips: (none)\n");
}

TEST(Format, verbose_tells_policy)
{
	Device device;
	device.name = "wg0";
	device.binding = Binding{"eth0", "192.0.2.1"};
	Peer &peer = device.peers.emplace_back();
	peer.public_key = test_key(1);
	peer.policy = PeerPolicy{true, 9, 7, DSCP_INHERIT};
	EXPECT_EQ(plain(format_pretty(device, {.is_verbose = true}, NOW)),
		  "interface: wg0\n  bound to: eth0 192.0.2.1\n\npeer: " + K1 +
			  "\n  allowed ips: (none)\n  endpoint pinned: yes\n  mark of opened packets: 0x9\n  mark of outer packets: 0x7\n  dscp: inherit\n");
	device.binding = Binding();
	peer.policy = PeerPolicy();
	EXPECT_EQ(plain(format_pretty(device, {.is_verbose = true}, NOW)), "interface: wg0\n\npeer: " + K1 + "\n  allowed ips: (none)\n");
}

}
