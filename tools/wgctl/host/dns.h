// SPDX-License-Identifier: GPL-2.0
/* The DNS of the machine. */
#pragma once

#include "model/machine.h"

namespace wgctl {

/* systemd-resolved when it runs: set by resolvectl, read over D-Bus; else the program resolvconf, whoever provides it. What was
 * set is noted: not every resolvconf tells what it has, and nobody tells who set it. */
class SystemDns : public Dns {
public:
	/* `resolvconf_files`: where Debian's resolvconf keeps what it was given. */
	explicit SystemDns(Notes &notes, std::string resolvconf_files = "/run/resolvconf/interface/") :
		notes_(notes), resolvconf_files_(std::move(resolvconf_files))
	{
	}

	void set(const std::string &interface, const DnsSettings &settings) override;
	void unset(const std::string &interface) override;
	std::optional<std::vector<std::string>> asked() override;
	std::optional<DnsSettings> get(const std::string &interface) override;
	bool is_ours(const std::string &interface) override;
	std::vector<std::string> others(const std::string &interface) override;

private:
	std::optional<DnsSettings> ask_resolvconf(const std::string &interface);
	/* Of a record by its name there. */
	std::optional<DnsSettings> record_of(const std::string &name);
	std::optional<DnsSettings> noted(const std::string &interface);

	Notes &notes_;
	std::string resolvconf_files_;
};

}
