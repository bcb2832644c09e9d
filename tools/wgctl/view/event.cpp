// SPDX-License-Identifier: GPL-2.0
#include "view/event.h"

#include <array>

#include "model/values.h"

namespace wgctl {

namespace {

/* In the order of their kinds. */
struct Wording {
	std::string_view name, text;
};
constexpr std::array WORDINGS{
	Wording{"events-missed", "events were missed: there were more than could be read"},
	Wording{"peer-added", "added"},
	Wording{"peer-changed", "changed"},
	Wording{"peer-removed", "removed"},
	Wording{"configuration-changed", "configuration changed"},
	Wording{"session-established", "session established"},
	Wording{"session-expired", "session expired"},
	Wording{"handshake-given-up", "no answer: handshake given up"},
	Wording{"endpoint-moved", "moved"},
	Wording{"unknown-initiation", "unknown key, asks for a session"},
};

const Wording &wording_of(DeviceEvent::Kind kind)
{
	return WORDINGS[static_cast<std::size_t>(kind)];
}

}

std::string_view name_of(DeviceEvent::Kind kind)
{
	return wording_of(kind).name;
}

std::string text_of(const DeviceEvent &event, const PeerNames &names)
{
	std::string text = event.interface;

	if (event.peer)
		text += ": " + describe_peer(*event.peer, names);
	text += (text.empty() ? "" : ": ") + std::string(event.is_rekey ? "new keys" : wording_of(event.kind).text);
	if (event.endpoint)
		text += (event.kind == DeviceEvent::Kind::endpoint_moved	 ? " to "
			 : event.kind == DeviceEvent::Kind::unknown_initiation ? " from "
									       : " with ") +
			std::string(format_endpoint(*event.endpoint));
	if (event.is_responder)
		text += *event.is_responder ? ", begun by the peer" : ", begun here";
	if (event.generation)
		text += ", generation " + std::to_string(*event.generation);
	if (event.port_id)
		text += ", by netlink port " + std::to_string(*event.port_id);
	return printable(text) + "\n";
}

Json json_of(const DeviceEvent &event, const PeerNames &names, std::int64_t time)
{
	Json document = Json::object();

	document["version"] = JSON_VERSION;
	document["time"] = time;
	document["event"] = Text(name_of(event.kind));
	document["interface"] = text_or_null(event.interface);
	document["peer"] = key_or_null(event.peer);
	document["name"] = event.peer ? text_or_null(name_of(*event.peer, names)) : Json();
	document["endpoint"] = event.endpoint ? Json(format_endpoint(*event.endpoint)) : Json();
	document["role"] = event.is_responder ? Json(Text(*event.is_responder ? "responder" : "initiator")) : Json();
	document["rekey"] = event.kind == DeviceEvent::Kind::session_established ? Json(event.is_rekey) : Json();
	document["generation"] = json_or_null(event.generation);
	document["port_id"] = json_or_null(event.port_id);
	return document;
}

}
