// SPDX-License-Identifier: GPL-2.0
/* Taking down what bring_up made: goes on after failures, and tells them all. */
#pragma once

#include "tunnel/placement.h"

namespace wgctl {

/* Leaves the program in `placement.home`. */
void take_down(const QuickConfig &config, const Placement &placement, World &world);

}
