// SPDX-License-Identifier: GPL-2.0
#include "../doctor.h"

#include <algorithm>

#include "commands.h"
#include "options.h"

namespace wgctl {

namespace {

constexpr std::size_t MOST_FINDINGS = 100;

}

int doctor(Arguments arguments, World &world)
{
	Options options("doctor", arguments, {"--probe"});

	if (options.rest().size() != 1)
		throw Failure{"doctor: which interface? (wgctl doctor --help)"};
	std::string interface(options.rest()[0]);
	get_device(interface, world);
	std::vector<Finding> findings = diagnose(examine(interface, options.has("--probe") ? Probing::paths : Probing::none, world));
	std::string text;
	for (const Finding &finding : findings)
		text += interface + ": " + finding.what + ".\n  Remedy: " + finding.remedy + "\n";
	if (findings.empty())
		text = interface + ": nothing is wrong as far as can be seen from here\n";
	world.terminal.write(Stream::out, text);
	return static_cast<int>(std::min(findings.size(), MOST_FINDINGS));
}

}
