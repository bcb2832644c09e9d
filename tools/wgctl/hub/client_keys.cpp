// SPDX-License-Identifier: GPL-2.0
#include "hub/client_keys.h"

#include <algorithm>
#include <set>

#include "config/config.h"
#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

namespace {

std::string path_of(const Hub &hub)
{
	return hub.config.beside("client-keys");
}

/* Nothing when there is no such file. */
Text read(const std::string &path, World &world)
{
	if (!world.host.store.exists(path))
		return {};
	if (world.host.store.is_open_to_the_world(path))
		throw Failure{path + " is accessible to everybody, and holds private keys: chmod 600 " + shell_word(path)};
	return read_config_file(path, world.files);
}

}

std::optional<Key> kept_key(const Hub &hub, const Key &peer, World &world)
{
	const std::string path = path_of(hub);
	const Text text = read(path, world), name = to_base64(peer);
	std::optional<Key> found;

	for_each_line(text, [&](std::string_view line) {
		if (!line.starts_with(name))
			return;
		found = key_from_base64(line.substr(std::min(name.size() + 1, line.size())));
		if (!found || !(public_key_of(*found) == peer))
			throw Failure{path + ": what it has for " + describe_peer(peer, hub.names) + " is not that peer's private key: remove the line"};
	});
	return found;
}

void keep_client_keys(const Hub &hub, const HubChange &change, Steps &steps, World &world)
{
	const std::string path = path_of(hub);
	const Text before = read(path, world);
	std::set<Key> peers;
	Text after;

	/* Those that are disabled, too. */
	for_each_line(change.text, [&](std::string_view line) {
		std::size_t equals = line.find('=');
		std::optional<Key> key = equals == line.npos ? std::nullopt : key_from_base64(trimmed(line.substr(equals + 1)).substr(0, KEY_TEXT_LENGTH));
		if (key)
			peers.insert(*key);
	});
	for_each_line(before, [&](std::string_view line) {
		if (std::optional<Key> key = key_from_base64(line.substr(0, KEY_TEXT_LENGTH)); key && peers.contains(*key))
			after.append(line).append("\n");
	});
	if (change.kept_key)
		after.append(to_base64(public_key_of(*change.kept_key))).append(" ").append(to_base64(*change.kept_key)).append("\n");
	if (after == before)
		return;
	world.host.store.replace(path, after, PRIVATE_MODE);
	steps.undo_by("restore " + path, [&world, path, before] {
		if (before.empty())
			world.host.store.remove(path);
		else
			world.host.store.replace(path, before, PRIVATE_MODE);
	});
}

}
