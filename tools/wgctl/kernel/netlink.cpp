// SPDX-License-Identifier: GPL-2.0
#include "kernel/netlink.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace wgctl {

namespace {

/* The kernel fills a dump's parts up to 32 KiB. */
constexpr std::size_t RECEIVE_SIZE = 64 << 10;

/* The attributes behind an error or the end of a dump; `fixed` is what stands before them. */
std::string extack_text(const nlmsghdr *message, std::size_t fixed)
{
	std::string text;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return text;
	if (message->nlmsg_type == NLMSG_ERROR && !(message->nlmsg_flags & NLM_F_CAPPED)) {
		/* The whole request is repeated, not only its header. */
		const auto *error = static_cast<const nlmsgerr *>(mnl_nlmsg_get_payload(message));
		if (error->msg.nlmsg_len > sizeof(nlmsghdr))
			fixed += MNL_ALIGN(error->msg.nlmsg_len) - sizeof(nlmsghdr);
	}
	if (fixed > mnl_nlmsg_get_payload_len(message))
		return text;
	for_each_attribute(message, fixed, [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			text = mnl_attr_get_str(attribute);
	});
	return text;
}

}

std::string NetlinkStatus::describe() const
{
	std::string words = text;

	if (error == EPERM && words.empty())
		words = "it takes CAP_NET_ADMIN, which root has";
	return words.empty() ? std::strerror(error) : std::strerror(error) + (": " + words);
}

NetlinkChannel::NetlinkChannel(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)), buffer_(RECEIVE_SIZE) {}

std::size_t NetlinkChannel::receive()
{
	for (;;) {
		ssize_t size = socket_->receive(buffer_.data(), buffer_.size());
		if (size >= 0)
			return size;
		if (errno != EINTR)
			throw Failure{std::string("netlink: ") + std::strerror(errno)};
	}
}

NetlinkStatus NetlinkChannel::exchange(nlmsghdr *request, const std::function<void(const nlmsghdr *)> &each)
{
	NetlinkStatus status;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++sequence_;
	while (socket_->send(request, request->nlmsg_len) < 0)
		if (errno != EINTR)
			throw Failure{std::string("netlink: ") + std::strerror(errno)};

	for (;;) {
		int left = static_cast<int>(receive());
		const auto *message = reinterpret_cast<const nlmsghdr *>(buffer_.data());
		/* libmnl takes lengths for signed. */
		for (; mnl_nlmsg_ok(message, left) && message->nlmsg_len <= INT_MAX; message = mnl_nlmsg_next(message, &left)) {
			/* An answer to an earlier request that was given up. */
			if (message->nlmsg_seq != sequence_)
				continue;
			if (message->nlmsg_flags & NLM_F_DUMP_INTR)
				status.interrupted = true;
			if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
				std::size_t fixed = message->nlmsg_type == NLMSG_ERROR ? sizeof(nlmsgerr) : sizeof(int);
				int error = 0;
				if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
					std::memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
				/* Without overflow, whatever stands there. */
				status.error = error < 0 ? -std::max(error, -INT_MAX) : 0;
				if (mnl_nlmsg_get_payload_len(message) >= fixed)
					status.text = extack_text(message, fixed);
				return status;
			}
			if (message->nlmsg_type >= NLMSG_MIN_TYPE)
				each(message);
		}
	}
}

void NetlinkChannel::ask_family(const char *name, const std::function<void(const nlattr *)> &each)
{
	Buffer buffer(MNL_SOCKET_BUFFER_SIZE);
	nlmsghdr *request = mnl_nlmsg_put_header(buffer.data());

	request->nlmsg_type = GENL_ID_CTRL;
	auto *generic = static_cast<genlmsghdr *>(mnl_nlmsg_put_extra_header(request, sizeof(genlmsghdr)));
	generic->cmd = CTRL_CMD_GETFAMILY;
	generic->version = 1;
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);
	exchange(request, [&](const nlmsghdr *answer) { for_each_attribute(answer, sizeof(genlmsghdr), each); });
}

std::uint16_t NetlinkChannel::family(const char *name)
{
	std::uint16_t id = 0;

	ask_family(name, [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
			id = number<std::uint16_t>(attribute);
	});
	return id;
}

std::map<std::string, std::uint32_t> NetlinkChannel::groups(const char *family)
{
	std::map<std::string, std::uint32_t> groups;

	ask_family(family, [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) != CTRL_ATTR_MCAST_GROUPS)
			return;
		for_each_attribute(attribute, [&](const nlattr *group) {
			std::string name;
			std::uint32_t id = 0;
			for_each_attribute(group, [&](const nlattr *part) {
				if (mnl_attr_get_type(part) == CTRL_ATTR_MCAST_GRP_NAME && mnl_attr_validate(part, MNL_TYPE_NUL_STRING) >= 0)
					name = mnl_attr_get_str(part);
				else if (mnl_attr_get_type(part) == CTRL_ATTR_MCAST_GRP_ID)
					id = number<std::uint32_t>(part);
			});
			if (id)
				groups[name] = id;
		});
	});
	return groups;
}

}
