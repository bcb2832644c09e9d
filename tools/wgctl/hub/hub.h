// SPDX-License-Identifier: GPL-2.0
/* A machine many connect to, and its peers: what changes on it, in its file and on its running
 * interface, and the file for the other side.
 */
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/edit.h"
#include "config/listed_peers.h"
#include "config/quick_config.h"

namespace wgctl {

/* Of files with keys in them: for nobody else. */
constexpr unsigned PRIVATE_MODE = 0600;

struct Hub {
	QuickConfig config;
	/* As the file has it: without those who are not let in. */
	Device device;
	/* With them. */
	std::vector<ListedPeer> peers;
	/* Zero when the file has none. */
	Key private_key, public_key;
	PeerNames names;
	bool is_running = false;
	/* Nobody else changes the file meanwhile. */
	std::shared_ptr<void> lock;
};

/* `argument` as for `up`. */
Hub read_hub(std::string_view argument, World &world);
/* Throws Failure when the file has none. */
void need_private_key(const Hub &hub);
/* Throws Failure when it is not let in, or not in the file. */
const Peer &find_admitted(const Hub &hub, const Key &key);
/* Its name, or else its key, as a word of a command line. */
std::string word_for(const Hub &hub, const Key &key);

/* What the other side is told; empty parts come from the hub's file. */
struct ClientWishes {
	/* Networks new addresses are taken from, one from each; those of the hub's addresses when empty. */
	std::vector<Prefix> pools;
	/* What the client sends to the hub. */
	std::vector<Prefix> allowed_ips;
	/* HOST or HOST:PORT. */
	std::string endpoint;
	/* Name servers and search domains, between commas. */
	std::string dns;
	std::uint16_t keepalive = 25;
};

/* The next free address of each pool, or of each family; neither the hub's, nor a peer's in its file,
 * let in or not, or on its interface. */
std::vector<Prefix> next_addresses(const Hub &hub, const std::vector<Prefix> &pools, World &world);

/* The file of the other side. `peer` is how the hub sees it; without `private_key`, whoever has it
 * fills it in. Throws Failure when it would not be one that `up` takes. */
Text client_config(const Hub &hub, const std::string &name, const Peer &peer, const std::optional<Key> &private_key,
		   const ClientWishes &wishes, World &world);

/* Of an IPv6 address that stands alone, too. */
std::string with_brackets(const std::string &endpoint);
/* Of what has its brackets. */
bool has_port(const std::string &endpoint);
/* Throws Failure when it is no HOST:PORT; `source` is where it comes from. */
void check_endpoint(const std::string &endpoint, const std::string &source);

/* A change of the hub: its file, and the device's private key and peers if it runs. All of it or nothing. */
struct HubChange {
	Text text;
	Device device = {};
	/* A peer's private key that is kept from now on (client_keys.h). */
	std::optional<Key> kept_key = {};
};
/* What a new text says of one peer: on the interface it becomes what differs, and no more; a peer may be let in, or no
 * longer. Throws Failure when the text is not a file `up` takes, or when the peer would take another's allowed IP. */
HubChange change_of_peer(const Hub &hub, const Key &key, Text text, World &world);
/* `finish` comes last; its failure undoes the rest. */
void change_hub(const Hub &hub, const HubChange &change, const std::function<void()> &finish, World &world);

/* Where the other side's file is written, and an image of its QR code; empty when nowhere. */
struct ClientFiles {
	std::string config, qr_image;
};
/* `finish` comes last; its failure undoes it. */
void create_client_files(const Text &config, const ClientFiles &files, const std::function<void()> &finish, World &world);

}
