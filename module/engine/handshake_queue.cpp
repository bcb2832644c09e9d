// SPDX-License-Identifier: GPL-2.0
#include "engine/handshake_queue.h"

namespace wg::engine {

Outcome<void> HandshakeQueue::push_message(Packet &packet)
{
	auto append = [&]() -> Outcome<void> {
		u32 length = length_.load_relaxed();

		if (length >= MAX_QUEUED_HANDSHAKES)
			return Drop::HandshakeQueueFull;
		messages_.push(packet);
		length_.store_relaxed(length + 1);
		return Outcome<void>::success();
	};

	/* Half full is a flood: its packets must not make the receiving CPUs wait for each other. */
	if (length_.load_relaxed() > MAX_QUEUED_HANDSHAKES / 2) {
		SpinTryGuard guard(lock_);

		if (!guard.taken())
			return Drop::HandshakeQueueFull;
		return append();
	}
	SpinGuard guard(lock_);
	return append();
}

bool HandshakeQueue::push_initiation(Peer &peer)
{
	SpinGuard guard(lock_);

	if (peer.to_initiate.is_linked())
		return false;
	get(peer);
	initiations_.push_back(peer);
	return true;
}

Peer *HandshakeQueue::pop_initiation()
{
	SpinGuard guard(lock_);

	return initiations_.pop_front();
}

Packet *HandshakeQueue::pop_message()
{
	SpinGuard guard(lock_);
	Packet *packet = messages_.pop();

	if (packet)
		length_.store_relaxed(length_.load_relaxed() - 1);
	return packet;
}

bool HandshakeQueue::is_under_load(Instant now)
{
	if (length_.load_relaxed() >= UNDER_LOAD_HANDSHAKES) {
		loaded_until_.store_relaxed((now + UNDER_LOAD_AFTER).ns);
		return true;
	}
	return now.ns < loaded_until_.load_relaxed();
}

} // namespace wg::engine
