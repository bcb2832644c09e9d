// SPDX-License-Identifier: GPL-2.0
/* The commands of PreUp, PostUp, PreDown and PostDown. */
#pragma once

#include "config/quick_config.h"

namespace wgctl {

/* One after the other; throws Failure when one fails. */
void run_hooks(const QuickConfig &config, const std::vector<Hook> &hooks, World &world);

}
