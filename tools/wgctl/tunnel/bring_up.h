// SPDX-License-Identifier: GPL-2.0
/* Bringing a configuration up, the way wg-quick(8) does.
 *
 * It is a row of steps (steps.h). Hooks are not undone: what they did is not known here.
 */
#pragma once

#include <map>
#include <string>

#include "config/quick_config.h"
#include "model/machine.h"
#include "model/outside.h"
#include "tunnel/placement.h"
#include "tunnel/steps.h"

namespace wgctl {

/* Whatever can be known to be wrong with a file before anything is done; throws Failure. */
void check_values(const QuickConfig &config, const Placement &placement, World &world);
/* And whether the interface is there already. */
void check_before_up(const QuickConfig &config, const Placement &placement, World &world);

/* For each endpoint that look_up_names could not find, a line on standard error. */
void tell_unknown_names(const std::map<Key, std::string> &failures, const QuickConfig &config, World &world);

/* What fits through the widest of the ways to the peers' endpoints: `way`, with these destinations. */
std::uint32_t find_mtu(const QuickConfig &config, const Device &device, PacketWay way, Network &network);

/* Leaves the program in `placement.home`. */
void bring_up(const QuickConfig &config, const Placement &placement, World &world);
/* For `exec`: keeps the undoing for later. */
void bring_up(const QuickConfig &config, const Placement &placement, Steps &steps, World &world);

}
