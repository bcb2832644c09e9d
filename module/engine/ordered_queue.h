// SPDX-License-Identifier: GPL-2.0
/* Ordered queue: a peer's batches of one direction. Workers finish them in any order; only finished heads leave, in order.
 *
 * Called by:  tx and rx (push), crypt (finish), the drainer (take)
 * Context:    any; never sleeps
 * Bound:      MAX_QUEUED_BYTES and MAX_QUEUED_BATCHES; beyond them push() refuses
 *
 * The hand-over, and why no wake-up is lost. `draining` means: somebody will call take() until it returns null. It changes only under
 * the lock. finish() marks its batch and, when nobody drains and the head is finished, makes its caller the drainer. take() gives
 * `draining` up only in the same locked step in which it sees the head missing or unfinished. So a finish() that take() did not see
 * comes after that step, finds `draining` false, and its caller drains. A finished head without a drainer cannot exist.
 * (For rx the drainer is the peer's poller, and NAPI keeps a schedule that comes before its completion: services.h.)
 */
#pragma once
#include "engine/packet.h"
#include "engine/sync.h"

namespace wg::engine {

constexpr u32 MAX_QUEUED_BATCHES = 1024;
constexpr u32 MAX_QUEUED_BYTES = 4u << 20;

class OrderedQueue {
public:
	enum class Pushed : u8 { Refused, Alone, Behind };

	OrderedQueue() : lock_(WG_LOCK_PEER_QUEUE) {}

	/* Alone: all that was queued before it is finished, so doing its work at once delays nobody. (What waits only for the drainer
	 * does not count: else each packet of a burst behind the first would go by a worker, and GRO would see them one by one.) */
	Pushed push(Packet &head)
	{
		Batch &batch = batch_of(head);
		SpinGuard guard(lock_);
		bool alone = unfinished_ == 0;

		if (batches_ >= MAX_QUEUED_BATCHES || bytes_ + batch.bytes > MAX_QUEUED_BYTES)
			return Pushed::Refused;
		batch.finished = false;
		fifo_.push(head);
		batches_++;
		unfinished_++;
		bytes_ += batch.bytes;
		return alone ? Pushed::Alone : Pushed::Behind;
	}
	/* True: the caller is now the drainer. */
	[[nodiscard]] bool finish(Packet &head)
	{
		SpinGuard guard(lock_);

		batch_of(head).finished = true;
		unfinished_--;
		if (draining_ || !batch_of(*fifo_.first()).finished)
			return false;
		draining_ = true;
		return true;
	}
	/* For the drainer alone: the next batch to leave; null ends its duty. */
	Packet *take()
	{
		SpinGuard guard(lock_);

		if (fifo_.empty() || !batch_of(*fifo_.first()).finished) {
			draining_ = false;
			return nullptr;
		}
		batches_--;
		bytes_ -= batch_of(*fifo_.first()).bytes;
		return fifo_.pop();
	}

private:
	SpinLock lock_;
	PacketFifo<&Batch::queue_next> fifo_;
	u32 batches_ = 0, unfinished_ = 0, bytes_ = 0;
	bool draining_ = false;
};

} // namespace wg::engine
