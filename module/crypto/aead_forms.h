// SPDX-License-Identifier: GPL-2.0
/* The forms of the AEAD, one file each, and what the files share without sharing code that is compiled for one CPU alone. */
#pragma once
#include "crypto/aead.h"

namespace wg::crypto {

enum class Direction : u8 { Seal, Open };

[[gnu::always_inline]] inline u64 length_of(const Message &message)
{
	u64 length = 0;

	for (u32 i = 0; i < message.piece_count; i++)
		length += message.pieces[i].size;
	return length;
}

void run_portable(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);
void run_avx2(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);
void run_avx512(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);
void run_neon(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);

} // namespace wg::crypto
