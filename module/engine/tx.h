// SPDX-License-Identifier: GPL-2.0
/* Transmit: from a plain inner packet to sealed messages on the wire. [WG §3, §5.4.6]
 *
 * The drainer: who holds the peer's transmit poller (claimed, scheduled or in its poll) is the only one that hands out counters, seals and
 * sends for that peer. transmit() stages; with nothing before it, it claims the poller and does one round at once; else the packets of all
 * senders meet in the poller, which seals a round in one call of the AEAD. A round is bounded, so nobody sends others' packets without end.
 * Order: staged order is counter order is sending order. Below us software devices queue for each CPU apart, so another CPU sends for the
 * peer only once the last one's backlog is through with what was put there; until then that one does, its poller being behind its backlog.
 * Nesting: a packet that comes out of one of our devices while another is sending is a tunnel in a tunnel. It is only staged, so the stack
 * does not grow with it. Its batch carries the depth, the sender lends it to the CPU meanwhile; beyond MAX_NESTING it is a routing loop.
 */
#pragma once
#include "engine/peer.h"

namespace wg::engine {

/* @packet: a plain IP packet, GSO or not; consumed. As wg_engine_transmit(). [softirq] */
int transmit(Device &, Packet &packet);

/* Has what is staged sent with the current session; without a usable one a handshake is asked for. [any] */
void send_staged(Peer &);

/* Stages an empty packet when nothing is staged, and sends. [any] */
void send_keepalive(Peer &);

/* Gives up what is staged. */
void drop_staged(Peer &, Drop reason);

/* The transmit poller: one round. @budget while there is more, else 0. [softirq] */
int poll_transmit(Peer &, int budget);

/* Sends one handshake message of ours to the peer's endpoint, from a source that @rule allows. [any] */
void send_message(Peer &, ConstByteSpan message, wg_source_rule rule);

/* A message to where @received came from: cookie replies. [any] */
void send_reply(Device &, const Packet &received, ConstByteSpan message);

} // namespace wg::engine
