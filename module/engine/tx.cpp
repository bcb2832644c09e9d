// SPDX-License-Identifier: GPL-2.0
#include "engine/tx.h"
#include "engine/device.h"
#include "engine/handshaker.h"
#include "linux/wireguard_extensions.h"
#include "wire/inner.h"

namespace wg::engine {

namespace {

constexpr u8 HANDSHAKE_TRAFFIC_CLASS = 0x88;	/* AF41, ECN-less: a handshake matters more than what waits for it */
constexpr u32 MAX_NESTING = 8;			/* as deep as the kernel lets transmit functions nest */
constexpr u32 MAX_LAG = 4;			/* rounds that left more than they took; then workers help */
constexpr u32 MAX_QUEUED_PACKETS = 4096;	/* staged while there is a session */
constexpr u32 ROUND_BYTES = 64 << 10;	/* of one AEAD call, and of one packet for UDP segmentation offload */
constexpr u8 ECN_MASK = 3;			/* of the inner class ECN is copied out (RFC 6040), DSCP only where policy says so: it leaks */

u16 ethertype_of(IpVersion version)
{
	return version == IpVersion::V4 ? 0x0800 : 0x86dd;
}

/* Cryptokey routing, outwards, and the class to send with. RCU. Drop::NotIp, TooDeep, NoPeer, NoEndpoint, NoMemory. */
Outcome<Peer *> route(Device &device, Packet &packet, u8 &traffic_class)
{
	u32 size = length_of(packet);
	const u8 *head = wg_kernel_packet_pull(&packet, size < IPV6_HEADER_SIZE ? size : IPV6_HEADER_SIZE);
	PrefixOwner *owner;
	u8 dscp;

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
	if (!has_endpoint(owner->peer))
		return Drop::NoEndpoint;
	dscp = owner->peer.dscp.load_relaxed();
	traffic_class = dscp == WGX_DSCP_INHERIT ? inner->traffic_class : static_cast<u8>(dscp << 2 | (inner->traffic_class & ECN_MASK));
	return &owner->peer;
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

/* tx_lock held. */
void count_staged(Peer &peer, u32 more, u32 less)
{
	peer.staged_packets.store_relaxed(peer.staged_packets.load_relaxed() + more - less);
}

/* Gives up the oldest of what is staged until no more than @most packets are left, or one batch, however large. */
void drop_oldest(Peer &peer, u32 most, Drop reason)
{
	PacketFifo<&Batch::queue_next> too_many;
	u32 count = 0;
	{
		SpinGuard guard(peer.tx_lock);

		while (peer.staged_packets.load_relaxed() > most && (most == 0 || peer.staged.first() != peer.staged.last())) {
			Packet *oldest = peer.staged.pop();

			count += batch_of(*oldest).count;
			count_staged(peer, 0, batch_of(*oldest).count);
			too_many.push(*oldest);
		}
	}
	if (count) {
		drop(peer, reason, count);
		wg_kernel_count(&peer.device.netdev, WG_TX_DROPPED, count);
	}
	while (Packet *head = too_many.pop())
		free_chain(head);
}

/* Appends a batch. What waits for a session holds nothing of its senders, and there is little of it. */
void stage(Peer &peer, Packet &head)
{
	u32 most;
	{
		SpinGuard guard(peer.tx_lock);

		most = peer.staged_waits ? MAX_STAGED_PACKETS : MAX_QUEUED_PACKETS;
		if (peer.staged_waits)
			orphan_chain(head);
		peer.staged.push(head);
		count_staged(peer, batch_of(head).count, 0);
	}
	if (peer.staged_packets.load_relaxed() > most)
		drop_oldest(peer, most, most == MAX_STAGED_PACKETS ? Drop::StagedFull : Drop::QueueFull);
}

/* No session may send what is staged: a handshake has to come first. */
void let_wait(Peer &peer)
{
	{
		SpinGuard guard(peer.tx_lock);

		for (Packet *head = peer.staged_waits ? nullptr : peer.staged.first(); head; head = peer.staged.next(*head))
			orphan_chain(*head);
		peer.staged_waits = true;
	}
	drop_oldest(peer, MAX_STAGED_PACKETS, Drop::StagedFull);
	request_initiation(peer, false);
}

/* Takes what is staged, as much as one round may send, and gives it its counters. @more: as much or more is left. False: what is left may not
 * be sent by the current session. The drainer. */
bool take_staged(Peer &peer, u32 at_once, Run &run, bool &more)
{
	Session *session = peer.keyring.current();
	Instant at = now();
	u32 packets = 0, bytes = 0;
	SpinGuard guard(peer.tx_lock);

	more = false;
	while (Packet *head = peer.staged.first()) {
		Batch &batch = batch_of(*head);

		more = packets >= at_once || bytes >= ROUND_BYTES;
		if (more || peer.tx.is_full(packets, bytes))	/* all that is taken may have to go there, each packet as a batch */
			return true;
		if (!session || !session->keypair.can_send(batch.count, at) || !session->references.try_get())
			return false;
		peer.staged.pop();
		peer.staged_waits = false;
		count_staged(peer, 0, batch.count);
		batch.session = session;
		batch.counter = session->keypair.sending_counter;
		batch.progress = Progress::LeftToDrainer;
		session->keypair.sending_counter += batch.count;
		packets += batch.count;
		bytes += batch.bytes;
		run.push(*head);
	}
	return true;
}

/* What has to be sealed and sent now, in order; empty when workers are at what comes first. @more: there is more than that. The drainer. */
Run next_run(Peer &peer, bool &more)
{
	const Poller &poller = peer.pollers.read()->tx;
	Run run, ready;
	bool lags;

	if (!take_staged(peer, poller.at_once(), run, more))
		let_wait(peer);
	peer.tx_lag = more ? peer.tx_lag + 1 : 0;
	lags = peer.tx_lag > MAX_LAG && poller.is_away();
	if (peer.tx.is_empty() && !lags)
		return run;
	while (Packet *head = run.pop())
		if (peer.tx.leave(*head, lags ? 0 : MAX_LEFT_BATCHES) == OrderedQueue::Pushed::Behind)
			hand_over(peer.device, *head);
	more |= peer.tx.take(ready, poller.at_once()) >= poller.at_once();
	return ready;
}

/* Sends @messages to where @peer is; they are gone in any case. RCU, bottom halves off. Drop::NoEndpoint, SendFailed. */
Outcome<void> send_to(Peer &peer, Packet &messages, u8 traffic_class, wg_source_rule rule)
{
	auto route = find_route(peer, rule);

	if (!route) {
		free_chain(&messages);
		return route.error();
	}
	wg_kernel_send(&peer.device.netdev, &messages, &*route, traffic_class);
	return Outcome<void>::success();
}

/* Sealed messages that may leave as one: of one class, and as deep in other tunnels. */
struct Outgoing {
	Packet *first = nullptr, *last = nullptr;
	u64 bytes = 0;
	u32 count = 0;
	u8 traffic_class = 0, nesting = 0;
	bool payload = false;
};

void send_outgoing(Peer &peer, Outgoing &outgoing)
{
	u32 *nesting = wg_kernel_nesting(), outside = *nesting;

	if (!outgoing.count)
		return;
	next_of(*outgoing.last) = nullptr;
	on_data_sent(peer, outgoing.payload);
	*nesting = outgoing.nesting + 1u;
	auto sent = send_to(peer, *outgoing.first, outgoing.traffic_class, WG_SOURCE_LOCAL);
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
		(outgoing.first ? next_of(*outgoing.last) : outgoing.first) = packet;
		outgoing.last = packet;
		outgoing.bytes += length_of(*packet);
		outgoing.payload |= length_of(*packet) > MIN_DATA_MESSAGE;
		outgoing.count++;
	}
	return lost;
}

/* Lets sealed batches leave. */
void send_run(Peer &peer, Run &run)
{
	Outgoing outgoing;
	Session *session = nullptr;
	u32 lost = 0;

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

/* The drainer's work, bounded: seals and sends what one call of the AEAD may take. True: there is more. */
bool send_round(Peer &peer)
{
	return peer.pollers.read()->tx.measure([&] {
		bool more;
		Run run = next_run(peer, more);

		if (!run.empty()) {
			crypt_run(run);
			send_run(peer, run);
			peer.tx_backlog = wg_kernel_backlog();
		}
		return more;
	});
}

/* Sends at once where nothing is before us, else leaves it to the poller. */
void send_or_leave(Peer &peer)
{
	Pollers *pollers = peer.pollers.read();

	if (!pollers)
		return let_wait(peer);		/* it never had a session, and the first one will ask what waits */
	if (*wg_kernel_nesting() != 0 || pollers->tx.is_away())
		return pollers->tx.schedule();
	if (!pollers->tx.claim())
		return;
	if (!wg_kernel_backlog_passed(peer.tx_backlog))
		pollers->tx.run_on(peer.tx_backlog.cpu);
	else if (send_round(peer))
		pollers->tx.run();
	else
		pollers->tx.release();
}

} // namespace

int transmit(Device &device, Packet &packet)
{
	RcuSection rcu;
	int error = 0;
	u32 mtu = 0;
	u8 traffic_class = 0;
	Packet *head;

	auto routed = route(device, packet, traffic_class);
	if (!routed)
		return refuse(device, packet, routed.error());
	Peer &peer = **routed;
	head = wg_kernel_packet_segment(&packet, &device.netdev, &mtu, &error);
	if (!head) {
		drop(peer, error == -WG_ENOMEM ? Drop::NoMemory : Drop::NotSegmentable);
		wg_kernel_count(&device.netdev, WG_TX_DROPPED, 1);
		return error;
	}
	describe(*head, mtu, traffic_class, static_cast<u8>(*wg_kernel_nesting()));
	stage(peer, *head);
	send_or_leave(peer);
	return 0;
}

void send_staged(Peer &peer)
{
	BottomHalvesOff off;

	if (Pollers *pollers = peer.pollers.read())
		pollers->tx.schedule();
	else if (peer.staged_packets.load_relaxed() != 0)
		let_wait(peer);
}

void send_keepalive(Peer &peer)
{
	if (peer.staged_packets.load_relaxed() == 0) {
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
	drop_oldest(peer, 0, reason);
}

int poll_transmit(Peer &peer, int budget)
{
	RcuSection rcu;

	return !wg_kernel_backlog_passed(peer.tx_backlog) || send_round(peer) ? budget : 0;
}

/* A peer without an endpoint is no error here: its retries would count for ever. */
void send_message(Peer &peer, ConstByteSpan message, wg_source_rule rule)
{
	RcuSection rcu;
	BottomHalvesOff off;
	Packet *packet = wg_kernel_packet_create(message.data(), static_cast<u32>(message.size()));

	if (!packet)
		return drop(peer, Drop::NoMemory);
	auto sent = send_to(peer, *packet, HANDSHAKE_TRAFFIC_CLASS, rule);
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
	wg_route route;
	Packet *packet = wg_kernel_packet_create(message.data(), static_cast<u32>(message.size()));

	if (!packet)
		return;
	wg_kernel_packet_source(&received, &endpoint);
	if (sockets && wg_kernel_route(sockets, &endpoint, WG_SOURCE_LOCAL, device.mark.load_relaxed(), nullptr, &route) == 0)
		wg_kernel_send(&device.netdev, packet, &route, HANDSHAKE_TRAFFIC_CLASS);
	else
		wg_kernel_packet_free(packet);
}

} // namespace wg::engine
