// SPDX-License-Identifier: GPL-2.0
#include "view/openmetrics.h"

#include <algorithm>

#include "commands/commands.h"
#include "model/values.h"
#include "tunnel/placement.h"
#include "tunnel/visit.h"

namespace wgctl {

namespace {

/* Drop counters are a comfort of our module: whoever cannot read them still gets the rest. */
std::vector<Counter> counters_of(const std::string &name, World &world)
{
	try {
		return world.host.network.statistics(name);
	} catch (const Failure &) {
		return {};
	}
}

/* An interface that goes away meanwhile is left out. Fails only when none could be read. */
WebPage measure(const std::vector<std::string_view> &wanted, World &world)
{
	std::vector<Measurement> measurements;
	std::optional<Failure> first_failure;

	for (const std::string &name : world.devices.names()) {
		if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end())
			continue;
		try {
			measurements.push_back({get_device(name, world, Reading::with_state), read_peer_names(name, world), counters_of(name, world)});
		} catch (const Failure &failure) {
			first_failure = first_failure ? first_failure : failure;
		}
	}
	if (measurements.empty() && first_failure)
		throw *first_failure;
	if (measurements.empty() && !wanted.empty())
		throw Failure{"there is no interface " + in_quotes(wanted[0])};
	return {std::string(METRICS_TYPE), format_metrics(measurements, world.clock.now())};
}

}

int metrics(const Options &options, World &world)
{
	Namespace home = open_namespace(options.text("--netns"), world);

	/* It is listened to here. */
	if (std::optional<std::string_view> place = options.value("--listen")) {
		for (std::string_view name : options.operands()) {
			Visit visit(home, world.host.namespaces);
			if (!contains(world.devices.names(), std::string(name)))
				complain("there is no interface " + in_quotes(name) + " now: it has no samples until there is", world.terminal);
		}
		world.host.web.serve(std::string(*place), "/metrics", [&] {
			Visit visit(home, world.host.namespaces);
			return measure(options.operands(), world);
		});
		return 0;
	}
	world.host.namespaces.enter(home);
	for (std::string_view name : options.operands())
		get_device(std::string(name), world);
	world.terminal.write(Stream::out, measure(options.operands(), world).body);
	return 0;
}

}
