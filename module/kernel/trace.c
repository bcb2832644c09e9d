// SPDX-License-Identifier: GPL-2.0
/* trace.c: what the module tells who watches it: tracepoints, and debug lines (dynamic debug, off by default). */
#define CREATE_TRACE_POINTS
#include "trace.h"
#include "objects.h"
#include "services.h"

static void address_of(const struct wg_endpoint *endpoint, struct sockaddr_in6 *address)
{
	struct sockaddr_in *v4 = (void *)address;

	memset(address, 0, sizeof(*address));
	if (!endpoint || !endpoint->family)
		return;
	address->sin6_port = htons(endpoint->port);	/* of both at the same place */
	if (endpoint->family == 4) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, endpoint->address, sizeof(v4->sin_addr));
		return;
	}
	address->sin6_family = AF_INET6;
	address->sin6_scope_id = endpoint->scope;
	memcpy(&address->sin6_addr, endpoint->address, sizeof(address->sin6_addr));
}

void wg_kernel_trace(const struct wg_netdev *netdev, enum wg_trace which, uint64_t peer, const char *what, const struct wg_endpoint *endpoint)
{
	const struct net_device *dev = wg_to_net_device(netdev);
	struct sockaddr_in6 address;

	address_of(endpoint, &address);
	switch (which) {
	case WG_TRACE_HANDSHAKE: trace_handshake(dev, peer, what, &address); break;
	case WG_TRACE_SESSION: trace_session(dev, peer, what, &address); break;
	case WG_TRACE_ENDPOINT: trace_endpoint(dev, peer, what, &address); break;
	}
	net_dbg_ratelimited("%s: Peer %llu: %s (%pISpfsc)\n", dev->name, peer, what, &address);
}

void wg_kernel_debug_drop(const struct wg_netdev *netdev, const char *reason, uint64_t peer)
{
	const struct net_device *dev = wg_to_net_device(netdev);

	if (trace_drop_enabled()) {
		struct sockaddr_in6 nowhere = {};

		trace_drop(dev, peer, reason, &nowhere);
	}
	if (peer)
		net_dbg_ratelimited("%s: Peer %llu: dropped: %s\n", dev->name, peer, reason);
	else
		net_dbg_ratelimited("%s: dropped: %s\n", dev->name, reason);
}

/* Upstream's netns.sh pairs these lines, and tells objects apart by name and number. */
void wg_kernel_debug_life(const struct wg_netdev *netdev, const char *kind, uint64_t number, const char *event)
{
	pr_debug("%s: %s %llu %s\n", wg_to_net_device(netdev)->name, kind, number, event);
}
