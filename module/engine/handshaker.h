// SPDX-License-Identifier: GPL-2.0
/* Handshaker: the worker side of handshakes, both roles, and who may cause how much work. [WG §5.3-5.4]
 *
 * Context:   process; one piece of work at a time, then a chance to reschedule
 * Method:    copy under the peer's lock, compute without it, commit under it and re-check
 * Strangers: mac1 before anything; under load also mac2 and the source's bucket; only then X25519. What fails is dropped in silence.
 */
#pragma once
#include "engine/peer.h"

namespace wg::engine {

/* Asks for an initiation to @peer, if rule 2 allows one now. Not a retry: the 90 s of attempts begin anew. [any] */
void request_initiation(Peer &peer, bool is_retry);

/* Does all queued handshake work. */
void run_handshake_worker(Device &);

} // namespace wg::engine
