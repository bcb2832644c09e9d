// SPDX-License-Identifier: GPL-2.0
/* What keeps a tunnel from working, in plain words, each with one remedy.
 *
 * First everything is looked at and written down in an Examination, then diagnose() judges that alone:
 * it is a pure function, which tests feed.
 */
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/peer_names.h"
#include "model/machine.h"
#include "model/outside.h"
#include "tunnel/placement.h"

namespace wgctl {

struct Examination {
	Device device;
	/* The kill switch's table, when it is closed; and whether it is all there is of the interface. */
	std::string kill_switch;
	bool is_missing = false;
	bool is_up = true;
	/* What its sockets are bound to is not there (any more). */
	bool lacks_bound_link = false, lacks_bound_address = false;
	std::uint32_t mtu = 0;
	/* Over the interface, in whatever table; and those among them that nobody's address brought. */
	std::vector<Prefix> routes;
	std::vector<Route> added_routes;
	/* Allowed IPs whose packets leave by another link, or, when that is empty, not at all. */
	std::map<Prefix, std::string> elsewhere;
	/* Those of our module; others count nothing. Of the time since the peers in `asked` were, or of
	 * all its life. */
	std::vector<Counter> counters;
	/* Packets of peers from addresses that are not theirs, while it was looked. */
	std::uint64_t wrong_sources = 0;
	/* Who had no session, and was sent something to make one; to whom this machine's own filter lets nothing into the tunnel. */
	std::set<Key> asked, shut_out;

	/* From the file; without one, what it would say is not known. */
	std::optional<std::string> path;
	std::optional<Device> wanted;
	/* Why the file cannot be used. */
	std::string file_trouble;
	PeerNames names;
	bool is_open_to_the_world = false;
	/* For the remedies: Placement's. */
	std::string options, prefix;
	/* It leaves routes to somebody else; its peers are not meant to reach each other. */
	bool is_routing_off = false, is_isolating = false;
	/* What is missing of the default routes that the file asks for, in words. */
	std::vector<std::string> lost_parts;
	/* The same of its forwarding. */
	std::vector<std::string> lost_forwarding;
	/* Where the interface is not as the file has it, in words; but what has a field of its own here. */
	std::vector<std::string> differences;
	/* Why there is no address for an endpoint's name. */
	std::map<Key, std::string> unknown_names;
	/* Of other links. */
	std::multimap<std::string, Prefix> other_addresses;
	/* Packets the reverse path filter dropped while it was looked, and whether it is strict here. */
	std::uint64_t reverse_path_drops = 0;
	bool is_reverse_path_strict = false;

	struct Way {
		/* The link packets to the endpoint leave by; nothing: no way. */
		std::optional<std::string> link;
		/* That is the tunnel itself. */
		bool is_tunnel = false;
		/* The largest packet that fits, from the route or a probe. */
		std::optional<std::uint32_t> mtu;
		/* Nobody listens there; or nothing gets out to there. */
		bool is_refused = false, is_forbidden = false;
		/* The largest packet that came back through the tunnel, where those of its MTU are lost. */
		std::optional<std::uint32_t> largest_inside = {};
	};
	std::map<Key, Way> ways;
	/* Servers the system asks, and the link they are reached by; and one that programs ask instead of the file's. */
	std::map<std::string, std::optional<std::string>> name_servers;
	std::optional<std::string> asked_instead;
	/* What comes in by the interface; nothing: not known. */
	std::optional<bool> forwards_ipv4, forwards_ipv6;
	std::int64_t now = 0;

	/* As the file has it; null when it has none. */
	const Peer *wanted_peer(const Key &key) const { return wanted ? peer_with(key, wanted->peers) : nullptr; }
};

/* Whom to examine, and where: its file if it has one; the namespaces of the interface and its sockets. */
struct Patient {
	std::string interface, path;
	/* Where the files of its namespace's programs are, if they are elsewhere. */
	std::string root;
	Placement placement;
};

/* `paths`: sends a few packets, to peers without a session and along the paths to endpoints. Takes
 * 2 s, or 6 while somebody does not answer. */
enum class Probing { none, paths };
Examination examine(const Patient &patient, Probing probing, World &world);

}
