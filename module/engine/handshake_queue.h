// SPDX-License-Identifier: GPL-2.0
/* Handshake queue: the bounded place where strangers' handshake messages and our own wishes to initiate wait for a worker. [WG §5.3]
 *
 * Called by:  rx (push_message), tx and timers (push_initiation), handshaker (next)
 * Context:    any; never sleeps
 * Bound:      4096 messages; above half full a pusher that finds the lock taken drops its message instead of waiting
 * Policy:     protocol/load
 * Workers:    whoever pushes behind other work needs no worker of its own: one has been asked for, or is at work and takes work until
 *             there is none. It leaves earlier only when others are at work.
 */
#pragma once
#include "engine/peer.h"
#include "protocol/load.h"

namespace wg::engine {

class HandshakeQueue {
public:
	HandshakeQueue() : lock_(WG_LOCK_HANDSHAKE_QUEUE) {}

	/* Drop::HandshakeQueueFull; the packet is then still the caller's. */
	Outcome<void> push_message(Packet &packet);
	/* Queues @peer with a reference of its own, unless it waits already. */
	void push_initiation(Peer &peer);

	/* One of the two, or neither; an initiation's reference passes to the taker. */
	struct Work {
		Peer *initiation = nullptr;
		Packet *message = nullptr;
		explicit operator bool() const { return initiation || message; }
	};
	enum class Worker : u8 { Begins, GoesOn };
	/* A worker's next piece of work; none ends its turn. */
	Work next(Worker, Instant now);
	/* Empties the queue, for who is no worker. */
	Work pop();

	bool is_under_load(Instant now);
	u32 messages() const { return length_.load_relaxed(); }

	wg_workers *workers = nullptr;

private:
	void wake_worker();
	Work take();

	SpinLock lock_;
	PacketFifo<&Batch::work_next> messages_;
	List<Peer, &Peer::to_initiate> initiations_;
	u32 initiation_count_ = 0;
	u32 at_work_ = 0;		/* workers in their turn */
	Atomic<u32> length_;		/* of messages_; written under the lock */
	Load load_;
};

} // namespace wg::engine
