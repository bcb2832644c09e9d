// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/config.h"
#include "model/values.h"

namespace wgctl {

int pubkey(const Options &, World &world)
{
	Text input = world.terminal.read_input(KEY_FILE_LIMIT);

	/* Unlike in a key file, nothing is not a key, and a NUL may end one. */
	if (input.empty())
		throw Failure{"pubkey: no key on standard input"};
	while (input.size() > KEY_TEXT_LENGTH && input.back() == '\0')
		input.pop_back();
	try {
		world.terminal.write(Stream::out, to_base64(public_key_of(parse_key_file(input))).append("\n"));
	} catch (const Failure &failure) {
		throw Failure{"pubkey: standard input: " + failure.text};
	}
	return 0;
}

}
