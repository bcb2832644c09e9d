// SPDX-License-Identifier: GPL-2.0
/* Handshake queue: the bounded place where strangers' handshake messages and our own wishes to initiate wait for a worker. [WG §5.3]
 *
 * Called by:  rx (push_message), tx and timers (push_initiation), handshaker (pop_*)
 * Context:    any; never sleeps
 * Bound:      4096 messages; above half full a pusher that finds the lock taken drops its message instead of waiting
 * Load:       under load while 512 or more messages wait, or when 100 a second made us compute for nothing; and for one second after.
 *             The queue alone would not notice a flood that the workers can just keep up with, at the cost of everything else.
 * Priority:   our own initiations first: at most one per peer waits, and a flood must not keep us from calling
 * Workers:    each push that finds nothing waiting, and every KICK_EVERY-th behind it, asks for a worker. A worker takes work until there
 *             is none, so what is pushed behind other work needs no wake-up of its own. Under load all workers but one leave: a flood
 *             gets one CPU, the others stay with those who have sessions.
 */
#pragma once
#include "engine/peer.h"

namespace wg::engine {

class HandshakeQueue {
public:
	HandshakeQueue() : lock_(WG_LOCK_HANDSHAKE_QUEUE) {}

	enum class Pushed : u8 { Behind, WantsWorker };
	/* Drop::HandshakeQueueFull; the packet is then still the caller's. */
	Outcome<Pushed> push_message(Packet &packet);
	/* Queues @peer with a reference of its own, unless it waits already. */
	Pushed push_initiation(Peer &peer);

	/* One of the two, or neither; an initiation's reference passes to the taker. */
	struct Work {
		Peer *initiation = nullptr;
		Packet *message = nullptr;
		explicit operator bool() const { return initiation || message; }
	};
	/* A worker's turn begins; false: there are enough. */
	bool enter();
	/* The worker's next piece of work; none ends its turn. */
	Work next();
	/* Empties the queue, for who is no worker. */
	Work pop();

	bool is_under_load(Instant now);
	/* X25519 was done for a message that did not authenticate. */
	void count_wasted(Instant now);

private:
	static constexpr u32 KICK_EVERY() { return 16; }
	bool is_crowded() const { return workers_ > 0 && length_.load_relaxed() >= UNDER_LOAD_HANDSHAKES; }
	Pushed append(Packet &packet);
	Work take();

	SpinLock lock_;
	PacketFifo<&Batch::work_next> messages_;
	List<Peer, &Peer::to_initiate> initiations_;
	u32 initiation_count_ = 0;
	u32 workers_ = 0;		/* in their turn */
	Atomic<u32> length_;		/* of messages_; written under the lock */
	Atomic<s64> loaded_until_;
	Instant wasted_since_;
	u32 wasted_ = 0;
};

} // namespace wg::engine
