// SPDX-License-Identifier: GPL-2.0
/* Names people gave their peers: the comment `# Name = laptop` within a [Peer] section, or else right
 * above its title.
 *
 * A comment, because wg(8) and wg-quick(8) refuse keys they do not know. Names are made safe to print
 * when they are read: no control characters, valid UTF-8.
 */
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/names.h"
#include "model/outside.h"

namespace wgctl {

/* What the line names the peer; nothing when it is no such comment. Blanks and case do not matter. */
std::optional<std::string> name_in_comment(std::string_view line);

PeerNames parse_peer_names(std::string_view text);
/* Empty when it has none. */
std::string name_of(const Key &peer, const PeerNames &names);
/* From /etc/wireguard/INTERFACE.conf; no names when that cannot be read. */
PeerNames read_peer_names(const std::string &interface, World &world);

}
