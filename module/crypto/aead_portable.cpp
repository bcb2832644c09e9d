// SPDX-License-Identifier: GPL-2.0
#include "crypto/aead_batch.h"

namespace wg::crypto {

/* One lane of plain integers: for processors without SIMD and contexts without an FPU section. */
struct Portable {
	enum : u32 { LANES = 1, GROUPS = 1, WOVEN = 1, MAC_LANES = 1, MAC_ASIDE = 0, PLAIN_BLOCK = 1, STRIPED_SETUP = 1, STEP = 0, LANES_SETUP = 0, STACK = 448 };
	using Words = u32;
	using Text = u64;
	struct Aside {};

	static Words broadcast(u32 value) { return value; }
	template <u32 BITS> static Words rotate(Words x) { return (x << BITS) | (x >> (32 - BITS)); }
	[[gnu::always_inline]] static void store_blocks(const Words (&x)[16], u8 *to)
	{
		for (u32 i = 0; i < 16; i++) {
			LittleEndian<u32> word(x[i]);

			copy_bytes(to + 4 * i, &word, sizeof(word));
		}
	}
	[[gnu::always_inline]] static void put_aside(Words &, Aside &, u32, u32) {}
	[[gnu::always_inline]] static void take_back(Words &, Aside &, u32, u32) {}
	static void wipe_registers() {}
};

template <> struct MacRoom<Portable> {};

void run_portable(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run_batch<Portable>(direction, key, messages, workspace);
}

} // namespace wg::crypto
