// SPDX-License-Identifier: GPL-2.0
/* Timers: one peer's deadlines. Events go in with `now`; out come the next deadline and, when it has come, what to do. [WG §6]
 *
 * Called by:  engine/peer, from tx, rx and handshake work, and from the peer's one kernel timer
 * Context:    any; never sleeps
 * Serialised: by the peer's timers lock
 * Units:      Instant of boot time; jitter is in ns, drawn by the caller from [0, REKEY_TIMEOUT_JITTER)
 * Rules:      1 rekey when sending on a key of ours past 120 s, receiving past 165 s; 2 one handshake message in 5 s, retries for 90 s; 3 a
 *             keepalive for data unanswered for 10 s; 4 a handshake after 15 s of silence; 5 persistent keepalive; 6 keys are erased after 540 s
 *             without a new one; 7 a key past 180 s or its last counter is not used (1 and 7 live in Keypair)
 */
#pragma once
#include "rt/time.h"
#include "wire/constants.h"

namespace wg {

/* What the engine must do now; done in this order. */
struct Actions {
	bool forget_source = false;		/* rules 2 and 4: sticky source address */
	bool give_up = false;			/* rule 2: drop staged packets */
	bool send_initiation = false;		/* rules 2 and 4; the engine asks may_initiate() first, as always */
	bool is_retry = false;			/* rule 2: the attempt goes on; otherwise a new one starts */
	bool send_keepalive = false;		/* rules 3 and 5 */
	bool session_ended = false;		/* rule 7: the newest one may be used no more */
	bool erase_keys = false;		/* rule 6: all key material, also a handshake in flight */
};

class Timers {
public:
	/* Events of the data path. Any authenticated packet also counts as any_authenticated_*; the engine calls both. */
	void data_sent(Instant now, Duration jitter);		/* with payload: rule 4 */
	void data_received(Instant now);			/* with payload: rule 3 */
	void any_authenticated_packet_sent() { send_keepalive_ = {}; }	/* handshake messages and keepalives too: ends rule 3 */
	void any_authenticated_packet_received() { new_handshake_ = {}; }	/* ends rule 4 */
	void any_authenticated_packet_traversed(Instant now);	/* either direction: rule 5 */

	/* Events of the handshake. */
	bool may_initiate(Instant now) const;			/* rule 2: one message per REKEY_TIMEOUT, a response counts */
	void start_attempt() { attempt_started_ = {}; }		/* fresh traffic or first start, not a retry: the 90 s begin anew */
	void initiation_must_wait(Duration jitter);		/* for rule 2: it leaves by itself then, as a retry does */
	void handshake_message_sent(Instant now);		/* initiation or response */
	void initiation_sent(Instant now, Duration jitter);	/* arms the retry; besides handshake_message_sent() */
	void handshake_completed();				/* response received, or own response confirmed */
	void session_derived(Instant now);			/* arms rule 6 */
	/* Rule 6 has nothing left to do, and its time may pass meanwhile, in a suspend. Returns whether there was a session. */
	bool keys_erased();
	/* The newest session, which is used from now on. Returns whether there was one before. */
	bool session_established(Instant born);
	void forget_last_handshake() { last_handshake_sent_ = {}; }	/* it was a former identity's: the next initiation may leave at once */

	/* @interval 0 = off. One that it has already changes nothing: who applies a configuration often must not silence it. The caller
	 * sends the one "at once" when the interface is up. */
	void set_persistent_keepalive(u16 interval_seconds, Instant now);
	u16 persistent_keepalive() const { return persistent_keepalive_; }
	/* Interface down or peer removed: no deadline is left but the session's end, which is keys_erased()'s (the interval stays configured), and
	 * the next initiation may leave at once. Events after it arm deadlines again: the caller stops those first. */
	void stop();

	/* Never when none is armed. */
	Instant next_deadline() const;
	Instant next_retry() const { return retry_handshake_; }
	/* All that is due at @now; deadlines that fired are disarmed or moved. */
	Actions expire(Instant now, Duration jitter);

private:
	Instant retry_handshake_, new_handshake_, send_keepalive_, erase_keys_, send_persistent_keepalive_, session_ends_;
	Instant last_handshake_sent_;
	Instant attempt_started_;		/* never: with the next initiation */
	u16 persistent_keepalive_ = 0;

	void expire_retry(Instant now, Duration jitter, Actions &);
};

} // namespace wg
