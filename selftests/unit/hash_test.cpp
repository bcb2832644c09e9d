// SPDX-License-Identifier: GPL-2.0
#include <cstring>

#include "crypto/hash.h"
#include "noise_reference.h"
#include "support.h"

namespace wg {
namespace {

using test::from_hex;
using test::primitives;
using test::vector_of;
namespace reference = test::reference;

ConstByteSpan text(const char *s)
{
	return {reinterpret_cast<const u8 *>(s), strlen(s)};
}

/* RFC 7693, appendix B. */
TEST(Hash, is_blake2s_256)
{
	crypto::Hash out;

	crypto::hash(primitives(), out, text("abc"), {});
	EXPECT_EQ(vector_of(out), from_hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"));
	crypto::hash(primitives(), out, {}, {});
	EXPECT_EQ(vector_of(out), from_hex("69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"));
}

TEST(Hash, its_two_parts_are_one_input)
{
	crypto::Hash whole, parts;

	crypto::hash(primitives(), whole, text("Noise_IKpsk2"), {});
	for (usize i = 0; i <= 12; i++) {
		crypto::hash(primitives(), parts, text("Noise_IKpsk2").first(i), text("Noise_IKpsk2").from(i));
		EXPECT_TRUE(parts == whole);
	}
}

/* A BLAKE2s that writes its output before it has read its second input, as one with a different buffering might. */
TEST(Hash, the_output_may_be_an_input)
{
	crypto::Primitives eager = primitives();
	crypto::Hash h, expected;

	eager.blake2s = [](u8 *out, usize out_size, const u8 *key, usize key_size, const u8 *a, usize a_size, const u8 *b, usize b_size) {
		memset(out, 0, out_size);
		primitives().blake2s(out, out_size, key, key_size, a, a_size, b, b_size);
	};
	crypto::hash(primitives(), h, text("x"), {});
	crypto::hash(primitives(), expected, h.span(), text("y"));
	crypto::hash(eager, h, h.span(), text("y"));
	EXPECT_TRUE(h == expected);
}

/* The BLAKE2 authors' keyed test vectors give 32 bytes; of 16 there are none, so OpenSSL and the parameter block's rule are asked. */
TEST(Mac, is_blake2s_128_with_a_key)
{
	test::Random random(1);

	for (usize key_size : {16u, 32u}) {
		for (usize size = 0; size < 150; size++) {
			test::ByteVector key = random.bytes(key_size), input = random.bytes(size);
			Bytes<MAC_SIZE> out;
			Secret<MAC_SIZE> secret;

			crypto::mac(primitives(), out, test::span_of(key), test::span_of(input));
			EXPECT_EQ(vector_of(out), reference::mac(key, input));
			crypto::mac(primitives(), secret, test::span_of(key), test::span_of(input));
			EXPECT_EQ(vector_of(secret), vector_of(out));
		}
	}
}

/* hashlib.blake2s(b"WireGuard", key=bytes(range(32)), digest_size=16) of Python. */
TEST(Mac, known_answer)
{
	u8 key[32];
	Bytes<MAC_SIZE> out;

	for (usize i = 0; i < 32; i++)
		key[i] = static_cast<u8>(i);
	crypto::mac(primitives(), out, {key, 32}, text("WireGuard"));
	EXPECT_EQ(vector_of(out), from_hex("c44bc1a201f2ff374d10eda15244ad8a"));
}

/* HKDF of RFC 5869 over HMAC-BLAKE2s, with an empty info; answers from Python's hmac and hashlib. */
TEST(Kdf, known_answer)
{
	Secret<32> key, t1, t2, t3;

	for (usize i = 0; i < 32; i++)
		key.expose()[i] = static_cast<u8>(i);
	crypto::kdf3(primitives(), key, text("WireGuard"), t1, t2, t3);
	EXPECT_EQ(vector_of(t1), from_hex("7e615ce2573f4139b960d562ec463daf7164bd86a0a64c0adc374ff2655769f3"));
	EXPECT_EQ(vector_of(t2), from_hex("42dbbd4438e101cd2c2ea8d05ed6716bf87489aea47ece2f06358835670130bf"));
	EXPECT_EQ(vector_of(t3), from_hex("5c58c1d9808a5bfdf8f38f6487248985c04f4b6d0fe427516935a0f6903b0157"));
}

TEST(Kdf, agrees_with_openssl_for_every_count_and_size)
{
	test::Random random(2);

	for (usize size = 0; size < 80; size++) {
		test::ByteVector raw = random.bytes(32), input = random.bytes(size);
		std::vector<reference::Octets> expected = reference::kdf(3, raw, input);
		Secret<32> key, a, b, c;

		key.copy_from(raw.data());
		crypto::kdf1(primitives(), key, test::span_of(input), a);
		EXPECT_EQ(vector_of(a), expected[0]);
		crypto::kdf2(primitives(), key, test::span_of(input), a, b);
		EXPECT_EQ(vector_of(a), expected[0]);
		EXPECT_EQ(vector_of(b), expected[1]);
		crypto::kdf3(primitives(), key, test::span_of(input), a, b, c);
		EXPECT_EQ(vector_of(b), expected[1]);
		EXPECT_EQ(vector_of(c), expected[2]);
		EXPECT_EQ(vector_of(key), raw);
	}
}

TEST(Kdf, any_output_may_be_the_key)
{
	test::Random random(3);
	test::ByteVector raw = random.bytes(32), input = random.bytes(32);
	std::vector<reference::Octets> expected = reference::kdf(3, raw, input);

	for (int at = 0; at < 3; at++) {
		Secret<32> key, out[3];
		auto &t1 = at == 0 ? key : out[0], &t2 = at == 1 ? key : out[1], &t3 = at == 2 ? key : out[2];

		key.copy_from(raw.data());
		crypto::kdf3(primitives(), key, test::span_of(input), t1, t2, t3);
		EXPECT_EQ(vector_of(t1), expected[0]);
		EXPECT_EQ(vector_of(t2), expected[1]);
		EXPECT_EQ(vector_of(t3), expected[2]);
	}
}

} // namespace
} // namespace wg
