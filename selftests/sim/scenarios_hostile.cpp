// SPDX-License-Identifier: GPL-2.0
/* Roaming, attackers, load, and a random generator that is not ready. */
#include "scenario.h"
#include "packet.h"
#include "protocol/cookie.h"
#include "protocol/handshake.h"
#include "../unit/primitives.h"
#include <algorithm>
#include <cstring>

using namespace sim;

namespace {

wg_endpoint stranger(u32 number)
{
	wg_endpoint endpoint{};
	const u8 address[4] = {203, static_cast<u8>(number >> 16), static_cast<u8>(number >> 8), static_cast<u8>(number)};

	endpoint.family = 4;
	endpoint.port = static_cast<u16>(1000 + number % 60000);
	memcpy(endpoint.address, address, 4);
	return endpoint;
}

const std::vector<u8> &endpoint_shown(const Shown &shown, const Key &key)
{
	const ShownPeer *peer = shown.peer(key);

	if (!peer || !peer->endpoint)
		fail("the peer, or its endpoint, is not shown");
	return *peer->endpoint;
}

} // namespace

SCENARIO(peer_that_moved_is_answered_at_its_new_address, 2)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	for (int round = 0; round < 5; round++) {
		u32 mover = static_cast<u32>(world.random.below(2));

		world.host(mover).generation++;
		world.run_for(world.random.between(0, 15) * SECOND);
		world.send(mover, 1 - mover);
		world.run_for(SECOND);
		EXPECT(endpoint_shown(world.dump(1 - mover), world.host(mover).public_key) == sockaddr_of(world.endpoint_of(mover)));
		world.expect_traffic(0, 1, SECOND);
	}
}

SCENARIO(peer_roams_between_ipv4_and_ipv6, 5)
{
	World world(seed, STEADY);
	Request request;

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	for (u8 family : {u8{6}, u8{4}, u8{6}}) {
		request.peers = {world.peer_entry(0, 1)};
		request.peers[0].endpoint = sockaddr_of(world.endpoint_of(1, family));
		EXPECT(world.configure(0, request) == 0);
		world.send(0, 1);
		world.run_for(SECOND);
		EXPECT(endpoint_shown(world.dump(1), world.host(0).public_key) == sockaddr_of(world.endpoint_of(0, family)));
		world.expect_traffic(0, 1, SECOND);
	}
}

SCENARIO(persistent_keepalive_keeps_a_host_behind_nat_reachable, 5)
{
	World world(seed, STEADY);
	Request request;

	world.host(0).behind_nat = true;
	world.introduce(0, 1);
	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].persistent_keepalive = 20;
	EXPECT(world.configure(0, request) == 0);
	world.run_for(2 * SECOND);
	for (int round = 0; round < 6; round++) {
		world.host(0).nat_generation++;		/* the mapping is another; what goes to the old one is lost */
		world.run_for(21 * SECOND);
		u64 before = world.flow(1, 0).received;
		world.send(1, 0);
		world.run_for(SECOND);
		EXPECT(world.flow(1, 0).received == before + 1);
	}
}

SCENARIO(both_hosts_move_at_once_and_a_third_knows_both, 10)
{
	World world(seed, {.hosts = 3, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});

	world.meet();
	world.expect_traffic(0, 2, 2 * SECOND);
	world.expect_traffic(1, 2, 2 * SECOND);
	world.host(0).generation++;
	world.host(1).generation += 2;
	world.send(0, 2);
	world.send(1, 2);
	world.run_for(SECOND);
	world.expect_traffic(0, 2, SECOND);
	world.expect_traffic(1, 2, SECOND);
}

SCENARIO(source_address_that_is_gone_is_not_used_any_more, 5)
{
	World world(seed, STEADY);
	Shown shown;

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	world.host(1).generation++;	/* its sticky source is no local address now */
	world.send(1, 0);
	world.run_for(SECOND);
	EXPECT(world.flow(1, 0).received == world.flow(1, 0).sent);
	EXPECT(endpoint_shown(world.dump(0), world.host(1).public_key) == sockaddr_of(world.endpoint_of(1)));
}

SCENARIO(replayed_forged_and_old_messages_change_nothing_and_get_no_answer, 2)
{
	World world(seed, STEADY);

	world.keep_bytes = true;
	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	for (int i = 0; i < 10; i++)
		world.send(0, 1);
	world.run_for(30 * SECOND);
	std::vector<std::vector<u8>> all = world.bytes;
	Shown before = world.dump(1);
	u64 received = world.flow(0, 1).received;
	size_t sent = world.log.size();

	for (u32 i = 0; i < 200; i++) {
		std::vector<u8> message = all[world.random.below(all.size())];

		switch (world.random.below(5)) {
		case 0:		/* as it was, from elsewhere */
			break;
		case 1:		/* a bit turned */
			message[world.random.below(message.size())] ^= static_cast<u8>(1u << world.random.below(8));
			break;
		case 2:		/* cut or drawn out */
			message.resize(world.random.between(1, 200));
			break;
		case 3:		/* noise under a right type */
			for (size_t at = 4; at < message.size(); at++)
				message[at] = static_cast<u8>(world.random.next());
			break;
		case 4:		/* a right mac1 */
			message = forged_initiation(world.random, world.host(1).public_key, world.random.chance(500) ? INITIATION : RESPONSE);
			break;
		}
		world.inject(1, message, stranger(i));
		if (world.random.chance(100))
			world.run_for(100 * MILLISECOND);
	}
	world.run_for(5 * SECOND);
	Shown after = world.dump(1);
	EXPECT(world.log.size() == sent);
	EXPECT(before == after);
	EXPECT(before.peers[0].rx_bytes == after.peers[0].rx_bytes && before.peers[0].tx_bytes == after.peers[0].tx_bytes);
	EXPECT(world.flow(0, 1).received == received);
	EXPECT(world.kernel.live_packets == 0);
	world.expect_traffic(0, 1, 2 * SECOND);
}

SCENARIO(message_with_a_wrong_mac1_costs_no_x25519, 20)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	u64 calls = world.kernel.x25519_calls;
	for (u32 i = 0; i < 100; i++) {
		std::vector<u8> message = forged_initiation(world.random, world.host(1).public_key, i % 2 ? INITIATION : RESPONSE);

		message[world.random.between(4, static_cast<i64>(message.size()) - 17)] ^= 1;
		world.inject(1, message, stranger(i));
	}
	world.run_for(SECOND);
	EXPECT(world.kernel.x25519_calls == calls);
	EXPECT(world.drops(1, "bad-mac1") == 100);
	world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(1));
	world.run_for(SECOND);
	EXPECT(world.kernel.x25519_calls > calls);
}

SCENARIO(initiation_replayed_after_the_session_is_gone_gets_no_answer, 10)
{
	World world(seed, STEADY);

	world.keep_bytes = true;
	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	std::vector<u8> initiation;
	for (size_t i = 0; i < world.log.size(); i++)
		if (world.log[i].kind == INITIATION && world.log[i].from == 0)
			initiation = world.bytes[i];
	if (initiation.empty())
		return;
	world.run_for(800 * SECOND);
	size_t sent = world.log.size();
	world.inject(1, initiation, stranger(1));
	world.run_for(SECOND);
	EXPECT(world.log.size() == sent);
	EXPECT(world.drops(1, "old-timestamp") >= 1);
}

SCENARIO(inner_source_of_another_peer_is_dropped, 10)
{
	World world(seed, {.hosts = 3, .ordered = true, .turn = nullptr});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	u64 before = world.host(1).netdev.count[WG_RX_FRAME_ERROR];
	u64 dropped = world.drops(1, "wrong-source");
	world.send_raw(0, world.inner_packet(2, 1, 0, 64, 4), 0x0800);	/* host 0 says it is host 2 */
	world.run_for(SECOND);
	EXPECT(world.flow(2, 1).received == 0);
	EXPECT(world.drops(1, "wrong-source") == dropped + 1);
	EXPECT(world.host(1).netdev.count[WG_RX_FRAME_ERROR] == before + 1);
}

/* As one for segmentation says, when it is too long for IPv4 to tell. */
SCENARIO(packet_whose_header_tells_no_length_is_sent_and_not_received, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	u64 dropped = world.drops(1, "bad-length");
	std::vector<u8> inner = world.inner_packet(0, 1, 0, 64, 4);
	inner[2] = inner[3] = 0;
	world.send_raw(0, inner, 0x0800);
	world.run_for(100 * MILLISECOND);
	EXPECT(world.host(0).last_transmit_error == 0);
	EXPECT(world.drops(1, "bad-length") == dropped + 1);
}

SCENARIO(packet_without_peer_endpoint_or_ip_is_refused_with_its_errno, 10)
{
	World world(seed, STEADY);
	Request request;

	world.meet();
	world.send_raw(0, world.inner_packet(0, 77, 0, 64, 4), 0x0800);
	world.run_for(100 * MILLISECOND);
	EXPECT(world.host(0).last_transmit_error == -126);	/* ENOKEY */
	EXPECT(world.host(0).netdev.unreachable == 1);
	world.send_raw(0, std::vector<u8>(60, 0x11), 0x0800);
	world.run_for(100 * MILLISECOND);
	EXPECT(world.host(0).last_transmit_error == -93);	/* EPROTONOSUPPORT */
	world.send_raw(0, world.inner_packet(0, 1, 0, 64, 4), 0);	/* AF_PACKET with protocol 0 */
	world.run_for(100 * MILLISECOND);
	EXPECT(world.host(0).last_transmit_error == -93);
	EXPECT(world.host(0).netdev.unreachable == 1);	/* no ICMP for what is not IP */
	request.peers.push_back(world.peer_entry(0, 1, false));
	request.flags = WGDEVICE_F_REPLACE_PEERS;
	EXPECT(world.configure(0, request) == 0);
	world.send_raw(0, world.inner_packet(0, 1, 0, 64, 4), 0x0800);
	world.run_for(100 * MILLISECOND);
	EXPECT(world.host(0).last_transmit_error == -89);	/* EDESTADDRREQ */
	EXPECT(world.host(0).netdev.unreachable == 2);
	EXPECT(world.log.empty());
}

/* A packet that comes out of one of our devices while others are sending is left to the poller, whose stack is its own; beyond the
 * eighth it is a routing loop. */
SCENARIO(tunnels_in_tunnels_end_at_the_eighth, 20)
{
	World world(seed, STEADY);
	wg_device *device;
	u64 received;

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	device = world.host(0).device;
	received = world.flow(0, 1).received;
	for (u32 depth = 0; depth < 10; depth++) {
		u64 number = depth < 8 ? world.flow(0, 1).sent++ : 0;
		std::vector<u8> inner = world.inner_packet(0, 1, number, 64, 4);
		int error = 1;
		u32 sent = 0;

		world.kernel.run_without_rtnl(world.host(0).domain, "nested transmit", [&] {
			Fiber &fiber = *world.kernel.current;

			world.kernel.bottom_half_off(fiber);
			*wg_kernel_nesting() = depth;
			error = wg_engine_transmit(device, make_inner_packet({inner}, inner, 0x0800));
			*wg_kernel_nesting() = 0;
			sent = fiber.sent;
			world.kernel.bottom_half_on(fiber);
		});
		EXPECT(error == (depth < 8 ? 0 : -40));		/* ELOOP */
		EXPECT(depth == 0 || sent == 0);
		world.run_for(SECOND);
	}
	EXPECT(world.flow(0, 1).received == received + 8);
	EXPECT(world.drops(0, "too-deep") == 2);
}

SCENARIO(flood_of_forged_initiations_leaves_sessions_and_memory_alone, 50)
{
	World world(seed, {.hosts = 3, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.kernel.most_live_packets = world.kernel.live_packets;
	world.kernel.most_allocated_bytes = world.kernel.allocated_bytes;
	u64 bytes = world.kernel.allocated_bytes;
	size_t from = world.log.size();
	u64 received = world.flow(0, 1).received, sent = world.flow(0, 1).sent;
	for (u32 burst = 0; burst < 4; burst++) {
		for (u32 i = 0; i < 1500; i++)
			world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(burst * 1500 + i));
		world.send(0, 1);
		world.send(1, 0);
		world.run_for(20 * MILLISECOND);
	}
	world.run_for(200 * MILLISECOND);
	EXPECT(world.flow(0, 1).received - received == world.flow(0, 1).sent - sent);
	EXPECT(world.kernel.most_live_packets <= 4096 + 1600);
	EXPECT(world.kernel.most_allocated_bytes - bytes < 65536);
	for (size_t i = from; i < world.log.size(); i++)
		EXPECT(world.log[i].from != 1 || world.log[i].kind == COOKIE || world.log[i].kind == DATA);
	EXPECT(world.count(COOKIE, 1) > 100);
	world.run_for(2 * SECOND);
	world.expect_traffic(2, 1, 12 * SECOND);
}

SCENARIO(queue_of_handshakes_holds_4096_and_no_more, 50)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				   knobs.stall = 0;
				   knobs.cpus = 4;
				   knobs.preempt = 100;
			   }});

	world.meet();
	for (u32 cpu = 0; cpu < world.kernel.knobs.cpus; cpu++)
		world.kernel.held_up[{WG_WORKER_HANDSHAKE, cpu}] = world.time() + SECOND;
	for (u32 i = 0; i < 5000; i++)
		world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(i));
	world.run_for(500 * MILLISECOND);
	u64 waiting = world.kernel.live_packets;
	EXPECT(waiting > 2048 && waiting <= 4096);	/* above half of it who finds the lock taken gives up */
	EXPECT(world.drops(1, "handshake-queue-full") == 5000 - waiting);
	for (u32 i = 0; i < 2100; i++) {
		world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(i));
		world.run_for(20 * MICROSECOND);	/* alone: it gets the lock */
	}
	world.run_for(MILLISECOND);
	EXPECT(world.kernel.live_packets == 4096);
	EXPECT(world.drops(1, "handshake-queue-full") == 7100 - 4096);
	world.run_for(3 * SECOND);
	EXPECT(world.kernel.live_packets == 0);
	world.expect_traffic(0, 1, 12 * SECOND);
}

SCENARIO(under_load_a_peer_gets_in_by_a_cookie, 50)
{
	std::function<void()> flood;	/* outlives the world's events */
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});
	bool with_mac2 = false;

	world.keep_bytes = true;
	world.meet();
	i64 until = world.time() + 8 * SECOND;
	/* Just enough that the queue stays above 512 each time the peer comes by. */
	flood = [&] {
		for (u32 i = 0; i < 700; i++)
			world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(static_cast<u32>(world.random.below(1 << 22))));
		if (world.time() < until)
			world.kernel.at(world.time() + 700 * MILLISECOND, flood);
	};
	flood();
	world.run_for(20 * MILLISECOND);
	world.send(0, 1);
	world.run_for(7 * SECOND);
	EXPECT(world.flow(0, 1).received == 1);
	u64 cookies = 0;
	for (size_t i = 0; i < world.log.size(); i++) {
		static const u8 NONE[16] = {};

		cookies += world.log[i].kind == COOKIE && world.log[i].to == 0;
		if (world.log[i].kind == INITIATION && world.log[i].from == 0)
			with_mac2 |= memcmp(&world.bytes[i][132], NONE, 16) != 0;
	}
	EXPECT(cookies >= 1 && with_mac2);
}

/* A peer of the host's that says inside of its messages what no engine would. */
struct HandMadePeer {
	wg::LocalIdentity local;
	wg::RemoteIdentity remote;
	wg::TransportKeys keys;
	wg::InitiatorState state;
	u32 their_index = 0;
	u64 counter = 0;
	static constexpr u32 INDEX() { return 0x12345678; }

	/* Says it is who has @private_key; proves it with @proof, which should be the same. */
	void call(World &world, u32 host, const Key &private_key, const Key &proof, const wg_endpoint &from)
	{
		const auto &library = wg::test::primitives();
		wg::LocalIdentity prover;
		wg::PublicKey public_key;
		wg::Secret<32> ephemeral;
		wg::InitiationMessage initiation;
		wg::CookieMaker maker;

		memcpy(public_key.data(), world.host(host).public_key.data(), 32);
		local.set_private_key(library, private_key.data());
		remote.set_public_key(library, public_key);
		prover.set_private_key(library, proof.data());
		EXPECT(remote.precompute(library, prover));
		world.random.fill(ephemeral.expose(), 32);
		EXPECT(create_initiation(library, local, remote, ephemeral, wg::tai64n(1000, 0), wg::SessionIndex(INDEX()), state, initiation));
		u8 *bytes = reinterpret_cast<u8 *>(&initiation);
		maker.add_macs(library, remote.cookie_keys(), {bytes, sizeof(initiation)}, {1});
		world.inject(host, std::vector<u8>(bytes, bytes + sizeof(initiation)), from);
		world.run_for(SECOND);
	}
	void shake_hands(World &world, u32 host, const Key &private_key, const wg_endpoint &from)
	{
		wg::ResponseMessage response;

		call(world, host, private_key, private_key, from);
		EXPECT(world.log.back().kind == RESPONSE && world.log.back().receiver_index == INDEX());
		memcpy(static_cast<void *>(&response), world.bytes.back().data(), sizeof(response));
		EXPECT(consume_response(wg::test::primitives(), local, remote, state, response, keys));
		their_index = response.sender_index.get();
	}
	std::vector<u8> data(const std::vector<u8> &inner)
	{
		std::vector<u8> message(16 + inner.size() + 16);
		wg::DataHeader header;

		header.type = 4;
		header.receiver_index = their_index;
		header.counter = counter;
		memcpy(message.data(), &header, sizeof(header));
		wg::test::primitives().aead_seal(&message[16], inner.data(), inner.size(), nullptr, 0, counter++, keys.sending.expose());
		return message;
	}
};

SCENARIO(peer_that_sends_rubbish_inside_is_dropped_with_the_reason, 10)
{
	World world(seed, STEADY);
	const wg_endpoint from = stranger(1);
	Request request;
	PeerRequest entry;
	Key private_key;
	HandMadePeer peer;
	std::vector<u8> right(60), cut(right), longer(right), shorter(right), other(60, 0x11);

	make_keys(world.random, private_key, entry.public_key);
	entry.allowed_ips.push_back({2, {10, 99, 0, 1}, 32, {}});
	request.peers.push_back(entry);
	world.keep_bytes = true;
	world.meet();
	EXPECT(world.configure(1, request) == 0);
	peer.shake_hands(world, 1, private_key, from);

	right[0] = 0x45;
	right[3] = 60;
	longer = shorter = cut = right;
	longer[3] = 61;		/* more than there is */
	shorter[3] = 19;	/* less than a header */
	cut.resize(19);
	auto says = [&](const std::vector<u8> &inner, const char *reason, wg_statistic statistic) {
		u64 dropped = world.drops(1, reason), counted = world.host(1).netdev.count[statistic];

		world.inject(1, peer.data(inner), from);
		world.run_for(10 * MILLISECOND);
		EXPECT(world.drops(1, reason) == dropped + 1);
		EXPECT(world.host(1).netdev.count[statistic] == counted + 1);
	};
	says(longer, "bad-length", WG_RX_LENGTH_ERROR);
	says(shorter, "bad-length", WG_RX_LENGTH_ERROR);
	says(cut, "bad-length", WG_RX_LENGTH_ERROR);
	says(other, "not-ip", WG_RX_FRAME_ERROR);
	says(right, "wrong-source", WG_RX_FRAME_ERROR);
	world.run_for(180 * SECOND);
	says(right, "expired-key", WG_RX_DROPPED);
}

SCENARIO(who_claims_another_s_key_gets_no_answer, 20)
{
	World world(seed, STEADY);
	Request request;
	PeerRequest entry;
	Key theirs, mine, my_public_key;
	HandMadePeer liar;

	make_keys(world.random, theirs, entry.public_key);
	make_keys(world.random, mine, my_public_key);
	request.peers.push_back(entry);
	world.meet();
	EXPECT(world.configure(1, request) == 0);
	liar.call(world, 1, theirs, mine, stranger(1));
	EXPECT(world.log.empty() && world.drops(1, "bad-handshake") == 1);
	EXPECT(!world.dump(1).peer(entry.public_key)->endpoint);
}

SCENARIO(cookie_reply_nobody_waits_for_is_dropped, 20)
{
	World world(seed, STEADY);
	std::vector<u8> reply(64);

	world.meet();
	world.random.fill(reply.data(), reply.size());
	const u32 kind = COOKIE;
	memcpy(reply.data(), &kind, 4);
	world.inject(1, reply, world.endpoint_of(0));
	world.run_for(SECOND);
	EXPECT(world.log.empty() && world.drops(1, "unknown-index") == 1);
}

/* The cookie in @reply, which answers @message to the owner of @public_key. */
static std::vector<u8> opened_cookie(const std::vector<u8> &reply, const std::vector<u8> &message, const Key &public_key)
{
	const auto &library = wg::test::primitives();
	std::vector<u8> cookie(16);
	u8 key[32];

	library.blake2s(key, 32, nullptr, 0, reinterpret_cast<const u8 *>("cookie--"), 8, public_key.data(), 32);
	EXPECT(library.xaead_open(cookie.data(), &reply[32], 32, &message[message.size() - 32], 16, &reply[8], key));
	return cookie;
}

/* A cookie proves an address, and buys no more than that address's share of our X25519. */
SCENARIO(under_load_a_source_gets_no_more_than_its_share, 50)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});
	const Key &key = world.host(1).public_key;
	const wg_endpoint source = stranger(1 << 20);
	std::vector<u8> first = forged_initiation(world.random, key), reply;
	u32 index;

	auto flood = [&] {
		for (u32 i = 0; i < 1500; i++)
			world.inject(1, forged_initiation(world.random, key), stranger(i));
	};
	memcpy(&index, &first[4], 4);
	world.keep_bytes = true;
	world.meet();
	flood();
	world.inject(1, first, source);
	world.run_for(100 * MILLISECOND);
	for (size_t i = 0; i < world.log.size(); i++)
		if (world.log[i].kind == COOKIE && world.log[i].receiver_index == index)
			reply = world.bytes[i];
	EXPECT(!reply.empty());
	std::vector<u8> cookie = opened_cookie(reply, first, key);
	u64 calls = world.kernel.x25519_calls;
	flood();
	for (u32 i = 0; i < 40; i++) {
		std::vector<u8> message = forged_initiation(world.random, key);

		wg::test::primitives().blake2s(&message[132], 16, cookie.data(), 16, message.data(), 132, nullptr, 0);
		world.inject(1, message, source);
	}
	world.run_for(100 * MILLISECOND);
	calls = world.kernel.x25519_calls - calls;
	EXPECT(calls >= 5 && calls <= 5 + 20 / 10);	/* the burst, and what comes back in a tenth of a second */
	EXPECT(world.drops(1, "rate-limited") == 40 - calls);
}

/* Who is under load asks for a cookie of who answers it, too. */
SCENARIO(under_load_an_answer_gets_in_by_a_cookie, 50)
{
	std::function<void()> flood;	/* outlives the world's events */
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});
	bool with_mac2 = false;

	world.keep_bytes = true;
	world.meet();
	i64 until = world.time() + 8 * SECOND;
	flood = [&] {
		for (u32 i = 0; i < 700; i++)
			world.inject(0, forged_initiation(world.random, world.host(0).public_key), stranger(static_cast<u32>(world.random.below(1 << 22))));
		if (world.time() < until)
			world.kernel.at(world.time() + 700 * MILLISECOND, flood);
	};
	flood();
	world.run_for(20 * MILLISECOND);
	world.send(0, 1);
	world.run_for(7 * SECOND);
	EXPECT(world.flow(0, 1).received == 1);
	u64 cookies = 0;
	for (size_t i = 0; i < world.log.size(); i++) {
		static const u8 NONE[16] = {};

		cookies += world.log[i].kind == COOKIE && world.log[i].to == 1;
		if (world.log[i].kind == RESPONSE && world.log[i].from == 1)
			with_mac2 |= memcmp(&world.bytes[i][76], NONE, 16) != 0;
	}
	EXPECT(cookies >= 1 && with_mac2);
}

SCENARIO(cookie_reply_does_not_move_the_endpoint, 50)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});
	std::vector<u8> reply;

	world.keep_bytes = true;
	world.meet();
	world.passes = [](const Sent &sent) { return sent.kind != COOKIE; };
	for (u32 i = 0; i < 700; i++)
		world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(i));
	world.run_for(2 * MILLISECOND);
	world.send(0, 1);
	world.run_for(SECOND);
	for (size_t i = 0; i < world.log.size(); i++)
		if (world.log[i].kind == COOKIE && world.log[i].to == 0)
			reply = world.bytes[i];
	if (reply.empty())
		return;		/* the worker had drained the queue before the initiation came */
	world.inject(0, reply, stranger(9));
	world.run_for(SECOND);
	EXPECT(endpoint_shown(world.dump(0), world.host(1).public_key) == sockaddr_of(world.endpoint_of(1)));
	u64 dropped = world.drops(0, "unexpected-cookie");
	world.inject(0, reply, stranger(9));	/* once only */
	world.run_for(SECOND);
	EXPECT(world.drops(0, "unexpected-cookie") + world.drops(0, "unknown-index") >= dropped + 1);
}

SCENARIO(no_handshake_before_the_random_generator_is_ready, 5)
{
	World world(seed, STEADY);
	u32 late = static_cast<u32>(world.random.below(2));

	world.host(late).domain.random_is_ready = false;
	world.meet();
	world.send(0, 1);
	/* Cookies want randomness too, and this many messages are a load. */
	for (u32 i = 0; i < 1500; i++)
		world.inject(late, forged_initiation(world.random, world.host(late).public_key, i % 2 ? RESPONSE : INITIATION), stranger(i));
	world.run_for(world.random.between(1, 30) * SECOND);
	for (const Sent &sent : world.log)
		EXPECT(sent.from != late);
	EXPECT(world.flow(0, 1).received == 0);
	/* What waits needs no further packet to start. */
	world.host(late).domain.random_is_ready = true;
	world.run_for(6 * SECOND);
	EXPECT(world.flow(0, 1).received == 1);
}

SCENARIO(host_without_a_key_drops_handshakes, 20)
{
	World world(seed, STEADY);
	Request no_key;

	world.meet();
	no_key.private_key = Key(32);
	EXPECT(world.configure(1, no_key) == 0);
	world.inject(1, forged_initiation(world.random, world.host(1).public_key), stranger(1));
	world.run_for(SECOND);
	EXPECT(world.log.empty() && world.drops(1, "no-identity") == 1);
}

SCENARIO(low_order_public_key_sends_nothing, 20)
{
	World world(seed, STEADY);
	Request request = world.base_request(0);

	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].public_key = Key(32);	/* the point of order one, and others like it */
	if (world.random.chance(500))
		request.peers[0].public_key[0] = 1;
	EXPECT(world.configure(0, request) == 0);
	EXPECT(world.up(0) == 0);
	world.send(0, 1);
	world.run_for(200 * SECOND);
	EXPECT(world.log.empty());
}

SCENARIO(ecn_is_copied_and_dscp_is_not, 20)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	for (u32 traffic_class : {0u, 1u, 2u, 3u, 0xb8u, 0xbau}) {
		size_t from = world.log.size();

		world.send(0, 1, 64, world.random.chance(500) ? 6 : 4, 1, static_cast<u8>(traffic_class));
		world.run_for(100 * MILLISECOND);
		EXPECT(world.log.size() == from + 1 && world.log[from].traffic_class == (traffic_class & 3));
	}
}

SCENARIO(byte_counters_of_peer_and_device_agree, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.send(0, 1);
	world.run_for(SECOND);		/* if both sides called at once, one of the responses would be nobody's any more, and not counted */
	world.stream(0, 1, 100 * MILLISECOND, world.time() + 20 * SECOND);
	world.stream(1, 0, 300 * MILLISECOND, world.time() + 20 * SECOND);
	world.run_for(25 * SECOND);
	for (u32 id : {0u, 1u}) {
		Shown shown = world.dump(id);
		wg_netdev &netdev = world.host(id).netdev;

		EXPECT(shown.peers[0].tx_bytes == netdev.tx_bytes);
		EXPECT(shown.peers[0].rx_bytes == netdev.rx_bytes);
		EXPECT(netdev.tx_bytes == world.host(1 - id).netdev.rx_bytes);
	}
}

SCENARIO(ten_pings_give_the_known_byte_counts, 20)
{
	World world(seed, STEADY);

	world.meet();
	for (int i = 0; i < 10; i++) {
		world.send(0, 1, 64);	/* 84 bytes: a ping of 56 */
		world.run_for(100 * MILLISECOND);
		world.send(1, 0, 64);
		world.run_for(100 * MILLISECOND);
	}
	wg_netdev &a = world.host(0).netdev, &b = world.host(1).netdev;
	EXPECT(a.tx_bytes == 1428 || a.tx_bytes == 1460);
	EXPECT(a.rx_bytes == 1372 && b.tx_bytes == 1372 && b.rx_bytes == a.tx_bytes);
}
