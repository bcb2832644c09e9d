// SPDX-License-Identifier: GPL-2.0
/* What is wanted of a device, as text: a configuration file, or the arguments of `set`.
 *
 * Both come out as a change (model.h) and throw Failure that names the file and line, or the
 * argument, that is wrong. Blanks within a line of a file do not matter, names of sections and keys
 * do not depend on case, and # starts a comment.
 */
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/outside.h"

namespace wgctl {

/* `replace`: the file says everything; what it leaves out of [Interface] is removed, peers it does
 * not name go away. Otherwise it is added to what is there. */
enum class FileMeaning { replace, append };

/* `leave`: names of endpoints stay names, and no server is asked. */
enum class Names { look_up, leave };

Device parse_config(std::string_view text, const std::string &file_name, FileMeaning meaning, World &world, Names names = Names::look_up);

/* Several sections of one peer count as one. Of what they say, the later holds; AllowedIPs are those of
 * the last alone, and none when it has none. */
std::vector<Peer> merged_peers(const std::vector<Peer> &peers);

/* `arguments` follow the interface's name. */
Device parse_set_arguments(std::span<const std::string_view> arguments, World &world);

constexpr std::size_t CONFIG_FILE_LIMIT = std::size_t{256} << 20;
/* All of a file, or Failure: half a file is another file. */
Text read_config_file(const std::string &path, Files &files, std::size_t limit = CONFIG_FILE_LIMIT);
constexpr std::size_t KEY_FILE_LIMIT = 4096;

}
