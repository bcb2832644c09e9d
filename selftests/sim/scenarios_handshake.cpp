// SPDX-License-Identifier: GPL-2.0
/* Handshakes that meet: crossed ones, late ones, ones that somebody else's made unnecessary; and what waits for a handshake that cannot start. */
#include "scenario.h"
#include <memory>

using namespace sim;

namespace {

/* Makes host @id behave as deployed peers do: it has one handshake state, so when it answers an initiation it forgets its own, and the
 * answer to that finds nobody. */
void be_deployed(World &world, u32 id)
{
	auto own = std::make_shared<std::vector<u32>>();	/* sender indices that still wait */

	world.passes = [own, id](const Sent &sent) {
		if (sent.from == id && sent.kind == INITIATION)
			*own = {sent.sender_index};
		if (sent.from == id && sent.kind == RESPONSE)
			own->clear();
		return sent.from == id || sent.kind != RESPONSE || (!own->empty() && (*own)[0] == sent.receiver_index);
	};
}

void expect_nothing_lost(World &world)
{
	for (u8 version : {u8{4}, u8{6}})
		for (u32 from : {0u, 1u}) {
			Flow &it = world.flow(from, 1 - from, version);

			if (it.received != it.sent)
				fail("%llu of %llu packets from host %u were lost", static_cast<unsigned long long>(it.sent - it.received),
				     static_cast<unsigned long long>(it.sent), from);
		}
}

/* Both want a new key at the same moment, again and again, while both send: nothing is lost, nothing waits for REKEY_TIMEOUT, and one
 * session results, which one side alone renews. */
void cross(World &world)
{
	static const i64 DELAYS[] = {0, 2, 10, 20, 50, 100};

	world.weather.delay_least = world.weather.delay_most = DELAYS[world.random.below(6)] * MILLISECOND;
	world.meet();
	for (int round = 0; round < 3; round++) {
		for (u32 id : {0u, 1u})
			world.kernel.run_process(world.host(id).domain, "expire", [&] { wg_engine_device_expire_sending(world.host(id).device); });
		i64 began = world.time();
		for (u32 id : {0u, 1u})
			world.stream(id, 1 - id, 5 * MILLISECOND, began + SECOND);
		world.run_for(2 * SECOND);
		expect_nothing_lost(world);
		EXPECT(world.count(INITIATION, 0, began) <= 1 && world.count(INITIATION, 1, began) <= 1);
		world.run_for(world.random.between(6, 100) * SECOND);
	}
	/* To the end of its life and a second life: it is renewed once, by one. */
	i64 began = world.time();
	world.stream(0, 1, 100 * MILLISECOND, began + 140 * SECOND);
	world.stream(1, 0, 100 * MILLISECOND, began + 140 * SECOND);
	world.run_for(143 * SECOND);
	expect_nothing_lost(world);
	EXPECT(world.count(INITIATION, ~0u, began) >= 1 && world.count(INITIATION, ~0u, began) <= 2);
	EXPECT(world.count(INITIATION, 0, began) == 0 || world.count(INITIATION, 1, began) == 0);
}

} // namespace

SCENARIO(crossed_handshakes_lose_nothing_and_end_in_one_session, 25)
{
	World world(seed, STEADY);

	cross(world);
}

SCENARIO(crossed_handshakes_with_a_deployed_peer_lose_nothing_and_end_in_one_session, 25)
{
	World world(seed, STEADY);

	be_deployed(world, static_cast<u32>(world.random.below(2)));
	cross(world);
}

/* The common start of a tunnel: one side's first initiation goes nowhere, and the other side calls a moment later. */
SCENARIO(peer_that_calls_is_answered_at_once_though_our_own_call_was_lost, 5)
{
	World world(seed, STEADY);
	u32 early = static_cast<u32>(world.random.below(2));
	bool lossy = true;

	if (world.random.chance(500))
		be_deployed(world, 1 - early);
	auto passes = world.passes;
	world.passes = [&, passes](const Sent &sent) { return !lossy && (!passes || passes(sent)); };
	world.meet();
	world.send(early, 1 - early);
	world.run_for(world.random.between(1, 4900) * MILLISECOND);
	EXPECT(world.count(INITIATION, early) == 1);
	lossy = false;
	world.send(1 - early, early);
	world.run_for(SECOND);
	expect_nothing_lost(world);
	world.passes = nullptr;
}

SCENARIO(handshake_that_the_peers_own_made_unnecessary_ends, 10)
{
	World world(seed, STEADY);
	std::vector<u8> initiation;

	world.keep_bytes = true;
	world.meet();
	world.passes = [](const Sent &sent) { return sent.kind != INITIATION || sent.from != 0; };
	world.send(0, 1);
	world.run_for(100 * MILLISECOND);
	EXPECT(world.log.size() == 1 && world.log[0].kind == INITIATION);
	initiation = world.bytes[0];
	world.send(1, 0);
	world.run_for(SECOND);
	expect_nothing_lost(world);
	/* Who held it back delivers it: the peer answers, but we wait for no answer any more. */
	u64 dropped = world.drops(0, "unknown-index");
	size_t from = world.log.size();
	world.inject(1, initiation, world.endpoint_of(0));
	world.run_for(SECOND);
	EXPECT(world.log.size() == from + 1 && world.log[from].kind == RESPONSE);
	EXPECT(world.drops(0, "unknown-index") == dropped + 1);
	world.passes = nullptr;
}

/* A handshake under way holds an ephemeral key, and goes with the others. */
SCENARIO(answer_that_comes_after_the_keys_were_erased_makes_no_session, 10)
{
	World world(seed, STEADY);

	world.weather.delay_least = world.weather.delay_most = 500 * MILLISECOND;
	world.meet();
	world.send(0, 1);
	world.run_for(750 * MILLISECOND);
	EXPECT(world.count(RESPONSE, 1) == 1 && world.kernel.living("Keypair") == 1);
	world.erase_keys(0);
	u64 dropped = world.drops(0, "unknown-index");
	world.run_for(SECOND);
	EXPECT(world.drops(0, "unknown-index") == dropped + 1);
	EXPECT(world.kernel.living("Keypair") == 1);	/* the one of who answered */
	world.expect_recovery(0, 1, 12 * SECOND);
}

/* Nor does one that a worker had in hand meanwhile, and derives afterwards. */
SCENARIO(handshake_in_work_while_keys_are_erased_makes_no_session, 10)
{
	bool erased = false;		/* outlive the world's fibers */
	u32 calls = 0;
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				   knobs.cpus = 4;
				   knobs.stall = 0;
			   }});

	world.meet();
	world.kernel.on_x25519 = [&] {
		if (world.kernel.current->domain->id == 1 && ++calls == 2)
			world.kernel.block("keys to be erased", [&] { return erased; });
	};
	world.send(0, 1);
	world.run_for(200 * MILLISECOND);
	EXPECT(calls == 2);
	world.erase_keys(1);
	erased = true;
	world.run_for(SECOND);
	EXPECT(world.kernel.living("Keypair") == 0);
	EXPECT(world.drops(1, "peer-gone") == 1);
	world.kernel.on_x25519 = nullptr;
	world.expect_recovery(0, 1, 12 * SECOND);
}

/* Two workers have the same answer in hand. */
SCENARIO(answer_that_comes_twice_makes_one_session, 10)
{
	u32 calls = 0;		/* outlives the world's fibers */
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				   knobs.cpus = 4;
				   knobs.stall = 0;
			   }});

	world.keep_bytes = true;
	world.meet();
	world.kernel.on_x25519 = [&] {
		if (world.kernel.current->domain->id == 0 && world.count(RESPONSE, 1) > 0 && ++calls == 1)
			world.kernel.block("the answer's copy", [&] { return calls > 1; });
	};
	world.send(0, 1);
	world.run_for(200 * MILLISECOND);
	EXPECT(calls == 1 && world.log[1].kind == RESPONSE);
	world.inject(0, world.bytes[1], world.endpoint_of(1));
	world.run_for(200 * MILLISECOND);
	world.kernel.on_x25519 = nullptr;
	EXPECT(world.kernel.living("Keypair") == 2);
	EXPECT(world.drops(0, "unknown-index") == 1);
	EXPECT(world.flow(0, 1).received == 1);
}

SCENARIO(many_who_want_a_session_send_one_initiation, 5)
{
	World world(seed, {.hosts = 2, .ordered = false, .turn = [](Knobs &knobs) {
				   knobs.cpus = 4;
				   knobs.stall = 0;
				   knobs.preempt = 500;
			   }});

	world.meet();
	world.passes = [](const Sent &) { return false; };
	for (u64 round = 1; round <= 20; round++) {
		for (int i = 0; i < 10; i++)
			world.send(0, 1);
		world.run_for(SECOND);
		EXPECT(world.count(INITIATION, 0) == round);
		world.down(0);
		EXPECT(world.up(0) == 0);
	}
	world.passes = nullptr;
}

SCENARIO(peer_that_is_removed_while_its_initiation_is_made_sends_none, 10)
{
	bool working = false, removed = false;		/* outlive the world's fibers */
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				   knobs.cpus = 4;
				   knobs.stall = 0;
			   }});
	Request nobody;

	world.meet();
	world.kernel.on_x25519 = [&] {
		if (world.kernel.current->domain->id != 0 || removed)
			return;
		working = true;
		world.kernel.block("the peer to go", [&] { return removed; });
	};
	world.send(0, 1);
	world.run_for(200 * MILLISECOND);
	EXPECT(working);
	nobody.flags = WGDEVICE_F_REPLACE_PEERS;
	EXPECT(world.configure(0, nobody) == 0);
	removed = true;
	world.run_for(SECOND);
	world.kernel.on_x25519 = nullptr;
	EXPECT(world.count(INITIATION) == 0);
	EXPECT(world.kernel.living("Peer") == 1);	/* the other host's */
	/* Nor is it in the table of handshakes, which is searched for each new one. */
	Request somebody;
	somebody.peers.push_back(world.peer_entry(0, 1));
	for (int round = 0; round < 20; round++) {
		EXPECT(world.configure(0, somebody) == 0);
		world.send(0, 1);
		world.run_for(100 * MILLISECOND);
		EXPECT(world.configure(0, nobody) == 0);
	}
	EXPECT(world.count(INITIATION, 0) == 20);
}

/* A worker that was delayed with an older initiation must not throw away the session of a newer one. */
SCENARIO(delayed_older_initiation_leaves_no_session_behind, 5)
{
	u32 calls = 0;		/* outlives the world's fibers */
	u64 answers;
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				   knobs.cpus = 4;
				   knobs.stall = 0;
			   }});

	world.weather.delay_least = world.weather.delay_most = 40 * MILLISECOND;
	world.meet();
	world.expect_recovery(0, 1, 12 * SECOND);
	answers = world.count(RESPONSE, 1);
	/* The first is opened with one, then accepted; its answer needs the second, and comes after the newer one's. */
	world.kernel.on_x25519 = [&] {
		if (world.kernel.current->domain->id == 1 && ++calls == 2)
			world.kernel.block("a newer answer", [&] { return world.count(RESPONSE, 1) > answers; });
	};
	for (int i = 0; i < 2; i++) {
		world.down(0);
		EXPECT(world.up(0) == 0);
		world.send(0, 1);
		world.run_for(100 * MILLISECOND);
	}
	world.run_for(500 * MILLISECOND);
	EXPECT(world.count(RESPONSE, 1) == answers + 1);
	EXPECT(world.drops(1, "old-timestamp") == 1);
	EXPECT(world.traffic_passes(0, 1, SECOND));
	world.kernel.on_x25519 = nullptr;
}

SCENARIO(packet_beside_a_key_change_does_not_wait_for_the_next_packet, 2)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 20; }});
	Request mine, theirs;
	Key private_key, public_key;

	world.meet();
	make_keys(world.random, private_key, public_key);
	mine.private_key = private_key;
	theirs.peers.push_back(world.peer_entry(1, 0));
	theirs.peers.push_back(world.peer_entry(1, 0));
	theirs.peers[0].allowed_ips.clear();
	theirs.peers[1].public_key = public_key;
	EXPECT(world.configure(1, theirs) == 0);
	world.send(0, 1);
	world.run_for(world.random.between(0, 300) * 10 * MICROSECOND);
	EXPECT(world.configure(0, mine) == 0);
	world.host(0).private_key = private_key;
	world.host(0).public_key = public_key;
	world.run_for(6 * SECOND);
	u64 sent = 0;		/* on the old key or the new one */
	for (const Sent &it : world.log)
		sent += it.from == 0 && it.has_payload();
	EXPECT(sent == 1);
}

SCENARIO(two_hundred_strangers_a_second_are_no_load, 50)
{
	std::function<void()> call;	/* outlives the world's events */
	World world(seed, STEADY);

	world.meet();
	i64 until = world.time() + 3 * SECOND;
	call = [&] {
		u8 nobody[4] = {203, 0, 113, 1};
		wg_endpoint from{};

		from.family = 4;
		from.port = static_cast<u16>(1024 + world.random.below(60000));
		std::copy(nobody, nobody + 4, from.address);
		world.inject(1, forged_initiation(world.random, world.host(1).public_key), from);
		if (world.time() < until)
			world.kernel.at(world.time() + 5 * MILLISECOND, call);
	};
	call();
	world.run_for(2 * SECOND);
	world.send(0, 1);
	world.run_for(SECOND);
	expect_nothing_lost(world);
	EXPECT(world.count(COOKIE) == 0);
}

/* Whoever began the handshake says nothing on it, and goes: what waits for the confirmation starts one of its own when rule 2 allows. */
SCENARIO(what_waits_for_a_confirmation_that_never_comes_is_sent, 2)
{
	World world(seed);
	bool is_mute = true;

	world.meet();
	world.passes = [&](const Sent &sent) { return !(is_mute && sent.kind == DATA && sent.from == 0); };
	world.send(0, 1);
	while (!world.count(RESPONSE, 1))
		world.run_for(MILLISECOND);
	i64 answered = world.time();
	world.run_for(SECOND);
	world.send(1, 0);
	world.run_for(SECOND);
	EXPECT(world.count(INITIATION, 1) == 0);
	is_mute = false;
	world.run_for(5 * SECOND);
	EXPECT(world.count(INITIATION, 1, answered + 4900 * MILLISECOND) == 1);
	EXPECT(world.flow(1, 0).received == world.flow(1, 0).sent);
}
