// SPDX-License-Identifier: GPL-2.0
/* A batch through one form: the integer units authenticate while the vector units encipher. [RFC 8439 §2.8]
 *
 * Called by:  aead_portable.cpp, aead_avx2.cpp, aead_neon.cpp, each with its form V; V::make() makes at least the wanted blocks, up to
 *             V::LANES, takes along some of what the authenticator has to read, and returns how many it has made
 * Context:    as the form; what is done in which order depends on lengths, and for open() on which tags were right
 *
 * seal() gives ciphertext to the authenticator when it has written it. open() gives it a message when its key is there, and holds the
 * keystream back until the tag has been compared.
 */
#pragma once
#include "crypto/aead_parts.h"
#include "crypto/authenticator.h"

namespace wg::crypto {

constexpr u32 HELD_BACK = 32;
static_assert(2 * WINDOW <= MACS);

/* What lies in the caller's workspace; what is secret in it is wiped as far as it was used. */
template <typename V> struct Room {
	Block keystream[HELD_BACK];
	Run runs[HELD_BACK]; // whose keystream it is
	Wanted<V> wanted;
	Authenticator<V> authenticator;
};

template <typename V>
[[gnu::noinline]] void make_woven(const u8 *key, const Wanted<V> &wanted, Block *keystream, Authenticator<V> &authenticator)
{
	typename Authenticator<V>::Steps steps(authenticator);

	make_blocks<V>(key, wanted, keystream, [&]() __attribute__((always_inline)) { steps.step(); });
	steps.stop();
}

/* V::make() of a form whose vectors have more than one lane. */
template <typename V>
[[gnu::always_inline]] inline u32 make_by_vectors(const u8 *key, const Wanted<V> &wanted, u32 count, Block *keystream, Authenticator<V> &authenticator)
{
	if (!authenticator.is_empty())
		return make_woven<V>(key, wanted, keystream, authenticator), V::LANES;
	if (count <= V::LANES / 4)
		return make_few_blocks<V, 1>(key, wanted, keystream), V::LANES / 4;
	if (count <= V::LANES / 2)
		return make_few_blocks<V, 2>(key, wanted, keystream), V::LANES / 2;
	return make_all_blocks<V>(key, wanted, keystream), V::LANES;
}

template <typename V> class Batch {
public:
	[[gnu::always_inline]] Batch(Direction direction, const u8 *key, Span<Message> messages, Room<V> &room)
		: direction_(direction), key_(key), messages_(messages), room_(room), authenticator_(room.authenticator), sequence_(messages)
	{
		authenticator_.clear();
		zero_bytes(&room_.wanted, sizeof(room_.wanted));
	}

	[[gnu::always_inline]] void run()
	{
		while (sequence_.more()) {
			u32 run = runs_, slot = slots_;

			make_group();
			for (; run < runs_; slot += room_.runs[run++].blocks) {
				if (room_.runs[run].is_key())
					start(room_.runs[run].message, room_.keystream[slot]);
				else if (direction_ == Direction::Seal)
					apply(room_.runs[run], room_.keystream[slot]);
			}
			if (direction_ == Direction::Seal)
				runs_ = slots_ = 0;
			else if (slots_ + V::LANES > HELD_BACK || authenticator_.is_empty())
				open_held_back();
		}
		open_held_back();
		finish_before(static_cast<u32>(messages_.size()));
		wipe_bytes(room_.keystream, most_made_ * sizeof(Block));
		authenticator_.wipe(messages_.size());
	}

private:
	[[gnu::always_inline]] void make_group()
	{
		u32 wanted = sequence_.take(room_.wanted, room_.runs, runs_);
		u32 made = slots_ + V::make(key_, room_.wanted, wanted, &room_.keystream[slots_], authenticator_);

		most_made_ = made > most_made_ ? made : most_made_;
		slots_ += wanted;
	}

	[[gnu::always_inline]] void start(u32 number, const u8 *key)
	{
		const Message &message = messages_[number];

		if (number >= MACS)
			finish_before(number - MACS + 1);
		authenticator_.start(number, key);
		if (direction_ == Direction::Open) {
			for (u32 i = 0; i < message.piece_count; i++)
				authenticator_.add_text(number, message.pieces[i].from, message.pieces[i].size);
		}
		if (direction_ == Direction::Open || length_of(message) == 0)
			authenticator_.add_end(number);
	}

	[[gnu::always_inline]] void apply(const Run &run, const u8 *keystream)
	{
		const Message &message = messages_[run.message];

		if (run.first_block == 1)
			cursor_.start(message);
		cursor_.apply(keystream, usize{run.blocks} * CIPHER_BLOCK_SIZE, [&](const u8 *at, usize size) __attribute__((always_inline)) {
			if (direction_ == Direction::Seal)
				authenticator_.add_text(run.message, at, size);
		});
		if (direction_ == Direction::Seal && authenticator_.length(run.message) == length_of(message))
			authenticator_.add_end(run.message);
	}

	[[gnu::always_inline]] void open_held_back()
	{
		for (u32 run = 0, slot = 0; run < runs_; slot += room_.runs[run++].blocks) {
			const Run &held = room_.runs[run];

			if (held.is_key())
				continue;
			finish_before(held.message + 1);
			if (messages_[held.message].authentic)
				apply(held, room_.keystream[slot]);
		}
		runs_ = slots_ = 0;
	}

	[[gnu::noinline]] void finish_before(u32 end)
	{
		for (; finished_ < end; finished_++) {
			u8 tag[TAG_SIZE];

			authenticator_.finish(finished_, tag);
			put_or_compare(direction_, tag, messages_[finished_]);
		}
	}

	const Direction direction_;
	const u8 *const key_;
	const Span<Message> messages_;
	Room<V> &room_;
	Authenticator<V> &authenticator_;
	Sequence<V> sequence_;
	Cursor<V> cursor_;
	u32 runs_ = 0, slots_ = 0, most_made_ = 0; // slots: blocks of keystream
	u32 finished_ = 0;                         // messages
};

template <typename V> [[gnu::noinline]] void run_passes(Direction direction, const u8 *key, Span<Message> messages, Room<V> &room)
{
	Batch<V>(direction, key, messages, room).run();
}

} // namespace wg::crypto
