// SPDX-License-Identifier: GPL-2.0
/* Events: what the listeners of the family's groups are told; each is described in linux/wireguard_extensions.h.
 *
 * Called by:  config_set, handshaker, peer
 * Context:    any, without the endpoint lock; the device is registered
 * Cost:       where nobody listens, a look at the group; a listener that does not keep up loses events, nothing waits for it
 */
#pragma once
#include "engine/peer.h"
#include "linux/wireguard_extensions.h"

namespace wg::engine {

/* Of a handshake, for tracepoint and debug line alone. */
void trace(Peer &, const char *what);
void tell(Peer &, wgx_event event);
void tell_established(Peer &, Role ours, bool is_rekey);
void tell_moved(Peer &, const wg_endpoint &endpoint);
void tell_changed(Device &, u32 port_id);
/* At most ten a second: a stranger's. */
void tell_stranger(Device &, const PublicKey &claimed, const wg_endpoint &from);

} // namespace wg::engine
