// SPDX-License-Identifier: GPL-2.0
/* What this project's module lets one say of sockets and peers, and no other WireGuard (uapi/linux/wireguard_extensions.h). */
#pragma once

#include <cstdint>
#include <string>

namespace wgctl {

/* As DSCP: that of the packet inside. */
constexpr std::uint8_t DSCP_INHERIT = 64;

struct PeerPolicy {
	/* It stays at its endpoint, wherever its messages come from. */
	bool pins_endpoint = false;
	/* Of packets from the peer, once they are opened; of messages to it, in place of the interface's mark. 0: none, and that one. */
	std::uint32_t opened_mark = 0, outer_mark = 0;
	/* Of data messages to the peer. */
	std::uint8_t dscp = 0;

	bool operator==(const PeerPolicy &) const = default;
};

/* What the sockets are bound to; empty: nothing. */
struct Binding {
	/* A link, or a VRF, where the sockets are. */
	std::string link;
	/* As text; it has no port. */
	std::string address;

	bool operator==(const Binding &) const = default;
};

/* For people; empty when nothing is bound. */
inline std::string format_binding(const Binding &binding)
{
	return binding.link + (binding.link.empty() || binding.address.empty() ? "" : " ") + binding.address;
}

inline std::string format_dscp(std::uint8_t dscp)
{
	return dscp == DSCP_INHERIT ? "inherit" : std::to_string(dscp);
}

}
