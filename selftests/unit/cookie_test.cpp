// SPDX-License-Identifier: GPL-2.0
#include <algorithm>

#include "bug_hook.h"
#include "noise_reference.h"
#include "protocol/cookie.h"
#include "support.h"

namespace wg {
namespace {

using test::ByteVector;
using test::primitives;
using test::vector_of;
namespace reference = test::reference;

constexpr Instant NOW = {seconds(500).ns};

CookieSource source_v4(u8 last_address_byte, u16 port)
{
	CookieSource source = {{192, 0, 2, last_address_byte, static_cast<u8>(port >> 8), static_cast<u8>(port)}, 6};

	return source;
}

CookieSource source_v6(u8 last_address_byte, u16 port)
{
	CookieSource source = {{0x20, 0x01, 0x0d, 0xb8}, 18};

	source.bytes[15] = last_address_byte;
	source.bytes[16] = static_cast<u8>(port >> 8);
	source.bytes[17] = static_cast<u8>(port);
	return source;
}

/* A responder under load and an initiator who writes to it. */
struct Scene {
	test::Random random{20};
	PublicKey responder_public;
	CookieKeys keys;
	CookieChecker checker;
	CookieMaker maker;
	Secret<32> secret;
	ByteVector message;
	CookieSource source = source_v4(7, 51820);

	Scene()
	{
		random.fill(responder_public.data(), KEY_SIZE);
		keys = derive_cookie_keys(primitives(), responder_public);
		random.fill(secret.expose(), 32);
		checker.refresh(secret, NOW);
		message = random.bytes(sizeof(InitiationMessage));
	}
	ByteSpan span() { return {message.data(), message.size()}; }
	MacVerdict check(Instant now = NOW) { return checker.check(primitives(), keys, span(), source, now); }
	void add_macs(Instant now = NOW) { maker.add_macs(primitives(), keys, span(), now); }
	Bytes<16> mac1() const
	{
		Bytes<16> mac;

		copy_bytes(mac.data(), message.data() + message.size() - 32, 16);
		return mac;
	}
	Bytes<16> mac2() const
	{
		Bytes<16> mac;

		copy_bytes(mac.data(), message.data() + message.size() - 16, 16);
		return mac;
	}
	CookieReplyMessage reply()
	{
		CookieReplyMessage message;
		Bytes<24> nonce;

		random.fill(nonce.data(), 24);
		checker.create_reply(primitives(), keys, mac1(), SessionIndex(0x01020304), source, nonce, message);
		return message;
	}
	Outcome<void> consume(const CookieReplyMessage &message, Instant now = NOW)
	{
		return maker.consume_reply(primitives(), keys, message, now);
	}
	/* The whole exchange: afterwards the maker holds a cookie got at @now. */
	void fetch_cookie(Instant now = NOW)
	{
		add_macs(now);
		ASSERT_TRUE(consume(reply(), now));
	}
};

TEST(CookieMaker, mac1_is_the_papers)
{
	for (usize size : {sizeof(InitiationMessage), sizeof(ResponseMessage)}) {
		Scene scene;

		scene.message = scene.random.bytes(size);
		ByteVector before(scene.message.begin(), scene.message.end() - 32);

		scene.add_macs();
		EXPECT_EQ(vector_of(scene.mac1()), reference::mac1(vector_of(scene.responder_public), before));
		EXPECT_TRUE(scene.mac2().is_zero());
		EXPECT_EQ(ByteVector(scene.message.begin(), scene.message.end() - 32), before);
	}
}

TEST(CookieMaker, mac2_is_the_papers)
{
	Scene scene;

	scene.fetch_cookie();
	scene.message = scene.random.bytes(sizeof(ResponseMessage));
	scene.add_macs();

	ByteVector cookie = reference::mac(vector_of(scene.secret), vector_of(scene.source.bytes, scene.source.size));
	ByteVector before(scene.message.begin(), scene.message.end() - 16);

	EXPECT_EQ(vector_of(scene.mac2()), reference::mac(cookie, before));
}

TEST(CookieMaker, a_message_without_room_for_macs_is_a_bug_and_stays_untouched)
{
	Scene scene;
	test::ExpectBugs bugs;

	scene.message = ByteVector(31, 5);
	scene.add_macs();
	EXPECT_EQ(bugs.count(), 1);
	EXPECT_EQ(scene.message, ByteVector(31, 5));
}

TEST(CookieChecker, any_changed_bit_of_message_or_mac1_is_bad)
{
	Scene scene;

	scene.add_macs();
	for (usize at = 0; at < sizeof(InitiationMessage) - 16; at++) {
		scene.message[at] ^= 0x10;
		ASSERT_EQ(scene.check(), MacVerdict::Bad) << at;
		scene.message[at] ^= 0x10;
	}
	EXPECT_EQ(scene.check(), MacVerdict::Mac1Valid);
}

TEST(CookieChecker, any_changed_bit_of_mac2_is_no_mac2)
{
	Scene scene;

	scene.fetch_cookie();
	scene.add_macs();
	ASSERT_EQ(scene.check(), MacVerdict::Mac1AndMac2Valid);
	for (usize at = sizeof(InitiationMessage) - 16; at < sizeof(InitiationMessage); at++) {
		scene.message[at] ^= 0x10;
		ASSERT_EQ(scene.check(), MacVerdict::Mac1Valid) << at;
		scene.message[at] ^= 0x10;
	}
}

TEST(CookieChecker, a_message_too_short_for_macs_is_bad)
{
	Scene scene;

	for (usize size = 0; size < 32; size++) {
		ByteVector cut(size);

		EXPECT_EQ(scene.checker.check(primitives(), scene.keys, test::span_of(cut), scene.source, NOW), MacVerdict::Bad);
	}
}

TEST(CookieChecker, a_mac1_for_another_receiver_is_bad)
{
	Scene scene;
	PublicKey other;

	scene.add_macs();
	scene.random.fill(other.data(), KEY_SIZE);
	EXPECT_EQ(scene.checker.check(primitives(), derive_cookie_keys(primitives(), other), scene.span(), scene.source, NOW), MacVerdict::Bad);
}

TEST(CookieChecker, a_cookie_is_bound_to_address_and_port)
{
	Scene scene;

	scene.fetch_cookie();
	scene.add_macs();
	EXPECT_EQ(scene.check(), MacVerdict::Mac1AndMac2Valid);
	for (CookieSource other : {source_v4(8, 51820), source_v4(7, 51821), source_v4(7, 51820 ^ 0x100)}) {
		scene.source = other;
		EXPECT_EQ(scene.check(), MacVerdict::Mac1Valid);
	}
}

TEST(CookieChecker, an_ipv6_cookie_is_bound_to_the_whole_address_and_port)
{
	Scene scene;

	scene.source = source_v6(1, 51820);
	scene.fetch_cookie();
	scene.add_macs();
	EXPECT_EQ(scene.check(), MacVerdict::Mac1AndMac2Valid);
	for (CookieSource other : {source_v6(2, 51820), source_v6(1, 51821)}) {
		scene.source = other;
		EXPECT_EQ(scene.check(), MacVerdict::Mac1Valid);
	}
}

TEST(CookieChecker, wants_a_secret_at_first_and_every_120_seconds)
{
	Scene scene;
	CookieChecker fresh;

	EXPECT_TRUE(fresh.wants_fresh_secret({1}));
	EXPECT_FALSE(scene.checker.wants_fresh_secret(NOW + seconds(120) - Duration{1}));
	EXPECT_TRUE(scene.checker.wants_fresh_secret(NOW + seconds(120)));
}

TEST(CookieChecker, mac2_counts_only_while_the_secret_is_fresh)
{
	Scene scene;

	scene.fetch_cookie();
	scene.add_macs();
	EXPECT_EQ(scene.check(NOW + seconds(120) - Duration{1}), MacVerdict::Mac1AndMac2Valid);
	EXPECT_EQ(scene.check(NOW + seconds(120)), MacVerdict::Mac1Valid);
}

/* Before the first refresh the secret is zero, which everybody knows. */
TEST(CookieChecker, no_mac2_is_valid_before_there_is_a_secret)
{
	Scene scene;
	CookieChecker fresh;
	ByteVector cookie = reference::mac(ByteVector(32), vector_of(scene.source.bytes, scene.source.size));

	scene.add_macs();

	ByteVector mac2 = reference::mac(cookie, ByteVector(scene.message.begin(), scene.message.end() - 16));

	std::copy(mac2.begin(), mac2.end(), scene.message.end() - 16);
	EXPECT_EQ(fresh.check(primitives(), scene.keys, scene.span(), scene.source, NOW), MacVerdict::Mac1Valid);
}

TEST(CookieChecker, an_old_cookie_dies_with_its_secret)
{
	Scene scene;
	Secret<32> other;

	scene.fetch_cookie();
	scene.random.fill(other.expose(), 32);
	scene.checker.refresh(other, NOW + seconds(1));
	scene.add_macs();
	EXPECT_EQ(scene.check(NOW + seconds(1)), MacVerdict::Mac1Valid);
}

TEST(CookieReply, is_the_papers_message)
{
	Scene scene;

	scene.add_macs();

	CookieReplyMessage reply = scene.reply();
	ByteVector input = {'c', 'o', 'o', 'k', 'i', 'e', '-', '-'}, responder = vector_of(scene.responder_public), opened(16);

	input.insert(input.end(), responder.begin(), responder.end());
	EXPECT_EQ(reply.type.get(), 3u);
	EXPECT_EQ(reply.receiver_index.get(), 0x01020304u);
	ASSERT_TRUE(primitives().xaead_open(opened.data(), reply.encrypted_cookie.data(), 32, scene.mac1().data(), 16, reply.nonce.data(),
					    reference::hash(input).data()));
	EXPECT_EQ(opened, reference::mac(vector_of(scene.secret), vector_of(scene.source.bytes, scene.source.size)));
}

TEST(CookieMaker, a_reply_is_accepted_once)
{
	Scene scene;

	scene.add_macs();
	CookieReplyMessage reply = scene.reply();

	EXPECT_TRUE(scene.consume(reply));
	EXPECT_EQ(scene.consume(reply).error(), Drop::UnexpectedCookie);
}

TEST(CookieMaker, a_reply_nobody_asked_for_is_refused)
{
	Scene scene;

	EXPECT_EQ(scene.consume(scene.reply()).error(), Drop::UnexpectedCookie);
	scene.add_macs();
	EXPECT_TRUE(scene.mac2().is_zero());
}

TEST(CookieMaker, a_reply_to_an_earlier_message_is_refused)
{
	Scene scene;

	scene.add_macs();
	CookieReplyMessage late = scene.reply();

	scene.message[10] ^= 1;
	scene.add_macs();
	EXPECT_EQ(scene.consume(late).error(), Drop::UnexpectedCookie);
	EXPECT_TRUE(scene.consume(scene.reply()));
}

TEST(CookieMaker, a_forged_reply_is_refused_and_the_true_one_still_taken)
{
	Scene scene;

	scene.add_macs();
	CookieReplyMessage reply = scene.reply();

	for (usize at = offsetof(CookieReplyMessage, nonce); at < sizeof(reply); at++) {
		CookieReplyMessage forged = reply;

		reinterpret_cast<u8 *>(&forged)[at] ^= 1;
		ASSERT_EQ(scene.consume(forged).error(), Drop::UnexpectedCookie) << at;
	}
	EXPECT_TRUE(scene.consume(reply));
}

TEST(CookieMaker, a_failed_reply_keeps_the_cookie_that_is_held)
{
	Scene scene;

	scene.fetch_cookie();
	scene.add_macs();
	CookieReplyMessage forged = scene.reply();

	forged.encrypted_cookie.at[0] ^= 1;
	EXPECT_FALSE(scene.consume(forged));
	scene.add_macs();
	EXPECT_EQ(scene.check(), MacVerdict::Mac1AndMac2Valid);
}

TEST(CookieMaker, uses_a_cookie_until_it_is_115_seconds_old)
{
	Scene scene;

	scene.fetch_cookie();
	scene.add_macs(NOW + seconds(115));
	EXPECT_FALSE(scene.mac2().is_zero());
	scene.add_macs(NOW + seconds(115) + Duration{1});
	EXPECT_TRUE(scene.mac2().is_zero());
}

} // namespace
} // namespace wg
