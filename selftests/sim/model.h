// SPDX-License-Identifier: GPL-2.0
/* Model: what PROTOCOL.md's rules 1-7 and three key slots allow and demand, by the messages on the wire alone.
 *
 * Written from the rules, not from the engine: it knows no timers, only when what was last seen. Each message a host sends must have a
 * reason (may); each reason that goes unheeded for longer than SLACK is a failure (must). What lies within SLACK of a limit is not judged.
 * For two hosts that are each other's only peer, on a network that delays, loses and keeps order, and changes nothing.
 */
#pragma once
#include <optional>
#include "world.h"

namespace sim {

class Model {
public:
	explicit Model(World &world);
	/* Host @id's user wants a packet carried. */
	void wants_to_send(u32 id);
	/* Suspends host @id for @duration. */
	void suspend(u32 id, i64 duration);
	void persistent_keepalive(u32 id, u16 seconds);
	/* Checks what should have happened by now; call it often. */
	void check();
	u64 judged = 0;		/* messages */

private:
	static constexpr i64 SLACK = 60 * MILLISECOND;
	static constexpr i64 NEVER = -(1ll << 60);

	struct SessionKey {
		u32 local, remote;
		bool we_initiated;
		i64 born;
		bool late_rekey_done = false;
	};
	/* What arrives at a moment may still be under way inside the host: the last time, and the one before the last SLACK. */
	struct Times {
		i64 last = NEVER, before = NEVER;
	};
	struct Side {
		std::optional<SessionKey> previous, current, next, former_current;
		std::optional<SessionKey> alternative;	/* current, if crossed messages that came together were dealt with in the other order */
		bool next_yields = false;		/* to current, which crossed it and has the larger key behind it */
		bool current_in_doubt = false;		/* it may have been replaced before it was confirmed, or never have been */
		bool suspending = false;		/* keys are erased, workers not yet frozen */
		i64 current_changed = NEVER;
		std::optional<u32> pending_index, ended_index;
		bool pending_in_doubt = false;
		i64 clock_offset = 0;			/* its own time runs ahead after a suspend */
		i64 forgiven_until = NEVER;		/* musts are not judged before: timers are late after a suspend */
		/* Last times, machine's clock. */
		i64 wanted = NEVER, wanted_without_key = NEVER, handshake_sent = NEVER, initiation_sent = NEVER;
		i64 attempt_began = NEVER, attempt_surely_began = NEVER;	/* at the latest, at the earliest */
		Times sent, traversed;
		i64 payload_sent = NEVER, payload_received = NEVER;
		i64 completed = NEVER;
		i64 initiation_arrived = NEVER, response_allowed = NEVER, response_owed = NEVER, response_arrived = NEVER, rekey_by_receiving = NEVER, rekey_by_sending = NEVER;
		i64 unanswered_before = NEVER;		/* what was that when something was last received */
		i64 unanswered_payload = NEVER;		/* the first one sent since anything was received */
		i64 surely_unanswered = NEVER, received = NEVER;
		i64 unheeded_payload = NEVER;		/* the first one received since anything was sent */
		i64 offset_changed = NEVER;
		i64 persistent_changed = NEVER;
		u16 persistent = 0;
		bool retry_running = false, retry_owed = false;
		bool waits_for_rule_2 = false;		/* it may: somebody has wanted a handshake since the last began or completed */
	};
	void message_sent(const Sent &);
	void message_arrived(const Sent &);
	bool wants_handshake(const Side &) const;
	void initiation_leaves(Side &, const Sent &);
	void data_leaves(Side &, const Sent &);
	void authenticated(Side &, bool payload);
	bool usable(const std::optional<SessionKey> &, i64 margin) const;
	/* Whether or not what happened within the slack has been dealt with. */
	bool surely_has_key(const Side &side) const;
	void note(Times &) const;
	bool has_larger_key(const Side &side) const { return world_.host(&side - sides_).public_key > world_.host(1 - (&side - sides_)).public_key; }
	bool recently(i64 when) const { return world_.time() - when <= SLACK; }
	/* Has the host's own clock shown at least @duration since @when (within the slack)? */
	bool elapsed(const Side &, i64 when, i64 duration) const;
	[[noreturn]] void refuse(u32 id, const char *what) const;
	void demand(u32 id, i64 since, i64 duration, const char *what) const;

	World &world_;
	Side sides_[2];
};

} // namespace sim
