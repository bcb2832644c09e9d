/* SPDX-License-Identifier: GPL-2.0 */
/* trace.h: the tracepoints: wireguard:handshake, session, endpoint and drop. Read twice by the kernel's headers. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM wireguard

#if !defined(WG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define WG_TRACE_H
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/tracepoint.h>

#define WG_TRACE_TEXT 32

/* @peer: its number in debug lines, 0 when there is none. @address: where it is, of family 0 when nobody knows. */
DECLARE_EVENT_CLASS(wireguard_peer,
	TP_PROTO(const struct net_device *dev, u64 peer, const char *what, const struct sockaddr_in6 *address),
	TP_ARGS(dev, peer, what, address),
	TP_STRUCT__entry(
		__array(char, device, IFNAMSIZ)
		__field(u64, peer)
		__array(char, what, WG_TRACE_TEXT)
		__array(u8, address, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		strscpy(__entry->device, dev->name, IFNAMSIZ);
		__entry->peer = peer;
		strscpy(__entry->what, what, WG_TRACE_TEXT);
		memcpy(__entry->address, address, sizeof(*address));
	),
	TP_printk("%s: Peer %llu: %s (%pISpfsc)", __entry->device, __entry->peer, __entry->what, __entry->address)
);

#define WG_TRACE_EVENT(name) \
DEFINE_EVENT(wireguard_peer, name, \
	TP_PROTO(const struct net_device *dev, u64 peer, const char *what, const struct sockaddr_in6 *address), \
	TP_ARGS(dev, peer, what, address))
WG_TRACE_EVENT(handshake);
WG_TRACE_EVENT(session);
WG_TRACE_EVENT(endpoint);
WG_TRACE_EVENT(drop);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
