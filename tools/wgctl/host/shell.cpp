// SPDX-License-Identifier: GPL-2.0
#include "host/shell.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "host/process.h"

namespace wgctl {

bool SystemShell::hold_signals()
{
	return wgctl::hold_signals();
}

void SystemShell::release_signals()
{
	wgctl::release_signals();
}

bool SystemShell::is_interrupted()
{
	return wgctl::is_interrupted();
}

int SystemShell::run(const std::string &command, const std::map<std::string, std::string> &variables)
{
	/* Everybody sees a program's arguments, and only its user its environment: hooks may hold a password. */
	constexpr const char *HOOK = "WGCTL_HOOK", *RUN_IT = "hook=$WGCTL_HOOK; unset WGCTL_HOOK; eval \"$hook\"";

	return run_process(Signals::forward, [&] {
		for (const auto &[name, value] : variables)
			setenv(name.c_str(), value.c_str(), 1);
		setenv(HOOK, command.c_str(), 1);
		int status = replace_by_program({"bash", "-e", "-o", "pipefail", "-c", RUN_IT});
		return status == 127 ? replace_by_program({"sh", "-e", "-c", RUN_IT}) : status;
	});
}

int SystemShell::run_program(const std::vector<std::string> &arguments)
{
	return run_process(Signals::forward, [&] { return replace_by_program(arguments); });
}

std::vector<std::string> SystemShell::sudo()
{
	std::error_code error;

	if (geteuid() == 0)
		return {};
	/* The file itself: sudo would look for a link's name in a PATH of its own. */
	std::string program = std::filesystem::read_symlink("/proc/self/exe", error);
	if (error)
		throw Failure{"this takes root: /proc/self/exe: " + error.message()};
	return {"sudo", "-p", "wg-quick must run as root. Password of %u: ", "--", program};
}

}
