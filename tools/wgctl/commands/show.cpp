// SPDX-License-Identifier: GPL-2.0
#include "commands.h"

#include "../format.h"
#include "../values.h"

namespace wgctl {

namespace {

bool is_set_to(Environment &environment, const char *name, std::string_view value)
{
	const char *text = environment.get(name);
	return text && text == value;
}

Style style_for(World &world)
{
	Style style;

	style.colour = is_set_to(world.environment, "WG_COLOR_MODE", "always") ||
		       (!is_set_to(world.environment, "WG_COLOR_MODE", "never") && world.terminal.output_is_terminal());
	style.hide_keys = !is_set_to(world.environment, "WG_HIDE_KEYS", "never");
	return style;
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

/* Fails only when there are interfaces and none could be read. */
int show_all(std::string_view field, World &world)
{
	std::vector<std::string> names = world.devices.names();
	bool any = names.empty();

	for (const std::string &name : names) {
		try {
			Device device = get_device(name, world);
			any = true;
			if (!field.empty()) {
				world.terminal.write(Stream::out, format_field(device, field, true));
				continue;
			}
			Text text = format_pretty(device, style_for(world), world.clock.now());
			world.terminal.write(Stream::out, text.append(&name == &names.back() ? "" : "\n"));
		} catch (const Failure &failure) {
			world.terminal.write(Stream::err, "wgctl: " + failure.text + "\n");
		}
	}
	return any ? 0 : 1;
}

}

int show(Arguments arguments, World &world)
{
	std::string_view name = arguments.empty() ? "all" : arguments[0];
	std::string_view field = arguments.size() < 2 ? "" : arguments[1];

	if (name == "interfaces") {
		if (!field.empty())
			throw Failure{"show: nothing may follow \"interfaces\": " + quoted(field)};
		return show_names(world);
	}
	if (arguments.size() == 2 && !is_field(field))
		throw Failure{"show: there is no field " + quoted(field)};
	if (name == "all")
		return show_all(field, world);
	Device device = get_device(std::string(name), world);
	world.terminal.write(Stream::out, field.empty() ? format_pretty(device, style_for(world), world.clock.now())
							: format_field(device, field, false));
	return 0;
}

}
