// SPDX-License-Identifier: GPL-2.0
/* Links, addresses, routes and rules of the kernel, over rtnetlink. */
#pragma once

#include "kernel/netlink.h"
#include "model/machine.h"
#include "model/outside.h"

namespace wgctl {

class KernelNetwork : public Network {
public:
	explicit KernelNetwork(OpenNetlink open) : open_(std::move(open)) {}

	bool has_link(const std::string &name) override;
	bool add_wireguard(const std::string &name, const std::optional<Namespace> &home) override;
	void delete_link(const std::string &name) override;
	void set_up(const std::string &name, std::optional<std::uint32_t> mtu) override;
	void set_down(const std::string &name) override;
	std::uint32_t mtu(const std::string &name) override;
	bool is_up(const std::string &name) override;
	std::vector<Counter> statistics(const std::string &name) override;
	std::vector<Prefix> addresses(const std::string &name) override;
	std::vector<Prefix> foreign_addresses(const std::string &name) override;
	std::multimap<std::string, Prefix> other_addresses(const std::string &name) override;
	void add_address(const std::string &name, const Prefix &address) override;
	void delete_address(const std::string &name, const Prefix &address) override;
	std::vector<Prefix> main_routes(const std::string &name) override;
	std::vector<Route> added_routes(const std::string &name) override;
	void add_route(const std::string &name, const Route &route) override;
	void delete_route(const std::string &name, const Route &route) override;
	bool is_table_empty(std::uint32_t table) override;
	std::optional<std::uint32_t> path_mtu(const PacketWay &way) override;
	std::optional<std::string> way_to(const Endpoint &endpoint, std::uint32_t mark, const std::string &bound) override;
	std::vector<Rule> rules(std::uint16_t family) override;
	void add_rule(const Rule &rule) override;
	void delete_rule(const Rule &rule) override;

private:
	struct Link {
		std::uint32_t index = 0, mtu = 0;
		bool is_up = false;
	};
	struct FoundRoute {
		Prefix destination;
		std::uint32_t table = 0, link = 0, priority = 0;
		std::optional<std::uint32_t> mtu;
		std::uint8_t protocol = 0;
		/* The kernel will forget its MTU again. */
		bool is_passing = false;
		/* As Route (model/machine.h) has it. */
		bool is_plain = true;
	};

	/* A socket for each call: it belongs to the namespace it was opened in. */
	NetlinkChannel channel() { return NetlinkChannel(open_(0 /* NETLINK_ROUTE */)); }
	struct FoundAddress {
		std::uint32_t link = 0;
		Prefix prefix;
		std::uint8_t protocol = 0;
		bool has_far_end = false;
	};
	std::vector<FoundAddress> all_addresses();
	std::vector<Prefix> addresses_of(const std::string &name, bool (*counts)(std::uint8_t protocol, bool has_far_end));
	std::optional<Link> find(const nlmsghdr *request_for_link);
	std::optional<Link> find(const std::string &name);
	std::optional<Link> find(std::uint32_t index);
	Link get(const std::string &name);
	/* Of one table, and through one link; 0: of any. The kernel picks them, where it can (4.20): a router's table is long. */
	std::vector<FoundRoute> routes(std::uint16_t family, std::uint32_t table, std::uint32_t link);
	std::optional<std::uint32_t> mtu_of(const FoundRoute &route);
	std::optional<FoundRoute> route_of(const PacketWay &way, std::uint32_t flags, std::uint32_t link = 0);
	static FoundRoute read_route(const nlmsghdr *message);
	void change_link(const std::string &name, unsigned flags, std::optional<std::uint32_t> mtu);
	void change_address(const std::string &name, const Prefix &address, std::uint16_t type, std::uint16_t flags);
	void change_route(const std::string &name, const Route &route, std::uint16_t type, std::uint16_t flags);
	void change_rule(const Rule &rule, std::uint16_t type, std::uint16_t flags);

	OpenNetlink open_;
};

}
