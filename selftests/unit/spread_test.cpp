// SPDX-License-Identifier: GPL-2.0
#include "protocol/spread.h"
#include "support.h"

namespace wg {
namespace {

constexpr Duration microseconds(s64 count)
{
	return {count * 1000};
}

/* From @at on, rounds of @busy, one each @period, for @duration; the time after it. The counter counts 3 in a nanosecond. */
Instant work(Spread &spread, Instant at, Duration busy, Duration period, Duration duration)
{
	Instant end = at + duration;

	for (; at < end; at = at + period)
		if (spread.worked(static_cast<u64>(at.ns) * 3, static_cast<u64>((at + busy).ns) * 3))
			spread.judge(at + busy);
	return at;
}

constexpr Instant START = {seconds(1000).ns};

TEST(Spread, work_stays_where_it_comes_from_while_it_takes_little)
{
	Spread spread;

	work(spread, START, microseconds(20), milliseconds(1), seconds(1));	/* 2 % */
	EXPECT_FALSE(spread.is_away());
	work(spread, START + seconds(2), microseconds(200), milliseconds(1), seconds(1));	/* 20 % */
	EXPECT_FALSE(spread.is_away());
}

TEST(Spread, work_that_takes_a_quarter_of_the_time_goes_away)
{
	Spread spread;

	work(spread, START, microseconds(260), milliseconds(1), milliseconds(20));
	EXPECT_TRUE(spread.is_away());
}

TEST(Spread, one_long_round_after_silence_moves_nothing)
{
	Spread spread;

	work(spread, START, microseconds(900), milliseconds(50), seconds(1));
	EXPECT_FALSE(spread.is_away());
}

TEST(Spread, without_a_counter_nothing_moves)
{
	Spread spread;

	for (u32 i = 0; i < 1000; i++)
		if (spread.worked(0, 0))
			spread.judge(START + milliseconds(i));
	EXPECT_FALSE(spread.is_away());
}

TEST(Spread, work_comes_back_only_when_it_takes_little)
{
	Spread spread;
	Instant at = work(spread, START, microseconds(500), milliseconds(1), milliseconds(20));

	at = work(spread, at, microseconds(100), milliseconds(1), milliseconds(50));	/* 10 %: neither much nor little */
	EXPECT_TRUE(spread.is_away());
	work(spread, at, microseconds(50), milliseconds(1), milliseconds(20));
	EXPECT_FALSE(spread.is_away());
}

TEST(Spread, rounds_that_take_long_become_small)
{
	Spread spread;
	Instant at = work(spread, START, microseconds(900), milliseconds(1), milliseconds(50));

	EXPECT_EQ(spread.at_once(), 64u);
	at = work(spread, at, milliseconds(3), milliseconds(3), milliseconds(100));
	EXPECT_LE(spread.at_once(), 8u);
	EXPECT_GE(spread.at_once(), 4u);
	work(spread, at, microseconds(100), milliseconds(1), milliseconds(100));
	EXPECT_EQ(spread.at_once(), 64u);
}

TEST(Spread, without_a_counter_rounds_stay_as_they_are)
{
	Spread spread;

	for (u32 i = 0; i < 1000; i++)
		if (spread.worked(0, 0))
			spread.judge(START + milliseconds(i));
	EXPECT_EQ(spread.at_once(), 64u);
}

} // namespace
} // namespace wg
