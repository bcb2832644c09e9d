// SPDX-License-Identifier: GPL-2.0
/* systemd-networkd's pair of files, systemd.netdev(5) and systemd.network(5). */
#pragma once

#include "config/foreign.h"
#include "config/peer_names.h"

namespace wgctl {

/* `network`: empty when there is none. Throws Failure. */
Imported import_networkd(const std::string &netdev, const std::string &network, World &world);
/* A default route whose interface has no mark is given one. */
std::vector<Exported> export_networkd(const QuickConfig &config, Device device, const PeerNames &names);

}
