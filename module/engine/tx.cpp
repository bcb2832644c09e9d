// SPDX-License-Identifier: GPL-2.0
#include "engine/tx.h"
#include "engine/device.h"
#include "engine/handshaker.h"
#include "wire/inner.h"

namespace wg::engine {

namespace {

constexpr u8 HANDSHAKE_TRAFFIC_CLASS = 0x88;	/* AF41, ECN-less: a handshake matters more than what waits for it */
constexpr u32 MAX_NESTING = 8;			/* as deep as the kernel lets transmit functions nest */
constexpr u8 ECN_MASK = 3;			/* of the inner class ECN is copied out (RFC 6040), DSCP is not: it would leak */

u16 ethertype_of(IpVersion version)
{
	return version == IpVersion::V4 ? 0x0800 : 0x86dd;
}

struct Routed {
	Peer *peer;
	u8 traffic_class;
};

/* Cryptokey routing, outwards. RCU. Drop::NotIp, TooDeep, NoPeer, NoEndpoint, NoMemory. */
Outcome<Routed> route(Device &device, Packet &packet)
{
	u32 size = length_of(packet);
	const u8 *head = wg_kernel_packet_pull(&packet, size < IPV6_HEADER_SIZE ? size : IPV6_HEADER_SIZE);
	PrefixOwner *owner;

	if (!head)
		return Drop::NoMemory;
	auto inner = parse_inner({head, size < IPV6_HEADER_SIZE ? size : IPV6_HEADER_SIZE});
	if (!inner || ethertype_of(inner->version) != wg_kernel_packet_protocol(&packet))
		return Drop::NotIp;
	if (*wg_kernel_nesting() >= MAX_NESTING)
		return Drop::TooDeep;
	owner = device.allowed_ips.lookup(inner->version, inner->destination);
	if (!owner)
		return Drop::NoPeer;
	if (endpoint_of(owner->peer).family == 0)
		return Drop::NoEndpoint;
	return Routed{&owner->peer, static_cast<u8>(inner->traffic_class & ECN_MASK)};
}

int refuse(Device &device, Packet &packet, Drop reason)
{
	drop(device, reason);
	if (reason == Drop::NoPeer || reason == Drop::NoEndpoint)
		wg_kernel_icmp_unreachable(&packet, &device.netdev);
	wg_kernel_count(&device.netdev, WG_TX_ERROR, 1);
	wg_kernel_packet_free(&packet);
	switch (reason) {
	case Drop::NoPeer: return -WG_ENOKEY;
	case Drop::NoEndpoint: return -WG_EDESTADDRREQ;
	case Drop::NoMemory: return -WG_ENOMEM;
	case Drop::TooDeep: return -WG_ELOOP;
	default: return -WG_EPROTONOSUPPORT;
	}
}

/* Chains describe themselves in their first packet's control block. */
void describe(Packet &head, u32 mtu, u8 traffic_class, u8 nesting)
{
	Batch &batch = batch_of(head);
	u32 bytes = 0;
	u16 count = 0;

	for (Packet *packet = &head; packet; packet = next_of(*packet)) {
		bytes += length_of(*packet) + static_cast<u32>(MIN_DATA_MESSAGE);
		count++;
	}
	batch = {};
	batch.bytes = bytes;
	batch.count = count;
	batch.mtu = mtu;
	batch.traffic_class = traffic_class;
	batch.direction = Direction::Seal;
	batch.nesting = nesting;
}

/* Appends a batch; what falls out at the old end is gone. */
void stage(Peer &peer, Packet &head)
{
	PacketFifo<&Batch::queue_next> too_many;
	u32 dropped = 0;
	{
		SpinGuard guard(peer.tx_lock);

		peer.staged.push(head);
		peer.staged_packets += batch_of(head).count;
		/* A batch of its own may exceed the bound: it stays, being the newest. */
		while (peer.staged_packets > MAX_STAGED_PACKETS && peer.staged.first() != &head) {
			Packet *oldest = peer.staged.pop();

			peer.staged_packets -= batch_of(*oldest).count;
			dropped += batch_of(*oldest).count;
			too_many.push(*oldest);
		}
	}
	if (dropped) {
		drop(peer, Drop::StagedFull, dropped);
		wg_kernel_count(&peer.device.netdev, WG_TX_DROPPED, dropped);
	}
	while (Packet *oldest = too_many.pop())
		free_chain(oldest);
}

bool nothing_is_staged(Peer &peer)
{
	SpinGuard guard(peer.tx_lock);

	return peer.staged.empty();
}

/* Moves the staged batches, with counters and references, into the ordered queue. False: some are left, and @session may not send them. RCU. */
bool queue_staged(Peer &peer, Session &session, PacketFifo<&Batch::work_next> &queued, bool &first_is_alone, u32 &refused)
{
	Instant at = now();
	SpinGuard guard(peer.tx_lock);

	while (Packet *head = peer.staged.first()) {
		Batch &batch = batch_of(*head);
		OrderedQueue::Pushed pushed;

		if (!session.keypair.can_send(batch.count, at) || !session.references.try_get())
			return false;
		peer.staged.pop();
		peer.staged_packets -= batch.count;
		batch.session = &session;
		batch.counter = session.keypair.sending_counter;
		pushed = peer.tx.push(*head);
		if (pushed == OrderedQueue::Pushed::Refused) {
			refused += batch.count;
			free_chain(head);
			put(session);
			continue;
		}
		session.keypair.sending_counter += batch.count;
		first_is_alone |= queued.empty() && pushed == OrderedQueue::Pushed::Alone;
		queued.push(*head);
	}
	return true;
}

/* Sends @messages to where @peer is; they are gone in any case. RCU, bottom halves off. Drop::NoEndpoint, SendFailed. */
Outcome<void> send_to(Peer &peer, Packet &messages, u8 traffic_class)
{
	Device &device = peer.device;
	wg_sockets *sockets = device.sockets.read();
	wg_endpoint endpoint = endpoint_of(peer), used = endpoint;
	int error;

	if (!sockets || endpoint.family == 0) {
		free_chain(&messages);
		return endpoint.family == 0 ? Drop::NoEndpoint : Drop::SendFailed;
	}
	error = wg_kernel_send(sockets, &device.netdev, &messages, &used, device.mark.load_relaxed(), traffic_class, &peer.route_cache);
	settle_route(peer, endpoint, used);
	if (error)
		return Drop::SendFailed;
	return Outcome<void>::success();
}

/* Lets one sealed batch leave. */
void send_batch(Device &device, Peer &peer, Packet &head)
{
	Session &session = *batch_of(head).session;
	u8 traffic_class = batch_of(head).traffic_class;
	u32 *nesting = wg_kernel_nesting(), outside = *nesting, inside = batch_of(head).nesting + 1u;
	Packet *first = nullptr, **link = &first;
	u32 count = 0, lost = 0;
	u64 bytes = 0;
	bool payload = false;

	for (Packet *packet = &head, *next; packet; packet = next) {
		next = next_of(*packet);
		if (batch_of(*packet).failed) {
			next_of(*packet) = nullptr;
			wg_kernel_packet_free(packet);
			lost++;
			continue;
		}
		*link = packet;
		link = &next_of(*packet);
		bytes += length_of(*packet);
		payload |= length_of(*packet) > MIN_DATA_MESSAGE;
		count++;
	}
	*link = nullptr;
	if (lost) {
		drop(peer, Drop::NoMemory, lost);
		wg_kernel_count(&device.netdev, WG_TX_ERROR, lost);
	}
	if (count) {
		on_data_sent(peer, payload);
		*nesting = inside;
		auto sent = send_to(peer, *first, traffic_class);
		*nesting = outside;
		if (sent) {
			peer.tx_bytes.fetch_add(bytes);
		} else {
			drop(peer, sent.error(), count);
			wg_kernel_count(&device.netdev, WG_TX_ERROR, count);
		}
	}
	if (session.keypair.wants_rekey_after_sending(now()) && &session == peer.keyring.current())
		request_initiation(peer, false);
	put(session);
}

} // namespace

int transmit(Device &device, Packet &packet)
{
	RcuSection rcu;
	int error = 0;
	u32 mtu = 0;
	Packet *head;

	auto routed = route(device, packet);
	if (!routed)
		return refuse(device, packet, routed.error());
	head = wg_kernel_packet_segment(&packet, &device.netdev, &mtu, &error);
	if (!head) {
		drop(*routed->peer, Drop::NoMemory);
		wg_kernel_count(&device.netdev, WG_TX_DROPPED, 1);
		return error;
	}
	describe(*head, mtu, routed->traffic_class, static_cast<u8>(*wg_kernel_nesting()));
	stage(*routed->peer, *head);
	send_staged(*routed->peer);
	return 0;
}

void send_staged(Peer &peer)
{
	RcuSection rcu;
	PacketFifo<&Batch::work_next> queued;
	bool first_is_alone = false, all_queued;
	u32 refused = 0;
	Session *session = peer.keyring.current();

	all_queued = session ? queue_staged(peer, *session, queued, first_is_alone, refused) : nothing_is_staged(peer);
	if (refused) {
		drop(peer, Drop::QueueFull, refused);
		wg_kernel_count(&peer.device.netdev, WG_TX_DROPPED, refused);
	}
	while (Packet *head = queued.pop()) {
		process(peer.device, *head, first_is_alone ? OrderedQueue::Pushed::Alone : OrderedQueue::Pushed::Behind);
		first_is_alone = false;
	}
	if (!all_queued)
		request_initiation(peer, false);
}

void send_keepalive(Peer &peer)
{
	if (nothing_is_staged(peer)) {
		Packet *empty = wg_kernel_packet_create(nullptr, 0);

		if (!empty)
			return drop(peer, Drop::NoMemory);
		describe(*empty, 0, 0, 0);
		stage(peer, *empty);
	}
	send_staged(peer);
}

void drop_staged(Peer &peer, Drop reason)
{
	PacketFifo<&Batch::queue_next> staged;
	u32 count;
	{
		SpinGuard guard(peer.tx_lock);

		staged = peer.staged;
		count = peer.staged_packets;
		peer.staged = {};
		peer.staged_packets = 0;
	}
	if (count)
		drop(peer, reason, count);
	while (Packet *head = staged.pop())
		free_chain(head);
}

void send_finished(Peer &peer)
{
	RcuSection rcu;

	while (Packet *head = peer.tx.take())
		send_batch(peer.device, peer, *head);
}

/* A peer without an endpoint is no error here: its retries would count for ever. */
void send_message(Peer &peer, ConstByteSpan message)
{
	RcuSection rcu;
	BottomHalvesOff off;
	Packet *packet = wg_kernel_packet_create(message.data(), static_cast<u32>(message.size()));

	if (!packet)
		return drop(peer, Drop::NoMemory);
	auto sent = send_to(peer, *packet, HANDSHAKE_TRAFFIC_CLASS);
	if (sent) {
		peer.tx_bytes.fetch_add(message.size());
	} else if (sent.error() != Drop::NoEndpoint) {
		drop(peer, sent.error());
		wg_kernel_count(&peer.device.netdev, WG_TX_ERROR, 1);
	}
}

void send_reply(Device &device, const Packet &received, ConstByteSpan message)
{
	RcuSection rcu;
	BottomHalvesOff off;
	wg_sockets *sockets = device.sockets.read();
	wg_endpoint endpoint{};
	Packet *packet;

	wg_kernel_packet_source(&received, &endpoint);
	if (!sockets)
		return;
	packet = wg_kernel_packet_create(message.data(), static_cast<u32>(message.size()));
	if (packet)
		wg_kernel_send(sockets, &device.netdev, packet, &endpoint, device.mark.load_relaxed(), HANDSHAKE_TRAFFIC_CLASS, nullptr);
}

} // namespace wg::engine
