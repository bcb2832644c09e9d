// SPDX-License-Identifier: GPL-2.0
#include "engine/handshake_queue.h"

namespace wg::engine {

HandshakeQueue::Pushed HandshakeQueue::append(Packet &packet)
{
	u32 length = length_.load_relaxed();

	messages_.push(packet);
	length_.store_relaxed(length + 1);
	return length % KICK_EVERY() == 0 ? Pushed::WantsWorker : Pushed::Behind;
}

Outcome<HandshakeQueue::Pushed> HandshakeQueue::push_message(Packet &packet)
{
	/* Half full is a flood: its packets must not make the receiving CPUs wait for each other. */
	if (length_.load_relaxed() > MAX_QUEUED_HANDSHAKES / 2) {
		SpinTryGuard guard(lock_);

		if (!guard.taken() || length_.load_relaxed() >= MAX_QUEUED_HANDSHAKES)
			return Drop::HandshakeQueueFull;
		return append(packet);
	}
	SpinGuard guard(lock_);
	return append(packet);
}

HandshakeQueue::Pushed HandshakeQueue::push_initiation(Peer &peer)
{
	SpinGuard guard(lock_);

	if (peer.to_initiate.is_linked())
		return Pushed::Behind;
	get(peer);
	initiations_.push_back(peer);
	return initiation_count_++ % KICK_EVERY() == 0 ? Pushed::WantsWorker : Pushed::Behind;
}

HandshakeQueue::Work HandshakeQueue::take()
{
	Work work;

	work.initiation = initiations_.pop_front();
	if (work.initiation) {
		initiation_count_--;
		return work;
	}
	work.message = messages_.pop();
	if (work.message)
		length_.store_relaxed(length_.load_relaxed() - 1);
	return work;
}

HandshakeQueue::Work HandshakeQueue::pop()
{
	SpinGuard guard(lock_);

	return take();
}

bool HandshakeQueue::enter()
{
	SpinGuard guard(lock_);

	if (is_crowded())
		return false;
	workers_++;
	return true;
}

HandshakeQueue::Work HandshakeQueue::next()
{
	SpinGuard guard(lock_);
	Work work;

	workers_--;
	if (!is_crowded())
		work = take();
	if (work)
		workers_++;
	return work;
}

bool HandshakeQueue::is_under_load(Instant now)
{
	if (length_.load_relaxed() >= UNDER_LOAD_HANDSHAKES) {
		loaded_until_.store_relaxed((now + UNDER_LOAD_AFTER).ns);
		return true;
	}
	return now.ns < loaded_until_.load_relaxed();
}

void HandshakeQueue::count_wasted(Instant now)
{
	SpinGuard guard(lock_);

	if (now - wasted_since_ >= UNDER_LOAD_AFTER) {
		wasted_since_ = now;
		wasted_ = 0;
	}
	if (++wasted_ >= UNDER_LOAD_WASTED)
		loaded_until_.store_relaxed((now + UNDER_LOAD_AFTER).ns);
}

} // namespace wg::engine
