// SPDX-License-Identifier: GPL-2.0
/* The AEAD of a batch, every form the CPU has, against RFC 8439 and OpenSSL. A form the CPU lacks is reported as skipped. */
#include "crypto/aead.h"

#include "wycheproof.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace wg::crypto {
namespace {

using test::from_hex;
using Buffer = std::vector<u8>;
using Random = std::mt19937_64;

Workspace workspace;

bool cpu_has(Form form)
{
	switch (form) {
	case Form::Portable:
		return true;
#ifdef __x86_64__
	case Form::Avx2:
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
	case Form::Avx512:
#ifdef AVX512_MODEL
		return true;
#endif
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
#else
	case Form::Avx2:
	case Form::Avx512:
		break;
#endif
	case Form::Neon:
		return true; // of where it is built
	}
	return false;
}

/* As the wire has it, whatever this processor's order is. */
void store_u64(u8 *at, u64 value)
{
	for (u32 i = 0; i < 8; i++)
		at[i] = static_cast<u8>(value >> (8 * i));
}

Buffer random_bytes(Random &random, usize size)
{
	Buffer bytes(size);
	for (u8 &byte : bytes)
		byte = static_cast<u8>(random());
	return bytes;
}

void set_key(Key &key, const Buffer &bytes)
{
	key.copy_from(bytes.data());
}

/* Ciphertext and tag in one, by OpenSSL. */
Buffer reference_seal(const Key &key, u64 counter, const Buffer &plain)
{
	static const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
	Buffer sealed(plain.size() + TAG_SIZE);
	u8 nonce[12] = {};
	int size;

	store_u64(nonce + 4, counter);
	EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.expose(), nonce);
	EVP_EncryptUpdate(context.get(), sealed.data(), &size, plain.data(), static_cast<int>(plain.size()));
	EVP_EncryptFinal_ex(context.get(), sealed.data() + size, &size);
	EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, sealed.data() + plain.size());
	return sealed;
}

enum class Place { Copy, InPlace };

/* A batch with its own memory. Copying: seal() goes from plain to sealed, open() from sealed to opened. In place: all in `sealed`. */
struct Batch {
	struct Text {
		Buffer plain, sealed, opened, tag;
		u64 counter;
		std::vector<u32> cuts; // sizes of the pieces
	};
	std::vector<Text> texts;
	std::vector<std::vector<Piece>> pieces;
	std::vector<Message> messages;

	void add(Buffer plain, u64 counter, std::vector<u32> cuts)
	{
		usize size = plain.size();
		texts.push_back({std::move(plain), Buffer(size, 0xee), Buffer(size, 0xee), Buffer(TAG_SIZE), counter, std::move(cuts)});
	}
	void add(Buffer plain, u64 counter)
	{
		u32 size = static_cast<u32>(plain.size());
		add(std::move(plain), counter, {size});
	}

	Span<Message> prepare(bool opening, Place place)
	{
		pieces.assign(texts.size(), {});
		messages.assign(texts.size(), {});
		for (usize i = 0; i < texts.size(); i++) {
			Text &text = texts[i];
			const u8 *from = opening || place == Place::InPlace ? text.sealed.data() : text.plain.data();
			u8 *to = opening && place == Place::Copy ? text.opened.data() : text.sealed.data();

			if (!opening && place == Place::InPlace)
				text.sealed = text.plain, from = to = text.sealed.data();
			for (u32 cut : text.cuts) {
				pieces[i].push_back({from, to, cut});
				from += cut;
				to += cut;
			}
			messages[i] = {pieces[i].data(), static_cast<u32>(pieces[i].size()), text.counter, text.tag.data(), opening ? false : true};
		}
		return {messages.data(), messages.size()};
	}
	const Buffer &opened(usize i, Place place) const { return place == Place::Copy ? texts[i].opened : texts[i].sealed; }

	/* Seals, compares with OpenSSL, opens, compares with what was sealed. */
	void check(Form form, const Key &key, Place place)
	{
		seal(form, key, prepare(false, place), workspace);
		for (usize i = 0; i < texts.size(); i++) {
			Buffer expected = reference_seal(key, texts[i].counter, texts[i].plain);
			ASSERT_EQ(Buffer(expected.begin(), expected.end() - TAG_SIZE), texts[i].sealed) << "message " << i << " of " << texts.size();
			ASSERT_EQ(Buffer(expected.end() - TAG_SIZE, expected.end()), texts[i].tag) << "message " << i << " of " << texts.size();
		}
		open(form, key, prepare(true, place), workspace);
		for (usize i = 0; i < texts.size(); i++) {
			ASSERT_TRUE(messages[i].authentic) << "message " << i;
			ASSERT_EQ(texts[i].plain, opened(i, place)) << "message " << i;
		}
	}
};

std::vector<u32> random_cuts(Random &random, u32 size)
{
	std::vector<u32> cuts;
	u32 longest = random() % 2 ? size + 1 : 90;

	while (size > 0) {
		u32 cut = std::min<u32>(size, static_cast<u32>(random() % longest));
		cuts.push_back(cut); // now and then of size zero
		size -= cut;
	}
	return cuts;
}

class AeadForm : public testing::TestWithParam<Form> {
protected:
	void SetUp() override
	{
		if (!cpu_has(form()))
			GTEST_SKIP() << "this CPU lacks the form";
		set_key(key, random_bytes(random, KEY_SIZE));
	}
	Form form() const { return GetParam(); }

	Random random{20260707};
	Key key;
};

std::string form_name(const testing::TestParamInfo<Form> &info)
{
	switch (info.param) {
	case Form::Portable:
		return "portable";
	case Form::Avx2:
		return "avx2";
	case Form::Avx512:
		return "avx512";
	case Form::Neon:
		return "neon";
	}
	return "unknown";
}

/* Those of this architecture. */
constexpr Form FORMS[] = {
	Form::Portable,
#ifdef __x86_64__
	Form::Avx2,
	Form::Avx512,
#endif
#ifdef __AARCH64EL__
	Form::Neon,
#endif
};
INSTANTIATE_TEST_SUITE_P(Aead, AeadForm, testing::ValuesIn(FORMS), form_name);

/* RFC 8439, A.2, test vector 2: its nonce has the shape WireGuard's have, its block counter starts at 1 as a body's does. */
TEST_P(AeadForm, ciphertext_is_that_of_rfc_8439)
{
	const char *text = "Any submission to the IETF intended by the Contributor for publication as all or part of an IETF Internet-Draft or RFC "
			   "and any statement made within the context of an IETF activity is considered an \"IETF Contribution\". Such statements "
			   "include oral statements in IETF sessions, as well as written and electronic communications made at any time or place, "
			   "which are addressed to";
	Buffer expected = from_hex(
		"a3fbf07df3fa2fde4f376ca23e82737041605d9f4f4f57bd8cff2c1d4b7955ec2a97948bd3722915c8f3d337f7d370050e9e96d647b7c39f56e031ca5eb6250d"
		"4042e02785ececfa4b4bb5e8ead0440e20b6e8db09d881a7c6132f420e52795042bdfa7773d8a9051447b3291ce1411c680465552aa6c405b7764d5e87bea85a"
		"d00f8449ed8f72d0d662ab052691ca66424bc86d2df80ea41f43abf937d3259dc4b2d0dfb48a6c9139ddd7f76966e928e635553ba76c5c879d7b35d49eb2e62b"
		"0871cdac638939e25e8a1e0ef9d5280fa8ca328b351c3c765989cbcf3daa8b6ccc3aaf9f3979c92b3720fc88dc95ed84a1be059c6499b9fda236e7e818b04b0b"
		"c39c1e876b193bfe5569753f88128cc08aaa9b63d1a16f80ef2554d7189c411f5869ca52c5b83fa36ff216b9c1d30062bebcfd2dc5bce0911934fda79a86f6e6"
		"98ced759c3ff9b6477338f3da4f9cd8514ea9982ccafb341b2384dd902f3d1ab7ac61dd29c6f21ba5b862f3730e37cfdc4fd806c22f221");
	Buffer rfc_key(KEY_SIZE);
	Batch batch;

	rfc_key[31] = 1;
	set_key(key, rfc_key);
	batch.add(Buffer(text, text + std::strlen(text)), 0x0200000000000000);
	seal(form(), key, batch.prepare(false, Place::Copy), workspace);
	EXPECT_EQ(expected, batch.texts[0].sealed);
}

TEST_P(AeadForm, self_test_passes)
{
	EXPECT_TRUE(self_test(form()));
	EXPECT_TRUE(self_test(form())) << "a second time, over used buffers";
}

/* Those without associated data, which a message has none of. */
TEST_P(AeadForm, wycheproofs_messages_are_sealed_and_opened)
{
	u32 tried = 0;

	for (const test::wycheproof::Aead &vector : test::wycheproof::AEAD_VECTORS) {
		Batch batch;

		if (*vector.aad || !vector.is_valid)
			continue;
		tried++;
		set_key(key, from_hex(vector.inner_key));
		batch.add(from_hex(vector.plain), test::wycheproof::counter_of(vector));
		seal(form(), key, batch.prepare(false, Place::Copy), workspace);
		EXPECT_EQ(batch.texts[0].sealed, from_hex(vector.sealed)) << vector.test;
		EXPECT_EQ(batch.texts[0].tag, from_hex(vector.tag)) << vector.test;
		batch.check(form(), key, Place::InPlace);
	}
	EXPECT_EQ(tried, 45u);
}

TEST_P(AeadForm, every_length_up_to_2100_alone)
{
	for (u32 size = 0; size <= 2100; size++) {
		Batch batch;
		batch.add(random_bytes(random, size), random());
		batch.check(form(), key, size % 2 ? Place::Copy : Place::InPlace);
		ASSERT_FALSE(HasFatalFailure()) << "length " << size;
	}
}

TEST_P(AeadForm, every_length_up_to_600_beside_others_of_that_length)
{
	for (u32 size = 0; size <= 600; size++) {
		Batch batch;
		for (u32 i = 0; i < 9; i++)
			batch.add(random_bytes(random, size), i);
		batch.check(form(), key, size % 2 ? Place::Copy : Place::InPlace);
		ASSERT_FALSE(HasFatalFailure()) << "length " << size;
	}
}

TEST_P(AeadForm, long_messages_up_to_65535)
{
	for (u32 size : {4095u, 4096u, 4097u, 16384u, 65519u, 65535u}) {
		for (u32 count : {1u, 3u, 8u, 10u}) {
			Batch batch;
			for (u32 i = 0; i < count; i++)
				batch.add(random_bytes(random, size), random(), random_cuts(random, size));
			batch.check(form(), key, Place::Copy);
			ASSERT_FALSE(HasFatalFailure()) << count << " of length " << size;
		}
	}
}

TEST_P(AeadForm, random_shapes_agree_with_openssl)
{
	for (u32 round = 0; round < 600; round++) {
		u32 count = static_cast<u32>(random() % (round % 3 ? 20 : 70)), style = static_cast<u32>(random() % 4);
		u32 common = static_cast<u32>(random() % 1500);
		Batch batch;

		for (u32 i = 0; i < count; i++) {
			u32 sizes[] = {common, static_cast<u32>(random() % 200), static_cast<u32>(random() % 2000),
				       static_cast<u32>(random() % 16 ? random() % 70 : random() % 65536)};
			batch.add(random_bytes(random, sizes[style]), random() << random() % 64, random_cuts(random, sizes[style]));
		}
		batch.check(form(), key, round % 2 ? Place::Copy : Place::InPlace);
		ASSERT_FALSE(HasFatalFailure()) << "round " << round << ", style " << style;
	}
}

TEST_P(AeadForm, one_batch_of_300_messages)
{
	Batch batch;
	for (u32 i = 0; i < 300; i++)
		batch.add(random_bytes(random, 1420), i);
	batch.check(form(), key, Place::Copy);
}

TEST_P(AeadForm, a_piece_may_end_at_every_offset)
{
	for (u32 size : {1u, 63u, 64u, 65u, 300u, 1100u}) {
		for (u32 offset = 0; offset <= size; offset++) {
			for (u32 count : {1u, 6u}) {
				Batch batch;
				for (u32 i = 0; i < count; i++) {
					u32 cut = (offset + 7 * i) % (size + 1);
					batch.add(random_bytes(random, size), i, {cut, size - cut});
				}
				batch.check(form(), key, offset % 2 ? Place::Copy : Place::InPlace);
				ASSERT_FALSE(HasFatalFailure()) << count << " of length " << size << " cut at " << offset;
			}
		}
	}
}

TEST_P(AeadForm, pieces_of_one_byte)
{
	Batch batch;
	for (u32 size : {0u, 1u, 17u, 64u, 333u, 700u})
		batch.add(random_bytes(random, size), size, std::vector<u32>(size, 1));
	batch.check(form(), key, Place::Copy);
}

TEST_P(AeadForm, empty_pieces_and_messages_without_pieces)
{
	Batch batch;
	batch.add({}, 1, {});
	batch.add({}, 2, {0, 0, 0});
	batch.add(random_bytes(random, 100), 3, {0, 50, 0, 0, 50, 0});
	batch.add({}, 4, {});
	batch.check(form(), key, Place::Copy);
}

TEST_P(AeadForm, an_empty_batch_is_nothing)
{
	seal(form(), key, {}, workspace);
	open(form(), key, {}, workspace);
}

TEST_P(AeadForm, counters_use_all_64_bits)
{
	Batch batch;
	for (u64 counter : {0ull, 1ull, 0xffffffffull, 0x100000000ull, 0x8000000000000000ull, ~0ull})
		batch.add(random_bytes(random, 80), counter);
	batch.check(form(), key, Place::Copy);
	for (usize i = 1; i < batch.texts.size(); i++)
		EXPECT_NE(batch.texts[i - 1].tag, batch.texts[i].tag);
}

/* Where a message starts and ends is any address. */
TEST_P(AeadForm, every_alignment)
{
	Buffer memory(2 * 2048);
	for (u32 from = 0; from < 64; from++) {
		for (u32 to : {0u, 1u, 13u, 31u, 63u}) {
			Buffer plain = random_bytes(random, 777), tag(TAG_SIZE);
			std::copy(plain.begin(), plain.end(), memory.begin() + from);
			Piece piece = {memory.data() + from, memory.data() + 2048 + to, 777};
			Message message = {&piece, 1, from, tag.data(), false};

			seal(form(), key, {&message, 1}, workspace);
			Buffer expected = reference_seal(key, from, plain);
			ASSERT_EQ(0, std::memcmp(expected.data(), piece.to, 777));
			ASSERT_EQ(0, std::memcmp(expected.data() + 777, tag.data(), TAG_SIZE));
		}
	}
}

/* --- forgeries ------------------------------------------------------------------------------------- */

TEST_P(AeadForm, every_bit_of_the_tag_counts)
{
	for (u32 bit = 0; bit < 8 * TAG_SIZE; bit++) {
		Batch batch;
		for (u32 i = 0; i < 10; i++)
			batch.add(random_bytes(random, 150), i);
		seal(form(), key, batch.prepare(false, Place::Copy), workspace);
		u32 victim = bit % 10;
		batch.texts[victim].tag[bit / 8] ^= static_cast<u8>(1 << bit % 8);
		open(form(), key, batch.prepare(true, Place::Copy), workspace);
		for (u32 i = 0; i < 10; i++) {
			ASSERT_EQ(i != victim, batch.messages[i].authentic) << "bit " << bit;
			ASSERT_EQ(i != victim ? batch.texts[i].plain : Buffer(150, 0xee), batch.texts[i].opened) << "bit " << bit;
		}
	}
}

TEST_P(AeadForm, every_byte_of_the_ciphertext_counts)
{
	for (u32 size : {1u, 16u, 100u, 700u}) {
		for (u32 at = 0; at < size; at++) {
			Batch batch;
			for (u32 i = 0; i < (at % 2 ? 1 : 9); i++)
				batch.add(random_bytes(random, size), i, random_cuts(random, size));
			seal(form(), key, batch.prepare(false, Place::Copy), workspace);
			usize victim = at % batch.texts.size();
			batch.texts[victim].sealed[at] ^= static_cast<u8>(1 << random() % 8);
			Buffer forged = batch.texts[victim].sealed;
			open(form(), key, batch.prepare(true, Place::InPlace), workspace);
			for (usize i = 0; i < batch.texts.size(); i++) {
				ASSERT_EQ(i != victim, batch.messages[i].authentic) << "byte " << at << " of " << size;
				ASSERT_EQ(i != victim ? batch.texts[i].plain : forged, batch.texts[i].sealed);
			}
		}
	}
}

TEST_P(AeadForm, any_set_of_forged_messages_leaves_the_others_alone)
{
	for (u32 round = 0; round < 400; round++) {
		u32 count = 1 + static_cast<u32>(random() % 60), chance = static_cast<u32>(random() % 5);
		std::vector<bool> forged(count);
		Batch batch;

		for (u32 i = 0; i < count; i++) {
			u32 size = static_cast<u32>(random() % (round % 2 ? 1500 : 200));
			batch.add(random_bytes(random, size), random(), random_cuts(random, size));
		}
		seal(form(), key, batch.prepare(false, Place::Copy), workspace);
		for (u32 i = 0; i < count; i++) {
			forged[i] = random() % 4 < chance;
			if (!forged[i])
				continue;
			switch (random() % 3) {
			case 0:
				batch.texts[i].tag[random() % TAG_SIZE] ^= 0x80;
				break;
			case 1:
				batch.texts[i].counter++;
				break;
			case 2: // shorter by a byte, or by nothing: then the tag
				if (batch.texts[i].cuts.empty() || batch.texts[i].cuts.back() == 0)
					batch.texts[i].tag[0]++;
				else
					batch.texts[i].cuts.back()--;
				break;
			}
		}
		open(form(), key, batch.prepare(true, Place::Copy), workspace);
		for (u32 i = 0; i < count; i++) {
			ASSERT_EQ(!forged[i], batch.messages[i].authentic) << "round " << round;
			ASSERT_EQ(forged[i] ? Buffer(batch.texts[i].plain.size(), 0xee) : batch.texts[i].plain, batch.texts[i].opened) << "round " << round;
		}
	}
}

TEST_P(AeadForm, another_key_opens_nothing)
{
	Batch batch;
	for (u32 i = 0; i < 20; i++)
		batch.add(random_bytes(random, 64 * i), i);
	seal(form(), key, batch.prepare(false, Place::Copy), workspace);
	Key other;
	other.copy_from(key);
	other.expose()[31] ^= 0x80;
	open(form(), other, batch.prepare(true, Place::Copy), workspace);
	for (const Message &message : batch.messages)
		EXPECT_FALSE(message.authentic);
}

/* --- Poly1305 at its edges -------------------------------------------------------------------------- */

/* Poly1305 with OpenSSL's big numbers, to find a ciphertext block that drives the sum to a wanted value. */
class Solver {
public:
	Solver()
	{
		BN_set_bit(prime, 130);
		BN_sub_word(prime, 5);
	}
	~Solver()
	{
		for (BIGNUM *number : {prime, r, sum, block, target})
			BN_free(number);
		BN_CTX_free(context);
	}
	Solver(const Solver &) = delete;
	Solver &operator=(const Solver &) = delete;

	void start(const Buffer &mac_key)
	{
		Buffer clamped(mac_key.begin(), mac_key.begin() + 16);
		for (u32 i : {3, 7, 11, 15})
			clamped[i] &= 15;
		for (u32 i : {4, 8, 12})
			clamped[i] &= 252;
		BN_lebin2bn(clamped.data(), 16, r);
		BN_zero(sum);
	}
	void absorb(const u8 *bytes)
	{
		BN_lebin2bn(bytes, 16, block);
		BN_set_bit(block, 128);
		BN_add(sum, sum, block);
		BN_mod_mul(sum, sum, r, prime, context);
	}
	/* The block after which, and after @last, the sum is @wanted mod p; false when it would not fit in 16 bytes. */
	bool solve(const BIGNUM *wanted, const u8 *last, u8 *bytes)
	{
		BIGNUM *inverse = BN_mod_inverse(nullptr, r, prime, context);

		BN_mod_mul(target, wanted, inverse, prime, context);
		BN_lebin2bn(last, 16, block);
		BN_set_bit(block, 128);
		BN_mod_sub(target, target, block, prime, context);
		BN_mod_mul(target, target, inverse, prime, context);
		BN_mod_sub(target, target, sum, prime, context);
		BN_free(inverse);
		if (BN_num_bits(target) != 129)
			return false;
		BN_clear_bit(target, 128);
		BN_bn2lebinpad(target, bytes, 16);
		return true;
	}
	BIGNUM *prime = BN_new();

private:
	BIGNUM *r = BN_new(), *sum = BN_new(), *block = BN_new(), *target = BN_new();
	BN_CTX *context = BN_CTX_new();
};

/* Sums that are hard to reduce: around zero, around the prime, around the limbs' and the tag's boundaries. */
std::vector<BIGNUM *> hard_sums(const BIGNUM *prime)
{
	std::vector<BIGNUM *> sums;
	auto add = [&](const BIGNUM *base, int by) {
		BIGNUM *sum = BN_dup(base);
		if (by < 0)
			BN_sub_word(sum, static_cast<BN_ULONG>(-by));
		else
			BN_add_word(sum, static_cast<BN_ULONG>(by));
		sums.push_back(sum);
	};
	BIGNUM *base = BN_new();

	for (int by = 0; by < 8; by++)
		add(base, by);
	for (int by = 1; by < 8; by++)
		add(prime, -by);
	for (int bit : {26, 44, 52, 64, 78, 88, 104, 128, 129}) {
		BN_zero(base);
		BN_set_bit(base, bit);
		for (int by : {-5, -1, 0, 1, 5})
			add(base, by);
	}
	BN_free(base);
	return sums;
}

TEST_P(AeadForm, hard_poly1305_sums_are_reduced_right)
{
	Solver solver;
	std::vector<BIGNUM *> sums = hard_sums(solver.prime);

	for (u32 size : {16u, 64u, 272u, 1408u}) {
		for (const BIGNUM *wanted : sums) {
			Batch batch;
			u64 counter = random();

			while (batch.texts.size() < 9) {
				Buffer zeros = reference_seal(key, ++counter, Buffer(size)), ciphertext = random_bytes(random, size);
				Buffer lengths(16);
				Buffer mac_key(32);
				u64 length = size;
				u8 nonce[16] = {};
				int done;

				/* OpenSSL's ChaCha20 takes block number and nonce as one: block 0 is the Poly1305 key. */
				store_u64(nonce + 8, counter);
				EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
				EVP_EncryptInit_ex(cipher, EVP_chacha20(), nullptr, key.expose(), nonce);
				EVP_EncryptUpdate(cipher, mac_key.data(), &done, Buffer(32).data(), 32);
				EVP_CIPHER_CTX_free(cipher);
				store_u64(lengths.data() + 8, length);
				solver.start(mac_key);
				for (u32 at = 0; at + 16 < size; at += 16)
					solver.absorb(&ciphertext[at]);
				if (!solver.solve(wanted, lengths.data(), &ciphertext[size - 16]))
					continue;
				Buffer plain(size);
				for (u32 i = 0; i < size; i++)
					plain[i] = ciphertext[i] ^ zeros[i];
				batch.add(plain, counter);
				if (size == 1408)
					break; // alone: striped where the form stripes
			}
			batch.check(form(), key, Place::Copy);
			ASSERT_FALSE(HasFatalFailure()) << "length " << size << ", sum " << BN_bn2hex(wanted);
		}
	}
	for (BIGNUM *sum : sums)
		BN_free(sum);
}

/* All ones in every limb of every block, zeros, and ones beside zeros: carries as far as they go. */
TEST_P(AeadForm, ciphertexts_of_ones_and_zeros)
{
	for (u32 size : {15u, 16u, 17u, 255u, 256u, 257u, 1420u, 4096u}) {
		for (u32 round = 0; round < 12; round++) {
			Batch batch;
			for (u32 i = 0; i < (round % 2 ? 1 : 8); i++) {
				u64 counter = random();
				Buffer plain = reference_seal(key, counter, Buffer(size));
				plain.resize(size);
				for (u32 at = 0; at < size; at++)
					plain[at] ^= static_cast<u8>(round % 3 == 0 ? 0xff : round % 3 == 1 ? 0 : at / 16 % 2 ? 0xff : 0);
				batch.add(plain, counter);
			}
			batch.check(form(), key, Place::Copy);
			ASSERT_FALSE(HasFatalFailure()) << "length " << size << ", round " << round;
		}
	}
}

/* --- memory ------------------------------------------------------------------------------------------ */

/* One page between two that may not be touched. */
class GuardedPage {
public:
	GuardedPage()
	{
		memory_ = static_cast<u8 *>(mmap(nullptr, 3 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		mprotect(memory_ + SIZE, SIZE, PROT_READ | PROT_WRITE);
	}
	~GuardedPage() { munmap(memory_, 3 * SIZE); }
	GuardedPage(const GuardedPage &) = delete;
	GuardedPage &operator=(const GuardedPage &) = delete;
	u8 *first() const { return memory_ + SIZE; }
	u8 *last(usize size) const { return memory_ + 2 * SIZE - size; }
	void protect(int protection) { mprotect(first(), SIZE, protection); }
	static constexpr usize SIZE = 4096;

private:
	u8 *memory_;
};

TEST_P(AeadForm, nothing_outside_the_pieces_is_touched)
{
	constexpr u32 COUNT = 9;
	GuardedPage from[COUNT], to[COUNT], tags;

	for (u32 size = 0; size <= 560; size++) {
		for (bool at_end : {false, true}) {
			Piece pieces[COUNT];
			Message messages[COUNT];
			for (u32 count : {1u, COUNT}) {
				for (u32 i = 0; i < count; i++) {
					pieces[i] = {at_end ? from[i].last(size) : from[i].first(), at_end ? to[i].last(size) : to[i].first(), size};
					messages[i] = {&pieces[i], 1, i, at_end ? tags.last(TAG_SIZE * (i + 1)) : tags.first() + TAG_SIZE * i, false};
					from[i].protect(PROT_READ); // sealing only reads it
				}
				seal(form(), key, {messages, count}, workspace);
				for (u32 i = 0; i < count; i++)
					pieces[i].from = pieces[i].to;
				open(form(), key, {messages, count}, workspace);
				for (u32 i = 0; i < count; i++)
					ASSERT_TRUE(messages[i].authentic);
			}
		}
	}
}

TEST_P(AeadForm, a_forged_message_does_not_touch_what_it_would_be_opened_into)
{
	GuardedPage to;
	Batch batch;

	batch.add(random_bytes(random, 1000), 1);
	seal(form(), key, batch.prepare(false, Place::Copy), workspace);
	batch.texts[0].tag[3] ^= 4;
	batch.prepare(true, Place::Copy);
	batch.pieces[0][0].to = to.first();
	to.protect(PROT_NONE);
	open(form(), key, {batch.messages.data(), 1}, workspace);
	EXPECT_FALSE(batch.messages[0].authentic);
}

/* --- what stays behind ------------------------------------------------------------------------------ */

#ifndef __SANITIZE_ADDRESS__ // which keeps its own stacks
ucontext_t caller, callee;
Form wiped_form;
const Key *wiped_key;
Span<Message> wiped_messages;
bool wiped_open;

void run_on_other_stack()
{
	if (wiped_open)
		open(wiped_form, *wiped_key, wiped_messages, workspace);
	else
		seal(wiped_form, *wiped_key, wiped_messages, workspace);
}

[[gnu::noinline]] void switch_to(Buffer &stack)
{
	getcontext(&callee);
	callee.uc_stack.ss_sp = stack.data();
	callee.uc_stack.ss_size = stack.size();
	callee.uc_link = &caller;
	makecontext(&callee, run_on_other_stack, 0);
	swapcontext(&caller, &callee);
}

/* Eight bytes in a row of a secret, at any offset of @stack. */
bool holds(const Buffer &stack, const Buffer &secret)
{
	std::vector<u64> words;

	for (usize i = 0; i + 8 <= secret.size(); i += 4) {
		u64 word;
		std::memcpy(&word, &secret[i], 8);
		words.push_back(word);
	}
	std::sort(words.begin(), words.end());
	for (usize i = 0; i + 8 <= stack.size(); i++) {
		u64 word;
		std::memcpy(&word, &stack[i], 8);
		if (std::binary_search(words.begin(), words.end(), word))
			return true;
	}
	return false;
}

TEST_P(AeadForm, keys_and_keystream_are_wiped_from_the_stack)
{
#ifdef AVX512_MODEL
	if (form() == Form::Avx512)
		GTEST_SKIP() << "a model of AVX-512 has another stack";
#endif
	for (u32 count : {1u, 4u, 9u, 20u}) {
		for (u32 size : {30u, 700u}) {
			for (bool opening : {false, true}) {
				Buffer stack(64 * 1024, 0x5a), secrets;
				Batch batch;

				for (u32 i = 0; i < count; i++) {
					u8 nonce[16] = {};
					u64 counter = i;
					int done;
					Buffer keystream(64 + size + 64);

					batch.add(Buffer(size), counter);
					store_u64(nonce + 8, counter);
					EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
					EVP_EncryptInit_ex(cipher, EVP_chacha20(), nullptr, key.expose(), nonce);
					EVP_EncryptUpdate(cipher, keystream.data(), &done, Buffer(keystream.size()).data(), static_cast<int>(keystream.size()));
					EVP_CIPHER_CTX_free(cipher);
					secrets.insert(secrets.end(), keystream.begin(), keystream.end());
				}
				secrets.insert(secrets.end(), key.expose(), key.expose() + KEY_SIZE);
				wiped_form = form();
				wiped_key = &key;
				wiped_messages = batch.prepare(false, Place::Copy);
				wiped_open = opening;
				if (opening) {
					seal(form(), key, wiped_messages, workspace);
					wiped_messages = batch.prepare(true, Place::Copy);
				}
				ASSERT_FALSE(holds(stack, secrets));
				switch_to(stack);
				EXPECT_FALSE(holds(stack, secrets)) << count << " of length " << size << (opening ? " opened" : " sealed");
			}
		}
	}
}
#endif

/* What is left there are addresses, lengths and counters: the same whatever the key and the texts are. */
TEST_P(AeadForm, what_is_left_in_the_workspace_tells_nothing_of_keys_and_texts)
{
	for (u32 count : {1u, 2u, 4u, 9u, 20u, 33u}) {
		for (u32 size : {0u, 30u, 64u, 700u, 1420u}) {
			for (bool opening : {false, true}) {
				Batch batch;
				Buffer left[2];

				for (u32 i = 0; i < count; i++)
					batch.add(Buffer(size), i, {size / 3, size - size / 3});
				for (Buffer &now : left) {
					Key key;

					set_key(key, random_bytes(random, KEY_SIZE));
					for (Batch::Text &text : batch.texts) {
						Buffer plain = random_bytes(random, size);
						std::copy(plain.begin(), plain.end(), text.plain.begin());
					}
					Span<Message> messages = batch.prepare(false, Place::Copy);
					if (opening) {
						seal(form(), key, messages, workspace);
						for (usize i = 0; i < batch.pieces.size(); i++) {
							for (Piece &piece : batch.pieces[i])
								piece.from = piece.to;
						}
					}
					std::memset(workspace.at, 0x5a, sizeof(workspace.at));
					if (opening)
						open(form(), key, messages, workspace);
					else
						seal(form(), key, messages, workspace);
					now.assign(std::begin(workspace.at), std::end(workspace.at));
				}
				auto [one, other] = std::mismatch(left[0].begin(), left[0].end(), left[1].begin());
				EXPECT_TRUE(one == left[0].end()) << count << " of length " << size << (opening ? " opened" : " sealed") << " at " << one - left[0].begin();
				EXPECT_NE(left[0], Buffer(left[0].size(), 0x5a)) << "it is not used";
			}
		}
	}
}

} // namespace
} // namespace wg::crypto
