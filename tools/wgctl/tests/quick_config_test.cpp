// SPDX-License-Identifier: GPL-2.0
#include "config/quick_config.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

namespace {

struct QuickConfigs : testing::Test {
	FakeWorld fake;

	QuickConfig read(const std::string &text)
	{
		fake.files.contents["/etc/wireguard/wg0.conf"] = text;
		return read_quick_config("wg0", fake);
	}
	std::string failure(const std::string &text)
	{
		return failure_of([&] { read(text); });
	}
};

}

TEST_F(QuickConfigs, keys_of_wg_quick_are_read)
{
	QuickConfig config = read("[Interface]\nAddress = 10.0.0.1/24, fd00::1\nDNS = 10.0.0.53, example.org\nDNS=fd00::53\nMTU = 1300\n"
				  "Table = 77\nSaveConfig = true\nPreUp = a %i\nPostUp = b; c\nPostUp = %i%i\nPreDown = d\nPostDown = e=f\n");

	ASSERT_EQ(config.addresses.size(), 2u);
	EXPECT_EQ(format_prefix(config.addresses[0].prefix), "10.0.0.1/24");
	EXPECT_EQ(format_prefix(config.addresses[1].prefix), "fd00::1/128");
	EXPECT_EQ(config.addresses[1].line, 2u);
	EXPECT_EQ(config.dns_servers, (std::vector<std::string>{"10.0.0.53", "fd00::53"}));
	EXPECT_EQ(config.dns_domains, std::vector<std::string>{"example.org"});
	EXPECT_EQ(config.mtu, 1300u);
	EXPECT_EQ(config.routing, Routing::numbered);
	EXPECT_EQ(config.table, 77u);
	EXPECT_TRUE(config.save);
	ASSERT_EQ(config.post_up.size(), 2u);
	EXPECT_EQ(config.pre_up.at(0).command, "a wg0");
	EXPECT_EQ(config.post_up[0].command, "b; c");
	EXPECT_EQ(config.post_up[1].command, "wg0wg0");
	EXPECT_EQ(config.pre_down.at(0).command, "d");
	EXPECT_EQ(config.post_down.at(0).command, "e=f");
	EXPECT_EQ(config.post_down[0].line, 12u);
}

TEST_F(QuickConfigs, what_remains_keeps_its_lines)
{
	QuickConfig config = read("# x\n[Interface]\nAddress = 10.0.0.1\nFwMark = 1\n[Peer]\nMTU = 5\n");

	EXPECT_EQ(plain(config.plain_text), "# x\n[Interface]\n\nFwMark = 1\n[Peer]\nMTU = 5\n");
}

TEST_F(QuickConfigs, spelling_blanks_and_comments_do_not_matter)
{
	QuickConfig config = read("  [interface] # y\n\t address=10.0.0.1 ,10.0.0.2# z\nADDRESS =\nmtu\t=\t1400\r\npostup =  echo \"a # b\n");

	EXPECT_EQ(config.addresses.size(), 2u);
	EXPECT_EQ(config.mtu, 1400u);
	EXPECT_EQ(config.post_up.at(0).command, "echo \"a");
}

/* As wg-quick has it; joined, two addresses would be the search domain 10.0.0.5310.0.0.54. */
TEST_F(QuickConfigs, blanks_separate_as_commas_do)
{
	QuickConfig config = read("[Interface]\nAddress = 10.0.0.1/24 fd00::1/64,\t10.0.0.2\nDNS = 10.0.0.53 10.0.0.54 example.org ~corp ~.\n");

	EXPECT_EQ(config.addresses.size(), 3u);
	EXPECT_EQ(config.dns_servers, (std::vector<std::string>{"10.0.0.53", "10.0.0.54"}));
	EXPECT_EQ(config.dns_domains, (std::vector<std::string>{"example.org", "~corp", "~."}));
	for (const char *wrong : {"10.0.0.256", "1.2.3", "a..b", "-a", "~", "a/b", "..", "10.0.0.5310.0.0.54"})
		EXPECT_NE(failure(std::string("[Interface]\nDNS = ") + wrong + "\n"), "") << wrong;
}

TEST_F(QuickConfigs, errors_name_file_and_line)
{
	const std::string start = "[Interface]\n";

	EXPECT_EQ(failure(start + "Address = 10.0.0.300/24\n"),
		  "/etc/wireguard/wg0.conf:2: Address: not an IP address: `10.0.0.300/24'");
	EXPECT_EQ(failure(start + "\nAddress = 10.0.0.3/33\n"), "/etc/wireguard/wg0.conf:3: Address: prefix length is not 0-32: `10.0.0.3/33'");
	EXPECT_EQ(failure(start + "MTU = large\n"), "/etc/wireguard/wg0.conf:2: MTU: not a number of bytes: `large'");
	EXPECT_EQ(failure(start + "Table = nonsense\n"),
		  "/etc/wireguard/wg0.conf:2: Table: neither auto, off, a number, nor a name of /etc/iproute2/rt_tables: `nonsense'");
	EXPECT_EQ(failure(start + "SaveConfig = maybe\n"), "/etc/wireguard/wg0.conf:2: SaveConfig: neither true nor false: `maybe'");
	EXPECT_EQ(failure(start + "DNS = a;b\n"), "/etc/wireguard/wg0.conf:2: DNS: neither an IP address nor a search domain: `a;b'");
}

TEST_F(QuickConfigs, tables_have_names)
{
	fake.files.contents["/etc/iproute2/rt_tables"] = "# comment\n77\tblue # x\n 0x10 no\n";
	EXPECT_EQ(parse_table("main", fake.files), 254u);
	EXPECT_EQ(parse_table("0x10", fake.files), 16u);
	EXPECT_EQ(parse_table("4294967295", fake.files), 4294967295u);
	EXPECT_EQ(parse_table("blue", fake.files), 77u);
	for (const char *wrong : {"0", "", "no", "4294967296", "-1", "red"})
		EXPECT_NE(failure_of([&] { parse_table(wrong, fake.files); }), "") << wrong;
}

TEST_F(QuickConfigs, names_of_interfaces_have_rules)
{
	for (const char *right : {"wg0", "a", "A_=+.-9", "123456789012345"})
		EXPECT_TRUE(is_interface_name(right)) << right;
	for (const char *wrong : {"", "1234567890123456", "a b", "a/b", "a:b", "\xc3\xa4"})
		EXPECT_FALSE(is_interface_name(wrong)) << wrong;
}

TEST_F(QuickConfigs, a_file_is_found_by_name_or_path)
{
	fake.files.contents["/etc/wireguard/wg1.conf"] = "";
	fake.files.contents["/tmp/wg2.conf"] = "";
	fake.files.contents["here.conf"] = "";
	fake.files.contents["/tmp/a name.conf"] = "";
	fake.files.contents["/tmp/wg2.cfg"] = "";

	EXPECT_EQ(read_quick_config("wg1", fake).path, "/etc/wireguard/wg1.conf");
	EXPECT_EQ(read_quick_config("/tmp/wg2.conf", fake).interface, "wg2");
	EXPECT_EQ(read_quick_config("here.conf", fake).interface, "here");
	EXPECT_NE(failure_of([&] { read_quick_config("wg9", fake); }).find("/etc/wireguard/wg9.conf"), std::string::npos);
	for (const char *wrong : {"/tmp/a name.conf", "/tmp/wg2.cfg", "/tmp/missing.conf", "", "/"})
		EXPECT_NE(failure_of([&] { read_quick_config(wrong, fake); }), "") << wrong;
	/* Which of the rules it breaks. */
	for (const auto &[wrong, why] : std::map<std::string, std::string>{{"sixteenletters16", "it has 16 characters, and 15 are the most"},
									   {"/tmp/a name.conf", "it has only a-z A-Z 0-9 _ = + . -, not ` name'"},
									   {"/tmp/wg2.cfg", "the file's name does not end in .conf"},
									   {"/tmp/.conf", "there is no name"}})
		EXPECT_TRUE(failure_of([&] { read_quick_config(wrong, fake); }).ends_with("NAME.conf: " + why)) << wrong;
}

TEST_F(QuickConfigs, a_folder_one_may_not_look_into_is_told)
{
	fake.host.store.hidden_folder = "/etc/wireguard/";
	fake.files.contents["/etc/wireguard/wg0.conf"] = "";
	for (const char *file : {"wg0", "/etc/wireguard/wg0.conf"})
		EXPECT_EQ(failure_of([&] { read_quick_config(file, fake); }).find("/etc/wireguard/wg0.conf: Permission denied"), 0u);
	/* The one beside them is theirs. */
	fake.files.contents["wg0.conf"] = "";
	EXPECT_EQ(read_quick_config("wg0.conf", fake).path, "wg0.conf");
}

TEST_F(QuickConfigs, an_open_file_is_worth_a_warning)
{
	read("[Interface]\n");
	EXPECT_EQ(fake.terminal.err, "");
	fake.host.store.open_files = {"/etc/wireguard/wg0.conf"};
	read("[Interface]\n");
	EXPECT_NE(fake.terminal.err.find("chmod 600 /etc/wireguard/wg0.conf"), std::string::npos);
}

TEST_F(QuickConfigs, strip_does_not_judge)
{
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\nTable = nonsense\n";
	EXPECT_EQ(plain(strip_quick_keys(read_quick_text("wg0", fake))), "[Interface]\n\n");
}

TEST_F(QuickConfigs, strip_leaves_what_wg_understands)
{
	EXPECT_EQ(plain(strip_quick_keys("# a\n[Interface] # b\n  DNS=1.2.3.4\nListenPort = 5\n \n[Peer]\nAddress = x\n")),
		  "# a\n[Interface] # b\nListenPort = 5\n\n[Peer]\nAddress = x\n\n");
}

/* As the most used web interface writes it, and wg-quick takes it. */
TEST_F(QuickConfigs, what_is_empty_is_absent)
{
	QuickConfig config = read("[Interface]\nPreUp = \nPostUp = # nothing\nPreDown =\nPostDown = \nDNS = \nMTU = \nTable = \nAddress = 10.0.0.1");

	EXPECT_TRUE(config.pre_up.empty() && config.post_up.empty() && config.pre_down.empty() && config.post_down.empty());
	EXPECT_FALSE(config.mtu || config.has_dns());
	EXPECT_EQ(config.routing, Routing::automatic);
	EXPECT_EQ(config.addresses.size(), 1u);
}

TEST_F(QuickConfigs, tables_are_named_by_the_distribution_and_in_pieces)
{
	fake.files.contents["/usr/share/iproute2/rt_tables"] = "20 red\n21 blue\n";
	fake.files.contents["/etc/iproute2/rt_tables.d/vpn.conf"] = "22 blue\n";
	fake.files.contents["/etc/iproute2/rt_tables.d/vpn.off"] = "23 green\n";
	EXPECT_EQ(parse_table("red", fake.files), 20u);
	EXPECT_EQ(parse_table("blue", fake.files), 22u);
	EXPECT_NE(failure_of([&] { parse_table("green", fake.files); }), "");
}

TEST_F(QuickConfigs, a_name_server_may_have_a_zone)
{
	EXPECT_EQ(read("[Interface]\nDNS = fe80::1%eth0\n").dns_servers, std::vector<std::string>{"fe80::1%eth0"});
	for (const char *wrong : {"fe80::1%", "192.0.2.1%eth0", "%eth0", "fe80::1%a/b"})
		EXPECT_NE(failure(std::string("[Interface]\nDNS = ") + wrong + "\n"), "") << wrong;
}

}
