// SPDX-License-Identifier: GPL-2.0
#include "tunnel/default_route.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

namespace {

constexpr std::uint32_t MARK = 51820;

Rule unmarked(std::uint32_t mark, std::uint32_t priority)
{
	return {AF_INET, true, mark, mark, {}, priority, false};
}

Rule specific(std::uint32_t priority)
{
	return {AF_INET, false, {}, MAIN_TABLE, 0, priority, false};
}

/* A default route that is there, as a whole. */
struct DefaultRoutes : testing::Test {
	FakeWorld fake;
	DefaultRoute route{"wg0", AF_INET, MARK, fake};
	std::vector<Prefix> addresses{test_prefix("10.0.0.1/24")};

	DefaultRoutes()
	{
		fake.files.contents[SRC_VALID_MARK] = "0\n";
		fake.host.network.link_addresses["wg0"] = addresses;
		make();
	}
	void make()
	{
		Steps steps(fake, Steps::Tells::failures);
		fake.host.log.actions.clear();
		route.make(steps);
		steps.keep();
	}
	std::string faults()
	{
		std::string text;
		for (const DefaultRoute::Fault &fault : route.faults(addresses))
			text += fault.what + " " + fault.before.value_or("") + ">" + fault.after.value_or("") + "\n";
		return text;
	}
	/* What was wrong, and what was done about it. */
	std::string mended()
	{
		std::string text = faults();
		make();
		EXPECT_EQ(faults(), "");
		return text + fake.host.log.joined();
	}
};

}

TEST_F(DefaultRoutes, the_whole_has_no_fault_and_nothing_to_make)
{
	EXPECT_EQ(mended(), "");
}

TEST_F(DefaultRoutes, each_lost_part_is_named_and_comes_back)
{
	fake.host.network.link_added_routes.clear();
	EXPECT_EQ(mended(), "route >0.0.0.0/0 table 51820\nroute 0.0.0.0/0 table 51820\n");
	fake.host.network.delete_rule(unmarked(MARK, 32765));
	EXPECT_EQ(mended(), "rule >IPv4 not fwmark 0xca6c table 51820\nadd rule 4 not mark 51820 table 51820 priority 32765\n");
	fake.host.network.delete_rule(specific(32764));
	EXPECT_EQ(mended(), "rule >IPv4 table main suppress_prefixlength 0\nadd rule 4 table 254 suppress 0 priority 32764\n");
	fake.files.contents[SRC_VALID_MARK] = "0\n";
	EXPECT_EQ(mended(), "sysctl net.ipv4.conf.all.src_valid_mark 0>1\nwrite 1 to " + SRC_VALID_MARK + "\n");
	fake.host.filter.contents.clear();
	EXPECT_EQ(mended(), "nftables table >ip wg-quick-wg0\nnft add table ip wg-quick-wg0\n");
}

TEST_F(DefaultRoutes, a_filter_with_other_rules_is_replaced)
{
	auto whole = fake.host.filter.contents;

	fake.host.filter.contents["ip wg-quick-wg0"]["preraw"].pop_back();
	EXPECT_EQ(mended(), "nftables table ip wg-quick-wg0 >\nnft add table ip wg-quick-wg0\n");
	EXPECT_EQ(fake.host.filter.contents, whole);
	fake.host.filter.contents["ip wg-quick-wg0"]["postmangle"].push_back("accept");
	EXPECT_EQ(mended(), "nftables table ip wg-quick-wg0 >\nnft add table ip wg-quick-wg0\n");
	EXPECT_EQ(fake.host.filter.contents, whole);
}

TEST_F(DefaultRoutes, all_of_it_goes_and_comes_back_when_undone)
{
	auto filter = fake.host.filter.contents;
	{
		Steps steps(fake, Steps::Tells::failures);
		route.remove(steps);
		EXPECT_TRUE(fake.host.network.all_rules.empty());
		EXPECT_TRUE(fake.host.network.link_added_routes["wg0"].empty());
		EXPECT_TRUE(fake.host.filter.contents.empty());
		EXPECT_FALSE(route.is_there());
	}
	EXPECT_EQ(fake.host.filter.contents, filter);
	EXPECT_EQ(faults(), "");
}

TEST_F(DefaultRoutes, the_rules_of_other_tunnels_stay)
{
	DefaultRoute other("wg1", AF_INET, 51821, fake);
	{
		Steps steps(fake, Steps::Tells::failures);
		other.make(steps);
		steps.keep();
	}
	EXPECT_EQ(fake.host.network.all_rules.size(), 4u);
	Steps steps(fake, Steps::Tells::failures);
	route.remove(steps);
	steps.keep();
	EXPECT_EQ(fake.host.network.all_rules.size(), 2u);
	RulePair left = find_rules(fake.host.network.rules(AF_INET), 51821);
	EXPECT_TRUE(left.unmarked && left.specific && left.specific->priority < left.unmarked->priority);
}

TEST_F(DefaultRoutes, the_mark_of_another_interface_is_not_given_again)
{
	/* Its routes are gone for now: it is down. */
	fake.devices.order = {"broken", "wg0", "wg1"};
	fake.devices.broken["broken"] = "no answer";
	fake.devices.present["wg0"].fwmark = MARK;
	fake.devices.present["wg1"].fwmark = 0;
	Steps steps(fake, Steps::Tells::failures);
	EXPECT_EQ(give_mark("wg1", steps, fake), MARK + 1);
	/* Its own may be. */
	EXPECT_EQ(give_mark("wg0", steps, fake), MARK);
}

TEST(Rules, a_pair_is_the_rule_for_the_mark_and_the_nearest_before_it)
{
	std::vector<Rule> rules{specific(10), unmarked(7, 11), specific(20), specific(21), unmarked(8, 22), unmarked(9, 23)};

	EXPECT_EQ(find_rules(rules, 7).specific->priority, 10u);
	EXPECT_EQ(find_rules(rules, 8).specific->priority, 21u);
	EXPECT_TRUE(find_rules(rules, 9).unmarked && !find_rules(rules, 9).specific);
	EXPECT_FALSE(find_rules(rules, 10).unmarked);
	/* Nobody's: the one at 20. */
	EXPECT_EQ(find_rules(rules, 10).specific->priority, 20u);
}

TEST(Rules, rules_with_other_conditions_do_not_count)
{
	Rule special = unmarked(7, 11), plain{AF_INET, false, 7, 7, {}, 12, false}, elsewhere{AF_INET, true, 7, 8, {}, 13, false};

	special.is_special = true;
	EXPECT_FALSE(find_rules({special, plain, elsewhere}, 7).unmarked);
}

TEST(DefaultRouteFilter, it_drops_what_only_the_tunnel_may_bring)
{
	EXPECT_EQ(filter_setup("wg0", AF_INET6, 16, {test_prefix("10.0.0.1/24"), test_prefix("fd00::1/64")}),
		  "add table ip6 wg-quick-wg0\n"
		  "add chain ip6 wg-quick-wg0 preraw { type filter hook prerouting priority -300; }\n"
		  "add chain ip6 wg-quick-wg0 premangle { type filter hook prerouting priority -150; }\n"
		  "add chain ip6 wg-quick-wg0 postmangle { type filter hook postrouting priority -150; }\n"
		  "add rule ip6 wg-quick-wg0 preraw iifname != \"wg0\" ip6 daddr fd00::1 fib saddr type != local drop\n"
		  "add rule ip6 wg-quick-wg0 postmangle meta l4proto udp meta mark 0x00000010 ct mark set meta mark\n"
		  "add rule ip6 wg-quick-wg0 premangle meta l4proto udp meta mark set ct mark\n");
	EXPECT_EQ(filter_table("a=b+c.d"), "wg-quick-a/3db/2bc.d");
}

/* As nft 1.0.6 of Debian 12 lists it. */
TEST(DefaultRouteFilter, nft_s_own_listing_is_known)
{
	std::string listing = "table ip6 wg-quick-wg0 {\n"
			      "\tchain preraw {\n"
			      "\t\ttype filter hook prerouting priority -300; policy accept;\n"
			      "\t\tiifname != \"wg0\" ip6 daddr fd00::1 fib saddr type != local drop\n"
			      "\t}\n\n"
			      "\tchain premangle {\n"
			      "\t\ttype filter hook prerouting priority -150; policy accept;\n"
			      "\t\tmeta l4proto udp meta mark set ct mark\n"
			      "\t}\n\n"
			      "\tchain postmangle {\n"
			      "\t\ttype filter hook postrouting priority -150; policy accept;\n"
			      "\t\tmeta l4proto udp meta mark 0x0000ca6c ct mark set meta mark\n"
			      "\t}\n"
			      "}\n";
	std::vector<Prefix> addresses{test_prefix("10.0.0.1/24"), test_prefix("fd00::1/64")};

	EXPECT_TRUE(is_filter_as_set_up(listing, "wg0", AF_INET6, MARK, addresses));
	EXPECT_FALSE(is_filter_as_set_up(listing, "wg1", AF_INET6, MARK, addresses));
	EXPECT_FALSE(is_filter_as_set_up(listing, "wg0", AF_INET6, MARK + 1, addresses));
	addresses.push_back(test_prefix("fd00::2/64"));
	EXPECT_FALSE(is_filter_as_set_up(listing, "wg0", AF_INET6, MARK, addresses));
	addresses.pop_back();
	addresses.pop_back();
	EXPECT_FALSE(is_filter_as_set_up(listing, "wg0", AF_INET6, MARK, addresses));
}

}
