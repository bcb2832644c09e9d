// SPDX-License-Identifier: GPL-2.0
#include "host/resolv_conf.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"
#include "tunnel/interface_dns.h"

namespace wgctl {

namespace {

const std::string PATH = "/etc/netns/box/resolv.conf";

/* A namespace with a name, and two interfaces in it. */
struct NamespaceDns : testing::Test {
	FakeWorld fake;
	Placement placement;
	InterfaceDns one, two;
	std::map<std::string, std::string> &files = fake.files.contents;

	NamespaceDns() : one("one", named(placement), fake), two("two", placement, fake) {}
	static const Placement &named(Placement &place)
	{
		place.home_name = "box";
		return place;
	}
};

const DnsSettings FIRST{{"10.0.0.1"}, {}}, SECOND{{"10.0.0.2"}, {"corp"}};

}

TEST(ResolvConf, what_is_written_is_read)
{
	EXPECT_EQ(parse_resolv_conf(resolv_conf(SECOND, "wg0")), SECOND);
	EXPECT_EQ(parse_resolv_conf("; no\nnameserver\t10.0.0.1 \nsearch a b\noptions ndots:2\ndomain c"), (DnsSettings{{"10.0.0.1"}, {"a", "b", "c"}}));
}

TEST(ResolvConf, one_meaning_has_one_spelling)
{
	EXPECT_EQ(canonical({{"FD00:0::1", "fd00::1", "10.0.0.1"}, {"corp.", "corp", "~."}}), (DnsSettings{{"fd00::1", "10.0.0.1"}, {"corp"}}));
	EXPECT_EQ(describe(canonical(SECOND)), "10.0.0.2, corp");
	EXPECT_EQ(describe({}), "none");
}

TEST_F(NamespaceDns, the_file_that_was_there_comes_back)
{
	files[PATH] = "mine";
	one.set(FIRST);
	EXPECT_EQ(one.get(), FIRST);
	one.set(SECOND);
	EXPECT_EQ(one.get(), SECOND);
	one.unset();
	EXPECT_EQ(files, (std::map<std::string, std::string>{{PATH, "mine"}}));
	EXPECT_FALSE(one.is_ours());
}

TEST_F(NamespaceDns, two_interfaces_go_in_any_order)
{
	for (bool has_file : {false, true})
		for (bool first_goes_first : {false, true}) {
			files.clear();
			if (has_file)
				files[PATH] = "mine";
			std::map<std::string, std::string> before = files;
			one.set(FIRST);
			two.set(SECOND);
			EXPECT_TRUE(one.is_ours() && two.is_ours());
			EXPECT_EQ(one.get(), FIRST);
			EXPECT_EQ(two.get(), SECOND);
			(first_goes_first ? one : two).unset();
			EXPECT_EQ(parse_resolv_conf(files[PATH]), first_goes_first ? SECOND : FIRST);
			(first_goes_first ? two : one).unset();
			EXPECT_EQ(files, before);
		}
}

TEST_F(NamespaceDns, what_is_kept_beside_another_is_changed_there)
{
	one.set(FIRST);
	two.set(SECOND);
	one.set({{"10.0.0.3"}, {}});
	EXPECT_EQ(parse_resolv_conf(files[PATH]), SECOND);
	two.unset();
	EXPECT_EQ(one.get(), (DnsSettings{{"10.0.0.3"}, {}}));
}

TEST_F(NamespaceDns, domains_alone_leave_the_servers_that_were_asked)
{
	const DnsSettings domain{{}, {"corp"}};
	auto asked = [&] { return files[PATH].substr(files[PATH].find("\nsearch")); };

	files["/etc/resolv.conf"] = "search home\nnameserver 192.0.2.1\noptions ndots:2\n";
	one.set(domain);
	EXPECT_EQ(asked(), "\nsearch corp\n# of others, as it was:\nnameserver 192.0.2.1\noptions ndots:2\n");
	EXPECT_EQ(one.get(), domain);
	one.unset();
	EXPECT_FALSE(files.contains(PATH));
	files[PATH] = "nameserver 192.0.2.2\n";
	one.set(FIRST);
	one.set(domain);
	EXPECT_EQ(asked(), "\nsearch corp\n# of others, as it was:\nnameserver 192.0.2.2\n");
	one.unset();
	EXPECT_EQ(files[PATH], "nameserver 192.0.2.2\n");
}

TEST_F(NamespaceDns, a_circle_ends)
{
	files[PATH] = "# written by wgctl for two\n";
	files[PATH + ".before-two"] = files[PATH];
	EXPECT_FALSE(one.is_ours());
}

}
