// SPDX-License-Identifier: GPL-2.0
/* What the two engines share: the order of the blocks, the way through the pieces of a message, which lie and end anywhere, and the wiping.
 *
 * Called by:  aead_woven.h, aead_lanes.h; V keeps the forms' copies apart: one that was compiled for one CPU must not be linked in for all
 * Context:    as the form; never touches a byte outside the pieces
 */
#pragma once
#include "crypto/aead_forms.h"
#include "crypto/chacha20.h"

namespace wg::crypto {

/* Consecutive blocks of one message; its number 0 is the key block. */
struct Run {
	u32 message, first_block, blocks;
	bool is_key() const { return first_block == 0; }
};

constexpr u32 WINDOW = 8;

/* The order of a batch's blocks: the key blocks of up to WINDOW messages, their bodies, the next key blocks, and so on; passes cut it
 * without regard to messages. */
template <typename V> class Sequence {
public:
	[[gnu::always_inline]] explicit Sequence(Span<Message> messages) : messages_(messages) { open_body(); }

	bool more() const { return key_ < messages_.size() || body_ < messages_.size(); }

	/* The next blocks, a pass at most; their runs go to @runs[@count] and so on. Returns how many blocks. */
	[[gnu::always_inline]] u32 take(Wanted<V> &wanted, Run *runs, u32 &count)
	{
		u32 blocks = 0;

		while (blocks < PASS_BLOCKS<V> && more()) {
			Run run = next(PASS_BLOCKS<V> - blocks);

			wanted.set(blocks, run.blocks, run.first_block, messages_[run.message].counter);
			blocks += run.blocks;
			runs[count++] = run;
		}
		return blocks;
	}

private:
	[[gnu::always_inline]] Run next(u32 limit)
	{
		if (key_ < messages_.size() && key_ < (body_ / WINDOW + 1) * WINDOW)
			return {key_++, 0, 1};
		Run run = {body_, block_, limit};

		if (limit > last_block_ - block_) {
			run.blocks = last_block_ - block_ + 1;
			body_++;
			open_body();
		} else {
			block_ += limit;
		}
		return run;
	}

	[[gnu::always_inline]] void open_body()
	{
		block_ = 1;
		for (; body_ < messages_.size(); body_++) {
			last_block_ = static_cast<u32>((length_of(messages_[body_]) + CIPHER_BLOCK_SIZE - 1) / CIPHER_BLOCK_SIZE);
			if (last_block_ > 0)
				break;
		}
	}

	Span<Message> messages_;
	u32 key_ = 0, body_ = 0;
	u32 block_ = 1, last_block_ = 0; // of the body at hand
};

/* Through the pieces of one message. */
template <typename V> class Cursor {
public:
	[[gnu::always_inline]] void start(const Message &message)
	{
		piece_ = message.pieces;
		end_ = piece_ + message.piece_count;
		offset_ = 0;
	}

	/* Enciphers or deciphers the next @size bytes, or what is left of the message; tells of each run of bytes it has @written. */
	template <typename Written> [[gnu::always_inline]] void apply(const u8 *keystream, usize size, Written written)
	{
		while (piece_ != end_) {
			usize run = piece_->size - offset_ < size ? piece_->size - offset_ : size;

			combine(piece_->to + offset_, piece_->from + offset_, keystream, run);
			written(piece_->to + offset_, run);
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

[[gnu::always_inline]] inline void put_or_compare(Direction direction, const u8 *tag, Message &message)
{
	if (direction == Direction::Seal)
		copy_bytes(message.tag, tag, TAG_SIZE);
	else
		message.authentic = same_bytes_constant_time(message.tag, tag, TAG_SIZE);
}

/* What an engine keeps in the caller's workspace, and the engine: it wipes what was secret there. */
template <typename V> struct Room;
template <typename V> void run_passes(Direction direction, const u8 *key, Span<Message> messages, Room<V> &room);

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

	run_passes<V>(direction, key.expose(), messages, *reinterpret_cast<Room<V> *>(workspace.at));
	wipe_stack<V>();
	V::wipe_registers();
}

} // namespace wg::crypto
