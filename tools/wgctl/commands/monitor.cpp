// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"
#include "config/peer_names.h"
#include "model/machine.h"
#include "model/times.h"
#include "model/values.h"
#include "tunnel/observer.h"
#include "view/event.h"

namespace wgctl {

namespace {

/* Reads a file no more than so often: a hub may have many events, and a long file. Milliseconds. */
constexpr std::int64_t NAMES_LAST = 10'000;

class NamesOfAll {
public:
	explicit NamesOfAll(World &world) : world_(world) {}

	const PeerNames &of(const std::string &interface)
	{
		std::int64_t now = world_.clock.monotonic();
		auto [entry, is_new] = known_.try_emplace(interface);
		if (is_new || now - entry->second.read_at >= NAMES_LAST)
			entry->second = {read_peer_names(interface, world_), now};
		return entry->second.names;
	}

private:
	struct Known {
		PeerNames names;
		std::int64_t read_at = 0;
	};

	World &world_;
	std::map<std::string, Known> known_;
};

void run_for(const DeviceEvent &event, const PeerNames &names, const std::string &command, World &world)
{
	std::map<std::string, std::string> variables{{"WGCTL_EVENT", std::string(name_of(event.kind))}, {"WGCTL_INTERFACE", event.interface}};

	variables["WGCTL_PEER"] = event.peer ? std::string(to_base64(*event.peer)) : "";
	variables["WGCTL_NAME"] = event.peer ? name_of(*event.peer, names) : "";
	variables["WGCTL_ENDPOINT"] = event.endpoint ? std::string(format_endpoint(*event.endpoint)) : "";
	if (int status = world.host.shell.run(command, variables))
		complain("--exec: exit status " + std::to_string(status) + " for " + std::string(name_of(event.kind)), world.terminal);
}

}

/* Until it is asked to end. */
int monitor(const Options &options, World &world)
{
	std::string command = options.text("--exec");
	NamesOfAll names(world);

	enter_netns(options, world);
	Observer observer(options.operand(0), {options.has("--moves"), options.has("--strangers")}, world);
	if (observer.is_looking())
		complain("this kernel's WireGuard tells nothing by itself: looking at it once a second", world.terminal);
	while (std::optional<std::vector<DeviceEvent>> events = observer.next()) {
		for (const DeviceEvent &event : *events) {
			const PeerNames &known = names.of(event.interface);
			std::int64_t now = world.clock.now();
			if (options.has("--json"))
				world.terminal.write(Stream::out, to_line(json_of(event, known, now)));
			else
				world.terminal.write(Stream::out, format_time(now) + " " + text_of(event, known));
			if (!command.empty())
				run_for(event, known, command, world);
		}
	}
	return 0;
}

}
