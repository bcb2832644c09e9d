// SPDX-License-Identifier: GPL-2.0
/* Private keys of peers that whoever runs the hub wants kept, so that their files can be written again:
 * INTERFACE.client-keys beside the hub's file, for nobody else to read. A line a peer: its public key, a blank, its
 * private key.
 *
 * Both throw Failure when others may read the file.
 */
#pragma once

#include <optional>

#include "hub/hub.h"
#include "tunnel/steps.h"

namespace wgctl {

/* Nothing when it is not kept. Throws Failure, too, when its line has another key. */
std::optional<Key> kept_key(const Hub &hub, const Key &peer, World &world);

/* The change's key is kept from now on, if it has one, and those of peers that are not in its text are no longer. */
void keep_client_keys(const Hub &hub, const HubChange &change, Steps &steps, World &world);

}
