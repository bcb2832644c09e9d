// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/peer_names.h"
#include "model/values.h"
#include "tunnel/bring_up.h"
#include "tunnel/inside.h"

namespace wgctl {

namespace {

constexpr std::uint32_t USUAL_WAIT = 30, LONGEST_WAIT = 3600;
/* Milliseconds. One packet makes WireGuard try for 90 s; but the agent may find an endpoint meanwhile. */
constexpr std::int64_t LOOK_AGAIN = 250, KNOCK_EVERY = 5'000;

/* In seconds. */
std::uint32_t wait_of(const Options &options)
{
	std::string text = options.text("--wait");
	std::optional<std::uint32_t> seconds = text.empty() ? USUAL_WAIT : parse_number<std::uint32_t>(text);

	if (!seconds || !*seconds || *seconds > LONGEST_WAIT)
		options.fail("--wait is not 1-" + std::to_string(LONGEST_WAIT) + " seconds: " + in_quotes(text));
	return *seconds;
}

/* Until each peer that has an endpoint in the file has had a handshake, here where the interface is. */
void wait_for_peers(const QuickConfig &config, std::uint32_t seconds, World &world)
{
	const Device wanted = parse_without_lookup(config, world);
	const PeerNames names = parse_peer_names(config.text);
	std::int64_t next_knock = world.clock.monotonic(), end = next_knock + std::int64_t{seconds} * 1000;

	for (;;) {
		Device device = get_device(config.interface, world);
		PeerIndex present(device.peers);
		std::int64_t now = world.clock.monotonic();
		bool knocks = now >= next_knock;
		std::string silent;
		for (const Peer &one : wanted.peers) {
			const Peer *peer = one.has_endpoint() ? present.find(one.public_key) : nullptr;
			if (!peer || peer->last_handshake.seconds)
				continue;
			silent += (silent.empty() ? "" : ", ") + describe_peer(peer->public_key, names);
			if (knocks)
				knock(config.interface, *peer, world.host.lookout);
		}
		if (silent.empty())
			return;
		if (now >= end || world.host.shell.is_interrupted())
			throw Failure{config.interface + " is up, but these peers have not answered in " + std::to_string((now - end) / 1000 + seconds) +
				      " s: " + silent};
		if (knocks)
			next_knock = now + KNOCK_EVERY;
		world.clock.sleep(LOOK_AGAIN);
	}
}

}

int up(const Options &options, World &world)
{
	QuickConfig config = read_quick_config(options.operand(0), world);
	std::uint32_t seconds = wait_of(options);

	bring_up(config, options.placement(world), world);
	if (options.has("--wait"))
		wait_for_peers(config, seconds, world);
	return 0;
}

}
