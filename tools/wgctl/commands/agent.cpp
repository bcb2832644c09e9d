// SPDX-License-Identifier: GPL-2.0
#include "../agent.h"

#include "../host.h"
#include "../quick_config.h"
#include "commands.h"

namespace wgctl {

namespace {

constexpr std::int64_t LOOK_EVERY = 5'000;
/* A network that changes, changes several times: wait until it has settled. */
constexpr std::int64_t SETTLE = 1'000;

}

/* Runs until it is asked to end; the interface may come and go. */
int agent(Arguments arguments, World &world)
{
	QuickConfig config = read_quick_config(arguments[0], world);
	Agent agent(config.path, config.interface, world);
	std::string last_trouble;
	Lookout::Event event = Lookout::Event::time;

	for (; event != Lookout::Event::quit; event = world.host.lookout.wait(LOOK_EVERY)) {
		if (event == Lookout::Event::network) {
			world.clock.sleep(SETTLE);
			agent.network_changed();
		}
		std::string trouble;
		try {
			agent.look();
		} catch (const Failure &failure) {
			trouble = failure.text;
		}
		/* The same trouble is told once, not every few seconds. */
		if (!trouble.empty() && trouble != last_trouble)
			world.terminal.write(Stream::err, "wgctl: " + config.interface + ": " + trouble + "\n");
		last_trouble = trouble;
	}
	return 0;
}

}
