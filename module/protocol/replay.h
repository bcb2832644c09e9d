// SPDX-License-Identifier: GPL-2.0
/* Replay window: accepts each counter of a keypair at most once. [WG §5.4.6, RFC 6479]
 *
 * Called by:  engine/rx, after the tag has verified, never before
 * Context:    softirq (one poller per peer); never sleeps; no FPU
 * Serialised: by that poller; the type holds no lock
 * Units:      counters count packets; the window is 8192 bits less one word
 */
#pragma once
#include "wire/constants.h"
#include "wire/drop.h"

namespace wg {

class ReplayWindow {
public:
	/* Drop::Replayed: seen before or older than the window. Drop::ExpiredKey: at or past REJECT_AFTER_MESSAGES. */
	Outcome<void> accept(u64 counter);
	/* How many counters there were up to the greatest accepted. Any context. */
	u64 reached() const { return __atomic_load_n(&next_, __ATOMIC_RELAXED); }

private:
	static constexpr usize WORD_BITS() { return 64; }
	static constexpr usize WORDS() { return REPLAY_WINDOW_BITS / WORD_BITS(); }
	void advance_to(u64 counter);
	u64 next_ = 0;		/* greatest counter accepted, plus one */
	u64 bitmap_[REPLAY_WINDOW_BITS / 64] = {};
};

} // namespace wg
