// SPDX-License-Identifier: GPL-2.0
#include <algorithm>

#include "commands/commands.h"
#include "config/quick_config.h"
#include "model/machine.h"
#include "model/values.h"
#include "tunnel/endpoint_keeper.h"
#include "tunnel/expiry_keeper.h"
#include "tunnel/visit.h"

namespace wgctl {

namespace {

/* Milliseconds. How often it looks where the kernel tells nothing, and the most where it does. */
constexpr std::int64_t LOOK_EVERY = 5'000, LOOK_SELDOM = 30'000, SHORTEST_REST = 1'000;
/* A network that changes, changes several times: wait until it has settled. */
constexpr std::int64_t SETTLE = 1'000;

/* A peer may need another endpoint, or the configuration is another one. */
bool is_of_interest(const DeviceEvent &event, const std::string &interface)
{
	using Kind = DeviceEvent::Kind;

	return event.kind == Kind::missed ||
	       (event.interface == interface && (event.kind == Kind::handshake_given_up || event.kind == Kind::session_expired ||
						 event.kind == Kind::configuration_changed));
}

/* What the kernel tells of an interface in `home`, if it does. */
class Ear {
public:
	Ear(std::string interface, const Namespace &home, World &world) : interface_(std::move(interface))
	{
		Visit visit(home, world.host.namespaces);
		try {
			told_ = world.devices.listen({});
		} catch (const Failure &) {
			/* Then it looks. */
		}
	}
	bool hears() const { return told_ != nullptr; }
	int descriptor() const { return told_ ? told_->descriptor() : -1; }
	bool heard_something()
	{
		try {
			std::vector<DeviceEvent> events = told_->read();
			return std::any_of(events.begin(), events.end(), [&](const DeviceEvent &event) { return is_of_interest(event, interface_); });
		} catch (const Failure &) {
			told_.reset();
			return true;
		}
	}

private:
	std::string interface_;
	std::unique_ptr<DeviceEvents> told_;
};

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
	Ear ear(config.interface, placement.home, world);
	std::string last_trouble;
	/* A change during the first look is not missed. */
	Lookout::Event event = world.host.lookout.wait(0);

	while (event != Lookout::Event::quit) {
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

		std::int64_t now = world.clock.monotonic(), soon = now + LOOK_EVERY, due = soon;
		if (ear.hears() && trouble.empty())
			due = std::clamp(std::min(agent.next_look(), expiries.next_look()), now + SHORTEST_REST, now + LOOK_SELDOM);
		do {
			event = world.host.lookout.wait(std::max<std::int64_t>(due - world.clock.monotonic(), 1), ear.descriptor());
			/* Many events make no more looks than none would. */
			if (event == Lookout::Event::besides && ear.heard_something())
				due = std::min(due, soon);
		} while (event == Lookout::Event::besides);
	}
	return 0;
}

}
