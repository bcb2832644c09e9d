// SPDX-License-Identifier: GPL-2.0
#include <cstdio>

#include "commands/commands.h"
#include "config/peer_names.h"
#include "model/values.h"
#include "tunnel/inside.h"
#include "view/dashboard.h"

namespace wgctl {

namespace {

/* A handshake that was begun just before is tried again after 5 s: [WG §6.4], REKEY_TIMEOUT. Each turn takes 1.5 s without an answer. */
constexpr int TURNS = 4;
/* Of a packet, with its IP header: as other programs have it. */
constexpr std::uint32_t SIZE = 84;

std::string milliseconds(std::int64_t microseconds)
{
	char text[32];

	std::snprintf(text, sizeof(text), "%.1f ms", static_cast<double>(microseconds) / 1000);
	return text;
}

}

int ping(const Options &options, World &world)
{
	std::string name = options.operand(0);

	enter_netns(options, world);
	Device device = get_device(name, world);
	PeerNames names = read_peer_names(name, world);
	std::optional<Prefix> destination;
	Peer peer = find_target(options.operand(1), device, names, destination);
	std::string who = describe_peer(peer.public_key, names);
	if (!destination)
		destination = inner_address(peer);
	if (!destination)
		throw Failure{who + " has no allowed IPs: no packet goes to it"};
	if (!peer.endpoint)
		throw Failure{who + " has no endpoint: it has to reach this machine first"};
	std::vector<EchoProbe> probes;
	bool has_session = false;
	/* An answer that had to wait for a handshake tells no time. */
	for (int turn = 0; turn < TURNS && !(has_session && probes[0].answered); ++turn) {
		has_session = peer.has_session(world.clock.now());
		probes = {{inside_of(peer, *destination), {SIZE}, {}}};
		world.host.lookout.echo(name, probes);
		device = get_device(name, world);
		if (const Peer *now = peer_with(peer.public_key, device.peers))
			peer = *now;
	}
	std::string handshake = peer.last_handshake.seconds ? format_age(world.clock.now() - peer.last_handshake.seconds) + " ago" : "never";
	who += " at " + format_address(address_of(probes[0].inside));
	if (!probes[0].answered)
		throw Failure{who + ": no answer; last handshake: " + handshake};
	world.terminal.write(Stream::out, printable(who) + ": answer in " + milliseconds(probes[0].microseconds.value_or(0)) +
						  "; last handshake: " + handshake + "\n");
	return 0;
}

}
