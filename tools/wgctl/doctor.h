// SPDX-License-Identifier: GPL-2.0
/* What keeps a tunnel from working, in plain words, each with one remedy.
 *
 * First everything is looked at and written down in an Examination, then diagnose() judges that alone:
 * it is a pure function, which tests feed.
 */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host.h"
#include "lookout.h"
#include "names.h"
#include "outside.h"

namespace wgctl {

struct Examination {
	Device device;
	bool is_up = true;
	std::uint32_t mtu = 0;
	/* Over the interface, in whatever table. */
	std::vector<Prefix> routes;
	std::vector<Counter> counters;
	std::vector<Prefix> addresses;

	/* From the file; without one, what it would say is not known. */
	std::optional<std::string> path;
	std::optional<Device> wanted;
	PeerNames names;
	bool is_open_to_the_world = false;
	/* It leaves routes to somebody else. */
	bool is_routing_off = false;

	struct Way {
		/* The link packets to the endpoint leave by; nothing: no way. */
		std::optional<std::string> link;
		/* The largest packet that fits, from the route or a probe. */
		std::optional<std::uint32_t> mtu;
	};
	std::map<Key, Way> ways;
	/* Servers the system asks, and the link they are reached by. */
	std::map<std::string, std::optional<std::string>> name_servers;
	/* Nothing: not known. */
	std::optional<bool> forwards_ipv4, forwards_ipv6;
	std::int64_t now = 0;
};

struct Finding {
	std::string what, remedy;
};

enum class Probing { none, paths };
Examination examine(const std::string &interface, Probing probing, World &world);
std::vector<Finding> diagnose(const Examination &examination);

}
