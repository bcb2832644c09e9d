// SPDX-License-Identifier: GPL-2.0
/* What the fuzz targets share: how a broken promise is told, what every failure owes its reader, and a
 * device as text, so that two ways to the same configuration can be compared.
 */
#pragma once

#include <cstdio>
#include <cstdlib>
#include <set>

#include "hub/pool.h"
#include "tests/fakes.h"

namespace wgctl::fuzz {

/* Ends the program, which is a finding. */
inline void must(bool truth, const char *promise)
{
	if (truth)
		return;
	std::fprintf(stderr, "BROKEN: %s\n", promise);
	std::abort();
}

inline void must_equal(std::string_view a, std::string_view b, const char *promise)
{
	if (a == b)
		return;
	std::fprintf(stderr, "BROKEN: %s\n---- one\n%.*s\n---- other\n%.*s\n----\n", promise, static_cast<int>(a.size()), a.data(),
		     static_cast<int>(b.size()), b.data());
	std::abort();
}

/* Nothing in it moves a terminal's cursor or changes its colours. */
inline bool is_harmless(std::string_view text)
{
	return std::none_of(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == 127; });
}

/* Whether the action failed; when it did, it said why. */
template<class Action>
bool fails(Action action)
{
	try {
		action();
		return false;
	} catch (const Failure &failure) {
		must(!failure.text.empty(), "a failure has words");
		return true;
	}
}

/* For what was found to be right already. */
template<class Action>
void works(Action action)
{
	try {
		action();
	} catch (const Failure &failure) {
		std::fprintf(stderr, "BROKEN: what was right is refused: %s\n", failure.text.c_str());
		std::abort();
	}
}

/* Which line of `text` is a secret's: its value. */
inline std::set<std::string> secrets_in(std::string_view text)
{
	std::set<std::string> secrets;

	while (!text.empty()) {
		std::size_t end = text.find('\n');
		std::string line(std::string_view(without_blanks(text.substr(0, end))));
		std::size_t equals = line.find('=');
		std::string_view name = std::string_view(line).substr(0, equals);
		if (equals != line.npos && (equal_ignoring_case(name, "PrivateKey") || equal_ignoring_case(name, "PresharedKey"))) {
			std::string value = line.substr(equals + 1, KEY_TEXT_LENGTH);
			if (key_from_base64(value))
				secrets.insert(value);
		}
		text.remove_prefix(end == text.npos ? text.size() : end + 1);
	}
	return secrets;
}

/* It stands where no secret belongs, too, and may be told from there. Blanks within do not matter. */
inline bool is_elsewhere(const std::string &secret, std::string_view text)
{
	Text compact = without_blanks(text);

	return compact.find(secret) != compact.rfind(secret);
}

/* The change happens to the interface: each peer once, each prefix at one peer, no key that is zero. */
inline void take(Device &device, const Device &change)
{
	device.name = change.name;
	device.listen_port = change.listen_port ? change.listen_port : device.listen_port;
	device.fwmark = change.fwmark ? change.fwmark : device.fwmark;
	if (change.private_key) {
		device.private_key = change.private_key->is_zero() ? std::nullopt : change.private_key;
		device.public_key = device.private_key ? std::optional(public_key_of(*device.private_key)) : std::nullopt;
	}
	if (change.replace_peers)
		device.peers.clear();
	for (const Peer &peer : change.peers) {
		auto is_same = [&](const Peer &other) { return other.public_key == peer.public_key; };
		auto known = std::find_if(device.peers.begin(), device.peers.end(), is_same);
		if (peer.remove || (peer.update_only && known == device.peers.end())) {
			std::erase_if(device.peers, is_same);
			continue;
		}
		if (known == device.peers.end()) {
			device.peers.emplace_back().public_key = peer.public_key;
			known = device.peers.end() - 1;
		}
		if (peer.preshared_key)
			known->preshared_key = peer.preshared_key->is_zero() ? std::nullopt : peer.preshared_key;
		known->endpoint = peer.endpoint ? peer.endpoint : known->endpoint;
		known->persistent_keepalive = peer.persistent_keepalive ? peer.persistent_keepalive : known->persistent_keepalive;
		if (peer.replace_allowed_ips)
			known->allowed_ips.clear();
		for (const Prefix &prefix : peer.allowed_ips) {
			Prefix network = network_of(prefix);
			for (Peer &other : device.peers)
				if (!prefix.remove || &other == &*known)
					std::erase(other.allowed_ips, network);
			if (!prefix.remove)
				known->allowed_ips.push_back(network);
		}
	}
}

/* An interface without configuration, after the change. */
inline Device settled(const Device &change)
{
	Device device;

	device.listen_port = 0;
	device.fwmark = 0;
	take(device, change);
	return device;
}

/* That in words, in an order of their own: equal words, equal interfaces. */
inline std::string outcome(const Device &change)
{
	Device device = settled(change);
	auto words = [](const std::optional<Key> &key) { return key ? std::string(std::string_view(to_base64(*key))) : "none"; };
	std::string text = "private key " + words(device.private_key) + " port " + std::to_string(*device.listen_port) + " mark " +
			   std::to_string(*device.fwmark) + "\n";

	std::sort(device.peers.begin(), device.peers.end(), [](const Peer &a, const Peer &b) { return a.public_key < b.public_key; });
	for (const Peer &peer : device.peers) {
		std::set<std::string> networks;
		for (const Prefix &prefix : peer.allowed_ips)
			networks.insert(format_prefix(prefix));
		text += "peer " + words(peer.public_key) + " psk " + words(peer.preshared_key) + " keepalive " +
			std::to_string(peer.persistent_keepalive.value_or(0)) + " endpoint ";
		text += peer.endpoint ? std::string(std::string_view(format_endpoint(*peer.endpoint))) : "none";
		for (const std::string &network : networks)
			text += " " + network;
		text += "\n";
	}
	return text;
}

}
