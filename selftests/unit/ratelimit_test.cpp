// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <map>
#include <memory>

#include "protocol/ratelimit.h"
#include "support.h"

namespace wg {
namespace {

using test::primitives;

constexpr Instant NOW = {seconds(300).ns};
constexpr Duration TOKEN = milliseconds(50), NS = {1};

CookieSource v4(u32 address, u16 port = 1)
{
	CookieSource source = {{static_cast<u8>(address >> 24), static_cast<u8>(address >> 16), static_cast<u8>(address >> 8),
				static_cast<u8>(address), static_cast<u8>(port >> 8), static_cast<u8>(port)},
			       6};

	return source;
}

CookieSource v6(u64 network, u64 host, u16 port = 1)
{
	CookieSource source = {{}, 18};

	for (int i = 0; i < 8; i++) {
		source.bytes[i] = static_cast<u8>(network >> (56 - 8 * i));
		source.bytes[8 + i] = static_cast<u8>(host >> (56 - 8 * i));
	}
	source.bytes[16] = static_cast<u8>(port >> 8);
	source.bytes[17] = static_cast<u8>(port);
	return source;
}

/* On the heap, as in the engine: the table is 256 KiB. */
class RateLimitTest : public testing::Test {
protected:
	RateLimitTest()
	{
		u8 key[16];

		test::Random(40).fill(key, sizeof(key));
		limit->set_key(key);
	}
	bool accept(const CookieSource &source, Instant now, const crypto::Primitives &with = primitives())
	{
		auto outcome = limit->accept(with, place, source, now);

		EXPECT_TRUE(outcome || outcome.error() == Drop::RateLimited);
		return static_cast<bool>(outcome);
	}
	int accepted(const CookieSource &source, Instant now, int tries)
	{
		int count = 0;

		while (tries--)
			count += accept(source, now);
		return count;
	}

	u64 place = 1;
	std::unique_ptr<RateLimit> limit = std::make_unique<RateLimit>();
};

TEST_F(RateLimitTest, a_burst_of_five_and_no_more)
{
	EXPECT_EQ(accepted(v4(1), NOW, 20), 5);
}

TEST_F(RateLimitTest, a_token_comes_back_every_50_milliseconds)
{
	ASSERT_EQ(accepted(v4(1), NOW, 6), 5);
	EXPECT_FALSE(accept(v4(1), NOW + TOKEN - NS));
	EXPECT_TRUE(accept(v4(1), NOW + TOKEN));
	EXPECT_FALSE(accept(v4(1), NOW + TOKEN));
	EXPECT_FALSE(accept(v4(1), NOW + TOKEN * 2 - NS));
	EXPECT_EQ(accepted(v4(1), NOW + TOKEN * 4, 5), 3);
}

TEST_F(RateLimitTest, never_more_than_five_come_back)
{
	ASSERT_EQ(accepted(v4(1), NOW, 6), 5);
	EXPECT_EQ(accepted(v4(1), NOW + TOKEN * 5 - NS, 9), 4);
	EXPECT_EQ(accepted(v4(1), NOW + seconds(3600), 9), 5);
}

/* Refusals cost nothing: who keeps trying is no worse off. */
TEST_F(RateLimitTest, twenty_a_second_get_through_a_flood)
{
	int count = 0;

	for (s64 ms = 0; ms < 10000; ms++)
		count += accept(v4(1), NOW + milliseconds(ms));
	EXPECT_EQ(count, 5 + 199);
}

TEST_F(RateLimitTest, the_port_does_not_count)
{
	int count = 0;

	for (u16 port = 0; port < 100; port++)
		count += accept(v4(1, port), NOW);
	EXPECT_EQ(count, 5);
	count = 0;
	for (u16 port = 0; port < 100; port++)
		count += accept(v6(1, 1, port), NOW);
	EXPECT_EQ(count, 5);
}

TEST_F(RateLimitTest, an_ipv6_source_is_its_64_bit_network)
{
	int count = 0;

	for (u64 host = 0; host < 100; host++)
		count += accept(v6(7, host), NOW);
	EXPECT_EQ(count, 5);
	EXPECT_EQ(accepted(v6(8, 0), NOW, 9), 5);
	EXPECT_EQ(accepted(v6(7ull << 56, 0), NOW, 9), 5);
}

TEST_F(RateLimitTest, ipv4_sources_are_whole_addresses)
{
	for (u32 address : {0x0a000001u, 0x0a000002u, 0x0a000101u, 0x0b000001u})
		EXPECT_EQ(accepted(v4(address), NOW, 9), 5);
}

/* An IPv6 network whose bytes start as an IPv4 address and its neighbours. */
TEST_F(RateLimitTest, an_ipv4_source_is_no_ipv6_source)
{
	EXPECT_EQ(accepted(v4(0), NOW, 9), 5);
	EXPECT_EQ(accepted(v6(0, 0), NOW, 9), 5);
}

TEST_F(RateLimitTest, a_source_has_a_bucket_in_every_place)
{
	for (place = 1; place < 100; place++) {
		EXPECT_EQ(accepted(v4(1), NOW, 9), 5);
		EXPECT_EQ(accepted(v6(1, 1), NOW, 9), 5);
	}
}

TEST_F(RateLimitTest, works_from_the_first_nanosecond_of_the_clock)
{
	EXPECT_EQ(accepted(v4(1), {1}, 9), 5);
}

/* With a hash of the test's own all sources meet in one set: the low bits are equal, the high ones tell them apart. */
crypto::Primitives one_set()
{
	crypto::Primitives table = primitives();

	table.siphash = [](const u8 *, const u8 *data, usize) -> u64 { return static_cast<u64>(data[sizeof(u64) + 3]) << 32; };
	return table;
}

TEST_F(RateLimitTest, a_full_set_refuses_newcomers_until_a_bucket_has_refilled)
{
	crypto::Primitives table = one_set();

	for (u32 i = 1; i <= 8; i++)
		EXPECT_TRUE(accept(v4(i), NOW + Duration{i}, table));
	EXPECT_FALSE(accept(v4(9), NOW + Duration{8}, table));
	EXPECT_FALSE(accept(v4(9), NOW + TOKEN, table));
	/* The refused one has pushed nobody out. */
	for (u32 i = 1; i <= 8; i++) {
		for (int more = 0; more < 4; more++)
			EXPECT_TRUE(accept(v4(i), NOW + Duration{8}, table));
		EXPECT_FALSE(accept(v4(i), NOW + Duration{8}, table));
	}
	/* The first of them is full again at five tokens after its first. */
	EXPECT_FALSE(accept(v4(9), NOW + Duration{1} + TOKEN * 5 - NS, table));
	EXPECT_TRUE(accept(v4(9), NOW + Duration{1} + TOKEN * 5, table));
	EXPECT_FALSE(accept(v4(10), NOW + Duration{1} + TOKEN * 5, table));
}

TEST_F(RateLimitTest, a_source_keeps_its_own_bucket_when_others_are_free)
{
	crypto::Primitives table = one_set();

	ASSERT_TRUE(accept(v4(1), NOW, table));
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(accept(v4(2), NOW, table));
	/* The first bucket has refilled, and would be free to take; the second one's own is still empty by one. */
	EXPECT_TRUE(accept(v4(2), NOW + TOKEN, table));
	EXPECT_FALSE(accept(v4(2), NOW + TOKEN, table));
}

TEST_F(RateLimitTest, a_source_whose_hash_is_zero_has_a_bucket_too)
{
	crypto::Primitives table = primitives();

	table.siphash = [](const u8 *, const u8 *, usize) -> u64 { return 0; };

	int count = 0;

	for (int i = 0; i < 20; i++)
		count += accept(v4(1), NOW, table);
	EXPECT_EQ(count, 5);
}

TEST_F(RateLimitTest, sources_are_hashed_with_the_given_key)
{
	static u8 buffer[16];
	crypto::Primitives table = primitives();
	u8 key[16];

	table.siphash = [](const u8 *key, const u8 *data, usize size) {
		copy_bytes(buffer, key, 16);
		return primitives().siphash(key, data, size);
	};
	test::Random(41).fill(key, sizeof(key));
	limit->set_key(key);
	EXPECT_TRUE(accept(v4(1), NOW, table));
	EXPECT_EQ(test::vector_of(buffer, 16), test::vector_of(key, 16));
}

/* Few sources in the whole table: each must behave as a token bucket of its own, counted here in integers of nanoseconds. */
TEST_F(RateLimitTest, agrees_with_token_buckets_under_random_traffic)
{
	struct Bucket {
		s64 credit = seconds(1).ns / 20 * 5, at = 0;
	};
	std::map<u32, Bucket> model;
	test::Random random(42);
	Instant now = NOW;

	for (int step = 0; step < 100000; step++) {
		u32 address = static_cast<u32>(random.below(50));
		Bucket &bucket = model[address];

		now = now + Duration{static_cast<s64>(random.below(2000000))};
		bucket.credit = std::min(TOKEN.ns * 5, bucket.credit + (now.ns - bucket.at));
		bucket.at = now.ns;

		bool expected = bucket.credit >= TOKEN.ns;

		if (expected)
			bucket.credit -= TOKEN.ns;
		ASSERT_EQ(accept(v4(address), now), expected) << step;
	}
}

} // namespace
} // namespace wg
