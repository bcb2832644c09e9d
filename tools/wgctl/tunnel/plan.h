// SPDX-License-Identifier: GPL-2.0
/* The difference between a file and a running interface, and making it.
 *
 * A plan is made from the file and the system and checked as a whole before anything is done. What is
 * in it is a difference: peers that are as the file has them are not touched, so they keep sessions,
 * queues and the endpoints they were last heard from. When the system refuses a step, those before it
 * are undone. Hooks are run for an interface that is new, as by `up`, and never else.
 */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/peer_names.h"
#include "config/quick_config.h"
#include "tunnel/bring_up.h"

namespace wgctl {

struct Change {
	enum class Action { add, remove, change };
	Action action = Action::change;
	/* "peer", "allowed ip", "listen port", ... */
	std::string what;
	std::optional<Key> peer;
	/* Both absent for secrets. */
	std::optional<std::string> before, after;
};

struct ApplyOptions {
	/* An allowed IP may go from one peer to another. */
	bool steal = false;
	/* Endpoints go back to the file's even when the peer is alive elsewhere. */
	bool endpoints = false;
};

struct Plan {
	QuickConfig config;
	Placement placement;
	PeerNames names;
	/* In the order they are made. */
	std::vector<Change> changes;
	/* What differs and is meant to. */
	std::vector<Change> kept;

	/* Not there yet: all of it is brought up. */
	bool is_new = false;
	/* Of a `fresh` interface, which goes as a whole when something fails; of a `part`, when what differs
	 * besides is not asked for. */
	enum class Scope { whole, fresh, part };
	Scope scope = Scope::whole;
	bool is_fresh() const { return scope == Scope::fresh; }
	bool is_partial() const { return scope == Scope::part; }
	bool changes_device = false, changes_addresses = false, changes_routes = false, sets_up = false, closes_kill_switch = false;
	/* The WireGuard part, and as it is now. */
	Device device, present;
	/* The file's; and those that are there and nobody's business here. */
	std::vector<Prefix> wanted_addresses, others_addresses;
	std::optional<std::uint32_t> mtu;
	/* Where they go. */
	std::optional<std::uint32_t> table;
	/* All routes in the end, and those that are to go; without default routes by mark. */
	std::vector<Route> wanted_routes, removed_routes;
	/* The families that have a default route by mark in the end; and those that lose one. */
	std::vector<std::uint16_t> default_routes, removed_default_routes;
	/* Its mark, until now. */
	std::uint32_t default_route_mark = 0;
	/* What the kill switch lets out. */
	std::uint32_t kill_switch_mark = 0;
	bool starts_forwarding = false, stops_forwarding = false;
	/* Empty settings take what there is away. */
	std::optional<DnsSettings> dns;
};

/* Changes nothing. Leaves the program in `placement.home`. Throws Failure when something is wrong with
 * the file, or when one peer would take another's allowed IP. */
Plan make_plan(QuickConfig config, const Placement &placement, const ApplyOptions &options, World &world);

/* For an interface that has just been made, with its peers; or for a `change` of a running one's peers, key or
 * port (0: another) and nothing else. `config` is as it is to be; where no allowed IP comes or goes, its name is enough. */
Plan make_plan(QuickConfig config, const Placement &placement, Plan::Scope scope, const Device &change, World &world);

/* All of it; else it throws Failure that says what could not be done, and that the rest is undone. */
void carry_out(const Plan &plan, World &world);
/* The same of a change of a running interface, for a program that goes on afterwards: signals end it again then. */
void carry_out_and_go_on(QuickConfig config, const Placement &placement, const Device &change, World &world);
/* As part of something larger, whose steps these become. */
void carry_out(const Plan &plan, Steps &steps, World &world);

/* "10.0.0.0/24", with its table when that is not the main one. */
std::string text_of(const Route &route);
/* "+ peer laptop (KEY): allowed ip 10.0.0.2/32" */
std::string describe(const Change &change, const PeerNames &names);

}
