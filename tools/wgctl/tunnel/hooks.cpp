// SPDX-License-Identifier: GPL-2.0
#include "tunnel/hooks.h"

#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

void run_hooks(const QuickConfig &config, const std::vector<Hook> &hooks, World &world)
{
	for (const Hook &hook : hooks) {
		world.terminal.write(Stream::err, "[#] " + harmless(hook.command) + "\n");
		/* Those wg-quick's hooks find. */
		int status = world.host.shell.run(hook.command, {{"INTERFACE", config.interface}, {"CONFIG_FILE", config.path}, {"LC_ALL", "C"}});
		if (status)
			throw Failure{config.at(hook.line) + std::string(hook.key) + " ended with status " + std::to_string(status) + ": " +
				      in_quotes(hook.command) + (hook.is_cut ? "; what stands behind # is a comment, and no part of it" : "")};
	}
}

}
