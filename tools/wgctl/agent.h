// SPDX-License-Identifier: GPL-2.0
/* Keeps endpoints at the names the file has for them, not at the addresses they had at `up`.
 *
 * A peer whose session is dead while something wants to reach it gets the next address of its
 * `Endpoint` and of its `# Endpoint =` comments, every A and AAAA answer in turn. A live peer is never
 * touched: it may have roamed to where no name points.
 */
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "lookout.h"
#include "names.h"
#include "outside.h"

namespace wgctl {

class Agent {
public:
	Agent(std::string file, std::string interface, World &world) : file_(std::move(file)), interface_(std::move(interface)), world_(world) {}

	/* Looks at all peers once; what it does to them it tells on standard output. */
	void look();
	/* Whoever could not be reached may be reachable now. */
	void network_changed();

private:
	struct Candidate {
		Endpoint endpoint;
		std::string name;
	};
	struct Memory {
		std::deque<Candidate> candidates;
		/* Milliseconds of the monotonic clock. */
		std::int64_t not_before = 0, pause = 0;
		std::uint64_t tx_bytes = 0;
		bool is_known = false;
	};

	bool is_dead(const Peer &peer, const Memory &memory) const;
	void try_next(const Peer &peer, Memory &memory);
	std::deque<Candidate> candidates_for(const Peer &peer, std::string_view text) const;

	std::string file_, interface_;
	World &world_;
	std::map<Key, Memory> memories_;
};

}
