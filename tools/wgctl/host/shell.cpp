// SPDX-License-Identifier: GPL-2.0
#include "host/shell.h"

#include "host/process.h"

namespace wgctl {

void SystemShell::hold_signals()
{
	wgctl::hold_signals();
}

bool SystemShell::is_interrupted()
{
	return wgctl::is_interrupted();
}

int SystemShell::run(const std::string &command)
{
	return run_process(Signals::forward, [&] {
		int status = replace_by_program({"bash", "-e", "-o", "pipefail", "-c", command});
		return status == 127 ? replace_by_program({"sh", "-e", "-c", command}) : status;
	});
}

int SystemShell::run_program(const std::vector<std::string> &arguments)
{
	return run_process(Signals::forward, [&] { return replace_by_program(arguments); });
}

}
