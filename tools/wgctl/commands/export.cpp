// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/network_manager.h"
#include "config/networkd.h"
#include "model/values.h"
#include "tunnel/steps.h"

namespace wgctl {

namespace {

/* What the line says and others have no words for; empty when that is nothing. Throws Failure for what must not be lost. */
std::string loss(std::string_view text, const QuickConfig &config)
{
	std::optional<std::string_view> disabled = disabled_line(text);
	std::string_view content = disabled.value_or(text);
	bool is_remark = is_comment(content);
	ConfigLine line = read_config_line(is_remark ? content.substr(content.find('#') + 1) : content);

	if (line.is_value("KillSwitch") && config.kill_switch)
		throw Failure{"KillSwitch: without it, traffic would go past the tunnel; take it out of the file first"};
	if (disabled)
		return line.is_section("[Peer]") ? "a disabled peer is left out" : "";
	if (is_remark && line.is_value("Expires"))
		return "Expires is left out: the peer is let in for ever, or not at all if its time is over";
	for (std::string_view key : {"PinEndpoint", "OpenedMark", "OuterMark", "DSCP"})
		if (is_remark && line.is_value(key))
			return std::string(key) + " is left out: only wgctl knows it";
	if (line.is_value("Forward") && config.forward)
		return "Forward is left out: the peers' packets will not be forwarded";
	if (line.is_value("Masquerade") && config.masquerade)
		return "Masquerade is left out: there will be no forwarding and no NAT";
	for (std::string_view key : {"BindDevice", "BindAddress"})
		if (line.is_value(key) && config.binding != Binding())
			return std::string(key) + " is left out: only wgctl knows it";
	if (is_remark && line.is_value("Endpoint"))
		return "an Endpoint in a comment is left out";
	for (std::string_view key : {"PreUp", "PostUp", "PreDown", "PostDown"})
		if (!is_remark && line.is_value(key) && !line.value.empty())
			return std::string(key) + " is left out: no hooks are run";
	return !is_remark && line.is_value("SaveConfig") && config.save ? "SaveConfig is left out" : "";
}

void tell_losses(const QuickConfig &config, World &world)
{
	std::size_t number = 0;

	for_each_line(config.text, [&](std::string_view line) {
		std::string at = config.at(++number), text;
		try {
			text = loss(line, config);
		} catch (const Failure &failure) {
			throw Failure{at + failure.text};
		}
		if (!text.empty())
			world.terminal.write(Stream::err, "Warning: " + harmless(at) + text + "\n");
	});
}

void write_to(const std::string &folder, const std::vector<Exported> &files, World &world)
{
	Steps steps(world, Steps::Tells::failures);

	for (const Exported &file : files) {
		std::string path = folder + "/" + file.name;
		world.host.store.create(path, file.text, file.mode);
		steps.undo_by("remove " + path, [=, &world] { world.host.store.remove(path); });
		if (!file.group.empty() && world.host.shell.run_program({"chgrp", file.group, path}) != 0)
			world.terminal.write(Stream::err, "Warning: " + harmless(path) + " is not of the group " + file.group + ", which is to read it\n");
	}
	steps.keep();
}

}

int export_to(const Options &options, World &world)
{
	std::string format = options.text("--format");
	std::vector<Exported> files;

	if (format != "networkd" && format != "networkmanager")
		options.fail("--format is networkd or networkmanager");
	QuickConfig config = read_quick_config(options.operand(0), world);
	Device device = parse_without_lookup(config, world);
	PeerNames names = parse_peer_names(config.text);
	tell_losses(config, world);
	if (format == "networkd")
		files = export_networkd(config, device, names);
	else
		files.push_back(export_network_manager(config, device, names));
	if (options.has("--out")) {
		write_to(options.text("--out"), files, world);
		return 0;
	}
	for (const Exported &file : files)
		write_secret(Text("# ").append(file.name).append("\n").append(file.text).append(&file == &files.back() ? "" : "\n"), world.terminal);
	return 0;
}

}
