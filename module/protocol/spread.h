// SPDX-License-Identifier: GPL-2.0
/* Spread: where a peer's work of one direction is done, and how much of it at once.
 *
 * Called by:  engine/poller, after each round of work and before it starts one
 * Context:    any; never sleeps
 * Serialised: worked() and judge() by who holds the poller; is_away() may be read by anybody
 * Units:      cycles of a counter whose rate does not matter, for only shares count
 *
 * While one CPU keeps up, work is done where it comes from: no wake-up, no hop. When it takes a large share of that CPU's time, the CPU lacks
 * it for what brings the work: then it goes to a thread, which the scheduler gives a CPU that is idle or a fair share of one, until its share is small.
 * A round keeps its CPU from all others; where the packets' way is slow, a round that takes long has smaller ones after it, for a while.
 */
#pragma once
#include "rt/atomic.h"
#include "rt/time.h"

namespace wg {

class Spread {
public:
	bool is_away() const { return away_.load_relaxed(); }
	/* Packets of the next round, at most. */
	u32 at_once() const { return at_once_; }
	/* A round of work took from @begin to @end. True: look at the clock, and tell judge() the time. */
	[[nodiscard]] bool worked(u64 begin, u64 end)
	{
		u64 took = end - begin;

		if (took > long_ && at_once_ > LEAST)
			at_once_ /= 2;
		busy_ += took;
		last_ = end;
		return ++rounds_ % ROUNDS == 0;
	}
	void judge(Instant at)
	{
		u64 window = last_ - first_;

		if (at - since_ < milliseconds(WINDOW_MS))
			return;
		if (busy_ >= window / MUCH)
			away_.store_relaxed(busy_ != 0);
		else if (busy_ < window / LITTLE)
			away_.store_relaxed(false);
		long_ = window / (static_cast<u64>((at - since_).ns) / LONG_NS);
		if (at_once_ < MOST)
			at_once_ *= 2;
		since_ = at;
		first_ = last_;
		busy_ = 0;
	}

private:
	enum : s64 { WINDOW_MS = 4 };
	enum : u64 { ROUNDS = 8, MUCH = 4, LITTLE = 16 };	/* a quarter, a sixteenth of the time */
	enum : u64 { LONG_NS = 1000000 };
	enum : u32 { LEAST = 4, MOST = 64 };

	Instant since_;
	u64 first_ = 0, last_ = 0, busy_ = 0;
	u64 long_ = ~0ull;	/* a round that takes a millisecond; until the counter's rate is known, none does */
	u32 rounds_ = 0, at_once_ = MOST;
	Atomic<bool> away_;
};

} // namespace wg
