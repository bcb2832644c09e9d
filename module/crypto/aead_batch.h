// SPDX-License-Identifier: GPL-2.0
/* A batch through one form: which block lies in which lane, what comes before what, and who is let through. [RFC 8439 §2.8]
 *
 * Called by:  aead_portable.cpp, aead_avx2.cpp, aead_avx512.cpp, each with its form V
 * Context:    as the form
 * Units:      a window is up to WINDOW<V> messages whose tags are computed together. The blocks of a batch form one sequence: of
 *             each window first the key block (number 0) of every message, then their bodies; passes cut it without regard to windows
 */
#pragma once
#include "crypto/chacha20.h"
#include "crypto/poly1305_lanes.h"

namespace wg::crypto {

constexpr u32 MAC_KEY_SIZE = 32;

/* Consecutive blocks of one message, which is counted from the start of its window. */
struct Run {
	u32 message, first_block, blocks;
	bool is_key() const { return first_block == 0; }
};

/* A place in the sequence. Two of them walk each pass: one says what to make, the other what to do with it. */
template <typename V> class Walker {
public:
	[[gnu::always_inline]] explicit Walker(Span<Message> messages) : window_(messages.data()), left_(messages.size()) { open_window(); }

	Message *window() const { return window_; }
	u32 size() const { return size_; }
	bool is_last_key(const Run &run) const { return run.is_key() && run.message + 1 == size_; }
	bool window_is_done() const { return item_ == 2 * size_; }

	[[gnu::always_inline]] bool more()
	{
		if (window_is_done()) {
			window_ += size_;
			left_ -= size_;
			open_window();
		}
		return size_ > 0;
	}

	/* Only after more(). At most @limit blocks. */
	[[gnu::always_inline]] Run next(u32 limit)
	{
		if (item_ < size_) {
			Run key = {item_, 0, 1};

			item_++;
			settle();
			return key;
		}
		Run run = {item_ - size_, block_, limit};

		if (limit > last_block_ - block_) {
			run.blocks = last_block_ - block_ + 1;
			item_++;
			settle();
		} else {
			block_ += limit;
		}
		return run;
	}

	/* Between two passes of open(): once this window's tags are checked, the bodies of forged messages are passed over. */
	[[gnu::always_inline]] void pass_over_forged()
	{
		tags_checked_ = item_ >= size_;
		if (tags_checked_ && !window_is_done() && !window_[item_ - size_].authentic) {
			item_++;
			settle();
		}
	}

private:
	[[gnu::always_inline]] void open_window()
	{
		size_ = left_ < WINDOW<V> ? static_cast<u32>(left_) : WINDOW<V>;
		item_ = 0;
		tags_checked_ = false;
	}

	[[gnu::always_inline]] void settle()
	{
		for (; item_ >= size_ && item_ < 2 * size_; item_++) {
			const Message &message = window_[item_ - size_];

			block_ = 1;
			last_block_ = static_cast<u32>((length_of(message) + CIPHER_BLOCK_SIZE - 1) / CIPHER_BLOCK_SIZE);
			if (last_block_ > 0 && (!tags_checked_ || message.authentic))
				break;
		}
	}

	Message *window_;
	usize left_;                        // messages from the window on
	u32 size_, item_;                   // items: the window's keys, then its bodies
	u32 block_ = 0, last_block_ = 0;    // of the body at hand
	bool tags_checked_;
};

/* Through the pieces of the message whose body is at hand. */
template <typename V> class Cursor {
public:
	[[gnu::always_inline]] void start(const Message &message)
	{
		piece_ = message.pieces;
		end_ = piece_ + message.piece_count;
		offset_ = 0;
	}

	/* The next @size bytes, or what is left of the message. */
	[[gnu::always_inline]] void apply(const u8 *keystream, usize size)
	{
		while (piece_ != end_) {
			usize run = piece_->size - offset_ < size ? piece_->size - offset_ : size;

			combine(piece_->to + offset_, piece_->from + offset_, keystream, run);
			keystream += run;
			size -= run;
			offset_ += static_cast<u32>(run);
			if (offset_ < piece_->size)
				return;
			piece_++;
			offset_ = 0;
		}
	}

private:
	template <typename T> [[gnu::always_inline]] static void combine_one(u8 *&to, const u8 *&from, const u8 *&keystream)
	{
		T text, key;

		copy_bytes(&text, from, sizeof(T));
		copy_bytes(&key, keystream, sizeof(T));
		text ^= key;
		copy_bytes(to, &text, sizeof(T));
		to += sizeof(T);
		from += sizeof(T);
		keystream += sizeof(T);
	}

	[[gnu::always_inline]] static void combine(u8 *to, const u8 *from, const u8 *keystream, usize size)
	{
#pragma GCC unroll 4
		for (; size >= sizeof(typename V::Text); size -= sizeof(typename V::Text))
			combine_one<typename V::Text>(to, from, keystream);
		for (; size >= sizeof(u64); size -= sizeof(u64))
			combine_one<u64>(to, from, keystream);
		for (; size >= sizeof(u32); size -= sizeof(u32))
			combine_one<u32>(to, from, keystream);
		for (; size > 0; size--)
			combine_one<u8>(to, from, keystream);
	}

	const Piece *piece_ = nullptr, *end_ = nullptr;
	u32 offset_ = 0;
};

/* What tells the way of getting a window's sums that costs least; in cycles, roughly. */
template <typename V> [[gnu::always_inline]] inline u64 cost_alone(u64 blocks)
{
	u64 plain = blocks * V::PLAIN_BLOCK, striped = V::STRIPED_SETUP + blocks * V::STEP / (2 * V::MAC_LANES);

	return plain < striped ? plain : striped;
}

/* What lies in the caller's workspace. Its parts are wiped when they have been used: for one small message, wiping all would take a
 * fifth of its time. */
template <typename V> struct Room {
	Pass<V> pass;
	MacRoom<V> mac;
	struct {
		bool used_mac;
		u32 blocks_made; // at most, by one pass
		MacStream<V> streams[WINDOW<V>];
		Number multipliers[WINDOW<V>], sums[WINDOW<V>];
		u8 keys[WINDOW<V>][MAC_KEY_SIZE];
	} window;
};

template <typename V> [[gnu::noinline]] void authenticate(Direction direction, Message *window, u32 size, Room<V> &room)
{
	MacStream<V> *streams = room.window.streams;
	Number *multipliers = room.window.multipliers, *sums = room.window.sums;
	const u8 (*keys)[MAC_KEY_SIZE] = room.window.keys;
	u64 longest = 0, alone = 0;

	for (u32 i = 0; i < size; i++) {
		streams[i].start(window[i], direction);
		multipliers[i] = clamped_multiplier(keys[i]);
		u64 blocks = streams[i].blocks();
		longest = blocks > longest ? blocks : longest;
		alone += cost_alone<V>(blocks);
	}
	if constexpr (V::MAC_LANES > 1) {
		if (alone > V::LANES_SETUP + longest * V::STEP / 2) {
			room.window.used_mac = true;
			mac_lanes<V>(streams, size, multipliers, sums, room.mac);
		} else {
			for (u32 i = 0; i < size; i++) {
				u64 blocks = streams[i].blocks();
				bool plain = cost_alone<V>(blocks) == blocks * V::PLAIN_BLOCK;

				room.window.used_mac |= !plain;
				sums[i] = plain ? mac_plain<V>(streams[i], multipliers[i]) : mac_striped<V>(streams[i], multipliers[i], room.mac);
			}
		}
	} else {
		for (u32 i = 0; i < size; i++)
			sums[i] = mac_plain<V>(streams[i], multipliers[i]);
	}
	for (u32 i = 0; i < size; i++) {
		u8 tag[TAG_SIZE];

		finish(sums[i], keys[i] + 16, tag);
		if (direction == Direction::Seal)
			copy_bytes(window[i].tag, tag, TAG_SIZE);
		else
			window[i].authentic = same_bytes_constant_time(window[i].tag, tag, TAG_SIZE);
	}
}

template <typename V> [[gnu::noinline]] void run_passes(Direction direction, const u8 *key, Span<Message> messages, Room<V> &room)
{
	Pass<V> &pass = room.pass;
	Cursor<V> cursor;
	Walker<V> reader(messages);

	room.window.blocks_made = 0;
	room.window.used_mac = false;
	zero_bytes(&pass.wanted, sizeof(pass.wanted));

	while (reader.more()) {
		Walker<V> maker = reader;
		u32 slots = 0;

		while (slots < PASS_BLOCKS<V> && maker.more()) {
			Run run = maker.next(PASS_BLOCKS<V> - slots);
			u64 counter = maker.window()[run.message].counter;

			for (u32 i = 0; i < run.blocks; i++, slots++) {
				pass.wanted.block[slots] = run.first_block + i;
				pass.wanted.counter_low[slots] = static_cast<u32>(counter);
				pass.wanted.counter_high[slots] = static_cast<u32>(counter >> 32);
			}
		}
		u32 made = make_keystream<V>(key, pass, slots);

		room.window.blocks_made = made > room.window.blocks_made ? made : room.window.blocks_made;
		for (u32 slot = 0; slot < slots;) {
			reader.more();
			Run run = reader.next(slots - slot);
			Message &message = reader.window()[run.message];

			if (run.is_key()) {
				copy_bytes(room.window.keys[run.message], pass.keystream[slot], MAC_KEY_SIZE);
			} else {
				if (run.first_block == 1)
					cursor.start(message);
				if (direction == Direction::Seal || message.authentic)
					cursor.apply(pass.keystream[slot], run.blocks * CIPHER_BLOCK_SIZE);
			}
			slot += run.blocks;
			if (direction == Direction::Seal ? reader.window_is_done() : reader.is_last_key(run))
				authenticate<V>(direction, reader.window(), reader.size(), room);
		}
		if (direction == Direction::Open)
			reader.pass_over_forged();
	}
	wipe(pass, room.window.blocks_made);
	if (room.window.used_mac)
		wipe_bytes(&room.mac, sizeof(room.mac));
	wipe_bytes(&room.window, sizeof(room.window));
}

/* What the compiler puts aside on the stack, and passes as arguments, lies below the caller's frame: an array is laid over it.
 * `make check` compares its size with what the calls of run_passes() take in the objects. */
template <typename V> [[gnu::noinline]] void wipe_stack()
{
	[[gnu::uninitialized]] u8 used[V::STACK];

	wipe_bytes(used, sizeof(used));
}

template <typename V>
[[gnu::always_inline]] inline void run_batch(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	static_assert(sizeof(Room<V>) <= sizeof(Workspace) && alignof(Room<V>) <= alignof(Workspace));
	Room<V> &room = *reinterpret_cast<Room<V> *>(workspace.at);

	run_passes<V>(direction, key.expose(), messages, room);
	wipe_stack<V>();
	V::wipe_registers();
}

} // namespace wg::crypto
