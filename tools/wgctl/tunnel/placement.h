// SPDX-License-Identifier: GPL-2.0
/* In which network namespaces an interface is, and where its routes go. */
#pragma once

#include <set>

#include "config/quick_config.h"
#include "model/machine.h"

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

/* Where routes go that do not go by mark; none with `Table = off`. */
std::optional<std::uint32_t> table_of_routes(const QuickConfig &config, const Placement &placement);
/* Remembers it of the running interface, for when the file has another: nothing else would tell these
 * routes from somebody else's. */
void note_table(const std::string &interface, std::optional<std::uint32_t> table, World &world);
std::optional<std::uint32_t> noted_table(const std::string &interface, World &world);

/* And what it was given, by wgctl and nobody else. Nothing when there is no such note. */
constexpr const char *ROUTES_NOTE = "routes", *ADDRESSES_NOTE = "addresses";
using PrefixNote = std::optional<std::set<Prefix>>;
void note_prefixes(const std::string &interface, const char *what, const PrefixNote &prefixes, World &world);
PrefixNote noted_prefixes(const std::string &interface, const char *what, World &world);
void forget_notes(const std::string &interface, World &world);

}
