// SPDX-License-Identifier: GPL-2.0
#include "kernel/devices.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "../../../uapi/linux/wireguard_extensions.h"
#include "kernel/attributes.h"
#include "kernel/events.h"
#include "kernel/request.h"
#include "model/values.h"

namespace wgctl {

namespace {

void read_prefix(const nlattr *nest, Peer &peer)
{
	Prefix prefix;
	std::size_t size = 0;

	for_each_attribute(nest, [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGALLOWEDIP_A_FAMILY:
			prefix.family = number<std::uint16_t>(attribute);
			break;
		case WGALLOWEDIP_A_IPADDR:
			size = mnl_attr_get_payload_len(attribute);
			std::memcpy(prefix.address.data(), mnl_attr_get_payload(attribute), std::min(size, prefix.address.size()));
			break;
		case WGALLOWEDIP_A_CIDR_MASK:
			prefix.cidr = number<std::uint8_t>(attribute);
			break;
		}
	});
	if ((prefix.family == AF_INET || prefix.family == AF_INET6) && size == prefix.bits() / 8 && prefix.cidr <= prefix.bits())
		peer.allowed_ips.push_back(prefix);
}

void read_timestamp(const nlattr *attribute, Timestamp &time)
{
	std::int64_t parts[2];

	if (mnl_attr_get_payload_len(attribute) != sizeof(parts))
		return;
	std::memcpy(parts, mnl_attr_get_payload(attribute), sizeof(parts));
	/* Before 1970 there were no handshakes; and ages are to be computed without overflow. */
	if (parts[0] >= 0)
		time = {parts[0], parts[1]};
}

/* As text; empty when it is none. */
std::string address_in(const nlattr *attribute)
{
	std::size_t size = mnl_attr_get_payload_len(attribute);
	Prefix address{.family = AF_INET, .cidr = 32};

	if (size == address.address.size())
		address.family = AF_INET6, address.cidr = 128;
	if (size != address.bits() / 8u)
		return {};
	std::memcpy(address.address.data(), mnl_attr_get_payload(attribute), size);
	return format_address(address);
}

std::vector<DropCount> drops_in(const nlattr *nest)
{
	std::vector<DropCount> drops;

	for_each_attribute(nest, [&](const nlattr *entry) {
		DropCount drop;
		for_each_attribute(entry, [&](const nlattr *attribute) {
			if (mnl_attr_get_type(attribute) == WGX_DROP_A_REASON)
				drop.reason = text_in(attribute);
			else if (mnl_attr_get_type(attribute) == WGX_DROP_A_COUNT)
				drop.count = number<std::uint64_t>(attribute);
		});
		if (!drop.reason.empty())
			drops.push_back(std::move(drop));
	});
	return drops;
}

SessionState session_in(const nlattr *nest)
{
	SessionState session;

	for_each_attribute(nest, [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGX_SESSION_A_SLOT:
			session.slot = static_cast<SessionState::Slot>(std::min<std::uint8_t>(number<std::uint8_t>(attribute), 2));
			break;
		case WGX_SESSION_A_ROLE:
			session.is_responder = number<std::uint8_t>(attribute) != 0;
			break;
		case WGX_SESSION_A_AGE:
			session.age = number<std::uint64_t>(attribute);
			break;
		case WGX_SESSION_A_SENT:
			session.sent = number<std::uint64_t>(attribute);
			break;
		case WGX_SESSION_A_RECEIVED:
			session.received = number<std::uint64_t>(attribute);
			break;
		}
	});
	return session;
}

PeerState state_in(const nlattr *nest)
{
	PeerState state;

	for_each_attribute(nest, [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGX_STATE_A_AWAITS_RESPONSE:
			state.awaits_response = number<std::uint8_t>(attribute) != 0;
			break;
		case WGX_STATE_A_NEXT_RETRY:
			state.next_retry = number<std::uint64_t>(attribute);
			break;
		case WGX_STATE_A_LAST_DROP:
			state.last_drop = text_in(attribute);
			break;
		case WGX_STATE_A_LAST_DROP_AGE:
			state.last_drop_age = number<std::uint64_t>(attribute);
			break;
		case WGX_STATE_A_STAGED:
			state.staged = number<std::uint32_t>(attribute);
			break;
		case WGX_STATE_A_SOURCE:
			state.source = address_in(attribute);
			break;
		case WGX_STATE_A_PATH_MTU:
			state.path_mtu = number<std::uint32_t>(attribute);
			break;
		case WGX_STATE_A_SESSIONS:
			for_each_attribute(attribute, [&](const nlattr *entry) { state.sessions.push_back(session_in(entry)); });
			break;
		case WGX_STATE_A_NUMBER:
			state.number = number<std::uint64_t>(attribute);
			break;
		case WGX_STATE_A_DROPS:
			state.drops = drops_in(attribute);
			break;
		}
	});
	return state;
}

/* An entry that repeats the key of the one before continues that peer's allowed IPs. */
void read_peer(const nlattr *nest, Device &device)
{
	Peer peer;
	PeerPolicy policy;
	std::optional<Key> key;

	for_each_attribute(nest, [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGPEER_A_PUBLIC_KEY:
			key = key_in(attribute);
			break;
		case WGPEER_A_PRESHARED_KEY:
			peer.preshared_key = key_in(attribute);
			break;
		case WGPEER_A_ENDPOINT:
			peer.endpoint = endpoint_in(attribute);
			break;
		case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
			peer.persistent_keepalive = number<std::uint16_t>(attribute);
			break;
		case WGPEER_A_LAST_HANDSHAKE_TIME:
			read_timestamp(attribute, peer.last_handshake);
			break;
		case WGPEER_A_RX_BYTES:
			peer.rx_bytes = number<std::uint64_t>(attribute);
			break;
		case WGPEER_A_TX_BYTES:
			peer.tx_bytes = number<std::uint64_t>(attribute);
			break;
		case WGPEER_A_ALLOWEDIPS:
			for_each_attribute(attribute, [&](const nlattr *entry) { read_prefix(entry, peer); });
			break;
		case WGX_A_STATE:
			peer.state = state_in(attribute);
			break;
		case WGX_A_PIN_ENDPOINT:
			policy.pins_endpoint = number<std::uint8_t>(attribute) != 0;
			break;
		case WGX_A_OPENED_MARK:
			policy.opened_mark = number<std::uint32_t>(attribute);
			break;
		case WGX_A_OUTER_MARK:
			policy.outer_mark = number<std::uint32_t>(attribute);
			break;
		case WGX_A_DSCP:
			policy.dscp = number<std::uint8_t>(attribute);
			break;
		}
	});
	if (!key)
		return;
	peer.public_key = *key;
	if (peer.state)
		peer.policy = policy;
	if (device.peers.empty() || !(device.peers.back().public_key == peer.public_key)) {
		device.peers.push_back(std::move(peer));
		return;
	}
	std::vector<Prefix> &list = device.peers.back().allowed_ips;
	list.insert(list.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
}

Binding &binding_of(Device &device)
{
	if (!device.binding)
		device.binding.emplace();
	return *device.binding;
}

DeviceState &state_of(Device &device)
{
	if (!device.state)
		device.state.emplace();
	return *device.state;
}

void read_device(const nlmsghdr *message, Device &device)
{
	for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGDEVICE_A_IFNAME:
			if (std::string given = text_in(attribute); !given.empty())
				device.name = given;
			break;
		case WGDEVICE_A_PRIVATE_KEY:
			device.private_key = key_in(attribute);
			break;
		case WGDEVICE_A_PUBLIC_KEY:
			device.public_key = key_in(attribute);
			break;
		case WGDEVICE_A_LISTEN_PORT:
			device.listen_port = number<std::uint16_t>(attribute);
			break;
		case WGDEVICE_A_FWMARK:
			device.fwmark = number<std::uint32_t>(attribute);
			break;
		case WGDEVICE_A_PEERS:
			for_each_attribute(attribute, [&](const nlattr *entry) { read_peer(entry, device); });
			break;
		case WGX_A_GENERATION:
			binding_of(device);
			break;
		case WGX_A_BIND_DEVICE:
			binding_of(device).link = text_in(attribute);
			break;
		case WGX_A_BIND_ADDRESS:
			binding_of(device).address = address_in(attribute);
			break;
		case WGX_A_UNDER_LOAD:
			state_of(device).is_under_load = number<std::uint8_t>(attribute) != 0;
			break;
		case WGX_A_QUEUED_HANDSHAKES:
			state_of(device).queued_handshakes = number<std::uint32_t>(attribute);
			break;
		case WGX_A_COOKIES_SENT:
			state_of(device).cookies_sent = number<std::uint64_t>(attribute);
			break;
		case WGX_A_AEAD:
			state_of(device).aead = text_in(attribute);
			break;
		case WGX_A_DROPS:
			state_of(device).drops = drops_in(attribute);
			break;
		}
	});
}

bool is_wireguard(const nlattr *link_info)
{
	bool matches = false;

	for_each_attribute(link_info, [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
			matches = text_in(attribute) == WG_GENL_NAME;
	});
	return matches;
}

}

std::vector<std::string> KernelDevices::names()
{
	NetlinkChannel channel(open_(NETLINK_ROUTE));
	std::vector<std::string> names;
	Buffer buffer(MNL_SOCKET_BUFFER_SIZE);

	read_undisturbed([&] {
		names.clear();
		nlmsghdr *request = mnl_nlmsg_put_header(buffer.data());
		request->nlmsg_type = RTM_GETLINK;
		request->nlmsg_flags = NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg));
		return channel.exchange(request, [&](const nlmsghdr *answer) {
			std::string name;
			bool matches = false;
			for_each_attribute(answer, sizeof(ifinfomsg), [&](const nlattr *attribute) {
				if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
					name = text_in(attribute);
				else if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
					matches = is_wireguard(attribute);
			});
			if (matches)
				names.push_back(name);
		});
	});
	return names;
}

Device KernelDevices::read(const std::string &name, bool with_state)
{
	NetlinkChannel channel(open_(NETLINK_GENERIC));
	Request request(wireguard_family(channel));
	Device device;

	read_undisturbed([&] {
		device = Device();
		device.name = name;
		nlmsghdr *header = request.begin(with_state ? std::uint8_t{WGX_CMD_GET_DEVICE} : std::uint8_t{WG_CMD_GET_DEVICE}, name);
		header->nlmsg_flags = NLM_F_DUMP;
		if (with_state)
			request.put_number(WGX_A_FLAGS, std::uint32_t{WGX_F_STATE});
		NetlinkStatus status = channel.exchange(header, [&](const nlmsghdr *answer) { read_device(answer, device); });
		/* The kernel's own. */
		if (status.error == EOPNOTSUPP && std::exchange(with_state, false))
			status.error = EINTR;
		return status;
	});
	return device;
}

std::unique_ptr<DeviceEvents> KernelDevices::listen(EventWishes wishes)
{
	return listen_to_kernel(open_, wishes);
}

}
