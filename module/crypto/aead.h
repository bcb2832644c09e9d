// SPDX-License-Identifier: GPL-2.0
/* ChaCha20-Poly1305 over batches of transport messages under one key. [WG §5.4.6, RFC 8439; no associated data]
 *
 * Called by:  engine/tx (seal), engine/rx (open), module load (self_test)
 * Context:    any; all forms but Form::Portable only inside an FPU section, and nothing else of their files outside one
 * Serialised: nothing shared: all state is in the caller's Workspace and in registers, and wiped before return
 * Units:      sizes in bytes; a counter is the nonce of one message under the key
 */
#pragma once
#include "rt/secret.h"
#include "rt/span.h"

namespace wg::crypto {

constexpr usize KEY_SIZE = 32, TAG_SIZE = 16;
using Key = Secret<KEY_SIZE>;

/* One contiguous run of a message: read at @from, written at @to. In place when they are equal; they never overlap otherwise. */
struct Piece {
	const u8 *from;
	u8 *to;
	u32 size;
};

struct Message {
	const Piece *pieces;
	u32 piece_count;
	u64 counter;    // nonce: four zero bytes, then this, little-endian
	u8 *tag;        // TAG_SIZE bytes, outside the pieces: written by seal(), read by open()
	bool authentic; // written by open()
};

/* Where one call keeps keystream, sums and whatever else it must not leave behind or is too large for a stack. What lay there before
 * does not matter; what was used is wiped before the call returns. */
struct alignas(64) Workspace {
	u8 at[6144];
};

enum class Form : u8 { Portable, Avx2, Avx512, Neon };

/* Encrypts every message and writes its tag. */
void seal(Form form, const Key &key, Span<Message> messages, Workspace &workspace);

/* Verifies every message, then decrypts those that are authentic; where a tag is wrong, @to is not written at all. */
void open(Form form, const Key &key, Span<Message> messages, Workspace &workspace);

/* A known answer [RFC 8439 A.1] and agreement with the portable form over batches that have many edges. One caller at a time:
 * it has its own buffers. Some 100 kB of work, all in the caller's one FPU section. */
[[nodiscard]] bool self_test(Form form);

} // namespace wg::crypto
