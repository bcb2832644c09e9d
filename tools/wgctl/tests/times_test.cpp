// SPDX-License-Identifier: GPL-2.0
#include "model/times.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

TEST(Times, a_time_is_read_as_it_is_written)
{
	EXPECT_EQ(format_time(0), "1970-01-01T00:00:00Z");
	EXPECT_EQ(format_time(1'798'675'199), "2026-12-30T23:59:59Z");
	for (std::int64_t time : {std::int64_t{0}, std::int64_t{951'782'400}, std::int64_t{1'798'675'199}, std::int64_t{4'102'444'800}})
		EXPECT_EQ(parse_time(format_time(time)), time);
	EXPECT_EQ(parse_time("2026-12-31"), parse_time("2026-12-31T00:00:00Z"));
	EXPECT_EQ(parse_time("2028-02-29") + 24 * 60 * 60, parse_time("2028-03-01"));
}

TEST(Times, what_is_no_time_is_refused)
{
	for (const char *text : {"", "2026", "2026-13-01", "2026-02-29", "2026-00-01", "2026-01-00", "2026-12-31T24:00:00Z", "2026-12-31T00:60:00Z",
				 "2026-12-31T00:00:60Z", "2026-12-31T00:00:00", "2026-12-31T00:00:00+01:00", "2026-12-31 00:00:00Z", "26-12-31", "2026-1-1",
				 "2026-12-31x", "+026-12-31", "tomorrow"})
		EXPECT_EQ(failure_of([&] { parse_time(text); }), "not a time in UTC, as 2026-12-31T00:00:00Z or 2026-12-31: `" + std::string(text) + "'");
}

TEST(Times, durations_add_up)
{
	EXPECT_EQ(parse_duration("0s"), 0);
	EXPECT_EQ(parse_duration("90s"), 90);
	EXPECT_EQ(parse_duration("15m"), 900);
	EXPECT_EQ(parse_duration("12h"), 43'200);
	EXPECT_EQ(parse_duration("30d"), 2'592'000);
	EXPECT_EQ(parse_duration("2w"), 1'209'600);
	EXPECT_EQ(parse_duration("1d12h"), 129'600);
	EXPECT_EQ(parse_duration("36525d"), 3'155'760'000);
	for (const char *text : {"", "d", "30", "30 d", "-1d", "+1d", "1.5d", "1y", "1d12", "36526d", "4294967295w", "4294967296s", "99999999999999999999d"})
		EXPECT_FALSE(parse_duration(text)) << text;
}

}
