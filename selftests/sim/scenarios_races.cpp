// SPDX-License-Identifier: GPL-2.0
/* Everything at once: configuration under traffic, workers held up, memory running out. */
#include "scenario.h"
#include <algorithm>

using namespace sim;

namespace {

const World::Options RACING = {.hosts = 2, .ordered = false, .turn = [](Knobs &knobs) {
				       if (knobs.preempt == 0)
					       knobs.preempt = 100;
				       if (knobs.cpus == 1)
					       knobs.cpus = 3;
				       knobs.step_cost += MICROSECOND;
			       }};

void both_ways(World &world, i64 interval, i64 duration)
{
	for (u32 a = 0; a < world.hosts(); a++)
		for (u32 b = 0; b < world.hosts(); b++)
			if (a != b)
				world.stream(a, b, interval, world.time() + duration);
}

const World::Options PREEMPTED = {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
					  knobs.cpus = 4;
					  knobs.stall = 0;
					  knobs.preempt = 500;
				  }};
const World::Options STALLING = {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
					 knobs.cpus = 4;
					 knobs.preempt = 500;
					 knobs.stall = 300;
					 knobs.stall_most = 200 * MICROSECOND;
				 }};

void expire_sending(World &world, u32 id)
{
	world.kernel.run_process(world.host(id).domain, "expire", [&] { wg_engine_device_expire_sending(world.host(id).device); });
}

/* Host @id's next key; nobody has been told. */
Request new_key(World &world, u32 id)
{
	Request change;

	make_keys(world.random, world.host(id).private_key, world.host(id).public_key);
	change.private_key = world.host(id).private_key;
	return change;
}

/* Host @id knows host @of by its new key, and by that alone. */
void learn(World &world, u32 id, u32 of)
{
	Request change;

	change.flags = WGDEVICE_F_REPLACE_PEERS;
	change.peers.push_back(world.peer_entry(id, of));
	EXPECT(world.configure(id, change) == 0);
}

/* Peers that are not there: they make long what is done to each of a device. */
void add_strangers(World &world, u32 id, int count)
{
	Request many;
	Key ignored(32);

	while (count--) {
		many.peers.emplace_back();
		make_keys(world.random, ignored, many.peers.back().public_key);
	}
	EXPECT(world.configure(id, many) == 0);
}

void forget_sessions(World &world)
{
	world.erase_keys(0);
	world.erase_keys(1);
	world.run_for(6 * SECOND);
}

/* Host 0 sends three packets within @microseconds from now; returns in their midst, after @most at the latest. */
void begin_to_send(World &world, i64 microseconds, i64 most)
{
	i64 began = world.time();

	for (int packet = 0; packet < 3; packet++)
		world.kernel.at(began + world.random.between(0, microseconds) * MICROSECOND, [&] { world.send(0, 1); });
	world.run_for(world.random.between(0, most) * MICROSECOND);
}

} // namespace

SCENARIO(peers_are_removed_and_added_under_traffic, 1)
{
	World world(seed, RACING);

	world.meet();
	both_ways(world, 2 * MILLISECOND, 1000 * MILLISECOND);
	for (int round = 0; round < 16; round++) {
		u32 id = static_cast<u32>(world.random.below(2));
		Request request;

		world.run_for(world.random.between(1, 100) * MILLISECOND);
		request.peers.push_back(world.peer_entry(id, 1 - id));
		if (world.random.chance(500)) {
			request.peers[0].flags = WGPEER_F_REMOVE_ME;
			EXPECT(world.configure(id, request) == 0);
			EXPECT(world.dump(id).peers.empty());
			world.run_for(world.random.between(0, 50) * MILLISECOND);
			request.peers[0].flags = 0;
		} else {
			request.flags = WGDEVICE_F_REPLACE_PEERS;
		}
		EXPECT(world.configure(id, request) == 0);
	}
	world.run_for(2 * SECOND);
	world.expect_recovery(0, 1, 30 * SECOND);
}

SCENARIO(device_goes_up_and_down_under_traffic, 2)
{
	World world(seed, RACING);

	world.meet();
	both_ways(world, 2 * MILLISECOND, 400 * MILLISECOND);
	for (int round = 0; round < 8; round++) {
		u32 id = static_cast<u32>(world.random.below(2));

		world.run_for(world.random.between(0, 80) * MILLISECOND);
		world.down(id);
		world.run_for(world.random.between(0, 20) * MILLISECOND);
		EXPECT(world.up(id) == 0);
	}
	world.run_for(2 * SECOND);
	world.expect_recovery(0, 1, 30 * SECOND);
}

/* The first session's pollers are made by a handshake worker, maybe in the very moment the device goes. */
SCENARIO(device_goes_in_the_middle_of_a_first_handshake, 1)
{
	World world(seed, RACING);

	for (int round = 0; round < 4; round++) {
		world.meet();
		world.send(0, 1);
		world.run_for(world.random.between(0, 30000) * MICROSECOND);
		for (u32 id : {0u, 1u}) {
			world.destroy(id);
			world.create(id);
		}
	}
}

SCENARIO(device_is_destroyed_and_made_again_under_traffic, 4)
{
	World world(seed, RACING);

	world.meet();
	both_ways(world, 2 * MILLISECOND, 400 * MILLISECOND);
	for (int round = 0; round < 3; round++) {
		u32 id = static_cast<u32>(world.random.below(2));
		Request request = world.base_request(id);

		world.run_for(world.random.between(1, 100) * MILLISECOND);
		world.destroy(id);
		world.create(id);
		request.peers.push_back(world.peer_entry(id, 1 - id));
		EXPECT(world.configure(id, request) == 0);
		EXPECT(world.up(id) == 0);
	}
	world.run_for(2 * SECOND);
	world.expect_recovery(0, 1, 30 * SECOND);
}

SCENARIO(private_key_change_under_traffic_keeps_peers_and_the_next_packet_starts_a_handshake, 2)
{
	World world(seed, RACING);

	world.meet();
	world.expect_recovery(0, 1, 12 * SECOND);
	both_ways(world, 2 * MILLISECOND, 200 * MILLISECOND);
	world.run_for(world.random.between(1, 50) * MILLISECOND);
	for (int round = 0; round < 3; round++) {
		u32 id = static_cast<u32>(world.random.below(2));
		Host &host = world.host(id);
		Key old = host.public_key;
		Request mine, theirs;

		make_keys(world.random, host.private_key, host.public_key);
		mine.private_key = host.private_key;
		theirs.peers.push_back(world.peer_entry(1 - id, id));
		theirs.peers.push_back({});
		theirs.peers[1].public_key = old;
		theirs.peers[1].flags = WGPEER_F_REMOVE_ME;
		EXPECT(world.configure(1 - id, theirs) == 0);
		size_t from = world.log.size();
		EXPECT(world.configure(id, mine) == 0);
		EXPECT(world.dump(id).peers.size() == 1);
		world.send(id, 1 - id);
		world.run_for(300 * MILLISECOND);
		bool initiated = false;
		for (size_t i = from; i < world.log.size(); i++)
			/* Or the other side, who knew the new key before, was faster. */
			initiated |= world.log[i].kind == INITIATION || (world.log[i].kind == RESPONSE && world.log[i].from == id);
		EXPECT(initiated);
		world.expect_recovery(0, 1, 12 * SECOND);
	}
}

SCENARIO(preshared_key_change_counts_from_the_next_handshake, 5)
{
	World world(seed);
	Key psk(32);

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.random.fill(psk.data(), 32);
	Request request;
	request.peers.push_back(world.peer_entry(0, 1));
	request.peers[0].preshared_key = psk;
	EXPECT(world.configure(0, request) == 0);
	world.expect_traffic(0, 1, SECOND);	/* the session is older than the change */
	world.erase_keys(0);
	world.erase_keys(1);
	EXPECT(!world.traffic_passes(0, 1, 20 * SECOND));
	request.peers[0] = world.peer_entry(1, 0);
	request.peers[0].preshared_key = psk;
	EXPECT(world.configure(1, request) == 0);
	world.expect_recovery(0, 1, 12 * SECOND);
}

/* Whoever lacks the preshared key of a new peer calls in the moment in which it is added. */
SCENARIO(new_peer_is_never_without_its_preshared_key, 5)
{
	bool waiting = false;		/* outlives the world's fibers */
	World world(seed, PREEMPTED);
	Request with_key, nobody;
	Key psk(32);

	world.meet();
	world.random.fill(psk.data(), 32);
	with_key.peers.push_back(world.peer_entry(1, 0));
	with_key.peers[0].preshared_key = psk;
	nobody.flags = WGDEVICE_F_REPLACE_PEERS;
	world.kernel.on_x25519 = [&] {
		if (world.kernel.current->domain->id != 1 || waiting)
			return;
		waiting = true;
		world.kernel.block("a new peer", [&] { return world.kernel.living("Peer") == 2; });
		world.kernel.sleep(world.random.between(0, 500) * MICROSECOND);
	};
	/* Who is found is so by chance, but for that it must not happen at all. */
	for (int round = 0; round < 20 || (round < 200 && !world.count(RESPONSE, 1)); round++) {
		EXPECT(world.configure(1, nobody) == 0);
		world.down(0);
		EXPECT(world.up(0) == 0);
		waiting = false;
		world.send(0, 1);
		world.run_for(200 * MILLISECOND);
		EXPECT(waiting);
		EXPECT(world.configure(1, with_key) == 0);
		world.run_for(SECOND);
	}
	world.kernel.on_x25519 = nullptr;
	EXPECT(world.count(RESPONSE, 1) > 0);
	EXPECT(world.flow(0, 1).received == 0);
}

/* Packets wait for the key from just before it is set to just after: whichever of them asks, one initiation leaves, and is answered. */
SCENARIO(handshake_begun_while_the_key_changes_is_the_only_one, 1)
{
	World world(seed, PREEMPTED);
	Request none, key;

	world.meet();
	key.private_key = world.host(0).private_key;
	none.private_key = Key(32);
	for (int round = 0; round < 6; round++) {
		EXPECT(world.configure(0, none) == 0);
		world.erase_keys(1);
		world.run_for(6 * SECOND);
		i64 began = world.time();
		begin_to_send(world, 300, 100);
		EXPECT(world.configure(0, key) == 0);
		world.run_for(SECOND);
		EXPECT(world.count(INITIATION, 0, began) == 1);
		EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
	}
}

SCENARIO(response_sent_while_sessions_expire_holds_nothing_up, 1)
{
	World world(seed, STALLING);

	world.meet();
	for (int round = 0; round < 6; round++) {
		forget_sessions(world);
		world.send(0, 1);
		/* Host 1 has made its session, and the response is on its way out. */
		while (world.kernel.living("Keypair") == 0)
			world.run_for(MICROSECOND);
		expire_sending(world, 1);
		world.send(1, 0);
		world.run_for(SECOND);
		EXPECT(world.flow(1, 0).received == world.flow(1, 0).sent);
	}
}

SCENARIO(session_made_while_the_key_changes_may_send, 1)
{
	World world(seed, PREEMPTED);

	world.weather.delay_least = world.weather.delay_most = MILLISECOND;
	add_strangers(world, 1, 40);
	world.meet();
	for (int round = 0; round < 6; round++) {
		Request change = new_key(world, 1);

		learn(world, 0, 1);
		i64 began = world.time();
		world.send(0, 1);
		world.run_for(MILLISECOND + world.random.between(0, 150) * MICROSECOND);
		EXPECT(world.configure(1, change) == 0);
		world.run_for(100 * MILLISECOND);
		world.send(1, 0);
		world.run_for(100 * MILLISECOND);
		EXPECT(world.count(INITIATION, 0, began) == 1);
		EXPECT(world.flow(1, 0).received == world.flow(1, 0).sent);
		EXPECT(world.count(RESPONSE, 1, began) + world.count(INITIATION, 1, began) == 1);
	}
}

/* The other side learns the key a second later: the first initiation is lost. */
SCENARIO(handshake_begun_as_an_older_one_completes_is_repeated, 1)
{
	World world(seed, STALLING);

	world.weather.delay_least = world.weather.delay_most = MILLISECOND;
	world.meet();
	for (int round = 0; round < 6; round++) {
		forget_sessions(world);
		world.send(0, 1);
		while (world.kernel.living("Keypair") < 2)
			world.run_for(MICROSECOND);
		EXPECT(world.configure(0, new_key(world, 0)) == 0);
		i64 changed = world.time();
		world.send(0, 1);
		world.run_for(SECOND);
		u64 initiations = world.count(INITIATION, 0, changed);	/* host 1 did not know the key */
		learn(world, 1, 0);
		world.run_for(6 * SECOND);
		EXPECT(!initiations || world.count(INITIATION, 0, changed) > initiations);
	}
}

SCENARIO(what_a_former_session_brings_is_not_lost_by_a_new_one, 5)
{
	World world(seed, STEADY);

	world.weather.delay_least = world.weather.delay_most = 10 * MILLISECOND;
	world.meet();
	world.send(0, 1);
	while (!world.count(RESPONSE, 1))
		world.run_for(MILLISECOND);
	expire_sending(world, 1);
	world.stream(0, 1, MILLISECOND, world.time() + 200 * MILLISECOND);
	world.run_for(80 * MILLISECOND);
	world.send(1, 0);
	world.run_for(SECOND);
	EXPECT(world.flow(1, 0).received == world.flow(1, 0).sent);
	EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
}

/* A worker that began its initiation as the device went down is so late that the device is up again. */
SCENARIO(initiation_of_a_device_that_went_down_does_not_leave_when_it_is_up_again, 1)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				   STALLING.turn(knobs);
				   knobs.stall_most = 50 * MICROSECOND;
			   }});
	bool armed = false, held = false, released = false;

	add_strangers(world, 0, 20);
	world.meet();
	world.kernel.on_x25519 = [&] {
		if (!armed || held || world.kernel.current->domain->id != 0)
			return;
		held = true;
		world.kernel.block("late worker", [&] { return released; });
	};
	for (int round = 0; round < 4; round++) {
		forget_sessions(world);
		armed = true;
		held = released = false;
		world.kernel.at(world.time() + world.random.between(0, 200) * MICROSECOND, [&] { world.send(0, 1); });
		world.run_for(world.random.between(0, 100) * MICROSECOND);
		EXPECT(world.down(0) == 0);
		EXPECT(world.up(0) == 0);
		i64 is_up = world.time();
		world.send(0, 1);
		world.on_sent = [&](const Sent &sent) { released |= sent.kind == INITIATION && sent.from == 0; };
		world.run_for(SECOND);
		released = true;
		world.run_for(SECOND);
		EXPECT(world.count(INITIATION, 0, is_up) <= 1);
		world.on_sent = nullptr;
		armed = false;
		world.run_for(10 * SECOND);
	}
	world.kernel.on_x25519 = nullptr;
}

SCENARIO(response_that_leaves_as_the_device_comes_up_counts_for_rule_2, 1)
{
	World world(seed, STALLING);
	Request keepalive;

	world.weather.delay_least = world.weather.delay_most = 10 * MICROSECOND;
	add_strangers(world, 1, 40);
	world.meet();
	keepalive.peers.push_back(world.peer_entry(1, 0));
	keepalive.peers[0].persistent_keepalive = 100;
	EXPECT(world.configure(1, keepalive) == 0);
	world.run_for(10 * SECOND);
	for (int round = 0; round < 6; round++) {
		world.down(1);
		world.erase_keys(0);
		world.run_for(6 * SECOND);
		i64 began = world.time();
		begin_to_send(world, 200, 200);
		EXPECT(world.up(1) == 0);
		world.run_for(SECOND);
		bool has_answered = false;
		for (const Sent &sent : world.log) {
			if (sent.time < began || sent.from != 1)
				continue;
			EXPECT(sent.kind != INITIATION || !has_answered);
			has_answered |= sent.kind == RESPONSE;
		}
	}
}

SCENARIO(keys_are_erased_and_sending_expired_under_traffic, 2)
{
	World world(seed, RACING);

	world.meet();
	both_ways(world, 2 * MILLISECOND, 400 * MILLISECOND);
	for (int round = 0; round < 8; round++) {
		u32 id = static_cast<u32>(world.random.below(2));

		world.run_for(world.random.between(0, 80) * MILLISECOND);
		if (world.random.chance(500))
			world.erase_keys(id);
		else
			expire_sending(world, id);
	}
	world.run_for(2 * SECOND);
	world.expect_recovery(0, 1, 30 * SECOND);
}

SCENARIO(namespace_that_dies_takes_the_sockets_and_the_carrier, 10)
{
	World world(seed, RACING);

	world.meet();
	both_ways(world, 2 * MILLISECOND, 200 * MILLISECOND);
	world.run_for(world.random.between(0, 100) * MILLISECOND);
	world.kernel.run_process(world.host(0).domain, "namespace gone", [&] { wg_engine_device_namespace_gone(world.host(0).device); });
	world.expect_no_routes(world.host(0).ns);
	EXPECT(!world.host(0).netdev.carrier && world.host(0).ns.bound.empty());
	size_t sent = world.count(DATA, 0) + world.count(INITIATION, 0);
	world.run_for(30 * SECOND);
	EXPECT(world.count(DATA, 0) + world.count(INITIATION, 0) == sent);
	world.down(0);
	EXPECT(world.up(0) == -64);	/* ENONET */
}

/* The kernel's statistics end before the device does. */
SCENARIO(what_is_queued_when_a_device_goes_is_not_counted, 1)
{
	World world(seed, {.hosts = 2, .ordered = false, .turn = [](Knobs &knobs) {
				   RACING.turn(knobs);
				   knobs.poller_latency = 100 * MILLISECOND;
			   }});

	world.meet();
	world.expect_traffic(0, 1, 12 * SECOND);
	for (int round = 0; round < 5; round++) {
		world.send(0, 1, 100, 4, 10);
		world.run_for(world.random.between(0, 5) * MILLISECOND);
	}
	world.destroy(1);
}

SCENARIO(removed_peer_holds_no_route, 1)
{
	World world(seed, RACING);
	PeerRequest other = world.peer_entry(0, 1);
	Request remove;

	world.meet();
	world.expect_traffic(0, 1, 12 * SECOND);
	remove.peers.push_back({.public_key = other.public_key, .flags = WGPEER_F_REMOVE_ME});
	both_ways(world, MILLISECOND, 200 * MILLISECOND);
	world.run_for(world.random.between(0, 100) * MILLISECOND);
	EXPECT(world.configure(0, remove) == 0);
	world.expect_no_routes(world.host(0).ns);
	world.run_for(world.random.between(0, 20) * MILLISECOND);
	world.expect_no_routes(world.host(0).ns);
}

/* CVE-2026-52945's kind: work arrives while nothing polls, or while the one who should do it sleeps. */
SCENARIO(no_wake_up_is_lost_when_workers_are_held_up, 2)
{
	World world(seed, {.hosts = 4, .ordered = seed / 2 % 2 == 0, .turn = RACING.turn});

	world.meet();
	for (u32 other = 1; other < 4; other++)
		world.expect_traffic(0, other, 12 * SECOND);
	for (int round = 0; round < 3; round++) {
		u32 cpu = static_cast<u32>(world.random.below(world.kernel.knobs.cpus));
		i64 until = world.time() + world.random.between(1, 3000) * MILLISECOND;

		world.kernel.held_up[{WG_WORKER_CRYPT, cpu}] = until;
		if (world.random.chance(300))
			world.kernel.held_up[{WG_WORKER_HANDSHAKE, cpu}] = until;
		for (int burst = 0; burst < 30; burst++) {
			for (u32 other = 1; other < 4; other++) {
				world.send(0, other, 100, 4, world.random.chance(200) ? 10 : 1);
				world.send(other, 0, 100, 4, world.random.chance(200) ? 10 : 1);
			}
			if (world.random.chance(300))
				world.run_for(world.random.between(0, 3) * MILLISECOND);
		}
		world.run_for(4 * SECOND);
		for (u32 a = 0; a < 4; a++)
			for (u32 b = 0; b < 4; b++)
				EXPECT(world.flow(a, b).received == world.flow(a, b).sent);
		EXPECT(world.kernel.live_packets == 0);
		world.run_for(world.random.between(0, 20) * SECOND);
	}
}

SCENARIO(full_queues_refuse_drain_and_carry_again, 25)
{
	World world(seed, {.hosts = 2, .ordered = false, .turn = [](Knobs &knobs) {
				   RACING.turn(knobs);
				   knobs.preempt = 200;
				   knobs.stall = 0;	/* thousands of packets with stalls of 20 ms would drain for a minute */
				   knobs.poller_latency = 5 * MILLISECOND;	/* more comes than a round takes: workers are needed */
			   }});
	i64 until;

	world.meet();
	world.expect_traffic(0, 1, 12 * SECOND);
	until = world.time() + 3 * SECOND;
	for (u32 cpu = 0; cpu < world.kernel.knobs.cpus; cpu++)
		world.kernel.held_up[{WG_WORKER_CRYPT, cpu}] = until;
	for (int i = 0; i < 90; i++) {
		for (int j = 0; j < 64; j++) {
			world.send(0, 1, 30, 4, 2);
			world.send(1, 0, 30);
		}
		world.run_for(world.random.between(0, 1) * MILLISECOND);
	}
	EXPECT(world.kernel.live_packets < 2 * (4096 + 3 * 1024));	/* of each host: staged, sealed, on the way, to be opened; of 17,280 sent */
	world.run_for(20 * SECOND);
	EXPECT(world.kernel.live_packets == 0);
	EXPECT(world.drops(0, "queue-full") + world.drops(1, "queue-full") > 0);
	world.expect_traffic(0, 1, SECOND);
}

SCENARIO(traffic_survives_allocations_that_fail_at_random, 2)
{
	World world(seed, RACING);

	world.meet();
	world.kernel.knobs.allocation_failures = static_cast<u32>(world.random.between(1, 300));
	both_ways(world, 20 * MILLISECOND, 10 * SECOND);
	world.run_for(10 * SECOND);
	world.kernel.knobs.allocation_failures = 0;
	world.run_for(6 * SECOND);
	world.expect_recovery(0, 1, 20 * SECOND);
}

namespace {

/* A whole small life; @failing is the allocation that fails. Returns how many there were. */
u64 life(u64 seed, u64 failing)
{
	World world(seed, {.hosts = 2, .ordered = false, .turn = [failing](Knobs &knobs) {
				   knobs.fail_allocation = failing;
				   knobs.stall = 0;
			   }});
	u64 count;

	for (u32 id : {0u, 1u}) {
		for (int attempt = 0; !world.host(id).device; attempt++) {
			EXPECT(attempt < 2);
			world.create(id);
		}
		Request request = world.base_request(id);
		request.peers.push_back(world.peer_entry(id, 1 - id));
		int result = world.configure(id, request);
		if (result) {
			EXPECT(result == -12 && world.dump(id).peers.empty() && !world.dump(id).private_key);
			EXPECT(world.configure(id, request) == 0);
		}
		result = world.up(id);
		if (result) {
			EXPECT(result == -12);
			EXPECT(world.up(id) == 0);
		}
	}
	world.send(0, 1, 64, 4, 3);
	world.send(1, 0);
	world.run_for(7 * SECOND);
	world.expect_recovery(0, 1, 15 * SECOND);
	Request request;
	request.peers.push_back({});
	request.peers[0].public_key = world.host(1).public_key;
	request.peers[0].flags = WGPEER_F_REMOVE_ME;
	EXPECT(world.configure(0, request) == 0);	/* removing needs no memory */
	world.down(1);
	count = world.kernel.allocations();
	world.finish();
	return count;
}

} // namespace

/* Eight seeds in a row, and eight that are 25 apart, take them all. */
SCENARIO(any_one_allocation_may_fail_without_a_leak_or_half_a_configuration, 25)
{
	u64 count = life(seed, 0);

	EXPECT(count > 20);
	for (u64 failing = 1 + seed / 25 % 4; failing <= count; failing += 4)
		life(seed, failing);
}

SCENARIO(two_devices_may_be_configured_at_once, 5)
{
	World world(seed, RACING);
	u32 running = 0;

	world.meet();
	both_ways(world, MILLISECOND, 300 * MILLISECOND);
	for (int i = 0; i < 20; i++) {
		u32 id = static_cast<u32>(world.random.below(2));
		auto request = std::make_shared<Request>();

		request->peers.push_back(world.peer_entry(id, 1 - id));
		request->peers[0].persistent_keepalive = static_cast<u16>(world.random.below(3));
		if (world.random.chance(200))
			request->peers[0].flags = WGPEER_F_REPLACE_ALLOWEDIPS;
		if (world.random.chance(100))
			request->listen_port = 0;
		running++;
		world.kernel.start_process(
			world.host(id).domain, "set",
			[&world, id, request] {
				Message message(*request);
				wg_report report;

				EXPECT(message.set(world.host(id).device, true, report) == 0);
			},
			[&running] { running--; });
		world.run_for(world.random.between(0, 20) * MILLISECOND);
	}
	world.run_for(5 * SECOND);
	EXPECT(running == 0);
}
