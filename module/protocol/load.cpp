// SPDX-License-Identifier: GPL-2.0
#include "protocol/load.h"

namespace wg {

bool Load::is_under(u32 messages, Instant now)
{
	if (messages >= UNDER_LOAD_HANDSHAKES)
		until_ = now + UNDER_LOAD_AFTER;
	return now < until_;
}

Load::Turn Load::next(bool message_waits, bool initiation_waits)
{
	if (!message_waits && !initiation_waits)
		return Turn::Nobody;
	message_was_last_ = message_waits && !(initiation_waits && message_was_last_);
	return message_was_last_ ? Turn::Message : Turn::Initiation;
}

bool Load::admits_worker(u32 others, u32 cpus, u32 messages, Instant now)
{
	return others < (is_under(messages, now) || cpus < 2 ? 1 : cpus / 2);
}

} // namespace wg
