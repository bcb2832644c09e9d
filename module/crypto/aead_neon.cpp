// SPDX-License-Identifier: GPL-2.0
#include <arm_neon.h>
#include "crypto/aead_woven.h"

namespace wg::crypto {

/* Four blocks, in half of the thirty-two registers, and Poly1305 beside them by the integer units' multiplier. */
struct Neon {
	enum : u32 { LANES = 4, GROUPS = 1, STACK = 832 };
	using Words = uint32x4_t;
	using Text = uint64x2_t;

	[[gnu::always_inline]] static Words broadcast(u32 value) { return vdupq_n_u32(value); }
	template <u32 BITS> [[gnu::always_inline]] static Words rotate(Words x)
	{
		/* By whole bytes: one instruction instead of two. */
		if constexpr (BITS == 16)
			return vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(x)));
		else if constexpr (BITS == 8)
			return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(x), uint8x16_t{3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14}));
		else
			return vsriq_n_u32(vshlq_n_u32(x, BITS), x, 32 - BITS);
	}
	/* Columns to rows, four words of each block at a time. */
	[[gnu::always_inline]] static void store_blocks(const Words (&x)[16], u8 *to)
	{
#pragma GCC unroll 4
		for (u32 q = 0; q < 16; q += 4) {
			uint64x2_t ab0 = vreinterpretq_u64_u32(vtrn1q_u32(x[q], x[q + 1])), ab1 = vreinterpretq_u64_u32(vtrn2q_u32(x[q], x[q + 1]));
			uint64x2_t cd0 = vreinterpretq_u64_u32(vtrn1q_u32(x[q + 2], x[q + 3])), cd1 = vreinterpretq_u64_u32(vtrn2q_u32(x[q + 2], x[q + 3]));
			const uint64x2_t row[4] = {vtrn1q_u64(ab0, cd0), vtrn1q_u64(ab1, cd1), vtrn2q_u64(ab0, cd0), vtrn2q_u64(ab1, cd1)};

#pragma GCC unroll 4
			for (u32 block = 0; block < 4; block++)
				copy_bytes(to + block * CIPHER_BLOCK_SIZE + 4 * q, &row[block], sizeof(row[block]));
		}
	}

	[[gnu::always_inline]] static Words row(const u8 *at) { return vreinterpretq_u32_u8(vld1q_u8(at)); }
	[[gnu::always_inline]] static Words number_row(const u32 *block, const u32 *counter_low, const u32 *counter_high)
	{
		return Words{*block, 0, *counter_low, *counter_high};
	}
	template <u32 PLACES> [[gnu::always_inline]] static Words turn(Words row) { return vextq_u32(row, row, PLACES); }
	[[gnu::always_inline]] static void store_rows(const Words (&x)[4], u8 *to) { copy_bytes(to, x, sizeof(x)); }

	[[gnu::always_inline]] static u32 make(const u8 *key, const Wanted<Neon> &wanted, u32 count, Block *keystream, Authenticator<Neon> &authenticator)
	{
		return make_by_vectors<Neon>(key, wanted, count, keystream, authenticator);
	}
	[[gnu::always_inline]] static void wipe_registers()
	{
		__asm__ __volatile__(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
				     "movi v\\n\\().2d, #0\n\t.endr"
				     :
				     :
				     : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
				       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
	}
};

void run_neon(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run_batch<Neon>(direction, key, messages, workspace);
}

} // namespace wg::crypto
