// SPDX-License-Identifier: GPL-2.0
/* The table the tests hand to the module is itself held to the published vectors: all else rests on it. */
#include <cstring>

#include "support.h"

namespace wg {
namespace {

using test::ByteVector;
using test::from_hex;
using test::primitives;

/* RFC 7748 §5.2 */
TEST(Primitives, x25519_agrees_with_the_rfc)
{
	ByteVector scalar = from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
	ByteVector point = from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
	ByteVector out(32);

	EXPECT_TRUE(primitives().x25519(out.data(), scalar.data(), point.data()));
	EXPECT_EQ(out, from_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
}

TEST(Primitives, x25519_public_is_x25519_of_the_base_point)
{
	ByteVector nine(32), out(32);

	nine[0] = 9;
	EXPECT_TRUE(primitives().x25519_public(out.data(), nine.data()));
	EXPECT_EQ(out, from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
	EXPECT_TRUE(primitives().x25519(out.data(), nine.data(), nine.data()));
	EXPECT_EQ(out, from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
}

TEST(Primitives, x25519_refuses_a_zero_result)
{
	ByteVector scalar(32, 1), zero(32), out(32);

	EXPECT_FALSE(primitives().x25519(out.data(), scalar.data(), zero.data()));
}

/* RFC 8439 appendix A.5: its nonce starts with the four zero bytes that WireGuard's has. */
TEST(Primitives, aead_agrees_with_the_rfc)
{
	const char text[] = "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted by "
			    "other documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite them other "
			    "than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d";
	ByteVector plain = test::vector_of(text, sizeof(text) - 1), opened(plain.size());
	ByteVector key = from_hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
	ByteVector aad = from_hex("f33388860000000000004e91");
	u64 counter = 0x0807060504030201;
	ByteVector expected = from_hex(
		"64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
		"332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
		"b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
		"0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
		"a6ad5cb4022b02709b eead9d67890cbb22392336fea1851f38");
	ByteVector sealed(plain.size() + 16);

	primitives().aead_seal(sealed.data(), plain.data(), plain.size(), aad.data(), aad.size(), counter, key.data());
	EXPECT_EQ(sealed, expected);
	EXPECT_TRUE(primitives().aead_open(opened.data(), sealed.data(), sealed.size(), aad.data(), aad.size(), counter, key.data()));
	EXPECT_EQ(opened, plain);
	sealed.back() ^= 1;
	EXPECT_FALSE(primitives().aead_open(opened.data(), sealed.data(), sealed.size(), aad.data(), aad.size(), counter, key.data()));
}

/* draft-irtf-cfrg-xchacha, appendix A.3.1 */
TEST(Primitives, xaead_agrees_with_the_draft)
{
	const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
	ByteVector plain = test::vector_of(text, sizeof(text) - 1), opened(plain.size());
	ByteVector key = from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
	ByteVector nonce = from_hex("404142434445464748494a4b4c4d4e4f5051525354555657"), aad = from_hex("50515253c0c1c2c3c4c5c6c7");
	ByteVector expected = from_hex(
		"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
		"2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e c0875924c1c7987947deafd8780acf49");
	ByteVector sealed(plain.size() + 16);

	primitives().xaead_seal(sealed.data(), plain.data(), plain.size(), aad.data(), aad.size(), nonce.data(), key.data());
	EXPECT_EQ(sealed, expected);
	EXPECT_TRUE(primitives().xaead_open(opened.data(), sealed.data(), sealed.size(), aad.data(), aad.size(), nonce.data(), key.data()));
	EXPECT_EQ(opened, plain);
	sealed[0] ^= 1;
	EXPECT_FALSE(primitives().xaead_open(opened.data(), sealed.data(), sealed.size(), aad.data(), aad.size(), nonce.data(), key.data()));
}

/* The BLAKE2 authors' keyed vectors for BLAKE2s. */
TEST(Primitives, keyed_blake2s_agrees_with_its_authors)
{
	ByteVector key(32), out(32);
	u8 zero = 0;

	for (usize i = 0; i < 32; i++)
		key[i] = static_cast<u8>(i);
	primitives().blake2s(out.data(), 32, key.data(), 32, nullptr, 0, nullptr, 0);
	EXPECT_EQ(out, from_hex("48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49"));
	primitives().blake2s(out.data(), 32, key.data(), 32, nullptr, 0, &zero, 1);
	EXPECT_EQ(out, from_hex("40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1"));
}

/* The SipHash paper, appendix A. */
TEST(Primitives, siphash_agrees_with_the_paper)
{
	u8 key[16], input[15];

	for (usize i = 0; i < 16; i++)
		key[i] = static_cast<u8>(i);
	memcpy(input, key, 15);
	EXPECT_EQ(primitives().siphash(key, input, 15), 0xa129ca6149be45e5u);
}

} // namespace
} // namespace wg
