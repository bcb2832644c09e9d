// SPDX-License-Identifier: GPL-2.0
/* The backbone: handshakes, traffic through bad weather, rekeying, and that a seed is a run. */
#include "scenario.h"
#include <algorithm>
#include <cstdio>

using namespace sim;

SCENARIO(first_packet_makes_a_handshake_and_arrives, 1)
{
	World world(seed);

	world.meet();
	world.send(0, 1);
	world.run_for(2 * SECOND);
	EXPECT(world.flow(0, 1).received == 1);
	EXPECT(world.count(INITIATION) == 1 && world.count(RESPONSE) == 1);
	EXPECT(world.log[0].kind == INITIATION && world.log[0].traffic_class == 0x88);
	world.expect_traffic(0, 1, SECOND);
}

SCENARIO(nothing_is_sent_by_idle_devices, 5)
{
	World world(seed);

	world.meet();
	world.run_for(3600 * SECOND);
	EXPECT(world.log.empty());
}

SCENARIO(both_sides_initiate_at_once_and_agree, 1)
{
	World world(seed);

	world.meet();
	world.send(0, 1);
	world.send(1, 0);
	world.run_for(15 * SECOND);
	EXPECT(world.flow(0, 1).received == 1);
	EXPECT(world.flow(1, 0).received == 1);
	world.expect_traffic(0, 1, SECOND);
}

SCENARIO(all_traffic_arrives_in_order_on_a_good_network, 1)
{
	World world(seed);

	world.meet();
	world.send(0, 1);
	world.run_for(2 * SECOND);
	for (u32 i = 0; i < 60; i++) {
		world.send(0, 1, static_cast<u32>(world.random.between(0, 600)), world.random.chance(500) ? 6 : 4,
			   world.random.chance(200) ? static_cast<u32>(world.random.between(2, 20)) : 1);
		world.send(1, 0, static_cast<u32>(world.random.between(0, 600)));
		if (world.random.chance(200))
			world.run_for(world.random.between(0, 20) * MILLISECOND);
	}
	world.run_for(2 * SECOND);
	for (u8 version : {u8{4}, u8{6}}) {
		EXPECT(world.flow(0, 1, version).received == world.flow(0, 1, version).sent);
		EXPECT(world.flow(1, 0, version).received == world.flow(1, 0, version).sent);
	}
}

/* What meets in one round may differ in the outside's ECN bits, and does not leave as one then. */
SCENARIO(packets_of_different_classes_meet_and_all_arrive_in_order, 5)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = nullptr});

	world.meet();
	world.expect_traffic(0, 1, 12 * SECOND);
	for (u32 round = 0; round < 5; round++) {
		for (u32 i = 0; i < 12; i++)
			world.send(0, 1, 100, 4, 1 + i % 3, static_cast<u8>(i / 4 % 3));
		world.run_for(2 * SECOND);
	}
	EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
}

/* The main one: everything a network does to messages, in chosen mixtures; then it stops, and data flows. */
static void bad_weather(World &world)
{
	u32 most = static_cast<u32>(world.random.between(10, 300));

	world.weather.loss = static_cast<u32>(world.random.between(0, most));
	world.weather.duplicate = static_cast<u32>(world.random.between(0, most));
	world.weather.corrupt = static_cast<u32>(world.random.between(0, most));
	world.weather.truncate = static_cast<u32>(world.random.between(0, most / 4));
	world.weather.replay = static_cast<u32>(world.random.between(0, most));
	world.weather.delay_least = world.random.between(0, 10) * MILLISECOND;
	world.weather.delay_most = world.weather.delay_least + world.random.between(0, 400) * MILLISECOND;
	world.weather.keeps_order = false;
}

static void storm_and_calm(u64 seed, u32 hosts, i64 duration)
{
	World world(seed, {.hosts = hosts, .ordered = false, .turn = nullptr});

	world.meet();
	bad_weather(world);
	for (u32 a = 0; a < hosts; a++)
		for (u32 b = 0; b < hosts; b++)
			if (a != b)
				world.stream(a, b, world.random.between(50, 900) * MILLISECOND, world.time() + duration);
	world.run_for(duration);
	world.weather = Weather{};
	world.weather.keeps_order = false;
	world.run_for(6 * SECOND);
	for (u32 a = 0; a < hosts; a++)
		for (u32 b = a + 1; b < hosts; b++)
			world.expect_traffic(a, b, 12 * SECOND);
}

SCENARIO(data_flows_again_after_bad_weather, 1)
{
	storm_and_calm(seed, 2, static_cast<i64>(5 + seed % 20) * SECOND);
}

SCENARIO(data_flows_again_after_bad_weather_between_four_hosts, 10)
{
	storm_and_calm(seed, 4, 20 * SECOND);
}

SCENARIO(data_flows_again_after_bad_weather_over_several_rekeys, 20)
{
	storm_and_calm(seed, 2, 700 * SECOND);
}

SCENARIO(data_flows_again_after_a_partition, 2)
{
	World world(seed);
	i64 outage = world.random.between(1, 400) * SECOND;

	world.meet();
	world.expect_traffic(0, 1, 2 * SECOND);
	world.stream(0, 1, SECOND, world.time() + outage + SECOND);
	if (world.random.chance(500))
		world.stream(1, 0, SECOND, world.time() + outage + SECOND);
	world.passes = [](const Sent &) { return false; };
	world.run_for(outage);
	world.passes = nullptr;
	world.run_for(6 * SECOND);
	world.expect_traffic(0, 1, 12 * SECOND);
}

SCENARIO(same_seed_makes_the_same_run, 10)
{
	u64 fingerprint[2];

	for (u64 &it : fingerprint) {
		World world(seed, {.hosts = 3, .ordered = false, .turn = nullptr});

		world.meet();
		bad_weather(world);
		for (u32 a = 0; a < 3; a++)
			world.stream(a, (a + 1) % 3, 100 * MILLISECOND, world.time() + 10 * SECOND);
		world.run_for(15 * SECOND);
		world.finish();
		it = world.kernel.fingerprint();
	}
	if (fingerprint[0] != fingerprint[1])
		fail("two runs of one seed differ: %llx, %llx", static_cast<unsigned long long>(fingerprint[0]),
		     static_cast<unsigned long long>(fingerprint[1]));
}

SCENARIO(another_seed_makes_another_run, 100)
{
	u64 fingerprint[2];

	for (u64 i = 0; i < 2; i++) {
		World world(seed + i);

		world.meet();
		world.expect_traffic(0, 1, 2 * SECOND);
		world.finish();
		fingerprint[i] = world.kernel.fingerprint();
	}
	EXPECT(fingerprint[0] != fingerprint[1]);
}
