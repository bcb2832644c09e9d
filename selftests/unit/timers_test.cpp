// SPDX-License-Identifier: GPL-2.0
#include "protocol/timers.h"
#include "support.h"

namespace wg {
namespace {

constexpr Instant T0 = {seconds(1000).ns};
constexpr Duration NO_JITTER = {0}, JITTER = milliseconds(123), NS = {1};

bool any(const Actions &actions)
{
	return actions.forget_source || actions.give_up || actions.send_initiation || actions.send_keepalive || actions.erase_keys || actions.session_ended;
}

/* What the engine does with the answer to a retry or to rule 4: it sends, in the same moment. */
void send_initiation(Timers &timers, Instant now, Duration jitter)
{
	timers.handshake_message_sent(now);
	timers.initiation_sent(now, jitter);
	timers.any_authenticated_packet_sent();
	timers.any_authenticated_packet_traversed(now);
}

/* Nothing happens before @when, and @when is the next deadline. */
Actions expire_exactly_at(Timers &timers, Instant when, Duration jitter = NO_JITTER)
{
	EXPECT_EQ(timers.next_deadline(), when);
	EXPECT_FALSE(any(timers.expire(when - NS, jitter)));
	EXPECT_EQ(timers.next_deadline(), when);
	return timers.expire(when, jitter);
}

TEST(Timers, start_with_no_deadline_and_may_initiate)
{
	Timers timers;

	EXPECT_TRUE(timers.next_deadline().is_never());
	EXPECT_TRUE(timers.may_initiate({1}));
	EXPECT_FALSE(any(timers.expire({s64{1} << 60}, NO_JITTER)));
	EXPECT_EQ(timers.persistent_keepalive(), 0);
}

/* Rule 2 */
TEST(Timers, one_initiation_per_five_seconds)
{
	Timers timers;

	timers.handshake_message_sent(T0);
	EXPECT_FALSE(timers.may_initiate(T0));
	EXPECT_FALSE(timers.may_initiate(T0 + seconds(5) - NS));
	EXPECT_TRUE(timers.may_initiate(T0 + seconds(5)));
}

TEST(Timers, a_response_counts_as_an_initiation)
{
	Timers timers;

	timers.handshake_message_sent(T0);	/* the response */
	EXPECT_FALSE(timers.may_initiate(T0 + seconds(4)));
	EXPECT_TRUE(timers.next_deadline().is_never());
}

TEST(Timers, what_a_response_holds_back_leaves_when_it_may)
{
	Timers timers;

	timers.handshake_message_sent(T0);
	timers.initiation_must_wait(JITTER);
	Actions actions = expire_exactly_at(timers, T0 + seconds(5) + JITTER);
	EXPECT_TRUE(actions.send_initiation && actions.is_retry);
	EXPECT_TRUE(timers.may_initiate(T0 + seconds(5) + JITTER));
	/* An initiation's own retry is not put off, nor brought before its time. */
	Timers other;
	send_initiation(other, T0, NO_JITTER);
	other.initiation_must_wait(JITTER);
	EXPECT_TRUE(expire_exactly_at(other, T0 + seconds(5)).send_initiation);
	/* One that a response came after moves to what that allows. */
	Timers both;
	send_initiation(both, T0, NO_JITTER);
	both.handshake_message_sent(T0 + seconds(4));
	EXPECT_TRUE(expire_exactly_at(both, T0 + seconds(5)).send_initiation);
	both.initiation_must_wait(NO_JITTER);
	EXPECT_TRUE(expire_exactly_at(both, T0 + seconds(9)).send_initiation);
}

TEST(Timers, a_key_change_lets_the_next_initiation_leave_at_once)
{
	Timers timers;

	timers.handshake_message_sent(T0);
	timers.forget_last_handshake();
	EXPECT_TRUE(timers.may_initiate(T0));
}

TEST(Timers, an_unanswered_initiation_is_repeated_after_five_seconds_and_jitter)
{
	Timers timers;

	timers.start_attempt();
	send_initiation(timers, T0, JITTER);

	Actions actions = expire_exactly_at(timers, T0 + seconds(5) + JITTER);

	EXPECT_TRUE(actions.send_initiation);
	EXPECT_TRUE(actions.is_retry);
	EXPECT_TRUE(actions.forget_source);
	EXPECT_FALSE(actions.give_up);
	EXPECT_FALSE(actions.send_keepalive);
	EXPECT_FALSE(actions.erase_keys);
	EXPECT_TRUE(timers.may_initiate(T0 + seconds(5) + JITTER));
}

/* How an attempt that nobody answers goes: the initiations' times, and when it is given up. */
struct Attempt {
	std::vector<Duration> sent;
	Duration given_up_after;
};

Attempt let_it_fail(Timers &timers, Instant start, Duration jitter)
{
	Attempt attempt = {{{0}}, {0}};

	timers.start_attempt();
	send_initiation(timers, start, jitter);
	for (int i = 0; i < 100; i++) {
		Instant now = timers.next_deadline();
		Actions actions = timers.expire(now, jitter);

		if (actions.give_up) {
			EXPECT_FALSE(actions.send_initiation);
			attempt.given_up_after = now - start;
			return attempt;
		}
		EXPECT_TRUE(actions.send_initiation && actions.is_retry && actions.forget_source);
		EXPECT_TRUE(timers.may_initiate(now));
		attempt.sent.push_back(now - start);
		send_initiation(timers, now, jitter);
	}
	ADD_FAILURE() << "never given up";
	return attempt;
}

TEST(Timers, retries_fit_in_90_seconds_whatever_the_jitter)
{
	for (Duration jitter : {NO_JITTER, JITTER, milliseconds(166), REKEY_TIMEOUT_JITTER - NS}) {
		Timers timers;
		Attempt attempt = let_it_fail(timers, T0, jitter);

		EXPECT_LT(attempt.sent.back(), seconds(90));
		EXPECT_GE(attempt.given_up_after, seconds(90));
		EXPECT_LE(attempt.given_up_after, seconds(90) + REKEY_TIMEOUT + jitter);
		for (usize i = 0; i < attempt.sent.size(); i++)
			EXPECT_EQ(attempt.sent[i], (REKEY_TIMEOUT + jitter) * static_cast<s64>(i));
	}
}

TEST(Timers, without_jitter_there_are_eighteen_initiations_and_the_end_is_at_90_seconds)
{
	Timers timers;
	Attempt attempt = let_it_fail(timers, T0, NO_JITTER);

	EXPECT_EQ(attempt.sent.size(), 18u);
	EXPECT_EQ(attempt.sent.back(), seconds(85));
	EXPECT_EQ(attempt.given_up_after, seconds(90));
}

TEST(Timers, giving_up_stops_the_passive_keepalive_and_arms_key_erasure)
{
	Timers timers;
	Instant end = T0 + seconds(90);

	timers.start_attempt();
	send_initiation(timers, T0, NO_JITTER);
	while (timers.next_deadline() < end) {
		Instant now = timers.next_deadline();

		if (timers.expire(now, NO_JITTER).send_initiation)
			send_initiation(timers, now, NO_JITTER);
	}
	timers.data_received(end - seconds(3));

	Actions actions = timers.expire(end, NO_JITTER);

	EXPECT_TRUE(actions.give_up);
	EXPECT_EQ(timers.next_deadline(), end + seconds(540));
	EXPECT_TRUE(timers.expire(end + seconds(540), NO_JITTER).erase_keys);
	EXPECT_TRUE(timers.next_deadline().is_never());
}

/* A keepalive due in the very moment of giving up is stopped too. */
TEST(Timers, giving_up_takes_a_passive_keepalive_of_the_same_moment_with_it)
{
	Timers timers;

	timers.start_attempt();
	send_initiation(timers, T0, NO_JITTER);
	timers.initiation_sent(T0 + seconds(85), NO_JITTER);
	timers.data_received(T0 + seconds(80));

	Actions actions = timers.expire(T0 + seconds(90), NO_JITTER);

	EXPECT_TRUE(actions.give_up);
	EXPECT_FALSE(actions.send_keepalive);
}

TEST(Timers, giving_up_leaves_an_earlier_key_erasure_where_it_is)
{
	Timers timers;

	timers.session_derived(T0 - seconds(100));
	let_it_fail(timers, T0, NO_JITTER);
	EXPECT_EQ(timers.next_deadline(), T0 - seconds(100) + seconds(540));
}

TEST(Timers, fresh_traffic_after_giving_up_starts_a_whole_new_attempt)
{
	Timers timers;
	Attempt first = let_it_fail(timers, T0, NO_JITTER);
	Attempt second = let_it_fail(timers, T0 + seconds(200), NO_JITTER);

	EXPECT_EQ(first.sent, second.sent);
}

TEST(Timers, fresh_traffic_during_an_attempt_gives_it_90_more_seconds)
{
	Timers timers;

	timers.start_attempt();
	send_initiation(timers, T0, NO_JITTER);
	for (int i = 1; i <= 17; i++) {
		Instant now = T0 + seconds(5 * i);

		ASSERT_TRUE(timers.expire(now, NO_JITTER).send_initiation);
		send_initiation(timers, now, NO_JITTER);
		if (i == 12)
			timers.start_attempt();
	}
	/* At 60 s the traffic came, the next initiation left at 65 s; without it all would be over at 90 s. */
	for (Instant now = T0 + seconds(90); now < T0 + seconds(155); now = now + seconds(5)) {
		Actions actions = timers.expire(now, NO_JITTER);

		ASSERT_TRUE(actions.send_initiation && !actions.give_up);
		send_initiation(timers, now, NO_JITTER);
	}
	EXPECT_TRUE(timers.expire(T0 + seconds(155), NO_JITTER).give_up);
}

/* No memory, no route: the engine could not send what it was asked to. */
TEST(Timers, a_retry_that_could_not_be_sent_is_tried_again)
{
	Timers timers;

	timers.start_attempt();
	send_initiation(timers, T0, NO_JITTER);
	EXPECT_TRUE(timers.expire(T0 + seconds(5), JITTER).send_initiation);

	Actions actions = expire_exactly_at(timers, T0 + seconds(10) + JITTER);

	EXPECT_TRUE(actions.send_initiation && actions.is_retry);
}

TEST(Timers, retries_that_can_never_be_sent_are_given_up_too)
{
	Timers timers;

	timers.start_attempt();
	timers.initiation_sent(T0, NO_JITTER);
	timers.start_attempt();
	for (int i = 0; i < 100; i++) {
		Instant now = timers.next_deadline();

		if (timers.expire(now, NO_JITTER).give_up) {
			EXPECT_EQ(now - T0, seconds(95));
			return;
		}
	}
	ADD_FAILURE() << "never given up";
}

TEST(Timers, a_completed_handshake_ends_the_retries)
{
	Timers timers;

	timers.start_attempt();
	send_initiation(timers, T0, NO_JITTER);
	timers.handshake_completed();
	EXPECT_TRUE(timers.next_deadline().is_never());
}

TEST(Timers, a_rekey_attempt_after_a_completed_one_has_its_own_90_seconds)
{
	Timers timers;

	timers.start_attempt();
	send_initiation(timers, T0, NO_JITTER);
	timers.handshake_completed();
	send_initiation(timers, T0 + seconds(120), NO_JITTER);
	EXPECT_TRUE(timers.expire(T0 + seconds(125), NO_JITTER).send_initiation);
}

/* Rule 7 */
TEST(Timers, a_session_ends_once_180_seconds_after_it_was_born)
{
	Timers timers;

	EXPECT_FALSE(timers.session_established(T0));
	EXPECT_FALSE(timers.expire(T0 + seconds(180) - NS, NO_JITTER).session_ended);
	EXPECT_TRUE(timers.expire(T0 + seconds(180), NO_JITTER).session_ended);
	EXPECT_FALSE(timers.expire(T0 + seconds(1000), NO_JITTER).session_ended);
	EXPECT_FALSE(timers.keys_erased());
	EXPECT_FALSE(timers.session_established(T0 + seconds(1000)));
}

TEST(Timers, a_newer_session_puts_the_end_off)
{
	Timers timers;

	timers.session_established(T0);
	EXPECT_TRUE(timers.session_established(T0 + seconds(120)));
	EXPECT_FALSE(timers.expire(T0 + seconds(200), NO_JITTER).session_ended);
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(300));
}

TEST(Timers, erased_keys_end_the_session_and_say_whether_there_was_one)
{
	Timers timers;

	EXPECT_FALSE(timers.keys_erased());
	timers.session_established(T0);
	timers.stop();
	EXPECT_TRUE(timers.keys_erased());
	EXPECT_TRUE(timers.next_deadline().is_never());
}

/* Rule 3 */
TEST(Timers, data_received_and_nothing_sent_for_ten_seconds_earns_one_keepalive)
{
	Timers timers;

	timers.data_received(T0);

	Actions actions = expire_exactly_at(timers, T0 + seconds(10));

	EXPECT_TRUE(actions.send_keepalive);
	EXPECT_FALSE(actions.send_initiation || actions.forget_source || actions.give_up || actions.erase_keys);
	timers.any_authenticated_packet_sent();
	EXPECT_TRUE(timers.next_deadline().is_never());
}

TEST(Timers, the_ten_seconds_count_from_the_first_unanswered_data)
{
	Timers timers;

	timers.data_received(T0);
	timers.data_received(T0 + seconds(9));
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(10));
}

TEST(Timers, anything_sent_answers_the_data_received)
{
	Timers timers;

	timers.data_received(T0);
	timers.data_received(T0 + seconds(1));
	timers.any_authenticated_packet_sent();
	EXPECT_TRUE(timers.next_deadline().is_never());
	timers.data_received(T0 + seconds(2));
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(12));
}

/* The engine does not call data_received() for a keepalive: two idle peers fall silent. */
TEST(Timers, idle_peers_do_not_play_ping_pong_with_keepalives)
{
	Timers a, b;

	b.data_received(T0);
	a.data_sent(T0, NO_JITTER);
	ASSERT_TRUE(b.expire(T0 + seconds(10), NO_JITTER).send_keepalive);
	b.any_authenticated_packet_sent();
	b.any_authenticated_packet_traversed(T0 + seconds(10));
	a.any_authenticated_packet_received();
	a.any_authenticated_packet_traversed(T0 + seconds(10));
	EXPECT_TRUE(a.next_deadline().is_never());
	EXPECT_TRUE(b.next_deadline().is_never());
}

/* Rule 4 */
TEST(Timers, data_sent_and_nothing_received_for_15_seconds_and_jitter_starts_a_handshake)
{
	Timers timers;

	timers.data_sent(T0, JITTER);
	timers.data_sent(T0 + seconds(7), NO_JITTER);

	Actions actions = expire_exactly_at(timers, T0 + seconds(15) + JITTER);

	EXPECT_TRUE(actions.send_initiation && actions.forget_source);
	EXPECT_FALSE(actions.is_retry || actions.give_up || actions.send_keepalive || actions.erase_keys);
	EXPECT_TRUE(timers.next_deadline().is_never());
}

TEST(Timers, anything_received_answers_the_data_sent)
{
	Timers timers;

	timers.data_sent(T0, NO_JITTER);
	timers.any_authenticated_packet_received();
	EXPECT_TRUE(timers.next_deadline().is_never());
	timers.data_sent(T0 + seconds(3), NO_JITTER);
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(18));
}

TEST(Timers, a_handshake_of_rule_4_is_no_retry_even_in_the_moment_of_one)
{
	Timers timers;

	timers.data_sent(T0, NO_JITTER);
	timers.start_attempt();
	send_initiation(timers, T0 + seconds(10), NO_JITTER);

	Actions actions = timers.expire(T0 + seconds(15), NO_JITTER);

	EXPECT_TRUE(actions.send_initiation && actions.forget_source);
	EXPECT_FALSE(actions.is_retry);
}

/* Rule 5 */
TEST(Timers, persistent_keepalive_is_restarted_by_every_authenticated_packet)
{
	Timers timers;

	timers.set_persistent_keepalive(25, T0);
	EXPECT_EQ(timers.persistent_keepalive(), 25);
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(25));
	timers.any_authenticated_packet_traversed(T0 + seconds(20));

	Actions actions = expire_exactly_at(timers, T0 + seconds(45));

	EXPECT_TRUE(actions.send_keepalive);
	EXPECT_FALSE(actions.send_initiation || actions.give_up || actions.erase_keys || actions.forget_source);
}

TEST(Timers, a_persistent_keepalive_that_could_not_be_sent_is_not_the_last)
{
	Timers timers;

	timers.set_persistent_keepalive(1, T0);
	for (int i = 1; i <= 100; i++)
		EXPECT_TRUE(expire_exactly_at(timers, T0 + seconds(i)).send_keepalive);
}

TEST(Timers, persistent_keepalive_of_zero_is_off)
{
	Timers timers;

	timers.set_persistent_keepalive(25, T0);
	timers.set_persistent_keepalive(0, T0 + seconds(1));
	EXPECT_TRUE(timers.next_deadline().is_never());
	timers.any_authenticated_packet_traversed(T0 + seconds(2));
	EXPECT_TRUE(timers.next_deadline().is_never());
}

/* Who applies a configuration again and again must not silence it. */
TEST(Timers, an_interval_that_is_set_again_changes_nothing)
{
	Timers timers;

	timers.set_persistent_keepalive(25, T0);
	timers.set_persistent_keepalive(25, T0 + seconds(10));
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(25));
}

TEST(Timers, a_new_interval_counts_from_when_it_is_set)
{
	Timers timers;

	timers.set_persistent_keepalive(65535, T0);
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(65535));
	timers.set_persistent_keepalive(5, T0 + seconds(100));
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(105));
}

/* Rule 6 */
TEST(Timers, keys_are_erased_540_seconds_after_the_last_session)
{
	Timers timers;

	timers.session_derived(T0);
	timers.session_derived(T0 + seconds(100));

	Actions actions = expire_exactly_at(timers, T0 + seconds(640));

	EXPECT_TRUE(actions.erase_keys);
	EXPECT_FALSE(actions.send_initiation || actions.send_keepalive || actions.give_up || actions.forget_source);
	EXPECT_TRUE(timers.next_deadline().is_never());
}

TEST(Timers, stopping_leaves_no_deadline_but_the_interval)
{
	Timers timers;

	timers.set_persistent_keepalive(25, T0);
	timers.data_sent(T0, NO_JITTER);
	timers.data_received(T0);
	timers.session_derived(T0);
	send_initiation(timers, T0, NO_JITTER);
	timers.data_received(T0);
	timers.stop();
	EXPECT_TRUE(timers.next_deadline().is_never());
	EXPECT_FALSE(any(timers.expire(T0 + seconds(100000), NO_JITTER)));
	EXPECT_EQ(timers.persistent_keepalive(), 25);
	EXPECT_TRUE(timers.may_initiate(T0));
	timers.any_authenticated_packet_traversed(T0 + seconds(1));
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(26));
}

TEST(Timers, everything_due_is_reported_at_once_after_a_long_sleep)
{
	Timers timers;

	timers.set_persistent_keepalive(25, T0);
	timers.data_sent(T0, NO_JITTER);
	timers.data_received(T0);
	timers.session_derived(T0);

	Actions actions = timers.expire(T0 + seconds(5000), NO_JITTER);

	EXPECT_TRUE(actions.send_initiation && actions.send_keepalive && actions.erase_keys && actions.forget_source);
	EXPECT_FALSE(actions.is_retry);
	EXPECT_EQ(timers.next_deadline(), T0 + seconds(5025));
}

/* A clock at and below zero: an event must never be taken for "never". */
TEST(Timers, no_deadline_falls_on_never)
{
	Timers timers;

	timers.handshake_message_sent({0});
	EXPECT_FALSE(timers.may_initiate({1}));
	timers.data_received({-seconds(10).ns});
	EXPECT_FALSE(timers.next_deadline().is_never());
	EXPECT_TRUE(timers.expire({1}, NO_JITTER).send_keepalive);
	timers.data_sent({-seconds(15).ns}, NO_JITTER);
	EXPECT_TRUE(timers.expire({1}, NO_JITTER).send_initiation);
	timers.session_derived({-seconds(540).ns});
	EXPECT_TRUE(timers.expire({1}, NO_JITTER).erase_keys);
	timers.initiation_sent({-seconds(5).ns}, NO_JITTER);
	EXPECT_TRUE(timers.expire({1}, NO_JITTER).send_initiation);
}

/* Whatever happens: what was due is gone afterwards, so that the kernel's timer is never set into the past and spins. */
TEST(Timers, after_expire_the_next_deadline_lies_in_the_future)
{
	test::Random random(30);
	Timers timers;
	Instant now = T0;

	for (int step = 0; step < 50000; step++) {
		Duration jitter = {static_cast<s64>(random.below(static_cast<u64>(REKEY_TIMEOUT_JITTER.ns)))};

		now = now + Duration{static_cast<s64>(random.below(static_cast<u64>(seconds(random.below(20) ? 3 : 100).ns)))};
		switch (random.below(14)) {
		case 0: timers.data_sent(now, jitter); break;
		case 1: timers.data_received(now); break;
		case 2: timers.any_authenticated_packet_sent(); break;
		case 3: timers.any_authenticated_packet_received(); break;
		case 4: timers.any_authenticated_packet_traversed(now); break;
		case 5: timers.start_attempt(); break;
		case 6: timers.handshake_message_sent(now); break;
		case 7: timers.initiation_sent(now, jitter); break;
		case 8: timers.handshake_completed(); break;
		case 9: timers.session_derived(now); break;
		case 10: timers.set_persistent_keepalive(static_cast<u16>(random.below(3) * 10), now); break;
		case 11: timers.session_established(now); break;
		case 12: timers.keys_erased(); break;
		case 13:
			if (random.below(10) == 0)
				timers.stop();
			break;
		}

		Instant deadline = timers.next_deadline();
		bool due = !deadline.is_never() && deadline <= now;
		Actions actions = timers.expire(now, jitter);

		ASSERT_EQ(any(actions), due) << step;
		ASSERT_TRUE(!actions.is_retry || actions.send_initiation);
		ASSERT_TRUE(timers.next_deadline().is_never() || timers.next_deadline() > now) << step;
	}
}

} // namespace
} // namespace wg
