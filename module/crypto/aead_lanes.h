// SPDX-License-Identifier: GPL-2.0
/* A batch of many messages through a form that authenticates as many at once as it has lanes. [RFC 8439 §2.8]
 *
 * Called by:  aead_avx512.cpp, with its form V
 * Context:    as the form
 * Units:      a window is up to V::MAC_LANES messages, and a Run counts messages from its start. The blocks of a batch form one sequence:
 *             of each window first the key block of every message, then their bodies; passes cut it without regard to windows
 */
#pragma once
#include "crypto/chacha20.h"
#include "crypto/poly1305_lanes.h"

namespace wg::crypto {

constexpr u32 MAC_KEY_SIZE = 32;

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
		size_ = left_ < V::MAC_LANES ? static_cast<u32>(left_) : u32{V::MAC_LANES};
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

/* What lies in the caller's workspace; wiped when the batch is done. */
template <typename V> struct Room {
	Wanted<V> wanted;
	alignas(64) Block keystream[PASS_BLOCKS<V>];
	MacRoom<V> mac;
	MacStream<V> streams[V::MAC_LANES];
	Number multipliers[V::MAC_LANES], sums[V::MAC_LANES];
	u8 keys[V::MAC_LANES][MAC_KEY_SIZE];
};

template <typename V> [[gnu::noinline]] void authenticate(Direction direction, Message *window, u32 size, Room<V> &room)
{
	for (u32 i = 0; i < size; i++) {
		room.streams[i].start(window[i], direction);
		room.multipliers[i] = clamped_multiplier(room.keys[i]);
	}
	mac_lanes<V>(room.streams, size, room.multipliers, room.sums, room.mac);
	for (u32 i = 0; i < size; i++) {
		u8 tag[TAG_SIZE];

		finish(room.sums[i], room.keys[i] + 16, tag);
		if (direction == Direction::Seal)
			copy_bytes(window[i].tag, tag, TAG_SIZE);
		else
			window[i].authentic = same_bytes_constant_time(window[i].tag, tag, TAG_SIZE);
	}
}

template <typename V> [[gnu::noinline]] void make_all(const u8 *key, const Wanted<V> &wanted, Block *keystream)
{
	make_blocks<V>(key, wanted, keystream, []() __attribute__((always_inline)) {});
}

template <typename V> [[gnu::noinline]] void run_passes(Direction direction, const u8 *key, Span<Message> messages, Room<V> &room)
{
	Cursor<V> cursor;
	Walker<V> reader(messages);

	zero_bytes(&room.wanted, sizeof(room.wanted));
	while (reader.more()) {
		Walker<V> maker = reader;
		u32 slots = 0;

		while (slots < PASS_BLOCKS<V> && maker.more()) {
			Run run = maker.next(PASS_BLOCKS<V> - slots);
			room.wanted.set(slots, run.blocks, run.first_block, maker.window()[run.message].counter);
			slots += run.blocks;
		}
		make_all<V>(key, room.wanted, room.keystream);
		for (u32 slot = 0; slot < slots;) {
			reader.more();
			Run run = reader.next(slots - slot);
			Message &message = reader.window()[run.message];

			if (run.is_key()) {
				copy_bytes(room.keys[run.message], room.keystream[slot], MAC_KEY_SIZE);
			} else {
				if (run.first_block == 1)
					cursor.start(message);
				if (direction == Direction::Seal || message.authentic)
					cursor.apply(room.keystream[slot], usize{run.blocks} * CIPHER_BLOCK_SIZE, [](const u8 *, usize) {});
			}
			slot += run.blocks;
			if (direction == Direction::Seal ? reader.window_is_done() : reader.is_last_key(run))
				authenticate<V>(direction, reader.window(), reader.size(), room);
		}
		if (direction == Direction::Open)
			reader.pass_over_forged();
	}
	wipe_bytes(&room, sizeof(room));
}

} // namespace wg::crypto
