// SPDX-License-Identifier: GPL-2.0
/* Packets and batches: the engine's view of a kernel packet, by offsets, and what it keeps in the packet's control block.
 *
 * A batch is a chain of packets with one session and one contiguous range of counters; it is named by its first packet, in whose
 * control block it is described. A single packet is a batch of one; there is no second path.
 */
#pragma once
#include "kernel/services.h"
#include "rt/types.h"

namespace wg::engine {

struct Session;
using Packet = wg_packet;

inline Packet *&next_of(Packet &packet)
{
	return *reinterpret_cast<Packet **>(reinterpret_cast<u8 *>(&packet) + WG_PACKET_NEXT);
}

inline u32 length_of(const Packet &packet)
{
	return *reinterpret_cast<const u32 *>(reinterpret_cast<const u8 *>(&packet) + WG_PACKET_LENGTH);
}

enum class Direction : u8 { Seal, Open };

/* A batch in an ordered queue; under the queue's lock. */
enum class Progress : u8 {
	Waiting,	/* some CPU or worker does its work */
	LeftToDrainer,	/* the drainer does it, when the batch's turn comes */
	Finished,	/* sealed or opened */
};

struct Batch {
	Packet *queue_next;	/* in the peer's ordered queue, or in its staged list */
	Packet *work_next;	/* among the workers' work, or in a poller's run */
	Session *session;	/* a counted reference, and through it one to the peer; null while staged */
	u64 counter;		/* of the first packet; sealing only */
	u32 bytes;		/* of all packets when queued: what the queue is charged */
	u32 mtu;		/* for padding; sealing only */
	u16 count;		/* packets in the chain */
	u8 traffic_class;	/* of the outer packets; sealing only */
	Direction direction;
	Progress progress;
	u8 nesting;		/* tunnels this packet is inside of already; sealing only */
	bool failed;		/* this packet alone, any of the chain: no memory, or its tag is wrong */
};
static_assert(sizeof(Batch) <= WG_PACKET_CONTROL_SIZE);

inline Batch &batch_of(Packet &head)
{
	return *reinterpret_cast<Batch *>(reinterpret_cast<u8 *>(&head) + WG_PACKET_CONTROL);
}

/* Ends a whole chain. */
inline void free_chain(Packet *packet)
{
	while (packet) {
		Packet *next = next_of(*packet);

		next_of(*packet) = nullptr;
		wg_kernel_packet_free(packet);
		packet = next;
	}
}

/* A first-in-first-out list of packets (or batches) through one of the control block's links; its owner's lock. */
template <Packet *Batch::*Link> class PacketFifo {
public:
	bool empty() const { return !first_; }
	Packet *first() const { return first_; }
	Packet *last() const { return last_; }
	static Packet *next(Packet &packet) { return batch_of(packet).*Link; }
	void push(Packet &packet)
	{
		batch_of(packet).*Link = nullptr;
		if (last_)
			batch_of(*last_).*Link = &packet;
		else
			first_ = &packet;
		last_ = &packet;
	}
	Packet *pop()
	{
		Packet *packet = first_;

		if (packet) {
			first_ = batch_of(*packet).*Link;
			if (!first_)
				last_ = nullptr;
		}
		return packet;
	}

private:
	Packet *first_ = nullptr, *last_ = nullptr;
};

} // namespace wg::engine
