// SPDX-License-Identifier: GPL-2.0
/* Bringing a configuration up and taking it down, the way wg-quick(8) does.
 *
 * Up is a row of steps (steps.h). Hooks are not undone: what they did is not known here.
 */
#pragma once

#include <string>

#include "host.h"
#include "outside.h"
#include "quick_config.h"
#include "steps.h"

namespace wgctl {

/* Where things are. Without anything said, all is in the namespace of the program. */
struct Placement {
	/* The interface's own, and that of its UDP sockets. */
	Namespace home, birth;
	/* The program was in `home` already: its DNS is the machine's. Otherwise it has a resolv.conf of
	 * its own, if it has a name, that under /run/netns. */
	bool is_here = false;
	std::string home_name;
	/* `home` was made for one program, and is set up as a whole. */
	bool is_private = false;

	/* For lines people are told to run there: what stands behind wgctl's own, and before others. */
	std::string options, prefix;

	/* Encrypted packets do not pass through `home`, so they cannot run in circles. */
	bool is_apart() const { return !(home == birth); }
};

/* `name`, `pid` or path, as the user gave it; empty for the present namespace. */
Namespace open_namespace(const std::string &what, World &world);
Placement find_placement(const std::string &home, const std::string &birth, World &world);

/* The WireGuard part, without asking for the addresses of host names: for looking at a file before
 * anything is done. Each peer is there once. Throws Failure when something is wrong with it. */
Device parse_without_lookup(const QuickConfig &config, World &world);

/* Where routes go that do not go by mark; none with `Table = off`. */
std::optional<std::uint32_t> table_of_routes(const QuickConfig &config, const Placement &placement);
/* Remembers it of the running interface, for when the file has another: nothing else would tell these
 * routes from somebody else's. */
void note_table(const std::string &interface, std::optional<std::uint32_t> table, World &world);
std::optional<std::uint32_t> noted_table(const std::string &interface, World &world);

/* Whatever can be known to be wrong with a file before anything is done; throws Failure. */
void check_values(const QuickConfig &config, const Placement &placement, World &world);
/* And whether the interface is there already. */
void check_before_up(const QuickConfig &config, const Placement &placement, World &world);

/* What fits through the widest of the ways to the peers' endpoints: `way`, with these destinations. */
std::uint32_t find_mtu(const QuickConfig &config, const Device &device, PacketWay way, Network &network);

/* Both leave the program in `placement.home`. */
void bring_up(const QuickConfig &config, const Placement &placement, World &world);
/* For `exec`: keeps the undoing for later. */
void bring_up(const QuickConfig &config, const Placement &placement, Steps &steps, World &world);
void take_down(const QuickConfig &config, const Placement &placement, World &world);

/* Is there a packet that AllowedIPs send through the tunnel wherever it goes? */
bool is_default_route(const Prefix &prefix);

}
