// SPDX-License-Identifier: GPL-2.0
#include "tunnel/inside.h"

#include <algorithm>

#include "model/values.h"

namespace wgctl {

std::optional<Prefix> inner_address(const Peer &peer)
{
	const std::vector<Prefix> &ips = peer.allowed_ips;
	auto found = std::find_if(ips.begin(), ips.end(), [](const Prefix &ip) { return ip.cidr == ip.bits(); });

	if (ips.empty())
		return {};
	return found == ips.end() ? ips.front() : *found;
}

const Peer &find_target(const std::string &what, const Device &device, const PeerNames &names, std::optional<Prefix> &destination)
{
	std::optional<Key> key = key_from_base64(what);
	std::vector<const Peer *> found;
	int longest = -1;

	if (is_ip_address(what))
		destination = parse_address(what);
	for (const Peer &peer : device.peers) {
		auto name = names.find(peer.public_key);
		if (peer.public_key == key || (name != names.end() && name->second == what))
			found.push_back(&peer);
		for (const Prefix &allowed : peer.allowed_ips)
			if (destination && covers(allowed, *destination) && allowed.cidr > longest) {
				longest = allowed.cidr;
				found = {&peer};
			}
	}
	if (found.empty())
		throw Failure{device.name + " has no peer of this name, key or address: " + in_quotes(what)};
	if (found.size() > 1)
		throw Failure{device.name + " has " + std::to_string(found.size()) + " peers named " + in_quotes(what) + "; give the public key"};
	return *found[0];
}

Endpoint inside_of(const Peer &peer, const Prefix &allowed)
{
	constexpr std::uint16_t DISCARD = 9;
	Prefix prefix = network_of(allowed);

	/* All the world is behind it: then where its endpoint is, or what is nobody's (RFC 3849, 5737). */
	if (is_default_route(prefix))
		prefix = peer.endpoint && peer.endpoint->any.sa_family == prefix.family ? address_of(*peer.endpoint)
			 : prefix.family == AF_INET6					 ? parse_address("2001:db8::1")
											 : parse_address("192.0.2.1");
	else if (prefix.cidr < prefix.bits())
		prefix.address[prefix.bits() / 8 - 1] |= 1;
	return endpoint_of(prefix, DISCARD);
}

int knock(const std::string &link, const Peer &peer, Lookout &lookout)
{
	int error = ENOENT;

	for (const Prefix &allowed : peer.allowed_ips)
		if (!(error = lookout.knock(link, inside_of(peer, allowed))))
			break;
	return error;
}

void wait_for_sessions(const std::string &interface, const std::vector<Key> &peers, const PeerNames &names, std::uint32_t seconds,
		       const std::string &beginning, World &world)
{
	/* Milliseconds. One packet makes WireGuard try for 90 s; but the agent may find an endpoint meanwhile. */
	constexpr std::int64_t LOOK_EVERY = 250, KNOCK_EVERY = 5'000;
	std::int64_t next_knock = world.clock.monotonic(), end = next_knock + std::int64_t{seconds} * 1000;

	for (;;) {
		Device device = world.devices.get(interface);
		PeerIndex present(device.peers);
		std::int64_t now = world.clock.monotonic();
		bool knocks = now >= next_knock;
		std::string silent;
		for (const Key &key : peers) {
			const Peer *peer = present.find(key);
			if (!peer || peer->has_session(world.clock.now()))
				continue;
			silent += (silent.empty() ? "" : ", ") + describe_peer(key, names);
			if (knocks)
				knock(interface, *peer, world.host.lookout);
		}
		if (silent.empty())
			return;
		if (now >= end || world.host.shell.is_interrupted())
			throw Failure{beginning + " these peers have not answered in " + std::to_string((now - end) / 1000 + seconds) + " s: " + silent};
		if (knocks)
			next_knock = now + KNOCK_EVERY;
		world.clock.sleep(LOOK_EVERY);
	}
}

}
