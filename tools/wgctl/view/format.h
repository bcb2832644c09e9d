// SPDX-License-Identifier: GPL-2.0
/* A device as text, in the forms people and scripts know from wg(8). Nothing is printed here. */
#pragma once

#include <string>
#include <string_view>

#include "config/peer_names.h"

namespace wgctl {

struct Style {
	bool colour = false;
	bool hide_keys = true;
	/* With the state, where there is one. */
	bool is_verbose = false;
};

/* For people; `now` in seconds of wall clock, for ages. Peers are sorted, latest handshake first, and
 * go by their name where they have one. Without names it is, to the byte, what wg(8) prints. */
Text format_pretty(const Device &device, const Style &style, std::int64_t now, const PeerNames &names = {});

/* For scripts: lines of tab-separated fields. With `with_name`, the interface's name comes first.
 * The names of the single fields are those of wg(8), "dump" among them. */
Text format_field(const Device &device, std::string_view field, bool with_name);

/* A configuration file that brings the device to this state. */
Text format_config(const Device &device);

}
