// SPDX-License-Identifier: GPL-2.0
/* The packet filter, by libnftables. */
#pragma once

#include "model/machine.h"

namespace wgctl {

class NftFilter : public Filter {
public:
	void run(const std::string &commands) override;
	std::string list(const std::string &table) override;
	std::string chains() override;
};

}
