// SPDX-License-Identifier: GPL-2.0
/* A new key pair takes two steps, because both sides must know it: first the key is made and put beside
 * the file, and each other side is told it; then this side begins to use it. Between the two, the
 * peers that were told cannot be reached: WireGuard gives an allowed IP to one key only.
 */
#include "commands/commands.h"

#include <algorithm>

#include "config/config.h"
#include "hub/hub.h"
#include "model/machine.h"
#include "model/values.h"
#include "view/json.h"

namespace wgctl {

namespace {

/* What was done, for programs. */
struct Outcome {
	std::string_view step;
	/* The peer it is about, and the new public key, ours or the peer's. */
	std::optional<Key> peer, new_key;
	/* The line to run at the other side, and the one to run here afterwards. */
	std::string other_side, next;
};

struct Rotation {
	Hub hub;
	World &world;
	bool is_dry_run, as_json;
	/* How this interface was named: its file may be elsewhere, and itself in another namespace. */
	std::string here;

	std::string pending_path() const { return hub.config.beside("next-key"); }
	/* `text` is for people. */
	void tell(const Outcome &report, const std::string &text) const
	{
		if (!as_json)
			return world.terminal.write(Stream::out, text);
		Json document = Json::object();
		document["version"] = JSON_VERSION;
		document["interface"] = Text(hub.config.interface);
		document["file"] = Text(hub.config.path);
		document["dry_run"] = is_dry_run;
		document["step"] = Text(report.step);
		document["public_key"] = to_base64(hub.public_key);
		document["peer"] = key_or_null(report.peer);
		document["new_public_key"] = key_or_null(report.new_key);
		document["other_side"] = text_or_null(report.other_side);
		document["next"] = text_or_null(report.next);
		world.terminal.write(Stream::out, to_text(document));
	}
	void carry_out(const HubChange &what, const std::function<void()> &finish = [] {}) const
	{
		if (!is_dry_run)
			change_hub(hub, what, finish, world);
	}
};

Key read_pending(const Rotation &rotation)
{
	const std::string path = rotation.pending_path();

	if (!rotation.world.host.store.exists(path))
		throw Failure{"no new key is prepared: wgctl rotate " + rotation.here + " makes " + path};
	Text text = rotation.world.files.read(path, KEY_FILE_LIMIT);
	try {
		Key key = parse_key_file(text);
		if (!key.is_zero())
			return key;
	} catch (const Failure &failure) {
		throw Failure{path + ": " + failure.text + ". Remove it, and wgctl rotate " + rotation.here + " makes another"};
	}
	throw Failure{path + " is empty: remove it"};
}

/* The file has it, so a --commit was cut off: only to finish that is left. */
void refuse_begun_commit(const Rotation &rotation, const Key &key)
{
	if (key == rotation.hub.private_key)
		throw Failure{rotation.hub.config.path + " has the new key already: wgctl rotate " + rotation.here +
			      " --commit finishes what was begun"};
}

/* The line for the other sides. */
std::string follow_line(const Rotation &rotation, const std::string &new_key)
{
	return "wgctl rotate INTERFACE --peer " + std::string(to_base64(rotation.hub.public_key)) + " --new-key " + new_key;
}

void prepare(const Rotation &rotation)
{
	const std::string &name = rotation.hub.config.interface, path = rotation.pending_path(), commit = "wgctl rotate " + rotation.here + " --commit";
	bool is_there = rotation.world.host.store.exists(path);

	if (rotation.is_dry_run && !is_there)
		return rotation.tell({"prepare", {}, {}, follow_line(rotation, "NEW-PUBLIC-KEY"), commit},
				     "Would make a new private key in " + path + ", then:\n1. at the other side of each peer (" +
					     std::to_string(rotation.hub.device.peers.size()) + "): " +
					     follow_line(rotation, "NEW-PUBLIC-KEY") + "\n2. here: " + commit + "\n");
	Key key = is_there ? read_pending(rotation) : random_private_key(), public_key = public_key_of(key);
	refuse_begun_commit(rotation, key);
	if (!is_there)
		rotation.world.host.store.create(path, to_base64(key).append("\n"), PRIVATE_MODE);
	std::string line = follow_line(rotation, std::string(to_base64(public_key)));
	std::string text = "The new key is in " + path + "; " + name + " does not use it yet.\n1. Run at the other side of each peer:\n   " + line + "\n";
	for (const Peer &peer : rotation.hub.device.peers)
		text += "   - " + describe_peer(peer.public_key, rotation.hub.names) + "\n";
	rotation.tell({"prepare", {}, public_key, line, commit},
		      text + "   From then on, that side waits for step 2.\n2. Then here:\n   " + commit +
			      "\nTo forget the new key instead: wgctl rotate " + rotation.here + " --abort\n");
}

void commit(const Rotation &rotation)
{
	const Hub &hub = rotation.hub;
	Key key = read_pending(rotation);
	HubChange change{with_value(hub.config.text, {}, "PrivateKey", to_base64(key))};

	change.device.private_key = key;
	rotation.carry_out(change, [&] { rotation.world.host.store.remove(rotation.pending_path()); });
	std::string keys = hub.config.interface + " from " + std::string(to_base64(hub.public_key)) + " to " +
			   std::string(to_base64(public_key_of(key))) + "\n";
	rotation.tell({"commit", {}, public_key_of(key), "", ""},
		      (rotation.is_dry_run ? "Would change the key of " : "Changed the key of ") + keys);
}

void abort(const Rotation &rotation)
{
	Key key = read_pending(rotation);

	refuse_begun_commit(rotation, key);
	if (!rotation.is_dry_run)
		rotation.world.host.store.remove(rotation.pending_path());
	std::string line = "wgctl rotate INTERFACE --peer " + std::string(to_base64(public_key_of(key))) + " --new-key " +
			   std::string(to_base64(rotation.hub.public_key));
	rotation.tell({"abort", {}, {}, line, ""}, (rotation.is_dry_run ? "Would remove " : "Removed ") + rotation.pending_path() +
							   "; other sides that were told the new key need the old one back: " + line + "\n");
}

/* Where the peer listens now, and what it may send, stay. Nothing when the interface does not have it. */
std::optional<Peer> as_it_is(const Rotation &rotation, const Key &key)
{
	const Hub &hub = rotation.hub;
	std::vector<Peer> peers = hub.is_running ? get_device(hub.config.interface, rotation.world, Reading::with_state).peers : hub.device.peers;
	const Peer *found = peer_with(key, peers);

	return found ? std::optional(*found) : std::nullopt;
}

bool file_has(const Rotation &rotation, const Key &key)
{
	return peer_with(key, rotation.hub.device.peers);
}

Key parse_new_key(const Rotation &rotation, std::string_view text)
{
	std::optional<Key> key = key_from_base64(text);

	if (!key)
		throw Failure{"--new-key: not a key of 44 characters of base64, as wgctl pubkey prints it"};
	if (*key == rotation.hub.public_key)
		throw Failure{"--new-key: that is the key of " + rotation.hub.config.interface + " itself; give the other side's"};
	return *key;
}

/* `what` is the name of the peer, or its old key. */
void follow(const Rotation &rotation, std::string_view what, const Key &wanted)
{
	const Hub &hub = rotation.hub;
	std::optional<Key> given = key_from_base64(what);
	/* The file was changed, then something cut it off: the interface remains to be changed. */
	bool is_begun = given && !file_has(rotation, *given) && file_has(rotation, wanted);
	Key old = is_begun ? *given : find_peer(what, hub.config.text, hub.config.path);
	if (!is_begun)
		find_admitted(hub, old);
	std::optional<Peer> peer = as_it_is(rotation, old);

	if (is_begun && (!hub.is_running || as_it_is(rotation, wanted)))
		return rotation.tell({"new-key", old, wanted, "", ""}, describe_peer(wanted, hub.names) + " has this key already\n");
	if (!is_begun && file_has(rotation, wanted))
		throw Failure{hub.config.path + " has a peer with that key already: " + describe_peer(wanted, hub.names)};
	if (!peer)
		throw Failure{hub.config.path + " has the peer, but the running " + hub.config.interface + " does not: wgctl apply " +
			      rotation.here};
	HubChange change{is_begun ? hub.config.text : with_public_key(hub.config.text, old, wanted)};
	peer->public_key = wanted;
	peer->replace_allowed_ips = true;
	change.device.peers = {removal_of(old), *peer};
	rotation.carry_out(change);
	rotation.tell({"new-key", old, wanted, "", ""}, (rotation.is_dry_run ? "Would change " : "Changed ") + describe_peer(old, hub.names) +
								" to " + std::string(to_base64(wanted)) + "\n");
}

void change_psk(const Rotation &rotation, const Key &key, std::string_view descriptor)
{
	const Hub &hub = rotation.hub;

	find_admitted(hub, key);
	if (!parse_number<std::uint16_t>(descriptor))
		throw Failure{"--psk-fd is the number of an open file, not " + in_quotes(descriptor)};
	Key psk = parse_key_file(rotation.world.files.read("/dev/fd/" + std::string(descriptor), KEY_FILE_LIMIT));
	if (psk.is_zero())
		throw Failure{"file descriptor " + std::string(descriptor) + " has no key: wgctl genpsk makes one"};
	HubChange change{with_value(hub.config.text, key, "PresharedKey", to_base64(psk))};
	Peer &peer = change.device.peers.emplace_back();
	peer.public_key = key;
	peer.update_only = true;
	peer.preshared_key = psk;
	rotation.carry_out(change);
	std::string line = "wgctl rotate INTERFACE --peer " + std::string(to_base64(hub.public_key)) + " --psk-fd 0";
	rotation.tell({"preshared-key", key, {}, line, ""},
		      (rotation.is_dry_run ? "Would change" : "Changed") + std::string(" the preshared key of ") + describe_peer(key, hub.names) +
			      "; the next handshake needs it.\nRun at the other side, with the same key on standard input:\n   " + line + "\n");
}

}

int rotate(const Options &options, World &world)
{
	auto new_key = options.value("--new-key"), descriptor = options.value("--psk-fd"), peer = options.value("--peer");
	int wishes = options.has("--commit") + options.has("--abort") + new_key.has_value() + descriptor.has_value();

	if (wishes > 1 || peer.has_value() != (new_key || descriptor))
		options.fail("it takes one of --commit, --abort, --peer with --new-key, --peer with --psk-fd, or nothing");
	std::string here = shell_word(options.operand(0));
	if (auto netns = options.value("--netns"))
		here.append(" --netns ").append(shell_word(*netns));
	enter_netns(options, world);
	Rotation rotation{read_hub(options.operand(0), world), world, options.has("--dry-run"), options.has("--json"), here};
	need_private_key(rotation.hub);
	if (options.has("--commit")) {
		commit(rotation);
	} else if (options.has("--abort")) {
		abort(rotation);
	} else if (peer) {
		if (new_key)
			follow(rotation, *peer, parse_new_key(rotation, *new_key));
		else
			change_psk(rotation, find_peer(*peer, rotation.hub.config.text, rotation.hub.config.path), *descriptor);
	} else {
		prepare(rotation);
	}
	return 0;
}

}
