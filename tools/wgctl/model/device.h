// SPDX-License-Identifier: GPL-2.0
/* What a WireGuard interface is: one structure for what it has and for what is to change.
 *
 * Read from a device, every value is filled in as far as the device has it. As a change, an absent
 * value is left as it is, an all-zero key removes the key, and the flags say what else goes.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/policy.h"
#include "model/secret.h"
#include "model/state.h"

namespace wgctl {

/* An address range of cryptokey routing. The address may have host bits: the device drops them. */
struct Prefix {
	std::uint16_t family = AF_UNSPEC;
	std::uint8_t cidr = 0;
	/* Changes only: take the prefix away from the peer. */
	bool remove = false;
	/* IPv4 in the first four. */
	std::array<std::uint8_t, 16> address{};

	std::uint8_t bits() const { return family == AF_INET6 ? 128 : 32; }
	auto operator<=>(const Prefix &) const = default;
};

struct Endpoint {
	union {
		sockaddr any;
		sockaddr_in v4;
		sockaddr_in6 v6;
	};

	Endpoint() : v6{} {}
	socklen_t size() const { return any.sa_family == AF_INET6 ? sizeof(v6) : sizeof(v4); }
	std::uint16_t port() const { return ntohs(any.sa_family == AF_INET6 ? v6.sin6_port : v4.sin_port); }
};

struct Timestamp {
	std::int64_t seconds = 0;
	std::int64_t nanoseconds = 0;

	auto operator<=>(const Timestamp &) const = default;
};

/* After so many seconds without a handshake a session is over: [WG §6.1], REJECT_AFTER_TIME. */
constexpr std::int64_t SESSION_LIFE = 180;

struct Peer {
	Key public_key;
	std::optional<Key> preshared_key;
	std::optional<Endpoint> endpoint;
	/* Of a file: HOST:PORT, when HOST is a name that nobody was asked for, or that nobody knows. */
	std::string endpoint_name;
	/* Seconds; 0 is off. */
	std::optional<std::uint16_t> persistent_keepalive;
	std::vector<Prefix> allowed_ips;
	/* Read together with the state, where the kernel has policies. */
	std::optional<PeerPolicy> policy;

	/* Never part of a change. */
	Timestamp last_handshake;
	std::uint64_t rx_bytes = 0;
	std::uint64_t tx_bytes = 0;
	/* Only where it was asked for and the kernel has it. */
	std::optional<PeerState> state;

	/* Only part of a change. */
	bool remove = false;
	bool update_only = false;
	bool replace_allowed_ips = false;

	bool has_endpoint() const { return endpoint || !endpoint_name.empty(); }
	/* `now`: wall clock, seconds. */
	bool has_session(std::int64_t now) const { return last_handshake.seconds && now - last_handshake.seconds <= SESSION_LIFE; }
};

/* The change that takes a peer away. */
inline Peer removal_of(const Key &key)
{
	Peer gone;

	gone.public_key = key;
	gone.remove = true;
	return gone;
}

/* Null when there is none. */
inline const Peer *peer_with(const Key &key, const std::vector<Peer> &peers)
{
	auto found = std::find_if(peers.begin(), peers.end(), [&](const Peer &peer) { return peer.public_key == key; });

	return found == peers.end() ? nullptr : &*found;
}

/* The same, for asking often. The peers must outlive it, and stay where they are. */
class PeerIndex {
public:
	PeerIndex() = default;
	explicit PeerIndex(const std::vector<Peer> &peers)
	{
		for (const Peer &peer : peers)
			peers_.emplace(peer.public_key, &peer);
	}
	const Peer *find(const Key &key) const
	{
		auto found = peers_.find(key);
		return found == peers_.end() ? nullptr : found->second;
	}

private:
	std::map<Key, const Peer *> peers_;
};

struct Device {
	std::string name;
	std::optional<Key> private_key;
	std::optional<Key> public_key;
	std::optional<std::uint16_t> listen_port;
	std::optional<std::uint32_t> fwmark;
	std::vector<Peer> peers;
	/* Read together with the state, where the kernel has it. */
	std::optional<Binding> binding;
	/* Only where it was asked for and the kernel has it. */
	std::optional<DeviceState> state;

	/* Only part of a change: peers not listed go away. */
	bool replace_peers = false;
};

/* Does a change ask for what no other WireGuard has? */
inline bool needs_our_module(const Device &change)
{
	return change.binding || std::any_of(change.peers.begin(), change.peers.end(), [](const Peer &peer) { return peer.policy.has_value(); });
}
constexpr const char *ONLY_OUR_MODULE = "this WireGuard does not support BindDevice, BindAddress, PinEndpoint, OpenedMark, OuterMark or DSCP: remove "
					"them from the file, or load the wireguard-cxx module";

}
