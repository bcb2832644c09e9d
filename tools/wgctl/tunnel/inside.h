// SPDX-License-Identifier: GPL-2.0
/* What is behind a peer: where packets through the tunnel go. */
#pragma once

#include <optional>

#include "model/device.h"

namespace wgctl {

/* Its first allowed IP that is one address, or else its first network; nothing when it has none. */
std::optional<Prefix> inner_address(const Peer &peer);

}
