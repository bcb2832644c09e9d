// SPDX-License-Identifier: GPL-2.0
/* WireGuard interfaces of userspace implementations, over the text protocol of their sockets. */
#pragma once

#include "model/outside.h"

namespace wgctl {

class UserspaceDevices : public Devices {
public:
	explicit UserspaceDevices(ConfigSockets &sockets) : sockets_(sockets) {}

	std::vector<std::string> names() override { return sockets_.names(); }
	Device get(const std::string &name) override;
	void set(const Device &change) override;

private:
	ConfigSockets &sockets_;
};

/* The devices of the kernel and of userspace together; a socket goes first, as its name is taken. */
class AllDevices : public Devices {
public:
	AllDevices(Devices &kernel, Devices &userspace, ConfigSockets &sockets) :
		kernel_(kernel), userspace_(userspace), sockets_(sockets)
	{
	}

	std::vector<std::string> names() override;
	Device get(const std::string &name) override { return of(name).get(name); }
	Device get_with_state(const std::string &name) override { return of(name).get_with_state(name); }
	void set(const Device &change) override { of(change.name).set(change); }
	std::unique_ptr<DeviceEvents> listen(EventWishes wishes) override { return kernel_.listen(wishes); }

private:
	Devices &of(const std::string &name) { return sockets_.exists(name) ? userspace_ : kernel_; }

	Devices &kernel_, &userspace_;
	ConfigSockets &sockets_;
};

}
