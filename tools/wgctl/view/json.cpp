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

Text to_text(const Json &document)
{
	/* A file name or error text may be anything: what is not UTF-8 is replaced, not thrown at the user. */
	return document.dump(2, ' ', false, Json::error_handler_t::replace).append("\n");
}

}
