// SPDX-License-Identifier: GPL-2.0
/* Primitives: the well-kept library's functions that the handshake and cookies are made of, handed in as a table.
 *
 * The engine fills it with the kernel's crypto library (kernel/crypto.c), the tests with libsodium and OpenSSL; so crypto/ and
 * protocol/ call nothing outside themselves. All pointers are to raw bytes of the stated size; all functions are re-entrant.
 */
#pragma once
#include "rt/types.h"

namespace wg::crypto {

struct Primitives {
	/* BLAKE2s over a ‖ b; keyed when key_size > 0; out_size 16 or 32. RFC 7693 */
	void (*blake2s)(u8 *out, usize out_size, const u8 *key, usize key_size, const u8 *a, usize a_size, const u8 *b, usize b_size);
	/* shared(32) = X25519(secret, public); false when it is all zero. RFC 7748 */
	bool (*x25519)(u8 *shared, const u8 *secret, const u8 *public_key);
	/* public(32) from secret(32); false when it is all zero. */
	bool (*x25519_public)(u8 *public_key, const u8 *secret);
	/* ChaCha20-Poly1305, nonce = 4 zero bytes ‖ LE64(counter); sealed is size + 16 bytes, plain may be in place. RFC 8439 */
	void (*aead_seal)(u8 *sealed, const u8 *plain, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key);
	/* false when the tag is wrong; @size counts the tag. */
	bool (*aead_open)(u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key);
	/* XChaCha20-Poly1305 with a 24-byte nonce. */
	void (*xaead_seal)(u8 *sealed, const u8 *plain, usize size, const u8 *aad, usize aad_size, const u8 *nonce, const u8 *key);
	bool (*xaead_open)(u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, const u8 *nonce, const u8 *key);
	/* SipHash-2-4 with a 16-byte key, for tables a stranger can fill. */
	u64 (*siphash)(const u8 *key, const u8 *data, usize size);
};

} // namespace wg::crypto
