// SPDX-License-Identifier: GPL-2.0
#include "tunnel/hooks.h"

#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

void run_hooks(const QuickConfig &config, const std::vector<Hook> &hooks, World &world)
{
	for (const Hook &hook : hooks) {
		world.terminal.write(Stream::err, "[#] " + hook.command + "\n");
		int status = world.host.shell.run(hook.command);
		if (status)
			throw Failure{config.at(hook.line) + std::string(hook.key) + " ended with status " + std::to_string(status) + ": " +
				      quoted(hook.command)};
	}
}

}
