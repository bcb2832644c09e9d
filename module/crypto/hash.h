// SPDX-License-Identifier: GPL-2.0
/* HASH, MAC and KDF of the paper, over the library's BLAKE2s. [WG §5.4] */
#pragma once
#include "crypto/primitives.h"
#include "rt/bytes.h"
#include "rt/secret.h"
#include "wire/constants.h"

namespace wg::crypto {

using Hash = Bytes<HASH_SIZE>;
using ChainingKey = Secret<HASH_SIZE>;
using SymmetricKey = Secret<KEY_SIZE>;

/* out = HASH(a ‖ b); @out may be @a or @b */
void hash(const Primitives &, Hash &out, ConstByteSpan a, ConstByteSpan b);

/* out = MAC(key, input): keyed BLAKE2s-128; @key is 16 or 32 bytes */
void mac(const Primitives &, Bytes<MAC_SIZE> &out, ConstByteSpan key, ConstByteSpan input);
void mac(const Primitives &, Secret<MAC_SIZE> &out, ConstByteSpan key, ConstByteSpan input);	/* when the result is a key */

/* KDF1..3: HKDF with HMAC-BLAKE2s-256 of key @key over @input. Any output may be @key itself: it is read first. */
void kdf1(const Primitives &, const Secret<HASH_SIZE> &key, ConstByteSpan input, Secret<32> &t1);
void kdf2(const Primitives &, const Secret<HASH_SIZE> &key, ConstByteSpan input, Secret<32> &t1, Secret<32> &t2);
void kdf3(const Primitives &, const Secret<HASH_SIZE> &key, ConstByteSpan input, Secret<32> &t1, Secret<32> &t2, Secret<32> &t3);

} // namespace wg::crypto
