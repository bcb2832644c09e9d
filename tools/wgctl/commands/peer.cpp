// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include <algorithm>

#include "hub/client_keys.h"
#include "hub/hub.h"
#include "hub/qr.h"
#include "model/values.h"
#include "view/json.h"

namespace wgctl {

namespace {

/* What `parse` makes of the option's value; what is wrong with it is told with its name. */
template<class Parse>
auto parsed(std::string_view name, Parse parse)
{
	try {
		return parse();
	} catch (const Failure &failure) {
		throw Failure{std::string(name) + ": " + failure.text};
	}
}

std::vector<Prefix> prefixes_of(const Options &options, std::string_view name, World &world)
{
	std::vector<Prefix> list;

	parsed(name, [&] { parse_allowed_ips(options.text(name), list, world.terminal); });
	return list;
}

ClientWishes wishes_of(const Options &options, World &world)
{
	ClientWishes wishes;

	for (const Prefix &pool : prefixes_of(options, "--pool", world))
		wishes.pools.push_back(network_of(pool));
	wishes.allowed_ips = prefixes_of(options, "--allowed-ips", world);
	wishes.endpoint = options.text("--endpoint");
	wishes.dns = options.text("--dns");
	if (std::optional<std::string_view> keepalive = options.value("--keepalive"))
		wishes.keepalive = parsed("--keepalive", [&] { return parse_keepalive(*keepalive); });
	return wishes;
}

ClientFiles files_of(const Options &options)
{
	return {options.text("--out"), options.text("--qr")};
}

Json json_of(const std::optional<Peer> &peer, const std::string &name)
{
	if (!peer)
		return {};
	Json object = Json::object();
	object["public_key"] = to_base64(peer->public_key);
	object["name"] = text_or_null(name);
	object["has_preshared_key"] = peer->preshared_key && !peer->preshared_key->is_zero();
	object["allowed_ips"] = Json::array();
	for (const Prefix &prefix : peer->allowed_ips)
		object["allowed_ips"].push_back(Text(format_prefix(prefix)));
	return object;
}

/* A change of one peer, for programs; `config` is the other side's file. */
struct Report {
	std::string name;
	std::optional<Peer> added, removed;
	Text config;
};

Text json_of(const Hub &hub, const Report &report, const Options &options)
{
	Json document = Json::object();
	ClientFiles files = files_of(options);

	document["version"] = JSON_VERSION;
	document["interface"] = Text(hub.config.interface);
	document["file"] = Text(hub.config.path);
	document["running"] = hub.is_running;
	document["added"] = json_of(report.added, report.name);
	document["removed"] = json_of(report.removed, report.name);
	document["client_file"] = text_or_null(files.config);
	document["qr_file"] = text_or_null(files.qr_image);
	if (options.has("--secrets"))
		document["client_config"] = report.config.empty() ? Json() : Json(report.config);
	return to_text(document);
}

/* The other side's file must go somewhere, and there is one standard output. */
void check_delivery(const Options &options)
{
	ClientFiles files = files_of(options);

	if (!files.qr_image.empty() && !is_image_name(files.qr_image))
		throw Failure{"--qr: an image is a FILE.png or FILE.svg, not " + in_quotes(files.qr_image)};
	if (options.has("--secrets") && !options.has("--json"))
		throw Failure{"--secrets is for --json"};
	if (options.has("--json") && options.has("--qr") && files.qr_image.empty())
		throw Failure{"--json and --qr both want standard output: use one of them, or --qr=FILE"};
	if (options.has("--json") && !options.has("--secrets") && files.config.empty() && files.qr_image.empty())
		throw Failure{"with --json the other side's file goes to --out FILE or --qr=FILE, or with --secrets into the document"};
}

/* The files first: what is on the screen cannot be taken back. */
void hand_over(const Hub &hub, const Report &report, const Options &options, World &world)
{
	ClientFiles files = files_of(options);

	create_client_files(report.config, files, [&] {
		if (options.has("--json") && !options.has("--secrets"))
			world.terminal.write(Stream::out, json_of(hub, report, options));
		else if (options.has("--json"))
			write_secret(json_of(hub, report, options), world.terminal);
		else if (options.has("--qr") && files.qr_image.empty())
			world.terminal.write(Stream::out, qr_code(report.config));
		else if (files.config.empty() && files.qr_image.empty())
			write_secret(report.config, world.terminal);
	}, world);
}

Hub open_hub(const Options &options, World &world)
{
	enter_netns(options, world);
	return read_hub(options.operand(0), world);
}

}

int peer_add(const Options &options, World &world)
{
	check_delivery(options);
	Hub hub = open_hub(options, world);
	std::string name = options.operand(1);
	ClientWishes wishes = wishes_of(options, world);
	std::optional<Key> private_key;
	Peer peer;

	need_private_key(hub);
	check_new_name(name, hub.names, hub.config.path);
	if (std::optional<std::string_view> key = options.value("--public-key")) {
		if (options.has("--keep-key"))
			throw Failure{"--keep-key: with --public-key the private key is not known here"};
		peer.public_key = parsed("--public-key", [&] { return parse_key(*key); });
		if (peer.public_key == hub.public_key)
			throw Failure{"--public-key: that is the key of " + hub.config.interface + " itself; give the other side's"};
		if (listed_with(peer.public_key, hub.peers))
			throw Failure{hub.config.path + " has this peer already: " + describe_peer(peer.public_key, hub.names)};
	} else {
		private_key = random_private_key();
		peer.public_key = public_key_of(*private_key);
	}
	if (options.has("--psk"))
		peer.preshared_key = random_preshared_key();
	peer.allowed_ips = next_addresses(hub, wishes.pools, world);
	peer.replace_allowed_ips = true;

	Text config = client_config(hub, name, peer, private_key, wishes, world);
	HubChange change{with_peer(hub.config.text, name, peer)};
	change.device.peers = {peer};
	if (options.has("--keep-key"))
		change.kept_key = private_key;
	change_hub(hub, change, [&] { hand_over(hub, {name, peer, {}, config}, options, world); }, world);
	return 0;
}

int peer_remove(const Options &options, World &world)
{
	Hub hub = open_hub(options, world);
	Key key = find_peer(options.operand(1), hub.config.text, hub.config.path);
	HubChange change{without_peer(hub.config.text, key)};
	Report report;

	change.device.peers = {removal_of(key)};
	report.name = name_of(key, hub.names);
	if (const ListedPeer *listed = listed_with(key, hub.peers))
		report.removed = listed->peer;
	change_hub(hub, change, [&] {
		if (options.has("--json"))
			world.terminal.write(Stream::out, json_of(hub, report, options));
	}, world);
	return 0;
}

/* Where the private key of a client is nowhere but on the client, a new file means a new key. */
int client(const Options &options, World &world)
{
	check_delivery(options);
	Hub hub = open_hub(options, world);
	need_private_key(hub);
	Key old = find_peer(options.operand(1), hub.config.text, hub.config.path);
	const Peer &known = find_admitted(hub, old);
	std::optional<Key> kept = kept_key(hub, old, world);
	bool is_new = !kept || options.has("--renew");
	Key private_key = is_new ? random_private_key() : *kept;
	Peer peer = known;
	std::string name = name_of(old, hub.names);

	peer.public_key = public_key_of(private_key);
	peer.endpoint.reset();
	Text config = client_config(hub, name.empty() ? "client" : name, peer, private_key, wishes_of(options, world), world);
	if (!is_new) {
		hand_over(hub, {name, {}, {}, config}, options, world);
		return 0;
	}
	HubChange change{with_public_key(hub.config.text, old, peer.public_key)};
	change.device.peers = {removal_of(old), peer};
	Report report{name, peer, known, config};
	if (kept || options.has("--keep-key"))
		change.kept_key = private_key;
	change_hub(hub, change, [&] { hand_over(hub, report, options, world); }, world);
	if (!kept && !options.has("--renew"))
		world.terminal.write(Stream::err, "[!] The private key of " + describe_peer(old, hub.names) +
							  " is not kept here, so this file has a new one, and the old one ends\n");
	return 0;
}

}
