// SPDX-License-Identifier: GPL-2.0
#include "view/openmetrics.h"

#include "model/values.h"

namespace wgctl {

namespace {

std::string escaped(std::string_view text)
{
	std::string result;

	/* The format is UTF-8, and the name of an interface need not be. */
	for (char c : printable(text)) {
		if (c == '\\' || c == '"')
			result += '\\';
		result += c;
	}
	return result;
}

std::string label(std::string_view name, std::string_view value)
{
	return std::string(name) + "=\"" + escaped(value) + "\"";
}

std::string labels_of(const Device &device, const Peer &peer, const PeerNames &names)
{
	std::string text = label("interface", device.name) + "," + label("public_key", std::string_view(to_base64(peer.public_key)));
	auto name = names.find(peer.public_key);

	return name == names.end() ? text : text + "," + label("name", name->second);
}

/* One metric with all its samples, as the format wants it: never in parts. */
class Family {
public:
	Family(std::string name, std::string_view type, std::string_view unit, std::string_view help) : name_(std::move(name))
	{
		if (type == "counter")
			suffix_ = "_total";
		if (type == "info")
			suffix_ = "_info";
		text_ = "# TYPE " + name_ + " " + std::string(type) + "\n";
		if (!unit.empty())
			text_ += "# UNIT " + name_ + " " + std::string(unit) + "\n";
		text_ += "# HELP " + name_ + " " + std::string(help) + "\n";
	}

	template<class T>
	void add(const std::string &labels, T value)
	{
		text_ += name_ + suffix_ + "{" + labels + "} " + std::to_string(value) + "\n";
		is_empty_ = false;
	}
	/* Nothing where nothing is counted. */
	std::string text() const { return is_empty_ ? "" : text_; }

private:
	std::string name_, suffix_, text_;
	bool is_empty_ = true;
};

}

std::string format_metrics(const std::vector<Measurement> &measurements, std::int64_t now)
{
	Family interface("wireguard_interface", "info", "", "A WireGuard interface.");
	Family peers("wireguard_interface_peers", "gauge", "", "How many peers the interface has.");
	Family drops("wireguard_interface_dropped_packets", "counter", "packets", "Packets that ended at the interface, by reason.");
	Family received("wireguard_peer_receive_bytes", "counter", "bytes", "Bytes that came from the peer, encrypted.");
	Family sent("wireguard_peer_transmit_bytes", "counter", "bytes", "Bytes that went to the peer, encrypted.");
	Family online("wireguard_peer_online", "gauge", "", "1 when the last handshake was in the last 180 seconds, else 0.");
	Family endpoint("wireguard_peer_endpoint", "info", "", "Where the peer was last heard from, or is looked for.");
	Family ended("wireguard_peer_dropped_packets", "counter", "packets", "Packets and messages of the peer that were dropped, by reason.");
	Family staged("wireguard_peer_staged_packets", "gauge", "packets", "Packets that wait for a session.");
	Family cookies("wireguard_interface_sent_cookies", "counter", "", "Cookie replies, each to a handshake message that came under load.");
	Family handshake("wireguard_peer_last_handshake_timestamp_seconds", "gauge", "seconds",
			 "When the last handshake was completed, in seconds since 1970; 0 when there was none.");

	for (const Measurement &measurement : measurements) {
		const Device &device = measurement.device;
		std::string labels = label("interface", device.name);
		std::string identity = labels;
		if (device.public_key)
			identity += "," + label("public_key", std::string_view(to_base64(*device.public_key)));
		interface.add(identity + "," + label("listen_port", std::to_string(device.listen_port.value_or(0))), 1);
		peers.add(labels, device.peers.size());
		for (const Counter &counter : measurement.counters)
			if (counter.name.starts_with(DROP_COUNTER))
				drops.add(labels + "," + label("reason", std::string_view(counter.name).substr(DROP_COUNTER.size())), counter.value);
		if (device.state)
			cookies.add(labels, device.state->cookies_sent);
		for (const Peer &peer : device.peers) {
			std::string whose = labels_of(device, peer, measurement.names);
			received.add(whose, peer.rx_bytes);
			sent.add(whose, peer.tx_bytes);
			handshake.add(whose, peer.last_handshake.seconds);
			online.add(whose, int{peer.has_session(now)});
			if (peer.endpoint)
				endpoint.add(whose + "," + label("endpoint", std::string_view(format_endpoint(*peer.endpoint))), 1);
			if (!peer.state)
				continue;
			staged.add(whose, peer.state->staged);
			for (const DropCount &drop : peer.state->drops)
				if (drop.count)
					ended.add(whose + "," + label("reason", drop.reason), drop.count);
		}
	}
	return interface.text() + peers.text() + drops.text() + received.text() + sent.text() + handshake.text() + online.text() +
	       endpoint.text() + ended.text() + staged.text() + cookies.text() + "# EOF\n";
}

}
