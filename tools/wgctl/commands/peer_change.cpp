// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include <algorithm>
#include <array>

#include "hub/hub.h"
#include "model/machine.h"
#include "model/times.h"
#include "model/values.h"
#include "view/peer_table.h"

namespace wgctl {

namespace {

constexpr std::array EDITABLE{std::string_view("AllowedIPs"), std::string_view("Endpoint"), std::string_view("PersistentKeepalive"),
			      std::string_view("PresharedKey")};
/* What else a peer has in its file, and who changes that. */
constexpr std::array CHANGED_ELSEWHERE{std::pair{std::string_view("Name"), std::string_view("wgctl peer rename")},
				       std::pair{std::string_view("Expires"), std::string_view("wgctl peer expire")},
				       std::pair{std::string_view("PublicKey"), std::string_view("wgctl rotate --peer")}};

/* A hub and which of its peers a command is about. */
struct Target {
	Hub hub;
	Key key;

	const ListedPeer &listed() const { return *listed_with(key, hub.peers); }
	bool is_disabled() const { return listed().state == ListedPeer::State::disabled; }
	/* The values of a disabled peer change all the same. */
	template<class Edit>
	Text edited(Edit edit) const
	{
		const Text &text = hub.config.text;
		return is_disabled() ? with_disabled(edit(with_enabled(text, {key})), key) : edit(text);
	}
};

Target open_target(const Options &options, World &world)
{
	enter_netns(options, world);
	Hub hub = read_hub(options.operand(0), world);
	Key key = find_peer(options.operand(1), hub.config.text, hub.config.path);
	return {std::move(hub), key};
}

/* As the file has it now. */
Text document_of(const Target &target, const HubChange &change, bool has_changes, World &world)
{
	Json document = Json::object();
	QuickConfig config;

	config.interface = target.hub.config.interface;
	config.path = target.hub.config.path;
	config.text = change.text;
	document["version"] = JSON_VERSION;
	document["interface"] = Text(config.interface);
	document["file"] = Text(config.path);
	document["running"] = target.hub.is_running;
	document["changed"] = has_changes;
	std::vector<ListedPeer> peers = list_peers(config, world);
	if (const ListedPeer *listed = listed_with(target.key, peers))
		document["peer"] = json_of(*listed, parse_peer_names(config.text));
	return to_text(document);
}

/* `told` is for people. */
int change_to(const Target &target, const Text &text, const std::string &told, const Options &options, World &world)
{
	HubChange change = change_of_peer(target.hub, target.key, text, world);
	bool has_changes = text != target.hub.config.text || !change.device.peers.empty();
	auto tell = [&] { world.terminal.write(Stream::out, options.has("--json") ? document_of(target, change, has_changes, world) : Text(told)); };

	if (has_changes)
		change_hub(target.hub, change, tell, world);
	else
		tell();
	return 0;
}

/* With a sign, what comes to those the peer has, or goes. */
std::string edited_allowed_ips(std::vector<Prefix> &list, std::string_view value, World &world)
{
	std::vector<Prefix> given;

	if (!parse_signed_allowed_ips(value, given, world.terminal))
		list.clear();
	for (Prefix prefix : given) {
		bool goes = std::exchange(prefix.remove, false);
		auto found = std::find_if(list.begin(), list.end(), [&](const Prefix &other) { return network_of(other) == network_of(prefix); });
		if (goes && found == list.end())
			throw Failure{"the peer has no " + format_prefix(prefix)};
		if (goes)
			list.erase(found);
		else if (found == list.end())
			list.push_back(prefix);
	}
	return format_prefixes(list);
}

/* What the file is to have, checked. */
std::string value_for_file(std::string_view key, std::string_view value, std::vector<Prefix> &allowed_ips, World &world)
{
	if (key == "AllowedIPs")
		return edited_allowed_ips(allowed_ips, value, world);
	if (value.empty())
		return "";
	if (key == "PresharedKey")
		throw Failure{"everybody may see a command line: wgctl rotate --peer PEER --psk-fd NUMBER reads the key from an open file"};
	if (key == "PersistentKeepalive")
		return std::to_string(parse_keepalive(value));
	HostPort parts = split_endpoint(value);
	if (!parse_number<std::uint16_t>(parts.port).value_or(0))
		throw Failure{"the port is not 1-65535: " + in_quotes(parts.port)};
	return std::string(value);
}

/* One of EDITABLE, however it is written. */
std::string_view find_key(std::string_view key)
{
	for (std::string_view one : EDITABLE)
		if (equal_ignoring_case(one, key))
			return one;
	for (const auto &[one, command] : CHANGED_ELSEWHERE)
		if (equal_ignoring_case(one, key))
			throw Failure{std::string(one) + ": " + std::string(command) + " changes it"};
	std::string meant = did_you_mean(key, EDITABLE);
	throw Failure{"unknown key " + in_quotes(key) + (meant.empty() ? ": there are AllowedIPs, Endpoint, PersistentKeepalive, PresharedKey" : meant)};
}

/* The second that WHEN means; nothing for "never". */
std::optional<std::int64_t> time_of(std::string_view when, World &world)
{
	if (when == "never")
		return {};
	if (std::optional<std::int64_t> duration = parse_duration(when))
		return world.clock.now() + *duration;
	try {
		return parse_time(when);
	} catch (const Failure &failure) {
		throw Failure{failure.text + ", nor a time from now of 100 years at most, as 12h or 30d, nor never"};
	}
}

}

std::span<const std::string_view> editable_keys()
{
	return EDITABLE;
}

int peer_rename(const Options &options, World &world)
{
	Target target = open_target(options, world);
	std::string name = options.operand(2);

	check_new_name(name, target.hub.names, target.hub.config.path);
	return change_to(target, target.edited([&](const Text &text) { return with_name(text, target.key, name); }), "", options, world);
}

int peer_edit(const Options &options, World &world)
{
	Target target = open_target(options, world);
	std::vector<Prefix> allowed_ips = target.listed().peer.allowed_ips;

	Text text = target.edited([&](Text edited) {
		for (std::string_view word : std::span(options.operands()).subspan(2)) {
			std::size_t equals = word.find('=');
			if (equals == word.npos)
				options.fail("not KEY=VALUE: " + in_quotes(word));
			std::string_view key = find_key(trimmed(word.substr(0, equals)));
			try {
				edited = with_only_value(edited, target.key, key, value_for_file(key, trimmed(word.substr(equals + 1)), allowed_ips, world));
			} catch (const Failure &failure) {
				throw Failure{std::string(key) + ": " + failure.text};
			}
		}
		return edited;
	});
	return change_to(target, text, "", options, world);
}

int peer_disable(const Options &options, World &world)
{
	Target target = open_target(options, world);
	const Text &text = target.hub.config.text;

	return change_to(target, target.is_disabled() ? text : with_disabled(text, target.key), "", options, world);
}

int peer_enable(const Options &options, World &world)
{
	Target target = open_target(options, world);
	const Text &text = target.hub.config.text;

	return change_to(target, target.is_disabled() ? with_enabled(text, {target.key}) : text, "", options, world);
}

int peer_expire(const Options &options, World &world)
{
	Target target = open_target(options, world);
	std::optional<std::int64_t> time = time_of(options.operand(2), world);
	std::string peer = describe_peer(target.key, target.hub.names);

	Text text = target.edited([&](const Text &before) {
		return with_only_comment(before, target.key, "Expires", time ? format_time(*time) : "");
	});
	return change_to(target, text, peer + (time ? " expires at " + format_time(*time) : " does not expire") + "\n", options, world);
}

}
