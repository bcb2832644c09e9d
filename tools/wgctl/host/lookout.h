// SPDX-License-Identifier: GPL-2.0
/* Looking out at the network between here and the peers; nothing is changed. */
#pragma once

#include <string>
#include <vector>

#include "model/machine.h"

namespace wgctl {

class SystemLookout : public Lookout {
public:
	~SystemLookout() override;

	std::vector<Endpoint> addresses_of(const std::string &host, const std::string &port) override;
	std::vector<Endpoint> ask(const std::vector<std::string> &servers, std::uint32_t mark, const std::string &host, const std::string &port) override;
	void probe(std::vector<PathProbe> &probes, std::uint32_t mark) override;
	void echo(const std::string &link, std::vector<EchoProbe> &probes) override;
	int knock(const std::string &link, const Endpoint &inside) override;
	Event wait(std::int64_t milliseconds, int besides = -1) override;
	std::vector<std::string> kernel_lines() override;
	int kernel_log() override { return kernel_log_; }

private:
	/* Subscribed at the first wait. */
	int events_ = -1;
	int kernel_log_ = -1;
};

}
