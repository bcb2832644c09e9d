// SPDX-License-Identifier: GPL-2.0
#include "tunnel/kill_switch.h"

#include "host/resolv_conf.h"
#include "model/values.h"

namespace wgctl {

namespace {

std::string switch_table(const std::string &interface)
{
	return "inet wgctl-kill-" + name_in_nftables(interface);
}

/* Of this machine's own packets, those without which it loses its addresses; none of them leaves the link but
 * DHCP's to its server. */
constexpr std::array TO_HAVE_AN_ADDRESS{
	"meta nfproto ipv4 udp sport 68 udp dport 67",
	"ip6 daddr fe80::/10 udp sport 546 udp dport 547",
	"ip6 daddr ff02::1:2 udp sport 546 udp dport 547",
	"icmpv6 type nd-router-solicit",
	"icmpv6 type nd-neighbor-solicit",
	"icmpv6 type nd-neighbor-advert",
	"icmpv6 type mld2-listener-report",
};

}

KillSwitch::KillSwitch(std::string interface, World &world) : interface_(std::move(interface)), table_(switch_table(interface_), world), world_(world)
{
}

bool KillSwitch::is_closed_as(std::uint32_t mark, const std::vector<Prefix> &excepted)
{
	return is_as_set_up(table_.listing(), kill_switch_setup(interface_, mark, excepted));
}

void KillSwitch::close(std::uint32_t mark, const std::vector<Prefix> &excepted, Steps &steps)
{
	table_.make(kill_switch_setup(interface_, mark, excepted), steps);
}

std::vector<Endpoint> KillSwitch::ask_past(std::uint32_t mark, const std::string &host, const std::string &port)
{
	if (!mark || !is_closed())
		return {};
	std::vector<std::string> servers = world_.host.dns.others(interface_);
	for (const std::string &server : parse_resolv_conf(read_resolv_conf(RESOLV_CONF, world_)).servers)
		servers.push_back(server);
	return world_.host.lookout.ask(servers, mark, host, port);
}

int ResolverPast::lookup(const char *host, const char *service, Endpoint &result)
{
	int error = resolver_.lookup(host, service, result);

	if (!error || !host)
		return error;
	std::vector<Endpoint> found = kill_switch_.ask_past(mark_, host, service);
	if (found.empty())
		return error;
	result = found[0];
	return 0;
}

std::string kill_switch_setup(const std::string &interface, std::uint32_t mark, const std::vector<Prefix> &excepted)
{
	const std::string table = switch_table(interface);
	std::string text = "add table " + table + "\n";

	for (const std::string chain : {"output", "forward"}) {
		auto add = [&](const std::string &rule) { text.append("add rule ").append(table).append(" ").append(chain).append(" ").append(rule).append("\n"); };
		text += "add chain " + table + " " + chain + " { type filter hook " + chain + " priority 0; policy drop; }\n";
		add("oifname \"" + interface + "\" accept");
		if (chain == "output") {
			char number[16];
			std::snprintf(number, sizeof(number), "0x%08x", mark);
			add("oifname \"lo\" accept");
			if (mark)
				add("meta l4proto udp meta mark " + std::string(number) + " accept");
			for (const std::string what : TO_HAVE_AN_ADDRESS)
				add(what + " accept");
		} else {
			add("iifname \"" + interface + "\" ct state established,related accept");
		}
		for (const Prefix &prefix : excepted)
			add((prefix.family == AF_INET6 ? "ip6 daddr " : "ip daddr ") +
			    (prefix.cidr == prefix.bits() ? format_address(prefix) : format_prefix(prefix)) + " accept");
		add("meta l4proto tcp reject with tcp reset");
		add("reject with icmpx admin-prohibited");
	}
	return text;
}

}
