// SPDX-License-Identifier: GPL-2.0
#include "model.h"
#include <algorithm>

namespace sim {

namespace {

/* PROTOCOL.md, "Timers and limits"; jitter is below a third of a second. */
constexpr i64 REKEY_AFTER = 120 * SECOND, REJECT_AFTER = 180 * SECOND, ATTEMPT = 90 * SECOND, RETRY = 5 * SECOND, JITTER = 333 * MILLISECOND,
	      KEEPALIVE = 10 * SECOND, SILENCE = 15 * SECOND, LATE_REKEY = 165 * SECOND, INITIATION_INTERVAL = SECOND / 50;

} // namespace

Model::Model(World &world) : world_(world)
{
	world.on_sent = [this](const Sent &sent) { message_sent(sent); };
	world.on_arrival = [this](const Sent &sent, const std::vector<u8> &) { message_arrived(sent); };
}

void Model::refuse(u32 id, const char *what) const
{
	const Side &side = sides_[id];
	auto ago = [this](i64 when) { return when == NEVER ? -1.0 : static_cast<double>(world_.time() - when) / 1e9; };

	fail("model: host %u %s (seconds ago: wanted %.3f, handshake sent %.3f, initiation %.3f, attempt began %.3f, completed %.3f, sent %.3f, "
	     "payload received %.3f, unanswered since %.3f, current key born %.3f as %s)",
	     id, what, ago(side.wanted), ago(side.handshake_sent), ago(side.initiation_sent), ago(side.attempt_surely_began), ago(side.completed),
	     ago(side.sent.last), ago(side.payload_received), ago(side.unanswered_payload), side.current ? ago(side.current->born) : -1.0,
	     side.current && side.current->we_initiated ? "initiator" : "responder");
}

bool Model::elapsed(const Side &side, i64 when, i64 duration) const
{
	/* Everything before a suspend is long ago. */
	return when <= side.offset_changed || world_.time() - when >= duration - SLACK;
}

bool Model::usable(const std::optional<SessionKey> &key, i64 margin) const
{
	return key && world_.time() - key->born < REJECT_AFTER + margin;
}

bool Model::surely_has_key(const Side &side) const
{
	return usable(side.current, -SLACK) && !side.current_in_doubt && !recently(side.current_changed);
}

void Model::note(Times &times) const
{
	if (!recently(times.last))
		times.before = times.last;
	times.last = world_.time();
}

void Model::wants_to_send(u32 id)
{
	Side &side = sides_[id];

	side.wanted = world_.time();
	if (!usable(side.current, SLACK))
		side.wanted_without_key = side.wanted;
	if (side.wanted - side.initiation_sent > RETRY + JITTER + SLACK)
		side.retry_owed = false;	/* it may have given up meanwhile */
	if (!usable(side.current, 0))
		side.attempt_began = side.attempt_surely_began = side.wanted;	/* fresh traffic: the 90 s begin anew */
}

void Model::suspend(u32 id, i64 duration)
{
	Side &side = sides_[id];
	i64 keys_erased_at = world_.time();

	side.suspending = true;
	world_.suspend(id, duration);
	side.suspending = false;
	/* What was sealed before may still leave. */
	side.former_current = side.current;
	side.current_changed = world_.time();
	side.previous = side.current = side.next = side.alternative = std::nullopt;
	/* The workers, who were not frozen at once, may have begun a handshake since, or sent one that ended. */
	if (side.initiation_sent < keys_erased_at)
		side.pending_index.reset();
	side.pending_in_doubt = true;
	side.handshake_sent = NEVER;
	side.offset_changed = world_.time();
	side.forgiven_until = world_.time() + 40 * SECOND;
	/* The time that passed may have ended the attempt, and with it what waited. */
	side.unheeded_payload = side.wanted_without_key = NEVER;
}

void Model::persistent_keepalive(u32 id, u16 seconds)
{
	sides_[id].persistent = seconds;
	sides_[id].persistent_changed = world_.time();
}

/* ---- may ---- */

bool Model::wants_handshake(const Side &side) const
{
	i64 now = world_.time();
	bool is_old = side.current && side.current->we_initiated && now - side.current->born >= REKEY_AFTER - SLACK;
	bool wanted = recently(side.wanted) && (!surely_has_key(side) || is_old);
	bool rekey = recently(side.rekey_by_sending) || recently(side.rekey_by_receiving);
	/* What arrives now may find the handshake begun. */
	bool silence = (side.unanswered_payload != NEVER && elapsed(side, side.unanswered_payload, SILENCE)) ||
		       (recently(side.received) && side.unanswered_before != NEVER && elapsed(side, side.unanswered_before, SILENCE));
	/* A keepalive that falls due without a key to send it on is a wish to send as any other. */
	bool passive = !surely_has_key(side) && side.payload_received != NEVER && elapsed(side, side.sent.last, KEEPALIVE);
	bool persistent = side.persistent && !surely_has_key(side) && elapsed(side, side.traversed.last, side.persistent * SECOND);
	/* Any setting of a peer sends what waits, and the first interval a keepalive. */
	bool configured = recently(side.persistent_changed) && (side.persistent || side.wanted_without_key != NEVER);

	return wanted || rekey || silence || passive || persistent || configured;
}

void Model::initiation_leaves(Side &side, const Sent &sent)
{
	i64 now = world_.time();
	u32 id = sent.from;

	/* Rule 2: one handshake message per REKEY_TIMEOUT. A suspend forgets the last. */
	if (!side.suspending && side.handshake_sent != NEVER && !elapsed(side, side.handshake_sent, RETRY))
		refuse(id, "initiates again within 5 s");
	bool retry = side.retry_running && elapsed(side, side.initiation_sent, RETRY) && elapsed(side, side.completed, 0) &&
		     /* Rule 4's wish, up to 15 s after the last payload, is fresh traffic too. */
		     (now - side.attempt_began <= ATTEMPT + RETRY + JITTER + SLACK ||
		      now - side.payload_sent <= SILENCE + ATTEMPT + RETRY + 2 * JITTER + SLACK || side.offset_changed > side.attempt_began || side.persistent);
	bool wants = wants_handshake(side) || side.waits_for_rule_2;

	if (!retry && !wants)
		refuse(id, "initiates without a reason");
	if (wants)
		side.attempt_began = now;
	if (!retry)
		side.attempt_surely_began = now;
	side.retry_running = side.retry_owed = true;
	side.initiation_sent = side.handshake_sent = now;
	side.pending_index = sent.sender_index;
	side.pending_in_doubt = side.waits_for_rule_2 = false;
	side.unanswered_payload = side.surely_unanswered = NEVER;
}

void Model::data_leaves(Side &side, const Sent &sent)
{
	i64 now = world_.time();
	const SessionKey *key = nullptr;

	/* Only the current key sends; a responder's new one waits for its confirmation. */
	if (side.current && side.current->remote == sent.receiver_index)
		key = &*side.current;
	else if (side.former_current && recently(side.current_changed) && side.former_current->remote == sent.receiver_index)
		key = &*side.former_current;
	else if (side.previous && recently(side.response_arrived) && side.previous->remote == sent.receiver_index)
		key = &*side.previous;	/* data that came with the response was dealt with first */
	else if (side.alternative && side.alternative->remote == sent.receiver_index) {
		side.previous = side.current;
		side.current = side.alternative;
		key = &*side.current;
	}
	if (side.current && key == &*side.current && !recently(side.current_changed)) {
		side.alternative.reset();
		side.current_in_doubt = false;
	}
	if (!key)
		refuse(sent.from, "sends data on a key that is not its current one");
	if (now - key->born >= REJECT_AFTER + SLACK)
		refuse(sent.from, "sends on a key past REJECT_AFTER_TIME");
	if (sent.is_keepalive()) {
		/* Rules 3 and 5, the first word on a new key, and the one "at once". */
		/* What was sent just now may have come when the keepalive was due already, and on its way. */
		i64 last = recently(side.sent.last) ? side.sent.before : side.sent.last;
		bool passive = side.payload_received != NEVER && elapsed(side, last, KEEPALIVE) && side.payload_received >= last - KEEPALIVE - SLACK;
		bool persistent = side.persistent && (elapsed(side, side.traversed.last, side.persistent * SECOND) ||
						      (recently(side.traversed.last) && elapsed(side, side.traversed.before, side.persistent * SECOND)));
		bool confirms = recently(side.response_arrived) || recently(side.current_changed);

		if (!passive && !persistent && !confirms && !recently(side.persistent_changed))
			refuse(sent.from, "sends a keepalive without a reason");
	} else {
		side.payload_sent = now;
		if (side.unanswered_payload == NEVER)
			side.unanswered_payload = now;
		/* Something that arrived just now may be dealt with after this left, and answer it. */
		if (side.surely_unanswered == NEVER && !recently(side.received))
			side.surely_unanswered = now;
	}
	if (key->we_initiated && now - key->born >= REKEY_AFTER - SLACK)
		side.rekey_by_sending = now;
}

void Model::message_sent(const Sent &sent)
{
	Side &side = sides_[sent.from];
	i64 now = world_.time();

	judged++;
	switch (sent.kind) {
	case INITIATION:
		initiation_leaves(side, sent);
		break;
	case RESPONSE:
		if (!recently(side.response_allowed))
			refuse(sent.from, "answers no initiation");
		side.response_allowed = side.response_owed = NEVER;
		side.handshake_sent = now;
		/* Has it answered before it got an answer? Then its own key crossed this one. When both come together the wire does not tell. */
		side.next_yields = recently(side.response_arrived) && has_larger_key(side);
		if (!recently(side.response_arrived))
			side.previous.reset();
		/* The data that confirmed a session just now may have been dealt with after this one took its place. */
		if (recently(side.current_changed) && !recently(side.response_arrived)) {
			side.alternative = side.former_current;
			side.current_in_doubt = true;
		}
		side.next = SessionKey{sent.sender_index, sent.receiver_index, false, now};
		break;
	case DATA:
		data_leaves(side, sent);
		break;
	default:
		refuse(sent.from, "sends a cookie reply without load");
	}
	note(side.sent);
	note(side.traversed);
	side.unheeded_payload = NEVER;
}

/* ---- arrivals ---- */

void Model::authenticated(Side &side, bool payload)
{
	i64 now = world_.time();

	note(side.traversed);
	side.received = now;
	if (side.unanswered_payload != NEVER)
		side.unanswered_before = side.unanswered_payload;
	side.unanswered_payload = side.surely_unanswered = NEVER;
	if (payload) {
		side.payload_received = now;
		if (side.unheeded_payload == NEVER)
			side.unheeded_payload = now;
	}
}

void Model::message_arrived(const Sent &sent)
{
	Side &side = sides_[sent.to];
	i64 now = world_.time();

	switch (sent.kind) {
	case INITIATION:
		/* 50 a second are looked at: the one after a suspend may follow its forerunner at once. */
		if (now - side.initiation_arrived > INITIATION_INTERVAL + SLACK)
			side.response_owed = now;
		side.initiation_arrived = side.response_allowed = now;
		authenticated(side, false);
		return;
	case RESPONSE:
		if (side.ended_index == sent.receiver_index && recently(side.current_changed))
			side.alternative = SessionKey{sent.receiver_index, sent.sender_index, true, now};
		if (side.pending_index != sent.receiver_index)
			return;
		side.former_current = side.previous = side.current;
		side.next_yields = has_larger_key(side);
		side.alternative.reset();
		side.current_in_doubt = side.retry_running = side.pending_in_doubt;
		side.retry_owed = false;
		side.current = SessionKey{sent.receiver_index, sent.sender_index, true, now};
		side.current_changed = side.response_arrived = side.completed = now;
		side.waits_for_rule_2 = side.pending_in_doubt;
		side.pending_index.reset();
		authenticated(side, false);
		return;
	case DATA:
		break;
	default:
		return;
	}
	for (std::optional<SessionKey> *slot : {&side.current, &side.previous, &side.next, &side.alternative}) {
		if (!*slot || (*slot)->local != sent.receiver_index || !usable(*slot, 0))
			continue;
		if (slot == &side.next && side.next_yields) {
			if (recently(side.response_arrived))
				side.alternative = side.next;
			side.previous = side.next;
			side.next.reset();
			slot = &side.previous;
		} else if (slot == &side.next) {
			side.former_current = side.previous = side.current;
			side.current = side.next;
			side.current_in_doubt = false;
			side.next.reset();
			side.current_changed = side.completed = now;
			side.retry_running = side.waits_for_rule_2 = false;
			/* One of its own that still waited is not needed any more. */
			side.ended_index = side.pending_index;
			side.pending_index.reset();
			slot = &side.current;
		}
		SessionKey &key = **slot;
		if (key.we_initiated && now - key.born >= LATE_REKEY - SLACK && !key.late_rekey_done) {
			side.rekey_by_receiving = now;
			key.late_rekey_done = now - key.born >= LATE_REKEY + SLACK;
		}
		authenticated(side, !sent.is_keepalive());
		return;
	}
}

/* ---- must ---- */

void Model::demand(u32 id, i64 since, i64 duration, const char *what) const
{
	if (since != NEVER && world_.time() - since > duration + SLACK)
		refuse(id, what);
}

void Model::check()
{
	i64 now = world_.time();

	for (u32 id = 0; id < 2; id++) {
		Side &side = sides_[id];

		side.waits_for_rule_2 = side.waits_for_rule_2 || wants_handshake(side);
		if (now < side.forgiven_until)
			continue;
		bool may_initiate = side.handshake_sent == NEVER || now - side.handshake_sent > RETRY + JITTER + 2 * SLACK;
		bool has_key = usable(side.current, -2 * SLACK) && !side.current_in_doubt && now - side.current_changed > 2 * SLACK;

		demand(id, side.response_owed, 0, "does not answer an initiation");
		/* Rule 3. Who gives up a handshake takes the keepalive with it that was due for what came before. */
		bool may_have_given_up = side.attempt_surely_began != NEVER && now >= side.attempt_surely_began + ATTEMPT - SLACK &&
					 side.unheeded_payload <= side.attempt_surely_began + ATTEMPT + RETRY + JITTER + SLACK;
		if (has_key && now - side.current->born < REJECT_AFTER - KEEPALIVE && !may_have_given_up)
			demand(id, side.unheeded_payload, KEEPALIVE, "owes a keepalive for data received");
		/* Rule 4. Whoever sent a handshake message in the last seconds has already asked, or was asked. */
		if (may_initiate)
			demand(id, side.surely_unanswered, SILENCE + JITTER, "does not start a handshake after 15 s of silence");
		/* Rule 2. A response of our own in between counts as a try. */
		if (side.retry_running && side.retry_owed && side.handshake_sent == side.initiation_sent && now - side.attempt_surely_began < ATTEMPT - RETRY - JITTER)
			demand(id, side.initiation_sent, RETRY + JITTER, "does not repeat its initiation");
		/* Rule 1. */
		if (may_initiate && side.rekey_by_sending != NEVER && side.current && side.current->we_initiated &&
		    side.rekey_by_sending - side.current->born > REKEY_AFTER + SLACK && side.rekey_by_sending > side.handshake_sent + RETRY + SLACK)
			demand(id, side.rekey_by_sending, SLACK, "does not rekey after 120 s when it sends");
		/* Rule 5. */
		if (side.persistent && has_key)
			demand(id, std::max(side.traversed.last, side.persistent_changed), side.persistent * SECOND, "owes a persistent keepalive");
		/* What was wanted while rule 2 forbade it, for a response: unless that gives a key. */
		if (side.handshake_sent > side.initiation_sent && side.wanted_without_key > std::max(side.initiation_sent, side.completed))
			demand(id, std::max(side.handshake_sent, side.wanted_without_key), RETRY + JITTER, "forgets what waits for a key");
		/* A wish to send without a key. */
		if (side.wanted_without_key > std::max(side.handshake_sent + RETRY + SLACK, side.completed))
			demand(id, side.wanted_without_key, SLACK, "has something to send, no key, and does not initiate");
	}
}

} // namespace sim
