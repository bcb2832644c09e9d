// SPDX-License-Identifier: GPL-2.0
#include "engine/handshake_queue.h"

namespace wg::engine {

/* For the piece of work that has just come. lock_ held. */
void HandshakeQueue::wake_worker()
{
	if (Load::wakes_worker(length_.load_relaxed() + initiation_count_ - 1))
		wg_kernel_workers_kick(workers);
}

Outcome<void> HandshakeQueue::push_message(Packet &packet)
{
	/* Half full is a flood: its packets must not make the receiving CPUs wait for each other. */
	bool is_flood = length_.load_relaxed() > MAX_QUEUED_HANDSHAKES / 2;

	if (is_flood && !lock_.try_take())
		return Drop::HandshakeQueueFull;
	SpinGuard guard(lock_, is_flood);
	if (length_.load_relaxed() >= MAX_QUEUED_HANDSHAKES)
		return Drop::HandshakeQueueFull;
	messages_.push(packet);
	length_.store_relaxed(length_.load_relaxed() + 1);
	wake_worker();
	return Outcome<void>::success();
}

void HandshakeQueue::push_initiation(Peer &peer)
{
	SpinGuard guard(lock_);

	if (peer.to_initiate.is_linked())
		return;
	get(peer);
	initiations_.push_back(peer);
	initiation_count_++;
	wake_worker();
}

HandshakeQueue::Work HandshakeQueue::take()
{
	Work work;

	switch (load_.next(!messages_.empty(), !initiations_.empty())) {
	case Load::Turn::Message:
		work.message = messages_.pop();
		length_.store_relaxed(length_.load_relaxed() - 1);
		break;
	case Load::Turn::Initiation:
		work.initiation = initiations_.pop_front();
		initiation_count_--;
		break;
	case Load::Turn::Nobody: break;
	}
	return work;
}

HandshakeQueue::Work HandshakeQueue::pop()
{
	SpinGuard guard(lock_);

	return take();
}

HandshakeQueue::Work HandshakeQueue::next(Worker worker, Instant now)
{
	u32 cpus = wg_kernel_online_cpus();
	SpinGuard guard(lock_);
	Work work;

	at_work_ -= worker == Worker::GoesOn;
	if (load_.admits_worker(at_work_, cpus, length_.load_relaxed(), now))
		work = take();
	at_work_ += static_cast<bool>(work);
	return work;
}

bool HandshakeQueue::is_under_load(Instant now)
{
	SpinGuard guard(lock_);

	return load_.is_under(length_.load_relaxed(), now);
}

} // namespace wg::engine
