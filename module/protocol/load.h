// SPDX-License-Identifier: GPL-2.0
/* Load: when a device is under load, which handshake work comes next, and how many workers do it. [WG §5.3]
 *
 * Called by:  engine/handshake_queue
 * Serialised: by the queue's lock
 * Under load: while 512 or more messages wait, and for one second after. Only what is not done in time counts: a message costs the same
 *             whomever it names, and honest strangers (removed peers, a restored clock) are no load as long as the workers keep up.
 * Workers:    half of the CPUs; under load one. What the workers just keep up with, and what they do not, leaves the rest of the machine
 *             to those who have sessions.
 */
#pragma once
#include "wire/constants.h"

namespace wg {

class Load {
public:
	/* With @messages waiting. */
	bool is_under(u32 messages, Instant now);

	enum class Turn : u8 { Nobody, Message, Initiation };
	/* What is there; of both, each in its turn: what we owe never starves what we get, nor the reverse. */
	Turn next(bool message_waits, bool initiation_waits);

	/* May a worker take work, beside @others who do? The first one always may. */
	bool admits_worker(u32 others, u32 cpus, u32 messages, Instant now);
	/* Shall a worker be woken for what comes behind @waiting pieces of work? For the first, and again when they get many. */
	static bool wakes_worker(u32 waiting) { return waiting % 16 == 0; }

private:
	Instant until_;
	bool message_was_last_ = false;
};

} // namespace wg
