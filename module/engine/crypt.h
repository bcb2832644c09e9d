// SPDX-License-Identifier: GPL-2.0
/* Crypt: seals and opens batches, at once on this CPU or on a per-CPU worker.
 *
 * Called by:  tx and rx after they put a batch into its peer's ordered queue
 * Context:    process() any; the worker: process. The AEAD itself runs with bottom halves off, inside one FPU section per 64 KB
 * Order:      none here: the ordered queue keeps it
 * Policy:     a batch before which nothing is unfinished is done at once (no wake-up, no hop); the others spread over the CPUs, and their
 *             queue stays with the workers until it has drained. Inside nested transmit functions nothing is done at once: the stack
 *             must not grow with the number of tunnels.
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

/* Takes a queued batch on; its session's reference goes with it. @pushed: as the ordered queue answered. */
void process(Device &, Packet &head, OrderedQueue::Pushed pushed);

/* Does all work queued for @cpu. */
void run_crypt_worker(Device &, u32 cpu);

} // namespace wg::engine
