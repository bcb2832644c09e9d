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

}
