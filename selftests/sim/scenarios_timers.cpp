// SPDX-License-Identifier: GPL-2.0
/* Rekeying, keepalives, giving up, erasing: what happens by the clock. PROTOCOL.md, "Timers and limits". */
#include "scenario.h"
#include <algorithm>

using namespace sim;

/* The times at which @from sent a message of @kind. */
static std::vector<i64> times_of(const World &world, u32 kind, u32 from)
{
	std::vector<i64> times;

	for (const Sent &sent : world.log)
		if (sent.kind == kind && sent.from == from)
			times.push_back(sent.time);
	return times;
}

SCENARIO(rekey_at_120_s_loses_nothing_when_the_initiator_sends, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.stream(0, 1, 200 * MILLISECOND, world.time() + 400 * SECOND);
	world.run_for(403 * SECOND);
	for (u8 version : {u8{4}, u8{6}})
		EXPECT(world.flow(0, 1, version).received == world.flow(0, 1, version).sent);
	std::vector<i64> initiations = times_of(world, INITIATION, 0);
	EXPECT(initiations.size() == 4 && world.count(INITIATION, 1) == 0);
	for (size_t i = 1; i < initiations.size(); i++) {
		EXPECT(initiations[i] - initiations[i - 1] >= 120 * SECOND - 10 * MILLISECOND);
		EXPECT(initiations[i] - initiations[i - 1] <= 121 * SECOND);
	}
}

SCENARIO(rekey_loses_nothing_when_only_the_responder_sends, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.send(0, 1);
	world.run_for(SECOND);
	world.stream(1, 0, 200 * MILLISECOND, world.time() + 400 * SECOND);
	world.run_for(403 * SECOND);
	for (u8 version : {u8{4}, u8{6}})
		EXPECT(world.flow(1, 0, version).received == world.flow(1, 0, version).sent);
	/* Host 0's keepalives are sends too: past 120 s one of them rekeys, or its receiving at 165 s does. */
	std::vector<i64> initiations = times_of(world, INITIATION, 0);
	EXPECT(world.count(INITIATION, 1) == 0);
	EXPECT(initiations.size() >= 3);
	for (size_t i = 1; i < initiations.size(); i++) {
		EXPECT(initiations[i] - initiations[i - 1] >= 120 * SECOND - 10 * MILLISECOND);
		EXPECT(initiations[i] - initiations[i - 1] <= 166 * SECOND);
	}
}

/* Who only receives would learn too late that the key ends: its own keepalive is due ten seconds after. */
SCENARIO(initiator_that_receives_after_165_s_rekeys_at_once, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.send(0, 1);
	world.run_for(163 * SECOND);
	world.send(1, 0);
	world.run_for(SECOND);
	EXPECT(world.count(INITIATION) == 1);
	world.run_for(3 * SECOND);
	world.send(1, 0);
	world.run_for(SECOND);
	EXPECT(world.count(INITIATION, 0) == 2 && world.count(INITIATION, 1) == 0);
	EXPECT(world.flow(1, 0).received == 2);
}

SCENARIO(rekey_loses_nothing_when_both_send, 10)
{
	World world(seed, STEADY);

	world.weather.delay_least = world.weather.delay_most = world.random.between(0, 100) * MILLISECOND;
	world.meet();
	if (world.random.chance(500)) {		/* the first handshakes cross */
		world.send(0, 1);
		world.send(1, 0);
	}
	world.stream(0, 1, 200 * MILLISECOND, world.time() + 400 * SECOND);
	world.stream(1, 0, 300 * MILLISECOND, world.time() + 400 * SECOND);
	world.run_for(403 * SECOND);
	for (u8 version : {u8{4}, u8{6}}) {
		EXPECT(world.flow(0, 1, version).received == world.flow(0, 1, version).sent);
		EXPECT(world.flow(1, 0, version).received == world.flow(1, 0, version).sent);
	}
	EXPECT(world.count(INITIATION) <= 8);
}

SCENARIO(key_past_180_s_is_not_used_and_a_new_one_is_made, 5)
{
	World world(seed, STEADY);
	u32 sender = static_cast<u32>(world.random.below(2));

	world.meet();
	world.expect_traffic(0, 1, SECOND);
	world.run_for(185 * SECOND);
	u64 before = world.count(INITIATION);
	size_t from = world.log.size();
	world.send(sender, 1 - sender);
	world.run_for(SECOND);
	EXPECT(world.count(INITIATION) == before + 1);
	EXPECT(world.log[from].kind == INITIATION && world.log[from].from == sender);
	EXPECT(world.flow(sender, 1 - sender).received == world.flow(sender, 1 - sender).sent);
}

SCENARIO(passive_keepalive_is_sent_once_and_idle_peers_are_silent, 5)
{
	World world(seed, STEADY);

	world.meet();
	world.send(0, 1);
	world.run_for(3 * SECOND);
	i64 arrived = world.log.back().time;
	EXPECT(world.log.size() == 3 && world.log[2].has_payload());
	world.run_for(500 * SECOND);
	EXPECT(world.log.size() == 4);
	EXPECT(world.log[3].is_keepalive() && world.log[3].from == 1);
	EXPECT(world.log[3].time >= arrived + 10 * SECOND - 5 * MILLISECOND && world.log[3].time <= arrived + 10 * SECOND + 50 * MILLISECOND);
}

SCENARIO(one_way_traffic_is_answered_by_keepalives_alone, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.stream(0, 1, SECOND, world.time() + 100 * SECOND);
	world.run_for(115 * SECOND);
	EXPECT(world.count(INITIATION) == 1);
	u64 keepalives = 0;
	for (const Sent &sent : world.log) {
		if (sent.from == 1 && sent.kind == DATA) {
			EXPECT(sent.is_keepalive());
			keepalives++;
		}
	}
	EXPECT(keepalives >= 9 && keepalives <= 11);
}

SCENARIO(persistent_keepalive_that_is_set_again_is_not_put_off, 10)
{
	World world(seed, STEADY);
	Request request;

	world.meet();
	world.expect_traffic(0, 1, SECOND);
	world.run_for(30 * SECOND);
	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].persistent_keepalive = 25;
	EXPECT(world.configure(0, request) == 0);
	world.run_for(SECOND);
	i64 began = world.time();
	for (int i = 0; i < 10; i++) {
		world.run_for(10 * SECOND);
		EXPECT(world.configure(0, request) == 0);
	}
	u64 keepalives = 0;
	for (const Sent &sent : world.log)
		keepalives += sent.from == 0 && sent.time > began && sent.is_keepalive();
	EXPECT(keepalives >= 3 && keepalives <= 5);
}

SCENARIO(persistent_keepalive_keeps_its_interval, 10)
{
	World world(seed, STEADY);
	u16 interval = static_cast<u16>(world.random.between(1, 60));
	Request request = world.base_request(0);

	world.introduce(0, 1);
	request = Request{};
	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].persistent_keepalive = interval;
	EXPECT(world.configure(0, request) == 0);
	i64 began = world.time();
	world.run_for(1000 * SECOND);
	i64 last = began;
	for (const Sent &sent : world.log) {
		if (sent.time - last > interval * SECOND + 400 * MILLISECOND)
			fail("%.3f s of silence with an interval of %u s", static_cast<double>(sent.time - last) / 1e9, interval);
		last = sent.time;
	}
	EXPECT(world.time() - last <= interval * SECOND + 400 * MILLISECOND);
	EXPECT(world.count(DATA, 0) <= static_cast<u64>(1000 / interval) + 20);
	EXPECT(world.count(DATA, 1) == 0 || world.count(DATA, 1) <= world.count(INITIATION, 0));
	/* And at once on `up`. */
	world.down(0);
	world.run_for(10 * SECOND);
	size_t before = world.log.size();
	world.up(0);
	world.run_for(100 * MILLISECOND);
	EXPECT(world.log.size() > before && world.log[before].kind == INITIATION && world.log[before].from == 0);
}

SCENARIO(initiator_confirms_the_key_with_a_keepalive_when_nothing_is_queued, 10)
{
	World world(seed, STEADY);
	Request request;

	world.introduce(0, 1);
	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].persistent_keepalive = 30;
	EXPECT(world.configure(0, request) == 0);
	world.run_for(2 * SECOND);
	EXPECT(world.log.size() == 3);
	EXPECT(world.log[0].kind == INITIATION && world.log[1].kind == RESPONSE && world.log[2].is_keepalive() && world.log[2].from == 0);
}

SCENARIO(unanswered_initiator_gives_up_after_90_s_and_fresh_traffic_starts_over, 5)
{
	World world(seed, STEADY);

	world.meet();
	world.passes = [](const Sent &) { return false; };
	for (int i = 0; i < 5; i++)
		world.send(0, 1);
	i64 began = world.time();
	world.run_for(300 * SECOND);
	std::vector<i64> initiations = times_of(world, INITIATION, 0);
	EXPECT(initiations.size() >= 17 && initiations.size() <= 20);
	EXPECT(initiations.back() <= began + 97 * SECOND);
	for (size_t i = 1; i < initiations.size(); i++) {
		EXPECT(initiations[i] - initiations[i - 1] >= 5 * SECOND - 5 * MILLISECOND);
		EXPECT(initiations[i] - initiations[i - 1] <= 5 * SECOND + 333 * MILLISECOND + 50 * MILLISECOND);
	}
	EXPECT(world.log.size() == initiations.size());
	EXPECT(world.drops(0, "no-session") == 5);
	EXPECT(world.host(0).netdev.count[WG_TX_DROPPED] == 5);
	EXPECT(world.kernel.live_packets == 0);
	/* The packets given up stay given up; a new one is carried. */
	world.passes = nullptr;
	world.send(0, 1);
	world.run_for(2 * SECOND);
	EXPECT(world.flow(0, 1).received == 1);
}

SCENARIO(retries_are_jittered, 100)
{
	World world(seed, STEADY);
	std::vector<i64> gaps;

	world.meet();
	world.passes = [](const Sent &) { return false; };
	world.send(0, 1);
	world.run_for(89 * SECOND);
	std::vector<i64> times = times_of(world, INITIATION, 0);
	for (size_t i = 1; i < times.size(); i++)
		gaps.push_back((times[i] - times[i - 1]) / (20 * MILLISECOND));
	std::sort(gaps.begin(), gaps.end());
	EXPECT(std::unique(gaps.begin(), gaps.end()) - gaps.begin() >= 5);
}

SCENARIO(silence_after_data_brings_a_new_handshake_after_15_s, 5)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, SECOND);
	world.run_for(30 * SECOND);
	u64 before = world.count(INITIATION);
	world.passes = [](const Sent &sent) { return sent.from != 1; };
	i64 sent_at = world.time();
	world.send(0, 1);
	world.run_for(14900 * MILLISECOND);
	EXPECT(world.count(INITIATION) == before);
	world.run_for(600 * MILLISECOND);
	EXPECT(world.count(INITIATION) == before + 1);
	EXPECT(times_of(world, INITIATION, 0).back() >= sent_at + 15 * SECOND - 5 * MILLISECOND);
}

SCENARIO(keys_are_erased_after_540_s_of_nothing_new, 20)
{
	World world(seed, STEADY);

	world.meet();
	world.run_for(SECOND);
	world.keep_bytes = true;
	world.expect_traffic(0, 1, SECOND);
	world.run_for(530 * SECOND);
	EXPECT(world.kernel.living("Keypair") > 0);
	world.run_for(20 * SECOND);
	EXPECT(world.kernel.living("Keypair") == 0);
	/* A late message of that session names no key any more. */
	u64 unknown = world.drops(1, "unknown-index");
	for (size_t i = 0; i < world.log.size(); i++)
		if (world.log[i].kind == DATA && world.log[i].from == 0)
			world.inject(1, world.bytes[i], world.endpoint_of(0));
	world.run_for(SECOND);
	EXPECT(world.drops(1, "unknown-index") > unknown);
	world.expect_traffic(0, 1, SECOND);
}

SCENARIO(staged_packets_are_bounded_and_the_oldest_go, 5)
{
	World world(seed, STEADY);
	u64 first = ~0ull, count = 0;

	world.meet();
	world.passes = [](const Sent &) { return false; };
	for (int i = 0; i < 300; i++)
		world.send(0, 1);
	world.run_for(SECOND);
	EXPECT(world.kernel.live_packets == 128);
	EXPECT(world.drops(0, "staged-full") == 172);
	world.passes = nullptr;
	world.on_inner = [&](u32, u32, u64 number) {
		first = std::min(first, number);
		count++;
	};
	world.run_for(6 * SECOND);
	EXPECT(first == 172 && count == 128);
}

SCENARIO(persistent_keepalive_does_not_keep_a_dead_peer_from_giving_up_packets, 20)
{
	World world(seed, STEADY);
	Request request;

	world.introduce(0, 1);
	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].persistent_keepalive = 7;
	EXPECT(world.configure(0, request) == 0);
	world.passes = [](const Sent &) { return false; };
	world.run_for(600 * SECOND);
	std::vector<i64> initiations = times_of(world, INITIATION, 0);
	for (size_t i = 1; i < initiations.size(); i++)
		EXPECT(initiations[i] - initiations[i - 1] >= 5 * SECOND - 5 * MILLISECOND);
	EXPECT(world.kernel.live_packets <= 128);
	world.passes = nullptr;
	world.run_for(15 * SECOND);
	world.expect_traffic(0, 1, 3 * SECOND);
}

SCENARIO(suspended_host_comes_back_without_keys_and_talks_again, 2)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = nullptr});

	world.meet();
	for (int round = 0; round < 4; round++) {
		world.expect_traffic(0, 1, 30 * SECOND);
		u32 sleeper = static_cast<u32>(world.random.below(2));

		size_t from = world.log.size();
		world.suspend(sleeper, world.random.between(1, 100000) * SECOND);
		world.send(sleeper, 1 - sleeper);
		world.run_for(SECOND);
		for (size_t i = from; i < world.log.size(); i++)
			if (world.log[i].from == sleeper) {
				EXPECT(world.log[i].kind != DATA);	/* a keepalive before would be of an erased key */
				break;
			}
		world.run_for(world.random.between(0, 20) * SECOND);
	}
	world.expect_traffic(0, 1, 30 * SECOND);
}

/* The kernel's timer stands still through a suspend, the clock does not; and a new session may have come between erasing and sleeping. */
SCENARIO(retries_go_on_after_a_suspend, 5)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	world.erase_keys(0);
	world.send(0, 1);
	world.run_for(SECOND);
	EXPECT(world.flow(0, 1).received == 2);
	world.run_for(30 * SECOND);	/* until only rule 6's far time is set */
	world.host(0).domain.boot_offset += world.random.between(600, 100000) * SECOND;
	i64 woken = world.time();
	world.passes = [](const Sent &) { return false; };
	world.send(0, 1);
	world.run_for(40 * SECOND);
	u64 tries = world.count(INITIATION, 0, woken);
	EXPECT(tries >= 6 && tries <= 9);
}

/* Neither a socket's other packets nor the end of a namespace may wait for a peer that is dead, or that never had a session. */
SCENARIO(what_waits_for_a_session_holds_nothing_of_its_sender, 10)
{
	World world(seed);

	world.meet();
	world.weather.loss = 1024;
	world.send(0, 1, 400, 4, 20);
	world.send(0, 1);
	world.run_for(SECOND);
	EXPECT(world.kernel.live_packets > 0);
	EXPECT(world.kernel.owned_packets == 0);
	world.send(0, 1);			/* behind those that wait already */
	world.run_for(SECOND);
	EXPECT(world.kernel.owned_packets == 0);
	world.weather = Weather{};
	world.expect_traffic(0, 1, 12 * SECOND);
	world.run_for(185 * SECOND);		/* there is a session, but it is too old */
	world.weather.loss = 1024;
	world.send(0, 1, 400, 4, 20);
	world.run_for(SECOND);
	EXPECT(world.kernel.live_packets > 0);
	EXPECT(world.kernel.owned_packets == 0);
}

/* Nobody can answer what never left: no handshake 15 s after a packet for whose sealing there was no memory. */
SCENARIO(packet_that_could_not_be_sealed_counts_as_not_sent, 10)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});

	world.meet();
	world.expect_traffic(0, 1, 12 * SECOND);
	world.run_for(12 * SECOND);		/* passive keepalives and all */

	u64 computed = world.kernel.x25519_calls, received = world.flow(0, 1).received;

	world.kernel.knobs.fail_allocation = 2;	/* the first is for taking it from the stack */
	world.kernel.arm_allocations();
	world.send(0, 1);
	world.run_for(30 * SECOND);
	EXPECT(world.flow(0, 1).received == received);
	EXPECT(world.kernel.x25519_calls == computed);
}
