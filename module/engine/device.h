// SPDX-License-Identifier: GPL-2.0
/* Device: one WireGuard interface: its identity, peers, tables, sockets and workers.
 *
 * Lifetime:  engine.h's wg_engine_device_*; readers reach it only through sockets and packets, which end before it does
 * Locks:     rtnl, which the shims hold, serialises everything that changes the configuration; the rest as noted, order in sync.h
 */
#pragma once
#include "engine/crypt.h"
#include "engine/handshake_queue.h"
#include "engine/module.h"
#include "engine/peer.h"
#include "kernel/engine.h"

namespace wg::engine {

struct Device {
	Device(wg_netdev &netdev, wg_namespace *birth);

	wg_netdev &netdev;
	const u64 number = next_serial();	/* so that a dump knows it again */
	wg_namespace *birth;			/* rtnl; null once it is gone */
	const u64 birth_number;			/* which it was, for the rate limit */
	bool is_up = false;			/* written under rtnl and identity_lock, read under either */

	SpinLock identity_lock{WG_LOCK_IDENTITY};
	LocalIdentity local;
	u64 identity_generation = 0;		/* grows when handshakes in work become void: key change, VM fork, down, suspend */
	CookieChecker cookie_checker;

	List<Peer, &Peer::of_device> peers;	/* rtnl; in order of creation */
	u32 peer_count = 0;
	AllowedIps allowed_ips;			/* writers: rtnl; readers: RCU */
	u32 generation = 0;			/* rtnl; of the configuration, for dumps */
	bool is_public = false;			/* rtnl; anybody may see all but the secrets */

	SpinLock index_lock{WG_LOCK_INDEX};	/* writers of the three tables */
	HashTable<Peer, &Peer::by_key, &Peer::key_hash> peers_by_key;
	HashTable<Session, &Session::by_index, &Session::index_hash> sessions_by_index;
	HashTable<Peer, &Peer::by_pending_index, &Peer::pending_hash> handshakes_by_index;	/* readers take the lock too */
	u8 key_table_secret[16];

	RcuPtr<wg_sockets> sockets;		/* writers: rtnl */
	u16 port = 0;				/* rtnl; 0: any, until the first time up */
	wg_binding binding{};			/* rtnl */
	Atomic<u32> mark;

	HandshakeQueue handshakes;
	wg_workers *crypt_workers = nullptr;
	SpinLock crypt_lock{WG_LOCK_CRYPT_WORK};
	PacketFifo<&Batch::work_next> crypt_work;
	Atomic<u64> drops[DROP_REASONS];
	Atomic<u64> cookies_sent;
	Atomic<s64> stranger_told;		/* when, the last time */
};

/* ---- tables ---- */
u64 hash_key(const Device &, const PublicKey &key);
Peer *find_peer(const Device &, const PublicKey &key);			/* RCU or rtnl */
Session *find_session(const Device &, SessionIndex index);		/* RCU; with a reference for the caller, or null */
/* A random index that no handshake or session of the device has. index_lock held; insert before releasing it. */
SessionIndex unused_index(const Device &);
/* Room for @peers peers in all tables. False: no memory. [process, rtnl held] */
bool reserve_tables(Device &, u32 peers);

/* What a handshake worker has in hand now will not be committed. */
void void_handshakes(Device &);

/* ---- peers; [process, rtnl held] ---- */
/* Peers on their way out: unreachable already, waiting to be buried together. */
struct Leaving {
	List<Peer, &Peer::of_device> peers;
	LooseNodes prefixes;
};
void add_peer(Device &, Peer &peer);			/* a new peer becomes reachable */
void remove_peer(Device &, Peer &peer, Leaving &leaving);
void free_prefixes(LooseNodes &);
void finish_leaving(Device &, Leaving &leaving);	/* one RCU wait however many; frees removed prefixes too */

/* ---- sockets; [process, rtnl held] ---- */
/* Replaces them by ones on @port (0: any); on error the old ones stay. -ENONET: the birth namespace is gone. */
int open_sockets(Device &, u16 port);
void close_sockets(Device &);
void forget_all_sources(Device &);			/* port or mark changed: sticky sources and routes are void */

/* Counts packets that end here; @peer: the number of the one they belong to. */
void drop(Device &, Drop reason, u32 count = 1, u64 peer = 0);

template <typename Function> void for_each_peer(Device &device, Function function)
{
	for (Peer *peer = device.peers.first(); peer; peer = device.peers.next(*peer))
		function(*peer);
}

inline Instant now()
{
	return {wg_kernel_now()};
}

inline Duration jitter()
{
	return {static_cast<s64>(wg_kernel_random_below(static_cast<u32>(REKEY_TIMEOUT_JITTER.ns)))};
}

} // namespace wg::engine
