// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "model/values.h"
#include "view/format.h"
#include "view/json.h"

namespace wgctl {

namespace {

Style style_for(const Options &options, World &world)
{
	const char *hide = world.environment.get("WG_HIDE_KEYS");
	Style style;

	style.colour = wants_colour(world);
	style.is_verbose = options.has("--verbose");
	style.hide_keys = !options.has("--secrets") && !(hide && hide == std::string_view("never"));
	return style;
}

Reading reading_of(const Options &options)
{
	return options.has("--verbose") ? Reading::with_state : Reading::plain;
}

int show_names(World &world)
{
	Text text;

	for (const std::string &name : world.devices.names())
		text.append(text.empty() ? "" : " ").append(name);
	if (!text.empty())
		world.terminal.write(Stream::out, text.append("\n"));
	return 0;
}

Text pretty(const Device &device, const Options &options, World &world)
{
	PeerNames names;

	if (options.has("--names"))
		names = read_peer_names(device.name, world);
	return format_pretty(device, style_for(options, world), world.clock.now(), names);
}

/* Calls each(device) for those that can be read and tells the others. Returns the exit code: it fails
 * only when there are interfaces and none could be read. */
template<class Each>
int for_each_device(World &world, Reading reading, Each each)
{
	std::vector<std::string> names = world.devices.names();
	bool any = names.empty();

	for (const std::string &name : names) {
		std::optional<Device> device;
		try {
			device = get_device(name, world, reading);
		} catch (const Failure &failure) {
			complain(failure.text, world.terminal);
			continue;
		}
		any = true;
		each(*device, name == names.back());
	}
	return any ? 0 : 1;
}

int show_all(std::string_view field, const Options &options, World &world)
{
	return for_each_device(world, reading_of(options), [&](const Device &device, bool is_last) {
		if (!field.empty())
			world.terminal.write(Stream::out, format_field(device, field, true));
		else
			world.terminal.write(Stream::out, pretty(device, options, world).append(is_last ? "" : "\n"));
	});
}

int show_json(const std::string &name, const Options &options, World &world)
{
	Json document = Json::object();
	Secrets secrets = options.has("--secrets") ? Secrets::shown : Secrets::hidden;
	int status = 0;

	document["version"] = JSON_VERSION;
	document["interfaces"] = Json::array();
	auto add = [&](const Device &device) {
		document["interfaces"].push_back(json_of(device, read_peer_names(device.name, world), secrets));
	};
	if (name == "all")
		status = for_each_device(world, Reading::with_state, [&](const Device &device, bool) { add(device); });
	else
		add(get_device(name, world, Reading::with_state));
	if (secrets == Secrets::shown)
		write_secret(to_text(document), world.terminal);
	else
		world.terminal.write(Stream::out, to_text(document));
	return status;
}

}

int show(const Options &options, World &world)
{
	std::string name = options.operands().empty() ? "all" : options.operand(0), field = options.operand(1);

	enter_netns(options, world);
	if (name == "interfaces") {
		if (!field.empty())
			throw Failure{"show: nothing may follow \"interfaces\": " + in_quotes(field)};
		if (options.has("--json"))
			throw Failure{"show: the names are part of the whole: wgctl show --json"};
		return show_names(world);
	}
	if (!field.empty() && (options.has("--json") || options.has("--names") || options.has("--secrets") || options.has("--verbose")))
		throw Failure{"show: a single field has no --json, --names, --secrets or --verbose: leave out " + in_quotes(field)};
	if (options.has("--json"))
		return show_json(name, options, world);
	if (name == "all")
		return show_all(field, options, world);
	Device device = get_device(name, world, reading_of(options));
	world.terminal.write(Stream::out, field.empty() ? pretty(device, options, world) : format_field(device, field, false));
	return 0;
}

}
