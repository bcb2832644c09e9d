// SPDX-License-Identifier: GPL-2.0
/* The subcommands. Each takes what its declaration in the table lets through and returns the exit code, or throws Failure. */
#pragma once

#include "commands/options.h"
#include "model/outside.h"

namespace wgctl {

Run addconf, agent, apply, check, client, debug, doctor, down, exec, export_to, genkey, genpsk, import_from, init, metrics, monitor, networks, peer_add, peer_disable,
	peer_edit, peer_enable, peer_expire, peer_list, peer_remove, peer_rename, peer_show, ping, pubkey, rotate, save, set, setconf, show, showconf,
	status, strip, syncconf, up, wait, watch;

/* In the order they are listed to people. */
std::span<const Command> all_commands();
/* The one whose name these words begin with; null when there is none. */
const Command *find_command(Arguments words);
/* Of its name. */
std::size_t count_words(const Command &command);

/* The keys of KEY=VALUE that `peer edit` takes. */
std::span<const std::string_view> editable_keys();

/* For the completions of shells: tells what the last of these words may be. On the first line "files" when the path of
 * a file, too, "program" when it is a word of another program's command line, else "words". Then, a line each, the words,
 * with their meaning behind a tab. */
int complete(Arguments words, World &world);

/* Shared by several: the interface's name added to what went wrong. */
enum class Reading { plain, with_state };
Device get_device(const std::string &name, World &world, Reading reading = Reading::plain);
void set_device(const Device &change, World &world);

/* As WG_COLOR_MODE says; by itself, on terminals. */
bool wants_colour(World &world);

/* Runs a whole command line, without the program's name; tells failures to the user. Called wg or wg-quick,
 * the program is that one. */
int run_command_line(Arguments arguments, World &world, std::string_view name = "wgctl");

}
