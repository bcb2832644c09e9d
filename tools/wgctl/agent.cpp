// SPDX-License-Identifier: GPL-2.0
#include "agent.h"

#include <algorithm>

#include "config.h"
#include "config_edit.h"
#include "host.h"
#include "values.h"

namespace wgctl {

namespace {

/* Seconds without a handshake that end a session. [WG §6.1, REJECT_AFTER_TIME] */
constexpr std::int64_t SESSION_LIFE = 180;
/* Three handshakes' worth for each address. [WG §6.4, REKEY_TIMEOUT is 5 s] */
constexpr std::int64_t TRY_TIME = 15'000;
/* Between rounds through all addresses; doubles each time. */
constexpr std::int64_t FIRST_PAUSE = 15'000, LONGEST_PAUSE = 300'000;

bool split_endpoint(const std::string &text, std::string &host, std::string &port)
{
	std::size_t colon = text.rfind(':');

	if (colon == text.npos || !colon || colon + 1 == text.size())
		return false;
	host = text.substr(0, colon);
	port = text.substr(colon + 1);
	if (host.starts_with('[') && host.ends_with(']'))
		host = host.substr(1, host.size() - 2);
	return !host.empty();
}

}

bool Agent::is_dead(const Peer &peer, const Memory &memory) const
{
	std::int64_t age = world_.clock.now() - peer.last_handshake.seconds;
	bool is_wanted = peer.persistent_keepalive.value_or(0) || (memory.is_known && peer.tx_bytes > memory.tx_bytes);

	/* A handshake in the future is a clock that was set back, not a dead session. */
	return is_wanted && (!peer.last_handshake.seconds || age > SESSION_LIFE);
}

std::deque<Agent::Candidate> Agent::candidates_for(const Peer &peer, std::string_view text) const
{
	std::deque<Candidate> found;
	std::vector<std::string> names;
	/* Of several plain lines the last one is what `up` took; all of them are tried. */
	for (const std::string &name : values_of(text, peer.public_key, "Endpoint", Spelled::either_way))
		if (std::find(names.begin(), names.end(), name) == names.end())
			names.push_back(name);

	for (const std::string &name : names) {
		std::string host, port;
		if (!split_endpoint(name, host, port))
			continue;
		for (const Endpoint &endpoint : world_.host.lookout.addresses_of(host, port)) {
			Text address = format_endpoint(endpoint);
			if (std::none_of(found.begin(), found.end(), [&](const Candidate &c) { return format_endpoint(c.endpoint) == address; }))
				found.push_back({endpoint, name});
		}
	}
	/* The present one has had its chance, and comes last. */
	if (peer.endpoint)
		std::stable_partition(found.begin(), found.end(),
				      [&](const Candidate &c) { return format_endpoint(c.endpoint) != format_endpoint(*peer.endpoint); });
	return found;
}

void Agent::try_next(const Peer &peer, Memory &memory)
{
	Text text = world_.files.read(file_, CONFIG_FILE_LIMIT);

	if (memory.candidates.empty())
		memory.candidates = candidates_for(peer, text);
	std::int64_t now = world_.clock.monotonic();
	if (!memory.candidates.empty()) {
		Candidate next = memory.candidates.front();
		memory.candidates.pop_front();
		bool is_there = peer.endpoint && format_endpoint(*peer.endpoint) == format_endpoint(next.endpoint);
		if (!is_there) {
			Device change;
			Peer &moved = change.peers.emplace_back();
			change.name = interface_;
			moved.public_key = peer.public_key;
			moved.update_only = true;
			moved.endpoint = next.endpoint;
			world_.devices.set(change);
			world_.terminal.write(Stream::out, describe_peer(peer.public_key, parse_peer_names(text)) + ": no session, trying " +
								   std::string(format_endpoint(next.endpoint)) + " of " + next.name + "\n");
		}
	}
	memory.not_before = now + TRY_TIME;
	if (memory.candidates.empty()) {
		memory.pause = memory.pause ? std::min(memory.pause * 2, LONGEST_PAUSE) : FIRST_PAUSE;
		memory.not_before = now + memory.pause;
	}
}

void Agent::look()
{
	Device device = world_.devices.get(interface_);

	for (const Peer &peer : device.peers) {
		Memory &memory = memories_[peer.public_key];
		bool is_alive = peer.last_handshake.seconds && world_.clock.now() - peer.last_handshake.seconds <= SESSION_LIFE;
		bool is_dead_now = is_dead(peer, memory);
		memory.tx_bytes = peer.tx_bytes;
		memory.is_known = true;
		if (is_alive) {
			memory.candidates.clear();
			memory.not_before = memory.pause = 0;
		} else if (is_dead_now && world_.clock.monotonic() >= memory.not_before) {
			try_next(peer, memory);
		}
	}
	std::erase_if(memories_, [&](const auto &entry) {
		return std::none_of(device.peers.begin(), device.peers.end(), [&](const Peer &p) { return p.public_key == entry.first; });
	});
}

void Agent::network_changed()
{
	for (auto &[key, memory] : memories_) {
		memory.candidates.clear();
		memory.not_before = memory.pause = 0;
	}
}

}
