// SPDX-License-Identifier: GPL-2.0
#include "low_order.h"
#include "noise_reference.h"
#include "protocol/identity.h"

namespace wg {
namespace {

using test::ByteVector;
using test::primitives;
using test::vector_of;
namespace reference = test::reference;

PublicKey public_key(const ByteVector &bytes)
{
	PublicKey key;

	copy_bytes(key.data(), bytes.data(), KEY_SIZE);
	return key;
}

bool same(const CookieKeys &a, const CookieKeys &b)
{
	return a.mac1_key == b.mac1_key && a.cookie_key == b.cookie_key;
}

TEST(CookieKeys, are_hashes_of_the_labels_and_the_key)
{
	test::Random random(10);
	ByteVector key = random.bytes(32);
	CookieKeys keys = derive_cookie_keys(primitives(), public_key(key));
	ByteVector mac1_input = {'m', 'a', 'c', '1', '-', '-', '-', '-'}, cookie_input = {'c', 'o', 'o', 'k', 'i', 'e', '-', '-'};

	mac1_input.insert(mac1_input.end(), key.begin(), key.end());
	cookie_input.insert(cookie_input.end(), key.begin(), key.end());
	EXPECT_EQ(vector_of(keys.mac1_key), reference::hash(mac1_input));
	EXPECT_EQ(vector_of(keys.cookie_key), reference::hash(cookie_input));
}

TEST(LocalIdentity, is_absent_until_a_key_is_set)
{
	LocalIdentity local;

	EXPECT_FALSE(local.is_present());
	EXPECT_TRUE(local.static_public().is_zero());
}

TEST(LocalIdentity, clamps_the_private_key_on_store)
{
	for (u8 fill : {0x00, 0xff, 0x55, 0xaa}) {
		ByteVector raw(32, fill), clamped = raw;
		LocalIdentity local;

		raw[15] = clamped[15] = 1;	/* so that none is all zero */
		clamped[0] &= 0xf8;
		clamped[31] = static_cast<u8>((clamped[31] & 0x7f) | 0x40);
		local.set_private_key(primitives(), raw.data());
		ASSERT_TRUE(local.is_present());
		EXPECT_EQ(vector_of(local.static_private()), clamped);
		EXPECT_EQ(vector_of(local.static_public()), reference::public_of(clamped));
		EXPECT_TRUE(same(local.cookie_keys(), derive_cookie_keys(primitives(), local.static_public())));
	}
}

/* Clamping would turn these into valid keys: only the given bytes decide. */
TEST(LocalIdentity, only_the_all_zero_key_is_none)
{
	ByteVector raw(32);
	LocalIdentity local;

	raw[0] = 7;
	local.set_private_key(primitives(), raw.data());
	EXPECT_TRUE(local.is_present());
	raw[0] = 0;
	raw[31] = 0x80;
	local.set_private_key(primitives(), raw.data());
	EXPECT_TRUE(local.is_present());
}

TEST(LocalIdentity, the_zero_key_removes_everything)
{
	test::Random random(11);
	ByteVector raw = random.bytes(32), zero(32);
	LocalIdentity local;

	local.set_private_key(primitives(), raw.data());
	ASSERT_TRUE(local.is_present());
	local.set_private_key(primitives(), zero.data());
	EXPECT_FALSE(local.is_present());
	EXPECT_TRUE(local.static_private().is_zero_constant_time());
	EXPECT_TRUE(local.static_public().is_zero());
	EXPECT_TRUE(local.cookie_keys().mac1_key.is_zero());
	EXPECT_TRUE(local.cookie_keys().cookie_key.is_zero());
}

TEST(LocalIdentity, a_key_without_a_public_half_removes_the_identity)
{
	crypto::Primitives failing = primitives();
	ByteVector raw(32, 5);
	LocalIdentity local;

	failing.x25519_public = [](u8 *public_half, const u8 *) {
		zero_bytes(public_half, 32);
		return false;
	};
	local.set_private_key(primitives(), raw.data());
	local.set_private_key(failing, raw.data());
	EXPECT_FALSE(local.is_present());
	EXPECT_TRUE(local.static_private().is_zero_constant_time());
}

TEST(LocalIdentity, copies_whole)
{
	test::Random random(12);
	ByteVector raw = random.bytes(32);
	LocalIdentity local, copy;

	local.set_private_key(primitives(), raw.data());
	copy.copy_from(local);
	EXPECT_TRUE(copy.is_present());
	EXPECT_TRUE(copy.static_private().equals_constant_time(local.static_private()));
	EXPECT_TRUE(copy.static_public() == local.static_public());
	EXPECT_TRUE(same(copy.cookie_keys(), local.cookie_keys()));
}

TEST(RemoteIdentity, static_static_is_the_dh_of_both_static_keys)
{
	test::Random random(13);
	ByteVector ours = random.bytes(32), theirs = random.bytes(32);
	LocalIdentity local, other;
	RemoteIdentity remote;

	local.set_private_key(primitives(), ours.data());
	other.set_private_key(primitives(), theirs.data());
	remote.set_public_key(primitives(), other.static_public());
	EXPECT_FALSE(remote.has_static_static());
	remote.precompute(primitives(), local);
	ASSERT_TRUE(remote.has_static_static());
	EXPECT_EQ(vector_of(remote.static_static()), reference::dh(vector_of(other.static_private()), vector_of(local.static_public())));
	EXPECT_TRUE(same(remote.cookie_keys(), other.cookie_keys()));
}

TEST(RemoteIdentity, low_order_peers_have_no_static_static)
{
	ByteVector raw(32, 3);
	LocalIdentity local;

	local.set_private_key(primitives(), raw.data());
	for (const ByteVector &point : test::low_order_points()) {
		RemoteIdentity remote;

		remote.set_public_key(primitives(), public_key(point));
		remote.precompute(primitives(), local);
		EXPECT_FALSE(remote.has_static_static());
		EXPECT_TRUE(remote.static_static().is_zero_constant_time());
	}
}

u32 static_static_made;

bool counting_x25519(u8 *shared, const u8 *secret, const u8 *public_key)
{
	static_static_made++;
	return primitives().x25519(shared, secret, public_key);
}

TEST(RemoteIdentity, static_static_is_made_once_for_each_of_our_keys)
{
	ByteVector raw(32, 3), other_raw(32, 5);
	LocalIdentity local, other;
	Primitives counting = primitives();

	counting.x25519 = counting_x25519;
	local.set_private_key(primitives(), raw.data());
	other.set_private_key(primitives(), other_raw.data());
	for (const ByteVector &point : {vector_of(other.static_public()), test::low_order_points()[0]}) {
		RemoteIdentity remote, kept;

		static_static_made = 0;
		remote.set_public_key(primitives(), public_key(point));
		kept.set_public_key(primitives(), public_key(point));
		EXPECT_TRUE(remote.precompute(counting, local));
		EXPECT_FALSE(remote.precompute(counting, local));	/* also when there is none */
		EXPECT_EQ(static_static_made, 1u);
		kept.keep_static_static(remote);
		EXPECT_FALSE(kept.precompute(counting, local));
		EXPECT_EQ(kept.has_static_static(), remote.has_static_static());
		EXPECT_TRUE(kept.static_static().equals_constant_time(remote.static_static()));
		EXPECT_TRUE(remote.precompute(counting, other));
		EXPECT_EQ(static_static_made, 2u);
		kept.forget_static_static();
		EXPECT_FALSE(kept.has_static_static());
		EXPECT_TRUE(kept.static_static().is_zero_constant_time());
		EXPECT_TRUE(kept.precompute(counting, local));
	}
}

TEST(RemoteIdentity, static_static_goes_with_either_key)
{
	ByteVector raw(32, 3), zero(32);
	LocalIdentity local;
	RemoteIdentity remote;

	local.set_private_key(primitives(), raw.data());
	remote.set_public_key(primitives(), local.static_public());
	remote.precompute(primitives(), local);
	ASSERT_TRUE(remote.has_static_static());

	remote.set_public_key(primitives(), local.static_public());
	EXPECT_FALSE(remote.has_static_static());
	EXPECT_TRUE(remote.static_static().is_zero_constant_time());

	remote.precompute(primitives(), local);
	local.set_private_key(primitives(), zero.data());
	remote.precompute(primitives(), local);
	EXPECT_FALSE(remote.has_static_static());
	EXPECT_TRUE(remote.static_static().is_zero_constant_time());
}

TEST(RemoteIdentity, copies_whole)
{
	ByteVector raw(32, 3), preshared(32, 9);
	LocalIdentity local;
	RemoteIdentity remote, copy;

	local.set_private_key(primitives(), raw.data());
	remote.set_public_key(primitives(), local.static_public());
	remote.set_preshared_key(preshared.data());
	remote.precompute(primitives(), local);
	copy.copy_from(remote);
	EXPECT_TRUE(copy.static_public() == remote.static_public());
	EXPECT_TRUE(same(copy.cookie_keys(), remote.cookie_keys()));
	EXPECT_EQ(vector_of(copy.preshared_key()), preshared);
	EXPECT_TRUE(copy.has_static_static());
	EXPECT_TRUE(copy.static_static().equals_constant_time(remote.static_static()));
}

} // namespace
} // namespace wg
