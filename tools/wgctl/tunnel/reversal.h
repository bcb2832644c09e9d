// SPDX-License-Identifier: GPL-2.0
/* Taking a change of a WireGuard interface back. */
#pragma once

#include "model/device.h"

namespace wgctl {

/* The change that gives all that `change` names the values of `present`, the interface before it;
 * whether `change` was made, in part or not at all. Peers that had a session keep it, unless `change`
 * has removed them. */
Device reversal(const Device &change, const Device &present);

}
