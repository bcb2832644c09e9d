// SPDX-License-Identifier: GPL-2.0
/* Receive: from a UDP payload to an inner packet handed up. [WG §3, §5.4.6]
 *
 * receive() classifies and queues, crypt opens, poll() does in order what needs order: replay, key confirmation, roaming, source check.
 * Nothing a stranger sends allocates, answers or changes anything here.
 */
#pragma once
#include "engine/peer.h"

namespace wg::engine {

/* @packet: one UDP payload; consumed. [softirq] */
void receive(Device &, Packet &packet);

/* The peer's poller: opens what was left to it and handles at most @budget packets in order; fewer means the queue has nothing ready left. [softirq] */
int poll(Peer &, int budget);

} // namespace wg::engine
