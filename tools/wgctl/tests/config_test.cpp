// SPDX-License-Identifier: GPL-2.0
#include "config/config.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

namespace {

Device parse(FakeWorld &world, const std::string &text, FileMeaning meaning = FileMeaning::replace)
{
	return parse_config(text, "f", meaning, world);
}

std::string failure_in(const std::string &text)
{
	FakeWorld world;
	return failure_of([&] { parse(world, text); });
}

const std::string PEER = "[Peer]\nPublicKey = " + test_key_text(1) + "\n";

}

TEST(ConfigFile, all_values_are_read)
{
	FakeWorld world;
	Device device = parse(world, "[Interface]\nPrivateKey = " + test_key_text(2) + "\nListenPort = 51820\nFwMark = 0x10\n\n" + PEER +
						"PresharedKey = " + test_key_text(3) +
						"\nEndpoint = 192.0.2.1:5\nPersistentKeepalive = 25\nAllowedIPs = 10.0.0.0/8, ::/0\nAllowedIPs = 192.0.2.0/24\n");

	EXPECT_TRUE(device.private_key == test_key(2));
	EXPECT_EQ(device.listen_port, 51820);
	EXPECT_EQ(device.fwmark, 16u);
	EXPECT_TRUE(device.replace_peers);
	ASSERT_EQ(device.peers.size(), 1u);
	const Peer &peer = device.peers[0];
	EXPECT_TRUE(peer.public_key == test_key(1));
	EXPECT_TRUE(peer.preshared_key == test_key(3));
	EXPECT_EQ(peer.endpoint->port(), 5);
	EXPECT_EQ(peer.persistent_keepalive, 25);
	EXPECT_TRUE(peer.replace_allowed_ips);
	EXPECT_EQ(peer.allowed_ips.size(), 3u);
}

TEST(ConfigFile, what_is_left_out_is_removed_when_replacing)
{
	FakeWorld world;
	Device device = parse(world, "");

	EXPECT_TRUE(device.private_key && device.private_key->is_zero());
	EXPECT_EQ(device.listen_port, 0);
	EXPECT_EQ(device.fwmark, 0u);
	EXPECT_TRUE(device.replace_peers);
}

TEST(ConfigFile, what_is_left_out_stays_when_appending)
{
	FakeWorld world;
	Device device = parse(world, PEER, FileMeaning::append);

	EXPECT_FALSE(device.private_key || device.listen_port || device.fwmark || device.replace_peers);
	EXPECT_TRUE(device.peers[0].replace_allowed_ips);
}

TEST(ConfigFile, blanks_case_and_comments_do_not_matter)
{
	FakeWorld world;
	Device device = parse(world, "# c\r\n [ inter face ] # c\n\n\tLISTEN port\t= 5 1 # c\r\nfwmark=off");

	EXPECT_EQ(device.listen_port, 51);
	EXPECT_EQ(device.fwmark, 0u);
}

TEST(ConfigFile, failures_name_file_and_line)
{
	EXPECT_EQ(failure_in("[Interface]\nFoo = 1\n"), "f:2: `Foo' is not a key of [Interface]");
	EXPECT_EQ(failure_in("\nListenPort = 1\n"), "f:2: `ListenPort' stands before any section");
	EXPECT_EQ(failure_in("[Foo]\n"), "f:1: unknown section `[Foo]'");
	EXPECT_EQ(failure_in("[Interface]\n\nListenPort\n"), "f:3: neither a section nor \"key = value\"");
	EXPECT_EQ(failure_in("[Interface]\nListenPort = # 5\n"), "f:2: `ListenPort' has no value");
	EXPECT_EQ(failure_in("[Interface]\nFwMark = x\n"), "f:2: FwMark: neither \"off\" nor 0-0xffffffff: `x'");
	EXPECT_EQ(failure_in(PEER + "ListenPort = 5\n"), "f:3: `ListenPort' is not a key of [Peer], but of [Interface]");
}

TEST(ConfigFile, failures_say_what_may_have_been_meant)
{
	EXPECT_EQ(failure_in("[Interface]\nlistenprt = 5\n"), "f:2: `listenprt' is not a key of [Interface]: did you mean ListenPort?");
	EXPECT_EQ(failure_in("[Interface]\nAdress = 10.0.0.1\n"), "f:2: `Adress' is not a key of [Interface]: did you mean Address?");
	EXPECT_EQ(failure_in("[Interface]\nMTU = 1400\n"),
		  "f:2: `MTU' is not a key of [Interface] here: wgctl strip takes out what only `up' and the like understand");
	EXPECT_EQ(failure_in("[Interface]\nEndpoint = 192.0.2.1:5\n"), "f:2: `Endpoint' is not a key of [Interface], but of [Peer]");
	EXPECT_EQ(failure_in(PEER + "Address = 10.0.0.1\n"), "f:3: `Address' is not a key of [Peer], but of [Interface]");
	EXPECT_EQ(failure_in(PEER + "AllowedIP = 10.0.0.1\n"), "f:3: `AllowedIP' is not a key of [Peer]: did you mean AllowedIPs?");
	EXPECT_EQ(failure_in("[Peers]\n"), "f:1: unknown section `[Peers]': did you mean [Peer]?");
}

TEST(ConfigFile, mistyped_secret_is_not_repeated)
{
	std::string key = test_key_text(9);
	for (const std::string &line : {"PrivateKey " + key, "PrivateKey" + key + "=", key, "PrivateKey:" + key + " = x"})
		EXPECT_EQ(failure_in("[Interface]\n" + line).find(key.substr(0, 8)), std::string::npos) << line;
	/* A name that is a little too long is one all the same. */
	EXPECT_EQ(failure_in(PEER + "PersistentKeepAlives = 5\n"), "f:3: `PersistentKeepAlives' is not a key of [Peer]: did you mean PersistentKeepalive?");
	EXPECT_EQ(failure_in(PEER + "PersistentKeepaliv3s =\n"), "f:3: this has no value");
}

TEST(ConfigFile, an_endpoint_of_ipv6_without_brackets_is_worth_a_warning)
{
	FakeWorld world;
	EXPECT_EQ(parse(world, PEER + "Endpoint = fd00::1:51820\n").peers.at(0).endpoint->port(), 51820);
	EXPECT_EQ(world.terminal.err, "Warning: f:3: an IPv6 address without brackets, taken for [fd00::1]:51820\n");
	world.terminal.err.clear();
	parse(world, PEER + "Endpoint = [fd00::1]:51820\n");
	EXPECT_EQ(world.terminal.err, "");
}

TEST(ConfigFile, peer_without_public_key_is_refused_at_its_line)
{
	EXPECT_EQ(failure_in("[Interface]\n[Peer]\n"), "f:2: this peer has no PublicKey");
	EXPECT_EQ(failure_in(PEER + "[Peer]\n" + PEER), "f:3: this peer has no PublicKey");
}

TEST(ConfigFile, text_behind_a_nul_is_not_part_of_the_line)
{
	FakeWorld world;
	EXPECT_EQ(parse(world, std::string("[Interface]\nListenPort = 5\0x\nFwMark = 3\n", 40)).fwmark, 3u);
}

TEST(ConfigFile, signs_belong_to_the_command_line)
{
	EXPECT_NE(failure_in(PEER + "AllowedIPs = -10.0.0.0/8\n"), "");
}

namespace {

Device parse_arguments(FakeWorld &world, std::vector<std::string_view> arguments)
{
	return parse_set_arguments(arguments, world);
}

}

TEST(SetArguments, all_of_them_are_read)
{
	FakeWorld world;
	std::string a = test_key_text(1), b = test_key_text(2);
	world.files.contents = {{"/k", test_key_text(9) + "\n"}, {"/dev/null", ""}};
	Device device = parse_arguments(world, {"listen-port", "5", "fwmark", "0x10", "private-key", "/k", "peer", a, "preshared-key",
						"/dev/null", "endpoint", "192.0.2.1:5", "persistent-keepalive", "off", "allowed-ips",
						"10.0.0.0/8", "peer", b, "remove"});

	EXPECT_EQ(device.listen_port, 5);
	EXPECT_EQ(device.fwmark, 16u);
	EXPECT_TRUE(device.private_key == test_key(9));
	ASSERT_EQ(device.peers.size(), 2u);
	EXPECT_TRUE(device.peers[0].preshared_key && device.peers[0].preshared_key->is_zero());
	EXPECT_EQ(device.peers[0].persistent_keepalive, 0);
	EXPECT_TRUE(device.peers[0].replace_allowed_ips);
	EXPECT_FALSE(device.peers[0].remove);
	EXPECT_TRUE(device.peers[1].remove);
	EXPECT_FALSE(device.replace_peers);
}

TEST(SetArguments, empty_allowed_ips_remove_all)
{
	FakeWorld world;
	std::string key = test_key_text(1);
	Device device = parse_arguments(world, {"peer", key, "allowed-ips", ""});

	EXPECT_TRUE(device.peers[0].replace_allowed_ips);
	EXPECT_TRUE(device.peers[0].allowed_ips.empty());
}

TEST(SetArguments, signed_allowed_ips_leave_the_others)
{
	FakeWorld world;
	std::string key = test_key_text(1);
	Device device = parse_arguments(world, {"peer", key, "allowed-ips", "-10.0.0.0/8"});

	EXPECT_FALSE(device.peers[0].replace_allowed_ips);
	EXPECT_TRUE(device.peers[0].allowed_ips[0].remove);
}

TEST(SetArguments, failures_name_the_argument)
{
	FakeWorld world;
	std::string key = test_key_text(1);
	auto failure = [&](std::vector<std::string_view> arguments) {
		return failure_of([&] { parse_arguments(world, arguments); });
	};

	EXPECT_EQ(failure({"listen-port"}).rfind("listen-port: ", 0), 0u);
	EXPECT_EQ(failure({"foo", "1"}), "foo: unknown word");
	EXPECT_EQ(failure({"fwmark", "x"}).rfind("fwmark: ", 0), 0u);
	EXPECT_EQ(failure({"remove"}).rfind("remove: ", 0), 0u);
	EXPECT_EQ(failure({"endpoint", "192.0.2.1:5"}), "endpoint: it is about a peer: peer PUBLIC-KEY stands before it");
	EXPECT_EQ(failure({"peer", key, "listen-port", "5"}), "listen-port: it is about the interface, and stands before all peers");
	EXPECT_EQ(failure({"peer", key, "endpont", "192.0.2.1:5"}), "endpont: unknown word: did you mean endpoint?");
	EXPECT_EQ(failure({"listenport", "5"}), "listenport: unknown word: did you mean listen-port?");
	EXPECT_EQ(failure({"fwmark"}), "fwmark: its value is missing");
	EXPECT_EQ(failure({"peer", key, "preshared-key", "/nowhere"}), "preshared-key: /nowhere: No such file or directory");
}

TEST(ConfigFile, what_an_editor_writes_before_the_text_does_not_matter)
{
	FakeWorld world;

	world.files.contents["f"] = "\xef\xbb\xbf[Interface]\r\n";
	EXPECT_EQ(plain(read_config_file("f", world.files)), "[Interface]\r\n");
	world.files.contents["f"] = std::string("\xff\xfe[\0I\0", 6);
	EXPECT_EQ(failure_of([&] { read_config_file("f", world.files); }), "f:1: this is UTF-16: save it as UTF-8");
	for (const std::string &unmarked : {std::string("[\0I\0", 4), std::string("\0[\0I", 4)}) {
		world.files.contents["f"] = unmarked;
		EXPECT_EQ(failure_of([&] { read_config_file("f", world.files); }), "f:1: this is UTF-16: save it as UTF-8");
	}
}

/* What is cut off could be written back. */
TEST(ConfigFile, a_file_that_is_too_long_is_no_shorter_one)
{
	FakeWorld world;

	world.files.contents["f"] = std::string(2 << 20, '#');
	EXPECT_EQ(read_config_file("f", world.files, 2 << 20).size(), std::size_t{2} << 20);
	EXPECT_EQ(failure_of([&] { read_config_file("f", world.files, (2 << 20) - 1); }), "f: larger than 1 MiB");
}

TEST(ConfigFile, characters_nobody_sees_are_told)
{
	for (const std::string &line : {std::string("Address\xc2\xa0= 10.9.0.2/24"), PEER + "AllowedIPs =\xc2\xa0" "10.9.0.0/24"})
		EXPECT_NE(failure_in("[Interface]\n" + line + "\n").find("there is an invisible character in the line, U+00A0"), std::string::npos) << line;
	EXPECT_NE(failure_in(PEER + "Endpoint = 192.0.2.1\xe2\x80\x8b:5\n").find("U+200B"), std::string::npos);
}

/* The first machine would be locked out without a word. */
TEST(ConfigFile, a_peer_without_its_title_is_worth_a_warning)
{
	FakeWorld world;
	Device device = parse(world, PEER + "AllowedIPs = 10.0.0.1\nPublicKey = " + test_key_text(2) + "\n");

	EXPECT_TRUE(device.peers.at(0).public_key == test_key(2));
	EXPECT_EQ(world.terminal.err.find("Warning: f:4: a second PublicKey"), 0u) << world.terminal.err;
	world.terminal.err.clear();
	parse(world, PEER + PEER);
	EXPECT_EQ(world.terminal.err, "");
}

TEST(ConfigFile, names_can_be_left_for_later)
{
	FakeWorld world;
	Device device = parse_config(PEER + "Endpoint = example.com:5\n[Peer]\nPublicKey = " + test_key_text(2) + "\nEndpoint = 192.0.2.1:5\n", "f",
				     FileMeaning::replace, world, Names::leave);

	EXPECT_EQ(device.peers.at(0).endpoint_name, "example.com:5");
	EXPECT_FALSE(device.peers[0].endpoint);
	EXPECT_TRUE(device.peers[1].endpoint);
	EXPECT_EQ(failure_in(PEER + "Endpoint = http://example.com:5\n"),
		  "f:3: Endpoint: this is the address of a web page, not HOST:PORT: leave `http://' out: `http://example.com:5'");
}

}
