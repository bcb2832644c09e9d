// SPDX-License-Identifier: GPL-2.0
/* Changing a configuration file in place: a peer more, a peer less, another value. All other lines,
 * their comments and their order stay to the letter. A peer that is disabled (DISABLED) is found by its
 * name and key, and goes; its values are found when it is enabled.
 */
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/peer_names.h"
#include "model/outside.h"

namespace wgctl {

/* Which section a value is in: the peer of a key, or [Interface]. */
using WhichSection = std::optional<Key>;

/* At the end; `name` becomes the comment `# Name = `. */
Text with_peer(std::string_view text, const std::string &name, const Peer &peer);
/* Takes the comments right above its title along. The text as it is when there is no such peer. */
Text without_peer(std::string_view text, const Key &key);
/* Of several lines with this key the last one counts, and is changed; a missing one is added behind
 * the section's last value. Throws Failure when there is no such section. */
Text with_value(std::string_view text, const WhichSection &where, std::string_view key, std::string_view value);
/* This value and no other of the key, or none when it is empty. Throws Failure as with_value. */
Text with_only_value(std::string_view text, const Key &peer, std::string_view key, std::string_view value);
/* The same of a comment `# KEY = VALUE`. */
Text with_only_comment(std::string_view text, const Key &peer, std::string_view key, std::string_view value);
/* In the comment that has the name, or a new one. Throws Failure as with_value. */
Text with_name(std::string_view text, const Key &peer, std::string_view name);
/* The same peer with another public key, in all its sections. Throws Failure as with_value. */
Text with_public_key(std::string_view text, const Key &old, const Key &key);

/* The first and the second undo each other, but for what others write meanwhile. */
Text with_disabled(std::string_view text, const Key &peer);
Text with_enabled(std::string_view text, const std::set<Key> &peers);
/* Those all of whose sections are. */
std::set<Key> disabled_peers(std::string_view text);

/* The values of a comment `# KEY = VALUE` or, if asked for, of the key itself, in order. */
enum class Spelled { as_comment, either_way };
std::vector<std::string> values_of(std::string_view text, const WhichSection &where, std::string_view key, Spelled how);
/* The number of the last line with a value of this key that fits; of the last line when none does. */
std::size_t last_line_with(std::string_view text, const WhichSection &where, std::string_view key, const std::function<bool(std::string_view)> &fits);
/* The same of all peers, in one go. */
std::map<Key, std::vector<std::string>> values_of_peers(std::string_view text, std::string_view key, Spelled how);

/* The peer that is meant by its public key or its name, disabled or not. Throws Failure when there is none, or several
 * of that name. */
Key find_peer(std::string_view what, std::string_view text, const std::string &path);

/* Throws Failure when this cannot be the name of a new peer. */
void check_new_name(std::string_view name, const PeerNames &names, const std::string &path);

}
