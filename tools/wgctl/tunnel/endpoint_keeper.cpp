// SPDX-License-Identifier: GPL-2.0
#include "tunnel/endpoint_keeper.h"

#include <algorithm>
#include <limits>
#include <set>

#include "config/config.h"
#include "config/edit.h"
#include "model/machine.h"
#include "model/values.h"
#include "tunnel/kill_switch.h"
#include "tunnel/plan.h"
#include "tunnel/visit.h"

namespace wgctl {

namespace {

/* Three handshakes' worth for each address. [WG §6.4, REKEY_TIMEOUT is 5 s] */
constexpr std::int64_t TRY_TIME = 15'000, SHORTEST_TRY = 5'000;
/* Between rounds through all addresses; doubles each time. */
constexpr std::int64_t FIRST_PAUSE = 15'000, LONGEST_PAUSE = 300'000;
/* Of waiting for answers, in one look: others have something to do, too. */
constexpr std::int64_t LONGEST_ASKING = 2'000;

}

void EndpointKeeper::observe(const Peer &peer, Memory &memory, bool &is_wanted, bool &is_alive) const
{
	std::int64_t now = world_.clock.monotonic();

	/* To where there is no endpoint, nothing can be sent. */
	is_wanted = peer.persistent_keepalive.value_or(0) || !peer.endpoint || (memory.is_known && peer.tx_bytes > memory.tx_bytes);
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

const EndpointKeeper::FromFile &EndpointKeeper::from_file()
{
	if (!from_file_) {
		Text text = read_config_file(file_, world_.files);
		from_file_ = FromFile{parse_peer_names(text), values_of_peers(text, "Endpoint", Spelled::either_way),
				      !values_of(text, {}, "ListenPort", Spelled::either_way).empty()};
	}
	return *from_file_;
}

/* The servers that are asked may be those behind this very tunnel. Then those before them are, past it; so
 * they are when a kill switch is closed. */
std::vector<Endpoint> EndpointKeeper::addresses_of(const std::string &host, const std::string &port, std::uint32_t mark)
{
	std::vector<Endpoint> found = world_.host.lookout.addresses_of(host, port);

	if (found.empty() && world_.host.dns.is_ours(interface_))
		found = world_.host.lookout.ask(world_.host.dns.others(interface_), mark, host, port);
	if (found.empty())
		found = KillSwitch(interface_, world_).ask_past(mark, host, port);
	return found;
}

std::deque<EndpointKeeper::Candidate> EndpointKeeper::candidates_for(const Peer &peer, std::uint32_t mark)
{
	std::deque<Candidate> found;
	std::string all;
	auto wanted = from_file().endpoints.find(peer.public_key);
	/* Of several plain lines the last one is what `up` took; all of them are tried. */
	for (const std::string &name : wanted == from_file().endpoints.end() ? std::vector<std::string>() : wanted->second) {
		HostPort parts;
		all += (all.empty() ? "" : ", ") + name;
		try {
			parts = split_endpoint(name);
		} catch (const Failure &) {
			/* A comment that only looks like one. */
			continue;
		}
		for (const Endpoint &endpoint : addresses_of(parts.host, parts.port, mark)) {
			Text address = format_endpoint(endpoint);
			if (std::none_of(found.begin(), found.end(), [&](const Candidate &c) { return format_endpoint(c.endpoint) == address; }))
				found.push_back({endpoint, name});
		}
	}
	if (found.empty() && !all.empty())
		world_.terminal.write(Stream::out, describe_peer(peer.public_key, from_file().names) + ": no session, and no address known for " + printable(all) +
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
	std::int64_t now;
	auto begin = [&] {
		now = memory.last_try = world_.clock.monotonic();
		memory.not_before = now + TRY_TIME;
	};

	if (memory.candidates.empty() && asked_ >= LONGEST_ASKING)
		return;
	/* Whatever goes wrong, not again at once. */
	begin();
	if (memory.candidates.empty()) {
		std::int64_t began = now;
		memory.candidates = candidates_for(peer, mark);
		/* To ask may have taken longer than a try, and is none. */
		begin();
		asked_ += now - began;
		is_in_vain_ = is_in_vain_ || (memory.pause && !memory.candidates.empty());
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
	Peer &moved = change_.peers.emplace_back();
	moved.public_key = peer.public_key;
	moved.update_only = true;
	moved.endpoint = next->endpoint;
	told_ += describe_peer(peer.public_key, from_file().names) + ": no session, trying " + std::string(format_endpoint(next->endpoint)) + " of " +
		 next->name + "\n";
}

void EndpointKeeper::look_at(const Peer &peer, std::uint32_t mark)
{
	Memory &memory = memories_[peer.public_key];
	bool is_wanted, is_alive;

	observe(peer, memory, is_wanted, is_alive);
	any_alive_ = any_alive_ || is_alive;
	if (is_alive) {
		memory.candidates.clear();
		memory.not_before = memory.pause = 0;
	} else if (is_wanted && world_.clock.monotonic() >= memory.not_before) {
		try_next(peer, memory, mark);
	}
	if (is_alive || is_wanted)
		next_look_ = std::min(next_look_, is_alive ? memory.alive_at + SESSION_LIFE * 1000 + 1 : memory.not_before);
}

void EndpointKeeper::look()
{
	Device device;
	{
		Visit visit(placement_.home, world_.host.namespaces);
		device = world_.devices.get(interface_);
	}
	std::optional<Failure> trouble;
	std::set<Key> keys;

	from_file_.reset();
	next_look_ = std::numeric_limits<std::int64_t>::max();
	is_in_vain_ = any_alive_ = false;
	asked_ = 0;
	change_ = {};
	told_.clear();
	for (const Peer &peer : device.peers) {
		keys.insert(peer.public_key);
		try {
			look_at(peer, device.fwmark.value_or(0));
		} catch (const Failure &failure) {
			if (!trouble)
				trouble = failure;
		}
	}
	std::erase_if(memories_, [&](const auto &entry) { return !keys.contains(entry.first); });
	/* A router on the way may have spoilt what it remembers of this port, for as long as something is sent from
	 * it; no session can be lost by taking another. A port the file names may be open elsewhere. */
	if (is_in_vain_ && !any_alive_ && !from_file().has_port) {
		change_.listen_port = 0;
		told_ += interface_ + ": nobody is reached from this port, taking another\n";
	}
	if (!told_.empty())
		carry_out_change();
	if (trouble)
		throw *trouble;
}

/* No allowed IP comes or goes, so the file has no part in it: it may be wrong just now. */
void EndpointKeeper::carry_out_change()
{
	QuickConfig config;
	Visit visit(placement_.home, world_.host.namespaces);

	config.interface = interface_;
	config.path = file_;
	carry_out_and_go_on(std::move(config), placement_, change_, world_);
	world_.terminal.write(Stream::out, told_);
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
