// SPDX-License-Identifier: GPL-2.0
#include <set>

#include "protocol/replay.h"
#include "support.h"

namespace wg {
namespace {

constexpr u64 WINDOW = 8192 - 64;

/* What the window shall be, without a ring: the set of what was seen. */
class Model {
public:
	bool accept(u64 counter)
	{
		if (counter >= REJECT_AFTER_MESSAGES || seen_.count(counter))
			return false;
		if (!seen_.empty() && counter < *seen_.rbegin() && *seen_.rbegin() - counter > WINDOW)
			return false;
		seen_.insert(counter);
		return true;
	}
	u64 greatest() const { return seen_.empty() ? 0 : *seen_.rbegin(); }

private:
	std::set<u64> seen_;
};

TEST(ReplayWindow, accepts_each_counter_once)
{
	ReplayWindow window;

	for (u64 i = 0; i < 3 * 8192; i++) {
		EXPECT_TRUE(window.accept(i));
		EXPECT_EQ(window.accept(i).error(), Drop::Replayed);
	}
}

TEST(ReplayWindow, the_first_counter_may_be_any)
{
	for (u64 first : {u64{0}, u64{1}, u64{63}, u64{64}, u64{8191}, u64{8192}, u64{1} << 40, REJECT_AFTER_MESSAGES - 1}) {
		ReplayWindow window;

		EXPECT_TRUE(window.accept(first)) << first;
		EXPECT_FALSE(window.accept(first)) << first;
	}
}

/* For every place of the newest bit in its word. */
TEST(ReplayWindow, is_8192_bits_less_one_word_wide)
{
	for (u64 base = 20000; base < 20000 + 130; base++) {
		ReplayWindow window;

		EXPECT_TRUE(window.accept(base));
		EXPECT_EQ(window.accept(base - WINDOW - 1).error(), Drop::Replayed);
		EXPECT_TRUE(window.accept(base - WINDOW));
		EXPECT_FALSE(window.accept(base - WINDOW));
		EXPECT_TRUE(window.accept(base - WINDOW + 1));
		EXPECT_FALSE(window.accept(base));
	}
}

TEST(ReplayWindow, accepts_a_whole_window_backwards)
{
	ReplayWindow window;

	for (u64 i = 0; i <= WINDOW; i++)
		EXPECT_TRUE(window.accept(50000 - i));
	for (u64 i = 0; i <= WINDOW; i++)
		EXPECT_FALSE(window.accept(50000 - i));
	EXPECT_FALSE(window.accept(50000 - WINDOW - 1));
}

TEST(ReplayWindow, a_jump_forgets_nothing_it_should_remember)
{
	for (u64 jump : {u64{1}, u64{63}, u64{64}, u64{65}, u64{4000}, WINDOW - 1, WINDOW, WINDOW + 1, u64{8191}, u64{8192}, u64{8193}, u64{100000}}) {
		ReplayWindow window;

		for (u64 i = 1000; i < 1200; i++)
			ASSERT_TRUE(window.accept(i));
		ASSERT_TRUE(window.accept(1199 + jump)) << jump;
		for (u64 i = 1000; i < 1200; i++)
			EXPECT_FALSE(window.accept(i)) << jump << " " << i;
	}
}

/* A word that comes round again must come round empty, whatever it held. */
TEST(ReplayWindow, a_jump_leaves_the_new_part_of_the_window_empty)
{
	for (u64 jump : {u64{64}, u64{4000}, WINDOW, u64{8191}, u64{8192}, u64{8193}, u64{100000}}) {
		ReplayWindow window;
		u64 newest = 3 * 8192;

		for (u64 i = newest - 8191; i <= newest; i++)
			ASSERT_TRUE(window.accept(i));
		ASSERT_TRUE(window.accept(newest + jump));
		u64 lowest = jump > WINDOW ? newest + jump - WINDOW : newest + 1;

		for (u64 i = lowest; i < newest + jump; i++)
			ASSERT_TRUE(window.accept(i)) << jump << " " << i;
	}
}

TEST(ReplayWindow, stops_at_reject_after_messages)
{
	ReplayWindow window;

	EXPECT_EQ(window.accept(REJECT_AFTER_MESSAGES).error(), Drop::ExpiredKey);
	EXPECT_EQ(window.accept(~0ull).error(), Drop::ExpiredKey);
	EXPECT_TRUE(window.accept(REJECT_AFTER_MESSAGES - 1));
	EXPECT_EQ(window.accept(REJECT_AFTER_MESSAGES).error(), Drop::ExpiredKey);
	EXPECT_EQ(window.accept(REJECT_AFTER_MESSAGES - 1).error(), Drop::Replayed);
	EXPECT_TRUE(window.accept(REJECT_AFTER_MESSAGES - 1 - WINDOW));
	EXPECT_FALSE(window.accept(REJECT_AFTER_MESSAGES - 2 - WINDOW));
	EXPECT_FALSE(window.accept(0));
	/* 2^64 - 8130, as deployed peers have it. */
	EXPECT_EQ(REJECT_AFTER_MESSAGES, 0 - u64{8130});
}

/* A refused counter must not move the window: else one bad counter shuts out the good ones. */
TEST(ReplayWindow, a_refused_counter_changes_nothing)
{
	ReplayWindow window;

	EXPECT_TRUE(window.accept(5));
	EXPECT_FALSE(window.accept(~0ull));
	EXPECT_FALSE(window.accept(5));
	EXPECT_TRUE(window.accept(4));
	EXPECT_TRUE(window.accept(6));
}

TEST(ReplayWindow, agrees_with_a_set_under_random_counters)
{
	for (u64 seed = 0; seed < 8; seed++) {
		test::Random random(seed);
		ReplayWindow window;
		Model model;
		u64 start = seed % 2 ? REJECT_AFTER_MESSAGES - 200000 : 0;

		for (int step = 0; step < 20000; step++) {
			u64 greatest = model.greatest() ? model.greatest() : start, counter;

			switch (random.below(6)) {
			case 0: counter = greatest + random.below(3); break;
			case 1: counter = greatest + random.below(130); break;
			case 2: counter = greatest + random.below(step % 50 ? 200 : 20000); break;
			case 3: counter = greatest - random.below(200); break;
			case 4: counter = greatest - random.below(10000); break;
			default: counter = greatest - WINDOW - 3 + random.below(6); break;
			}
			ASSERT_EQ(static_cast<bool>(window.accept(counter)), model.accept(counter)) << seed << " " << step << " " << counter;
		}
	}
}

} // namespace
} // namespace wg
