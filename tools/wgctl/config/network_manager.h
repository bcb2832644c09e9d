// SPDX-License-Identifier: GPL-2.0
/* NetworkManager's file of a connection, nm-settings-keyfile(5). */
#pragma once

#include "config/foreign.h"
#include "config/peer_names.h"

namespace wgctl {

/* Throws Failure. */
Imported import_network_manager(const std::string &path, World &world);
/* Throws Failure for what would need an address that the file does not have. */
Exported export_network_manager(const QuickConfig &config, const Device &device, const PeerNames &names);

}
