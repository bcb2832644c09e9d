// SPDX-License-Identifier: GPL-2.0
#include "engine/rx.h"
#include "engine/device.h"
#include "engine/handshaker.h"
#include "engine/tx.h"
#include "wire/inner.h"

namespace wg::engine {

namespace {

/* As what the device counts a received packet that ends here. */
wg_statistic statistic_of(Drop reason)
{
	if (reason == Drop::BadTag)
		return WG_RX_CRC_ERROR;
	if (reason == Drop::BadLength)
		return WG_RX_LENGTH_ERROR;
	if (reason == Drop::NotIp || reason == Drop::WrongSource || reason == Drop::BadEcn)
		return WG_RX_FRAME_ERROR;
	return WG_RX_DROPPED;
}

/* Ends one received packet of a peer. */
void discard(Peer &peer, Packet &packet, Drop reason)
{
	drop(peer, reason);
	wg_kernel_count(&peer.device.netdev, statistic_of(reason), 1);
	wg_kernel_packet_free(&packet);
}

void discard(Device &device, Packet &packet, Drop reason)
{
	drop(device, reason);
	wg_kernel_count(&device.netdev, WG_RX_DROPPED, 1);
	wg_kernel_packet_free(&packet);
}

void receive_handshake(Device &device, Packet &packet)
{
	if (auto pushed = device.handshakes.push_message(packet); !pushed)
		discard(device, packet, pushed.error());
}

void receive_data(Device &device, Packet &packet, const DataHeader &header, Instant at)
{
	Session *session = find_session(device, SessionIndex(header.receiver_index.get()));
	OrderedQueue::Pushed pushed;

	if (!session)
		return discard(device, packet, Drop::UnknownIndex);
	Batch &batch = batch_of(packet);
	batch = {};
	batch.session = session;
	batch.bytes = length_of(packet);
	batch.count = 1;
	batch.direction = Direction::Open;
	Peer &peer = session->peer;	/* for after leave(): the packet, and with it the session, may be the poller's then */
	if (session->keypair.is_expired(at)) {
		discard(peer, packet, Drop::ExpiredKey);
		return put(*session);
	}
	pushed = peer.rx.leave(packet);
	if (pushed == OrderedQueue::Pushed::Refused) {
		discard(peer, packet, Drop::QueueFull);
		return put(*session);
	}
	if (pushed == OrderedQueue::Pushed::LeftToCaller)
		return peer.pollers.read()->rx.schedule();
	if (pushed == OrderedQueue::Pushed::Behind)
		hand_over(device, packet);
}

/* The first authenticated data on a key we answered for: the peer has it too. [WG §5.4.6] */
void confirm_key(Peer &peer, Session &session)
{
	Displaced<Session> displaced;
	bool completes;

	if (peer.keyring.next() != &session)
		return;
	{
		SpinGuard handshake(peer.handshake_lock);
		SpinGuard keyring(peer.keyring_lock);

		/* One of our own that still waits is not needed any more, unless our identity has changed since we answered. */
		completes = peer.keyring.confirm(session, displaced, keyring) && session.keypair.may_send.load_relaxed();
		if (completes)
			end_pending_handshake(peer);
	}
	drop_displaced(peer.device, displaced);
	if (!completes)
		return;
	on_handshake_completed(peer, Role::Responder, session.keypair.born);
	send_staged(peer);
}

/* An authenticated, fresh packet with something in it: whose is it, how long, and may it come from there? */
Outcome<void> deliver(Peer &peer, Packet &packet, u32 plain_size)
{
	u32 head_size = plain_size < IPV6_HEADER_SIZE ? plain_size : static_cast<u32>(IPV6_HEADER_SIZE);
	const u8 *head = wg_kernel_packet_pull(&packet, sizeof(DataHeader) + head_size);

	if (!head)
		return Drop::NoMemory;
	auto inner = parse_inner({head + sizeof(DataHeader), head_size});
	if (!inner)
		return inner.error();
	if (inner->length < IPV4_HEADER_SIZE || inner->length > plain_size)
		return Drop::BadLength;
	if (peer.device.allowed_ips.lookup(inner->version, inner->source) != &peer.prefixes)
		return Drop::WrongSource;
	if (wg_kernel_packet_trim(&packet, sizeof(DataHeader), inner->length))
		return Drop::NoMemory;
	if (wg_kernel_packet_deliver(&packet, &peer.device.netdev, &peer.pollers.read()->rx.kernel_poller(), static_cast<u8>(inner->version),
				     peer.opened_mark.load_relaxed()))
		return Drop::BadEcn;
	return Outcome<void>::success();
}

/* What was done already for a run of packets: once is enough, for they came together. */
struct Told {
	wg_endpoint source{};
	bool any = false, payload = false;
};

/* A message authenticated. Before anything is sent in answer: what is received first does not answer that. */
void tell(Peer &peer, const Packet &packet, bool with_payload, Told &told)
{
	wg_endpoint source{};

	wg_kernel_packet_source(&packet, &source);
	if (!told.any || !same_bytes(&source, &told.source, sizeof(source)))
		learn_endpoint(peer, source);
	if (!told.any || (with_payload && !told.payload))
		on_data_received(peer, with_payload);
	told = {source, true, told.payload || with_payload};
}

/* One opened packet, in its place in the order; it is gone where there is no reason. Only what is delivered, or is a keepalive, counts as received. */
Outcome<void> accept(Peer &peer, Session &session, Packet &packet, Instant at, Told &told)
{
	const u8 *header = wg_kernel_packet_pull(&packet, sizeof(DataHeader));
	u32 size = length_of(packet), plain_size = size - static_cast<u32>(MIN_DATA_MESSAGE);

	if (!header)
		return Drop::NoMemory;
	if (batch_of(packet).failed)
		return Drop::BadTag;
	if (session.keypair.is_expired(at))
		return Drop::ExpiredKey;
	auto fresh = session.keypair.replay.accept(reinterpret_cast<const DataHeader *>(header)->counter.get());
	if (!fresh)
		return fresh.error();

	tell(peer, packet, plain_size > 0, told);
	confirm_key(peer, session);
	if (session.keypair.wants_rekey_after_receiving(at))
		request_initiation(peer, false);
	if (plain_size == 0)
		wg_kernel_packet_consume(&packet);	/* a keepalive */
	else if (auto delivered = deliver(peer, packet, plain_size); !delivered)
		return delivered.error();
	peer.rx_bytes.fetch_add(size);
	wg_kernel_count_received(&peer.device.netdev, size);
	return Outcome<void>::success();
}

} // namespace

void receive(Device &device, Packet &packet)
{
	RcuSection rcu;
	u32 size = length_of(packet), head_size = size < sizeof(DataHeader) ? size : static_cast<u32>(sizeof(DataHeader));
	const u8 *head = wg_kernel_packet_pull(&packet, head_size);

	if (!head)
		return discard(device, packet, Drop::NoMemory);
	auto type = classify({head, head_size}, size);
	if (!type)
		discard(device, packet, type.error());
	else if (*type == MessageType::Data)
		receive_data(device, packet, *reinterpret_cast<const DataHeader *>(head), now());
	else
		receive_handshake(device, packet);
}

/* Opens what was left to the poller and handles it in order. */
static u32 receive_round(Peer &peer, u32 budget)
{
	Run run;
	u32 done = peer.rx.take(run, budget);		/* batches of one packet */
	bool is_down = !peer.device.sockets.read();	/* then its statistics may end before it does */

	crypt_run(run);
	Instant at = now();
	Told told;
	while (Packet *head = run.pop()) {
		Session &session = *batch_of(*head).session;

		auto accepted = is_down ? Outcome<void>(Drop::PeerGone) : accept(peer, session, *head, at, told);
		if (!accepted)
			discard(peer, *head, accepted.error());
		put(session);
	}
	return done;
}

int poll(Peer &peer, int budget)
{
	RcuSection rcu;

	return static_cast<int>(peer.pollers.read()->rx.measure([&] { return receive_round(peer, static_cast<u32>(budget)); }));
}

} // namespace wg::engine
