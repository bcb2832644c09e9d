// SPDX-License-Identifier: GPL-2.0
#include "host/lookout.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <sodium.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "host/process.h"
#include "host/io.h"
#include "host/name_query.h"
#include "host/system.h"
#include "model/descriptor.h"

namespace wgctl {

namespace {

using Time = std::chrono::steady_clock;

constexpr int PROBES = 4;
constexpr std::size_t ECHOES = 3;
constexpr int PROBE_PAUSE = 500;
constexpr int QUESTIONS = 3, QUESTION_PAUSE = 1000;
constexpr std::size_t SERVERS = 8;
/* Each is a socket. */
constexpr std::size_t PROBES_AT_ONCE = 256;
/* A signal that comes just before poll is seen this late, in milliseconds. */
constexpr int LONGEST_POLL = 1000;

bool drain(int socket)
{
	std::array<char, 8192> buffer;
	bool has_news = false;

	/* ENOBUFS means that there was more than fits: news as well. */
	while (recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		has_news = true;
	return has_news;
}

/* To there, with packets of this mark; closed when that cannot be. */
Descriptor udp_to(const Endpoint &endpoint, std::uint32_t mark)
{
	Descriptor udp(socket(endpoint.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	if (udp.get() >= 0 && ((mark && setsockopt(udp.get(), SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0) ||
			       connect(udp.get(), &endpoint.any, endpoint.size()) < 0))
		udp.reset();
	return udp;
}

/* One path being probed; a path that cannot be is left as it is. */
class Prober {
public:
	Prober(PathProbe &probe, std::uint32_t mark) :
		probe_(&probe), is_v6_(probe.endpoint.any.sa_family == AF_INET6), udp_(udp_to(probe.endpoint, mark))
	{
		int discover = is_v6_ ? static_cast<int>(IPV6_PMTUDISC_DO) : static_cast<int>(IP_PMTUDISC_DO);

		if (udp_.get() >= 0 && setsockopt(udp_.get(), level(), is_v6_ ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &discover, sizeof(discover)) < 0)
			udp_.reset();
	}

	void send()
	{
		std::uint32_t headers = is_v6_ ? 48 : 28;

		if (!read())
			return;
		std::string payload(*probe_->mtu > headers ? *probe_->mtu - headers : 1, '\0');
		/* What an earlier probe brought back comes out here once; the next turn sends. */
		if (::send(udp_.get(), payload.data(), payload.size(), 0) < 0) {
			probe_->is_refused = probe_->is_refused || errno == ECONNREFUSED;
			probe_->is_forbidden = probe_->is_forbidden || errno == EPERM;
		}
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

/* Echo requests of one family. A number tells the turn and a probe's place in the list. [RFC 792, 4443]
 *
 * Raw sockets, although ping sockets would see to checksum and identifier: who may have those says the sysctl
 * net.ipv4.ping_group_range of each network namespace, and until somebody sets it, nobody may, not even root. */
class Echoes {
public:
	Echoes(std::uint16_t family, const std::string &link) :
		is_v6_(family == AF_INET6),
		raw_(socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, is_v6_ ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP))),
		identifier_(static_cast<std::uint16_t>(randombytes_uniform(1 << 16)))
	{
		/* In one piece, whatever the kernel has learned. */
		int whole = is_v6_ ? static_cast<int>(IPV6_PMTUDISC_PROBE) : static_cast<int>(IP_PMTUDISC_PROBE);
		int level = is_v6_ ? static_cast<int>(IPPROTO_IPV6) : static_cast<int>(IPPROTO_IP);

		if (raw_.get() < 0 ||
		    setsockopt(raw_.get(), SOL_SOCKET, SO_BINDTODEVICE, link.data(), static_cast<socklen_t>(link.size())) < 0 ||
		    setsockopt(raw_.get(), level, is_v6_ ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &whole, sizeof(whole)) < 0)
			raw_.reset();
	}

	int descriptor() const { return raw_.get(); }

	void send(const EchoProbe &probe, std::size_t number, std::uint32_t size)
	{
		std::uint32_t headers = ip_header() + sizeof(Header);
		std::vector<std::uint8_t> message(sizeof(Header) + (size > headers ? size - headers : 0));
		Header header{is_v6_ ? REQUEST_V6 : REQUEST_V4, 0, 0, identifier_, static_cast<std::uint16_t>(number)};
		Endpoint to = probe.inside;

		/* The kernel knows IPv6's. */
		if (!is_v6_)
			header.checksum = checksum(header);
		std::memcpy(message.data(), &header, sizeof(header));
		/* Raw sockets take it for a protocol. */
		(is_v6_ ? to.v6.sin6_port : to.v4.sin_port) = 0;
		sendto(raw_.get(), message.data(), message.size(), 0, &to.any, to.size());
	}

	/* `sent`: when each turn was. */
	void receive(std::vector<EchoProbe> &probes, const std::array<Time::time_point, ECHOES> &sent)
	{
		std::array<std::uint8_t, 1 << 16> packet;
		ssize_t size;

		while ((size = recv(raw_.get(), packet.data(), packet.size(), 0)) > 0) {
			std::size_t length = static_cast<std::size_t>(size), start = is_v6_ ? 0 : (packet[0] & 15) * 4u;
			Header header;
			std::memcpy(&header, packet.data() + start, sizeof(header));
			if (length < start + sizeof(header) || header.type != (is_v6_ ? REPLY_V6 : REPLY_V4) || header.identifier != identifier_)
				continue;
			std::size_t number = header.number % probes.size(), turn = header.number / probes.size();
			std::uint32_t whole = static_cast<std::uint32_t>(length - start) + ip_header();
			EchoProbe &probe = probes[number];
			if (turn >= sent.size() || std::find(probe.sizes.begin(), probe.sizes.end(), whole) == probe.sizes.end())
				continue;
			probe.answered = std::max(probe.answered.value_or(0), whole);
			if (!probe.microseconds)
				probe.microseconds = std::chrono::duration_cast<std::chrono::microseconds>(Time::now() - sent[turn]).count();
		}
	}

private:
	/* What is sent comes back: the last two only have to be told apart here. */
	struct Header {
		std::uint8_t type, code;
		std::uint16_t checksum, identifier, number;
	};
	static constexpr std::uint8_t REQUEST_V4 = 8, REPLY_V4 = 0, REQUEST_V6 = 128, REPLY_V6 = 129;

	std::uint32_t ip_header() const { return is_v6_ ? 40 : 20; }
	/* [RFC 1071] The rest of the message is zeros; the order of bytes does not matter. */
	static std::uint16_t checksum(const Header &header)
	{
		std::array<std::uint16_t, 4> words;
		std::uint32_t sum = 0;

		std::memcpy(words.data(), &header, sizeof(header));
		for (std::uint16_t word : words)
			sum += word;
		sum = (sum & 0xffff) + (sum >> 16);
		return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
	}

	bool is_v6_;
	Descriptor raw_;
	std::uint16_t identifier_;
};

/* One name server being asked for the addresses of a name. */
class Asker {
public:
	Asker(const Endpoint &server, std::uint32_t mark, const std::string &host) :
		udp_(udp_to(server, mark)), queries_{name_query(host, AF_INET), name_query(host, AF_INET6)}
	{
	}

	int descriptor() const { return udp_.get(); }
	bool is_done() const { return queries_[0].empty() && queries_[1].empty(); }
	const std::vector<Endpoint> &found() const { return found_; }

	void send()
	{
		for (const std::string &query : queries_)
			if (!query.empty())
				::send(udp_.get(), query.data(), query.size(), 0);
	}

	void receive(std::uint16_t port)
	{
		std::array<char, 4096> answer;
		ssize_t size;

		while ((size = recv(udp_.get(), answer.data(), answer.size(), 0)) >= 0)
			for (std::string &query : queries_)
				if (!query.empty() && read_answer(query, {answer.data(), static_cast<std::size_t>(size)}, port, found_))
					query.clear();
	}

private:
	Descriptor udp_;
	/* Those without an answer. */
	std::array<std::string, 2> queries_;
	std::vector<Endpoint> found_;
};

bool is_settled(const EchoProbe &probe)
{
	return probe.answered == *std::max_element(probe.sizes.begin(), probe.sizes.end());
}

}

SystemLookout::~SystemLookout()
{
	if (events_ >= 0)
		close(events_);
}

std::vector<Endpoint> SystemLookout::addresses_of(const std::string &host, const std::string &port)
{
	std::vector<Endpoint> found;

	look_up(host.c_str(), port.c_str(), found);
	return found;
}

std::vector<Endpoint> SystemLookout::ask(const std::vector<std::string> &servers, std::uint32_t mark, const std::string &host, const std::string &port)
{
	std::vector<Asker> askers;
	std::vector<pollfd> ready;
	std::vector<Endpoint> local;

	if (look_up(nullptr, port.c_str(), local) != 0)
		return {};
	for (const std::string &server : servers) {
		std::vector<Endpoint> address;
		if (askers.size() == SERVERS || look_up(server.c_str(), "53", address, AI_NUMERICHOST) != 0)
			continue;
		ready.push_back({askers.emplace_back(address[0], mark, host).descriptor(), POLLIN, 0});
	}
	auto knows = [](const Asker &asker) { return asker.is_done() && !asker.found().empty(); };
	auto some = askers.end();
	auto goes_on = [&] {
		return some == askers.end() && !std::all_of(askers.begin(), askers.end(), [](const Asker &asker) { return asker.is_done(); });
	};
	for (int turn = 0; turn < QUESTIONS && goes_on(); ++turn) {
		for (Asker &asker : askers)
			asker.send();
		Time::time_point end = Time::now() + std::chrono::milliseconds(QUESTION_PAUSE);
		std::int64_t left = QUESTION_PAUSE;
		for (; left > 0 && goes_on(); left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Time::now()).count()) {
			poll(ready.data(), ready.size(), static_cast<int>(left));
			for (Asker &asker : askers)
				asker.receive(local[0].port());
			some = std::find_if(askers.begin(), askers.end(), knows);
		}
	}
	if (some == askers.end())
		some = std::find_if(askers.begin(), askers.end(), [](const Asker &asker) { return !asker.found().empty(); });
	return some == askers.end() ? std::vector<Endpoint>() : some->found();
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

void SystemLookout::echo(const std::string &link, std::vector<EchoProbe> &probes)
{
	std::array<Time::time_point, ECHOES> sent;
	std::array<Echoes, 2> both{Echoes(AF_INET, link), Echoes(AF_INET6, link)};

	for (std::size_t turn = 0; turn < ECHOES; ++turn) {
		sent[turn] = Time::now();
		for (std::size_t i = 0; i < probes.size(); ++i)
			for (std::uint32_t size : probes[i].sizes)
				if (!is_settled(probes[i]))
					both[probes[i].inside.any.sa_family == AF_INET6].send(probes[i], turn * probes.size() + i, size);
		Time::time_point end = Time::now() + std::chrono::milliseconds(PROBE_PAUSE);
		for (;;) {
			std::int64_t left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Time::now()).count();
			if (std::all_of(probes.begin(), probes.end(), is_settled))
				return;
			if (left <= 0)
				break;
			std::array<pollfd, 2> ready{pollfd{both[0].descriptor(), POLLIN, 0}, pollfd{both[1].descriptor(), POLLIN, 0}};
			poll(ready.data(), ready.size(), static_cast<int>(left));
			for (Echoes &one : both)
				one.receive(probes, sent);
		}
	}
}

int SystemLookout::knock(const std::string &link, const Endpoint &inside)
{
	Descriptor udp(socket(inside.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	bool is_sent = udp.get() >= 0 &&
		       setsockopt(udp.get(), SOL_SOCKET, SO_BINDTODEVICE, link.data(), static_cast<socklen_t>(link.size())) == 0 &&
		       sendto(udp.get(), "", 1, 0, &inside.any, inside.size()) == 1;
	return is_sent ? 0 : errno;
}

Lookout::Event SystemLookout::wait(std::int64_t milliseconds, int besides)
{
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
	const bool were_held = hold_signals();
	std::optional<Event> event;
	while (!event) {
		std::int64_t left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Time::now()).count();
		std::array<pollfd, 2> ready{pollfd{events_, POLLIN, 0}, pollfd{besides, POLLIN, 0}};
		if (is_interrupted())
			event = Event::quit;
		else if (left <= 0)
			event = Event::time;
		else if (poll(ready.data(), ready.size(), static_cast<int>(std::min<std::int64_t>(left, LONGEST_POLL))) <= 0)
			continue;
		else if (ready[1].revents)
			event = Event::besides;
		else if (ready[0].revents && drain(events_))
			event = Event::network;
	}
	if (!were_held)
		release_signals();
	return *event;
}

/* A record is "6,1234,5678,-;the text", and more lines that begin with a blank. */
std::vector<std::string> SystemLookout::kernel_lines()
{
	std::array<char, 8192> record;
	std::vector<std::string> lines;

	if (kernel_log_ < 0) {
		kernel_log_ = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (kernel_log_ < 0 || lseek(kernel_log_, 0, SEEK_END) < 0)
			fail("/dev/kmsg");
	}
	for (;;) {
		ssize_t size = read(kernel_log_, record.data(), record.size());
		/* Some were overwritten. */
		if (size < 0 && errno == EPIPE)
			continue;
		if (size <= 0)
			return lines;
		std::string_view text(record.data(), static_cast<std::size_t>(size));
		text = text.substr(0, text.find('\n'));
		lines.emplace_back(text.substr(text.find(';') + 1));
	}
}

}
