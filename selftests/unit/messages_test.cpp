// SPDX-License-Identifier: GPL-2.0
#include "support.h"
#include "wire/messages.h"

namespace wg {
namespace {

ByteSpan message(test::ByteVector &bytes, u32 type, usize size)
{
	LittleEndian<u32> little = type;

	bytes.assign(size, 0xaa);
	for (usize i = 0; i < size && i < 4; i++)
		bytes[i] = little.data()[i];
	return {bytes.data(), size};
}

TEST(Classify, accepts_exactly_the_lengths_of_the_paper)
{
	test::ByteVector bytes;

	for (usize size = 0; size <= 2048; size++) {
		for (u32 type = 0; type <= 5; type++) {
			auto got = classify(message(bytes, type, size), size);
			bool wanted = (type == 1 && size == 148) || (type == 2 && size == 92) || (type == 3 && size == 64) || (type == 4 && size >= 32);

			ASSERT_EQ(static_cast<bool>(got), wanted) << type << " " << size;
			if (wanted)
				EXPECT_EQ(static_cast<u32>(*got), type);
			else
				EXPECT_EQ(got.error(), Drop::Malformed);
		}
	}
}

TEST(Classify, the_reserved_bytes_are_part_of_the_type)
{
	test::ByteVector bytes;

	for (u32 type : {0x101u, 0x10002u, 0x1000003u, 0x80000004u, 0x01000000u, 0xffffffffu})
		for (usize size : {64u, 92u, 148u, 32u})
			EXPECT_FALSE(classify(message(bytes, type, size), size)) << type;
}

TEST(Classify, needs_only_the_head_of_a_long_message)
{
	test::ByteVector bytes;
	ConstByteSpan whole = message(bytes, 4, 1500);

	EXPECT_TRUE(classify(whole.first(16), 1500));
	EXPECT_TRUE(classify(whole.first(16), 70000));
}

TEST(Classify, a_head_shorter_than_promised_is_malformed)
{
	test::ByteVector bytes;
	ConstByteSpan whole = message(bytes, 4, 64);

	EXPECT_FALSE(classify(whole.first(3), 64));
	EXPECT_FALSE(classify({}, 64));
}

TEST(Parse, gives_the_message_in_place)
{
	test::ByteVector bytes;
	ConstByteSpan span = message(bytes, 1, 148);
	auto parsed = parse<InitiationMessage>(span);

	ASSERT_TRUE(parsed);
	EXPECT_EQ(reinterpret_cast<const u8 *>(&*parsed), span.data());
	EXPECT_EQ(parsed->sender_index.get(), 0xaaaaaaaau);
}

TEST(Parse, refuses_another_type_or_length)
{
	test::ByteVector bytes;

	EXPECT_FALSE(parse<InitiationMessage>(message(bytes, 1, 147)));
	EXPECT_FALSE(parse<InitiationMessage>(message(bytes, 1, 149)));
	EXPECT_FALSE(parse<InitiationMessage>(message(bytes, 2, 148)));
	EXPECT_FALSE(parse<ResponseMessage>(message(bytes, 1, 92)));
	EXPECT_TRUE(parse<ResponseMessage>(message(bytes, 2, 92)));
	EXPECT_TRUE(parse<CookieReplyMessage>(message(bytes, 3, 64)));
	/* A data message of a cookie reply's length. */
	EXPECT_FALSE(parse<CookieReplyMessage>(message(bytes, 4, 64)));
	EXPECT_FALSE(parse<CookieReplyMessage>(ConstByteSpan{}));
}

TEST(Padding, rounds_up_to_sixteen)
{
	EXPECT_EQ(padding_size(0, 1420), 0u);
	EXPECT_EQ(padding_size(1, 1420), 15u);
	EXPECT_EQ(padding_size(16, 1420), 0u);
	EXPECT_EQ(padding_size(17, 1420), 15u);
	EXPECT_EQ(padding_size(84, 1420), 12u);
}

TEST(Padding, never_goes_beyond_the_mtu)
{
	EXPECT_EQ(padding_size(1410, 1420), 10u);
	EXPECT_EQ(padding_size(1420, 1420), 0u);
	EXPECT_EQ(padding_size(1419, 1420), 1u);
	EXPECT_EQ(padding_size(1409, 1420), 11u);
	EXPECT_EQ(padding_size(1408, 1420), 0u);
	EXPECT_EQ(padding_size(3, 5), 2u);
}

TEST(Padding, takes_a_longer_packet_modulo_the_mtu)
{
	EXPECT_EQ(padding_size(1421, 1420), 15u);
	EXPECT_EQ(padding_size(2840, 1420), 0u);
	EXPECT_EQ(padding_size(2839, 1420), 1u);
	EXPECT_EQ(padding_size(65535, 1), 0u);
}

TEST(Padding, with_mtu_zero_only_the_multiple_counts)
{
	EXPECT_EQ(padding_size(0, 0), 0u);
	EXPECT_EQ(padding_size(1, 0), 15u);
	EXPECT_EQ(padding_size(65535, 0), 1u);
	EXPECT_EQ(padding_size(0xffffffffu, 0), 1u);
}

/* Every pair of a small range, and the extremes, against the definition. */
TEST(Padding, follows_its_definition_everywhere)
{
	const u32 extremes[] = {0x7ffffff0u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, 0xffffffffu};
	auto check = [](u64 size, u64 mtu) {
		u64 last = mtu && size > mtu ? size % mtu : size;
		u64 padded = (last + 15) / 16 * 16;

		if (mtu && padded > mtu)
			padded = mtu;
		ASSERT_EQ(padding_size(static_cast<u32>(size), static_cast<u32>(mtu)), padded - last) << size << " " << mtu;
	};

	for (u32 mtu = 0; mtu < 200; mtu++)
		for (u32 size = 0; size < 700; size++)
			check(size, mtu);
	for (u32 a : extremes)
		for (u32 b : extremes)
			check(a, b);
}

} // namespace
} // namespace wg
