// SPDX-License-Identifier: GPL-2.0
#include "commands/quick_arguments.h"

#include "model/values.h"

namespace wgctl {

namespace {

/* "--NAME VALUE" or "--NAME=VALUE" at the front is taken off. */
bool take_option(std::string_view option, Arguments &arguments, std::string &value)
{
	std::string_view first = arguments[0];

	if (first == option) {
		if (arguments.size() < 2)
			throw Failure{std::string(option) + " needs a value"};
		value = arguments[1];
		arguments = arguments.subspan(2);
	} else if (first.starts_with(option) && first.substr(option.size()).starts_with('=')) {
		value = first.substr(option.size() + 1);
		arguments = arguments.subspan(1);
	} else {
		return false;
	}
	if (value.empty())
		throw Failure{std::string(option) + " needs a value"};
	return true;
}

QuickArguments parse(Arguments arguments, Takes takes)
{
	QuickArguments result;

	while (!arguments.empty()) {
		if (arguments[0] == "--" && takes == Takes::command) {
			result.command = arguments.subspan(1);
			break;
		}
		if (take_option("--birth-netns", arguments, result.birth) ||
		    (takes == Takes::file && take_option("--netns", arguments, result.home)))
			continue;
		if (arguments[0].starts_with('-'))
			throw Failure{"unknown option " + in_quotes(arguments[0])};
		if (!result.file.empty())
			throw Failure{takes == Takes::command ? "the command stands behind \"--\": " + in_quotes(arguments[0])
							      : "there is one file or interface too many: " + in_quotes(arguments[0])};
		result.file = arguments[0];
		arguments = arguments.subspan(1);
	}
	if (result.file.empty())
		throw Failure{"which interface or file?"};
	if (takes == Takes::command && result.command.empty())
		throw Failure{"which command? It stands behind \"--\""};
	return result;
}

}

QuickArguments parse_quick_arguments(std::string_view name, Arguments arguments, Takes takes)
{
	try {
		return parse(arguments, takes);
	} catch (const Failure &failure) {
		throw Failure{std::string(name) + ": " + failure.text + " (wgctl " + std::string(name) + " --help)"};
	}
}

}
