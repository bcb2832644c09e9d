// SPDX-License-Identifier: GPL-2.0
#include "../apply.h"

#include <algorithm>

#include "../colours.h"
#include "../json.h"
#include "commands.h"
#include "options.h"

namespace wgctl {

namespace {

constexpr int CHANGED = 2;

std::string coloured(const Change &change, const PeerNames &names, World &world)
{
	std::string text = describe(change, names);
	std::string_view colour = change.action == Change::Action::add ? GREEN : change.action == Change::Action::remove ? RED : YELLOW;

	return wants_colour(world) ? std::string(colour) + text + std::string(RESET) : text;
}

/* Moved peers are no change, but whoever edited that line wants to know. */
void tell(const Plan &plan, World &world)
{
	std::string text = plan.config.interface + (plan.changes.empty() ? ": unchanged\n" : ":\n");

	for (const Change &change : plan.changes)
		text += "  " + coloured(change, plan.names, world) + "\n";
	for (const Change &change : plan.kept)
		text += "  = peer " + describe_peer(*change.peer, plan.names) + ": stays at " + *change.before + ", where it is alive, not " +
			*change.after + "; --endpoints moves it\n";
	world.terminal.write(Stream::out, text);
}

Json json_of(const Change &change, const PeerNames &names)
{
	Json object = Json::object();
	auto text_or_null = [](const std::optional<std::string> &text) { return text ? Json(Text(*text)) : Json(); };
	auto name = change.peer ? names.find(*change.peer) : names.end();

	object["action"] = change.action == Change::Action::add ? "add" : change.action == Change::Action::remove ? "remove" : "change";
	object["what"] = Text(change.what);
	object["peer"] = change.peer ? Json(to_base64(*change.peer)) : Json();
	object["peer_name"] = name == names.end() ? Json() : Json(Text(name->second));
	object["before"] = text_or_null(change.before);
	object["after"] = text_or_null(change.after);
	return object;
}

Json json_of(const Plan &plan)
{
	Json object = Json::object();

	object["name"] = Text(plan.config.interface);
	object["file"] = Text(plan.config.path);
	for (const auto &[key, list] : {std::pair("changes", &plan.changes), std::pair("kept", &plan.kept)}) {
		object[key] = Json::array();
		for (const Change &change : *list)
			object[key].push_back(json_of(change, plan.names));
	}
	return object;
}

Text json_of(const std::vector<Plan> &plans, bool is_dry_run, bool has_changes)
{
	Json document = Json::object();

	document["version"] = JSON_VERSION;
	document["dry_run"] = is_dry_run;
	document["changed"] = has_changes;
	document["interfaces"] = Json::array();
	for (const Plan &plan : plans)
		document["interfaces"].push_back(json_of(plan));
	return to_text(document);
}

}

int apply(Arguments arguments, World &world)
{
	Options options("apply", arguments, {"--dry-run", "--json", "--steal", "--endpoints"}, {"--netns", "--birth-netns"});
	ApplyOptions how{options.has("--steal"), options.has("--endpoints")};
	bool is_dry_run = options.has("--dry-run");
	std::vector<QuickConfig> configs;
	std::vector<Plan> plans;

	if (options.rest().empty())
		throw Failure{"apply: which file or interface? (wgctl apply --help)"};
	/* All files are looked at before the first interface is touched. */
	for (std::string_view file : options.rest())
		configs.push_back(read_quick_config(file, world));
	Placement placement = find_placement(std::string(options.value("--netns").value_or("")),
					     std::string(options.value("--birth-netns").value_or("")), world);
	for (QuickConfig &config : configs)
		plans.push_back(make_plan(std::move(config), placement, how, world));
	bool has_changes = std::any_of(plans.begin(), plans.end(), [](const Plan &plan) { return !plan.changes.empty(); });

	for (const Plan &plan : plans) {
		if (!options.has("--json"))
			tell(plan, world);
		if (is_dry_run)
			continue;
		try {
			carry_out(plan, world);
		} catch (const Failure &failure) {
			/* `up` undoes what it began. */
			std::string_view rest = plan.is_new ? "" : ". What comes before it is done; run the command again for the rest";
			throw Failure{plan.config.path + ": " + failure.text + std::string(rest)};
		}
	}
	if (options.has("--json"))
		world.terminal.write(Stream::out, json_of(plans, is_dry_run, has_changes));
	return has_changes ? CHANGED : 0;
}

}
