// SPDX-License-Identifier: GPL-2.0
#include "config/peer_names.h"

#include <gtest/gtest.h>

#include "config/config.h"
#include "tests/fakes.h"

namespace wgctl {

TEST(Names, comment_names_its_peer)
{
	PeerNames names = parse_peer_names("# Name = nobody\n[Interface]\n# Name = me\n"
					   "[Peer]\n# Name = laptop\nPublicKey = " + K1 + "\n"
					   "[Peer]\nPublicKey = " + K2 + " # a key\n\t#name=My Phone # 2\r\n\n"
					   "[Peer]\nPublicKey = " + K3 + "\n# Names = no\n#\n# Name =\n"
					   "[peer]\n# Name = first\n# Name = second\nPublicKey=" + K4);

	EXPECT_EQ(names, (PeerNames{{test_key(1), "laptop"}, {test_key(2), "My Phone # 2"}, {test_key(4), "first"}}));
}

TEST(Names, comment_right_above_a_title_is_about_that_peer)
{
	std::string text = "# Name = Ann\n[Peer]\nPublicKey = " + test_key_text(1) + "\n# Name = Bob\n#\n[Peer]\nPublicKey = " + test_key_text(2) + "\n";

	EXPECT_EQ(parse_peer_names(text), (PeerNames{{test_key(1), "Ann"}, {test_key(2), "Bob"}}));
	EXPECT_EQ(parse_peer_names(text + "# Name = Bea\n"), (PeerNames{{test_key(1), "Ann"}, {test_key(2), "Bea"}}));
	text.insert(text.find("[Peer]", 20), "\n");
	EXPECT_EQ(parse_peer_names(text), (PeerNames{{test_key(1), "Bob"}}));
	EXPECT_TRUE(parse_peer_names("# Name = me\n[Interface]\nPublicKey = " + test_key_text(1) + "\n").empty());
}

TEST(Names, named_file_is_one_wg_understands)
{
	FakeWorld fake;
	std::string text = "[Peer]\n# Name = laptop\nPublicKey = " + test_key_text(1) + "\n";

	EXPECT_EQ(parse_config(text, "f", FileMeaning::replace, fake).peers.size(), 1u);
}

TEST(Names, nothing_in_a_name_steers_the_terminal)
{
	EXPECT_EQ(name_in_comment("# Name = a\x1b[31mb\x7f"), "a?[31mb?");
	EXPECT_EQ(name_in_comment("# Name = J\xc3\xb6rg \xf0\x9f\x98\x80"), "J\xc3\xb6rg \xf0\x9f\x98\x80");
	EXPECT_EQ(name_in_comment("# Name = \xc2\x9b" "31m"), "??31m");
	for (const char *wrong : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"}) {
		std::optional<std::string> name = name_in_comment(std::string("# Name = x") + wrong);
		EXPECT_EQ(name, "x" + std::string(std::strlen(wrong), '?'));
	}
}

TEST(Names, nothing_hides_in_a_name_or_turns_it_around)
{
	EXPECT_EQ(printable("a\u202eb\u200bc\u2066d\ufeff"), "a???b???c???d???");
	EXPECT_EQ(printable("\x1b[31mJörg 日本 \u2014"), "?[31mJörg 日本 \u2014");
}

TEST(Names, unreadable_file_has_no_names)
{
	FakeWorld fake;

	EXPECT_TRUE(read_peer_names("wg0", fake).empty());
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\nPublicKey = broken\n# Name = x\n[Peer]\nPublicKey = " + test_key_text(1) + "\n# Name = y\n";
	EXPECT_EQ(read_peer_names("wg0", fake), (PeerNames{{test_key(1), "y"}}));
	fake.files.contents["/etc/wireguard/../x.conf"] = fake.files.contents["/etc/wireguard/wg0.conf"];
	EXPECT_TRUE(read_peer_names("../x", fake).empty());
}

TEST(Names, peer_is_told_by_name_and_key)
{
	EXPECT_EQ(describe_peer(test_key(1), {{test_key(1), "laptop"}}), "laptop (" + test_key_text(1) + ")");
	EXPECT_EQ(describe_peer(test_key(2), {{test_key(1), "laptop"}}), test_key_text(2));
}

}
