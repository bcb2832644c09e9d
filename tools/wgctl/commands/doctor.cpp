// SPDX-License-Identifier: GPL-2.0
#include "../doctor.h"

#include <algorithm>

#include "../json.h"
#include "commands.h"
#include "options.h"

namespace wgctl {

namespace {

constexpr std::size_t MOST_FINDINGS = 100;

Text text_of(const std::string &interface, const std::vector<Finding> &findings)
{
	Text text;

	for (const Finding &finding : findings)
		text.append(interface).append(": ").append(finding.what).append(".\n  Remedy: ").append(finding.remedy).append("\n");
	return findings.empty() ? Text(interface).append(": nothing is wrong as far as can be seen from here\n") : text;
}

Text json_of(const std::string &interface, const std::vector<Finding> &findings)
{
	Json document = Json::object();

	document["version"] = JSON_VERSION;
	document["interface"] = Text(interface);
	document["findings"] = Json::array();
	for (const Finding &finding : findings) {
		Json object = Json::object();
		object["what"] = Text(finding.what);
		object["remedy"] = Text(finding.remedy);
		document["findings"].push_back(std::move(object));
	}
	return to_text(document);
}

}

int doctor(Arguments arguments, World &world)
{
	Options options("doctor", arguments, {"--probe", "--json"});

	if (options.rest().size() != 1)
		throw Failure{"doctor: which interface? (wgctl doctor --help)"};
	std::string interface(options.rest()[0]);
	get_device(interface, world);
	std::vector<Finding> findings = diagnose(examine(interface, options.has("--probe") ? Probing::paths : Probing::none, world));
	world.terminal.write(Stream::out, options.has("--json") ? json_of(interface, findings) : text_of(interface, findings));
	return static_cast<int>(std::min(findings.size(), MOST_FINDINGS));
}

}
