// SPDX-License-Identifier: GPL-2.0
/* WireGuard interfaces of the kernel, over generic netlink (uapi/linux/wireguard.h).
 *
 * Reads dumps of any length, again from the start when the configuration changed meanwhile. A change
 * too large for one message goes as several, each acknowledged before the next; all but the last
 * peer of a message are complete in it.
 */
#pragma once

#include "model/outside.h"

namespace wgctl {

class KernelDevices : public Devices {
public:
	explicit KernelDevices(OpenNetlink open) : open_(std::move(open)) {}

	std::vector<std::string> names() override;
	Device get(const std::string &name) override { return read(name, false); }
	Device get_with_state(const std::string &name) override { return read(name, true); }
	void set(const Device &change) override;
	std::unique_ptr<DeviceEvents> listen(EventWishes wishes) override;

private:
	Device read(const std::string &name, bool with_state);

	OpenNetlink open_;
};

}
