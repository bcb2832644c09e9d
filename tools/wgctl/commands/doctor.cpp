// SPDX-License-Identifier: GPL-2.0
#include "view/diagnosis.h"

#include <algorithm>

#include "commands/commands.h"
#include "config/quick_config.h"
#include "model/values.h"
#include "tunnel/kill_switch.h"
#include "view/json.h"

namespace wgctl {

namespace {

constexpr std::size_t MOST_FINDINGS = 100;

Text text_of(const std::string &interface, const std::vector<Finding> &findings)
{
	Text text;

	for (const Finding &finding : findings)
		text.append(printable(interface) + ": " + printable(finding.what) + ".\n  Remedy: " + printable(finding.remedy) + "\n");
	return findings.empty() ? Text(printable(interface)).append(": nothing is wrong as far as can be seen from here\n") : text;
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

/* The name of an interface, or the path of its file. */
Patient find_patient(std::string_view argument, World &world)
{
	Patient patient{std::string(argument), "/etc/wireguard/" + std::string(argument) + ".conf", "", {}};

	if (is_interface_name(argument) && !(argument.ends_with(".conf") && world.host.store.exists(std::string(argument))))
		return patient;
	patient.path = find_quick_file(argument, world);
	std::string_view base = argument.substr(argument.rfind('/') + 1);
	patient.interface = base.substr(0, base.ends_with(".conf") ? base.size() - 5 : base.npos);
	return patient;
}

}

int doctor(const Options &options, World &world)
{
	Patient patient = find_patient(options.operand(0), world);
	if (parse_number<std::uint32_t>(options.text("--netns")))
		patient.root = "/proc/" + options.text("--netns") + "/root";
	patient.placement = options.placement(world);
	world.host.namespaces.enter(patient.placement.home);
	if (!KillSwitch(patient.interface, world).is_closed())
		get_device(patient.interface, world);
	std::vector<Finding> findings = diagnose(examine(patient, options.has("--no-probe") ? Probing::none : Probing::paths, world));
	world.terminal.write(Stream::out, options.has("--json") ? json_of(patient.interface, findings) : text_of(patient.interface, findings));
	return static_cast<int>(std::min(findings.size(), MOST_FINDINGS));
}

}
