// SPDX-License-Identifier: GPL-2.0
/* What Poly1305 reads of one message: its ciphertext, zeros up to a whole block, the block of lengths; in chunks of whole blocks.
 *
 * Called by:  poly1305_lanes.h
 * Context:    any; never reads outside the pieces: a chunk that is not inside one piece is put together in the caller's buffer
 * Units:      bytes; chunks are multiples of 16
 */
#pragma once
#include "crypto/aead_parts.h"
#include "crypto/poly1305.h"

namespace wg::crypto {

/* V keeps the forms' copies apart: one that was compiled for one CPU must not be linked in for all. */
template <typename V> class MacStream {
public:
	/* The ciphertext is what seal() has written and what open() is going to read. */
	[[gnu::always_inline]] void start(const Message &message, Direction direction)
	{
		piece_ = message.pieces;
		end_ = piece_ + message.piece_count;
		direction_ = direction;
		length_ = length_of(message);
		lead_ = 0;
		offset_ = 0;
		finished_ = false;
		settle();
	}
	u64 blocks() const { return (length_ + BLOCK_SIZE - 1) / BLOCK_SIZE + 1; }
	bool finished() const { return finished_; }

	/* @size zero bytes come first. They must be absorbed without their 2^128 bit, and so count for nothing. */
	void lead_with(usize size) { lead_ = size; }
	usize lead() const { return lead_; }

	/* How many whole chunks come next that lie in one piece. */
	usize chunks_at_hand(usize size) const { return direct() / size; }
	[[gnu::always_inline]] const u8 *take_chunks(usize count, usize size)
	{
		const u8 *chunk = at();

		skip(count * size);
		return chunk;
	}

	/* The next chunk, wherever it lies. */
	[[gnu::always_inline]] const u8 *take(usize size, u8 *buffer)
	{
		if (direct() >= size)
			return take_chunks(1, size);
		gather(size, buffer);
		return buffer;
	}

private:
	usize direct() const { return lead_ == 0 && piece_ != end_ ? piece_->size - offset_ : 0; }
	const u8 *at() const { return (direction_ == Direction::Seal ? piece_->to : piece_->from) + offset_; }
	[[gnu::always_inline]] void skip(usize size)
	{
		offset_ += static_cast<u32>(size);
		settle();
	}

	[[gnu::always_inline]] void settle()
	{
		while (piece_ != end_ && offset_ == piece_->size) {
			piece_++;
			offset_ = 0;
		}
	}

	void gather(usize size, u8 *buffer)
	{
		usize filled = lead_ < size ? lead_ : size;

		zero_bytes(buffer, size);
		lead_ -= filled;
		while (filled < size && piece_ != end_) {
			usize run = direct() < size - filled ? direct() : size - filled;

			copy_bytes(buffer + filled, at(), run);
			filled += run;
			skip(run);
		}
		filled = (filled + BLOCK_SIZE - 1) & ~(BLOCK_SIZE - 1);
		if (filled < size) {
			store_u64(buffer + filled + 8, length_); // no associated data: its length, before, stays zero
			finished_ = true;
		}
	}

	const Piece *piece_, *end_;
	u64 length_;
	usize lead_;
	u32 offset_;
	Direction direction_;
	bool finished_;
};

} // namespace wg::crypto
