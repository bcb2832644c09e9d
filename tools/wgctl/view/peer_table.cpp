// SPDX-License-Identifier: GPL-2.0
#include "view/peer_table.h"

#include <algorithm>
#include <array>

#include "model/times.h"
#include "model/values.h"
#include "view/columns.h"
#include "view/dashboard.h"

namespace wgctl {

namespace {

using Row = std::array<std::string, 4>;

std::string endpoint_of(const Peer &peer)
{
	return peer.endpoint ? std::string(std::string_view(format_endpoint(*peer.endpoint))) : peer.endpoint_name;
}

const Peer *present_of(const ListedPeer &listed, const PeerTable &table)
{
	return table.running ? peer_with(listed.peer.public_key, table.running->peers) : nullptr;
}

/* "absent" is who should be there. */
std::string handshake_of(const ListedPeer &listed, const PeerTable &table, std::int64_t now)
{
	const Peer *present = present_of(listed, table);

	if (!present)
		return table.running && listed.state == ListedPeer::State::enabled ? "absent" : "-";
	return present->last_handshake.seconds ? format_age(now - present->last_handshake.seconds) : "never";
}

}

std::string state_of(const ListedPeer &listed)
{
	switch (listed.state) {
	case ListedPeer::State::disabled:
		return "disabled";
	case ListedPeer::State::expired:
		return "expired at " + format_time(listed.expires.value_or(0));
	case ListedPeer::State::enabled:
		break;
	}
	return listed.expires ? "expires at " + format_time(*listed.expires) : "enabled";
}

Text peer_table(const PeerTable &table, std::int64_t now)
{
	std::vector<Row> rows{{"NAME", "STATE", "HANDSHAKE", "ADDRESSES"}};
	std::array<std::size_t, 3> widths{};
	Text text;

	for (const ListedPeer &listed : table.peers) {
		std::string name = name_of(listed.peer.public_key, table.names), addresses = format_prefixes(listed.peer.allowed_ips);
		rows.push_back({name.empty() ? std::string(to_base64(listed.peer.public_key)) : name, state_of(listed), handshake_of(listed, table, now),
				addresses.empty() ? "-" : addresses});
	}
	for (const Row &row : rows)
		for (std::size_t i = 0; i < widths.size(); ++i)
			widths[i] = std::max(widths[i], width_of(row[i]));
	for (const Row &row : rows) {
		for (std::size_t i = 0; i < widths.size(); ++i)
			text.append(padded(row[i], widths[i])).append("  ");
		text.append(row.back()).append("\n");
	}
	return text;
}

Text peer_pages(const PeerTable &table, std::int64_t now)
{
	Text text;
	auto line = [&text](std::string_view name, std::string_view value) {
		if (!value.empty())
			text.append("  ").append(name).append(": ").append(value).append("\n");
	};

	for (const ListedPeer &listed : table.peers) {
		const Peer &peer = listed.peer, *present = present_of(listed, table);
		std::string name = name_of(peer.public_key, table.names), key(to_base64(peer.public_key)), handshake = handshake_of(listed, table, now);
		text.append("peer: ").append(name.empty() ? key : name).append("\n");
		line("public key", name.empty() ? "" : key);
		line("state", state_of(listed) + (listed.state == ListedPeer::State::disabled && listed.expires
							? ", expires at " + format_time(*listed.expires) : ""));
		line("preshared key", peer.preshared_key.value_or(Key()).is_zero() ? "" : "(hidden)");
		line("allowed ips", peer.allowed_ips.empty() ? "(none)" : format_prefixes(peer.allowed_ips));
		line("endpoint", endpoint_of(peer));
		line("persistent keepalive", peer.persistent_keepalive.value_or(0) ? "every " + std::to_string(*peer.persistent_keepalive) + " seconds" : "");
		line("present endpoint", present ? endpoint_of(*present) : "");
		line("latest handshake", handshake == "-" ? "" : handshake);
	}
	return text;
}

Json json_of(const ListedPeer &listed, const PeerNames &names)
{
	Json object = Json::object();
	const Peer &peer = listed.peer;

	object["public_key"] = to_base64(peer.public_key);
	object["name"] = text_or_null(name_of(peer.public_key, names));
	object["state"] = listed.state == ListedPeer::State::enabled ? "enabled" : listed.state == ListedPeer::State::disabled ? "disabled" : "expired";
	object["expires"] = json_or_null(listed.expires);
	object["has_preshared_key"] = !peer.preshared_key.value_or(Key()).is_zero();
	object["allowed_ips"] = Json::array();
	for (const Prefix &prefix : peer.allowed_ips)
		object["allowed_ips"].push_back(Text(format_prefix(prefix)));
	object["endpoint"] = text_or_null(endpoint_of(peer));
	object["persistent_keepalive"] = peer.persistent_keepalive.value_or(0) ? Json(*peer.persistent_keepalive) : Json();
	return object;
}

Json json_of(const PeerTable &table)
{
	Json list = Json::array();

	for (const ListedPeer &listed : table.peers) {
		const Peer *present = present_of(listed, table);
		Json object = json_of(listed, table.names);
		object["running"] = present != nullptr;
		object["present_endpoint"] = present ? text_or_null(endpoint_of(*present)) : Json();
		object["latest_handshake"] = present && present->last_handshake.seconds ? Json(present->last_handshake.seconds) : Json();
		list.push_back(std::move(object));
	}
	return list;
}

}
