// SPDX-License-Identifier: GPL-2.0
/* Memory that is wiped when it is given back, and the key type that lives in it.
 *
 * Text holds anything a key may pass through: files, command output, netlink messages. Its heap
 * memory is zeroed before it is freed, growth included. A Key wipes itself; that public keys are
 * wiped too costs nothing and spares a second type.
 */
#pragma once

#include <sodium.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../../uapi/linux/wireguard.h"

namespace wgctl {

template<class T>
struct WipingAllocator {
	using value_type = T;

	WipingAllocator() = default;
	template<class U>
	WipingAllocator(const WipingAllocator<U> &) {}

	T *allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
	void deallocate(T *memory, std::size_t count)
	{
		sodium_memzero(memory, count * sizeof(T));
		std::allocator<T>().deallocate(memory, count);
	}
	bool operator==(const WipingAllocator &) const = default;
};

using Text = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;
using Buffer = std::vector<char, WipingAllocator<char>>;

struct Key {
	std::array<std::uint8_t, WG_KEY_LEN> bytes{};

	Key() = default;
	Key(const Key &) = default;
	Key &operator=(const Key &) = default;
	~Key() { sodium_memzero(bytes.data(), bytes.size()); }

	bool is_zero() const { return sodium_is_zero(bytes.data(), bytes.size()); }
	bool operator==(const Key &other) const { return sodium_memcmp(bytes.data(), other.bytes.data(), bytes.size()) == 0; }
	/* An order for sorting peers by public key. */
	bool operator<(const Key &other) const { return bytes < other.bytes; }
};

constexpr std::size_t KEY_TEXT_LENGTH = 44;

Text to_base64(const Key &key);

/* Exactly 44 characters of canonical base64 with its padding, or nothing. */
std::optional<Key> key_from_base64(std::string_view text);

/* Fit for an X25519 secret: random, and clamped. */
Key random_private_key();
Key random_preshared_key();
Key public_key_of(const Key &private_key);

}
