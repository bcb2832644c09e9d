// SPDX-License-Identifier: GPL-2.0
/* Policy of peers, in comments of their sections: `# PinEndpoint = yes', `# OpenedMark = 9', `# OuterMark = 7', `# DSCP = 46' or `inherit'. */
#pragma once

#include <map>
#include <vector>

#include "config/quick_config.h"

namespace wgctl {

/* Of `config.text`. Throws Failure that names the line. */
std::map<Key, PeerPolicy> parse_policies(const QuickConfig &config);
/* Each peer gets its policy. Throws Failure when one would keep packets from getting out. */
void add_policies(std::vector<Peer> &peers, const QuickConfig &config);

}
