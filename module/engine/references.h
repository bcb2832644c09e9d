// SPDX-License-Identifier: GPL-2.0
/* References: how many hold an object. Starts with one; whoever gives up the last one ends the object. */
#pragma once
#include "rt/atomic.h"

namespace wg::engine {

class References {
public:
	/* For who has one already. */
	void get() { count_.fetch_add(1); }
	/* For who only found the object under RCU; false when it is on its way out. */
	[[nodiscard]] bool try_get()
	{
		u32 count = count_.load_relaxed();

		while (count != 0)
			if (count_.compare_exchange(count, count + 1))
				return true;
		return false;
	}
	/* True: that was the last one. */
	[[nodiscard]] bool put() { return count_.fetch_sub(1) == 1; }

private:
	Atomic<u32> count_{1};
};

} // namespace wg::engine
