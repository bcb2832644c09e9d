// SPDX-License-Identifier: GPL-2.0
/* The file of a new hub. */
#pragma once

#include <string>
#include <vector>

#include "hub/hub.h"

namespace wgctl {

struct HubWishes {
	/* INTERFACE, or the path of a file INTERFACE.conf. */
	std::string name;
	/* The networks of the tunnel. One with host bits is the hub's own address in it. */
	std::vector<Prefix> networks;
	bool masquerade = false;
	/* HOST or HOST:PORT, where peers find it; may be empty. */
	std::string endpoint;
};

/* Writes it, with a new key, for nobody else to read. Throws Failure, and nothing is written, when there is something
 * of the name already, or when a network is this machine's in some other way. */
Hub make_hub(const HubWishes &wishes, World &world);

}
