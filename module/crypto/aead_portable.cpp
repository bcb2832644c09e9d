// SPDX-License-Identifier: GPL-2.0
#include "crypto/aead_woven.h"

namespace wg::crypto {

/* One lane of plain integers: for processors without SIMD and contexts without an FPU section. */
struct Portable {
	enum : u32 { LANES = 1, GROUPS = 1, STACK = 640 };
	using Words = u32;
	using Text = u64;

	static Words broadcast(u32 value) { return value; }
	template <u32 BITS> static Words rotate(Words x) { return (x << BITS) | (x >> (32 - BITS)); }
	[[gnu::always_inline]] static void store_blocks(const Words (&x)[16], u8 *to)
	{
		for (u32 i = 0; i < 16; i++) {
			LittleEndian<u32> word(x[i]);

			copy_bytes(to + 4 * i, &word, sizeof(word));
		}
	}
	static u32 make(const u8 *key, const Wanted<Portable> &wanted, u32, Block *keystream, Authenticator<Portable> &)
	{
		return make_all_blocks<Portable>(key, wanted, keystream), LANES;
	}
	static void wipe_registers() {}
};

void run_portable(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run_batch<Portable>(direction, key, messages, workspace);
}

} // namespace wg::crypto
