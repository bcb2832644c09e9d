// SPDX-License-Identifier: GPL-2.0
/* Poller: what does a peer's work of one direction, in rounds, on one CPU at a time.
 *
 * Called by:  who brings work (claim, schedule), who took its place (run, run_on, release), the kernel (the rounds)
 * Context:    softirq, or bottom halves off
 * Policy:     protocol/spread: on the CPU that brings the work, or in a thread
 */
#pragma once
#include "kernel/services.h"
#include "protocol/spread.h"

namespace wg::engine {

class Poller {
public:
	/* @poll(argument, budget) as wg_kernel_poller_add(). [process] */
	void add(wg_netdev &netdev, int (*poll)(void *, int), void *argument) { wg_kernel_poller_add(&poller_, &netdev, poll, argument); }
	void remove() { wg_kernel_poller_delete(&poller_); }		/* [process] */
	void schedule()
	{
		if (claim())
			run();
	}
	/* Takes the poller's place, see wg_kernel_poller_claim(); ends with run(), run_on() or release(). */
	bool claim() { return wg_kernel_poller_claim(&poller_); }
	void run() { wg_kernel_poller_run(&poller_); }
	void run_on(u32 cpu) { wg_kernel_poller_run_on(&poller_, cpu); }
	void release() { wg_kernel_poller_release(&poller_); }
	bool is_away() const { return spread_.is_away(); }
	u32 at_once() const { return spread_.at_once(); }	/* packets of a round, for who sends: small receive rounds would leave GRO little to merge */
	wg_poller &kernel_poller() { return poller_; }

	/* Does @round, whose time counts. */
	template <typename Round> auto measure(Round round)
	{
		u64 begin = wg_kernel_cycles();

		auto result = round();
		if (spread_.worked(begin, wg_kernel_cycles())) {
			spread_.judge({wg_kernel_now()});
			wg_kernel_poller_set_away(&poller_, spread_.is_away());
		}
		return result;
	}

private:
	wg_poller poller_;
	Spread spread_;
};

} // namespace wg::engine
