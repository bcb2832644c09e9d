// SPDX-License-Identifier: GPL-2.0
#include "tunnel/expiry_keeper.h"

#include <algorithm>

#include "config/config.h"
#include "config/peer_names.h"
#include "model/times.h"
#include "model/values.h"
#include "tunnel/plan.h"
#include "tunnel/visit.h"

namespace wgctl {

namespace {

constexpr std::int64_t READ_EVERY = 60'000;

}

QuickConfig ExpiryKeeper::read() const
{
	QuickConfig config;

	config.path = file_;
	config.interface = interface_;
	config.text = read_config_file(file_, world_.files);
	parse_quick_text(config, world_.files);
	return config;
}

void ExpiryKeeper::look()
{
	std::int64_t now = world_.clock.now();

	if (world_.clock.monotonic() >= read_again_at_) {
		known_.expiries = read().expiries;
		read_again_at_ = world_.clock.monotonic() + READ_EVERY;
	}
	take_away_expired(now);
}

std::int64_t ExpiryKeeper::next_look() const
{
	std::int64_t now = world_.clock.now(), next = read_again_at_;

	for (const auto &[key, expiry] : known_.expiries)
		if (expiry.time > now)
			next = std::min(next, world_.clock.monotonic() + (expiry.time - now) * 1000);
	return next;
}

/* By what the file says now, and goes on saying meanwhile. */
void ExpiryKeeper::take_away_expired(std::int64_t now)
{
	auto has_expired = [&](const Key &key) { return known_.is_expired(key, now); };

	if (std::none_of(known_.expiries.begin(), known_.expiries.end(), [&](const auto &entry) { return has_expired(entry.first); }))
		return;
	Visit visit(placement_.home, world_.host.namespaces);
	Device device = world_.devices.get(interface_), change;
	if (std::none_of(device.peers.begin(), device.peers.end(), [&](const Peer &peer) { return has_expired(peer.public_key); }))
		return;
	std::shared_ptr<void> lock = world_.host.store.lock(file_);
	QuickConfig config = read();
	PeerNames names = parse_peer_names(config.text);
	std::string told;
	known_.expiries = config.expiries;
	for (const Peer &peer : device.peers) {
		if (!has_expired(peer.public_key))
			continue;
		change.peers.push_back(removal_of(peer.public_key));
		told += describe_peer(peer.public_key, names) + ": expired at " + format_time(config.expiries.at(peer.public_key).time) + ", taken from " +
			interface_ + "\n";
	}
	if (change.peers.empty())
		return;
	carry_out_and_go_on(std::move(config), placement_, change, world_);
	world_.terminal.write(Stream::out, told);
}

}
