// SPDX-License-Identifier: GPL-2.0
#include "crypto/hash.h"

namespace wg::crypto {
namespace {

constexpr usize HMAC_BLOCK = 64;	/* BLAKE2s's block size */

/* One HMAC key, padded to its two blocks, for several inputs. RFC 2104 */
class Hmac {
public:
	void set_key(const Secret<HASH_SIZE> &key)
	{
		u8 *inner = inner_block_.expose(), *outer = outer_block_.expose();

		for (usize i = 0; i < HMAC_BLOCK; i++) {
			u8 byte = i < HASH_SIZE ? key.expose()[i] : 0;

			inner[i] = byte ^ 0x36;
			outer[i] = byte ^ 0x5c;
		}
	}
	/* @out may be @input: it is written last. */
	void compute(const Primitives &primitives, ConstByteSpan input, Secret<HASH_SIZE> &out) const
	{
		Secret<HASH_SIZE> inner;

		primitives.blake2s(inner.expose(), HASH_SIZE, nullptr, 0, inner_block_.expose(), HMAC_BLOCK, input.data(), input.size());
		primitives.blake2s(out.expose(), HASH_SIZE, nullptr, 0, outer_block_.expose(), HMAC_BLOCK, inner.expose(), HASH_SIZE);
	}

private:
	Secret<HMAC_BLOCK> inner_block_, outer_block_;
};

/* HKDF with an empty info: Extract, then Expand one output at a time. RFC 5869 */
class Kdf {
public:
	Kdf(const Primitives &primitives, const Secret<HASH_SIZE> &key, ConstByteSpan input) : primitives_(primitives)
	{
		Secret<HASH_SIZE> t0;

		hmac_.set_key(key);
		hmac_.compute(primitives, input, t0);
		hmac_.set_key(t0);
	}
	void next(Secret<HASH_SIZE> &out)
	{
		/* The first block's input is the counter alone, the others' the block before and the counter. */
		usize skipped = counter_ == 0 ? HASH_SIZE : 0;

		input_.expose()[HASH_SIZE] = ++counter_;
		hmac_.compute(primitives_, input_.expose_span().from(skipped), out);
		copy_bytes(input_.expose(), out.expose(), HASH_SIZE);
	}

private:
	const Primitives &primitives_;
	Hmac hmac_;
	Secret<HASH_SIZE + 1> input_;
	u8 counter_ = 0;
};

} // namespace

void hash(const Primitives &primitives, Hash &out, ConstByteSpan a, ConstByteSpan b)
{
	/* Not every BLAKE2s reads its whole input before it writes: the transcript's h = HASH(h ‖ x) must not depend on that. */
	Secret<HASH_SIZE> result;

	primitives.blake2s(result.expose(), HASH_SIZE, nullptr, 0, a.data(), a.size(), b.data(), b.size());
	copy_bytes(out.data(), result.expose(), HASH_SIZE);
}

void mac(const Primitives &primitives, Bytes<MAC_SIZE> &out, ConstByteSpan key, ConstByteSpan input)
{
	primitives.blake2s(out.data(), MAC_SIZE, key.data(), key.size(), input.data(), input.size(), nullptr, 0);
}

void mac(const Primitives &primitives, Secret<MAC_SIZE> &out, ConstByteSpan key, ConstByteSpan input)
{
	primitives.blake2s(out.expose(), MAC_SIZE, key.data(), key.size(), input.data(), input.size(), nullptr, 0);
}

void kdf1(const Primitives &primitives, const Secret<HASH_SIZE> &key, ConstByteSpan input, Secret<32> &t1)
{
	Kdf(primitives, key, input).next(t1);
}

void kdf2(const Primitives &primitives, const Secret<HASH_SIZE> &key, ConstByteSpan input, Secret<32> &t1, Secret<32> &t2)
{
	Kdf kdf(primitives, key, input);

	kdf.next(t1);
	kdf.next(t2);
}

void kdf3(const Primitives &primitives, const Secret<HASH_SIZE> &key, ConstByteSpan input, Secret<32> &t1, Secret<32> &t2, Secret<32> &t3)
{
	Kdf kdf(primitives, key, input);

	kdf.next(t1);
	kdf.next(t2);
	kdf.next(t3);
}

} // namespace wg::crypto
