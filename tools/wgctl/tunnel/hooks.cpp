// SPDX-License-Identifier: GPL-2.0
#include "tunnel/hooks.h"

#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

static bool has_comment(std::string_view text, std::size_t line)
{
	bool found = false;

	for_each_line(text, [&](std::string_view one) { found = found || (--line == 0 && one.find('#') != one.npos); });
	return found;
}

void run_hooks(const QuickConfig &config, const std::vector<Hook> &hooks, World &world)
{
	for (const Hook &hook : hooks) {
		world.terminal.write(Stream::err, "[#] " + harmless(hook.command) + "\n");
		/* Those wg-quick's hooks find. */
		int status = world.host.shell.run(hook.command, {{"INTERFACE", config.interface}, {"CONFIG_FILE", config.path}, {"LC_ALL", "C"}});
		if (status)
			throw Failure{config.at(hook.line) + std::string(hook.key) + " ended with status " + std::to_string(status) + ": " +
				      in_quotes(hook.command) + (has_comment(config.text, hook.line) ? "; what stands behind # is a comment, and no part of it" : "")};
	}
}

}
