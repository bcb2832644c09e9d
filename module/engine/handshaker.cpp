// SPDX-License-Identifier: GPL-2.0
#include "engine/handshaker.h"
#include "engine/device.h"
#include "engine/events.h"
#include "engine/tx.h"

namespace wg::engine {

namespace {

template <typename Message> ConstByteSpan bytes_of(const Message &message)
{
	return {reinterpret_cast<const u8 *>(&message), sizeof(message)};
}

template <typename Message> ByteSpan bytes_of(Message &message)
{
	return {reinterpret_cast<u8 *>(&message), sizeof(message)};
}

void random_secret(Secret<KEY_SIZE> &secret)
{
	wg_kernel_random_bytes(secret.expose(), secret.size());
}

CookieSource cookie_source(const wg_endpoint &endpoint)
{
	CookieSource source{};
	usize size = endpoint.family == 4 ? 4 : 16;

	copy_bytes(source.bytes, endpoint.address, size);
	source.bytes[size] = static_cast<u8>(endpoint.port >> 8);
	source.bytes[size + 1] = static_cast<u8>(endpoint.port);
	source.size = static_cast<u8>(size + 2);
	return source;
}

/* Who we are, copied, and when: a commit re-checks that it still holds. */
struct OurIdentity {
	LocalIdentity local;
	u64 generation = 0;

	void copy_from(const Device &device, const SpinGuard &)
	{
		local.copy_from(device.local);
		generation = device.identity_generation;
	}
};

/* A message in work. */
struct Received {
	Device &device;
	Packet &packet;
	ConstByteSpan bytes;
	wg_endpoint from{};
	OurIdentity us;
	Peer *peer = nullptr;	/* whose it proved to be; a reference */

	Received(Device &device, Packet &packet, ConstByteSpan bytes) : device(device), packet(packet), bytes(bytes)
	{
		wg_kernel_packet_source(&packet, &from);
		us.copy_from(device, SpinGuard(device.identity_lock));
	}
	~Received()
	{
		if (peer)
			put(*peer);
	}
	Received(const Received &) = delete;
	Received &operator=(const Received &) = delete;
};

/* Who @peer is, with the static-static secret: made here, and kept, when it first speaks to us or our key has changed. */
void copy_remote(Peer &peer, const OurIdentity &us, RemoteIdentity &remote)
{
	{
		SpinGuard guard(peer.handshake_lock);

		remote.copy_from(peer.remote);
	}
	if (!remote.precompute(primitives(), us.local))
		return;
	SpinGuard identity(peer.device.identity_lock);
	SpinGuard guard(peer.handshake_lock);

	if (us.generation == peer.device.identity_generation)
		peer.remote.keep_static_static(remote);
}

/* Gives the derived session its index and puts it into the keyring, whose reference the caller's becomes; else the session is put:
 * Drop::PeerGone when the peer died, the device went down or our identity changed meanwhile, or what @is_still_wanted says, which is
 * asked under the handshake lock. */
template <typename Question> Outcome<void> commit_session(Device &device, const OurIdentity &us, Peer &peer, Session &session, Question is_still_wanted)
{
	Displaced<Session> displaced;
	Outcome<void> entered = Drop::PeerGone;
	{
		SpinGuard identity(device.identity_lock);
		enter_generation(peer);
		SpinGuard handshake(peer.handshake_lock);
		SpinGuard keyring(peer.keyring_lock);

		if (device.is_up && us.generation == device.identity_generation && !peer.is_dead)
			entered = is_still_wanted();
		if (entered) {
			{
				SpinGuard index(device.index_lock);

				if (session.keypair.role == Role::Responder)
					session.keypair.local_index = unused_index(device);
				session.index_hash = session.keypair.local_index.value();
				device.sessions_by_index.insert(session, index);
			}
			/* It prevails over what it crossed by its key, and over what our former identity answered. */
			Session *next = peer.keyring.next();
			bool prevails = peer.remote.static_public() < us.local.static_public() || (next && !next->keypair.may_send.load_relaxed());
			displaced = session.keypair.role == Role::Initiator ? peer.keyring.add_as_initiator(session, prevails, keyring)
									    : peer.keyring.add_as_responder(session, keyring);
			wg_kernel_debug_life(&device.netdev, "Keypair", session.index_hash, "created");
		}
	}
	drop_displaced(device, displaced);
	if (entered)
		on_session_derived(peer);
	else
		put(session);
	return entered;
}

/* A session with what its handshake gave; not yet indexed or in a keyring. Null: no memory. */
Session *create_session(Peer &peer, Role role, SessionIndex local_index, SessionIndex remote_index, const TransportKeys &keys)
{
	Session *session = make_pollers(peer) ? create<Session>(peer) : nullptr;

	if (!session)
		return nullptr;
	session->keypair.sending_key.copy_from(keys.sending);
	session->keypair.receiving_key.copy_from(keys.receiving);
	session->keypair.born = now();
	session->keypair.local_index = local_index;
	session->keypair.remote_index = remote_index;
	session->keypair.role = role;
	return session;
}

void count_authenticated(Received &received)
{
	learn_endpoint(*received.peer, received.from);
	received.peer->rx_bytes.fetch_add(received.bytes.size());
	{
		RcuSection rcu;

		if (received.device.sockets.read())	/* else its statistics may end before it does */
			wg_kernel_count_received(&received.device.netdev, static_cast<u32>(received.bytes.size()));
	}
	on_data_received(*received.peer, false);
}

/* ---- MACs and load ---- */

void send_cookie_reply(Received &received, const MessageMacs &macs, SessionIndex sender_index)
{
	CookieReplyMessage reply;
	Bytes<24> nonce;

	wg_kernel_random_bytes(nonce.data(), nonce.size());
	{
		SpinGuard guard(received.device.identity_lock);

		received.device.cookie_checker.create_reply(primitives(), received.us.local.cookie_keys(), macs.mac1, sender_index,
							    cookie_source(received.from), nonce, reply);
	}
	received.device.cookies_sent.fetch_add(1);
	wg_kernel_trace(&received.device.netdev, WG_TRACE_HANDSHAKE, 0, "cookie reply sent", &received.from);
	send_reply(received.device, received.packet, bytes_of(static_cast<const CookieReplyMessage &>(reply)));
}

/* May this message have our X25519? Drop::BadMac1, BadMac2 (answered with a cookie), RateLimited. */
Outcome<void> admit(Received &received, const MessageMacs &macs, SessionIndex sender_index)
{
	Device &device = received.device;
	CookieSource source = cookie_source(received.from);
	Instant at = now();
	bool under_load = device.handshakes.is_under_load(at);
	MacVerdict verdict;
	Secret<32> random;
	{
		SpinGuard guard(device.identity_lock);

		if (device.cookie_checker.wants_fresh_secret(at)) {
			random_secret(random);
			device.cookie_checker.refresh(random, at);
		}
		verdict = device.cookie_checker.check(primitives(), received.us.local.cookie_keys(), received.bytes, source, at);
	}
	if (verdict == MacVerdict::Bad)
		return Drop::BadMac1;
	if (!under_load)
		return Outcome<void>::success();
	if (verdict == MacVerdict::Mac1Valid) {
		send_cookie_reply(received, macs, sender_index);
		return Drop::BadMac2;
	}
	return accept_rate(device.birth_number, source, at);
}

/* ---- responder ---- */

/* Who sent the opened initiation? A reference, or null. */
Peer *find_sender(Device &device, const OpenedInitiation &opened)
{
	RcuSection rcu;
	Peer *peer = find_peer(device, opened.remote_static);

	return peer && peer->references.try_get() ? peer : nullptr;
}

/* Answers an authentic, newest initiation. */
Outcome<void> respond(Received &received, const RemoteIdentity &remote, OpenedInitiation &opened, const Tai64n &timestamp)
{
	Peer &peer = *received.peer;
	Secret<KEY_SIZE> ephemeral;
	TransportKeys keys;
	ResponseMessage response;
	Session *session;

	random_secret(ephemeral);
	/* Our index follows below: it is part of the message but of no hash, and exists once the session does. */
	if (auto created = create_response(primitives(), remote, opened, ephemeral, SessionIndex(), response, keys); !created)
		return created;
	session = create_session(peer, Role::Responder, SessionIndex(), opened.remote_index, keys);
	if (!session)
		return Drop::NoMemory;
	get(*session);
	auto is_newest = [&]() -> Outcome<void> {
		if (!peer.history.is_latest(timestamp))
			return Drop::OldTimestamp;
		claim_response(peer);
		return Outcome<void>::success();
	};
	if (auto committed = commit_session(received.device, received.us, peer, *session, is_newest); !committed) {
		put(*session);
		return committed;
	}
	response.sender_index.set(session->keypair.local_index.value());
	put(*session);
	{
		SpinGuard guard(peer.handshake_lock);

		peer.cookie_maker.add_macs(primitives(), remote.cookie_keys(), bytes_of(response), now());
	}
	on_data_sent(peer, false);	/* for the timers it is one without payload, as an initiation is */
	trace(peer, "response sent");
	send_message(peer, bytes_of(static_cast<const ResponseMessage &>(response)), WG_SOURCE_LOCAL);
	return Outcome<void>::success();
}

Outcome<void> handle_initiation(Received &received)
{
	auto message = parse<InitiationMessage>(received.bytes);
	OpenedInitiation opened;
	RemoteIdentity remote;

	if (!message)
		return message.error();
	if (auto admitted = admit(received, message->macs, SessionIndex(message->sender_index.get())); !admitted)
		return admitted;
	if (auto done = open_initiation(primitives(), received.us.local, *message, opened); !done)
		return done;
	received.peer = find_sender(received.device, opened);
	if (!received.peer) {
		tell_stranger(received.device, opened.remote_static, received.from);
		return Drop::UnknownPeer;
	}
	copy_remote(*received.peer, received.us, remote);
	auto timestamp = authenticate_initiation(primitives(), remote, *message, opened);
	if (!timestamp)
		return timestamp.error();
	{
		SpinGuard guard(received.peer->handshake_lock);

		if (auto accepted = received.peer->history.accept(*timestamp, now()); !accepted)
			return accepted;
	}
	count_authenticated(received);
	trace(*received.peer, "initiation received");
	return respond(received, remote, opened, *timestamp);
}

/* ---- initiator ---- */

/* Whose handshake waits under @index? A reference, or null. */
Peer *find_waiting(Device &device, SessionIndex index)
{
	SpinGuard guard(device.index_lock);
	Peer *peer = device.handshakes_by_index.find(index.value(), [&](Peer &waiting) { return waiting.pending_hash == index.value(); });

	return peer && peer->references.try_get() ? peer : nullptr;
}

Outcome<void> handle_response(Received &received)
{
	auto message = parse<ResponseMessage>(received.bytes);
	InitiatorState state;
	RemoteIdentity remote;
	TransportKeys keys;
	Session *session;

	if (!message)
		return message.error();
	SessionIndex index(message->receiver_index.get()), remote_index(message->sender_index.get());
	if (auto admitted = admit(received, message->macs, remote_index); !admitted)
		return admitted;
	received.peer = find_waiting(received.device, index);
	if (!received.peer)
		return Drop::UnknownIndex;
	Peer &peer = *received.peer;
	{
		SpinGuard guard(peer.handshake_lock);

		if (!peer.awaits_response || !(peer.initiator.sender_index == index))
			return Drop::UnknownIndex;
		state.copy_from(peer.initiator);
		remote.copy_from(peer.remote);
	}
	if (auto done = consume_response(primitives(), received.us.local, remote, state, *message, keys); !done)
		return done;
	session = create_session(peer, Role::Initiator, index, remote_index, keys);
	if (!session)
		return Drop::NoMemory;
	Instant born = session->keypair.born;
	auto still_waits = [&]() -> Outcome<void> {
		if (!peer.awaits_response || !(peer.initiator.sender_index == index))
			return Drop::UnknownIndex;
		end_pending_handshake(peer);
		return Outcome<void>::success();
	};
	if (auto committed = commit_session(received.device, received.us, peer, *session, still_waits); !committed)
		return committed;
	count_authenticated(received);
	trace(peer, "response received");
	on_handshake_completed(peer, Role::Initiator, born);
	send_keepalive(peer);		/* or what is staged: the responder must hear from the new key */
	return Outcome<void>::success();
}

Outcome<void> handle_cookie_reply(Received &received)
{
	auto message = parse<CookieReplyMessage>(received.bytes);

	if (!message)
		return message.error();
	SessionIndex index(message->receiver_index.get());
	/* It answers a message of ours: an initiation, or a response, whose index is a session's. */
	received.peer = find_waiting(received.device, index);
	if (!received.peer) {
		RcuSection rcu;
		Session *session = find_session(received.device, index);

		if (!session)
			return Drop::UnknownIndex;
		received.peer = &get(session->peer);
		put(*session);
	}
	SpinGuard guard(received.peer->handshake_lock);
	return received.peer->cookie_maker.consume_reply(primitives(), received.peer->remote.cookie_keys(), *message, now());
}

/* Sends the initiation somebody asked for, if rule 2 still allows it. */
void initiate(Peer &peer)
{
	Device &device = peer.device;
	OurIdentity us;
	RemoteIdentity remote;
	Secret<KEY_SIZE> ephemeral;
	InitiatorState state;
	InitiationMessage message;
	u64 unix_seconds;
	u32 nanoseconds;

	{
		/* In one: who changes the key voids what was claimed before, and that alone. Whatever stands against it below, the retry runs. */
		SpinGuard identity(device.identity_lock);

		us.copy_from(device, identity);
		if (!claim_initiation(peer))
			return;
	}
	if (!us.local.is_present())
		return drop(peer, Drop::NoIdentity);
	if (!wg_kernel_random_is_ready())
		return drop(peer, Drop::RandomNotReady);
	copy_remote(peer, us, remote);
	random_secret(ephemeral);
	wg_kernel_wall_clock(&unix_seconds, &nanoseconds);
	if (auto created = create_initiation(primitives(), us.local, remote, ephemeral, tai64n(unix_seconds, nanoseconds), SessionIndex(), state, message);
	    !created)
		return drop(peer, created.error());
	{
		SpinGuard identity(device.identity_lock);
		SpinGuard guard(peer.handshake_lock);

		if (!device.is_up || us.generation != device.identity_generation || !begin_pending_handshake(peer, state))
			return;
		message.sender_index.set(peer.initiator.sender_index.value());
		peer.cookie_maker.add_macs(primitives(), remote.cookie_keys(), bytes_of(message), now());
	}
	on_data_sent(peer, false);
	trace(peer, "initiation sent");
	/* No new session begins from an address that is on its way out. */
	send_message(peer, bytes_of(static_cast<const InitiationMessage &>(message)), WG_SOURCE_PREFERRED);
}

/* ---- dispatch ---- */

constexpr usize LARGEST_HANDSHAKE_MESSAGE = sizeof(InitiationMessage);

Outcome<void> dispatch(Received &received)
{
	auto type = classify(received.bytes, received.bytes.size());

	if (!type)
		return type.error();
	if (!received.us.local.is_present())
		return Drop::NoIdentity;
	if (!wg_kernel_random_is_ready())
		return Drop::RandomNotReady;
	switch (*type) {
	case MessageType::Initiation: return handle_initiation(received);
	case MessageType::Response: return handle_response(received);
	case MessageType::CookieReply: return handle_cookie_reply(received);
	case MessageType::Data: break;
	}
	return Drop::Malformed;
}

void handle_message(Device &device, Packet &packet)
{
	u32 size = length_of(packet);
	const u8 *bytes = size <= LARGEST_HANDSHAKE_MESSAGE ? wg_kernel_packet_pull(&packet, size) : nullptr;

	if (!bytes) {
		drop(device, size <= LARGEST_HANDSHAKE_MESSAGE ? Drop::NoMemory : Drop::Malformed);
		return wg_kernel_packet_free(&packet);
	}
	Received received(device, packet, {bytes, size});
	if (auto outcome = dispatch(received); outcome) {
		wg_kernel_packet_consume(&packet);
	} else {
		if (received.peer)
			drop(*received.peer, outcome.error());
		else
			drop(device, outcome.error());
		wg_kernel_packet_free(&packet);
	}
}

} // namespace

void request_initiation(Peer &peer, bool is_retry)
{
	if (may_initiate(peer, is_retry))
		peer.device.handshakes.push_initiation(peer);
}

void run_handshake_worker(Device &device)
{
	HandshakeQueue::Worker worker = HandshakeQueue::Worker::Begins;

	while (HandshakeQueue::Work work = device.handshakes.next(worker, now())) {
		worker = HandshakeQueue::Worker::GoesOn;
		if (work.initiation) {
			initiate(*work.initiation);
			put(*work.initiation);
		} else {
			handle_message(device, *work.message);
		}
		wg_kernel_maybe_resched();
	}
}

} // namespace wg::engine
