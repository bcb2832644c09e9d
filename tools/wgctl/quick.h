// SPDX-License-Identifier: GPL-2.0
/* Bringing a configuration up and taking it down, the way wg-quick(8) does.
 *
 * Up is a row of steps, each of which, once done, knows how to be undone. When a step fails, those
 * before it are undone in reverse order and the failure goes on to the caller. Hooks are not undone:
 * what they did is not known here.
 */
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host.h"
#include "outside.h"
#include "quick_config.h"

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

	/* Encrypted packets do not pass through `home`, so they cannot run in circles. */
	bool is_apart() const { return !(home == birth); }
};

/* `name`, `pid` or path, as the user gave it; empty for the present namespace. */
Namespace open_namespace(const std::string &what, World &world);
Placement find_placement(const std::string &home, const std::string &birth, World &world);

/* What was done and can be undone. */
class UndoList {
public:
	enum class Tells { all, failures };
	UndoList(Terminal &terminal, Tells tells) : terminal_(terminal), tells_(tells) {}
	UndoList(const UndoList &) = delete;
	/* Undoes what was not kept. */
	~UndoList() { undo(); }

	void add(std::string what, std::function<void()> action) { steps_.push_back({std::move(what), std::move(action)}); }
	void keep() { steps_.clear(); }
	/* Goes on after a failure, and tells it. */
	void undo();

private:
	struct Step {
		std::string what;
		std::function<void()> action;
	};
	Terminal &terminal_;
	Tells tells_;
	std::vector<Step> steps_;
};

/* The WireGuard part, without asking for the addresses of host names: for looking at a file before
 * anything is done. Throws Failure when something is wrong with it. */
Device parse_without_lookup(const QuickConfig &config, World &world);

/* Both leave the program in `placement.home`. */
void bring_up(const QuickConfig &config, const Placement &placement, World &world);
/* For `exec`: keeps the undoing for later. */
void bring_up(const QuickConfig &config, const Placement &placement, UndoList &undo, World &world);
void take_down(const QuickConfig &config, const Placement &placement, World &world);

/* For `apply`: default routes of an interface that is up, with their rules and filters. */
void add_default_routes(const QuickConfig &config, const Placement &placement, const Device &device,
			const std::vector<Prefix> &prefixes, World &world);
void delete_default_route(const QuickConfig &config, const Placement &placement, const Device &device, const Prefix &prefix,
			  World &world);

/* The nftables commands; parts of the interface for tests. */
std::string filter_table(const std::string &interface);
std::string filter_setup(const std::string &interface, std::uint16_t family, std::uint32_t mark,
			 const std::vector<Prefix> &addresses);

/* resolv.conf for these settings. */
std::string resolv_conf(const DnsSettings &settings, const std::string &interface);

/* Is there a packet that AllowedIPs send through the tunnel wherever it goes? */
bool is_default_route(const Prefix &prefix);

}
