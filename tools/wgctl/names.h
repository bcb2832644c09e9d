// SPDX-License-Identifier: GPL-2.0
/* Names people gave their peers: the comment `# Name = laptop` within a [Peer] section, or else right
 * above its title.
 *
 * A comment, because wg(8) and wg-quick(8) refuse keys they do not know. Names are made safe to print
 * when they are read: no control characters, valid UTF-8.
 */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "outside.h"

namespace wgctl {

using PeerNames = std::map<Key, std::string>;

/* ? for every byte that is no UTF-8 or steers terminals: controls, changes of direction, characters that
 * are not seen. For names of interfaces, too, in which the kernel takes nearly anything. */
std::string printable(std::string_view text);

/* What the line names the peer; nothing when it is no such comment. Blanks and case do not matter. */
std::optional<std::string> name_in_comment(std::string_view line);

PeerNames parse_peer_names(std::string_view text);
/* From /etc/wireguard/INTERFACE.conf; no names when that cannot be read. */
PeerNames read_peer_names(const std::string &interface, World &world);

/* The name and the key, or the key alone: to tell people which peer. */
std::string describe_peer(const Key &key, const PeerNames &names);

}
