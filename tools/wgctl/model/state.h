// SPDX-License-Identifier: GPL-2.0
/* Why things are as they are, as far as the kernel tells: what our module has besides a device's configuration and counters
 * (uapi/linux/wireguard_extensions.h). Times are in milliseconds. */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wgctl {

struct DropCount {
	std::string reason;
	std::uint64_t count = 0;
};

struct SessionState {
	enum class Slot : std::uint8_t { previous, current, next };
	Slot slot = Slot::current;
	bool is_responder = false;
	std::uint64_t age = 0;
	/* Messages. */
	std::uint64_t sent = 0, received = 0;
};

struct PeerState {
	/* In debug lines and tracepoints. */
	std::uint64_t number = 0;
	bool awaits_response = false;
	/* From now on; nothing when no initiation is to leave. */
	std::optional<std::uint64_t> next_retry;
	/* Why something of this peer was dropped last, and how long ago; empty when nothing ever was. */
	std::string last_drop;
	std::uint64_t last_drop_age = 0;
	std::vector<DropCount> drops;
	/* Packets that wait for a session. */
	std::uint32_t staged = 0;
	/* The local address in use; empty where routing chooses. */
	std::string source;
	/* Of the way to the endpoint. */
	std::optional<std::uint32_t> path_mtu;
	std::vector<SessionState> sessions;
};

struct DeviceState {
	/* Handshakes need a cookie now. */
	bool is_under_load = false;
	std::uint32_t queued_handshakes = 0;
	std::uint64_t cookies_sent = 0;
	/* The implementation of the AEAD in use. */
	std::string aead;
	std::vector<DropCount> drops;
};

}
