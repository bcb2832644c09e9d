// SPDX-License-Identifier: GPL-2.0
/* All peers of a file, those that are not let in among them. */
#pragma once

#include <optional>
#include <vector>

#include "config/quick_config.h"

namespace wgctl {

struct ListedPeer {
	/* What is the case: who is disabled may have expired, too. */
	enum class State { enabled, disabled, expired };

	Peer peer;
	State state = State::enabled;
	std::optional<std::int64_t> expires = {};
};

/* In the file's order, each once. Throws Failure when something is wrong with one. */
std::vector<ListedPeer> list_peers(const QuickConfig &config, World &world);
/* Null when it is not among them. */
const ListedPeer *listed_with(const Key &key, const std::vector<ListedPeer> &peers);

}
