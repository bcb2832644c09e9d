// SPDX-License-Identifier: GPL-2.0
/* References: how many hold an object. Starts with one; whoever gives up the last one ends the object.
 *
 * A count that was given up once too often, or taken 2^31 times, is of an object somebody may still use: it stays for ever.
 */
#pragma once
#include "rt/atomic.h"
#include "rt/bug.h"

namespace wg::engine {

class References {
public:
	/* For who has one already. */
	void get() { check(count_.fetch_add(1)); }
	/* For who only found the object under RCU; false when it is on its way out. */
	[[nodiscard]] bool try_get()
	{
		u32 count = count_.load_relaxed();

		while (count != 0)
			if (count_.compare_exchange(count, count + 1)) {
				check(count);
				return true;
			}
		return false;
	}
	/* True: that was the last one. */
	[[nodiscard]] bool put()
	{
		u32 before = count_.fetch_sub(1);

		check(before);
		return before == 1;
	}

private:
	void check(u32 before)
	{
		if (before != 0 && before < 1u << 31)
			return;
		count_.store_relaxed(3u << 30);		/* as far from both ends as it gets */
		bug("References: an object is held too often, or given up twice");
	}
	Atomic<u32> count_{1};
};

} // namespace wg::engine
