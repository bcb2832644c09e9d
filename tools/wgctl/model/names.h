// SPDX-License-Identifier: GPL-2.0
/* Names people gave their peers, and making any text safe to print. */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/secret.h"

namespace wgctl {

using PeerNames = std::map<Key, std::string>;

/* The character at the front and its size; nothing, and 1, when it is not UTF-8. */
std::optional<char32_t> decode(std::string_view text, std::size_t &size);
/* ? for every byte that is no UTF-8 or steers terminals: controls, changes of direction, characters that
 * are not seen. For names of interfaces, too, in which the kernel takes nearly anything. */
std::string printable(std::string_view text);
/* The same, but lines stay lines: for whatever comes from a file, an argument or elsewhere. */
std::string harmless(std::string_view text);

/* The first character that nobody sees, as "U+00A0"; empty when there is none. */
std::string unseen_character(std::string_view text);

/* The name and the key, or the key alone: to tell people which peer. */
std::string describe_peer(const Key &key, const PeerNames &names);

}
