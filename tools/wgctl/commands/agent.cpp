// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"
#include "config/quick_config.h"
#include "model/machine.h"
#include "model/values.h"
#include "tunnel/endpoint_keeper.h"
#include "tunnel/expiry_keeper.h"

namespace wgctl {

namespace {

constexpr std::int64_t LOOK_EVERY = 5'000;
/* A network that changes, changes several times: wait until it has settled. */
constexpr std::int64_t SETTLE = 1'000;

}

/* Runs until it is asked to end; the interface may come and go. Names are asked for, and the network is
 * watched, where its sockets are. */
int agent(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);
	Placement placement = options.placement(world);
	world.host.namespaces.enter(placement.birth);
	EndpointKeeper agent(config.path, config.interface, placement, world);
	ExpiryKeeper expiries(config.path, config.interface, placement, world);
	std::string last_trouble;
	/* A change during the first look is not missed. */
	Lookout::Event event = world.host.lookout.wait(0);

	for (; event != Lookout::Event::quit; event = world.host.lookout.wait(LOOK_EVERY)) {
		if (event == Lookout::Event::network) {
			world.clock.sleep(SETTLE);
			agent.network_changed();
		}
		std::string trouble;
		auto attempt = [&](auto &keeper) {
			try {
				keeper.look();
			} catch (const Failure &failure) {
				trouble = failure.text;
			}
		};
		attempt(expiries);
		attempt(agent);
		/* The same trouble is told once, not every few seconds. */
		if (!trouble.empty() && trouble != last_trouble)
			complain(config.interface + ": " + trouble, world.terminal);
		last_trouble = trouble;
	}
	return 0;
}

}
