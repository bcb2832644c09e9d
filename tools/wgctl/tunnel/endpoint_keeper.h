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

#include "config/peer_names.h"
#include "model/machine.h"
#include "model/outside.h"
#include "tunnel/placement.h"

namespace wgctl {

class EndpointKeeper {
public:
	/* The program is, and stays, where the interface's sockets are. */
	EndpointKeeper(std::string file, std::string interface, Placement placement, World &world) :
		file_(std::move(file)), interface_(std::move(interface)), placement_(std::move(placement)), world_(world)
	{
	}

	/* Looks at all peers once and makes one change of all that is to change, which it tells on standard
	 * output. Whoever cannot be looked at does not keep it from the others; the first Failure is thrown in
	 * the end. When answers for names are long in coming, the other names are left to the next look. */
	void look();
	/* When there is something to do at the latest, by what was seen last. Milliseconds of the monotonic clock. */
	std::int64_t next_look() const { return next_look_; }
	/* Whoever could not be reached may be reachable now. A network that changes all the time makes no
	 * more than one try in 5 s. */
	void network_changed();

private:
	struct Candidate {
		Endpoint endpoint;
		std::string name;
	};
	struct FromFile {
		PeerNames names;
		std::map<Key, std::vector<std::string>> endpoints;
		bool has_port = false;
	};
	struct Memory {
		std::deque<Candidate> candidates;
		/* Milliseconds of the monotonic clock; when the answers for names are asked for again. */
		std::int64_t not_before = 0, pause = 0, last_try = 0, stale_at = 0;
		/* When the session was last seen to be alive. The wall clock has no say once that is known: it
		 * may jump, and a session must not die of that. */
		std::int64_t alive_at = 0;
		Timestamp last_handshake;
		std::uint64_t tx_bytes = 0, rx_bytes = 0;
		bool is_known = false;
	};

	void observe(const Peer &peer, Memory &memory, bool &is_wanted, bool &is_alive) const;
	void look_at(const Peer &peer, std::uint32_t mark);
	void try_next(const Peer &peer, Memory &memory, std::uint32_t mark);
	std::vector<Endpoint> addresses_of(const std::string &host, const std::string &port, std::uint32_t mark);
	std::deque<Candidate> candidates_for(const Peer &peer, std::uint32_t mark);
	const FromFile &from_file();
	void carry_out_change();

	std::string file_, interface_;
	Placement placement_;
	World &world_;
	std::map<Key, Memory> memories_;
	/* Read once a look, if at all: it may be long, and so may be the list of dead peers. */
	std::optional<FromFile> from_file_;
	/* In this look: a peer was tried at all its addresses before; somebody has a session. */
	bool is_in_vain_ = false, any_alive_ = false;
	/* Milliseconds it has waited for answers, in this look. */
	std::int64_t asked_ = 0;
	/* What it changes, and the lines about that. */
	Device change_;
	std::string told_;
	std::int64_t next_look_ = 0;
};

}
