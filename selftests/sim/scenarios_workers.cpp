// SPDX-License-Identifier: GPL-2.0
/* Who does the work: how often workers are woken, which costs more than what they are woken for. */
#include "scenario.h"

using namespace sim;

namespace {

u64 kicks(World &world, wg_worker_kind kind)
{
	u64 count = 0;

	for (auto &[id, workers] : world.kernel.workers)
		if (workers->kind == kind)
			for (auto &work : workers->work)
				count += work.kicks;
	return count;
}

} // namespace

SCENARIO(burst_is_sealed_and_opened_without_a_worker, 5)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.run_for(SECOND);

	u64 before = kicks(world, WG_WORKER_CRYPT), received = world.flow(0, 1).received;

	for (u32 i = 0; i < 5; i++) {
		world.send(0, 1, 400, 4, 20);
		world.run_for(SECOND);
	}
	EXPECT(world.flow(0, 1).received - received == 100);
	EXPECT(kicks(world, WG_WORKER_CRYPT) == before);
}

/* More than a poller seals in its rounds: workers help, and the order stays. */
SCENARIO(workers_seal_what_outgrows_the_poller, 25)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; knobs.cpus = 32; knobs.long_rounds = 1024; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.run_for(SECOND);

	u64 before = kicks(world, WG_WORKER_CRYPT), received = world.flow(0, 1).received, sent = world.flow(0, 1).sent;

	for (u32 i = 0; i < 20 && kicks(world, WG_WORKER_CRYPT) == before; i++) {
		for (u32 n = 0; n < 30; n++)
			world.send(0, 1, 400, 4, 30);
		world.run_for(20 * MILLISECOND);
	}
	world.run_for(SECOND);
	EXPECT(kicks(world, WG_WORKER_CRYPT) > before);
	EXPECT(world.flow(0, 1).received - received == world.flow(0, 1).sent - sent);
}

/* Workers that come late let the queue fill up, within a round: what does not fit stays staged, and no batch is lost between the two. */
SCENARIO(what_a_full_queue_does_not_take_stays_staged, 20)
{
	World world(seed, {.hosts = 2, .ordered = false, .turn = [](Knobs &knobs) {
		knobs.stall = 0;
		knobs.cpus = 3;
		knobs.long_rounds = 1024;
		knobs.worker_latency = 4 * SECOND;
	}});

	world.meet();
	world.expect_traffic(0, 1, 30 * SECOND);
	world.run_for(2 * SECOND);

	u64 before = kicks(world, WG_WORKER_CRYPT);

	for (u32 i = 0; i < 3; i++) {
		for (u32 n = 0; n < 190; n++)
			world.send(0, 1, 200, 4, world.random.between(9, 25));
		world.run_for(200 * MILLISECOND);
	}
	world.run_for(10 * SECOND);
	EXPECT(kicks(world, WG_WORKER_CRYPT) > before);
	world.expect_traffic(0, 1, 30 * SECOND);
}

/* Who sends one packet while another CPU sends all it can, and the way out is slow, is not made to send the other's: the simulation
 * counts what leaves in one go. */
SCENARIO(no_sender_is_captured_by_others, 4)
{
	World world(seed, {.hosts = 2, .ordered = false, .turn = [](Knobs &knobs) { knobs.cpus = 2; knobs.stall = 0; knobs.preempt = 200; knobs.points_of_send = 500; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	for (u32 i = 0; i < 4; i++) {
		for (u32 n = 0; n < 400; n++)
			world.send(0, 1, 40);
		world.run_for(20 * MILLISECOND);
	}
	world.expect_traffic(0, 1, 3 * SECOND);
}

SCENARIO(flood_wakes_few_workers, 50)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);

	u64 before = kicks(world, WG_WORKER_HANDSHAKE);

	for (u32 i = 0; i < 1600; i++)
		world.inject(1, std::vector<u8>(148, 1), world.endpoint_of(0));
	world.run_for(100 * MILLISECOND);
	/* One for each sixteenth that waits; and one whenever the queue was empty, which a flood does not leave it. */
	EXPECT(kicks(world, WG_WORKER_HANDSHAKE) - before <= 1600 / 4);
	world.run_for(SECOND);
	world.expect_traffic(0, 1, 12 * SECOND);
}

/* Handshakes race with the interface going down: whatever they derive must be gone with it. */
SCENARIO(no_session_outlives_the_interface_going_down, 2)
{
	World world(seed);

	world.meet();
	world.run_for(SECOND);
	for (u32 round = 0; round < 8; round++) {
		world.send(0, 1);
		world.send(1, 0);
		world.run_for(world.random.between(0, 80) * MILLISECOND);
		world.down(0);
		world.down(1);
		world.run_for(2 * SECOND);
		EXPECT(world.kernel.living("Keypair") == 0);
		world.up(0);
		world.up(1);
		world.run_for(world.random.between(0, 20) * MILLISECOND);
	}
}

/* Each index is drawn once more while it is in use: it must not be given twice. */
SCENARIO(session_index_in_use_is_drawn_again, 10)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.repeats_indices = true; }});

	world.meet();
	for (u32 i = 0; i < 6; i++) {
		/* When both sides initiated at once, the third session pushes out one that a packet on its way still uses. */
		world.expect_recovery(0, 1, 12 * SECOND);
		world.run_for(121 * SECOND);	/* the next traffic makes new keys, while the old ones have their indices still */
	}
	EXPECT(world.kernel.indices_drawn > 2 * 6);
}

SCENARIO(messages_among_rubbish_arrive, 10)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.among_rubbish = true; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.send(0, 1, 400, 4, 20);
	world.run_for(2 * SECOND);
	world.expect_traffic(1, 0, SECOND);
	EXPECT(world.drops(1, "malformed") >= 2 * 20);
}
