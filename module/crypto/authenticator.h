// SPDX-License-Identifier: GPL-2.0
/* Poly1305 of the messages of a batch, by the integer units: what it has to read waits in a queue, and is absorbed block by block,
 * also between the steps of something else. [RFC 8439 §2.5, §2.8]
 *
 * Called by:  aead_woven.h; V keeps the forms' copies apart: one that was compiled for one CPU must not be linked in for all
 * Context:    any; no branch and no index depends on a secret (lengths are public); never reads outside the pieces
 * Units:      a message is named by its number in the batch; of messages that are MACS apart, the first must be finished before the
 *             second starts. Blocks have 16 bytes
 */
#pragma once
#include "crypto/aead.h"
#include "crypto/poly1305.h"

namespace wg::crypto {

constexpr u32 MACS = 16, MOST_READINGS = 48;

template <typename V> class Authenticator {
	struct Mac {
		WordNumber sum;
		Factor factor;
		u64 length; // of the text so far
		u8 pad[BLOCK_SIZE];
		u8 tail[2 * BLOCK_SIZE]; // text short of a block; at last the end
	};
	/* Blocks that lie side by side; there is at least one when it is added. */
	struct Reading {
		const u8 *at;
		u32 blocks, message;
	};

public:
	void clear() { first_ = end_ = 0; }
	bool is_empty() const { return first_ == end_; }

	/* @key(32): the message's Poly1305 key. */
	[[gnu::always_inline]] void start(u32 message, const u8 *key)
	{
		Mac &mac = mac_of(message);

		mac.sum = {};
		mac.factor = clamped_factor(key);
		mac.length = 0;
		copy_bytes(mac.pad, key + BLOCK_SIZE, BLOCK_SIZE);
	}

	/* The message goes on with @size bytes, which stay where they are until they are absorbed. */
	[[gnu::always_inline]] void add_text(u32 message, const u8 *at, usize size)
	{
		Mac &mac = mac_of(message);
		usize waiting = mac.length % BLOCK_SIZE, missing = BLOCK_SIZE - waiting;

		if (size == 0)
			return;
		mac.length += size;
		if (waiting > 0) {
			usize run = size < missing ? size : missing;

			copy_bytes(mac.tail + waiting, at, run);
			if (run < missing)
				return;
			add(message, mac.tail, 1);
			absorb_before(message + 1);
			at += run;
			size -= run;
		}
		if (size >= BLOCK_SIZE)
			add(message, at, size / BLOCK_SIZE);
		copy_bytes(mac.tail, at + size / BLOCK_SIZE * BLOCK_SIZE, size % BLOCK_SIZE);
	}
	u64 length(u32 message) { return mac_of(message).length; }

	/* No more text: zeros up to a whole block, and the block of lengths; that of associated data, which there is none of, comes first. */
	[[gnu::always_inline]] void add_end(u32 message)
	{
		Mac &mac = mac_of(message);
		usize waiting = mac.length % BLOCK_SIZE, blocks = waiting > 0 ? 2 : 1;

		zero_bytes(mac.tail + waiting, sizeof(mac.tail) - waiting);
		store_u64(mac.tail + blocks * BLOCK_SIZE - 8, mac.length);
		if (mac.length > 0)
			add(message, mac.tail, blocks);
		else
			absorb(mac.sum, mac.tail, mac.factor); // its turn in the queue may be over, or not be there yet
	}

	/* After add_end(). */
	[[gnu::always_inline]] void finish(u32 message, u8 *tag)
	{
		absorb_before(message + 1);
		crypto::finish(number_from(mac_of(message).sum), mac_of(message).pad, tag);
	}

	/* Of the first @messages. */
	[[gnu::always_inline]] void wipe(usize messages) { wipe_bytes(macs_, (messages < MACS ? messages : MACS) * sizeof(Mac)); }

	/* Some of what waits, a block a step, with everything in registers. Only when something waits. */
	class Steps {
	public:
		[[gnu::always_inline]] explicit Steps(Authenticator &all) : all_(all) { take(&all.readings_[all.first_]); }
		[[gnu::always_inline]] void step()
		{
			if (left_ == 0) [[unlikely]] {
				if (reading_ + 1 == &all_.readings_[all_.end_])
					return;
				put_back();
				take(reading_ + 1);
			}
			absorb(sum_, at_, factor_);
			at_ += BLOCK_SIZE;
			left_--;
		}
		[[gnu::always_inline]] void stop()
		{
			put_back();
			all_.first_ = static_cast<u32>(reading_ - all_.readings_) + (left_ == 0);
			if (all_.is_empty())
				all_.clear();
		}

	private:
		[[gnu::always_inline]] void take(Reading *reading)
		{
			reading_ = reading;
			at_ = reading->at;
			left_ = reading->blocks;
			sum_ = all_.mac_of(reading->message).sum;
			factor_ = all_.mac_of(reading->message).factor;
		}
		[[gnu::always_inline]] void put_back()
		{
			reading_->at = at_;
			reading_->blocks = left_;
			all_.mac_of(reading_->message).sum = sum_;
		}

		Authenticator &all_;
		Reading *reading_;
		const u8 *at_;
		u32 left_;
		WordNumber sum_;
		Factor factor_;
	};

private:
	[[gnu::always_inline]] Mac &mac_of(u32 message) { return macs_[message % MACS]; }
	[[gnu::always_inline]] void add(u32 message, const u8 *at, usize blocks)
	{
		if (end_ == MOST_READINGS)
			absorb_before(message + 1);
		readings_[end_++] = {at, static_cast<u32>(blocks), message};
	}
	/* Messages come in order. */
	[[gnu::noinline]] void absorb_before(u32 message)
	{
		for (; first_ < end_ && readings_[first_].message < message; first_++) {
			const Reading &reading = readings_[first_];
			Mac &mac = mac_of(reading.message);
			WordNumber sum = mac.sum;

			for (usize i = 0; i < reading.blocks; i++)
				absorb(sum, reading.at + i * BLOCK_SIZE, mac.factor);
			mac.sum = sum;
		}
		if (is_empty())
			clear();
	}

	Mac macs_[MACS];
	Reading readings_[MOST_READINGS];
	u32 first_, end_;
};

} // namespace wg::crypto
