// SPDX-License-Identifier: GPL-2.0
#include "view/format.h"

#include <algorithm>
#include <cstdio>

#include "model/values.h"
#include "view/colours.h"

namespace wgctl {

namespace {

constexpr std::string_view NONE = "(none)";

bool has_preshared_key(const Peer &peer)
{
	return peer.preshared_key && !peer.preshared_key->is_zero();
}

Text key_or_none(const std::optional<Key> &key)
{
	return key ? to_base64(*key) : Text(NONE);
}

Text preshared_key_or_none(const Peer &peer)
{
	return has_preshared_key(peer) ? to_base64(*peer.preshared_key) : Text(NONE);
}

Text endpoint_or_none(const Peer &peer)
{
	return peer.endpoint ? format_endpoint(*peer.endpoint) : Text(NONE);
}

Text keepalive_or_off(const Peer &peer)
{
	return peer.persistent_keepalive.value_or(0) ? Text(std::to_string(*peer.persistent_keepalive)) : Text("off");
}

Text allowed_ips_or_none(const Peer &peer, std::string_view separator)
{
	return Text(peer.allowed_ips.empty() ? NONE : std::string_view(format_prefixes(peer.allowed_ips, separator)));
}

/* The pretty form of one device. */
class Painter {
public:
	Painter(const Style &style, std::int64_t now, const PeerNames &names) : style_(style), now_(now), names_(names) {}
	Text paint(const Device &device);

private:
	Text &colour(std::string_view code) { return style_.colour ? text_.append(code) : text_; }
	Text &plain(std::string_view text) { return text_.append(text); }
	void painted(std::string_view code, std::string_view text)
	{
		colour(code).append(text);
		colour(RESET);
	}
	void title(std::string_view code, std::string_view word, std::string_view name)
	{
		colour(code);
		painted(BOLD, word);
		plain(": ");
		painted(code, name);
		plain("\n");
	}
	void label(std::string_view name)
	{
		plain("  ");
		painted(BOLD, name);
		plain(": ");
	}
	void line(std::string_view name, std::string_view value)
	{
		label(name);
		plain(value).append("\n");
	}
	Text secret(const Key &key) { return style_.hide_keys ? Text("(hidden)") : to_base64(key); }

	void peer(const Peer &peer);
	void prefixes(const Peer &peer);
	void seconds(std::int64_t left);
	void age(std::int64_t since);
	void bytes(std::uint64_t count);
	void state(const PeerState &state);
	void state(const DeviceState &state);
	void policy(const PeerPolicy &policy);
	void drops(const std::vector<DropCount> &drops, std::string_view last, std::uint64_t last_age);
	/* Of milliseconds. */
	void span(std::uint64_t milliseconds);

	const Style &style_;
	std::int64_t now_;
	const PeerNames &names_;
	Text text_;
};

/* 90061 -> "1 day, 1 hour, 1 minute, 1 second" */
void Painter::seconds(std::int64_t left)
{
	static constexpr struct {
		std::string_view name;
		std::int64_t seconds;
	} UNITS[] = {{"year", 365 * 24 * 60 * 60}, {"day", 24 * 60 * 60}, {"hour", 60 * 60}, {"minute", 60}, {"second", 1}};
	bool first = true;

	for (const auto &unit : UNITS) {
		std::int64_t count = left / unit.seconds;
		left %= unit.seconds;
		if (!count)
			continue;
		plain(first ? "" : ", ").append(std::to_string(count)).append(" ");
		painted(CYAN, std::string(unit.name) + (count == 1 ? "" : "s"));
		first = false;
	}
}

void Painter::age(std::int64_t since)
{
	if (since == now_) {
		plain("Now");
	} else if (since > now_) {
		plain("(");
		painted(RED, "System clock wound backward; connection problems may ensue.");
		plain(")");
	} else {
		seconds(now_ - since);
		plain(" ago");
	}
}

void Painter::bytes(std::uint64_t count)
{
	static constexpr std::string_view UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	std::size_t unit = 0;
	char number[32];

	while (unit + 1 < std::size(UNITS) && count >> 10 * (unit + 1))
		++unit;
	if (unit)
		std::snprintf(number, sizeof(number), "%.2f", static_cast<double>(count) / static_cast<double>(1ULL << 10 * unit));
	else
		std::snprintf(number, sizeof(number), "%llu", static_cast<unsigned long long>(count));
	plain(number).append(" ");
	painted(CYAN, UNITS[unit]);
}

void Painter::span(std::uint64_t milliseconds)
{
	auto whole = static_cast<std::int64_t>(milliseconds / 1000);

	if (whole)
		seconds(whole);
	else
		plain("less than a second");
}

void Painter::drops(const std::vector<DropCount> &drops, std::string_view last, std::uint64_t last_age)
{
	std::string text;

	for (const DropCount &drop : drops)
		if (drop.count)
			text += (text.empty() ? "" : ", ") + std::to_string(drop.count) + " " + printable(drop.reason);
	if (text.empty())
		return;
	label("dropped");
	plain(text);
	if (!last.empty()) {
		plain("; last: ").append(printable(last)).append(", ");
		span(last_age);
		plain(" ago");
	}
	plain("\n");
}

void Painter::state(const PeerState &state)
{
	static constexpr std::string_view SLOTS[] = {"previous", "current", "next, not confirmed"};

	for (const SessionState &session : state.sessions) {
		label("session");
		plain(SLOTS[static_cast<std::size_t>(session.slot)]).append(session.is_responder ? ", begun by the peer, " : ", begun here, ");
		span(session.age);
		plain(" old, messages sent ").append(std::to_string(session.sent)).append(", received ").append(std::to_string(session.received)).append("\n");
	}
	if (state.awaits_response || state.next_retry) {
		label("handshake");
		plain(state.awaits_response ? "waiting for an answer" : "starts");
		if (state.next_retry) {
			plain(state.awaits_response ? ", retry in " : " in ");
			span(*state.next_retry);
		}
		plain("\n");
	}
	if (state.staged)
		line("waiting packets", std::to_string(state.staged));
	if (!state.source.empty())
		line("source address", state.source);
	if (state.path_mtu)
		line("path mtu", std::to_string(*state.path_mtu));
	drops(state.drops, state.last_drop, state.last_drop_age);
}

/* What is not as it is without one. */
void Painter::policy(const PeerPolicy &policy)
{
	if (policy.pins_endpoint)
		line("endpoint pinned", "yes");
	if (policy.opened_mark)
		line("mark of opened packets", format_fwmark(policy.opened_mark));
	if (policy.outer_mark)
		line("mark of outer packets", format_fwmark(policy.outer_mark));
	if (policy.dscp)
		line("dscp", format_dscp(policy.dscp));
}

void Painter::state(const DeviceState &state)
{
	line("aead", printable(state.aead));
	if (state.is_under_load)
		line("under load", "handshakes need a cookie");
	if (state.queued_handshakes)
		line("queued handshakes", std::to_string(state.queued_handshakes));
	if (state.cookies_sent)
		line("cookies sent", std::to_string(state.cookies_sent));
	drops(state.drops, "", 0);
}

void Painter::prefixes(const Peer &peer)
{
	bool first = true;

	label("allowed ips");
	for (const Prefix &prefix : peer.allowed_ips) {
		plain(first ? "" : ", ").append(format_address(prefix));
		painted(CYAN, "/");
		plain(std::to_string(prefix.cidr));
		first = false;
	}
	plain(first ? NONE : "").append("\n");
}

void Painter::peer(const Peer &peer)
{
	plain("\n");
	auto name = names_.find(peer.public_key);
	if (name == names_.end()) {
		title(YELLOW, "peer", to_base64(peer.public_key));
	} else {
		title(YELLOW, "peer", name->second);
		line("public key", to_base64(peer.public_key));
	}
	if (has_preshared_key(peer))
		line("preshared key", secret(*peer.preshared_key));
	if (peer.endpoint)
		line("endpoint", format_endpoint(*peer.endpoint));
	prefixes(peer);
	if (peer.last_handshake.seconds) {
		label("latest handshake");
		age(peer.last_handshake.seconds);
		plain("\n");
	}
	if (peer.rx_bytes || peer.tx_bytes) {
		label("transfer");
		bytes(peer.rx_bytes);
		plain(" received, ");
		bytes(peer.tx_bytes);
		plain(" sent\n");
	}
	if (peer.persistent_keepalive.value_or(0)) {
		label("persistent keepalive");
		plain("every ");
		seconds(*peer.persistent_keepalive);
		plain("\n");
	}
	if (style_.is_verbose && peer.policy)
		policy(*peer.policy);
	if (style_.is_verbose && peer.state)
		state(*peer.state);
}

Text Painter::paint(const Device &device)
{
	std::vector<const Peer *> peers;

	colour(RESET);
	title(GREEN, "interface", printable(device.name));
	if (device.public_key)
		line("public key", to_base64(*device.public_key));
	if (device.private_key)
		line("private key", secret(*device.private_key));
	if (device.listen_port.value_or(0))
		line("listening port", std::to_string(*device.listen_port));
	if (device.fwmark.value_or(0))
		line("fwmark", format_fwmark(*device.fwmark));
	if (style_.is_verbose && device.binding && *device.binding != Binding())
		line("bound to", printable(format_binding(*device.binding)));
	if (style_.is_verbose && device.state)
		state(*device.state);

	for (const Peer &peer : device.peers)
		peers.push_back(&peer);
	std::stable_sort(peers.begin(), peers.end(),
			 [](const Peer *a, const Peer *b) { return a->last_handshake > b->last_handshake; });
	for (const Peer *one : peers)
		peer(*one);
	return std::move(text_);
}

struct DeviceField {
	std::string_view name;
	Text (*value)(const Device &);
};

const DeviceField DEVICE_FIELDS[] = {
	{"public-key", [](const Device &device) { return key_or_none(device.public_key); }},
	{"private-key", [](const Device &device) { return key_or_none(device.private_key); }},
	{"listen-port", [](const Device &device) { return Text(std::to_string(device.listen_port.value_or(0))); }},
	{"fwmark", [](const Device &device) { return Text(format_fwmark(device.fwmark.value_or(0))); }},
};

/* What follows a peer's public key on its line; without a value, nothing does. */
struct PeerField {
	std::string_view name;
	Text (*value)(const Peer &);
};

Text transfer(const Peer &peer)
{
	return Text(std::to_string(peer.rx_bytes)).append("\t").append(std::to_string(peer.tx_bytes));
}

const PeerField PEER_FIELDS[] = {
	{"peers", nullptr},
	{"preshared-keys", preshared_key_or_none},
	{"endpoints", endpoint_or_none},
	{"allowed-ips", [](const Peer &peer) { return allowed_ips_or_none(peer, " "); }},
	{"latest-handshakes", [](const Peer &peer) { return Text(std::to_string(peer.last_handshake.seconds)); }},
	{"transfer", transfer},
	{"persistent-keepalive", keepalive_or_off},
};

void dump_peer(const Peer &peer, Text &text)
{
	text.append(to_base64(peer.public_key));
	for (const PeerField &field : PEER_FIELDS)
		if (field.value)
			text.append("\t").append(field.name == "allowed-ips" ? allowed_ips_or_none(peer, ",") : field.value(peer));
	text.append("\n");
}

Text dump(const Device &device, const Text &prefix)
{
	Text text = prefix;

	text.append(key_or_none(device.private_key)).append("\t");
	text.append(key_or_none(device.public_key)).append("\t");
	text.append(std::to_string(device.listen_port.value_or(0))).append("\t");
	text.append(format_fwmark(device.fwmark.value_or(0))).append("\n");
	for (const Peer &peer : device.peers)
		dump_peer(peer, text.append(prefix));
	return text;
}

}

Text format_pretty(const Device &device, const Style &style, std::int64_t now, const PeerNames &names)
{
	return Painter(style, now, names).paint(device);
}

Text format_field(const Device &device, std::string_view field, bool with_name)
{
	Text prefix = with_name ? Text(device.name).append("\t") : Text();
	Text text;

	if (field == "dump")
		return dump(device, prefix);
	for (const DeviceField &entry : DEVICE_FIELDS)
		if (entry.name == field)
			return prefix.append(entry.value(device)).append("\n");
	/* wg(8) gives the name once per interface for this one field, and scripts parse that. */
	if (field == "endpoints") {
		text = prefix;
		prefix.clear();
	}
	for (const PeerField &entry : PEER_FIELDS) {
		if (entry.name != field)
			continue;
		for (const Peer &peer : device.peers) {
			text.append(prefix).append(to_base64(peer.public_key));
			if (entry.value)
				text.append("\t").append(entry.value(peer));
			text.append("\n");
		}
	}
	return text;
}

Text format_config(const Device &device)
{
	Text text("[Interface]\n");

	if (device.listen_port.value_or(0))
		text.append("ListenPort = ").append(std::to_string(*device.listen_port)).append("\n");
	if (device.fwmark.value_or(0))
		text.append("FwMark = ").append(format_fwmark(*device.fwmark)).append("\n");
	if (device.private_key)
		text.append("PrivateKey = ").append(to_base64(*device.private_key)).append("\n");
	text.append("\n");
	for (const Peer &peer : device.peers) {
		text.append("[Peer]\nPublicKey = ").append(to_base64(peer.public_key)).append("\n");
		if (has_preshared_key(peer))
			text.append("PresharedKey = ").append(to_base64(*peer.preshared_key)).append("\n");
		if (!peer.allowed_ips.empty())
			text.append("AllowedIPs = ").append(format_prefixes(peer.allowed_ips)).append("\n");
		if (peer.endpoint)
			text.append("Endpoint = ").append(format_endpoint(*peer.endpoint)).append("\n");
		if (peer.persistent_keepalive.value_or(0))
			text.append("PersistentKeepalive = ").append(keepalive_or_off(peer)).append("\n");
		if (&peer != &device.peers.back())
			text.append("\n");
	}
	return text;
}

}
