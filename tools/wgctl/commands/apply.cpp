// SPDX-License-Identifier: GPL-2.0
#include "tunnel/plan.h"

#include <algorithm>

#include "commands/commands.h"
#include "view/colours.h"
#include "view/json.h"

namespace wgctl {

namespace {

constexpr int CHANGED = 2;

std::string coloured(const Change &change, const PeerNames &names, World &world)
{
	std::string text = printable(describe(change, names));
	std::string_view colour = change.action == Change::Action::add ? GREEN : change.action == Change::Action::remove ? RED : YELLOW;

	return wants_colour(world) ? std::string(colour) + text + std::string(RESET) : text;
}

/* Why something that differs stays: no change, but whoever edited that line wants to know. */
std::string reason_to_stay(const Change &change, const PeerNames &names)
{
	if (change.peer)
		return "peer " + describe_peer(*change.peer, names) + ": stays at " + *change.before + ", where it is alive, not " +
		       *change.after + "; --endpoints moves it";
	return change.what + " " + *change.before + (change.what == "dns" ? ": stays, not set by wgctl" : ": stays closed; wgctl down opens it");
}

/* Those that run with a new interface. */
std::vector<Hook> hooks_of(const Plan &plan)
{
	std::vector<Hook> hooks;

	if (plan.is_new)
		for (const std::vector<Hook> *list : {&plan.config.pre_up, &plan.config.post_up})
			hooks.insert(hooks.end(), list->begin(), list->end());
	return hooks;
}

void tell(const Plan &plan, World &world)
{
	std::string text = plan.config.interface + (plan.changes.empty() ? ": unchanged\n" : ":\n");

	for (const Change &change : plan.changes)
		text += "  " + coloured(change, plan.names, world) + "\n";
	for (const Change &change : plan.kept)
		text += "  = " + printable(reason_to_stay(change, plan.names)) + "\n";
	for (const Hook &hook : hooks_of(plan))
		text += "  ! " + std::string(hook.key) + " runs: " + printable(hook.command) + "\n";
	world.terminal.write(Stream::out, text);
}

Json json_of(const Change &change, const PeerNames &names)
{
	Json object = Json::object();
	auto name = change.peer ? names.find(*change.peer) : names.end();

	object["action"] = change.action == Change::Action::add ? "add" : change.action == Change::Action::remove ? "remove" : "change";
	object["what"] = Text(change.what);
	object["peer"] = key_or_null(change.peer);
	object["peer_name"] = name == names.end() ? Json() : Json(Text(name->second));
	object["before"] = text_or_null(change.before.value_or(""));
	object["after"] = text_or_null(change.after.value_or(""));
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
	object["hooks"] = Json::array();
	for (const Hook &hook : hooks_of(plan))
		object["hooks"].push_back(Text(hook.command));
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

/* What became of the other files, when one could not be carried out. */
std::string fate_of_others(const std::vector<Plan> &plans, std::size_t failed)
{
	std::string done, left;

	for (std::size_t i = 0; i < plans.size(); ++i)
		if (i != failed && !plans[i].changes.empty())
			(i < failed ? done : left).append(" ").append(plans[i].config.interface);
	return (done.empty() ? "" : ". Done before:" + done) + (left.empty() ? "" : ". Not begun:" + left);
}

/* All files are looked at before the first interface is touched. */
std::vector<Plan> make_plans(const Options &options, World &world)
{
	ApplyOptions how{options.has("--steal"), options.has("--endpoints")};
	std::vector<QuickConfig> configs;
	std::vector<Plan> plans;

	for (std::string_view file : options.operands()) {
		QuickConfig config = read_quick_config(file, world);
		for (const QuickConfig &other : configs)
			if (other.interface == config.interface)
				throw Failure{"apply: " + other.path + " and " + config.path + " are of one interface: give one of them"};
		configs.push_back(std::move(config));
	}
	Placement placement = options.placement(world);
	for (QuickConfig &config : configs)
		plans.push_back(make_plan(std::move(config), placement, how, world));
	return plans;
}

}

int apply(const Options &options, World &world)
{
	bool is_dry_run = options.has("--dry-run");

	std::vector<Plan> plans = make_plans(options, world);
	bool has_changes = std::any_of(plans.begin(), plans.end(), [](const Plan &plan) { return !plan.changes.empty(); });

	for (std::size_t i = 0; i < plans.size(); ++i) {
		if (!options.has("--json"))
			tell(plans[i], world);
		if (is_dry_run)
			continue;
		try {
			carry_out(plans[i], world);
		} catch (const Failure &failure) {
			throw Failure{plans[i].config.path + ": " + failure.text + fate_of_others(plans, i)};
		}
	}
	if (options.has("--json"))
		world.terminal.write(Stream::out, json_of(plans, is_dry_run, has_changes));
	return has_changes && options.has("--exit-code") ? CHANGED : 0;
}

}
