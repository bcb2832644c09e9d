// SPDX-License-Identifier: GPL-2.0
#include "protocol/timers.h"

namespace wg {
namespace {

/* Zero would mean "never": a clock that starts at zero, as a test's may, loses a nanosecond rather than a deadline. */
Instant not_never(Instant instant)
{
	return instant.is_never() ? Instant{1} : instant;
}

Instant after(Instant now, Duration duration)
{
	return not_never(now + duration);
}

void arm_unless_armed(Instant &deadline, Instant when)
{
	if (deadline.is_never())
		deadline = when;
}

/* Due deadlines fire once: the asking disarms them. */
bool fires(Instant &deadline, Instant now)
{
	if (deadline.is_never() || deadline > now)
		return false;
	deadline = {};
	return true;
}

Instant earlier(Instant a, Instant b)
{
	if (a.is_never())
		return b;
	return b.is_never() || a < b ? a : b;
}

} // namespace

/* Rule 4 counts from the first packet that nothing has answered. */
void Timers::data_sent(Instant now, Duration jitter)
{
	arm_unless_armed(new_handshake_, after(now, KEEPALIVE_TIMEOUT + REKEY_TIMEOUT + jitter));
}

/* Rule 3 counts from the first packet that we have not answered, so that the peer hears us before its rule 4 fires. */
void Timers::data_received(Instant now)
{
	arm_unless_armed(send_keepalive_, after(now, KEEPALIVE_TIMEOUT));
}

void Timers::any_authenticated_packet_traversed(Instant now)
{
	if (persistent_keepalive_ != 0)
		send_persistent_keepalive_ = after(now, seconds(persistent_keepalive_));
}

bool Timers::may_initiate(Instant now) const
{
	return last_handshake_sent_.is_never() || now - last_handshake_sent_ >= REKEY_TIMEOUT;
}

void Timers::initiation_must_wait(Duration jitter)
{
	retry_handshake_ = earlier(retry_handshake_, after(last_handshake_sent_, REKEY_TIMEOUT + jitter));
}

void Timers::handshake_message_sent(Instant now)
{
	last_handshake_sent_ = not_never(now);
}

void Timers::initiation_sent(Instant now, Duration jitter)
{
	arm_unless_armed(attempt_started_, not_never(now));
	retry_handshake_ = after(now, REKEY_TIMEOUT + jitter);
}

void Timers::handshake_completed()
{
	retry_handshake_ = {};
	attempt_started_ = {};
}

void Timers::session_derived(Instant now)
{
	erase_keys_ = after(now, REJECT_AFTER_TIME * 3);
}

bool Timers::session_established(Instant born)
{
	bool had_one = !session_ends_.is_never();

	session_ends_ = after(born, REJECT_AFTER_TIME);
	return had_one;
}

bool Timers::keys_erased()
{
	bool had_session = !session_ends_.is_never();

	erase_keys_ = session_ends_ = {};
	return had_session;
}

void Timers::set_persistent_keepalive(u16 interval_seconds, Instant now)
{
	if (interval_seconds == persistent_keepalive_)
		return;
	persistent_keepalive_ = interval_seconds;
	send_persistent_keepalive_ = {};
	any_authenticated_packet_traversed(now);
}

void Timers::stop()
{
	retry_handshake_ = new_handshake_ = send_keepalive_ = erase_keys_ = send_persistent_keepalive_ = {};
	attempt_started_ = {};
	forget_last_handshake();
}

Instant Timers::next_deadline() const
{
	return earlier(earlier(earlier(retry_handshake_, new_handshake_), earlier(send_keepalive_, erase_keys_)), earlier(send_persistent_keepalive_, session_ends_));
}

/* The retry comes first: when it gives up, it takes a passive keepalive of the same moment with it. */
Actions Timers::expire(Instant now, Duration jitter)
{
	Actions actions;

	if (fires(retry_handshake_, now))
		expire_retry(now, jitter, actions);
	if (fires(new_handshake_, now)) {
		start_attempt();
		actions.forget_source = true;
		actions.send_initiation = true;
		actions.is_retry = false;
	}
	if (fires(send_keepalive_, now))
		actions.send_keepalive = true;
	if (fires(send_persistent_keepalive_, now)) {
		actions.send_keepalive = true;
		/* Sending will move it; but a keepalive that could not be sent must not be the last. */
		any_authenticated_packet_traversed(now);
	}
	if (fires(session_ends_, now))
		actions.session_ended = true;
	if (fires(erase_keys_, now))
		actions.erase_keys = true;
	return actions;
}

/* Attempts are bounded by time, not by count: with jitter, 18 of them may take longer than REKEY_ATTEMPT_TIME. */
void Timers::expire_retry(Instant now, Duration jitter, Actions &actions)
{
	if (!attempt_started_.is_never() && now - attempt_started_ >= REKEY_ATTEMPT_TIME) {
		attempt_started_ = {};
		send_keepalive_ = {};
		arm_unless_armed(erase_keys_, after(now, REJECT_AFTER_TIME * 3));
		actions.give_up = true;
		return;
	}
	actions.forget_source = true;
	actions.send_initiation = true;
	actions.is_retry = true;
	/* As if it were sent now: when memory or a route is lacking at this moment, the attempt goes on all the same. */
	initiation_sent(now, jitter);
}

} // namespace wg
