/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/* What this module's family "wireguard" can besides the deployed one's commands: events, state, and changes a controller can rely on.
 *
 * Used by:   module/kernel/genl.c, netdev.c (C), module/engine/events, config_get, config_set, tx (C++), tools/wgctl
 * Numbers:   commands from 0x80, attributes from 0x1000: none that the deployed family may ever use. Nobody gets one of them who has not asked
 *            by one of these commands, or joined one of these groups. A kernel without them answers EOPNOTSUPP.
 *
 * WGX_CMD_GET_DEVICE is WG_CMD_GET_DEVICE, and takes besides: WGX_A_FLAGS, and WGDEVICE_A_PEERS with entries of WGPEER_A_PUBLIC_KEY: only these
 * peers are told of. It needs CAP_NET_ADMIN as that one does, unless the device is WGX_A_PUBLIC: then anybody may ask, without secrets.
 *
 * WGX_CMD_SET_DEVICE is WG_CMD_SET_DEVICE, and takes besides: WGX_A_FLAGS, WGX_A_GENERATION, WGX_A_PUBLIC, and policy.
 *
 * WGX_CMD_EVENT is what the groups' listeners get: WGDEVICE_A_IFINDEX, WGDEVICE_A_IFNAME, WGX_A_EVENT and what belongs to it. A listener must
 * have CAP_NET_ADMIN over its network namespace, and hears of the devices that are in it. ENOBUFS tells it that it missed some.
 */
#ifndef WG_UAPI_LINUX_WIREGUARD_EXTENSIONS_H
#define WG_UAPI_LINUX_WIREGUARD_EXTENSIONS_H

#define WGX_GROUP_EVENTS "events"
#define WGX_GROUP_ENDPOINTS "endpoints"		/* WGX_EVENT_ENDPOINT_MOVED */
#define WGX_GROUP_STRANGERS "strangers"		/* WGX_EVENT_UNKNOWN_INITIATION */

enum wgx_cmd {
	WGX_CMD_GET_DEVICE = 0x80,
	WGX_CMD_SET_DEVICE,
	WGX_CMD_EVENT,
};

/* Of a peer, but for CONFIGURATION_CHANGED. */
enum wgx_event {
	WGX_EVENT_PEER_ADDED = 1,
	WGX_EVENT_PEER_CHANGED,			/* a request named it */
	WGX_EVENT_PEER_REMOVED,
	WGX_EVENT_CONFIGURATION_CHANGED,	/* WGX_A_GENERATION, WGX_A_PORT_ID; the last one of a request */
	WGX_EVENT_SESSION_ESTABLISHED,		/* WGX_A_ROLE, WGX_A_IS_REKEY, WGX_A_ENDPOINT */
	WGX_EVENT_SESSION_EXPIRED,		/* there is no session any more that can be used */
	WGX_EVENT_HANDSHAKE_GIVEN_UP,		/* nothing was answered for REKEY_ATTEMPT_TIME */
	WGX_EVENT_ENDPOINT_MOVED,		/* WGX_A_ENDPOINT; at most one a second of a peer, the last one may be told with a later packet */
	WGX_EVENT_UNKNOWN_INITIATION,		/* WGX_A_ENDPOINT; the key is what the message claims, not proven; at most ten a second of a device */
};

/* WGX_A_FLAGS */
enum wgx_flag {
	WGX_F_STATE = 1U << 0,			/* GET: also WGX_A_UNDER_LOAD to WGX_A_DROPS of the device, and WGX_A_STATE of each peer */
	WGX_F_NO_SECRETS = 1U << 1,		/* GET: neither private nor preshared keys */
	WGX_F_NO_STEAL = 1U << 2,		/* SET: EEXIST where an allowed IP is another peer's */
};

/* Of a link's IFLA_INFO_DATA. A request that makes one takes the first two; all are told of it. Below rtnetlink's own limit, 50. */
enum wgx_link_attribute {
	WGX_LINK_A_LISTEN_PORT = 40,		/* u16 */
	WGX_LINK_A_FWMARK,			/* u32 */
	WGX_LINK_A_BIRTH_NETNSID,		/* s32: the namespace its sockets are in, as the link's own one knows it; -1: it has no number there.
						 * Absent when it is the same. */
};

enum wgx_attribute {
	WGX_A_FLAGS = 0x1000,			/* u32 */
	WGX_A_GENERATION,			/* u32: changes with each change of the configuration. In a SET: EAGAIN if it is another one */
	WGX_A_PUBLIC,				/* u8: 1, and anybody may read all but the secrets */
	WGX_A_EVENT,				/* u32, enum wgx_event */
	WGX_A_PEER,				/* WG_KEY_LEN bytes: the peer's public key */
	WGX_A_ENDPOINT,				/* as WGPEER_A_ENDPOINT */
	WGX_A_PORT_ID,				/* u32: netlink port of who made the change */
	WGX_A_ROLE,				/* u8: 0 we initiated, 1 we responded */
	WGX_A_IS_REKEY,				/* u8: 1: there was a session before */
	/* how a device is */
	WGX_A_UNDER_LOAD,			/* u8: 1: handshakes need a cookie now */
	WGX_A_QUEUED_HANDSHAKES,		/* u32 */
	WGX_A_COOKIES_SENT,			/* u64 */
	WGX_A_AEAD,				/* string: the form in use */
	WGX_A_DROPS,				/* nest of entries of type 0, enum wgx_drop_attribute */
	/* how a peer is; in its WGPEER entry */
	WGX_A_STATE,				/* nest, enum wgx_state_attribute */
	/* policy. In a SET, and in each WGX_CMD_GET_DEVICE answer, where it is not the default. Of a device, which must be down (EBUSY): */
	WGX_A_BIND_DEVICE,			/* string: the only interface, or VRF, its sockets send and hear by, looked up when it goes up; empty: any */
	WGX_A_BIND_ADDRESS,			/* 4 or 16 bytes: their local address, of the only family there is then; zero: any, of both */
	/* of a peer, in its WGPEER entry */
	WGX_A_PIN_ENDPOINT,			/* u8: 1: it stays at its endpoint, wherever its messages come from */
	WGX_A_OPENED_MARK,			/* u32: of packets from the peer, once they are opened; 0: none */
	WGX_A_OUTER_MARK,			/* u32: of messages to the peer, in place of the device's; 0: that one */
	WGX_A_DSCP,				/* u8: of data messages to the peer, 0 to 63; or WGX_DSCP_INHERIT: as the packet inside has it */
};

#define WGX_DSCP_INHERIT 64

enum wgx_drop_attribute {
	WGX_DROP_A_REASON = 1,			/* string */
	WGX_DROP_A_COUNT,			/* u64: packets and messages */
};

/* Times are in milliseconds, ages before and retries after now. */
enum wgx_state_attribute {
	WGX_STATE_A_AWAITS_RESPONSE = 1,	/* u8: 1: an initiation of ours is on its way */
	WGX_STATE_A_NEXT_RETRY,			/* u64: then the next one leaves; absent when none is to */
	WGX_STATE_A_LAST_DROP,			/* string: the reason */
	WGX_STATE_A_LAST_DROP_AGE,		/* u64 */
	WGX_STATE_A_STAGED,			/* u32: packets that wait for a session */
	WGX_STATE_A_SOURCE,			/* 4 or 16 bytes: the local address in use; absent where routing chooses */
	WGX_STATE_A_PATH_MTU,			/* u32: what the route to the endpoint takes; absent when there is none */
	WGX_STATE_A_SESSIONS,			/* nest of entries of type 0, enum wgx_session_attribute: previous, current, next */
	WGX_STATE_A_DROPS,			/* as WGX_A_DROPS */
	WGX_STATE_A_NUMBER,			/* u64: what debug lines and tracepoints call it */
};

enum wgx_session_attribute {
	WGX_SESSION_A_SLOT = 1,			/* u8: 0 previous, 1 current, 2 next: not confirmed yet */
	WGX_SESSION_A_ROLE,			/* u8, as WGX_A_ROLE */
	WGX_SESSION_A_AGE,			/* u64 */
	WGX_SESSION_A_SENT,			/* u64: messages */
	WGX_SESSION_A_RECEIVED,			/* u64: messages, by the highest counter */
};

#endif
