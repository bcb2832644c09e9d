// SPDX-License-Identifier: GPL-2.0
/* Netlink answers, to all who ask. Each datagram is a byte for its size in units of four, and its
 * bytes; the first message of it gets the sequence number that is waited for.
 */
#include <cerrno>
#include <cstring>

#include "kernel.h"
#include "lookout.h"
#include "network.h"
#include "tests/fakes.h"

namespace {

using namespace wgctl;

class Answers : public NetlinkSocket {
public:
	explicit Answers(std::string_view &left) : left_(left) {}

	ssize_t send(const void *message, std::size_t size) override
	{
		nlmsghdr header;
		std::memcpy(&header, message, sizeof(header));
		sequence_ = header.nlmsg_seq;
		type_ = header.nlmsg_type;
		is_first_ = true;
		return static_cast<ssize_t>(size);
	}
	ssize_t receive(void *buffer, std::size_t size) override
	{
		/* The family is there, so that what comes behind it is reached. */
		if (type_ == GENL_ID_CTRL)
			return family(buffer);
		if (left_.empty()) {
			errno = EIO;
			return -1;
		}
		std::size_t wanted = static_cast<unsigned char>(left_[0]) * std::size_t{4};
		left_.remove_prefix(1);
		size = std::min({size, wanted, left_.size()});
		std::memcpy(buffer, left_.data(), size);
		left_.remove_prefix(size);
		if (size >= sizeof(nlmsghdr))
			std::memcpy(static_cast<char *>(buffer) + offsetof(nlmsghdr, nlmsg_seq), &sequence_, sizeof(sequence_));
		return static_cast<ssize_t>(size);
	}

private:
	ssize_t family(void *buffer)
	{
		std::memset(buffer, 0, 128);
		nlmsghdr *answer = mnl_nlmsg_put_header(buffer);
		answer->nlmsg_seq = sequence_;
		if (is_first_) {
			answer->nlmsg_type = GENL_ID_CTRL;
			mnl_nlmsg_put_extra_header(answer, sizeof(genlmsghdr));
			mnl_attr_put_u16(answer, CTRL_ATTR_FAMILY_ID, 30);
		} else {
			answer->nlmsg_type = NLMSG_ERROR;
			mnl_nlmsg_put_extra_header(answer, sizeof(nlmsgerr));
		}
		is_first_ = false;
		return answer->nlmsg_len;
	}

	std::string_view &left_;
	std::uint32_t sequence_ = 0;
	std::uint16_t type_ = 0;
	bool is_first_ = true;
};

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	std::string_view all(reinterpret_cast<const char *>(data), size), left = all;
	OpenNetlink open = [&left](int) { return std::make_unique<Answers>(left); };
	KernelDevices devices(open);
	KernelNetwork network(open);
	SystemLookout lookout(open);
	FakeWorld fake;
	auto again = [&](auto action) {
		left = all;
		failure_of(action);
	};

	again([&] { devices.names(); });
	again([&] { devices.get("wg0"); });
	again([&] { network.addresses("wg0"); });
	again([&] { network.main_routes("wg0"); });
	again([&] { network.added_routes("wg0"); });
	again([&] { network.path_mtu({}); });
	again([&] { network.path_mtu(test_prefix("192.0.2.1/32")); });
	again([&] { network.rules(AF_INET); });
	again([&] { lookout.way_to(parse_endpoint("192.0.2.1:7", fake), 1); });
	return 0;
}
