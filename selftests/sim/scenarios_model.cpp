// SPDX-License-Identifier: GPL-2.0
/* Random lives of two peers, each message judged by the model. */
#include "model.h"
#include "scenario.h"

using namespace sim;

namespace {

struct Life {
	World world;
	Model model;
	i64 interval[2] = {0, 0};	/* of the two streams; 0: none */

	explicit Life(u64 seed)
		: world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
				       knobs.stall = 0;
				       knobs.tick = 4 * MILLISECOND;
			       }}),
		  model(world)
	{
		world.meet();
		world.weather.delay_least = world.random.between(0, 10) * MILLISECOND;
		world.weather.delay_most = world.weather.delay_least + world.random.between(0, 50) * MILLISECOND;
	}
	void talk(u32 from, u64 phase)
	{
		if (phase != current_phase || !interval[from])
			return;
		model.wants_to_send(from);
		world.send(from, 1 - from, 20);
		world.kernel.at(world.time() + world.random.between(1, interval[from]), [this, from, phase] { talk(from, phase); });
	}
	void live(i64 duration)
	{
		for (i64 until = world.time() + duration; world.time() < until;) {
			world.run_for(std::min<i64>(50 * MILLISECOND, until - world.time()));
			model.check();
		}
	}
	/* A new phase: who talks how often, how bad the network is. */
	void turn()
	{
		static const i64 INTERVALS[] = {0, 0, SECOND, 7 * SECOND, 40 * SECOND, 200 * SECOND};

		current_phase++;
		for (u32 id : {0u, 1u}) {
			interval[id] = INTERVALS[world.random.below(6)];
			world.kernel.at(world.time() + world.random.between(0, SECOND), [this, id, phase = current_phase] { talk(id, phase); });
		}
		world.weather.loss = world.random.chance(600) ? 0 : world.random.chance(300) ? 1000 : static_cast<u32>(world.random.between(1, 500));
		if (world.random.chance(150)) {
			u32 id = static_cast<u32>(world.random.below(2));
			u16 seconds = static_cast<u16>(world.random.chance(300) ? 0 : world.random.between(1, 30));
			Request request;

			request.peers.push_back(world.peer_entry(id, 1 - id));
			request.peers[0].endpoint.reset();
			request.peers[0].persistent_keepalive = seconds;
			model.persistent_keepalive(id, seconds);
			EXPECT(world.configure(id, request) == 0);
		}
		if (world.random.chance(100)) {
			u32 id = static_cast<u32>(world.random.below(2));

			model.suspend(id, world.random.between(1, 2000) * SECOND);
		}
	}
	u64 current_phase = 0;
};

} // namespace

SCENARIO(hours_of_random_life_are_as_the_model_allows_and_demands, 2)
{
	Life life(seed);

	for (int phase = 0; phase < 15; phase++) {
		life.turn();
		life.live(life.world.random.between(1, 600) * SECOND);
	}
	EXPECT(life.model.judged > 25);
	life.interval[0] = life.interval[1] = 0;
}
