// SPDX-License-Identifier: GPL-2.0
#include "model/secret.h"

#include <gtest/gtest.h>

#include <cstring>

namespace wgctl {

TEST(Secret, base64_goes_both_ways)
{
	Key key = random_preshared_key();
	Text text = to_base64(key);

	EXPECT_EQ(text.size(), KEY_TEXT_LENGTH);
	EXPECT_TRUE(key_from_base64(text).has_value() && *key_from_base64(text) == key);
}

TEST(Secret, base64_must_be_canonical)
{
	EXPECT_TRUE(key_from_base64("6ZH7ggA3KUv6cg/EJWmz8ZAcNZbPO506YYZBd9MRzyY="));
	/* Bits beyond the 256th. */
	EXPECT_FALSE(key_from_base64("6ZH7ggA3KUv6cg/EJWmz8ZAcNZbPO506YYZBd9MRzyZ="));
	EXPECT_FALSE(key_from_base64("6ZH7ggA3KUv6cg/EJWmz8ZAcNZbPO506YYZBd9MRzyY"));
	EXPECT_FALSE(key_from_base64("6ZH7ggA3KUv6cg_EJWmz8ZAcNZbPO506YYZBd9MRzyY="));
	EXPECT_FALSE(key_from_base64(" 6ZH7ggA3KUv6cg/EJWmz8ZAcNZbPO506YYZBd9MRzy="));
	EXPECT_FALSE(key_from_base64("6ZH7ggA3KUv6cg/EJWmz8ZAcNZbPO506YYZBd9MRzyYA"));
	EXPECT_FALSE(key_from_base64(""));
}

TEST(Secret, private_keys_are_clamped)
{
	for (int i = 0; i < 100; ++i) {
		Key key = random_private_key();
		EXPECT_EQ(key.bytes[0] & 7, 0);
		EXPECT_EQ(key.bytes[31] & 0xc0, 0x40);
	}
}

TEST(Secret, public_key_is_that_of_rfc_7748)
{
	const Key alice = *key_from_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
	EXPECT_EQ(to_base64(public_key_of(alice)), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
}

TEST(Secret, keys_wipe_themselves)
{
	alignas(Key) unsigned char memory[sizeof(Key)];
	Key *key = new (memory) Key(random_preshared_key());
	EXPECT_FALSE(sodium_is_zero(memory, sizeof(memory)));
	key->~Key();
	EXPECT_TRUE(sodium_is_zero(memory, sizeof(memory)));
}

}
