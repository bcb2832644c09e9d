// SPDX-License-Identifier: GPL-2.0
/* One message to the kernel's WireGuard family, filled up to a limit. */
#pragma once

#include <net/if.h>

#include <cerrno>
#include <cstring>

#include "kernel/netlink.h"

namespace wgctl {

/* A list of attributes is at most 64 KiB long; half of that keeps every message in one socket buffer. */
constexpr std::size_t MESSAGE_LIMIT = 32 << 10;

inline std::uint16_t wireguard_family(NetlinkChannel &channel)
{
	std::uint16_t id = channel.family(WG_GENL_NAME);

	if (!id)
		throw Failure{std::string(std::strerror(EPROTONOSUPPORT)) + ": this kernel has no WireGuard; modprobe wireguard loads it"};
	return id;
}

class Request {
public:
	explicit Request(std::uint16_t family) : buffer_(MESSAGE_LIMIT), family_(family) {}

	nlmsghdr *begin(std::uint8_t command, const std::string &name)
	{
		sodium_memzero(buffer_.data(), buffer_.size());
		header_ = mnl_nlmsg_put_header(buffer_.data());
		header_->nlmsg_type = family_;
		auto *generic = static_cast<genlmsghdr *>(mnl_nlmsg_put_extra_header(header_, sizeof(genlmsghdr)));
		generic->cmd = command;
		generic->version = WG_GENL_VERSION;
		/* It comes from the command line. */
		if (name.size() >= IFNAMSIZ || !put(WGDEVICE_A_IFNAME, name.c_str(), name.size() + 1))
			throw Failure{"no interface has a name of " + std::to_string(name.size()) + " characters; " + std::to_string(IFNAMSIZ - 1) + " are the most"};
		return header_;
	}
	nlmsghdr *header() { return header_; }

	/* Each returns false, and adds nothing, when the message is full. */
	bool put(std::uint16_t type, const void *data, std::size_t size)
	{
		return mnl_attr_put_check(header_, buffer_.size(), type, size, data);
	}
	template<class T>
	bool put_number(std::uint16_t type, T value)
	{
		return put(type, &value, sizeof(value));
	}
	nlattr *open(std::uint16_t type) { return mnl_attr_nest_start_check(header_, buffer_.size(), type); }
	void close(nlattr *nest) { mnl_attr_nest_end(header_, nest); }
	void cancel(nlattr *nest) { mnl_attr_nest_cancel(header_, nest); }

private:
	Buffer buffer_;
	std::uint16_t family_;
	nlmsghdr *header_ = nullptr;
};

}
