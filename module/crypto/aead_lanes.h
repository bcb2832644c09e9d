// SPDX-License-Identifier: GPL-2.0
/* A batch of many messages through a form that authenticates as many at once as it has lanes. [RFC 8439 §2.8]
 *
 * Called by:  aead_avx512.cpp, with its form V
 * Context:    as the form
 * Units:      a window is WINDOW messages, one a lane; seal() authenticates it behind its last body, open() behind its last key
 */
#pragma once
#include "crypto/poly1305_lanes.h"

namespace wg::crypto {

constexpr u32 MAC_KEY_SIZE = 32;

/* What lies in the caller's workspace; wiped when the batch is done. */
template <typename V> struct Room {
	Wanted<V> wanted;
	alignas(64) Block keystream[PASS_BLOCKS<V>];
	Run runs[PASS_BLOCKS<V>]; // whose keystream it is
	MacRoom<V> mac;
	MacStream<V> streams[WINDOW];
	Number multipliers[WINDOW], sums[WINDOW];
	u8 keys[WINDOW][MAC_KEY_SIZE];
};

/* The window that begins with message @first. */
template <typename V> [[gnu::noinline]] void authenticate(Direction direction, Span<Message> messages, u32 first, Room<V> &room)
{
	static_assert(WINDOW == V::MAC_LANES);
	Message *window = &messages[first];
	usize left = messages.size() - first;
	u32 size = left < WINDOW ? static_cast<u32>(left) : WINDOW;

	for (u32 i = 0; i < size; i++) {
		room.streams[i].start(window[i], direction);
		room.multipliers[i] = clamped_multiplier(room.keys[i]);
	}
	mac_lanes<V>(room.streams, size, room.multipliers, room.sums, room.mac);
	for (u32 i = 0; i < size; i++) {
		u8 tag[TAG_SIZE];

		finish(room.sums[i], room.keys[i] + 16, tag);
		put_or_compare(direction, tag, window[i]);
	}
}

template <typename V> [[gnu::noinline]] void run_passes(Direction direction, const u8 *key, Span<Message> messages, Room<V> &room)
{
	Sequence<V> sequence(messages);
	Cursor<V> cursor;
	u32 window = 0; // its first message

	zero_bytes(&room.wanted, sizeof(room.wanted));
	while (sequence.more()) {
		u32 runs = 0;

		sequence.take(room.wanted, room.runs, runs);
		make_all_blocks<V>(key, room.wanted, room.keystream);
		for (u32 i = 0, slot = 0; i < runs; slot += room.runs[i++].blocks) {
			const Run &run = room.runs[i];
			const Message &message = messages[run.message];

			if (run.is_key()) {
				if (run.message == window + WINDOW) {
					if (direction == Direction::Seal)
						authenticate<V>(direction, messages, window, room);
					window = run.message;
				}
				copy_bytes(room.keys[run.message - window], room.keystream[slot], MAC_KEY_SIZE);
				if (direction == Direction::Open && (run.message + 1 == window + WINDOW || run.message + 1 == messages.size()))
					authenticate<V>(direction, messages, window, room);
				continue;
			}
			if (run.first_block == 1)
				cursor.start(message);
			if (direction == Direction::Seal || message.authentic)
				cursor.apply(room.keystream[slot], usize{run.blocks} * CIPHER_BLOCK_SIZE, [](const u8 *, usize) {});
		}
	}
	if (direction == Direction::Seal)
		authenticate<V>(direction, messages, window, room);
	wipe_bytes(&room, sizeof(room));
}

} // namespace wg::crypto
