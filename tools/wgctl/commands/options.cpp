// SPDX-License-Identifier: GPL-2.0
#include "commands/options.h"

#include <algorithm>

#include "model/machine.h"
#include "model/values.h"
#include "tunnel/placement.h"

namespace wgctl {

Options::Options(std::string_view command, Arguments words, Names flags, Names valued)
{
	auto fail = [command](const std::string &text) {
		throw Failure{std::string(command) + ": " + text + " (wgctl " + std::string(command) + " --help)"};
	};
	auto is_one_of = [](Names names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };

	while (!words.empty()) {
		std::string_view word = words[0];
		words = words.subspan(1);
		if (word == "--") {
			rest_.insert(rest_.end(), words.begin(), words.end());
			break;
		}
		if (!word.starts_with('-') || word == "-") {
			rest_.push_back(word);
			continue;
		}
		std::size_t equals = word.find('=');
		std::string_view name = word.substr(0, equals), value;
		if (is_one_of(flags, word)) {
			given_[word] = {};
			continue;
		}
		if (!is_one_of(valued, name))
			fail("unknown option " + in_quotes(word));
		if (equals != word.npos) {
			value = word.substr(equals + 1);
		} else if (!words.empty()) {
			value = words[0];
			words = words.subspan(1);
		}
		/* Not even an empty one, as of a script's variable that is not set. */
		if (value.empty())
			fail(std::string(name) + " needs a value");
		given_[name] = value;
	}
}

void enter_netns(const Options &options, World &world)
{
	/* To stay where one is takes nothing, not even a /proc. */
	if (std::optional<std::string_view> where = options.value("--netns"))
		world.host.namespaces.enter(open_namespace(std::string(*where), world));
}

std::optional<std::string_view> Options::value(std::string_view name) const
{
	auto found = given_.find(name);

	return found == given_.end() ? std::nullopt : std::optional(found->second);
}

}
