// SPDX-License-Identifier: GPL-2.0
#include "model/prefixes.h"

#include <gtest/gtest.h>

#include <random>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

std::string without(const std::string &wholes, const std::string &holes)
{
	return format_prefixes(prefixes_without(test_prefixes(wholes), test_prefixes(holes)));
}

}

TEST(Prefixes, a_hole_leaves_one_prefix_for_each_bit)
{
	EXPECT_EQ(without("0.0.0.0/0", "192.168.0.0/16"),
		  "0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/9, 192.128.0.0/11, 192.160.0.0/13, 192.169.0.0/16, 192.170.0.0/15, 192.172.0.0/14, "
		  "192.176.0.0/12, 192.192.0.0/10, 193.0.0.0/8, 194.0.0.0/7, 196.0.0.0/6, 200.0.0.0/5, 208.0.0.0/4, 224.0.0.0/3");
	EXPECT_EQ(without("::/0", "8000::/1"), "::/1");
	EXPECT_EQ(prefixes_without(test_prefixes("::/0"), test_prefixes("2001:db8::1")).size(), 128u);
	EXPECT_EQ(prefixes_without(test_prefixes("0.0.0.0/0, ::/0"), test_prefixes("255.255.255.255, ::")).size(), 32u + 128u);
}

TEST(Prefixes, edges)
{
	EXPECT_EQ(without("10.0.0.0/8", ""), "10.0.0.0/8");
	EXPECT_EQ(without("", "10.0.0.0/8"), "");
	EXPECT_EQ(without("10.0.0.0/8", "10.0.0.0/8"), "");
	EXPECT_EQ(without("10.0.0.0/8", "0.0.0.0/0"), "");
	EXPECT_EQ(without("10.0.0.0/8", "::/0, 11.0.0.0/8"), "10.0.0.0/8");
	EXPECT_EQ(without("10.0.0.1/32", "10.0.0.1"), "");
	EXPECT_EQ(without("10.0.0.0/31", "10.0.0.0"), "10.0.0.1/32");
	EXPECT_EQ(without("10.0.0.0/24", "10.0.0.0/25, 10.0.0.128/26, 10.0.0.200/29"), "10.0.0.192/29, 10.0.0.208/28, 10.0.0.224/27");
	/* As few as there can be. */
	EXPECT_EQ(without("0.0.0.0/1, 128.0.0.0/1, 10.0.0.0/8", ""), "0.0.0.0/0");
	EXPECT_EQ(without("10.0.0.3, 10.0.0.1, 10.0.0.2, 10.0.0.0", ""), "10.0.0.0/30");
}

/* Over the 4096 addresses of a /20, each asked for by itself: which are in, and how few prefixes can say so. */
TEST(Prefixes, every_address_is_where_it_belongs)
{
	constexpr unsigned BITS = 12, SIZE = 1 << BITS;
	std::mt19937 random(1);
	auto any = [&] {
		Prefix prefix = test_prefix("10.0.0.0/20");
		unsigned address = random() % SIZE;
		prefix.address[2] = static_cast<std::uint8_t>(address >> 8);
		prefix.address[3] = static_cast<std::uint8_t>(address);
		prefix.cidr = static_cast<std::uint8_t>(32 - random() % (BITS + 1));
		return network_of(prefix);
	};
	auto mark = [](const std::vector<Prefix> &prefixes, std::vector<bool> &marks, bool value) {
		for (const Prefix &prefix : prefixes) {
			unsigned first = prefix.address[2] << 8 | prefix.address[3];
			for (unsigned i = 0; i < 1u << (32 - prefix.cidr); ++i)
				marks[first + i] = value;
		}
	};

	for (int round = 0; round < 60; ++round) {
		std::vector<Prefix> wholes, holes;
		std::vector<bool> wanted(SIZE), got(SIZE);
		for (unsigned i = 0, count = random() % 4; i < count + 1; ++i)
			wholes.push_back(any());
		for (unsigned i = 0, count = random() % 8; i < count; ++i)
			holes.push_back(any());
		mark(wholes, wanted, true);
		mark(holes, wanted, false);
		std::vector<Prefix> rest = prefixes_without(wholes, holes);
		mark(rest, got, true);
		ASSERT_EQ(got, wanted) << format_prefixes(wholes) << " without " << format_prefixes(holes);
		/* The largest aligned blocks that are wholly in: no list is shorter. */
		std::size_t fewest = 0;
		for (unsigned at = 0; at < SIZE;) {
			unsigned size = at ? at & -at : SIZE;
			while (size && !std::all_of(wanted.begin() + at, wanted.begin() + at + size, [](bool is_in) { return is_in; }))
				size /= 2;
			fewest += size > 0;
			at += std::max(size, 1u);
		}
		ASSERT_EQ(rest.size(), fewest) << format_prefixes(rest);
	}
}

TEST(Prefixes, a_command_prints_them)
{
	FakeWorld fake;
	auto run = [&](std::vector<std::string_view> arguments) {
		fake.terminal.out.clear();
		return run_command_line(arguments, fake);
	};

	EXPECT_EQ(run({"networks", "--except", "128.0.0.0/1, 64.0.0.0/2"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "0.0.0.0/2, ::/0\n");
	EXPECT_EQ(run({"networks", "10.0.0.0/8,fd00::/8", "11.0.0.0/8"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.terminal.out, "10.0.0.0/7, fd00::/8\n");
	EXPECT_EQ(run({"networks", "--except", "10.0.0.0/8", "10.1.0.0/16"}), 1);
	EXPECT_EQ(run({"networks", "--except", "10.0.0.0/33"}), 1);
}

}
