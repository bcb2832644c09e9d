// SPDX-License-Identifier: GPL-2.0
#include "hub/hub.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "commands/commands.h"
#include "hub/pool.h"
#include "hub/qr.h"
#include "tests/fakes.h"
#include "tunnel/default_route.h"

namespace wgctl {

namespace {

struct HubTest : testing::Test {
	FakeWorld fake;
	const std::string path = "/etc/wireguard/wg0.conf";
	std::string text = "# hub\n[Interface]\n# Endpoint = vpn.example.com\nPrivateKey = " + test_key_text(8) +
			   "\nListenPort = 51820\nAddress = 10.0.0.1/24, fd00::1/64\n\n# of Ann\n[Peer]\n# Name = Ann # tall\nPublicKey = " +
			   test_key_text(1) + " # hers\nAllowedIPs = 10.0.0.2/32, fd00::2/128\n\n# of Bob\n[Peer]\n#Name=Bob\nPublicKey = " +
			   test_key_text(2) + "\nAllowedIPs = 10.0.0.3/32, 10.9.0.0/16\n";

	HubTest() { fake.files.contents[path] = text; }
	int run(std::vector<std::string_view> arguments) { return run_command_line(arguments, fake); }
	std::string &file() { return fake.files.contents[path]; }
	void start()
	{
		fake.host.network.links = {"wg0"};
		fake.host.network.link_addresses["wg0"] = {test_prefix("10.0.0.1/24"), test_prefix("fd00::1/64")};
		Device &device = fake.devices.present["wg0"];
		device.name = "wg0";
		Peer &bob = device.peers.emplace_back();
		bob.public_key = test_key(2);
		bob.allowed_ips = {test_prefix("10.0.0.3/32"), test_prefix("10.0.0.4/32"), test_prefix("10.9.0.0/16")};
	}
	std::string between(const std::string &whole, const std::string &from)
	{
		std::size_t at = whole.find(from);
		EXPECT_NE(at, std::string::npos) << whole;
		return whole.substr(at + from.size(), whole.find('\n', at) - at - from.size());
	}
};

std::string next(std::string_view network, std::string_view used)
{
	std::optional<Prefix> address = next_free_address(test_prefix(network), test_prefixes(used));
	return address ? format_prefix(*address) : "none";
}

}

TEST(Pool, the_lowest_free_address_is_next)
{
	EXPECT_EQ(next("10.0.0.0/24", ""), "10.0.0.1/32");
	EXPECT_EQ(next("10.0.0.0/24", "10.0.0.1,10.0.0.3"), "10.0.0.2/32");
	EXPECT_EQ(next("10.0.0.0/24", "10.0.0.0/25"), "10.0.0.128/32");
	EXPECT_EQ(next("fd00::/64", "fd00::1,fd00::2"), "fd00::3/128");
	EXPECT_EQ(next("::/0", ""), "::1/128");
}

TEST(Pool, a_full_network_has_none)
{
	EXPECT_EQ(next("10.0.0.0/30", "10.0.0.1,10.0.0.2"), "none");
	EXPECT_EQ(next("10.0.0.0/31", "10.0.0.0,10.0.0.1"), "none");
	EXPECT_EQ(next("10.0.0.0/31", "10.0.0.0"), "10.0.0.1/32");
	EXPECT_EQ(next("10.0.0.1/32", "10.0.0.1"), "none");
	EXPECT_EQ(next("10.0.0.1/32", "10.0.0.0/24,10.0.0.2"), "10.0.0.1/32");
	EXPECT_EQ(next("255.255.255.0/24", "255.255.255.0/25,255.255.255.128/25"), "none");
	EXPECT_EQ(next("ffff::/16", "ffff::/17,ffff:8000::/17"), "none");
}

TEST(Pool, what_leads_elsewhere_takes_no_address)
{
	EXPECT_EQ(next("10.0.0.0/24", "0.0.0.0/0,10.0.0.0/24,192.0.2.1,fd00::/8"), "10.0.0.1/32");
}

TEST_F(HubTest, a_new_peer_gets_a_name_a_key_and_the_next_addresses)
{
	ASSERT_EQ(run({"peer", "add", "wg0", "laptop"}), 0) << fake.terminal.err;
	ASSERT_TRUE(file().starts_with(text)) << file();
	std::string added = file().substr(text.size()), out = fake.terminal.out;
	std::optional<Key> secret = key_from_base64(between(out, "PrivateKey = "));
	ASSERT_TRUE(secret);
	EXPECT_EQ(added, "\n[Peer]\n# Name = laptop\nPublicKey = " + plain(to_base64(public_key_of(*secret))) +
				 "\nAllowedIPs = 10.0.0.4/32, fd00::3/128\n");
	EXPECT_EQ(out, "[Interface]\n# Name = laptop\nPrivateKey = " + plain(to_base64(*secret)) +
			       "\nAddress = 10.0.0.4/32, fd00::3/128\n\n[Peer]\nPublicKey = " + plain(to_base64(public_key_of(test_key(8)))) +
			       "\nAllowedIPs = 10.0.0.0/24, fd00::/64\nEndpoint = vpn.example.com:51820\nPersistentKeepalive = 25\n");
	EXPECT_TRUE(fake.devices.changes.empty());
}

TEST_F(HubTest, the_running_interface_gains_the_peer_and_nothing_else_changes)
{
	start();
	ASSERT_EQ(run({"peer", "add", "wg0", "phone", "--psk", "--out=phone.conf"}), 0) << fake.terminal.err;
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	const Device &change = fake.devices.changes[0];
	EXPECT_FALSE(change.replace_peers || change.private_key || change.listen_port || change.fwmark);
	ASSERT_EQ(change.peers.size(), 1u);
	/* .4 is Bob's on the running interface. */
	EXPECT_EQ(format_prefix(change.peers[0].allowed_ips[0]), "10.0.0.5/32");
	std::string psk = plain(to_base64(*change.peers[0].preshared_key));
	EXPECT_NE(file().find("PresharedKey = " + psk), std::string::npos);
	EXPECT_NE(fake.files.contents["phone.conf"].find("PresharedKey = " + psk), std::string::npos);
	EXPECT_EQ(fake.terminal.out, "");
}

TEST_F(HubTest, addresses_of_the_running_interface_are_taken_too)
{
	start();
	fake.host.network.link_addresses["wg0"] = {test_prefix("10.0.0.1/24"), test_prefix("10.0.0.5/24")};
	ASSERT_EQ(run({"peer", "add", "wg0", "phone", "--out=phone.conf"}), 0) << fake.terminal.err;
	EXPECT_EQ(between(fake.files.contents["phone.conf"], "Address = "), "10.0.0.6/32, fd00::3/128");
}

TEST_F(HubTest, a_full_network_gives_way_to_the_next)
{
	fake.files.contents[path].replace(text.find("10.0.0.1/24"), 11, "10.0.0.1/30, 10.7.0.1/24");
	ASSERT_EQ(run({"peer", "add", "wg0", "phone"}), 0) << fake.terminal.err;
	EXPECT_EQ(between(fake.terminal.out, "Address = "), "10.7.0.2/32, fd00::3/128");
	EXPECT_EQ(between(fake.terminal.out, "AllowedIPs = "), "10.0.0.0/30, 10.7.0.0/24, fd00::/64");
	EXPECT_EQ(run({"peer", "add", "wg0", "tablet", "--pool", "10.0.0.0/30"}), 1);
	EXPECT_NE(fake.terminal.err.find("all addresses of 10.0.0.0/30 are taken"), std::string::npos);
}

TEST_F(HubTest, a_file_in_the_way_is_left_alone)
{
	start();
	fake.files.contents["phone.conf"] = "mine";
	EXPECT_EQ(run({"peer", "add", "wg0", "phone", "--out=phone.conf"}), 1);
	EXPECT_EQ(fake.files.contents["phone.conf"], "mine");
	EXPECT_EQ(file(), text);
	fake.terminal.is_full = true;
	EXPECT_EQ(run({"peer", "add", "wg0", "phone", "--qr", "--out=new.conf"}), 1);
	EXPECT_FALSE(fake.files.contents.contains("new.conf"));
	EXPECT_EQ(file(), text);
}

TEST_F(HubTest, that_only_the_file_changes_is_told)
{
	ASSERT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0);
	EXPECT_EQ(fake.terminal.err, "wg0 does not run here: only the file is changed\n");
	start();
	file() = text;
	fake.terminal.err.clear();
	ASSERT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0);
	EXPECT_EQ(fake.terminal.err, "");
}

TEST_F(HubTest, the_file_is_locked_before_it_is_read)
{
	ASSERT_EQ(run({"peer", "add", "wg0", "phone"}), 0);
	EXPECT_EQ(fake.host.store.locked, std::vector<std::string>{path});
}

TEST_F(HubTest, an_interface_may_be_in_another_namespace)
{
	start();
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{{"peer", "add", "wg0", "phone", "--netns", "box"},
	     {"client", "--netns=box", "wg0", "Bob"}, {"rotate", "wg0", "--netns", "box"}, {"peer", "remove", "wg0", "phone", "--netns=box"}}) {
		fake.host.namespaces.present = 1;
		fake.host.log.actions.clear();
		EXPECT_EQ(run(line), 0) << fake.terminal.err;
		EXPECT_EQ(fake.host.log.actions.at(0), "enter 2");
	}
}

TEST_F(HubTest, a_pool_outside_gets_its_route)
{
	start();
	ASSERT_EQ(run({"peer", "add", "wg0", "far", "--pool", "172.16.0.0/30"}), 0) << fake.terminal.err;
	EXPECT_NE(fake.host.log.joined().find("route 172.16.0.1/32 table 254"), std::string::npos) << fake.host.log.joined();
}

TEST_F(HubTest, a_link_that_is_down_gets_its_peer_all_the_same)
{
	start();
	fake.host.network.link_is_up = false;
	ASSERT_EQ(run({"peer", "add", "wg0", "far", "--pool", "172.16.0.0/30"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_EQ(fake.host.log.joined().find("route "), std::string::npos) << fake.host.log.joined();
}

TEST_F(HubTest, what_fails_late_leaves_nothing_behind)
{
	start();
	fake.terminal.is_full = true;
	EXPECT_EQ(run({"peer", "add", "wg0", "phone"}), 1);
	EXPECT_EQ(file(), text);
	ASSERT_EQ(fake.devices.changes.size(), 2u);
	EXPECT_TRUE(fake.devices.changes[1].peers.at(0).remove);
}

/* As `wgctl client wg0 Bob | head -1` may have it: the old key must not be gone for a new one that nobody has. */
TEST_F(HubTest, what_nobody_reads_changes_nothing)
{
	start();
	fake.terminal.is_unread = true;
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{{"peer", "add", "wg0", "phone"}, {"client", "wg0", "Bob"}}) {
		fake.terminal.err.clear();
		EXPECT_EQ(run(line), 1);
		EXPECT_EQ(file(), text);
		EXPECT_NE(fake.terminal.err.find("undone"), std::string::npos) << fake.terminal.err;
	}
	EXPECT_EQ(fake.devices.changes.size(), 4u);
}

TEST_F(HubTest, a_key_in_a_file_for_everybody_is_worth_a_warning)
{
	fake.terminal.is_open_to_the_world = true;
	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{
		     {"peer", "add", "wg0", "phone"}, {"client", "wg0", "Bob"}, {"client", "wg0", "Bob", "--json", "--secrets"}}) {
		fake.terminal.err.clear();
		EXPECT_EQ(run(line), 0) << fake.terminal.err;
		EXPECT_NE(fake.terminal.err.find("Warning: writing to world accessible file."), std::string::npos) << line[0];
	}
}

TEST_F(HubTest, names_are_given_once)
{
	EXPECT_EQ(run({"peer", "add", "wg0", "Bob"}), 1);
	EXPECT_NE(fake.terminal.err.find("/etc/wireguard/wg0.conf has a peer named `Bob' already"), std::string::npos) << fake.terminal.err;
	EXPECT_EQ(run({"peer", "add", "wg0", "two\nlines"}), 1);
	EXPECT_EQ(run({"peer", "add", "wg0", test_key_text(3)}), 1);
	EXPECT_EQ(file(), text);
}

TEST_F(HubTest, a_peer_goes_with_its_comments_by_name_or_key)
{
	start();
	fake.host.network.link_added_routes["wg0"] = {{test_prefix("10.9.0.0/16"), MAIN_TABLE}, {test_prefix("10.8.0.0/16"), MAIN_TABLE}};
	ASSERT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), text.substr(0, text.find("\n# of Bob")));
	ASSERT_EQ(fake.devices.changes.size(), 1u);
	EXPECT_TRUE(fake.devices.changes[0].peers.at(0).remove);
	EXPECT_EQ(fake.devices.changes[0].peers[0].public_key, test_key(2));
	EXPECT_NE(fake.host.log.joined().find("no route 10.9.0.0/16"), std::string::npos);
	EXPECT_EQ(fake.host.log.joined().find("no route 10.8.0.0/16"), std::string::npos);

	file() = text;
	ASSERT_EQ(run({"peer", "remove", "wg0", test_key_text(1)}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), text.substr(0, text.find("# of Ann")) + text.substr(text.find("# of Bob")));
	EXPECT_EQ(run({"peer", "remove", "wg0", "Eve"}), 1);
}

TEST_F(HubTest, a_client_written_anew_has_a_new_key_and_its_old_addresses)
{
	start();
	ASSERT_EQ(run({"client", "wg0", "Bob", "--endpoint", "192.0.2.1:7", "--keepalive", "off"}), 0) << fake.terminal.err;
	std::string key = plain(to_base64(public_key_of(*key_from_base64(between(fake.terminal.out, "PrivateKey = ")))));
	std::string expected = text;
	EXPECT_EQ(file(), expected.replace(expected.find(test_key_text(2)), key.size(), key));
	EXPECT_NE(fake.terminal.out.find("Address = 10.0.0.3/32\n"), std::string::npos) << fake.terminal.out;
	EXPECT_NE(fake.terminal.out.find("Endpoint = 192.0.2.1:7\n"), std::string::npos);
	ASSERT_EQ(fake.devices.changes.at(0).peers.size(), 2u);
}

TEST_F(HubTest, a_client_with_networks_alone_gets_no_file)
{
	text = file().replace(file().find("10.0.0.3/32, "), std::string("10.0.0.3/32, ").size(), "");
	start();
	EXPECT_EQ(run({"client", "wg0", "Bob", "--endpoint", "192.0.2.1:7"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: /etc/wireguard/wg0.conf: peer `Bob' has networks alone in its AllowedIPs, and no address of its own for its Address: "
				     "wgctl peer edit wg0 Bob AllowedIPs=+ADDRESS\n");
	EXPECT_EQ(file(), text);
}

TEST_F(HubTest, a_client_gets_no_file_that_is_none)
{
	for (const char *option : {"--dns=foo bar", "--dns=1.2.3.4,,a", "--dns=1.2.3.256", "--dns=a..b", "--dns=-x", "--dns=", "--endpoint=", "--out=",
				   "--endpoint=foo bar:1", "--endpoint=foo bar", "--endpoint=a/b", "--endpoint=http://a:1", "--endpoint=1.2.3.256:1",
				   "--endpoint=a:0", "--endpoint=a:domain", "--endpoint=[fe80::1%a b]:1", "--endpoint=[a]b:1", "--keepalive=x",
				   "--dns=1.2.3.4 a/b", "--dns=1.2.3.4\nPostUp = x", "--dns=1.2.3.4 # x", "--endpoint=a:x y",
				   "--endpoint=a:1\nTable = off", "--endpoint=a:70000", "--endpoint=#:1", "--endpoint=:"}) {
		EXPECT_EQ(run({"peer", "add", "wg0", "new", option}), 1) << option;
		EXPECT_EQ(run({"client", "wg0", "Ann", option}), 1) << option;
	}
	EXPECT_EQ(file(), text);
	EXPECT_EQ(fake.terminal.out, "");
}

TEST_F(HubTest, what_is_wrong_with_an_option_is_told_with_its_name)
{
	const std::string own = plain(to_base64(public_key_of(test_key(8))));
	const std::map<std::string, std::string> wrong{
		{"--dns=foo bar", "--dns: neither an IP address nor a search domain, with commas between them: `foo bar'"},
		{"--endpoint=foo bar", "--endpoint: neither an IP address nor a name of DNS: `foo bar'"},
		{"--endpoint=a:b:c:", "--endpoint: neither an IP address nor a name of DNS: `a:b:c:'"},
		{"--endpoint=https://vpn.example.com",
		 "--endpoint: this is the address of a web page, not HOST:PORT: leave `https://' out: `https://vpn.example.com'"},
		{"--endpoint=a:70000", "--endpoint: the port is not 1-65535: `70000'"},
		{"--keepalive=x", "--keepalive: neither \"off\" nor 0-65535 seconds: `x'"},
		{"--pool=x", "--pool: not an IP address: `x'"},
		{"--public-key=x", "--public-key: not a key: expected 44 characters of base64, found 1"},
		{"--public-key=" + own, "--public-key: that is the key of wg0 itself; give the other side's"},
		{"--out=", "peer add: --out needs a value (wgctl peer add --help)"},
	};
	for (const auto &[option, text_of_failure] : wrong) {
		fake.terminal.err.clear();
		EXPECT_EQ(run({"peer", "add", "wg0", "new", option}), 1);
		EXPECT_EQ(fake.terminal.err, "wgctl: " + text_of_failure + "\n");
	}
	file().replace(file().find("vpn.example.com"), 15, "vpn/example.com");
	fake.terminal.err.clear();
	EXPECT_EQ(run({"peer", "add", "wg0", "new"}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: " + path + ": # Endpoint: neither an IP address nor a name of DNS: `vpn/example.com'\n");
}

TEST_F(HubTest, options_become_what_a_file_says)
{
	ASSERT_EQ(run({"peer", "add", "wg0", "new", "--dns", "10.0.0.1,fd00::1 , example.com,~corp", "--endpoint", "fe80::1%eth0"}), 0) << fake.terminal.err;
	EXPECT_EQ(between(fake.terminal.out, "DNS = "), "10.0.0.1, fd00::1, example.com, ~corp");
	EXPECT_EQ(between(fake.terminal.out, "Endpoint = "), "[fe80::1%eth0]:51820");
}

TEST_F(HubTest, values_change_where_they_stand)
{
	EXPECT_EQ(plain(with_value(text, test_key(1), "PublicKey", "X")).find("PublicKey = X # hers\n") != std::string::npos, true);
	EXPECT_NE(plain(with_value(text, test_key(2), "PresharedKey", "X")).find("10.9.0.0/16\nPresharedKey = X\n"), std::string::npos);
	EXPECT_NE(plain(with_value(text, {}, "PrivateKey", "X")).find("PrivateKey = X\nListenPort"), std::string::npos);
	EXPECT_NE(plain(with_value(text, {}, "FwMark", "7")).find("fd00::1/64\nFwMark = 7\n\n# of Ann"), std::string::npos);
}

TEST_F(HubTest, the_last_of_several_sections_counts)
{
	text += "[Interface]\nListenPort = 1\n[ Peer ]\nPublicKey = " + test_key_text(1) + "\nPersistent Keepalive = 5\n# Endpoint = b:2\n";
	EXPECT_NE(plain(with_value(text, {}, "ListenPort", "7")).find("[Interface]\nListenPort = 7\n[ Peer ]"), std::string::npos);
	EXPECT_NE(plain(with_value(text, test_key(1), "PersistentKeepalive", "7")).find("Persistent Keepalive = 7\n"), std::string::npos);
	EXPECT_EQ(values_of(text, test_key(1), "Endpoint", Spelled::either_way), std::vector<std::string>{"b:2"});
	EXPECT_EQ(plain(without_peer(text, test_key(1))).find(test_key_text(1)), std::string::npos);
}

TEST_F(HubTest, a_client_in_several_sections_is_one_client)
{
	const std::string more = "\n[Peer]\nPublicKey = " + test_key_text(2) + " # again\nPresharedKey = " + test_key_text(9) + "\nAllowedIPs = 10.0.0.7/32\n";

	file() = text + more;
	ASSERT_EQ(run({"client", "wg0", "Bob"}), 0) << fake.terminal.err;
	std::string key = plain(to_base64(public_key_of(*key_from_base64(between(fake.terminal.out, "PrivateKey = ")))));
	std::string expected = text + more;
	for (std::size_t at; (at = expected.find(test_key_text(2))) != std::string::npos;)
		expected.replace(at, key.size(), key);
	EXPECT_EQ(file(), expected);
	/* What an interface made of this file has. */
	EXPECT_EQ(between(fake.terminal.out, "Address = "), "10.0.0.7/32");
	EXPECT_EQ(between(fake.terminal.out, "PresharedKey = "), test_key_text(9));
	EXPECT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_EQ(file(), text.substr(0, text.find("\n# of Bob")));
}

TEST(Qr, the_code_is_square_and_has_a_quiet_zone)
{
	std::string code = plain(qr_code("WireGuard"));
	/* 21 modules and 8 of quiet zone, two rows to a line. */
	EXPECT_EQ(std::count(code.begin(), code.end(), '\n'), 15);
	EXPECT_TRUE(code.starts_with("\x1b[30;107m" + std::string(29, ' ') + "\x1b[0m\n")) << code;
	EXPECT_NE(failure_of([] { qr_code(std::string(5000, 'x')); }), "");
}

/* Of a PNG's data, whose compression is none. */
struct Png {
	std::size_t width = 0, height = 0;
	std::string pixels;

	static std::uint32_t number(std::string_view bytes)
	{
		std::uint32_t value = 0;
		for (unsigned char byte : bytes.substr(0, 4))
			value = value << 8 | byte;
		return value;
	}
	explicit Png(std::string_view file)
	{
		EXPECT_TRUE(file.starts_with("\x89PNG\r\n\x1a\n"));
		EXPECT_TRUE(file.ends_with(std::string_view("\0\0\0\0IEND\xae\x42\x60\x82", 12)));
		EXPECT_EQ(file.substr(8, 8), std::string_view("\0\0\0\x0dIHDR", 8));
		width = number(file.substr(16));
		height = number(file.substr(20));
		EXPECT_EQ(file.substr(24, 5), std::string_view("\1\0\0\0\0", 5));
		std::string_view data = file.substr(41, number(file.substr(33)));
		EXPECT_EQ(file.substr(37, 4), "IDAT");
		EXPECT_EQ(data.substr(0, 2), "\x78\x01");
		data.remove_prefix(2);
		for (bool is_last = false; !is_last && data.size() > 5;) {
			std::size_t size = static_cast<unsigned char>(data[1]) | static_cast<unsigned char>(data[2]) << 8;
			is_last = data[0];
			EXPECT_EQ(size ^ 0xffff, static_cast<std::size_t>(static_cast<unsigned char>(data[3]) | static_cast<unsigned char>(data[4]) << 8));
			pixels += data.substr(5, size);
			data.remove_prefix(5 + size);
		}
		EXPECT_EQ(data.size(), 4u);
	}
};

TEST(Qr, an_image_has_the_modules_of_the_code)
{
	/* Long enough for more than one block. */
	const std::string text(900, 'x');
	Png png{plain(qr_image(text, "a.png"))};
	std::size_t width = png.width / 8;

	EXPECT_EQ(png.width, png.height);
	ASSERT_EQ(png.pixels.size(), png.height * (1 + width));
	EXPECT_GT(png.pixels.size(), 65535u);
	std::string svg = plain(qr_image(text, "b.svg")), from_png, from_svg(width * width, ' ');
	for (std::size_t row = 0; row < png.height; ++row) {
		std::string line = png.pixels.substr(row * (1 + width), 1 + width);
		EXPECT_EQ(line[0], 0);
		EXPECT_EQ(row % 8 ? line : "", row % 8 ? png.pixels.substr((row - 1) * (1 + width), 1 + width) : "");
		for (std::size_t column = 0; column < width && row % 8 == 0; ++column)
			from_png += line[1 + column] ? ' ' : '#';
	}
	std::size_t at = svg.rfind("d=\"") + 3, column, row;
	for (; std::sscanf(svg.c_str() + at, "M%zu %zu.5h1", &column, &row) == 2; at = svg.find("h1", at) + 2)
		from_svg.at(row * width + column) = '#';
	EXPECT_EQ(svg.substr(at), "\"/>\n</svg>\n");
	EXPECT_EQ(from_svg, from_png);
	/* And the terminal: of the corner's square, its upper and its left edge. */
	std::string code = plain(qr_code(text));
	EXPECT_EQ(from_png.substr(4 * width, 12), "    ####### ");
	EXPECT_EQ(from_png.substr(5 * width, 12), "    #     # ");
	EXPECT_NE(code.find("\x1b[30;107m    █▀▀▀▀▀█ "), std::string::npos);
	EXPECT_NE(svg.find("viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(width) + "\""), std::string::npos);
}

TEST_F(HubTest, the_code_may_be_a_file)
{
	ASSERT_EQ(run({"peer", "add", "wg0", "phone", "--qr=phone.png"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "");
	EXPECT_TRUE(fake.files.contents["phone.png"].starts_with("\x89PNG"));
	ASSERT_EQ(run({"client", "wg0", "phone", "--qr=phone.svg", "--out", "phone.conf"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "");
	EXPECT_EQ(fake.files.contents["phone.svg"], plain(qr_image(fake.files.contents["phone.conf"], "phone.svg")));

	std::string before = file();
	EXPECT_EQ(run({"peer", "add", "wg0", "tablet", "--qr=phone.png"}), 1);
	EXPECT_NE(fake.terminal.err.find("phone.png exists already; remove it, or give another name with --qr"), std::string::npos) << fake.terminal.err;
	EXPECT_EQ(run({"peer", "add", "wg0", "tablet", "--qr=tablet.jpg"}), 1);
	EXPECT_NE(fake.terminal.err.find("--qr: an image is a FILE.png or FILE.svg, not `tablet.jpg'"), std::string::npos) << fake.terminal.err;
	/* Neither file is left of what fails. */
	EXPECT_EQ(run({"peer", "add", "wg0", "tablet", "--qr=phone.png", "--out=tablet.conf"}), 1);
	fake.terminal.is_full = true;
	EXPECT_EQ(run({"peer", "add", "wg0", "tablet", "--qr=tablet.png", "--out=tablet.conf", "--json"}), 1);
	EXPECT_FALSE(fake.files.contents.contains("tablet.conf") || fake.files.contents.contains("tablet.png"));
	EXPECT_EQ(file(), before);
}

/* The wide route of a site goes with it; who was reached by it needs one of his own. */
TEST_F(HubTest, peers_behind_a_route_that_goes_keep_a_way)
{
	start();
	file() += "\n[Peer]\nPublicKey = " + test_key_text(3) + "\nAllowedIPs = 10.9.1.7/32\n";
	Peer &other = fake.devices.present["wg0"].peers.emplace_back();
	other.public_key = test_key(3);
	other.allowed_ips = {test_prefix("10.9.1.7/32")};
	fake.host.network.link_added_routes["wg0"] = {{test_prefix("10.9.0.0/16"), MAIN_TABLE}};
	ASSERT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.network.link_added_routes["wg0"], (std::vector<Route>{{test_prefix("10.9.1.7/32"), MAIN_TABLE}}));
	EXPECT_EQ(fake.host.notes.present.at({"wg0", "routes"}), "10.9.1.7/32\n");
}

/* Without it, rules and filter would lead nowhere, and all traffic the ordinary way. */
TEST_F(HubTest, a_default_route_goes_as_a_whole)
{
	start();
	file().replace(file().find("10.9.0.0/16"), 11, "0.0.0.0/0");
	fake.files.contents["/proc/sys/net/ipv4/conf/all/src_valid_mark"] = "1\n";
	fake.devices.present["wg0"].fwmark = 51820;
	fake.devices.present["wg0"].peers[0].allowed_ips.back() = test_prefix("0.0.0.0/0");
	Steps steps(fake, Steps::Tells::failures);
	DefaultRoute("wg0", AF_INET, 51820, fake).make(steps);
	steps.keep();
	ASSERT_EQ(fake.host.network.all_rules.size(), 2u);
	ASSERT_EQ(run({"peer", "remove", "wg0", "Bob"}), 0) << fake.terminal.err;
	EXPECT_TRUE(fake.host.network.all_rules.empty());
	EXPECT_TRUE(fake.host.filter.contents.empty());
	EXPECT_TRUE(fake.host.network.link_added_routes["wg0"].empty());
	EXPECT_EQ(fake.devices.changes.back().fwmark, 0u);
}

TEST_F(HubTest, a_code_that_is_too_long_is_told_with_a_way_out)
{
	std::string list = "172.16.0.0/24";

	for (int i = 1; i < 250; ++i)
		list += ",172.16." + std::to_string(i) + ".0/24";
	EXPECT_EQ(run({"peer", "add", "wg0", "phone", "--qr", "--allowed-ips", list}), 1);
	EXPECT_NE(fake.terminal.err.find("too long for a QR code: give it with --out"), std::string::npos) << fake.terminal.err;
	EXPECT_EQ(file(), text);
}

}
