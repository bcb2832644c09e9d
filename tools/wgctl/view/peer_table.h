// SPDX-License-Identifier: GPL-2.0
/* The peers of a file, and what the running interface has of them. */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/listed_peers.h"
#include "config/peer_names.h"
#include "view/json.h"

namespace wgctl {

struct PeerTable {
	std::vector<ListedPeer> peers;
	PeerNames names;
	/* Nothing when the interface is down. */
	std::optional<Device> running;
};

/* A line a peer; `now` in seconds of wall clock. */
Text peer_table(const PeerTable &table, std::int64_t now);
/* All that is known of each. */
Text peer_pages(const PeerTable &table, std::int64_t now);
Json json_of(const PeerTable &table);

/* What the file says of it. */
Json json_of(const ListedPeer &listed, const PeerNames &names);

/* "enabled", "expires at 2026-12-31T00:00:00Z" */
std::string state_of(const ListedPeer &listed);

}
