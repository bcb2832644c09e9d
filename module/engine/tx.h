// SPDX-License-Identifier: GPL-2.0
/* Transmit: from a plain inner packet to sealed messages on the wire. [WG §3, §5.4.6]
 *
 * transmit() routes and stages; send_staged() gives counters and queues; crypt seals; send_finished() lets them leave in order.
 * Nesting: a packet that comes out of one of our devices while another is sending is a tunnel in a tunnel. Workers break the kernel's own
 * count of that, so a batch carries its depth and the sending CPU lends it to what it sends; beyond MAX_NESTING it is a routing loop.
 * Order: counters are handed out and batches queued under the peer's tx lock, in one step; so the queue's order is the counters' order.
 */
#pragma once
#include "engine/peer.h"

namespace wg::engine {

/* @packet: a plain IP packet, GSO or not; consumed. As wg_engine_transmit(). [softirq] */
int transmit(Device &, Packet &packet);

/* Sends what is staged with the current session; without a usable one asks for a handshake. [any] */
void send_staged(Peer &);

/* Stages an empty packet when nothing is staged, and sends. [any] */
void send_keepalive(Peer &);

/* Gives up what is staged. */
void drop_staged(Peer &, Drop reason);

/* The drainer's duty for the transmit queue. [BH off] */
void send_finished(Peer &);

/* Sends one handshake message of ours to the peer's endpoint. [any] */
void send_message(Peer &, ConstByteSpan message);

/* A message to where @received came from: cookie replies. [any] */
void send_reply(Device &, const Packet &received, ConstByteSpan message);

} // namespace wg::engine
