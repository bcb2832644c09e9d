// SPDX-License-Identifier: GPL-2.0
/* Project Wycheproof's vectors, which ask for what implementations got wrong: against the primitives the tests hand to the module, and in the
 * kernel against those it runs on.
 */
#include "support.h"
#include "wycheproof.h"

namespace wg {
namespace {

using test::ByteVector;
using test::from_hex;
using test::primitives;
using namespace test::wycheproof;

/* Twists, points of low order, keys that are no canonical numbers, sums at the edge. A zero result is refused: WireGuard wants that. */
TEST(Wycheproof, x25519)
{
	for (const X25519 &vector : X25519_VECTORS) {
		ByteVector shared(32), secret = from_hex(vector.secret), expected = from_hex(vector.shared);
		bool is_zero = expected == ByteVector(32);

		EXPECT_EQ(primitives().x25519(shared.data(), secret.data(), from_hex(vector.public_key).data()), !is_zero) << vector.test;
		if (!is_zero) {
			EXPECT_EQ(shared, expected) << vector.test;
		}
	}
}

/* Sums at the edges of Poly1305's reduction, keys and tags of ones and zeros, changed tags. @open(opened, sealed, aad), @seal(sealed, plain, aad). */
template <typename Open, typename Seal> void expect_vector(const Aead &vector, Open open, Seal seal)
{
	ByteVector aad = from_hex(vector.aad), plain = from_hex(vector.plain), expected = from_hex(vector.sealed), tag = from_hex(vector.tag);

	expected.insert(expected.end(), tag.begin(), tag.end());
	ByteVector sealed(expected.size()), opened(plain.size());

	EXPECT_EQ(open(opened, expected, aad), vector.is_valid) << vector.test;
	if (!vector.is_valid)
		return;
	EXPECT_EQ(opened, plain) << vector.test;
	seal(sealed, plain, aad);
	EXPECT_EQ(sealed, expected) << vector.test;
}

TEST(Wycheproof, xchacha20_poly1305)
{
	for (const Aead &vector : AEAD_VECTORS) {
		ByteVector key = from_hex(vector.key), nonce = from_hex(vector.nonce);

		expect_vector(vector,
			[&](ByteVector &opened, const ByteVector &sealed, const ByteVector &aad) {
				return primitives().xaead_open(opened.data(), sealed.data(), sealed.size(), aad.data(), aad.size(), nonce.data(), key.data());
			},
			[&](ByteVector &sealed, const ByteVector &plain, const ByteVector &aad) {
				primitives().xaead_seal(sealed.data(), plain.data(), plain.size(), aad.data(), aad.size(), nonce.data(), key.data());
			});
	}
}

TEST(Wycheproof, chacha20_poly1305)
{
	for (const Aead &vector : AEAD_VECTORS) {
		ByteVector key = from_hex(vector.inner_key);
		u64 counter = counter_of(vector);

		expect_vector(vector,
			[&](ByteVector &opened, const ByteVector &sealed, const ByteVector &aad) {
				return primitives().aead_open(opened.data(), sealed.data(), sealed.size(), aad.data(), aad.size(), counter, key.data());
			},
			[&](ByteVector &sealed, const ByteVector &plain, const ByteVector &aad) {
				primitives().aead_seal(sealed.data(), plain.data(), plain.size(), aad.data(), aad.size(), counter, key.data());
			});
	}
}

} // namespace
} // namespace wg
