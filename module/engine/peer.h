// SPDX-License-Identifier: GPL-2.0
/* Peer: one remote party of a device: identity, keyring, queues, endpoint, timers, counters.
 *
 * Lifetime:  created by config, reachable through the device's tables until make_unreachable(), freed when its last reference goes and a
 *            grace period has passed. References: one by the device, one by each session, one by each handshake in work.
 *            Two-step death: make_unreachable() for each peer to go; one wait for RCU and for the workers; then bury() for each.
 * Locks:     each group of members names its own; order in sync.h.
 */
#pragma once
#include "engine/ordered_queue.h"
#include "engine/poller.h"
#include "engine/session.h"
#include "protocol/allowed_ips.h"
#include "protocol/cookie.h"
#include "protocol/keyring.h"
#include "protocol/timers.h"

namespace wg::engine {

struct Device;

/* Apart: they would be more than a third of an idle peer. Whoever holds one of its sessions may assume that they are there. */
struct Pollers {
	Poller rx;
	Poller tx;			/* who holds it is tx's drainer, and alone uses the sessions' sending counters */
};

struct Peer {
	Peer(Device &device, const PublicKey &);	/* starts with the device's reference */
	~Peer();

	Device &device;
	const u64 serial;		/* order of creation, in the whole module; a dump resumes by it */
	References references;
	HashLink<Peer> by_key;
	ListLink<Peer> of_device;	/* rtnl */
	u64 key_hash;
	PrefixOwner prefixes{*this};	/* rtnl; readers by RCU */
	RcuFree<Peer> rcu;

	SpinLock handshake_lock{WG_LOCK_PEER_HANDSHAKE};
	RemoteIdentity remote;		/* its public key is constant and may be read without the lock */
	InitiatorState initiator;
	bool awaits_response = false;
	u64 identity_generation = 0;	/* Device's, when it last took part in a handshake or sessions were expired */
	u64 pending_hash = 0;		/* = initiator.sender_index; Device::index_lock */
	InitiationHistory history;
	CookieMaker cookie_maker;
	HashLink<Peer> by_pending_index;	/* Device::index_lock; linked while awaits_response */
	ListLink<Peer> to_initiate;		/* HandshakeQueue's lock; holds a reference while linked */

	SpinLock keyring_lock{WG_LOCK_PEER_KEYRING};
	Keyring<Session> keyring;	/* readers: RCU */
	bool is_dead = false;		/* no session enters the keyring any more, and no route is found; written under keyring_lock and endpoint_lock */

	SpinLock tx_lock{WG_LOCK_PEER_TX};
	PacketFifo<&Batch::queue_next> staged;
	Atomic<u32> staged_packets;	/* readers need no lock */
	bool staged_waits = false;	/* for a session */
	OrderedQueue tx, rx;
	RcuPtr<Pollers> pollers;	/* come with the first session and stay; writers: rtnl; the holder of its tx alone uses: */
	wg_backlog tx_backlog{};	/* what this CPU's backlog held after the last send */
	u32 tx_lag = 0;			/* rounds in a row that left more than they took */

	mutable SpinLock endpoint_lock{WG_LOCK_PEER_ENDPOINT};
	wg_endpoint endpoint{};
	bool pins_endpoint = false;	/* it does not roam */
	Instant move_told;		/* when listeners heard of an endpoint */
	bool move_untold = false;	/* but not yet of this one */
	wg_route_cache route_cache;

	mutable SpinLock timers_lock{WG_LOCK_PEER_TIMERS};
	Timers timers;
	Duration jitter{};		/* drawn anew whenever it may have been used up: not for each packet */
	bool timers_running = false;	/* the device is up and the peer alive */
	Instant armed_at;
	wg_timer timer;
	u64 last_handshake_seconds = 0;	/* Unix time; timers_lock */
	u32 last_handshake_nanoseconds = 0;

	/* policy; writers: rtnl */
	Atomic<u32> opened_mark, outer_mark;
	Atomic<u8> dscp;		/* of data messages; WGX_DSCP_INHERIT */

	Atomic<u64> rx_bytes, tx_bytes;	/* UDP payload of authenticated messages */
	Atomic<u32> drops[DROP_REASONS];
	Atomic<u8> last_drop{static_cast<u8>(Drop::Count)};	/* none */
	Atomic<s64> last_drop_at;
};

inline Peer &get(Peer &peer)
{
	peer.references.get();
	return peer;
}
void put(Peer &peer);

/* Before a session is made. False: no memory. A dead peer gets none, and that is true. [process, without rtnl] */
bool make_pollers(Peer &peer);

/* ---- death ---- */
void make_unreachable(Peer &peer);	/* keys, pending handshake, timers, staged packets; the caller has taken it out of the tables */
void bury(Peer &peer);			/* after the waits: poller, queues, the device's reference */

/* ---- keys ---- */
/* Puts @displaced's sessions after taking their indices. */
void drop_displaced(Device &, const Displaced<Session> &displaced);
/* Rule 6, interface down: all sessions and a handshake in flight. */
void erase_keys(Peer &peer);
/* The sessions alone: suspend, after enter_generation(). */
void erase_sessions(Peer &peer);
/* Key change, VM fork, suspend: what is of an older generation of our identity sends no more, its handshake in flight ends, and rule 2 forgets
 * its last one. Not what began since: whoever begins something calls this first. [identity_lock or rtnl] */
void enter_generation(Peer &peer);

/* ---- a handshake of ours in flight; handshake_lock held ---- */
/* Replaces an earlier one; gives @state's copy in the peer its index. False: the peer is dead. */
bool begin_pending_handshake(Peer &peer, const InitiatorState &state);
void end_pending_handshake(Peer &peer);		/* also when there is none */
/* ---- endpoint ---- */
/* Roaming: an authenticated message came from @endpoint. */
void learn_endpoint(Peer &peer, const wg_endpoint &endpoint);
/* Configured: keeps nothing of the old one. */
void set_endpoint(Peer &peer, const wg_endpoint &endpoint);
void pin_endpoint(Peer &peer, bool is_pinned);
void forget_source(Peer &peer);
/* When nothing is sent any more: a route that stays may outlive its namespace. */
void forget_routes(Peer &peer);
wg_endpoint endpoint_of(const Peer &peer);
/* Once there is one there always is: no lock. */
inline bool has_endpoint(const Peer &peer)
{
	return __atomic_load_n(&peer.endpoint.family, __ATOMIC_RELAXED) != 0;
}
/* The way to the peer; a sticky source that does not do any more is forgotten. RCU, bottom halves off. Drop::NoEndpoint, SendFailed. */
Outcome<wg_route> find_route(Peer &peer, wg_source_rule rule);

/* ---- timers: events in, actions carried out ---- */
void start_timers(Peer &peer);		/* interface up */
void send_waiting(Peer &peer);		/* what waited for interface or key: staged packets, or the persistent keepalive that is due at once */
void stop_timers(Peer &peer);		/* interface down */
void on_data_sent(Peer &peer, bool with_payload);
void on_data_received(Peer &peer, bool with_payload);		/* a handshake message is one without */
/* Rule 2: may an initiation leave now? If not, and no session may send, a retry is armed for when it may. One that is no retry begins the attempts anew. */
bool may_initiate(Peer &peer, bool is_retry);
/* The same, and marks it sent: of two askers one gets it. From here on the retry runs, whether one can be sent or not. [identity_lock] */
bool claim_initiation(Peer &peer);
void claim_response(Peer &peer);	/* always granted */
void on_session_derived(Peer &peer);
/* @born: when the session was made. A handshake that began meanwhile loses its retry: the caller sends next, which arms it again. */
void on_handshake_completed(Peer &peer, Role ours, Instant born);
void set_persistent_keepalive(Peer &peer, u16 seconds);

/* Counts @count packets of the peer's that end here. */
void drop(Peer &peer, Drop reason, u32 count = 1);

} // namespace wg::engine
