// SPDX-License-Identifier: GPL-2.0
/* One netlink conversation: a request and all its answers.
 *
 * Knows acknowledgements, dumps in parts, interrupted dumps, interrupted system calls and the
 * kernel's error texts (extack); knows nothing of WireGuard.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "model/outside.h"

namespace wgctl {

/* How the kernel answered: 0 or an errno value, with its own words when it had any. */
struct NetlinkStatus {
	int error = 0;
	std::string text;
	/* Dump: what was read does not belong together. */
	bool interrupted = false;

	/* "No such device", or "Invalid argument: <the kernel's words>"; and what it takes, where it is not permitted. */
	std::string describe() const;
};

/* Calls each(attribute) for the attributes of a message behind its `fixed` bytes, or of a nest. */
template<class Each>
void for_each_attribute(const nlmsghdr *message, std::size_t fixed, Each each)
{
	auto call = [](const nlattr *attribute, void *data) { return (*static_cast<Each *>(data))(attribute), MNL_CB_OK; };
	mnl_attr_parse(message, static_cast<unsigned>(fixed), call, &each);
}
template<class Each>
void for_each_attribute(const nlattr *nest, Each each)
{
	auto call = [](const nlattr *attribute, void *data) { return (*static_cast<Each *>(data))(attribute), MNL_CB_OK; };
	mnl_attr_parse_nested(nest, call, &each);
}

/* A number of the size its type says, or `otherwise` when the attribute has another size. */
template<class T>
T number(const nlattr *attribute, T otherwise = 0)
{
	if (mnl_attr_get_payload_len(attribute) == sizeof(T))
		std::memcpy(&otherwise, mnl_attr_get_payload(attribute), sizeof(T));
	return otherwise;
}

/* Reads until a reading was not disturbed by a change. Throws Failure when the kernel gives another error. */
template<class Read>
void read_undisturbed(Read read)
{
	for (int attempt = 0; attempt < 100; ++attempt) {
		NetlinkStatus status = read();
		if (status.error && status.error != EINTR)
			throw Failure{status.describe()};
		if (!status.error && !status.interrupted)
			return;
	}
	throw Failure{"what the kernel has does not stop changing"};
}

class NetlinkChannel {
public:
	explicit NetlinkChannel(std::unique_ptr<NetlinkSocket> socket);

	/* Sends `request` (flags and sequence number are completed here) and calls `each` for every
	 * message that is an answer, up to the acknowledgement or the end of the dump. Throws Failure
	 * when the socket itself fails. */
	NetlinkStatus exchange(nlmsghdr *request, const std::function<void(const nlmsghdr *)> &each);

	/* The number of the generic netlink family; 0 when there is none. */
	std::uint16_t family(const char *name);
	/* Its multicast groups by name. */
	std::map<std::string, std::uint32_t> groups(const char *family);

private:
	std::size_t receive();
	void ask_family(const char *name, const std::function<void(const nlattr *)> &each);

	std::unique_ptr<NetlinkSocket> socket_;
	std::uint32_t sequence_ = 0;
	Buffer buffer_;
};

}
