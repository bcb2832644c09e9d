// SPDX-License-Identifier: GPL-2.0
/* What was exchanged with the kernel's own WireGuard once, replayed: all we sent then we would send again, and all they sent still opens. */
#include "captured_session.h"

namespace wg {
namespace {

using namespace test::captured;
using test::ByteVector;
using test::from_hex;

#include "captured_session.inc"

TEST(Captured, a_session_we_initiated_is_the_same_to_the_byte)
{
	Ours ours;

	EXPECT_EQ(ours.initiate(), from_hex(WE_INITIATED.initiation));
	ASSERT_TRUE(ours.finish(from_hex(WE_INITIATED.response)));
	EXPECT_EQ(ours.seal(our_request()), from_hex(WE_INITIATED.request));
	const ByteVector reply = ours.open(from_hex(WE_INITIATED.reply));
	ASSERT_TRUE(reply.size() >= 32);
	EXPECT_EQ(ByteVector(reply.begin() + 24, reply.begin() + 32), ByteVector({0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g'}));
	EXPECT_EQ(reply[20], ECHO_REPLY);
}

TEST(Captured, a_session_they_initiated_is_the_same_to_the_byte)
{
	Ours ours;

	EXPECT_EQ(ours.respond(from_hex(THEY_INITIATED.initiation)), from_hex(THEY_INITIATED.response));
	const ByteVector request = ours.open(from_hex(THEY_INITIATED.request));
	ASSERT_TRUE(request.size() >= 84);
	EXPECT_EQ(ByteVector(request.begin() + 12, request.begin() + 21), ByteVector({10, 9, 0, 1, 10, 9, 0, 2, ECHO_REQUEST}));
	EXPECT_EQ(ours.seal(our_reply(request)), from_hex(THEY_INITIATED.reply));
}

TEST(Captured, a_changed_bit_is_refused)
{
	Ours ours;
	ByteVector initiation = from_hex(THEY_INITIATED.initiation), request = from_hex(THEY_INITIATED.request);

	for (usize i = 0; i < initiation.size() - MAC_SIZE; i++) {	/* mac2 is nobody's business without load */
		initiation[i] ^= 0x10;
		EXPECT_TRUE(ours.respond(initiation).empty()) << i;
		initiation[i] ^= 0x10;
	}
	ASSERT_FALSE(ours.respond(initiation).empty());
	for (usize i = 4; i < request.size(); i++) {
		request[i] ^= 0x10;
		EXPECT_TRUE(ours.open(request).empty()) << i;
		request[i] ^= 0x10;
	}
	EXPECT_FALSE(ours.open(request).empty());
}

} // namespace
} // namespace wg
