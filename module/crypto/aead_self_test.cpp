// SPDX-License-Identifier: GPL-2.0
#include "crypto/aead.h"

namespace wg::crypto {

constexpr u32 TEXT_SIZE = 2304, MOST_MESSAGES = 20, MOST_PIECES = 3, BATCHES = 24;

struct Sealed {
	u8 text[TEXT_SIZE], tags[MOST_MESSAGES][TAG_SIZE];
	Piece pieces[MOST_MESSAGES][MOST_PIECES];
	Message messages[MOST_MESSAGES];
};

/* A fixed sequence that looks random: the test is the same at every load. */
class Draw {
public:
	u32 below(u32 limit)
	{
		state_ = state_ * 1664525 + 1013904223;
		return (state_ >> 8) % limit;
	}

private:
	u32 state_ = 1;
};

/* Too large for a kernel stack. Only self_test() uses it, and only module load calls that. */
static constinit u8 text[TEXT_SIZE] = {};
static constinit Sealed ours = {}, expected = {};
static constinit Workspace workspace = {};

/* Sixty-four zero bytes under key and counter zero: the keystream of RFC 8439 A.1 test vector 2, and the tag that goes with it. */
static bool knows_the_answer(Form form)
{
	constexpr u8 CIPHERTEXT[64] = {
		0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
		0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
		0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
		0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f,
	};
	constexpr u8 TAG[TAG_SIZE] = {0x75, 0xc5, 0x18, 0x0e, 0xf5, 0x2d, 0x69, 0x21, 0x03, 0x7a, 0x3d, 0x0a, 0xf9, 0xf0, 0xda, 0xc8};
	const Key key;
	u8 sealed[sizeof(CIPHERTEXT)] = {}, tag[TAG_SIZE];
	Piece piece = {sealed, sealed, sizeof(sealed)};
	Message message = {&piece, 1, 0, tag, false};

	seal(form, key, {&message, 1}, workspace);
	return same_bytes(sealed, CIPHERTEXT, sizeof(sealed)) && same_bytes(tag, TAG, TAG_SIZE);
}

/* Cuts the text into @count messages of up to @longest bytes, and those into pieces that start and end anywhere. */
static void cut(Draw &draw, Sealed &sealed, u32 count, u32 longest)
{
	u32 offset = 0;

	for (u32 i = 0; i < count; i++) {
		Message &message = sealed.messages[i];
		u32 left = draw.below(longest + 1);

		message = {sealed.pieces[i], 1 + draw.below(MOST_PIECES), ~0ull << draw.below(64), sealed.tags[i], false};
		for (u32 p = 0; p < message.piece_count; p++) {
			u32 size = p + 1 == message.piece_count ? left : draw.below(left + 1);

			sealed.pieces[i][p] = {text + offset, sealed.text + offset, size};
			offset += size;
			left -= size;
		}
	}
}

static bool agrees_with_portable(Form form, Draw &draw, u32 count, u32 longest)
{
	Draw again = draw;
	u32 forged = draw.below(count + 1);
	Key key;

	again.below(count + 1);
	for (u32 i = 0; i < KEY_SIZE; i++)
		key.expose()[i] = text[i + count];
	cut(draw, ours, count, longest);
	cut(again, expected, count, longest);
	zero_bytes(ours.text, TEXT_SIZE);
	zero_bytes(expected.text, TEXT_SIZE);
	seal(form, key, {ours.messages, count}, workspace);
	seal(Form::Portable, key, {expected.messages, count}, workspace);
	if (!same_bytes(ours.text, expected.text, TEXT_SIZE) || !same_bytes(ours.tags, expected.tags, count * TAG_SIZE))
		return false;

	for (u32 i = 0; i < count; i++) {
		for (Piece &piece : ours.pieces[i])
			piece.from = piece.to;
	}
	if (forged < count)
		ours.tags[forged][draw.below(TAG_SIZE)] ^= 1;
	open(form, key, {ours.messages, count}, workspace);
	for (u32 i = 0; i < count; i++) {
		const Message &message = ours.messages[i];

		if (message.authentic == (i == forged))
			return false;
		for (u32 p = 0; p < message.piece_count; p++) {
			usize offset = static_cast<usize>(message.pieces[p].to - ours.text);
			const u8 *right = i == forged ? expected.text : text;

			if (!same_bytes(ours.text + offset, right + offset, message.pieces[p].size))
				return false;
		}
	}
	return true;
}

bool self_test(Form form)
{
	Draw draw;

	if (!knows_the_answer(form))
		return false;
	for (u8 &byte : text)
		byte = static_cast<u8>(draw.below(256));
	/* From one long message to many short ones. */
	for (u32 batch = 0; batch < BATCHES; batch++) {
		u32 count = 1 + batch * (MOST_MESSAGES - 1) / (BATCHES - 1);

		if (!agrees_with_portable(form, draw, count, TEXT_SIZE / count))
			return false;
	}
	return true;
}

} // namespace wg::crypto
