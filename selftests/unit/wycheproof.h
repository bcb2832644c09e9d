// SPDX-License-Identifier: GPL-2.0
/* Project Wycheproof's vectors as they lie in wycheproof/: rows of hexadecimal text. */
#pragma once
#include "support.h"

namespace wg::test::wycheproof {

struct X25519 {
	int test;
	const char *secret, *public_key, *shared;	/* all zero where there is none to be had */
};

inline const X25519 X25519_VECTORS[] = {
#include "wycheproof/x25519.inc"
};

struct Aead {
	int test;
	bool is_valid;
	const char *key, *nonce, *aad, *plain, *sealed, *tag, *inner_key;
};

inline const Aead AEAD_VECTORS[] = {
#include "wycheproof/xchacha20_poly1305.inc"
};

/* The nonce of the AEAD inside, whose key is inner_key: four zero bytes and this, little-endian. */
inline u64 counter_of(const Aead &vector)
{
	const ByteVector nonce = from_hex(vector.nonce);
	u64 counter = 0;

	for (usize i = 24; i > 16; i--)
		counter = counter << 8 | nonce[i - 1];
	return counter;
}

} // namespace wg::test::wycheproof
