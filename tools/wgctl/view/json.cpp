// SPDX-License-Identifier: GPL-2.0
#include "view/json.h"

#include "model/values.h"

namespace wgctl {

namespace {

Json number_or_null(std::uint32_t number)
{
	return number ? Json(number) : Json();
}

void add_secret(Json &object, const std::string &name, const std::optional<Key> &key, Secrets secrets)
{
	object[Text("has_" + name)] = !key_or_null(key).is_null();
	if (secrets == Secrets::shown)
		object[Text(name)] = key_or_null(key);
}

Json json_of(const std::vector<DropCount> &drops)
{
	Json list = Json::array();

	for (const DropCount &drop : drops) {
		Json entry = Json::object();
		entry["reason"] = Text(drop.reason);
		entry["count"] = drop.count;
		list.push_back(std::move(entry));
	}
	return list;
}

/* Seconds, as all of a document's ages. */
Json seconds_of(std::uint64_t milliseconds)
{
	return static_cast<double>(milliseconds) / 1000;
}

Json json_of(const SessionState &session)
{
	static constexpr std::string_view SLOTS[] = {"previous", "current", "next"};
	Json object = Json::object();

	object["slot"] = Text(SLOTS[static_cast<std::size_t>(session.slot)]);
	object["role"] = Text(session.is_responder ? "responder" : "initiator");
	object["age"] = seconds_of(session.age);
	object["messages_sent"] = session.sent;
	object["messages_received"] = session.received;
	return object;
}

Json json_of(const PeerState &state)
{
	Json object = Json::object();

	object["awaits_response"] = state.awaits_response;
	object["next_retry"] = state.next_retry ? seconds_of(*state.next_retry) : Json();
	object["last_drop"] = text_or_null(state.last_drop);
	object["last_drop_age"] = state.last_drop.empty() ? Json() : seconds_of(state.last_drop_age);
	object["staged_packets"] = state.staged;
	object["source_address"] = text_or_null(state.source);
	object["path_mtu"] = json_or_null(state.path_mtu);
	object["sessions"] = Json::array();
	for (const SessionState &session : state.sessions)
		object["sessions"].push_back(json_of(session));
	object["dropped"] = json_of(state.drops);
	return object;
}

Json json_of(const DeviceState &state)
{
	Json object = Json::object();

	object["under_load"] = state.is_under_load;
	object["queued_handshakes"] = state.queued_handshakes;
	object["cookies_sent"] = state.cookies_sent;
	object["aead"] = text_or_null(state.aead);
	object["dropped"] = json_of(state.drops);
	return object;
}

Json json_of(const PeerPolicy &policy)
{
	Json object = Json::object();

	object["pin_endpoint"] = policy.pins_endpoint;
	object["opened_mark"] = number_or_null(policy.opened_mark);
	object["outer_mark"] = number_or_null(policy.outer_mark);
	object["dscp"] = policy.dscp == DSCP_INHERIT ? Json() : Json(policy.dscp);
	return object;
}

Json json_of(const Binding &binding)
{
	Json object = Json::object();

	object["device"] = text_or_null(binding.link);
	object["address"] = text_or_null(binding.address);
	return object;
}

Json json_of(const Peer &peer, const PeerNames &names, Secrets secrets)
{
	Json object = Json::object();
	auto name = names.find(peer.public_key);

	object["public_key"] = to_base64(peer.public_key);
	object["name"] = name == names.end() ? Json() : Json(Text(name->second));
	add_secret(object, "preshared_key", peer.preshared_key, secrets);
	object["endpoint"] = peer.endpoint ? Json(format_endpoint(*peer.endpoint)) : Json();
	object["allowed_ips"] = Json::array();
	for (const Prefix &prefix : peer.allowed_ips)
		object["allowed_ips"].push_back(Text(format_prefix(prefix)));
	object["latest_handshake"] = peer.last_handshake.seconds ? Json(peer.last_handshake.seconds) : Json();
	object["rx_bytes"] = peer.rx_bytes;
	object["tx_bytes"] = peer.tx_bytes;
	object["persistent_keepalive"] = number_or_null(peer.persistent_keepalive.value_or(0));
	object["policy"] = peer.policy ? json_of(*peer.policy) : Json();
	object["state"] = peer.state ? json_of(*peer.state) : Json();
	return object;
}

}

Json json_of(const Device &device, const PeerNames &names, Secrets secrets)
{
	Json object = Json::object();

	object["name"] = Text(device.name);
	object["public_key"] = key_or_null(device.public_key);
	add_secret(object, "private_key", device.private_key, secrets);
	object["listen_port"] = number_or_null(device.listen_port.value_or(0));
	object["fwmark"] = number_or_null(device.fwmark.value_or(0));
	object["binding"] = device.binding ? json_of(*device.binding) : Json();
	object["state"] = device.state ? json_of(*device.state) : Json();
	object["peers"] = Json::array();
	for (const Peer &peer : device.peers)
		object["peers"].push_back(json_of(peer, names, secrets));
	return object;
}

Json text_or_null(const std::string &text)
{
	return text.empty() ? Json() : Json(Text(text));
}

Json key_or_null(const std::optional<Key> &key)
{
	return key && !key->is_zero() ? Json(to_base64(*key)) : Json();
}

Text to_line(const Json &document)
{
	return document.dump(-1, ' ', false, Json::error_handler_t::replace).append("\n");
}

Text to_text(const Json &document)
{
	/* A file name or error text may be anything: what is not UTF-8 is replaced, not thrown at the user. */
	return document.dump(2, ' ', false, Json::error_handler_t::replace).append("\n");
}

}
