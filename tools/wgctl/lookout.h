// SPDX-License-Identifier: GPL-2.0
/* Looking out at the network between here and the peers; nothing is changed. */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink.h"
#include "outside.h"

namespace wgctl {

/* A question to the path to an endpoint, and what came of it. */
struct PathProbe {
	Endpoint endpoint;
	/* The size to begin with. */
	std::uint32_t largest = 0;
	/* What the routers on the path let through; those that say nothing are not noticed. */
	std::optional<std::uint32_t> mtu;
	/* The other side says that nobody listens there. */
	bool is_refused = false;
};

/* A question to an address inside a tunnel, and what came of it. */
struct EchoProbe {
	Endpoint inside;
	/* Of the packets, with their IP headers. */
	std::vector<std::uint32_t> sizes;
	/* The largest that came back; nothing when none did. */
	std::optional<std::uint32_t> answered;
};

class Lookout {
public:
	/* `network`: an address or a route has changed. `quit`: the program is asked to end. */
	enum class Event { time, network, quit };

	virtual ~Lookout() = default;
	/* Every answer for a name or number and a port, in the system's order; none when there is none. */
	virtual std::vector<Endpoint> addresses_of(const std::string &host, const std::string &port) = 0;
	/* The link that packets with this mark leave by; nothing when there is no way. */
	virtual std::optional<std::string> way_to(const Endpoint &endpoint, std::uint32_t mark) = 0;
	/* Sends a few packets with this mark to each endpoint, which WireGuard ignores. Takes 2 s for each
	 * 256 of them. */
	virtual void probe(std::vector<PathProbe> &probes, std::uint32_t mark) = 0;
	/* Sends echo requests (ICMP) of each size into a link, up to three times. Ends when all the largest
	 * have come back, after 1.5 s at the latest. Without CAP_NET_RAW, nothing does. */
	virtual void echo(const std::string &link, std::vector<EchoProbe> &probes) = 0;
	/* Sends a packet of one byte into a link, so that a tunnel makes itself a session. Returns whether
	 * it could be sent. */
	virtual bool knock(const std::string &link, const Endpoint &inside) = 0;
	/* What comes first; `time` after so many milliseconds. The first call tells the service manager, if
	 * there is one, that the program is at work. Between calls a request to end is obeyed at once: looking
	 * up names may take minutes. */
	virtual Event wait(std::int64_t milliseconds) = 0;
};

class SystemLookout : public Lookout {
public:
	explicit SystemLookout(OpenNetlink open) : open_(std::move(open)) {}
	~SystemLookout() override;

	std::vector<Endpoint> addresses_of(const std::string &host, const std::string &port) override;
	std::optional<std::string> way_to(const Endpoint &endpoint, std::uint32_t mark) override;
	void probe(std::vector<PathProbe> &probes, std::uint32_t mark) override;
	void echo(const std::string &link, std::vector<EchoProbe> &probes) override;
	bool knock(const std::string &link, const Endpoint &inside) override;
	Event wait(std::int64_t milliseconds) override;

private:
	OpenNetlink open_;
	/* Subscribed at the first wait. */
	int events_ = -1;
};

}
