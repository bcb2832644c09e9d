// SPDX-License-Identifier: GPL-2.0
#include "tunnel/endpoint_keeper.h"

#include <algorithm>

#include "config/config.h"
#include "config/edit.h"
#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

namespace {

/* Three handshakes' worth for each address. [WG §6.4, REKEY_TIMEOUT is 5 s] */
constexpr std::int64_t TRY_TIME = 15'000, SHORTEST_TRY = 5'000;
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

void EndpointKeeper::observe(const Peer &peer, Memory &memory, bool &is_wanted, bool &is_alive) const
{
	std::int64_t now = world_.clock.monotonic();

	is_wanted = peer.persistent_keepalive.value_or(0) || (memory.is_known && peer.tx_bytes > memory.tx_bytes);
	if (!memory.is_known)
		/* A handshake in the future is a clock that was set back, not a dead session. */
		memory.alive_at = now - std::max<std::int64_t>(world_.clock.now() - peer.last_handshake.seconds, 0) * 1000;
	else if (peer.last_handshake != memory.last_handshake || peer.rx_bytes > memory.rx_bytes)
		memory.alive_at = now;
	memory.last_handshake = peer.last_handshake;
	memory.tx_bytes = peer.tx_bytes;
	memory.rx_bytes = peer.rx_bytes;
	memory.is_known = true;
	is_alive = peer.last_handshake.seconds && now - memory.alive_at <= SESSION_LIFE * 1000;
}

std::deque<EndpointKeeper::Candidate> EndpointKeeper::candidates_for(const Peer &peer, std::string_view text, std::uint32_t mark) const
{
	std::deque<Candidate> found;
	std::vector<std::string> names;
	std::string all;
	/* Of several plain lines the last one is what `up` took; all of them are tried. */
	for (const std::string &name : values_of(text, peer.public_key, "Endpoint", Spelled::either_way)) {
		if (std::find(names.begin(), names.end(), name) != names.end())
			continue;
		names.push_back(name);
		all += (all.empty() ? "" : ", ") + name;
	}

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
	if (found.empty() && !all.empty())
		world_.terminal.write(Stream::out, describe_peer(peer.public_key, parse_peer_names(text)) + ": no session, and no address known for " + all +
							   "; is there a name server that knows it?\n");
	/* A network without IPv6 need not be tried with it. If there is no way at all, all are as good. */
	auto has_way = [&](const Candidate &c) { return world_.host.network.way_to(c.endpoint, mark).has_value(); };
	if (std::any_of(found.begin(), found.end(), has_way))
		std::erase_if(found, [&](const Candidate &c) { return !has_way(c); });
	/* The present one has had its chance, and comes last. */
	if (peer.endpoint)
		std::stable_partition(found.begin(), found.end(),
				      [&](const Candidate &c) { return format_endpoint(c.endpoint) != format_endpoint(*peer.endpoint); });
	return found;
}

void EndpointKeeper::try_next(const Peer &peer, Memory &memory, std::uint32_t mark)
{
	std::int64_t now = world_.clock.monotonic();

	/* Whatever goes wrong, not again at once. */
	memory.last_try = now;
	memory.not_before = now + TRY_TIME;
	Text text = world_.files.read(file_, CONFIG_FILE_LIMIT);
	if (memory.candidates.empty()) {
		memory.candidates = candidates_for(peer, text, mark);
		memory.stale_at = now + TRY_TIME * static_cast<std::int64_t>(memory.candidates.size());
	}
	std::optional<Candidate> next;
	if (!memory.candidates.empty()) {
		next = memory.candidates.front();
		memory.candidates.pop_front();
	}
	if (memory.candidates.empty()) {
		memory.pause = memory.pause ? std::min(memory.pause * 2, LONGEST_PAUSE) : FIRST_PAUSE;
		memory.not_before = now + memory.pause;
	}
	if (!next || (peer.endpoint && format_endpoint(*peer.endpoint) == format_endpoint(next->endpoint)))
		return;
	Device change;
	Peer &moved = change.peers.emplace_back();
	change.name = interface_;
	moved.public_key = peer.public_key;
	moved.update_only = true;
	moved.endpoint = next->endpoint;
	world_.devices.set(change);
	world_.terminal.write(Stream::out, describe_peer(peer.public_key, parse_peer_names(text)) + ": no session, trying " +
						   std::string(format_endpoint(next->endpoint)) + " of " + next->name + "\n");
}

void EndpointKeeper::look_at(const Peer &peer, std::uint32_t mark)
{
	Memory &memory = memories_[peer.public_key];
	bool is_wanted, is_alive;

	observe(peer, memory, is_wanted, is_alive);
	if (is_alive) {
		memory.candidates.clear();
		memory.not_before = memory.pause = 0;
	} else if (is_wanted && world_.clock.monotonic() >= memory.not_before) {
		try_next(peer, memory, mark);
	}
}

void EndpointKeeper::look()
{
	Device device = world_.devices.get(interface_);
	std::optional<Failure> trouble;

	for (const Peer &peer : device.peers) {
		try {
			look_at(peer, device.fwmark.value_or(0));
		} catch (const Failure &failure) {
			if (!trouble)
				trouble = failure;
		}
	}
	std::erase_if(memories_, [&](const auto &entry) {
		return std::none_of(device.peers.begin(), device.peers.end(), [&](const Peer &p) { return p.public_key == entry.first; });
	});
	if (trouble)
		throw *trouble;
}

void EndpointKeeper::network_changed()
{
	std::int64_t now = world_.clock.monotonic();

	for (auto &[key, memory] : memories_) {
		memory.pause = 0;
		memory.not_before = std::min(memory.not_before, memory.last_try + SHORTEST_TRY);
		/* Else those at the end of the list would never have their turn. */
		if (now >= memory.stale_at)
			memory.candidates.clear();
	}
}

}
