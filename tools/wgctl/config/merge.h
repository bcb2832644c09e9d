// SPDX-License-Identifier: GPL-2.0
/* Taking what an interface has become back into its file, without writing the file anew: comments,
 * order, spelling and whatever still holds stay as they are; host names are not replaced by the
 * addresses they had. What wg-quick(8) would lose on `save` is not lost.
 */
#pragma once

#include <optional>
#include <vector>

#include "config/quick_config.h"
#include "model/machine.h"
#include "model/outside.h"

namespace wgctl {

/* What the interface has besides its WireGuard configuration. */
struct LinkState {
	std::vector<Prefix> addresses;
	std::uint32_t mtu = 0;
};

/* `config.text` with the values of `device` and `link`. */
Text merged_config(const QuickConfig &config, const Device &device, const LinkState &link, World &world);

/* Replaces the file at `config.path` when the interface has changed. Both are read anew, once nobody else
 * changes the file. */
void save_config(const QuickConfig &config, World &world);

}
