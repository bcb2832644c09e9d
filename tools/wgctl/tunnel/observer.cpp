// SPDX-License-Identifier: GPL-2.0
#include "tunnel/observer.h"

#include "model/values.h"

namespace wgctl {

namespace {

using Kind = DeviceEvent::Kind;

/* Milliseconds. */
constexpr std::int64_t LONG = 3'600'000, BETWEEN_LOOKS = 1'000;

bool is_moved(const Peer &before, const Peer &after)
{
	return before.endpoint && after.endpoint && format_endpoint(*before.endpoint) != format_endpoint(*after.endpoint);
}

bool is_configured_alike(const Peer &before, const Peer &after)
{
	return before.preshared_key == after.preshared_key && before.persistent_keepalive == after.persistent_keepalive &&
	       before.allowed_ips == after.allowed_ips;
}

}

std::vector<DeviceEvent> difference_of(const Device &before, std::int64_t then, const Device &after, std::int64_t now, EventWishes wishes)
{
	PeerIndex was(before.peers), is(after.peers);
	std::vector<DeviceEvent> events;
	bool is_changed = before.private_key != after.private_key || before.listen_port != after.listen_port || before.fwmark != after.fwmark;
	auto add = [&](Kind kind, const Peer &peer) -> DeviceEvent & {
		return events.emplace_back(DeviceEvent{.kind = kind, .interface = after.name, .peer = peer.public_key});
	};

	for (const Peer &gone : before.peers)
		if (!is.find(gone.public_key))
			add(Kind::peer_removed, gone);
	for (const Peer &peer : after.peers) {
		const Peer *known = was.find(peer.public_key);
		if (!known)
			add(Kind::peer_added, peer);
		else if (!is_configured_alike(*known, peer))
			add(Kind::peer_changed, peer);
	}
	if (is_changed || !events.empty())
		events.push_back({.kind = Kind::configuration_changed, .interface = after.name});
	for (const Peer &peer : after.peers) {
		const Peer *known = was.find(peer.public_key);
		bool had_session = known && known->has_session(then);
		if (peer.last_handshake.seconds && (!known || peer.last_handshake > known->last_handshake)) {
			DeviceEvent &event = add(Kind::session_established, peer);
			event.endpoint = peer.endpoint;
			event.is_rekey = had_session;
		} else if (had_session && !peer.has_session(now)) {
			add(Kind::session_expired, peer);
		}
		if (wishes.moves && known && is_moved(*known, peer))
			add(Kind::endpoint_moved, peer).endpoint = peer.endpoint;
	}
	return events;
}

Observer::Observer(std::string interface, EventWishes wishes, World &world) :
	interface_(std::move(interface)), wishes_(wishes), world_(world), told_(world.devices.listen(wishes))
{
	if (is_looking())
		look();
}

std::vector<DeviceEvent> Observer::read()
{
	std::vector<DeviceEvent> events = told_->read();

	std::erase_if(events, [&](const DeviceEvent &event) { return !interface_.empty() && !event.interface.empty() && event.interface != interface_; });
	return events;
}

/* An interface that comes or goes does so with its peers; one that cannot be read is gone. */
std::vector<DeviceEvent> Observer::look()
{
	std::map<std::string, Device> seen;
	std::vector<DeviceEvent> events;
	std::int64_t now = world_.clock.now();

	for (const std::string &name : interface_.empty() ? world_.devices.names() : std::vector{interface_}) {
		try {
			seen[name] = world_.devices.get(name);
		} catch (const Failure &) {
			continue;
		}
	}
	std::map<std::string, Device> all = seen;
	all.insert(seen_.begin(), seen_.end());
	for (const auto &[name, device] : all) {
		Device none;
		none.name = name;
		auto before = seen_.find(name), after = seen.find(name);
		std::vector<DeviceEvent> more = difference_of(before == seen_.end() ? none : before->second, seen_at_,
							      after == seen.end() ? none : after->second, now, wishes_);
		std::move(more.begin(), more.end(), std::back_inserter(events));
	}
	seen_ = std::move(seen);
	seen_at_ = now;
	return events;
}

std::optional<std::vector<DeviceEvent>> Observer::next()
{
	for (;;) {
		Lookout::Event event = world_.host.lookout.wait(is_looking() ? BETWEEN_LOOKS : LONG, is_looking() ? -1 : told_->descriptor());
		std::vector<DeviceEvent> events;
		if (event == Lookout::Event::quit)
			return {};
		if (is_looking() && event == Lookout::Event::time)
			events = look();
		else if (event == Lookout::Event::besides)
			events = read();
		if (!events.empty())
			return events;
	}
}

}
