// SPDX-License-Identifier: GPL-2.0
#include "support.h"
#include "wire/inner.h"

namespace wg {
namespace {

test::ByteVector ipv4()
{
	return test::from_hex("45 b8 0054 1234 4000 40 01 0000 c0a80101 0a000002");
}

test::ByteVector ipv6()
{
	return test::from_hex("6 5c 12345 0018 3a 40 20010db8000000000000000000000001 fd00000000000000000000000000abcd");
}

TEST(ParseInner, reads_ipv4)
{
	test::ByteVector bytes = ipv4();
	auto inner = parse_inner(test::span_of(bytes));

	ASSERT_TRUE(inner);
	EXPECT_EQ(inner->version, IpVersion::V4);
	EXPECT_EQ(inner->traffic_class, 0xb8);
	EXPECT_EQ(inner->length, 84u);
	EXPECT_EQ(inner->source, bytes.data() + 12);
	EXPECT_EQ(inner->destination, bytes.data() + 16);
}

TEST(ParseInner, reads_ipv6)
{
	test::ByteVector bytes = ipv6();
	auto inner = parse_inner(test::span_of(bytes));

	ASSERT_EQ(bytes.size(), 40u);
	ASSERT_TRUE(inner);
	EXPECT_EQ(inner->version, IpVersion::V6);
	EXPECT_EQ(inner->traffic_class, 0x5c);
	EXPECT_EQ(inner->length, 40u + 24);
	EXPECT_EQ(inner->source, bytes.data() + 8);
	EXPECT_EQ(inner->destination, bytes.data() + 24);
}

TEST(ParseInner, other_versions_are_not_ip)
{
	for (int version = 0; version < 16; version++) {
		test::ByteVector bytes(40, 0);

		bytes[0] = static_cast<u8>(version << 4);
		bytes[3] = 40;
		if (version == 4 || version == 6)
			EXPECT_TRUE(parse_inner(test::span_of(bytes)));
		else
			EXPECT_EQ(parse_inner(test::span_of(bytes)).error(), Drop::NotIp);
	}
}

TEST(ParseInner, nothing_is_not_ip)
{
	auto inner = parse_inner({});

	ASSERT_FALSE(inner);
	EXPECT_EQ(inner.error(), Drop::NotIp);
}

/* Each cut header in a heap block of its own size, so that ASan sees a read beyond it. */
TEST(ParseInner, a_cut_header_is_a_bad_length)
{
	for (const test::ByteVector &whole : {ipv4(), ipv6()}) {
		for (usize size = 1; size < whole.size(); size++) {
			test::ByteVector cut(whole.begin(), whole.begin() + static_cast<long>(size));
			auto inner = parse_inner(test::span_of(cut));

			ASSERT_FALSE(inner);
			EXPECT_EQ(inner.error(), Drop::BadLength);
		}
		EXPECT_TRUE(parse_inner(test::span_of(whole)));
	}
}

/* A packet for segmentation that is longer than a length can say. */
TEST(ParseInner, an_ipv4_total_of_zero_is_told_as_it_is)
{
	test::ByteVector bytes = ipv4();

	bytes[2] = bytes[3] = 0;
	ASSERT_TRUE(parse_inner(test::span_of(bytes)));
	EXPECT_EQ(parse_inner(test::span_of(bytes))->length, 0u);
}

TEST(ParseInner, the_greatest_lengths_do_not_wrap)
{
	test::ByteVector four = ipv4(), six = ipv6();

	four[2] = four[3] = 0xff;
	six[4] = six[5] = 0xff;
	EXPECT_EQ(parse_inner(test::span_of(four))->length, 65535u);
	EXPECT_EQ(parse_inner(test::span_of(six))->length, 65575u);
}

} // namespace
} // namespace wg
