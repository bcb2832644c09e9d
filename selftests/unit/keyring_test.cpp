// SPDX-License-Identifier: GPL-2.0
#include <set>

#include "protocol/keyring.h"
#include "support.h"

namespace wg {
namespace {

/* The ring moves pointers only: any type will do. */
struct Session {
	int id;
};
using Ring = Keyring<Session>;

/* The ring of §6.3 with sessions as numbers; 0 is an empty slot. Each move returns what left. */
struct Model {
	int previous = 0, current = 0, next = 0;
	bool next_yields = false;

	std::multiset<int> become(int p, int c, int n)
	{
		std::multiset<int> left;

		for (int id : {previous, current, next})
			if (id && id != p && id != c && id != n)
				left.insert(id);
		previous = p;
		current = c;
		next = n;
		return left;
	}
	std::multiset<int> add_as_initiator(int id, bool prevails)
	{
		next_yields = prevails;
		return become(current, id, next);
	}
	std::multiset<int> add_as_responder(int id)
	{
		next_yields = false;
		return become(0, current, id);
	}
	std::multiset<int> confirm(int id)
	{
		if (!id || id != next)
			return {};
		return next_yields ? become(next, current, 0) : become(current, next, 0);
	}
	std::multiset<int> erase() { return become(0, 0, 0); }
};

int id_of(const Session *session)
{
	return session ? session->id : 0;
}

std::multiset<int> left(const Displaced<Session> &displaced)
{
	std::multiset<int> ids;

	for (Session *session : displaced.session)
		if (session)
			ids.insert(session->id);
	return ids;
}

/* Every sequence of seven moves, 279,936 of them: the slots and what leaves them, step by step. A session that left twice, stayed in two
 * slots or vanished differs from the model at that step. */
TEST(Keyring, every_sequence_of_moves_agrees_with_the_paper)
{
	enum { Initiator, InitiatorPrevails, Responder, ConfirmNext, ConfirmOther, Erase, Moves };
	constexpr int LENGTH = 7;

	for (int sequence = 0; sequence < 279936; sequence++) {
		Ring ring;
		Model model;
		Session sessions[LENGTH + 1];
		int rest = sequence;

		for (int step = 1; step <= LENGTH; step++, rest /= Moves) {
			Displaced<Session> out;
			std::multiset<int> expected;
			bool is_current = false, expect_current = false;
			Session &fresh = sessions[step] = {step};

			switch (rest % Moves) {
			case Initiator:
			case InitiatorPrevails:
				out = ring.add_as_initiator(fresh, rest % Moves == InitiatorPrevails, Unshared());
				expected = model.add_as_initiator(step, rest % Moves == InitiatorPrevails);
				break;
			case Responder:
				out = ring.add_as_responder(fresh, Unshared());
				expected = model.add_as_responder(step);
				break;
			case ConfirmNext:
				expect_current = model.next != 0 && !model.next_yields;
				if (ring.next())
					is_current = ring.confirm(*ring.next(), out, Unshared());
				expected = model.confirm(model.next);
				break;
			case ConfirmOther:
				for (Session *other : {ring.current(), ring.previous(), &fresh})
					if (other)
						is_current |= ring.confirm(*other, out, Unshared());
				break;
			case Erase:
				out = ring.erase(Unshared());
				expected = model.erase();
				break;
			}
			ASSERT_EQ(is_current, expect_current) << sequence << " " << step;
			ASSERT_EQ(left(out), expected) << sequence << " " << step;
			ASSERT_EQ(id_of(ring.previous()), model.previous) << sequence << " " << step;
			ASSERT_EQ(id_of(ring.current()), model.current) << sequence << " " << step;
			ASSERT_EQ(id_of(ring.next()), model.next) << sequence << " " << step;
		}
	}
}

TEST(Keyring, a_response_makes_its_session_current_and_keeps_the_old_one)
{
	Ring ring;
	Session a = {1}, b = {2}, c = {3};

	EXPECT_TRUE(left(ring.add_as_initiator(a, false, Unshared())).empty());
	EXPECT_EQ(ring.current(), &a);
	EXPECT_TRUE(left(ring.add_as_initiator(b, false, Unshared())).empty());
	EXPECT_EQ(ring.previous(), &a);
	EXPECT_EQ(ring.current(), &b);
	EXPECT_EQ(left(ring.add_as_initiator(c, false, Unshared())), (std::multiset<int>{1}));
	EXPECT_EQ(ring.previous(), &b);
}

/* What a crossed handshake leaves on both sides, and what the first data on either session makes of it. */
TEST(Keyring, crossed_sessions_end_in_the_one_that_prevails)
{
	for (bool prevails : {false, true}) {
		Ring ring;
		Session old = {1}, theirs = {2}, ours = {3};
		Displaced<Session> out;

		ring.add_as_initiator(old, prevails, Unshared());
		ring.add_as_responder(theirs, Unshared());
		EXPECT_TRUE(left(ring.add_as_initiator(ours, prevails, Unshared())).empty());
		EXPECT_EQ(ring.current(), &ours);
		EXPECT_EQ(ring.previous(), &old);	/* the other side sends on it until it hears from ours */
		EXPECT_EQ(ring.next(), &theirs);
		/* Whoever keeps its own goes on with a handshake that it began since. */
		EXPECT_EQ(ring.confirm(theirs, out, Unshared()), !prevails);
		EXPECT_EQ(left(out), (std::multiset<int>{1}));
		EXPECT_EQ(ring.current(), prevails ? &ours : &theirs);
		EXPECT_EQ(ring.previous(), prevails ? &theirs : &ours);
		EXPECT_EQ(ring.next(), nullptr);
	}
}

/* One that prevailed once does so over what it crossed, not over what comes later: the peer may have lost it. */
TEST(Keyring, a_later_response_of_ours_is_confirmed_as_any)
{
	Ring ring;
	Session ours = {1}, theirs = {2};
	Displaced<Session> out;

	ring.add_as_initiator(ours, true, Unshared());
	ring.add_as_responder(theirs, Unshared());
	EXPECT_TRUE(ring.confirm(theirs, out, Unshared()));
	EXPECT_EQ(ring.current(), &theirs);
	EXPECT_EQ(ring.previous(), &ours);
}

TEST(Keyring, a_responders_session_is_not_used_before_it_is_confirmed)
{
	Ring ring;
	Session a = {1}, b = {2};
	Displaced<Session> out;

	ring.add_as_initiator(a, false, Unshared());
	ring.add_as_responder(b, Unshared());
	EXPECT_EQ(ring.current(), &a);
	EXPECT_EQ(ring.next(), &b);
	EXPECT_TRUE(ring.confirm(b, out, Unshared()));
	EXPECT_EQ(ring.current(), &b);
	EXPECT_EQ(ring.previous(), &a);
	EXPECT_EQ(ring.next(), nullptr);
	EXPECT_FALSE(ring.confirm(b, out, Unshared()));
}

} // namespace
} // namespace wg
