// SPDX-License-Identifier: GPL-2.0
/* Addresses for new peers: the lowest one of a network that nobody has. */
#pragma once

#include <optional>
#include <vector>

#include "model/device.h"

namespace wgctl {

/* A single address of `network`, or nothing when all are taken. Not its first nor IPv4's broadcast
 * address, where the network is large enough to have them. What is as wide as the network in `used`
 * leads elsewhere; narrower routes win over it, so it takes no address, unless the network is one. */
std::optional<Prefix> next_free_address(const Prefix &network, const std::vector<Prefix> &used);

}
