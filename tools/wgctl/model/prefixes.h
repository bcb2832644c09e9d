// SPDX-License-Identifier: GPL-2.0
/* Sets of addresses, as lists of prefixes. */
#pragma once

#include <vector>

#include "model/device.h"

namespace wgctl {

/* The lower half of a prefix, or the upper one; it has more than one address. */
Prefix half(const Prefix &prefix, unsigned which);
/* All addresses of `wholes` that are not in `holes`, in as few prefixes as that takes, in order. */
std::vector<Prefix> prefixes_without(const std::vector<Prefix> &wholes, const std::vector<Prefix> &holes);

}
