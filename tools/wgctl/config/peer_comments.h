// SPDX-License-Identifier: GPL-2.0
/* Values in comments of [Peer] sections: `# Expires = 2026-12-31', which wg(8) and wg-quick(8) pass over. */
#pragma once

#include <functional>
#include <span>

#include "config/quick_config.h"

namespace wgctl {

/* Calls each(peer, key, value, line) for those of these keys, in order; each is the key as `keys` has it. What it throws is told with
 * file, line and key. Throws Failure as well for one that is about no peer. */
void for_each_peer_comment(const QuickConfig &config, std::span<const std::string_view> keys,
			   const std::function<void(const Key &peer, std::string_view key, std::string_view value, std::size_t line)> &each);

}
