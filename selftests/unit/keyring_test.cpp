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
	std::multiset<int> add_as_initiator(int id) { return become(next ? next : current, id, 0); }
	std::multiset<int> add_as_responder(int id) { return become(0, current, id); }
	std::multiset<int> confirm(int id) { return id && id == next ? become(current, next, 0) : std::multiset<int>(); }
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

/* Every sequence of seven moves, 78,125 of them: the slots and what leaves them, step by step. A session that left twice, stayed in two
 * slots or vanished differs from the model at that step. */
TEST(Keyring, every_sequence_of_moves_agrees_with_the_paper)
{
	enum { Initiator, Responder, ConfirmNext, ConfirmOther, Erase, Moves };
	constexpr int LENGTH = 7;

	for (int sequence = 0; sequence < 78125; sequence++) {
		Ring ring;
		Model model;
		Session sessions[LENGTH + 1];
		int rest = sequence;

		for (int step = 1; step <= LENGTH; step++, rest /= Moves) {
			Displaced<Session> out;
			std::multiset<int> expected;
			bool confirmed = false, expect_confirmed = false;
			Session &fresh = sessions[step] = {step};

			switch (rest % Moves) {
			case Initiator:
				out = ring.add_as_initiator(fresh);
				expected = model.add_as_initiator(step);
				break;
			case Responder:
				out = ring.add_as_responder(fresh);
				expected = model.add_as_responder(step);
				break;
			case ConfirmNext:
				expect_confirmed = model.next != 0;
				if (ring.next())
					confirmed = ring.confirm(*ring.next(), out);
				expected = model.confirm(model.next);
				break;
			case ConfirmOther:
				for (Session *other : {ring.current(), ring.previous(), &fresh})
					if (other)
						confirmed |= ring.confirm(*other, out);
				break;
			case Erase:
				out = ring.erase();
				expected = model.erase();
				break;
			}
			ASSERT_EQ(confirmed, expect_confirmed) << sequence << " " << step;
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

	EXPECT_TRUE(left(ring.add_as_initiator(a)).empty());
	EXPECT_EQ(ring.current(), &a);
	EXPECT_TRUE(left(ring.add_as_initiator(b)).empty());
	EXPECT_EQ(ring.previous(), &a);
	EXPECT_EQ(ring.current(), &b);
	EXPECT_EQ(left(ring.add_as_initiator(c)), (std::multiset<int>{1}));
	EXPECT_EQ(ring.previous(), &b);
}

/* The other side may already send on next: it is the better previous. */
TEST(Keyring, an_initiated_session_prefers_next_over_current_as_previous)
{
	Ring ring;
	Session a = {1}, b = {2}, c = {3};

	ring.add_as_initiator(a);
	ring.add_as_responder(b);
	EXPECT_EQ(left(ring.add_as_initiator(c)), (std::multiset<int>{1}));
	EXPECT_EQ(ring.previous(), &b);
	EXPECT_EQ(ring.current(), &c);
	EXPECT_EQ(ring.next(), nullptr);
}

TEST(Keyring, a_responders_session_is_not_used_before_it_is_confirmed)
{
	Ring ring;
	Session a = {1}, b = {2};
	Displaced<Session> out;

	ring.add_as_initiator(a);
	ring.add_as_responder(b);
	EXPECT_EQ(ring.current(), &a);
	EXPECT_EQ(ring.next(), &b);
	EXPECT_TRUE(ring.confirm(b, out));
	EXPECT_EQ(ring.current(), &b);
	EXPECT_EQ(ring.previous(), &a);
	EXPECT_EQ(ring.next(), nullptr);
	EXPECT_FALSE(ring.confirm(b, out));
}

} // namespace
} // namespace wg
