// SPDX-License-Identifier: GPL-2.0
/* What is behind a peer: where packets through the tunnel go, and sending them there. */
#pragma once

#include <optional>
#include <string>

#include "model/machine.h"

namespace wgctl {

/* Its first allowed IP that is one address, or else its first network; nothing when it has none. */
std::optional<Prefix> inner_address(const Peer &peer);
/* Somewhere in an allowed IP of the peer. */
Endpoint inside_of(const Peer &peer, const Prefix &allowed);
/* Sends the peer a packet, so that a session is made. Returns 0, or why none could be sent: an errno. */
int knock(const std::string &link, const Peer &peer, Lookout &lookout);

}
