// SPDX-License-Identifier: GPL-2.0
#include "engine/tx.h"
#include "engine/device.h"
#include "engine/handshaker.h"
#include "wire/inner.h"

namespace wg::engine {

namespace {

constexpr u8 HANDSHAKE_TRAFFIC_CLASS = 0x88;	/* AF41, ECN-less: a handshake matters more than what waits for it */
constexpr u32 MAX_NESTING = 8;			/* as deep as the kernel lets transmit functions nest */
constexpr u32 MAX_QUEUED_PACKETS = 4096;	/* staged while there is a session */
constexpr u32 ROUND_PACKETS = 64, ROUND_BYTES = 64 << 10;	/* of one AEAD call, and of one packet for UDP segmentation offload */
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

void orphan_chain(Packet &head)
{
	for (Packet *packet = &head; packet; packet = next_of(*packet))
		wg_kernel_packet_orphan(packet);
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

/* Takes the oldest staged batches out until no more than @most packets are left. The newest batch stays, however large. How many packets
 * went. tx_lock held. */
u32 shorten(Peer &peer, u32 most, PacketFifo<&Batch::queue_next> &too_many)
{
	u32 before = peer.staged_packets;

	while (peer.staged_packets > most && peer.staged.first() != peer.staged.last()) {
		Packet *oldest = peer.staged.pop();

		peer.staged_packets -= batch_of(*oldest).count;
		too_many.push(*oldest);
	}
	return before - peer.staged_packets;
}

void give_up(Peer &peer, PacketFifo<&Batch::queue_next> &batches, u32 packets, Drop reason)
{
	if (packets) {
		drop(peer, reason, packets);
		wg_kernel_count(&peer.device.netdev, WG_TX_DROPPED, packets);
	}
	while (Packet *head = batches.pop())
		free_chain(head);
}

/* Appends a batch. What waits for a session holds nothing of its senders, and there is little of it. */
void stage(Peer &peer, Packet &head)
{
	PacketFifo<&Batch::queue_next> too_many;
	bool waits;
	u32 dropped;
	{
		SpinGuard guard(peer.tx_lock);

		waits = peer.staged_waits;
		if (waits)
			orphan_chain(head);
		peer.staged.push(head);
		peer.staged_packets += batch_of(head).count;
		dropped = shorten(peer, waits ? MAX_STAGED_PACKETS : MAX_QUEUED_PACKETS, too_many);
	}
	give_up(peer, too_many, dropped, waits ? Drop::StagedFull : Drop::QueueFull);
}

bool nothing_is_staged(Peer &peer)
{
	SpinGuard guard(peer.tx_lock);

	return peer.staged.empty();
}

/* No session may send what is staged: a handshake has to come first. */
void let_wait(Peer &peer)
{
	PacketFifo<&Batch::queue_next> too_many;
	u32 dropped = 0;
	{
		SpinGuard guard(peer.tx_lock);

		if (!peer.staged_waits) {
			peer.staged_waits = true;
			for (Packet *head = peer.staged.first(); head; head = peer.staged.next(*head))
				orphan_chain(*head);
			dropped = shorten(peer, MAX_STAGED_PACKETS, too_many);
		}
	}
	give_up(peer, too_many, dropped, Drop::StagedFull);
	request_initiation(peer, false);
}

enum class Staged : u8 {
	Taken,
	None,		/* nothing is staged, or the ordered queue is full: its workers will call */
	Unsendable,	/* and @session may not send it */
};

/* Takes one batch out of those staged and gives it its counters. The drainer. */
Staged take_staged(Peer &peer, Session *session, Instant at, Packet *&head)
{
	{
		SpinGuard guard(peer.tx_lock);

		head = peer.staged.first();
		if (!head || peer.tx.is_full())
			return Staged::None;
		if (!session || !session->keypair.can_send(batch_of(*head).count, at) || !session->references.try_get())
			return Staged::Unsendable;
		peer.staged.pop();
		peer.staged_packets -= batch_of(*head).count;
		peer.staged_waits = false;
	}
	Batch &batch = batch_of(*head);
	batch.session = session;
	batch.counter = session->keypair.sending_counter;
	session->keypair.sending_counter += batch.count;
	return Staged::Taken;
}

/* Moves what is staged into the order, a round's worth of it for the drainer. True: as much or more is left. The drainer. */
bool queue_staged(Peer &peer)
{
	Session *session = peer.keyring.current();
	Instant at = now();
	Packet *head;
	u32 packets = 0, bytes = 0;

	while (packets < ROUND_PACKETS && bytes < ROUND_BYTES) {
		switch (take_staged(peer, session, at, head)) {
		case Staged::None: return false;
		case Staged::Unsendable: let_wait(peer); return false;
		case Staged::Taken: break;
		}
		packets += batch_of(*head).count;
		bytes += batch_of(*head).bytes;
		if (peer.tx.leave(*head) == OrderedQueue::Pushed::Behind)
			hand_over(peer.device, *head);
	}
	return !nothing_is_staged(peer);
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

/* Sealed messages that may leave as one: of one class, and as deep in other tunnels. */
struct Outgoing {
	Packet *first = nullptr, **link = &first;
	u64 bytes = 0;
	u32 count = 0;
	u8 traffic_class = 0, nesting = 0;
};

void send_outgoing(Peer &peer, Outgoing &outgoing)
{
	u32 *nesting = wg_kernel_nesting(), outside = *nesting;

	if (!outgoing.count)
		return;
	*outgoing.link = nullptr;
	*nesting = outgoing.nesting + 1u;
	auto sent = send_to(peer, *outgoing.first, outgoing.traffic_class);
	*nesting = outside;
	if (sent) {
		peer.tx_bytes.fetch_add(outgoing.bytes);
	} else {
		drop(peer, sent.error(), outgoing.count);
		wg_kernel_count(&peer.device.netdev, WG_TX_ERROR, outgoing.count);
	}
	outgoing = {};
}

/* Adds what was sealed of a batch to @outgoing, after sending what does not go with it. How many could not be sealed. */
u32 add_sealed(Peer &peer, Packet &head, Outgoing &outgoing)
{
	u8 traffic_class = batch_of(head).traffic_class, nesting = batch_of(head).nesting;
	u32 lost = 0;

	if (outgoing.traffic_class != traffic_class || outgoing.nesting != nesting)
		send_outgoing(peer, outgoing);
	outgoing.traffic_class = traffic_class;
	outgoing.nesting = nesting;
	for (Packet *packet = &head, *next; packet; packet = next) {
		next = next_of(*packet);
		if (batch_of(*packet).failed) {
			next_of(*packet) = nullptr;
			wg_kernel_packet_free(packet);
			lost++;
			continue;
		}
		*outgoing.link = packet;
		outgoing.link = &next_of(*packet);
		outgoing.bytes += length_of(*packet);
		outgoing.count++;
	}
	return lost;
}

/* Lets sealed batches leave. */
void send_run(Peer &peer, Run &run)
{
	Outgoing outgoing;
	Session *session = nullptr;
	bool payload = false;
	u32 lost = 0;

	for (Packet *head = run.first(); head; head = Run::next(*head))
		payload |= batch_of(*head).bytes > batch_of(*head).count * static_cast<u32>(MIN_DATA_MESSAGE);
	on_data_sent(peer, payload);
	while (Packet *head = run.pop()) {
		if (session)
			put(*session);
		session = batch_of(*head).session;
		lost += add_sealed(peer, *head, outgoing);
	}
	send_outgoing(peer, outgoing);
	if (lost) {
		drop(peer, Drop::NoMemory, lost);
		wg_kernel_count(&peer.device.netdev, WG_TX_ERROR, lost);
	}
	if (session->keypair.wants_rekey_after_sending(now()) && session == peer.keyring.current())
		request_initiation(peer, false);
	put(*session);
}

struct Round {
	u32 sent;
	bool more;
};

/* The drainer's work, bounded: seals and sends what one call of the AEAD may take. */
Round send_round(Peer &peer)
{
	bool more = queue_staged(peer);
	Run run;
	u32 count = peer.tx.take(run, ROUND_PACKETS);

	if (count) {
		crypt_run(run);
		send_run(peer, run);
		peer.tx_backlog = wg_kernel_backlog();
	}
	return {count, more};
}

/* Sends at once where nothing is before us, else leaves it to the poller. */
void send_or_leave(Peer &peer)
{
	if (*wg_kernel_nesting() != 0)
		return wg_kernel_poller_schedule(&peer.tx_poller);
	if (!wg_kernel_poller_claim(&peer.tx_poller))
		return;
	if (send_round(peer).more || !wg_kernel_backlog_passed(peer.tx_backlog))
		wg_kernel_poller_run(&peer.tx_poller);
	else
		wg_kernel_poller_release(&peer.tx_poller);
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
		drop(*routed->peer, error == -WG_ENOMEM ? Drop::NoMemory : Drop::NotSegmentable);
		wg_kernel_count(&device.netdev, WG_TX_DROPPED, 1);
		return error;
	}
	describe(*head, mtu, routed->traffic_class, static_cast<u8>(*wg_kernel_nesting()));
	stage(*routed->peer, *head);
	send_or_leave(*routed->peer);
	return 0;
}

void send_staged(Peer &peer)
{
	BottomHalvesOff off;

	wg_kernel_poller_schedule(&peer.tx_poller);
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
	give_up(peer, staged, count, reason);
}

int poll_transmit(Peer &peer, int budget)
{
	RcuSection rcu;
	Round round = send_round(peer);

	return round.sent || round.more || !wg_kernel_backlog_passed(peer.tx_backlog) ? budget : 0;
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
