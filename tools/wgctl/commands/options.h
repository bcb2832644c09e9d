// SPDX-License-Identifier: GPL-2.0
/* How a command is declared, and what the words behind its name become: options, which begin with "--"
 * and may stand anywhere before a lone "--", and operands, the rest. Its help (commands.cpp) and the
 * completions of the shells (complete.cpp) are made of the same declaration.
 */
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tunnel/placement.h"

namespace wgctl {

using Arguments = std::span<const std::string_view>;

class Options;
using Run = int(const Options &options, World &world);

/* An option, or what stands for an operand. It means the same with all commands. */
struct Word {
	std::string_view name;
	/* What follows an option, --NAME VALUE or --NAME=VALUE; empty when nothing does. [=VALUE] may be left out. */
	std::string_view value;
	std::string_view meaning;

	bool takes_next_word() const { return !value.empty() && !value.starts_with('['); }
};

struct Command {
	/* One word, or two as "peer add". */
	std::string_view name, summary;
	/* Names of words, with blanks between. */
	std::string_view options;
	/* What must follow, and [what may]; "..." for more of the same. A|B is one of them; what is in small
	 * letters is written as it stands, and "--" stands before another program's words. */
	std::string_view operands;
	/* A whole command line. */
	std::string_view example;
	Run *run;
	/* The exit code of a failure. */
	int failed = 1;
};

/* Null when there is none. */
const Word *find_word(std::string_view name);
/* An operand without what says how often it stands, and what it may be. */
std::string_view without_brackets(std::string_view operand);
std::vector<std::string> alternatives(std::string_view operand);

class Options {
public:
	/* Throws Failure for an option the command does not have or a missing value. */
	Options(const Command &command, Arguments words);
	/* Throws Failure when they are not what the command says. */
	void check_operands() const;

	bool has(std::string_view name) const { return given_.contains(name); }
	std::optional<std::string_view> value(std::string_view name) const;
	std::string text(std::string_view name) const { return std::string(value(name).value_or("")); }
	/* Of an hour at most; throws Failure. */
	std::uint32_t seconds(std::string_view name, std::uint32_t otherwise) const;
	const std::vector<std::string_view> &operands() const { return operands_; }
	/* Empty when there are not so many. */
	std::string operand(std::size_t number) const { return number < operands_.size() ? std::string(operands_[number]) : ""; }
	/* By --netns and --birth-netns. */
	Placement placement(World &world) const;
	[[noreturn]] void fail(const std::string &text) const;

private:
	const Command &command_;
	std::map<std::string_view, std::string_view> given_;
	std::vector<std::string_view> operands_;
};

/* Where --netns says the interface is; the present namespace without it. The program goes there. */
void enter_netns(const Options &options, World &world);

}
