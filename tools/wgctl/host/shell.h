// SPDX-License-Identifier: GPL-2.0
/* Hooks and other programs. */
#pragma once

#include "model/machine.h"

namespace wgctl {

/* bash, for which wg-quick's hooks are written; where there is none, sh. As with wg-quick, a command
 * that fails ends a hook, in a pipe, too (-e, pipefail). */
class SystemShell : public Shell {
public:
	int run(const std::string &command, const std::map<std::string, std::string> &variables) override;
	int run_program(const std::vector<std::string> &arguments) override;
	std::vector<std::string> sudo() override;
	bool hold_signals() override;
	void release_signals() override;
	bool is_interrupted() override;
};

}
