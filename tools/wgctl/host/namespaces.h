// SPDX-License-Identifier: GPL-2.0
/* Network namespaces, and programs in them. */
#pragma once

#include "model/machine.h"

namespace wgctl {

class SystemNamespaces : public Namespaces {
public:
	Namespace current() override;
	Namespace open(const std::string &path) override;
	Namespace create() override;
	void enter(const Namespace &where) override;
	int run(std::span<const std::string_view> command, const std::optional<std::string> &resolv_conf) override;

private:
	bool in_user_namespace_ = false;
};

}
