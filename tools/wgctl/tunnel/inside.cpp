// SPDX-License-Identifier: GPL-2.0
#include "tunnel/inside.h"

#include <algorithm>

namespace wgctl {

std::optional<Prefix> inner_address(const Peer &peer)
{
	const std::vector<Prefix> &ips = peer.allowed_ips;
	auto found = std::find_if(ips.begin(), ips.end(), [](const Prefix &ip) { return ip.cidr == ip.bits(); });

	if (ips.empty())
		return {};
	return found == ips.end() ? ips.front() : *found;
}

}
