// SPDX-License-Identifier: GPL-2.0
#include "kernel/devices.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>

#include "kernel/request.h"

namespace wgctl {

namespace {

template<std::size_t SIZE>
bool copy_bytes(const nlattr *attribute, std::array<std::uint8_t, SIZE> &bytes)
{
	if (mnl_attr_get_payload_len(attribute) != SIZE)
		return false;
	std::memcpy(bytes.data(), mnl_attr_get_payload(attribute), SIZE);
	return true;
}

std::optional<Key> key(const nlattr *attribute)
{
	Key value;
	return copy_bytes(attribute, value.bytes) ? std::optional(value) : std::nullopt;
}

std::optional<Endpoint> endpoint(const nlattr *attribute)
{
	Endpoint value;
	std::size_t size = mnl_attr_get_payload_len(attribute);

	if (size != sizeof(value.v4) && size != sizeof(value.v6))
		return {};
	std::memcpy(static_cast<void *>(&value.v6), mnl_attr_get_payload(attribute), size);
	if (value.any.sa_family != (size == sizeof(value.v4) ? AF_INET : AF_INET6))
		return {};
	return value;
}

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

/* An entry that repeats the key of the one before continues that peer's allowed IPs. */
void read_peer(const nlattr *nest, Device &device)
{
	Peer peer;
	bool has_key = false;

	for_each_attribute(nest, [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGPEER_A_PUBLIC_KEY:
			has_key = copy_bytes(attribute, peer.public_key.bytes);
			break;
		case WGPEER_A_PRESHARED_KEY:
			peer.preshared_key = key(attribute);
			break;
		case WGPEER_A_ENDPOINT:
			peer.endpoint = endpoint(attribute);
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
		}
	});
	if (!has_key)
		return;
	if (device.peers.empty() || !(device.peers.back().public_key == peer.public_key)) {
		device.peers.push_back(std::move(peer));
		return;
	}
	std::vector<Prefix> &list = device.peers.back().allowed_ips;
	list.insert(list.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
}

void read_device(const nlmsghdr *message, Device &device)
{
	for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGDEVICE_A_IFNAME:
			if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
				device.name = mnl_attr_get_str(attribute);
			break;
		case WGDEVICE_A_PRIVATE_KEY:
			device.private_key = key(attribute);
			break;
		case WGDEVICE_A_PUBLIC_KEY:
			device.public_key = key(attribute);
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
		}
	});
}

bool is_wireguard(const nlattr *link_info)
{
	bool matches = false;

	for_each_attribute(link_info, [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			matches = std::string_view(mnl_attr_get_str(attribute)) == WG_GENL_NAME;
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
				if (mnl_attr_get_type(attribute) == IFLA_IFNAME && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
					name = mnl_attr_get_str(attribute);
				else if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
					matches = is_wireguard(attribute);
			});
			if (matches)
				names.push_back(name);
		});
	});
	return names;
}

Device KernelDevices::get(const std::string &name)
{
	NetlinkChannel channel(open_(NETLINK_GENERIC));
	Request request(wireguard_family(channel));
	Device device;

	read_undisturbed([&] {
		device = Device();
		device.name = name;
		nlmsghdr *header = request.begin(WG_CMD_GET_DEVICE, name);
		header->nlmsg_flags = NLM_F_DUMP;
		return channel.exchange(header, [&](const nlmsghdr *answer) { read_device(answer, device); });
	});
	return device;
}

}
