// SPDX-License-Identifier: GPL-2.0
#include "lookout.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "descriptor.h"
#include "process.h"

namespace wgctl {

namespace {

constexpr int PROBES = 4;
constexpr int PROBE_PAUSE = 500;
/* Each is a socket. */
constexpr std::size_t PROBES_AT_ONCE = 256;
/* A signal that comes just before poll is seen this late, in milliseconds. */
constexpr int LONGEST_POLL = 1000;

[[noreturn]] void fail(const std::string &what)
{
	throw Failure{what + ": " + std::strerror(errno)};
}

bool drain(int socket)
{
	std::array<char, 8192> buffer;
	bool has_news = false;

	/* ENOBUFS means that there was more than fits: news as well. */
	while (recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		has_news = true;
	return has_news;
}

/* One path being probed; a path that cannot be is left as it is. */
class Prober {
public:
	Prober(PathProbe &probe, std::uint32_t mark) :
		probe_(&probe), is_v6_(probe.endpoint.any.sa_family == AF_INET6),
		udp_(socket(probe.endpoint.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
	{
		int discover = is_v6_ ? static_cast<int>(IPV6_PMTUDISC_DO) : static_cast<int>(IP_PMTUDISC_DO);

		if (udp_.get() < 0 ||
		    setsockopt(udp_.get(), level(), is_v6_ ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &discover, sizeof(discover)) < 0 ||
		    (mark && setsockopt(udp_.get(), SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0) ||
		    connect(udp_.get(), &probe.endpoint.any, probe.endpoint.size()) < 0)
			udp_.reset();
	}

	void send()
	{
		std::uint32_t headers = is_v6_ ? 48 : 28;

		if (!read())
			return;
		std::string payload(*probe_->mtu > headers ? *probe_->mtu - headers : 1, '\0');
		/* What an earlier probe brought back comes out here once; the next turn sends. */
		if (::send(udp_.get(), payload.data(), payload.size(), 0) < 0 && errno == ECONNREFUSED)
			probe_->is_refused = true;
	}

	/* What the kernel has learned of the path by now. */
	bool read()
	{
		int mtu = 0;
		socklen_t size = sizeof(mtu);

		if (udp_.get() < 0 || getsockopt(udp_.get(), level(), is_v6_ ? IPV6_MTU : IP_MTU, &mtu, &size) < 0)
			return false;
		probe_->mtu = std::min(probe_->largest, static_cast<std::uint32_t>(mtu));
		return true;
	}

private:
	int level() const { return is_v6_ ? static_cast<int>(IPPROTO_IPV6) : static_cast<int>(IPPROTO_IP); }

	PathProbe *probe_;
	bool is_v6_;
	Descriptor udp_;
};

}

SystemLookout::~SystemLookout()
{
	if (events_ >= 0)
		close(events_);
}

std::vector<Endpoint> SystemLookout::addresses_of(const std::string &host, const std::string &port)
{
	addrinfo hints{}, *answer = nullptr;
	std::vector<Endpoint> found;

	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_protocol = IPPROTO_UDP;
	if (getaddrinfo(host.c_str(), port.c_str(), &hints, &answer))
		return found;
	for (const addrinfo *one = answer; one; one = one->ai_next) {
		Endpoint endpoint;
		if ((one->ai_family != AF_INET && one->ai_family != AF_INET6) || one->ai_addrlen > sizeof(endpoint.v6))
			continue;
		std::memcpy(static_cast<void *>(&endpoint.v6), one->ai_addr, one->ai_addrlen);
		found.push_back(endpoint);
	}
	freeaddrinfo(answer);
	return found;
}

std::optional<std::string> SystemLookout::way_to(const Endpoint &endpoint, std::uint32_t mark)
{
	Buffer buffer(512);
	nlmsghdr *request = mnl_nlmsg_put_header(buffer.data());
	bool is_v6 = endpoint.any.sa_family == AF_INET6;
	std::uint32_t link = 0;

	request->nlmsg_type = RTM_GETROUTE;
	auto *fixed = static_cast<rtmsg *>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
	fixed->rtm_family = static_cast<unsigned char>(endpoint.any.sa_family);
	fixed->rtm_dst_len = is_v6 ? 128 : 32;
	if (is_v6)
		mnl_attr_put(request, RTA_DST, sizeof(endpoint.v6.sin6_addr), &endpoint.v6.sin6_addr);
	else
		mnl_attr_put(request, RTA_DST, sizeof(endpoint.v4.sin_addr), &endpoint.v4.sin_addr);
	if (is_v6 && endpoint.v6.sin6_scope_id)
		mnl_attr_put_u32(request, RTA_OIF, endpoint.v6.sin6_scope_id);
	if (mark)
		mnl_attr_put_u32(request, RTA_MARK, mark);
	NetlinkStatus status = NetlinkChannel(open_(0 /* NETLINK_ROUTE */)).exchange(request, [&](const nlmsghdr *answer) {
		if (mnl_nlmsg_get_payload_len(answer) < sizeof(rtmsg))
			return;
		for_each_attribute(answer, sizeof(rtmsg), [&](const nlattr *attribute) {
			if (mnl_attr_get_type(attribute) == RTA_OIF && mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
				link = mnl_attr_get_u32(attribute);
		});
	});
	std::array<char, IF_NAMESIZE> name;
	if (status.error || !link || !if_indextoname(link, name.data()))
		return {};
	return name.data();
}

void SystemLookout::probe(std::vector<PathProbe> &probes, std::uint32_t mark)
{
	for (std::size_t first = 0; first < probes.size(); first += PROBES_AT_ONCE) {
		std::vector<Prober> probers;
		std::size_t end = std::min(probes.size(), first + PROBES_AT_ONCE);

		for (std::size_t i = first; i < end; ++i)
			probers.emplace_back(probes[i], mark);
		for (int turn = 0; turn < PROBES; ++turn) {
			for (Prober &prober : probers)
				prober.send();
			poll(nullptr, 0, PROBE_PAUSE);
		}
		for (Prober &prober : probers)
			prober.read();
	}
}

bool SystemLookout::knock(const std::string &link, const Endpoint &inside)
{
	Descriptor udp(socket(inside.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	return udp.get() >= 0 && setsockopt(udp.get(), SOL_SOCKET, SO_BINDTODEVICE, link.data(), static_cast<socklen_t>(link.size())) == 0 &&
	       sendto(udp.get(), "", 1, 0, &inside.any, inside.size()) == 1;
}

Lookout::Event SystemLookout::wait(std::int64_t milliseconds)
{
	using Time = std::chrono::steady_clock;
	Time::time_point end = Time::now() + std::chrono::milliseconds(milliseconds);

	if (events_ < 0) {
		sockaddr_nl address{};
		address.nl_family = AF_NETLINK;
		address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
		events_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 /* NETLINK_ROUTE */);
		if (events_ < 0 || bind(events_, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) < 0)
			fail("cannot watch the network");
		sd_notify(0, "READY=1");
	}
	hold_signals();
	std::optional<Event> event;
	while (!event) {
		std::int64_t left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Time::now()).count();
		pollfd ready{events_, POLLIN, 0};
		if (is_interrupted())
			event = Event::quit;
		else if (left <= 0)
			event = Event::time;
		else if (poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, LONGEST_POLL))) > 0 && drain(events_))
			event = Event::network;
	}
	release_signals();
	return *event;
}

}
