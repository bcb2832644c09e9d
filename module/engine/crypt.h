// SPDX-License-Identifier: GPL-2.0
/* Crypt: seals and opens batches, on this CPU or on a per-CPU worker.
 *
 * Called by:  tx and rx after they put a batch into its peer's ordered queue; the poller for what was left to it
 * Context:    process() any; the worker: process. The AEAD itself runs with bottom halves off, inside one FPU section per 64 KB
 * Order:      none here: the ordered queue keeps it
 * Policy:     run to completion, without wake-up or hop, while one CPU keeps up: a batch to seal is sealed at once, received packets are
 *             left to the peer's poller, which opens a whole burst in one call of the AEAD. Behind unfinished work, or when the poller has
 *             more than a round to do, batches spread over the CPUs, and the queue stays with the workers until it has drained.
 *             Inside nested transmit functions nothing is done at once: the stack must not grow with the number of tunnels.
 */
#pragma once
#include "crypto/aead.h"
#include "engine/ordered_queue.h"

namespace wg::engine {

struct Device;

struct CpuQueue {
	SpinLock lock{WG_LOCK_CPU_QUEUE};
	PacketFifo<&Batch::work_next> work;
};

/* Takes a queued batch on; its session's reference goes with it. @pushed: as the ordered queue answered, not Refused. */
void process(Device &, Packet &head, OrderedQueue::Pushed pushed);

/* What the poller took at once, in order. */
using Run = PacketFifo<&Batch::work_next>;

/* Opens the batches of @run that were left to the drainer. [BH off] */
void open_run(const Run &run);

/* Does all work queued for @cpu. */
void run_crypt_worker(Device &, u32 cpu);

} // namespace wg::engine
