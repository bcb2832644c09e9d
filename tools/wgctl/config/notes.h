// SPDX-License-Identifier: GPL-2.0
/* Notes about running interfaces, in files. */
#pragma once

#include "model/machine.h"

namespace wgctl {

/* A file each, NAMESPACE.INTERFACE.KEYWORD, which begins with the link's number and namespace. */
class SystemNotes : public Notes {
public:
	explicit SystemNotes(std::string folder = "/run/wgctl/") : folder_(std::move(folder)) {}

	std::optional<std::string> read(const std::string &interface, const std::string &keyword) override;
	void write(const std::string &interface, const std::string &keyword, const std::string &text) override;
	void remove(const std::string &interface, const std::string &keyword) override;

private:
	std::string path(const std::string &interface, const std::string &keyword) const;

	std::string folder_;
};

}
