// SPDX-License-Identifier: GPL-2.0
/* Crypt: seals and opens batches, for a peer's drainer or on a per-CPU worker.
 *
 * Called by:  the pollers of tx and rx for what was left to them; tx and rx hand the rest to the workers
 * Context:    crypt_run(): BH off; the worker: process. The AEAD itself runs with bottom halves off, inside one FPU section per 64 KB
 * Order:      none here: the ordered queue keeps it
 * Policy:     run to completion, without wake-up or hop, while one CPU keeps up: a peer's drainer seals or opens a whole burst in one call.
 *             When it has more than a round to do, batches spread over the CPUs, and the queue stays with the workers until it has drained.
 */
#pragma once
#include "crypto/aead.h"
#include "engine/ordered_queue.h"

namespace wg::engine {

struct Device;

/* Gives a queued batch to a worker; its session's reference goes with it. [any] */
void hand_over(Device &, Packet &head);

/* What a poller took at once, in order. */
using Run = PacketFifo<&Batch::work_next>;

/* Seals or opens the batches of @run whose work is @which: left to the drainer, or waiting for this worker. [BH off] */
void crypt_run(const Run &run, Progress which = Progress::LeftToDrainer);

/* Does what was handed over. */
void run_crypt_worker(Device &);

} // namespace wg::engine
