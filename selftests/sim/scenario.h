// SPDX-License-Identifier: GPL-2.0
/* A scenario: a sentence that must hold for every seed, and the function that tries to break it. */
#pragma once
#include "world.h"

namespace sim {

struct Scenario {
	const char *name;
	void (*run)(u64 seed);
	u32 every;		/* runs for one seed in so many: the long ones */
	Scenario *next;
	Scenario(const char *name, void (*run)(u64), u32 every);
};

#define SCENARIO(name, every)                                        \
	static void name(::sim::u64 seed);                           \
	static ::sim::Scenario scenario_##name(#name, name, every);  \
	static void name([[maybe_unused]] ::sim::u64 seed)

/* Two hosts without long stalls, and a network that keeps the order. */
inline const World::Options STEADY = {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }};

} // namespace sim
