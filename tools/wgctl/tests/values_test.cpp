// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

TEST(Values, port_is_a_number_or_a_service)
{
	FakeResolver resolver;

	EXPECT_EQ(parse_port("0", resolver), 0);
	EXPECT_EQ(parse_port("65535", resolver), 65535);
	EXPECT_EQ(parse_port("domain", resolver), 53);
	for (const char *wrong : {"", "65536", "-1", "x", "0x10", "5 6", "99999999999"})
		EXPECT_NE(failure_of([&] { parse_port(wrong, resolver); }), "") << wrong;
	/* What the library calls it is about sockets. */
	resolver.errors = {EAI_SERVICE};
	resolver.lookups = 0;
	EXPECT_EQ(failure_of([&] { parse_port("wireguard", resolver); }), "neither a number nor a UDP service: `wireguard'");
	FakeWorld world;
	world.resolver.errors = {EAI_SERVICE};
	EXPECT_EQ(failure_of([&] { parse_endpoint("192.0.2.1:wireguard", world); }), "no such UDP service: `192.0.2.1:wireguard'");
}

TEST(Values, oversized_port_does_not_become_another_one)
{
	FakeWorld world;

	EXPECT_EQ(failure_of([&] { parse_port("65537", world.resolver); }), "port is not 0-65535: `65537'");
	EXPECT_NE(failure_of([&] { parse_endpoint("192.0.2.1:65537", world); }), "");
}

TEST(Values, fwmark_is_decimal_hexadecimal_or_off)
{
	EXPECT_EQ(parse_fwmark("off"), 0u);
	EXPECT_EQ(parse_fwmark("OFF"), 0u);
	EXPECT_EQ(parse_fwmark("010"), 10u);
	EXPECT_EQ(parse_fwmark("0xffffffff"), 0xffffffffu);
	for (const char *wrong : {"", "0x", "0X1", "0x100000000", "4294967296", "-1", "+1", " 1", "1 ", "0xg"})
		EXPECT_NE(failure_of([&] { parse_fwmark(wrong); }), "") << wrong;
}

TEST(Values, keepalive_is_seconds_or_off)
{
	EXPECT_EQ(parse_keepalive("off"), 0);
	EXPECT_EQ(parse_keepalive("65535"), 65535);
	for (const char *wrong : {"", "65536", "-1", "1s", "0x1", " 1"})
		EXPECT_NE(failure_of([&] { parse_keepalive(wrong); }), "") << wrong;
}

TEST(Values, empty_key_file_removes_the_key)
{
	EXPECT_TRUE(parse_key_file("").is_zero());
}

TEST(Values, key_file_is_one_key_and_blanks)
{
	std::string key = test_key_text(7);

	EXPECT_TRUE(parse_key_file(key) == test_key(7));
	EXPECT_TRUE(parse_key_file(key + " \t\r\n\n") == test_key(7));
	for (const std::string &wrong : {key + "x", key + "\nx", " " + key, key.substr(1), std::string(" "), key + std::string(1, '\0')})
		EXPECT_NE(failure_of([&] { parse_key_file(wrong); }), "") << wrong;
}

TEST(Values, failure_does_not_repeat_a_secret)
{
	std::string key = test_key_text(7).substr(1);
	EXPECT_EQ(failure_of([&] { parse_key(key); }).find(key.substr(0, 8)), std::string::npos);
}

TEST(Values, endpoint_is_split_at_the_right_colon)
{
	FakeWorld world;

	EXPECT_EQ(format_endpoint(parse_endpoint("192.0.2.1:5", world)), "192.0.2.1:5");
	EXPECT_EQ(format_endpoint(parse_endpoint("[2001:db8::1]:5", world)), "[2001:db8::1]:5");
	EXPECT_EQ(format_endpoint(parse_endpoint("2001:db8::1:5", world)), "[2001:db8::1]:5");
	EXPECT_EQ(format_endpoint(parse_endpoint("[192.0.2.1]:5", world)), "192.0.2.1:5");
	EXPECT_EQ(format_endpoint(parse_endpoint("example.com:5", world)), "192.0.2.7:5");
	for (const char *wrong : {"", "192.0.2.1", "192.0.2.1:", "[::1]", "[::1", "[::1]5", "[::1]:", "nobody:5"})
		EXPECT_NE(failure_of([&] { parse_endpoint(wrong, world); }), "") << wrong;
}

TEST(Values, lookup_is_repeated_with_growing_pauses)
{
	FakeWorld world;

	world.resolver.errors = {EAI_AGAIN, EAI_AGAIN, EAI_AGAIN};
	EXPECT_EQ(parse_endpoint("192.0.2.1:5", world).port(), 5);
	EXPECT_EQ(world.clock.sleeps, (std::vector<std::int64_t>{1000, 1200, 1440}));
	EXPECT_NE(world.terminal.err.find("Trying again in 1.20 seconds...\n"), std::string::npos);
}

TEST(Values, lookup_is_repeated_fifteen_times_at_most)
{
	FakeWorld world;

	world.resolver.errors.assign(100, EAI_AGAIN);
	EXPECT_NE(failure_of([&] { parse_endpoint("192.0.2.1:5", world); }), "");
	EXPECT_EQ(world.resolver.lookups, 16u);
	EXPECT_LE(world.clock.sleeps.back(), 20000);
}

TEST(Values, number_of_lookups_comes_from_the_environment)
{
	for (const auto &[retries, lookups] : std::map<std::string, std::size_t>{{"0", 1}, {"2", 3}, {"", 1}, {"infinity", 51}}) {
		FakeWorld world;
		world.environment.variables["WG_ENDPOINT_RESOLUTION_RETRIES"] = retries;
		world.resolver.errors.assign(50, EAI_AGAIN);
		failure_of([&] { parse_endpoint("192.0.2.1:5", world); });
		EXPECT_EQ(world.resolver.lookups, lookups) << retries;
	}
	FakeWorld world;
	world.environment.variables["WG_ENDPOINT_RESOLUTION_RETRIES"] = "x";
	EXPECT_NE(failure_of([&] { parse_endpoint("192.0.2.1:5", world); }), "");
}

TEST(Values, permanent_lookup_failure_is_not_repeated)
{
	for (int error : {EAI_NONAME, EAI_FAIL, EAI_SERVICE, EAI_NODATA}) {
		FakeWorld world;
		world.resolver.errors.assign(50, error);
		EXPECT_NE(failure_of([&] { parse_endpoint("192.0.2.1:5", world); }), "");
		EXPECT_EQ(world.resolver.lookups, 1u);
	}
}

TEST(Values, allowed_ips_are_a_list)
{
	FakeTerminal terminal;
	std::vector<Prefix> list;

	parse_allowed_ips("10.0.0.0/8, ::/0,192.0.2.1 , 2001:db8::1/128", list, terminal);
	ASSERT_EQ(list.size(), 4u);
	EXPECT_EQ(format_prefix(list[0]), "10.0.0.0/8");
	EXPECT_EQ(format_prefix(list[1]), "::/0");
	EXPECT_EQ(format_prefix(list[2]), "192.0.2.1/32");
	EXPECT_EQ(format_prefix(list[3]), "2001:db8::1/128");
	EXPECT_EQ(terminal.err, "");
	parse_allowed_ips(" ", list, terminal);
	EXPECT_EQ(list.size(), 4u);
}

TEST(Values, bad_allowed_ips_are_refused)
{
	FakeTerminal terminal;
	std::vector<Prefix> list;

	for (const char *wrong : {",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "x",
				  "10.0.0.0/8/8", "fe80::1%lo/64", "+10.0.0.0/8"})
		EXPECT_NE(failure_of([&] { parse_allowed_ips(wrong, list, terminal); }), "") << wrong;
}

TEST(Values, host_bits_are_worth_a_warning)
{
	FakeTerminal terminal;
	std::vector<Prefix> list;

	parse_allowed_ips("10.0.0.1/31", list, terminal);
	EXPECT_EQ(terminal.err, "Warning: AllowedIP has nonzero host part: 10.0.0.1/31\n");
}

TEST(Values, signs_make_a_list_a_difference)
{
	FakeTerminal terminal;
	std::vector<Prefix> list;

	EXPECT_TRUE(parse_signed_allowed_ips("+10.0.0.0/8,-::/0", list, terminal));
	EXPECT_FALSE(list[0].remove);
	EXPECT_TRUE(list[1].remove);
	EXPECT_FALSE(parse_signed_allowed_ips("10.0.0.0/8", list, terminal));
	EXPECT_FALSE(parse_signed_allowed_ips("", list, terminal));
	EXPECT_NE(failure_of([&] { parse_signed_allowed_ips("10.0.0.0/8,-::/0", list, terminal); }), "");
}

TEST(Values, a_word_of_a_shell_stays_one)
{
	EXPECT_EQ(shell_word("/etc/wireguard/wg0.conf"), "/etc/wireguard/wg0.conf");
	EXPECT_EQ(shell_word("my file"), "'my file'");
	EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
	EXPECT_EQ(shell_word(""), "''");
}

TEST(Values, control_characters_do_not_reach_the_terminal)
{
	EXPECT_EQ(in_quotes("a\x1b[31mb"), "`a?[31mb'");
}

/* Nobody is asked for what cannot be a name. */
TEST(Values, host_that_is_none_is_refused_at_once)
{
	FakeWorld world;

	for (const char *wrong : {"http://vpn.example.net:8000:51820", "https://vpn.example.net:51820", "vpn.example.net:51820/udp", "\"vpn.example.net:51820\"",
				  "user@vpn.example.net:51820", "vpn..example.net:51820", "192.0.2.300:51820", "<your server>:51820", ":5", "[]:5", "2001:db8::1"})
		EXPECT_NE(failure_of([&] { split_endpoint(wrong); }), "") << wrong;
	EXPECT_TRUE(split_endpoint("vpn_1.example.net:5").is_name);
	for (const char *number : {"192.0.2.1:5", "127.1:5", "[::1]:5", "[fe80::1%lo]:65535"})
		EXPECT_FALSE(split_endpoint(number).is_name) << number;
}

TEST(Values, names_share_the_pauses_between_lookups)
{
	FakeWorld world;
	std::vector<Peer> peers(2);

	for (std::uint8_t i = 0; i < 2; ++i) {
		peers[i].public_key = test_key(i);
		peers[i].endpoint_name = i ? "nobody.example:5" : "example.com:5";
	}
	world.resolver.errors = {EAI_AGAIN, EAI_AGAIN, EAI_AGAIN};
	std::map<Key, std::string> failures = look_up_names(peers, Patience::retries, world);
	EXPECT_EQ(world.clock.sleeps, (std::vector<std::int64_t>{1000, 1200}));
	EXPECT_EQ(plain(format_endpoint(peers[0].endpoint.value())), "192.0.2.7:5");
	ASSERT_EQ(failures.size(), 1u);
	EXPECT_NE(failures[test_key(1)].find("nobody.example:5"), std::string::npos);
	EXPECT_FALSE(peers[1].endpoint);
}

/* At boot, a site whose server is gone must not keep the machine from all the others. */
TEST(Values, whoever_has_an_address_does_not_wait_long_for_others)
{
	FakeWorld world;
	std::vector<Peer> peers(2);

	world.environment.variables["WG_ENDPOINT_RESOLUTION_RETRIES"] = "infinity";
	world.resolver.silent = {"silent.example"};
	for (std::uint8_t i = 0; i < 2; ++i) {
		peers[i].public_key = test_key(i);
		peers[i].endpoint_name = i ? "silent.example:5" : "example.com:5";
	}
	EXPECT_EQ(look_up_names(peers, Patience::retries, world).size(), 1u);
	EXPECT_EQ(world.clock.sleeps.size(), 3u);
	/* One that is no name counts, too. */
	EXPECT_EQ(look_up_names(peers, Patience::retries, world).size(), 1u);
	EXPECT_EQ(world.clock.sleeps.size(), 6u);
	/* Alone, it is tried as often as it is told. */
	peers.erase(peers.begin());
	world.environment.variables["WG_ENDPOINT_RESOLUTION_RETRIES"] = "5";
	EXPECT_EQ(look_up_names(peers, Patience::retries, world).size(), 1u);
	EXPECT_EQ(world.clock.sleeps.size(), 11u);
}

/* Each would wait as long as the first for a server that does not answer. */
TEST(Values, without_patience_one_silence_is_enough)
{
	FakeWorld world;
	std::vector<Peer> peers(3);

	for (std::uint8_t i = 0; i < 3; ++i) {
		peers[i].public_key = test_key(i);
		peers[i].endpoint_name = "example.com:5";
	}
	world.resolver.errors = {EAI_AGAIN};
	EXPECT_EQ(look_up_names(peers, Patience::none, world).size(), 3u);
	EXPECT_EQ(world.resolver.lookups, 1u);
	EXPECT_TRUE(world.clock.sleeps.empty());
}

TEST(Values, length_of_a_network_may_be_a_mask)
{
	EXPECT_EQ(format_prefix(parse_address("10.0.0.1/255.255.255.0")), "10.0.0.1/24");
	EXPECT_EQ(format_prefix(parse_address("10.0.0.1/255.255.255.255")), "10.0.0.1/32");
	EXPECT_EQ(format_prefix(parse_address("10.0.0.1/0.0.0.0")), "10.0.0.1/0");
	for (const char *wrong : {"10.0.0.1/255.0.255.0", "10.0.0.1/255.255.255", "fd00::1/255.255.255.0", "10.0.0.1/0.0.0.255"})
		EXPECT_NE(failure_of([&] { parse_address(wrong); }), "") << wrong;
}

TEST(Values, characters_nobody_sees_have_a_name)
{
	EXPECT_EQ(unseen_character("Address\xc2\xa0= 10.0.0.1"), "U+00A0");
	EXPECT_EQ(unseen_character("x\xe2\x80\x8b"), "U+200B");
	EXPECT_EQ(unseen_character("\xef\xbb\xbf[Interface]"), "U+FEFF");
	for (const char *seen : {"", "Address = 10.0.0.1", "\xc3\xa4", "\xe2\x82\xac", "\xe2", "\xc2"})
		EXPECT_EQ(unseen_character(seen), "") << seen;
}

}
