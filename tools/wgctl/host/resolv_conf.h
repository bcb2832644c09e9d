// SPDX-License-Identifier: GPL-2.0
/* The text form of DNS settings, resolv.conf(5), and where they are kept for an interface. */
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/machine.h"

namespace wgctl {

/* `others` is the text of the resolv.conf whose place this takes: search domains alone leave its servers
 * the ones that are asked. They are not read as the interface's own. */
std::string resolv_conf(const DnsSettings &settings, const std::string &interface, std::string_view others = {});
/* The interface it was written for; nothing when it is somebody else's. */
std::optional<std::string> owner_of_resolv_conf(std::string_view text);
constexpr std::size_t RESOLV_CONF_LIMIT = 64 << 10;
/* The one programs see where nothing has taken its place. */
inline const std::string RESOLV_CONF = "/etc/resolv.conf";
/* The text of such a file; empty when it cannot be read. */
Text read_resolv_conf(const std::string &path, World &world);
DnsSettings parse_resolv_conf(std::string_view text);

/* The same spelling for the same settings: addresses as the system writes them, names without their
 * last dot, nothing twice; "~.", all names, is what there is without it, too. */
DnsSettings canonical(const DnsSettings &settings);
/* "10.0.0.53, example.org": as in a file; "none" when empty. */
std::string describe(const DnsSettings &settings);

}
