// SPDX-License-Identifier: GPL-2.0
#include "netlink.h"
#include <algorithm>
#include <cstring>
#include "kernel.h"

using namespace sim;

namespace {

constexpr u16 NESTED = 0x8000;

void append(std::vector<u8> &out, u16 type, const void *data, size_t size)
{
	u16 header[2] = {static_cast<u16>(4 + size), type};
	const u8 *bytes = static_cast<const u8 *>(data);

	if (size > 65531)
		fail("simulation: an attribute of %zu bytes", size);
	out.insert(out.end(), reinterpret_cast<u8 *>(header), reinterpret_cast<u8 *>(header) + 4);
	out.insert(out.end(), bytes, bytes + size);
	out.resize((out.size() + 3) & ~size_t{3});
}

template <typename T> void append(std::vector<u8> &out, u16 type, T value)
{
	append(out, type, &value, sizeof(value));
}

void append(std::vector<u8> &out, u16 type, const std::vector<u8> &bytes)
{
	append(out, type, bytes.data(), bytes.size());
}

std::vector<u8> build(const AllowedIp &ip)
{
	std::vector<u8> out;

	append(out, WGALLOWEDIP_A_FAMILY, ip.family);
	append(out, WGALLOWEDIP_A_IPADDR, ip.address);
	append(out, WGALLOWEDIP_A_CIDR_MASK, ip.bits);
	if (ip.flags)
		append(out, WGALLOWEDIP_A_FLAGS, *ip.flags);
	return out;
}

std::vector<u8> build(const PeerRequest &peer)
{
	std::vector<u8> out;

	append(out, WGPEER_A_PUBLIC_KEY, peer.public_key);
	if (peer.preshared_key)
		append(out, WGPEER_A_PRESHARED_KEY, *peer.preshared_key);
	if (peer.flags)
		append(out, WGPEER_A_FLAGS, *peer.flags);
	if (peer.endpoint)
		append(out, WGPEER_A_ENDPOINT, *peer.endpoint);
	if (peer.persistent_keepalive)
		append(out, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *peer.persistent_keepalive);
	if (peer.protocol_version)
		append(out, WGPEER_A_PROTOCOL_VERSION, *peer.protocol_version);
	if (peer.pins_endpoint)
		append(out, WGX_A_PIN_ENDPOINT, *peer.pins_endpoint);
	if (peer.opened_mark)
		append(out, WGX_A_OPENED_MARK, *peer.opened_mark);
	if (peer.outer_mark)
		append(out, WGX_A_OUTER_MARK, *peer.outer_mark);
	if (peer.dscp)
		append(out, WGX_A_DSCP, *peer.dscp);
	if (!peer.allowed_ips.empty()) {
		std::vector<u8> list;

		for (const AllowedIp &ip : peer.allowed_ips)
			append(list, 0 | NESTED, build(ip));
		append(out, WGPEER_A_ALLOWEDIPS | NESTED, list);
	}
	return out;
}

} // namespace

namespace sim {

Message::Message(const Request &request)
{
	append(request);
}

void Message::append(const Request &request)
{
	auto add = [this](u16 type, const auto &value) {
		last_ = bytes_.size();
		::append(bytes_, type, value);
	};
	auto add_given = [&](u16 type, const auto &value) {
		if (value)
			add(type, *value);
	};

	add_given(WGDEVICE_A_PRIVATE_KEY, request.private_key);
	add_given(WGDEVICE_A_LISTEN_PORT, request.listen_port);
	add_given(WGDEVICE_A_FWMARK, request.fwmark);
	add_given(WGDEVICE_A_FLAGS, request.flags);
	add_given(WGX_A_FLAGS, request.extended_flags);
	add_given(WGX_A_GENERATION, request.generation);
	add_given(WGX_A_PUBLIC, request.is_public);
	add_given(WGX_A_BIND_DEVICE, request.bind_device);
	add_given(WGX_A_BIND_ADDRESS, request.bind_address);
	if (!request.peers.empty()) {
		std::vector<u8> list;

		for (const PeerRequest &peer : request.peers)
			::append(list, 0 | NESTED, build(peer));
		add(WGDEVICE_A_PEERS | NESTED, list);
	}
	bytes_.shrink_to_fit();
}

int Message::set(wg_device *device, bool may_administer_birth_namespace, wg_report &report)
{
	return wg_engine_set(device, bytes_.data(), bytes_.size(), may_administer_birth_namespace, PORT_ID, &report);
}

bool Message::holds(const Key &key) const
{
	if (std::all_of(key.begin(), key.end(), [](u8 byte) { return byte == 0; }))
		return false;
	return std::search(bytes_.begin(), bytes_.end(), key.begin(), key.end()) != bytes_.end();
}

std::vector<u8> sockaddr_of(const wg_endpoint &endpoint)
{
	std::vector<u8> out(endpoint.family == 4 ? 16 : 28);

	out[0] = endpoint.family == 4 ? 2 : 10;
	out[2] = static_cast<u8>(endpoint.port >> 8);
	out[3] = static_cast<u8>(endpoint.port);
	if (endpoint.family == 4) {
		memcpy(&out[4], endpoint.address, 4);
	} else {
		memcpy(&out[8], endpoint.address, 16);
		memcpy(&out[24], &endpoint.scope, 4);
	}
	return out;
}

const ShownPeer *Shown::peer(const Key &public_key) const
{
	for (const ShownPeer &peer : peers)
		if (peer.public_key == public_key)
			return &peer;
	return nullptr;
}

bool operator==(const AllowedIp &a, const AllowedIp &b)
{
	return a.family == b.family && a.address == b.address && a.bits == b.bits;
}

bool operator==(const ShownPeer &a, const ShownPeer &b)
{
	return a.public_key == b.public_key && a.preshared_key == b.preshared_key && a.endpoint == b.endpoint &&
	       a.persistent_keepalive == b.persistent_keepalive && a.allowed_ips == b.allowed_ips;
}

namespace {

/* Calls @visit(type, data, size) for each attribute. */
template <typename Visit> void for_each(const u8 *at, size_t size, Visit visit)
{
	while (size > 0) {
		u16 header[2];

		if (size < 4)
			fail("reply: %zu bytes behind the last attribute", size);
		memcpy(header, at, 4);
		if (header[0] < 4 || header[0] > size)
			fail("reply: an attribute of length %u with %zu bytes left", header[0], size);
		visit(header[1], at + 4, static_cast<size_t>(header[0] - 4));
		size_t step = std::min<size_t>(size, (header[0] + 3u) & ~3u);
		at += step;
		size -= step;
	}
}

template <typename T> T number(const u8 *at, size_t size, const char *what)
{
	T value;

	if (size != sizeof(T))
		fail("reply: %s has %zu bytes", what, size);
	memcpy(&value, at, sizeof(T));
	return value;
}

Key key(const u8 *at, size_t size)
{
	if (size != WG_KEY_LEN)
		fail("reply: a key of %zu bytes", size);
	return Key(at, at + size);
}

AllowedIp parse_allowed_ip(const u8 *at, size_t size)
{
	AllowedIp ip;
	u32 seen = 0;

	for_each(at, size, [&](u16 type, const u8 *data, size_t length) {
		seen |= 1u << type;
		if (type == WGALLOWEDIP_A_FAMILY)
			ip.family = number<u16>(data, length, "FAMILY");
		else if (type == WGALLOWEDIP_A_IPADDR)
			ip.address.assign(data, data + length);
		else if (type == WGALLOWEDIP_A_CIDR_MASK)
			ip.bits = number<u8>(data, length, "CIDR_MASK");
		else
			fail("reply: allowed IP attribute %u", type);
	});
	if (seen != (1u << WGALLOWEDIP_A_FAMILY | 1u << WGALLOWEDIP_A_IPADDR | 1u << WGALLOWEDIP_A_CIDR_MASK) ||
	    ip.address.size() != (ip.family == 2 ? 4u : 16u))
		fail("reply: an incomplete allowed IP");
	return ip;
}

void parse_peer(const u8 *at, size_t size, Shown &shown)
{
	ShownPeer peer;
	bool first_part = false;

	for_each(at, size, [&](u16 type, const u8 *data, size_t length) {
		switch (type) {
		case WGPEER_A_PUBLIC_KEY:
			peer.public_key = key(data, length);
			break;
		case WGPEER_A_PRESHARED_KEY:
			peer.preshared_key = key(data, length);
			break;
		case WGPEER_A_ENDPOINT:
			peer.endpoint = std::vector<u8>(data, data + length);
			break;
		case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
			peer.persistent_keepalive = number<u16>(data, length, "PERSISTENT_KEEPALIVE");
			break;
		case WGPEER_A_RX_BYTES:
			peer.rx_bytes = number<u64>(data, length, "RX_BYTES");
			break;
		case WGPEER_A_TX_BYTES:
			peer.tx_bytes = number<u64>(data, length, "TX_BYTES");
			break;
		case WGPEER_A_PROTOCOL_VERSION:
			EXPECT(number<u32>(data, length, "PROTOCOL_VERSION") == 1);
			break;
		case WGPEER_A_LAST_HANDSHAKE_TIME:
			EXPECT(length == 16);
			first_part = true;
			memcpy(&peer.last_handshake_seconds, data, 8);
			break;
		case WGPEER_A_ALLOWEDIPS:
			for_each(data, length, [&](u16, const u8 *ip, size_t ip_size) { peer.allowed_ips.push_back(parse_allowed_ip(ip, ip_size)); });
			break;
		case WGX_A_STATE:
			peer.state.assign(data, data + length);
			break;
		case WGX_A_PIN_ENDPOINT:
		case WGX_A_OPENED_MARK:
		case WGX_A_OUTER_MARK:
		case WGX_A_DSCP:
			peer.policy[type].assign(data, data + length);
			break;
		default:
			fail("reply: peer attribute %u", type);
		}
	});
	if (peer.public_key.empty())
		fail("reply: a peer without a key");
	if (!first_part) {
		if (shown.peers.empty() || shown.peers.back().public_key != peer.public_key)
			fail("reply: a continuation of a peer that is not the last one");
		auto &ips = shown.peers.back().allowed_ips;
		ips.insert(ips.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
		return;
	}
	shown.peers.push_back(std::move(peer));
}

} // namespace

std::vector<std::pair<u16, std::vector<u8>>> attributes_of(const std::vector<u8> &bytes)
{
	std::vector<std::pair<u16, std::vector<u8>>> found;

	for_each(bytes.data(), bytes.size(), [&](u16 type, const u8 *data, size_t size) { found.push_back({type, {data, data + size}}); });
	return found;
}

void parse_part(const wg_reply &reply, Shown &shown)
{
	if (!reply.open.empty())
		fail("reply: %zu nests left open", reply.open.size());
	shown.parts++;
	for_each(reply.bytes.data(), reply.bytes.size(), [&](u16 type, const u8 *data, size_t size) {
		switch (type) {
		case WGDEVICE_A_LISTEN_PORT:
			shown.listen_port = number<u16>(data, size, "LISTEN_PORT");
			break;
		case WGDEVICE_A_FWMARK:
			shown.fwmark = number<u32>(data, size, "FWMARK");
			break;
		case WGDEVICE_A_IFINDEX:
		case WGDEVICE_A_IFNAME:
			break;
		case WGDEVICE_A_PRIVATE_KEY:
			shown.private_key = key(data, size);
			break;
		case WGDEVICE_A_PUBLIC_KEY:
			shown.public_key = key(data, size);
			break;
		case WGDEVICE_A_PEERS:
			for_each(data, size, [&](u16, const u8 *peer, size_t peer_size) { parse_peer(peer, peer_size, shown); });
			break;
		default:
			if (type < WGX_A_FLAGS)
				fail("reply: device attribute %u", type);
			shown.extensions[type].assign(data, data + size);
		}
	});
}

} // namespace sim

/* ---- the services ---- */

bool wg_kernel_reply_put(wg_reply *reply, uint16_t type, const void *data, size_t size)
{
	kernel->self("reply_put");
	if (reply->bytes.size() + ((4 + size + 3) & ~size_t{3}) > reply->limit) {
		reply->overflowed = true;
		return false;
	}
	append(reply->bytes, type, data, size);
	return true;
}

bool wg_kernel_reply_put_names(wg_reply *reply, const wg_netdev *netdev)
{
	return wg_kernel_reply_put(reply, WGDEVICE_A_IFINDEX, &netdev->index, sizeof(netdev->index)) &&
	       wg_kernel_reply_put(reply, WGDEVICE_A_IFNAME, netdev->name.c_str(), netdev->name.size() + 1);
}

void *wg_kernel_reply_nest(wg_reply *reply, uint16_t type)
{
	kernel->self("reply_nest");
	if (reply->bytes.size() + 4 > reply->limit) {
		reply->overflowed = true;
		return nullptr;
	}
	reply->open.push_back(reply->bytes.size());
	append(reply->bytes, type, nullptr, 0);
	return reply->bytes.data() + reply->open.back();
}

void wg_kernel_reply_nest_end(wg_reply *reply, void *nest)
{
	if (reply->open.empty() || nest != reply->bytes.data() + reply->open.back())
		fail("reply_nest_end of another nest than the innermost");
	size_t size = reply->bytes.size() - reply->open.back();
	if (size > 65535)
		fail("a nest of %zu bytes", size);
	u16 length = static_cast<u16>(size);
	memcpy(nest, &length, 2);
	reply->open.pop_back();
}

void wg_kernel_reply_nest_cancel(wg_reply *reply, void *nest)
{
	/* Cancelling an outer nest cancels those within. */
	size_t at = static_cast<size_t>(static_cast<u8 *>(nest) - reply->bytes.data());

	while (!reply->open.empty() && reply->open.back() > at)
		reply->open.pop_back();
	if (reply->open.empty() || reply->open.back() != at)
		fail("reply_nest_cancel of what is no open nest");
	reply->open.pop_back();
	reply->bytes.resize(at);
}

void wg_kernel_report_error(wg_report *report, const void *attribute, const char *text)
{
	kernel->self("report_error");
	if (!report)
		return;
	report->text = text;
	report->attribute = attribute;
}

void wg_kernel_report_owner(wg_report *report, const void *attribute, uint8_t version, const uint8_t *, uint8_t bits, const uint8_t *owner)
{
	if (version != 4 && version != 6)
		fail("report_owner of IP version %u", version);
	wg_kernel_report_error(report, attribute, ("/" + std::to_string(bits) + " belongs to peer " + std::to_string(owner[0])).c_str());
}

wg_reply *wg_kernel_event_begin(const wg_netdev *netdev, wg_event_group group)
{
	if (!kernel->current->rcu_depth)
		fail("an event outside an RCU read section");
	if (!netdev->is_listened_to[group] || kernel->allocation_fails())
		return nullptr;
	wg_reply *event = new wg_reply(200);
	wg_kernel_reply_put_names(event, netdev);
	return event;
}

void wg_kernel_event_send(const wg_netdev *netdev, wg_reply *event, wg_event_group group)
{
	if (!kernel->current->rcu_depth)
		fail("an event outside an RCU read section");
	if (event->overflowed)
		fail("an event has no room");
	const_cast<wg_netdev *>(netdev)->events.push_back({group, event->bytes});
	delete event;
}
