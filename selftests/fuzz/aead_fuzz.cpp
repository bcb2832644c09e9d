// SPDX-License-Identifier: GPL-2.0
/* Fuzzes the AEAD of a batch: the input says how long the messages are, how they are cut, where they lie and which are forged; every
 * form the CPU has must seal what OpenSSL seals and open exactly what is authentic. Buffers are as large as they must be, so that
 * the address sanitizer sees every byte too many.
 */
#include "crypto/aead.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

extern "C" void wg_kernel_bug(const char *what)
{
	std::fprintf(stderr, "bug hook: %s\n", what);
	std::abort();
}

namespace {

using namespace wg;
using namespace wg::crypto;

void require(bool condition, const char *what)
{
	if (condition)
		return;
	std::fprintf(stderr, "aead_fuzz: %s\n", what);
	std::abort();
}

/* Numbers out of the input; zeros when it is used up. */
class Input {
public:
	Input(const u8 *data, usize size) : data_(data), left_(size) {}
	u8 byte() { return left_ > 0 ? left_--, *data_++ : 0; }
	u32 word() { return static_cast<u32>(byte() | byte() << 8); }
	bool empty() const { return left_ == 0; }

private:
	const u8 *data_;
	usize left_;
};

/* Exactly its size, and nothing behind it. */
struct Memory {
	explicit Memory(usize size) : at(new u8[size]), size(size) {}
	std::unique_ptr<u8[]> at;
	usize size;
};

struct Text {
	u32 size;
	u64 counter;
	std::vector<Memory> from, to; // piece by piece: each in memory of its own
	std::vector<Piece> pieces;
	std::vector<u8> plain, expected;
	std::unique_ptr<u8[]> tag;
	u8 forge;
};

std::vector<u8> reference(const Key &key, u64 counter, const std::vector<u8> &plain)
{
	static EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	std::vector<u8> sealed(plain.size() + TAG_SIZE);
	u8 nonce[12] = {};
	int size;

	std::memcpy(nonce + 4, &counter, sizeof(counter));
	EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, key.expose(), nonce);
	EVP_EncryptUpdate(context, sealed.data(), &size, plain.data(), static_cast<int>(plain.size()));
	EVP_EncryptFinal_ex(context, sealed.data() + size, &size);
	EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, sealed.data() + plain.size());
	return sealed;
}

std::vector<Text> texts_of(Input &input, const Key &key)
{
	u32 count = input.byte() % 40, style = input.byte(), common = input.word(), state = input.word();
	std::vector<Text> texts;

	for (u32 i = 0; i < count; i++) {
		Text text = {};
		text.size = style % 4 == 0 ? common % 2048 : style % 4 == 1 ? input.byte() : style % 4 == 2 ? input.word() % 2048 : common;
		if (style % 4 == 3 && i >= 3)
			text.size %= 300;
		text.counter = style & 0x10 ? ~0ull - i : static_cast<u64>(i) << (style >> 5) * 9;
		text.forge = input.byte();
		text.tag = std::make_unique<u8[]>(TAG_SIZE);
		for (u32 at = 0; at < text.size; at++) {
			state = state * 1664525 + 1013904223;
			text.plain.push_back(style & 4 ? 0 : static_cast<u8>(state >> 24));
		}
		text.expected = reference(key, text.counter, text.plain);
		for (u32 left = text.size; left > 0;) {
			u32 cut = input.empty() || input.byte() % 4 == 0 ? left : std::min<u32>(left, input.byte());
			text.from.emplace_back(cut);
			text.to.emplace_back(cut);
			left -= cut;
		}
		texts.push_back(std::move(text));
	}
	return texts;
}

/* @plain or sealed bytes into the `from` side; pieces that read there and write to `to`, or in place. */
void lay_out(Text &text, const u8 *bytes, bool in_place)
{
	text.pieces.clear();
	for (usize i = 0; i < text.from.size(); i++) {
		std::memcpy(text.from[i].at.get(), bytes, text.from[i].size);
		std::memset(text.to[i].at.get(), 0xa5, text.to[i].size);
		bytes += text.from[i].size;
		text.pieces.push_back({text.from[i].at.get(), (in_place ? text.from : text.to)[i].at.get(), static_cast<u32>(text.from[i].size)});
	}
}

bool holds(const Text &text, const u8 *bytes)
{
	for (const Piece &piece : text.pieces) {
		if (piece.size > 0 && std::memcmp(piece.to, bytes, piece.size) != 0)
			return false;
		bytes += piece.size;
	}
	return true;
}

bool untouched(const Text &text, const u8 *sealed, bool in_place)
{
	return in_place ? holds(text, sealed) : holds(text, std::vector<u8>(text.size, 0xa5).data());
}

void check(Form form, const Key &key, std::vector<Text> &texts, bool in_place)
{
	std::vector<Message> messages;
	auto workspace = std::make_unique<Workspace>(); // the address sanitizer sees its end

	for (Text &text : texts) {
		lay_out(text, text.plain.data(), in_place);
		messages.push_back({text.pieces.data(), static_cast<u32>(text.pieces.size()), text.counter, text.tag.get(), false});
	}
	seal(form, key, {messages.data(), messages.size()}, *workspace);
	for (Text &text : texts) {
		require(holds(text, text.expected.data()), "ciphertext differs");
		require(std::memcmp(text.tag.get(), &text.expected[text.size], TAG_SIZE) == 0, "tag differs");
	}
	std::vector<std::vector<u8>> sealed;
	for (Text &text : texts) {
		sealed.push_back(text.expected);
		if (text.forge & 1)
			sealed.back()[text.forge * 2654435761u % sealed.back().size()] ^= static_cast<u8>(1 << (text.forge >> 1) % 8);
		lay_out(text, sealed.back().data(), in_place);
		std::memcpy(text.tag.get(), &sealed.back()[text.size], TAG_SIZE);
	}
	open(form, key, {messages.data(), messages.size()}, *workspace);
	for (usize i = 0; i < texts.size(); i++) {
		require(messages[i].authentic == !(texts[i].forge & 1), "verdict is wrong");
		require(messages[i].authentic ? holds(texts[i], texts[i].plain.data()) : untouched(texts[i], sealed[i].data(), in_place), "opened text is wrong");
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
	Input input(data, size);
	u8 flags = input.byte();
	Key key;

	for (u32 i = 0; i < KEY_SIZE; i++)
		key.expose()[i] = static_cast<u8>(flags * (i + 1));
	std::vector<Text> texts = texts_of(input, key);
	check(Form::Portable, key, texts, flags & 1);
#ifdef __AARCH64EL__
	check(Form::Neon, key, texts, flags & 1);
#elif defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		check(Form::Avx2, key, texts, flags & 1);
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma"))
		check(Form::Avx512, key, texts, flags & 1);
#endif
	return 0;
}
