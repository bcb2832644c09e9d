// SPDX-License-Identifier: GPL-2.0
#include "kernel/events.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "../../../uapi/linux/wireguard_extensions.h"
#include "kernel/attributes.h"

namespace wgctl {

namespace {

constexpr std::size_t EVENT_SIZE = 8 << 10;

class KernelEvents : public DeviceEvents {
public:
	explicit KernelEvents(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)), buffer_(EVENT_SIZE) {}

	int descriptor() override { return socket_->descriptor(); }

	std::vector<DeviceEvent> read() override
	{
		std::vector<DeviceEvent> events;
		ssize_t size = socket_->receive(buffer_.data(), buffer_.size());

		if (size < 0 && errno == ENOBUFS)
			return {DeviceEvent{DeviceEvent::Kind::missed}};
		if (size < 0 && errno != EINTR && errno != EAGAIN)
			throw Failure{std::string("netlink: ") + std::strerror(errno)};
		int left = static_cast<int>(size);
		const auto *message = reinterpret_cast<const nlmsghdr *>(buffer_.data());
		for (; mnl_nlmsg_ok(message, left) && message->nlmsg_len <= INT_MAX; message = mnl_nlmsg_next(message, &left))
			if (std::optional<DeviceEvent> event = read_event(message))
				events.push_back(std::move(*event));
		return events;
	}

private:
	std::unique_ptr<NetlinkSocket> socket_;
	Buffer buffer_;
};

}

std::optional<DeviceEvent> read_event(const nlmsghdr *message)
{
	DeviceEvent event;
	std::uint32_t kind = 0;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(genlmsghdr) ||
	    static_cast<const genlmsghdr *>(mnl_nlmsg_get_payload(message))->cmd != WGX_CMD_EVENT)
		return {};
	for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case WGDEVICE_A_IFNAME:
			if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
				event.interface = mnl_attr_get_str(attribute);
			break;
		case WGX_A_EVENT:
			kind = number<std::uint32_t>(attribute);
			break;
		case WGX_A_PEER:
			event.peer = key_in(attribute);
			break;
		case WGX_A_ENDPOINT:
			event.endpoint = endpoint_in(attribute);
			break;
		case WGX_A_GENERATION:
			event.generation = number<std::uint32_t>(attribute);
			break;
		case WGX_A_PORT_ID:
			event.port_id = number<std::uint32_t>(attribute);
			break;
		case WGX_A_ROLE:
			event.is_responder = number<std::uint8_t>(attribute) != 0;
			break;
		case WGX_A_IS_REKEY:
			event.is_rekey = number<std::uint8_t>(attribute) != 0;
			break;
		}
	});
	if (event.interface.empty() || kind < WGX_EVENT_PEER_ADDED || kind > WGX_EVENT_UNKNOWN_INITIATION)
		return {};
	event.kind = static_cast<DeviceEvent::Kind>(kind);
	return event;
}

std::unique_ptr<DeviceEvents> listen_to_kernel(const OpenNetlink &open, EventWishes wishes)
{
	std::unique_ptr<NetlinkSocket> socket = open(NETLINK_GENERIC);
	NetlinkChannel channel(open(NETLINK_GENERIC));
	std::map<std::string, std::uint32_t> groups = channel.groups(WG_GENL_NAME);

	if (!groups.contains(WGX_GROUP_EVENTS))
		return {};
	std::vector<std::string> wanted{WGX_GROUP_EVENTS};
	if (wishes.moves)
		wanted.push_back(WGX_GROUP_ENDPOINTS);
	if (wishes.strangers)
		wanted.push_back(WGX_GROUP_STRANGERS);
	for (const std::string &name : wanted)
		if (int error = socket->join(groups[name])) {
			NetlinkStatus status;
			status.error = error;
			throw Failure{status.describe()};
		}
	return std::make_unique<KernelEvents>(std::move(socket));
}

}
