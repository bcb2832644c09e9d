// SPDX-License-Identifier: GPL-2.0
#include "kernel/userspace.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <net/if.h>

#include "model/values.h"

namespace wgctl {

namespace {

/* A reply that breaks the protocol, thrown by the readers below. */
[[noreturn]] void protocol_error()
{
	throw Failure{std::strerror(EPROTO)};
}

Text hex(const Key &key)
{
	Text text(2 * WG_KEY_LEN, '\0');
	sodium_bin2hex(text.data(), text.size() + 1, key.bytes.data(), key.bytes.size());
	return text;
}

Key key_from_hex(std::string_view text)
{
	Key key;
	std::size_t length = 0;

	if (text.size() != 2 * WG_KEY_LEN ||
	    sodium_hex2bin(key.bytes.data(), key.bytes.size(), text.data(), text.size(), nullptr, &length, nullptr) != 0 ||
	    length != WG_KEY_LEN)
		protocol_error();
	return key;
}

template<std::unsigned_integral T>
T number(std::string_view text)
{
	std::optional<T> value = parse_number<T>(text);

	if (!value)
		protocol_error();
	return *value;
}

/* A time that ages can be computed from. */
std::int64_t time_from(std::string_view text)
{
	std::uint64_t value = number<std::uint64_t>(text);

	if (value > INT64_MAX)
		protocol_error();
	return static_cast<std::int64_t>(value);
}

Prefix prefix_from(std::string_view text)
{
	try {
		return parse_address(text);
	} catch (const Failure &) {
		protocol_error();
	}
}

Endpoint numeric_endpoint(std::string_view text)
{
	std::size_t colon = text.rfind(':');
	bool is_v6 = text.starts_with('[');

	if (colon == text.npos || colon < 2 || (is_v6 && text[colon - 1] != ']'))
		protocol_error();
	std::string_view host = is_v6 ? text.substr(1, colon - 2) : text.substr(0, colon);
	Endpoint endpoint = endpoint_of(prefix_from(host.substr(0, host.find('%'))), number<std::uint16_t>(text.substr(colon + 1)));
	if (is_v6 != (endpoint.any.sa_family == AF_INET6))
		protocol_error();
	if (is_v6 && host.find('%') != host.npos) {
		std::string scope(host.substr(host.find('%') + 1));
		unsigned index = if_nametoindex(scope.c_str());
		endpoint.v6.sin6_scope_id = index ? index : number<std::uint32_t>(scope);
	}
	return endpoint;
}

/* Keys nobody knows yet are no error. */
void read_value(std::string_view name, std::string_view value, Device &device)
{
	Peer *peer = device.peers.empty() ? nullptr : &device.peers.back();

	if (name == "errno") {
		/* Some send errno values as they are, some negated. */
		if (unsigned error = number<unsigned>(value.substr(value.starts_with('-'))))
			throw Failure{std::strerror(static_cast<int>(error))};
	} else if (name == "public_key") {
		device.peers.emplace_back().public_key = key_from_hex(value);
	} else if (!peer) {
		if (name == "private_key") {
			device.private_key = key_from_hex(value);
			device.public_key = public_key_of(*device.private_key);
		} else if (name == "listen_port") {
			device.listen_port = number<std::uint16_t>(value);
		} else if (name == "fwmark") {
			device.fwmark = number<std::uint32_t>(value);
		}
	} else if (name == "preshared_key") {
		peer->preshared_key = key_from_hex(value);
	} else if (name == "endpoint") {
		peer->endpoint = numeric_endpoint(value);
	} else if (name == "persistent_keepalive_interval") {
		peer->persistent_keepalive = number<std::uint16_t>(value);
	} else if (name == "allowed_ip") {
		if (value.find('/') == value.npos)
			protocol_error();
		peer->allowed_ips.push_back(prefix_from(value));
	} else if (name == "last_handshake_time_sec") {
		peer->last_handshake.seconds = time_from(value);
	} else if (name == "last_handshake_time_nsec") {
		peer->last_handshake.nanoseconds = time_from(value);
	} else if (name == "rx_bytes") {
		peer->rx_bytes = number<std::uint64_t>(value);
	} else if (name == "tx_bytes") {
		peer->tx_bytes = number<std::uint64_t>(value);
	}
}

Device read_reply(std::string_view reply)
{
	Device device;

	while (!reply.empty()) {
		std::size_t end = reply.find('\n');
		std::string_view line = reply.substr(0, end);
		std::size_t equals = line.find('=');
		if (end == reply.npos || (equals == line.npos && !line.empty()))
			protocol_error();
		if (!line.empty())
			read_value(line.substr(0, equals), line.substr(equals + 1), device);
		reply.remove_prefix(end + 1);
	}
	return device;
}

class RequestText {
public:
	template<class T>
	void line(std::string_view name, const T &value)
	{
		text_.append(name).append("=").append(value).append("\n");
	}
	void peer(const Peer &peer);
	Text finish() { return std::move(text_.append("\n")); }

private:
	Text text_{"set=1\n"};
};

void RequestText::peer(const Peer &peer)
{
	line("public_key", hex(peer.public_key));
	if (peer.remove)
		return line("remove", "true");
	if (peer.update_only)
		line("update_only", "true");
	if (peer.preshared_key)
		line("preshared_key", hex(*peer.preshared_key));
	if (peer.endpoint)
		line("endpoint", format_endpoint(*peer.endpoint));
	if (peer.persistent_keepalive)
		line("persistent_keepalive_interval", std::to_string(*peer.persistent_keepalive));
	if (peer.replace_allowed_ips)
		line("replace_allowed_ips", "true");
	for (const Prefix &prefix : peer.allowed_ips)
		line("allowed_ip", (prefix.remove ? "-" : "") + format_prefix(prefix));
}

}

Device UserspaceDevices::get(const std::string &name)
{
	Text reply = sockets_.exchange(name, "get=1\n\n");
	Device device = read_reply(reply);

	device.name = name;
	return device;
}

void UserspaceDevices::set(const Device &change)
{
	RequestText request;

	if (needs_our_module(change))
		throw Failure{ONLY_OUR_MODULE};
	if (change.private_key)
		request.line("private_key", hex(*change.private_key));
	if (change.listen_port)
		request.line("listen_port", std::to_string(*change.listen_port));
	if (change.fwmark)
		request.line("fwmark", std::to_string(*change.fwmark));
	if (change.replace_peers)
		request.line("replace_peers", "true");
	for (const Peer &peer : change.peers)
		request.peer(peer);
	Text reply = sockets_.exchange(change.name, request.finish());
	if (reply.find("errno=") == reply.npos)
		protocol_error();
	read_reply(reply);
}

std::vector<std::string> AllDevices::names()
{
	std::vector<std::string> names = userspace_.names();

	for (std::string &name : kernel_.names())
		if (std::find(names.begin(), names.end(), name) == names.end())
			names.push_back(std::move(name));
	return names;
}

}
