// SPDX-License-Identifier: GPL-2.0
/* Keypair: the transport keys of one session, and how long each direction may be used. [WG §6.1, §6.2]
 *
 * Called by:  engine/tx (next counters, under the peer's tx lock), engine/rx (replay, in the peer's poller)
 * Units:      born is boot time; counters count packets
 */
#pragma once
#include "protocol/handshake.h"
#include "protocol/replay.h"
#include "rt/atomic.h"

namespace wg {

enum class Role : u8 { Initiator, Responder };

struct Keypair {
	Secret<KEY_SIZE> sending_key, receiving_key;
	u64 sending_counter = 0;		/* next to hand out; the drainer of tx */
	ReplayWindow replay;			/* the poller */
	Instant born;
	SessionIndex local_index, remote_index;
	Role role = Role::Initiator;
	Atomic<bool> may_send{true};		/* false: key change or VM fork; receiving goes on until it expires */
	Atomic<bool> rekey_on_receive_done{false};	/* rule 1's "once per key" */

	/* Past REJECT_AFTER_TIME: neither direction may be used. */
	bool is_expired(Instant now) const { return now - born >= REJECT_AFTER_TIME; }
	/* May @count more packets be sent? */
	bool can_send(u32 count, Instant now) const
	{
		return may_send.load_relaxed() && !is_expired(now) && count <= REJECT_AFTER_MESSAGES - sending_counter;
	}
	/* Rule 1, on sending. */
	bool wants_rekey_after_sending(Instant now) const
	{
		return sending_counter > REKEY_AFTER_MESSAGES || (role == Role::Initiator && now - born >= REKEY_AFTER_TIME);
	}
	/* Rule 1, on receiving: true at most once per key. */
	bool wants_rekey_after_receiving(Instant now)
	{
		return role == Role::Initiator && now - born >= REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT &&
		       !rekey_on_receive_done.exchange(true);
	}
};

} // namespace wg
