// SPDX-License-Identifier: GPL-2.0
/* Peers that are let in until a time: the comment `# Expires = 2026-12-31T00:00:00Z` in their section.
 *
 * A comment, because wg(8) and wg-quick(8) refuse keys they do not know: they let such peers in for ever.
 * One that would not be understood is refused, not overlooked.
 */
#pragma once

#include <map>
#include <vector>

#include "config/quick_config.h"
#include "model/outside.h"

namespace wgctl {

/* Of `config.text`. Throws Failure that names the line. */
std::map<Key, Expiry> parse_expiries(const QuickConfig &config);

/* Those whose time is over now. */
void leave_out_expired(std::vector<Peer> &peers, const QuickConfig &config, World &world);

}
