/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/* WireGuard's generic netlink ABI: what a configuration tool and the device say to each other.
 *
 * Used by:   kernel/genl.c (C), engine/config (C++ without kernel headers), tools/wgctl (userspace)
 * Promise:   names, numbers and sizes are those every deployed client was built with; they never
 *            change. New things are appended, behind flags an old client never sets.
 *
 * Both commands take the device by exactly one of WGDEVICE_A_IFINDEX and WGDEVICE_A_IFNAME, and
 * both need CAP_NET_ADMIN in the user namespace that owns the device's network namespace.
 *
 * WG_CMD_GET_DEVICE is a dump (NLM_F_DUMP). One device may take several messages: the attributes
 * of the device itself are in the first one only. A peer that does not fit continues in the next
 * message as an entry that holds WGPEER_A_PUBLIC_KEY and more WGPEER_A_ALLOWEDIPS; a reader joins
 * an entry to the previous one when their public keys are equal. NLM_F_DUMP_INTR in any part
 * says that the configuration changed half-way: read again.
 *
 * WG_CMD_SET_DEVICE changes what is named and leaves the rest. A configuration larger than one
 * message is sent as several: "replace" flags in the first message only, and for a peer that
 * continues, again its public key and the remaining allowed IPs, without
 * WGPEER_F_REPLACE_ALLOWEDIPS.
 *
 * Nested lists (PEERS, ALLOWEDIPS) hold entries of type 0, each a nest of its own. Numbers are in
 * host byte order unless said otherwise; ports and addresses inside sockaddrs, and IPADDR, are in
 * network byte order.
 */
#ifndef WG_UAPI_LINUX_WIREGUARD_H
#define WG_UAPI_LINUX_WIREGUARD_H

#define WG_GENL_NAME "wireguard"
#define WG_GENL_VERSION 1

/* Private, public and preshared keys are all of this many bytes. */
#define WG_KEY_LEN 32

enum wg_cmd {
	WG_CMD_GET_DEVICE,
	WG_CMD_SET_DEVICE,
	__WG_CMD_MAX
};
#define WG_CMD_MAX (__WG_CMD_MAX - 1)

/* WGDEVICE_A_FLAGS, in a SET. */
enum wgdevice_flag {
	/* Every peer not named in this request goes away; those named start without
	 * a past. */
	WGDEVICE_F_REPLACE_PEERS = 1U << 0,

	__WGDEVICE_F_ALL = WGDEVICE_F_REPLACE_PEERS
};

enum wgdevice_attribute {
	WGDEVICE_A_UNSPEC,
	/* u32: the interface's index. */
	WGDEVICE_A_IFINDEX,
	/* NUL-terminated, at most IFNAMSIZ - 1 characters: the interface's name. */
	WGDEVICE_A_IFNAME,
	/* WG_KEY_LEN bytes: the X25519 secret. All zero in a SET removes the identity; absent in
	 * a reply when there is none. */
	WGDEVICE_A_PRIVATE_KEY,
	/* WG_KEY_LEN bytes, reply only: the public half of PRIVATE_KEY; absent with it. */
	WGDEVICE_A_PUBLIC_KEY,
	/* u32, SET only: bits of enum wgdevice_flag; an unknown bit is refused. */
	WGDEVICE_A_FLAGS,
	/* u16: the UDP port of both sockets. 0 in a SET asks for a port the system chooses. */
	WGDEVICE_A_LISTEN_PORT,
	/* u32: the mark put on every outer packet, for policy routing; 0 is none. */
	WGDEVICE_A_FWMARK,
	/* Nest of entries, each a nest of enum wgpeer_attribute. */
	WGDEVICE_A_PEERS,
	__WGDEVICE_A_LAST
};
#define WGDEVICE_A_MAX (__WGDEVICE_A_LAST - 1)

/* WGPEER_A_FLAGS, in a SET. */
enum wgpeer_flag {
	/* The peer is removed; it is no error when there is none with this key. */
	WGPEER_F_REMOVE_ME = 1U << 0,
	/* The peer's allowed IPs become exactly those of this entry. */
	WGPEER_F_REPLACE_ALLOWEDIPS = 1U << 1,
	/* Change the peer if the device has it, and do nothing if not. */
	WGPEER_F_UPDATE_ONLY = 1U << 2,

	__WGPEER_F_ALL = WGPEER_F_REMOVE_ME | WGPEER_F_REPLACE_ALLOWEDIPS | WGPEER_F_UPDATE_ONLY
};

enum wgpeer_attribute {
	WGPEER_A_UNSPEC,
	/* WG_KEY_LEN bytes: who the peer is; in every entry. */
	WGPEER_A_PUBLIC_KEY,
	/* WG_KEY_LEN bytes: mixed into the handshake; all zero is none. */
	WGPEER_A_PRESHARED_KEY,
	/* u32, SET only: bits of enum wgpeer_flag; an unknown bit is refused. */
	WGPEER_A_FLAGS,
	/* struct sockaddr_in or struct sockaddr_in6: where the peer was last heard, or is first
	 * to be tried. Absent in a reply when not known. */
	WGPEER_A_ENDPOINT,
	/* u16: seconds between keepalives that hold a NAT mapping open; 0 is off. */
	WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
	/* Two s64, seconds and nanoseconds of wall-clock time, reply only: the last completed
	 * handshake; zero before the first. */
	WGPEER_A_LAST_HANDSHAKE_TIME,
	/* u64, reply only: UDP payload bytes of authenticated messages from the peer. */
	WGPEER_A_RX_BYTES,
	/* u64, reply only: UDP payload bytes sent to the peer. */
	WGPEER_A_TX_BYTES,
	/* Nest of entries, each a nest of enum wgallowedip_attribute. */
	WGPEER_A_ALLOWEDIPS,
	/* u32: 1, the only version there is. In a SET it is optional, and 1 or refused. */
	WGPEER_A_PROTOCOL_VERSION,
	__WGPEER_A_LAST
};
#define WGPEER_A_MAX (__WGPEER_A_LAST - 1)

/* WGALLOWEDIP_A_FLAGS, in a SET. */
enum wgallowedip_flag {
	/* Take exactly this prefix away from the peer, if it is the peer's; without the flag
	 * the prefix is given to the peer, even when another one had it. */
	WGALLOWEDIP_F_REMOVE_ME = 1U << 0,

	__WGALLOWEDIP_F_ALL = WGALLOWEDIP_F_REMOVE_ME
};

enum wgallowedip_attribute {
	WGALLOWEDIP_A_UNSPEC,
	/* u16: AF_INET or AF_INET6. */
	WGALLOWEDIP_A_FAMILY,
	/* 4 or 16 bytes, as FAMILY says: the prefix's address. */
	WGALLOWEDIP_A_IPADDR,
	/* u8: how many leading bits count, 0 to 32 or 0 to 128. */
	WGALLOWEDIP_A_CIDR_MASK,
	/* u32, SET only: bits of enum wgallowedip_flag; an unknown bit is refused. */
	WGALLOWEDIP_A_FLAGS,
	__WGALLOWEDIP_A_LAST
};
#define WGALLOWEDIP_A_MAX (__WGALLOWEDIP_A_LAST - 1)

#endif
