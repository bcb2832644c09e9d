// SPDX-License-Identifier: GPL-2.0
#include "commands/options.h"

#include <algorithm>

#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

void Options::fail(const std::string &text) const
{
	throw Failure{command_ + ": " + text + " (wgctl " + command_ + " --help)"};
}

std::string_view Options::file() const
{
	if (rest_.empty())
		fail("which interface or file?");
	if (rest_.size() > 1)
		fail("there is one file or interface too many: " + in_quotes(rest_[1]));
	return rest_[0];
}

Placement Options::placement(World &world) const
{
	return find_placement(std::string(value("--netns").value_or("")), std::string(value("--birth-netns").value_or("")), world);
}

Options::Options(std::string_view command, Arguments words, Names flags, Names valued) : command_(command)
{
	auto is_one_of = [](Names names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };

	std::vector<std::string_view> known(flags);

	known.insert(known.end(), valued);
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
			fail("unknown option " + in_quotes(word) + did_you_mean(name, known));
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
