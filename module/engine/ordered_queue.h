// SPDX-License-Identifier: GPL-2.0
/* Ordered queue: a peer's batches of one direction. Their work is done in any order; only ready heads leave, in order.
 *
 * Called by:  tx's drainer and rx (leave), crypt's workers (finish), the pollers (take)
 * Context:    any; never sleeps
 * Bound:      MAX_QUEUED_BYTES and MAX_QUEUED_BATCHES
 *
 * The hand-over, and why no wake-up is lost. A head is ready when it is finished or left to the drainer. `draining` means: somebody will
 * call take() until it finds no ready head. It changes only under the lock. Whatever makes a batch ready makes its caller the drainer when
 * nobody drains and the head is ready. take() gives `draining` up only in the same locked step in which it sees the head missing or not
 * ready. So what take() did not see comes after that step, finds `draining` false, and its caller drains. A ready head without a drainer
 * cannot exist. (The drainer is a poller: NAPI runs one at a time, and keeps a schedule that comes before its completion: services.h.)
 */
#pragma once
#include "engine/packet.h"
#include "engine/sync.h"

namespace wg::engine {

constexpr u32 MAX_QUEUED_BATCHES = 1024;
constexpr u32 MAX_QUEUED_BYTES = 4u << 20;

constexpr u32 MAX_LEFT_BATCHES = 64;	/* more than one poller's round: the CPU has too much to do, others must help */

class OrderedQueue {
public:
	enum class Pushed : u8 {
		Refused,	/* full; the batch is still the caller's */
		Behind,		/* a worker has to do its work: hand it over */
		Left,		/* the drainer does it, and knows */
		LeftToCaller,	/* the same, and the caller is now the drainer */
	};

	OrderedQueue() : lock_(WG_LOCK_PEER_QUEUE) {}

	/* For the drainer to do, unless workers are at it already or it has @most batches to do. */
	Pushed leave(Packet &head, u32 most = MAX_LEFT_BATCHES)
	{
		SpinGuard guard(lock_);
		Batch &batch = batch_of(head);

		if (is_full())
			return Pushed::Refused;
		fifo_.push(head);
		batches_++;
		bytes_ += batch.bytes;
		if (unfinished_ != 0 || left_ >= most) {
			batch.progress = Progress::Waiting;
			unfinished_++;
			return Pushed::Behind;
		}
		batch.progress = Progress::LeftToDrainer;
		left_++;
		return become_drainer() ? Pushed::LeftToCaller : Pushed::Left;
	}
	/* True: the caller is now the drainer. */
	[[nodiscard]] bool finish(Packet &head)
	{
		SpinGuard guard(lock_);

		batch_of(head).progress = Progress::Finished;
		unfinished_--;
		return become_drainer();
	}
	/* For the drainer alone: the next batches to leave, finished or left to it, into @taken until they have @limit packets. How many packets;
	 * fewer than @limit ends its duty. */
	template <typename Fifo> u32 take(Fifo &taken, u32 limit)
	{
		SpinGuard guard(lock_);
		u32 count = 0;

		for (Packet *head; count < limit && (head = pop_ready()); count += batch_of(*head).count)
			taken.push(*head);
		return count;
	}

	/* Only who leaves batches here makes it full, only the drainer makes it empty: for them the answer stands. */
	bool is_empty() const { return batches_ == 0; }
	/* Would it be, with as much more in it? */
	bool is_full(u32 batches = 0, u32 bytes = 0) const { return batches_ + batches >= MAX_QUEUED_BATCHES || bytes_ + bytes >= MAX_QUEUED_BYTES; }

private:
	Packet *pop_ready()
	{
		if (!head_is_ready()) {
			draining_ = false;
			return nullptr;
		}
		Batch &batch = batch_of(*fifo_.first());
		batches_--;
		bytes_ -= batch.bytes;
		if (batch.progress == Progress::LeftToDrainer)
			left_--;
		return fifo_.pop();
	}
	bool head_is_ready() const { return !fifo_.empty() && batch_of(*fifo_.first()).progress != Progress::Waiting; }
	bool become_drainer()
	{
		if (draining_ || !head_is_ready())
			return false;
		draining_ = true;
		return true;
	}

	SpinLock lock_;
	PacketFifo<&Batch::queue_next> fifo_;
	u32 batches_ = 0, bytes_ = 0;
	u32 unfinished_ = 0, left_ = 0;		/* batches by progress; the rest is finished */
	bool draining_ = false;
};

} // namespace wg::engine
