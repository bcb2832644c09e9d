// SPDX-License-Identifier: GPL-2.0
/* The subcommands. Each takes what follows its name and returns the exit code, or throws Failure. */
#pragma once

#include <span>
#include <string_view>

#include "model/outside.h"

namespace wgctl {

using Arguments = std::span<const std::string_view>;

struct Command {
	std::string_view name;
	std::string_view summary;
	/* After "wgctl NAME". */
	std::string_view arguments;
	/* A whole command line. */
	std::string_view example;
	std::size_t least_arguments;
	std::size_t most_arguments;
	int (*run)(Arguments arguments, World &world);
};

/* In the order they are listed to people. */
std::span<const Command> all_commands();

int addconf(Arguments arguments, World &world);
int agent(Arguments arguments, World &world);
int apply(Arguments arguments, World &world);
int check(Arguments arguments, World &world);
int client(Arguments arguments, World &world);
int doctor(Arguments arguments, World &world);
int down(Arguments arguments, World &world);
int exec(Arguments arguments, World &world);
int genkey(Arguments arguments, World &world);
int genpsk(Arguments arguments, World &world);
int metrics(Arguments arguments, World &world);
int peer(Arguments arguments, World &world);
int pubkey(Arguments arguments, World &world);
int rotate(Arguments arguments, World &world);
int save(Arguments arguments, World &world);
int set(Arguments arguments, World &world);
int setconf(Arguments arguments, World &world);
int show(Arguments arguments, World &world);
int showconf(Arguments arguments, World &world);
int strip(Arguments arguments, World &world);
int syncconf(Arguments arguments, World &world);
int up(Arguments arguments, World &world);
int watch(Arguments arguments, World &world);

/* Shared by several: the interface's name added to what went wrong. */
Device get_device(const std::string &name, World &world);
void set_device(const Device &change, World &world);

/* As WG_COLOR_MODE says; by itself, on terminals. */
bool wants_colour(World &world);

/* Runs a whole command line, without the program's name; tells failures to the user. */
int run_command_line(Arguments arguments, World &world);

}
