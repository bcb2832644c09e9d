// SPDX-License-Identifier: GPL-2.0
/* What `up`, `down`, `save` and `exec` are called with. */
#pragma once

#include <string>
#include <string_view>

#include "commands/commands.h"

namespace wgctl {

struct QuickArguments {
	/* Of --netns and --birth-netns; empty when not given. */
	std::string home, birth;
	std::string_view file;
	/* Behind "--"; `exec` alone has one. */
	Arguments command;
};

enum class Takes { file, command };

/* Throws Failure when an option is unknown or something is missing. */
QuickArguments parse_quick_arguments(std::string_view name, Arguments arguments, Takes takes);

}
