// SPDX-License-Identifier: GPL-2.0
/* The words behind a command's name, sorted: options, which begin with "--" and may stand anywhere
 * before a lone "--", and the rest. Throws Failure for an option nobody knows or a missing value.
 */
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "commands/commands.h"
#include "tunnel/placement.h"

namespace wgctl {

class Options {
public:
	using Names = std::initializer_list<std::string_view>;
	/* Names come with their "--"; `flags` stand alone, `valued` are --NAME VALUE or --NAME=VALUE. */
	Options(std::string_view command, Arguments words, Names flags, Names valued = {});

	bool has(std::string_view name) const { return given_.contains(name); }
	std::optional<std::string_view> value(std::string_view name) const;
	const std::vector<std::string_view> &rest() const { return rest_; }
	/* The rest, when it should be one interface or file. */
	std::string_view file() const;
	/* By --netns and --birth-netns. */
	Placement placement(World &world) const;

private:
	[[noreturn]] void fail(const std::string &text) const;

	std::string command_;
	std::map<std::string_view, std::string_view> given_;
	std::vector<std::string_view> rest_;
};

/* Where --netns says the interface is; the present namespace without it. The program goes there. */
void enter_netns(const Options &options, World &world);

}
