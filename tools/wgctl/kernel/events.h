// SPDX-License-Identifier: GPL-2.0
/* What the kernel's WireGuard tells by itself, as our module does (uapi/linux/wireguard_extensions.h). */
#pragma once

#include <linux/netlink.h>

#include <vector>

#include "model/outside.h"

namespace wgctl {

/* Null where the kernel has no such groups. Throws Failure: who may not listen, or where there is no WireGuard. */
std::unique_ptr<DeviceEvents> listen_to_kernel(const OpenNetlink &open, EventWishes wishes);
/* What one message says; nothing when it is no event, or one of a kind that is not known here. */
std::optional<DeviceEvent> read_event(const nlmsghdr *message);

}
