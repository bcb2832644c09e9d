// SPDX-License-Identifier: GPL-2.0
#include "engine/peer.h"
#include "engine/device.h"
#include "engine/events.h"
#include "engine/handshaker.h"
#include "engine/rx.h"
#include "engine/tx.h"

namespace wg::engine {

namespace {

/* Moves the kernel timer when the next deadline is earlier than what it is set to. A later one is left: the timer then fires, finds
 * nothing due and is set again, which is cheaper than moving it for every packet. A time that has passed means nothing: the kernel
 * timer stands still while the host is suspended and its clock does not. timers_lock held. */
void rearm(Peer &peer, Instant at)
{
	Instant next = peer.timers.next_deadline();

	if (!peer.timers_running || next.is_never() || (peer.armed_at > at && peer.armed_at <= next))
		return;
	peer.armed_at = next;
	wg_kernel_timer_arm(&peer.timer, next.ns);
}

/* One event of the timers, unless they are stopped. */
template <typename Event> void with_timers(Peer &peer, Event event)
{
	SpinGuard guard(peer.timers_lock);
	Instant at = now();

	if (!peer.timers_running)
		return;
	event(peer.timers, at);
	rearm(peer, at);
}

void carry_out(Peer &peer, const Actions &actions)
{
	if (actions.forget_source)
		forget_source(peer);
	if (actions.give_up) {
		drop_staged(peer, Drop::NoSession);
		tell(peer, WGX_EVENT_HANDSHAKE_GIVEN_UP);
	}
	if (actions.send_initiation)
		request_initiation(peer, actions.is_retry);
	if (actions.send_keepalive)
		send_keepalive(peer);
	if (actions.session_ended)
		tell(peer, WGX_EVENT_SESSION_EXPIRED);
	if (actions.erase_keys)
		erase_keys(peer);
}

void on_timer(void *argument)
{
	Peer &peer = *static_cast<Peer *>(argument);
	Actions actions;
	{
		SpinGuard guard(peer.timers_lock);
		Instant at = now();

		peer.armed_at = {};
		if (!peer.timers_running)
			return;
		peer.jitter = jitter();
		actions = peer.timers.expire(at, peer.jitter);
		rearm(peer, at);
	}
	carry_out(peer, actions);
}

bool is_dead(Peer &peer)
{
	SpinGuard guard(peer.keyring_lock);

	return peer.is_dead;
}

/* There will be no others: the peer is dead. */
void remove_pollers(Peer &peer)
{
	Pollers *pollers = peer.pollers.locked();

	if (!pollers)
		return;
	pollers->rx.remove();
	pollers->tx.remove();
}

} // namespace

Peer::Peer(Device &owner, const PublicKey &public_key) : device(owner), serial(next_serial()), key_hash(hash_key(owner, public_key))
{
	remote.set_public_key(primitives(), public_key);
	wg_kernel_route_cache_init(&route_cache);
	wg_kernel_timer_init(&timer, on_timer, this);
	wg_kernel_debug_life(&device.netdev, "Peer", serial, "created");
}

Peer::~Peer()
{
	/* A handshake worker may have staged a keepalive after bury(). */
	while (Packet *head = staged.pop())
		free_chain(head);
	wg_kernel_route_cache_destroy(&route_cache);
	destroy(pollers.locked(Unshared()));
}

bool make_pollers(Peer &peer)
{
	{
		RcuSection rcu;

		if (peer.pollers.read())
			return true;
	}
	/* Two handshakes of the peer's may be in work, and whoever writes `threaded` goes through all pollers of the device. */
	RtnlSection rtnl;
	if (peer.pollers.locked() || is_dead(peer))
		return true;
	Pollers *pollers = create<Pollers>();
	if (!pollers)
		return false;
	pollers->rx.add(peer.device.netdev, [](void *argument, int budget) { return poll(*static_cast<Peer *>(argument), budget); }, &peer);
	pollers->tx.add(peer.device.netdev, [](void *argument, int budget) { return poll_transmit(*static_cast<Peer *>(argument), budget); }, &peer);
	peer.pollers.publish(pollers);
	return true;
}

void put(Peer &peer)
{
	if (!peer.references.put())
		return;
	wg_kernel_debug_life(&peer.device.netdev, "Peer", peer.serial, "destroyed");
	destroy_after_rcu(peer);
}

void drop(Peer &peer, Drop reason, u32 count)
{
	peer.drops[static_cast<usize>(reason)].fetch_add(count);
	peer.last_drop.store_relaxed(static_cast<u8>(reason));
	peer.last_drop_at.store_relaxed(now().ns);
	drop(peer.device, reason, count, peer.serial);
}

/* ---- death ---- */

void make_unreachable(Peer &peer)
{
	{
		SpinGuard keyring(peer.keyring_lock);
		SpinGuard endpoint(peer.endpoint_lock);

		peer.is_dead = true;
	}
	forget_routes(peer);
	stop_timers(peer);
	wg_kernel_timer_delete(&peer.timer);
	erase_keys(peer);
	drop_staged(peer, Drop::PeerGone);
}

/* Frees what found no poller any more; the workers have finished theirs (they were flushed). */
static void drain(OrderedQueue &queue)
{
	Run rest;

	while (queue.take(rest, 1))
		while (Packet *head = rest.pop()) {
			Session &session = *batch_of(*head).session;

			free_chain(head);
			put(session);
		}
}

void bury(Peer &peer)
{
	remove_pollers(peer);
	drain(peer.rx);
	drain(peer.tx);
	drop_staged(peer, Drop::PeerGone);
	erase_keys(peer);
	put(peer);
}

/* ---- keys ---- */

void drop_displaced(Device &device, const Displaced<Session> &displaced)
{
	for (Session *session : displaced.session) {
		if (!session)
			continue;
		{
			SpinGuard guard(device.index_lock);

			device.sessions_by_index.remove(*session, guard);
		}
		put(*session);
	}
}

bool begin_pending_handshake(Peer &peer, const InitiatorState &state)
{
	end_pending_handshake(peer);
	if (is_dead(peer))
		return false;
	SpinGuard guard(peer.device.index_lock);
	peer.initiator.copy_from(state);
	peer.initiator.sender_index = unused_index(peer.device);
	peer.pending_hash = peer.initiator.sender_index.value();
	peer.device.handshakes_by_index.insert(peer, guard);
	peer.awaits_response = true;
	return true;
}

void end_pending_handshake(Peer &peer)
{
	if (!peer.awaits_response)
		return;
	{
		SpinGuard guard(peer.device.index_lock);

		peer.device.handshakes_by_index.remove(peer, guard);
	}
	peer.awaits_response = false;
	peer.initiator.wipe();
}

void erase_keys(Peer &peer)
{
	{
		SpinGuard guard(peer.handshake_lock);

		end_pending_handshake(peer);
	}
	erase_sessions(peer);
}

void erase_sessions(Peer &peer)
{
	Displaced<Session> displaced;
	bool had_session;

	{
		/* First: a session that enters the ring after this arms it again. */
		SpinGuard guard(peer.timers_lock);

		had_session = peer.timers.keys_erased();
		peer.armed_at = {};	/* a suspend may follow, through which the kernel timer stands still: set it anew at the next event */
	}
	{
		SpinGuard guard(peer.keyring_lock);

		displaced = peer.keyring.erase(guard);
	}
	drop_displaced(peer.device, displaced);
	if (had_session)
		tell(peer, WGX_EVENT_SESSION_EXPIRED);
}

void enter_generation(Peer &peer)
{
	SpinGuard handshake(peer.handshake_lock);

	if (peer.identity_generation == peer.device.identity_generation)
		return;
	peer.identity_generation = peer.device.identity_generation;
	end_pending_handshake(peer);
	{
		SpinGuard guard(peer.timers_lock);

		peer.timers.forget_last_handshake();
	}
	SpinGuard keyring(peer.keyring_lock);
	if (Session *current = peer.keyring.current())
		current->keypair.may_send.store_relaxed(false);
	if (Session *next = peer.keyring.next())
		next->keypair.may_send.store_relaxed(false);
}

/* ---- endpoint ---- */

wg_endpoint endpoint_of(const Peer &peer)
{
	SpinGuard guard(peer.endpoint_lock);

	return peer.endpoint;
}

/* The remote side alone. */
static bool is_same_place(const wg_endpoint &a, const wg_endpoint &b)
{
	return a.family == b.family && a.port == b.port && a.scope == b.scope && same_bytes(a.address, b.address, sizeof(a.address));
}

void learn_endpoint(Peer &peer, const wg_endpoint &endpoint)
{
	{
		SpinGuard guard(peer.endpoint_lock);
		bool is_same = same_bytes(&peer.endpoint, &endpoint, sizeof(endpoint));

		if (endpoint.family == 0 || (is_same && !peer.move_untold))
			return;
		if (peer.pins_endpoint && peer.endpoint.family && !is_same_place(peer.endpoint, endpoint))
			return;
		if (!is_same) {
			peer.move_untold = peer.move_untold || !is_same_place(peer.endpoint, endpoint);
			peer.endpoint = endpoint;
			wg_kernel_route_cache_reset(&peer.route_cache);
		}
		Instant at = now();
		if (!peer.move_untold || (!peer.move_told.is_never() && at - peer.move_told < seconds(1)))
			return;
		peer.move_untold = false;
		peer.move_told = at;
	}
	tell_moved(peer, endpoint);
}

void pin_endpoint(Peer &peer, bool is_pinned)
{
	SpinGuard guard(peer.endpoint_lock);

	peer.pins_endpoint = is_pinned;
}

void set_endpoint(Peer &peer, const wg_endpoint &endpoint)
{
	SpinGuard guard(peer.endpoint_lock);

	peer.endpoint = endpoint;
	wg_kernel_route_cache_reset(&peer.route_cache);
}

void forget_source(Peer &peer)
{
	SpinGuard guard(peer.endpoint_lock);

	zero_bytes(peer.endpoint.source, sizeof(peer.endpoint.source));
	peer.endpoint.source_interface = 0;
	wg_kernel_route_cache_reset(&peer.route_cache);
}

void forget_routes(Peer &peer)
{
	SpinGuard guard(peer.endpoint_lock);

	wg_kernel_route_cache_clear(&peer.route_cache);
}

Outcome<wg_route> find_route(Peer &peer, wg_source_rule rule)
{
	wg_route route;
	SpinGuard guard(peer.endpoint_lock);	/* also over the look-up: what the cache learns is of the endpoint, mark and sockets of now */
	wg_sockets *sockets = peer.device.sockets.read();
	u32 own_mark = peer.outer_mark.load_relaxed(), mark = own_mark ? own_mark : peer.device.mark.load_relaxed();

	if (peer.is_dead)
		return Drop::PeerGone;
	if (peer.endpoint.family == 0)
		return Drop::NoEndpoint;
	if (!sockets || wg_kernel_route(sockets, &peer.endpoint, rule, mark, &peer.route_cache, &route))
		return Drop::SendFailed;
	return route;
}

/* ---- timers ---- */

void start_timers(Peer &peer)
{
	SpinGuard guard(peer.timers_lock);
	Instant at = now();

	peer.timers_running = true;
	/* A deadline set while the interface was down may have passed: count from now. */
	peer.timers.any_authenticated_packet_traversed(at);
	rearm(peer, at);
}

void send_waiting(Peer &peer)
{
	bool keepalive_due;
	{
		SpinGuard guard(peer.timers_lock);

		keepalive_due = peer.timers.persistent_keepalive() != 0;
	}
	if (keepalive_due)
		send_keepalive(peer);
	else
		send_staged(peer);
}

void stop_timers(Peer &peer)
{
	{
		SpinGuard guard(peer.timers_lock);

		peer.timers_running = false;
		peer.timers.stop();
		peer.armed_at = {};
	}
	wg_kernel_timer_cancel(&peer.timer);
}

void on_data_sent(Peer &peer, bool with_payload)
{
	with_timers(peer, [&](Timers &timers, Instant at) {
		timers.any_authenticated_packet_traversed(at);
		timers.any_authenticated_packet_sent();
		if (with_payload)
			timers.data_sent(at, peer.jitter);
	});
}

void on_data_received(Peer &peer, bool with_payload)
{
	with_timers(peer, [&](Timers &timers, Instant at) {
		timers.any_authenticated_packet_received();
		timers.any_authenticated_packet_traversed(at);
		if (with_payload)
			timers.data_received(at);
	});
}

bool may_initiate(Peer &peer, bool is_retry)
{
	SpinGuard guard(peer.timers_lock);
	Instant at = now();

	if (!peer.timers_running)
		return false;
	if (!is_retry)
		peer.timers.start_attempt();
	if (peer.timers.may_initiate(at))
		return true;
	/* Asked again: one that completed since somebody found no session has ended the retry, and nothing waits any more. */
	RcuSection rcu;
	Session *current = peer.keyring.current();
	if (!current || !current->keypair.may_send.load_relaxed() || current->keypair.is_expired(at)) {
		peer.timers.initiation_must_wait(peer.jitter);
		rearm(peer, at);
	}
	return false;
}

bool claim_initiation(Peer &peer)
{
	enter_generation(peer);
	SpinGuard guard(peer.timers_lock);
	Instant at = now();

	if (!peer.timers_running || !peer.timers.may_initiate(at))
		return false;
	peer.jitter = jitter();
	peer.timers.handshake_message_sent(at);
	peer.timers.initiation_sent(at, peer.jitter);
	rearm(peer, at);
	return true;
}

void claim_response(Peer &peer)
{
	with_timers(peer, [](Timers &timers, Instant at) { timers.handshake_message_sent(at); });
}

void on_session_derived(Peer &peer)
{
	with_timers(peer, [](Timers &timers, Instant at) { timers.session_derived(at); });
}

void on_handshake_completed(Peer &peer, Role ours, Instant born)
{
	bool is_rekey = false;

	with_timers(peer, [&](Timers &timers, Instant) {
		timers.handshake_completed();
		is_rekey = timers.session_established(born);
		wg_kernel_wall_clock(&peer.last_handshake_seconds, &peer.last_handshake_nanoseconds);
	});
	tell_established(peer, ours, is_rekey);
}

void set_persistent_keepalive(Peer &peer, u16 seconds)
{
	bool started;
	{
		SpinGuard guard(peer.timers_lock);
		Instant at = now();

		started = seconds != 0 && peer.timers.persistent_keepalive() == 0 && peer.timers_running;
		peer.timers.set_persistent_keepalive(seconds, at);
		rearm(peer, at);
	}
	if (started)
		send_keepalive(peer);
}

} // namespace wg::engine
