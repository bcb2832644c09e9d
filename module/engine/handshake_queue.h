// SPDX-License-Identifier: GPL-2.0
/* Handshake queue: the bounded place where strangers' handshake messages and our own wishes to initiate wait for a worker. [WG §5.3]
 *
 * Called by:  rx (push_message), tx and timers (push_initiation), handshaker (pop_*)
 * Context:    any; never sleeps
 * Bound:      4096 messages; above half full a pusher that finds the lock taken drops its message instead of waiting
 * Load:       under load while 512 or more messages wait and for one second after
 * Priority:   our own initiations first: at most one per peer waits, and a flood must not keep us from calling
 */
#pragma once
#include "engine/peer.h"

namespace wg::engine {

class HandshakeQueue {
public:
	HandshakeQueue() : lock_(WG_LOCK_HANDSHAKE_QUEUE) {}

	/* Drop::HandshakeQueueFull; the packet is then still the caller's. */
	Outcome<void> push_message(Packet &packet);
	/* Queues @peer with a reference of its own; false when it waits already. */
	bool push_initiation(Peer &peer);

	/* Next of each kind, or null. pop_initiation() passes its reference on. */
	Peer *pop_initiation();
	Packet *pop_message();

	bool is_under_load(Instant now);

private:
	SpinLock lock_;
	PacketFifo<&Batch::work_next> messages_;
	List<Peer, &Peer::to_initiate> initiations_;
	Atomic<u32> length_;		/* of messages_; written under the lock */
	Atomic<s64> loaded_until_;
};

} // namespace wg::engine
