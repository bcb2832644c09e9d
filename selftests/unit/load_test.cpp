// SPDX-License-Identifier: GPL-2.0
#include "protocol/load.h"
#include "support.h"

namespace wg {
namespace {

constexpr Instant T0 = {seconds(1000).ns};
constexpr Duration NS = {1};

TEST(Load, begins_at_512_waiting_messages_and_ends_a_second_after)
{
	struct Step {
		Duration after;
		u32 waiting;
		bool under_load;
	};
	const Step STEPS[] = {
		{seconds(0), 0, false},
		{seconds(1), 511, false},
		{seconds(2), 512, true},
		{seconds(2), 0, true},
		{seconds(3) - NS, 0, true},
		{seconds(3), 0, false},
		{seconds(3), 511, false},
		{seconds(4), 4096, true},
		{seconds(5) - NS, 600, true},		/* the second begins anew */
		{seconds(6) - NS - NS, 511, true},
		{seconds(6) - NS, 511, false},
	};
	Load load;

	for (const Step &step : STEPS)
		EXPECT_EQ(load.is_under(step.waiting, T0 + step.after), step.under_load) << step.after.ns << " " << step.waiting;
}

TEST(Load, messages_and_initiations_take_turns)
{
	Load load;
	Load::Turn last = load.next(true, true);

	for (int i = 0; i < 10; i++) {
		Load::Turn turn = load.next(true, true);

		EXPECT_TRUE(turn == Load::Turn::Message || turn == Load::Turn::Initiation);
		EXPECT_NE(turn, last);
		last = turn;
	}
}

TEST(Load, who_waits_alone_has_every_turn)
{
	Load load;

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(load.next(true, false), Load::Turn::Message);
	EXPECT_EQ(load.next(true, true), Load::Turn::Initiation);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(load.next(false, true), Load::Turn::Initiation);
	EXPECT_EQ(load.next(true, true), Load::Turn::Message);
	EXPECT_EQ(load.next(false, false), Load::Turn::Nobody);
}

TEST(Load, half_of_the_cpus_work_and_under_load_one)
{
	struct Case {
		u32 others, cpus, messages;
		bool admitted;
	};
	const Case CASES[] = {
		{0, 1, 0, true}, {1, 1, 0, false}, {0, 1, 512, true},
		{0, 2, 511, true}, {1, 2, 511, false},
		{1, 4, 511, true}, {2, 4, 511, false}, {0, 4, 512, true}, {1, 4, 512, false},
		{31, 64, 100, true}, {32, 64, 100, false}, {1, 64, 4096, false}, {0, 64, 4096, true},
		{0, 0, 0, true},
	};

	for (const Case &it : CASES) {
		Load load;

		EXPECT_EQ(load.admits_worker(it.others, it.cpus, it.messages, T0), it.admitted)
			<< it.others << " others on " << it.cpus << " CPUs, " << it.messages << " messages";
	}
}

TEST(Load, the_first_and_every_sixteenth_piece_of_work_wake_a_worker)
{
	for (u32 waiting = 0; waiting < 100; waiting++)
		EXPECT_EQ(Load::wakes_worker(waiting), waiting % 16 == 0) << waiting;
}

} // namespace
} // namespace wg
