// SPDX-License-Identifier: GPL-2.0
/* What is behind a peer: where packets through the tunnel go, and sending them there. */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/machine.h"
#include "model/names.h"

namespace wgctl {

/* Its first allowed IP that is one address, or else its first network; nothing when it has none. */
std::optional<Prefix> inner_address(const Peer &peer);
/* By its public key, its name, or an address that is sent to it, of which it becomes the destination. Throws Failure. */
const Peer &find_target(const std::string &what, const Device &device, const PeerNames &names, std::optional<Prefix> &destination);
/* Somewhere in an allowed IP of the peer. */
Endpoint inside_of(const Peer &peer, const Prefix &allowed);
/* Seconds, where nobody says another number. */
constexpr std::uint32_t USUAL_WAIT = 30;
/* Sends packets to these peers until each has a session; throws Failure, which begins so, when some have none after so many seconds. The
 * program is where the interface is. */
void wait_for_sessions(const std::string &interface, const std::vector<Key> &peers, const PeerNames &names, std::uint32_t seconds,
		       const std::string &beginning, World &world);
/* Sends the peer a packet, so that a session is made. Returns 0, or why none could be sent: an errno. */
int knock(const std::string &link, const Peer &peer, Lookout &lookout);

}
