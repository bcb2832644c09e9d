// SPDX-License-Identifier: GPL-2.0
#include "model/secret.h"

namespace wgctl {

static_assert(sodium_base64_ENCODED_LEN(WG_KEY_LEN, sodium_base64_VARIANT_ORIGINAL) == KEY_TEXT_LENGTH + 1);

Text to_base64(const Key &key)
{
	Text text(KEY_TEXT_LENGTH, '\0');
	sodium_bin2base64(text.data(), text.size() + 1, key.bytes.data(), key.bytes.size(), sodium_base64_VARIANT_ORIGINAL);
	return text;
}

std::optional<Key> key_from_base64(std::string_view text)
{
	Key key;
	std::size_t length = 0;

	if (text.size() != KEY_TEXT_LENGTH)
		return {};
	if (sodium_base642bin(key.bytes.data(), key.bytes.size(), text.data(), text.size(), nullptr, &length, nullptr,
			      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    length != WG_KEY_LEN)
		return {};
	return key;
}

Key random_preshared_key()
{
	Key key;
	randombytes_buf(key.bytes.data(), key.bytes.size());
	return key;
}

Key random_private_key()
{
	Key key = random_preshared_key();
	key.bytes[0] &= 248;
	key.bytes[31] = (key.bytes[31] & 127) | 64;
	return key;
}

Key public_key_of(const Key &private_key)
{
	Key key;
	/* Fails only for a point of small order, which the base point is not. */
	if (crypto_scalarmult_base(key.bytes.data(), private_key.bytes.data()) != 0)
		return {};
	return key;
}

}
