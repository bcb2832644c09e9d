// SPDX-License-Identifier: GPL-2.0
#include "kernel/network.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::size_t REQUEST_SIZE = 4096;
/* What IPv6's routes get when nobody says; IPv4's have none then. */
constexpr std::uint32_t IPV6_METRIC = 1024;

/* A request under construction: header, fixed part of type T, attributes. */
template<class T>
class RtRequest {
public:
	RtRequest(std::uint16_t type, std::uint16_t flags) : buffer_(REQUEST_SIZE), header_(mnl_nlmsg_put_header(buffer_.data()))
	{
		header_->nlmsg_type = type;
		header_->nlmsg_flags = flags;
		fixed_ = static_cast<T *>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
	}

	T *operator->() { return fixed_; }
	nlmsghdr *header() { return header_; }
	void put(std::uint16_t type, const void *data, std::size_t size)
	{
		if (!mnl_attr_put_check(header_, REQUEST_SIZE, type, size, data))
			throw Failure{std::strerror(EMSGSIZE)};
	}
	void put_number(std::uint16_t type, std::uint32_t value) { put(type, &value, sizeof(value)); }
	void put_text(std::uint16_t type, const std::string &text) { put(type, text.c_str(), text.size() + 1); }
	void put_address(std::uint16_t type, const Prefix &prefix) { put(type, prefix.address.data(), prefix.bits() / 8); }

private:
	Buffer buffer_;
	nlmsghdr *header_;
	T *fixed_ = nullptr;
};

void copy_address(const nlattr *attribute, Prefix &prefix)
{
	if (mnl_attr_get_payload_len(attribute) == prefix.bits() / 8u)
		std::memcpy(prefix.address.data(), mnl_attr_get_payload(attribute), prefix.bits() / 8u);
}

/* What comes behind is not there in messages that are too short. */
template<class T>
const T *fixed_part(const nlmsghdr *message)
{
	return mnl_nlmsg_get_payload_len(message) >= sizeof(T) ? static_cast<const T *>(mnl_nlmsg_get_payload(message)) : nullptr;
}

void must(const NetlinkStatus &status)
{
	if (status.error)
		throw Failure{status.describe()};
}

/* What has a family: a file with IPv6 in it, for a machine without, is not an uncommon thing. */
void must(const NetlinkStatus &status, std::uint16_t family)
{
	std::string hint;

	if (family == AF_INET6 && status.error == EACCES)
		hint = ". IPv6 is switched off here: sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0, or remove it from the file";
	if (family == AF_INET6 && (status.error == EOPNOTSUPP || status.error == EAFNOSUPPORT))
		hint = ". This kernel runs without IPv6: remove it from the file";
	if (status.error)
		throw Failure{status.describe() + hint};
}

/* A dump, again from the start when it was disturbed; `start` forgets what the last try found. A kernel
 * whose IPv6 is switched off has nothing of it, and says so by EAFNOSUPPORT; of a table without routes, by ENOENT. */
template<class Start, class Each>
void dump(NetlinkChannel &channel, nlmsghdr *request, Start start, Each each)
{
	read_undisturbed([&] {
		start();
		NetlinkStatus status = channel.exchange(request, each);
		status.error = status.error == EAFNOSUPPORT || status.error == ENOENT ? 0 : status.error;
		return status;
	});
}

}

std::optional<KernelNetwork::Link> KernelNetwork::find(const nlmsghdr *request_for_link)
{
	NetlinkChannel route = channel();
	Buffer copy(request_for_link->nlmsg_len);
	std::optional<Link> link;

	std::memcpy(copy.data(), request_for_link, copy.size());
	NetlinkStatus status = route.exchange(reinterpret_cast<nlmsghdr *>(copy.data()), [&](const nlmsghdr *answer) {
		const auto *fixed = fixed_part<ifinfomsg>(answer);
		if (!fixed)
			return;
		link.emplace().index = static_cast<std::uint32_t>(fixed->ifi_index);
		link->is_up = fixed->ifi_flags & IFF_UP;
		for_each_attribute(answer, sizeof(ifinfomsg), [&](const nlattr *attribute) {
			if (mnl_attr_get_type(attribute) == IFLA_MTU)
				link->mtu = number<std::uint32_t>(attribute);
		});
	});
	if (status.error == ENODEV)
		return {};
	must(status);
	return link;
}

std::optional<KernelNetwork::Link> KernelNetwork::find(const std::string &name)
{
	RtRequest<ifinfomsg> request(RTM_GETLINK, 0);

	request.put_text(IFLA_IFNAME, name);
	return find(request.header());
}

std::optional<KernelNetwork::Link> KernelNetwork::find(std::uint32_t index)
{
	RtRequest<ifinfomsg> request(RTM_GETLINK, 0);

	request->ifi_index = static_cast<int>(index);
	return find(request.header());
}

KernelNetwork::Link KernelNetwork::get(const std::string &name)
{
	if (std::optional<Link> link = find(name))
		return *link;
	throw Failure{std::strerror(ENODEV)};
}

bool KernelNetwork::has_link(const std::string &name)
{
	return find(name).has_value();
}

bool KernelNetwork::add_wireguard(const std::string &name, const std::optional<Namespace> &home)
{
	RtRequest<ifinfomsg> request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);

	request.put_text(IFLA_IFNAME, name);
	if (home)
		request.put_number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(home->descriptor));
	nlattr *info = mnl_attr_nest_start(request.header(), IFLA_LINKINFO);
	request.put_text(IFLA_INFO_KIND, WG_GENL_NAME);
	mnl_attr_nest_end(request.header(), info);
	NetlinkStatus status = channel().exchange(request.header(), [](const nlmsghdr *) {});
	if (status.error == EOPNOTSUPP)
		return false;
	must(status);
	return true;
}

void KernelNetwork::delete_link(const std::string &name)
{
	RtRequest<ifinfomsg> request(RTM_DELLINK, 0);

	request->ifi_index = static_cast<int>(get(name).index);
	must(channel().exchange(request.header(), [](const nlmsghdr *) {}));
}

void KernelNetwork::change_link(const std::string &name, unsigned flags, std::optional<std::uint32_t> mtu)
{
	RtRequest<ifinfomsg> request(RTM_NEWLINK, 0);

	request->ifi_index = static_cast<int>(get(name).index);
	request->ifi_flags = flags;
	request->ifi_change = IFF_UP;
	if (mtu)
		request.put_number(IFLA_MTU, *mtu);
	must(channel().exchange(request.header(), [](const nlmsghdr *) {}));
}

void KernelNetwork::set_up(const std::string &name, std::optional<std::uint32_t> mtu)
{
	change_link(name, IFF_UP, mtu);
}

void KernelNetwork::set_down(const std::string &name)
{
	change_link(name, 0, {});
}

std::uint32_t KernelNetwork::mtu(const std::string &name)
{
	return get(name).mtu;
}

bool KernelNetwork::is_up(const std::string &name)
{
	return get(name).is_up;
}

std::vector<Prefix> KernelNetwork::addresses(const std::string &name)
{
	return addresses_of(name, [](std::uint8_t, bool) { return true; });
}

std::vector<Prefix> KernelNetwork::foreign_addresses(const std::string &name)
{
	return addresses_of(name, [](std::uint8_t protocol, bool has_far_end) {
		return has_far_end || (protocol >= IFAPROT_KERNEL_LO && protocol <= IFAPROT_KERNEL_LL);
	});
}

std::multimap<std::string, Prefix> KernelNetwork::other_addresses(const std::string &name)
{
	std::uint32_t own = name.empty() ? 0 : get(name).index;
	std::multimap<std::string, Prefix> found;
	char link[IF_NAMESIZE];

	for (const FoundAddress &address : all_addresses())
		if (address.link != own && if_indextoname(address.link, link))
			found.emplace(link, address.prefix);
	return found;
}

std::vector<Prefix> KernelNetwork::addresses_of(const std::string &name, bool (*counts)(std::uint8_t protocol, bool has_far_end))
{
	std::uint32_t index = get(name).index;
	std::vector<Prefix> found;

	for (const FoundAddress &address : all_addresses())
		if (address.link == index && counts(address.protocol, address.has_far_end))
			found.push_back(address.prefix);
	return found;
}

std::vector<KernelNetwork::FoundAddress> KernelNetwork::all_addresses()
{
	std::vector<FoundAddress> found;
	RtRequest<ifaddrmsg> request(RTM_GETADDR, NLM_F_DUMP);
	NetlinkChannel route = channel();

	dump(route, request.header(), [&] { found.clear(); }, [&](const nlmsghdr *answer) {
		const auto *fixed = fixed_part<ifaddrmsg>(answer);
		if (!fixed || (fixed->ifa_family != AF_INET && fixed->ifa_family != AF_INET6))
			return;
		FoundAddress one;
		Prefix address;
		bool has_local = false;
		one.link = fixed->ifa_index;
		one.prefix.family = address.family = fixed->ifa_family;
		one.prefix.cidr = fixed->ifa_prefixlen;
		/* With one of the far end there are two; the local one is ours. */
		for_each_attribute(answer, sizeof(ifaddrmsg), [&](const nlattr *attribute) {
			std::uint16_t type = mnl_attr_get_type(attribute);
			if (type == IFA_LOCAL || (type == IFA_ADDRESS && !has_local))
				copy_address(attribute, one.prefix);
			if (type == IFA_ADDRESS)
				copy_address(attribute, address);
			has_local = has_local || type == IFA_LOCAL;
			if (type == IFA_PROTO && mnl_attr_get_payload_len(attribute))
				one.protocol = mnl_attr_get_u8(attribute);
		});
		one.has_far_end = has_local && address.address != one.prefix.address;
		if (one.prefix.cidr <= one.prefix.bits())
			found.push_back(one);
	});
	return found;
}

void KernelNetwork::change_address(const std::string &name, const Prefix &address, std::uint16_t type, std::uint16_t flags)
{
	RtRequest<ifaddrmsg> request(type, flags);

	request->ifa_family = static_cast<std::uint8_t>(address.family);
	request->ifa_prefixlen = address.cidr;
	request->ifa_scope = address.family == AF_INET && address.address[0] == 127 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	request->ifa_index = get(name).index;
	request.put_address(IFA_LOCAL, address);
	request.put_address(IFA_ADDRESS, address);
	must(channel().exchange(request.header(), [](const nlmsghdr *) {}), address.family);
}

void KernelNetwork::add_address(const std::string &name, const Prefix &address)
{
	change_address(name, address, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
}

void KernelNetwork::delete_address(const std::string &name, const Prefix &address)
{
	change_address(name, address, RTM_DELADDR, 0);
}

KernelNetwork::FoundRoute KernelNetwork::read_route(const nlmsghdr *message)
{
	const auto *fixed = static_cast<const rtmsg *>(mnl_nlmsg_get_payload(message));
	FoundRoute route;

	route.destination.family = fixed->rtm_family;
	route.destination.cidr = fixed->rtm_dst_len;
	route.table = fixed->rtm_table;
	route.protocol = fixed->rtm_protocol;
	route.is_plain = fixed->rtm_type == RTN_UNICAST && !fixed->rtm_tos && !fixed->rtm_src_len;
	for_each_attribute(message, sizeof(rtmsg), [&](const nlattr *attribute) {
		switch (mnl_attr_get_type(attribute)) {
		case RTA_DST:
			copy_address(attribute, route.destination);
			break;
		case RTA_TABLE:
			route.table = number<std::uint32_t>(attribute);
			break;
		case RTA_OIF:
			route.link = number<std::uint32_t>(attribute);
			break;
		case RTA_PRIORITY:
			route.priority = number<std::uint32_t>(attribute);
			break;
		case RTA_CACHEINFO:
			if (mnl_attr_get_payload_len(attribute) >= sizeof(rta_cacheinfo))
				route.is_passing = static_cast<const rta_cacheinfo *>(mnl_attr_get_payload(attribute))->rta_expires;
			break;
		case RTA_METRICS:
			route.is_plain = false;
			for_each_attribute(attribute, [&](const nlattr *metric) {
				if (mnl_attr_get_type(metric) == RTAX_MTU && number<std::uint32_t>(metric))
					route.mtu = number<std::uint32_t>(metric);
			});
			break;
		case RTA_GATEWAY:
		case RTA_VIA:
		case RTA_PREFSRC:
		case RTA_ENCAP:
		case RTA_NH_ID:
			route.is_plain = false;
			break;
		}
	});
	return route;
}

std::vector<KernelNetwork::FoundRoute> KernelNetwork::routes(std::uint16_t family, std::uint32_t table, std::uint32_t link)
{
	std::vector<FoundRoute> found;
	RtRequest<rtmsg> request(RTM_GETROUTE, NLM_F_DUMP);
	NetlinkChannel route = channel();

	request->rtm_family = static_cast<std::uint8_t>(family);
	if (table)
		request.put_number(RTA_TABLE, table);
	if (link)
		request.put_number(RTA_OIF, link);
	dump(route, request.header(), [&] { found.clear(); }, [&](const nlmsghdr *answer) {
		const auto *fixed = fixed_part<rtmsg>(answer);
		/* IPv6 lists what it learned by itself for single destinations, too. */
		if (!fixed || fixed->rtm_family != family || (fixed->rtm_flags & RTM_F_CLONED))
			return;
		FoundRoute next = read_route(answer);
		if (next.destination.cidr <= next.destination.bits() && (!table || next.table == table) && (!link || next.link == link))
			found.push_back(next);
	});
	return found;
}

std::vector<Prefix> KernelNetwork::main_routes(const std::string &name)
{
	std::uint32_t index = get(name).index;
	std::vector<Prefix> found;

	for (std::uint16_t family : FAMILIES)
		for (const FoundRoute &route : routes(family, MAIN_TABLE, index))
			found.push_back(route.destination);
	return found;
}

std::vector<Route> KernelNetwork::added_routes(const std::string &name)
{
	std::uint32_t index = get(name).index;
	std::vector<Route> found;

	for (std::uint16_t family : FAMILIES)
		for (const FoundRoute &route : routes(family, 0, index))
			if (route.protocol == RTPROT_BOOT && route.priority == (family == AF_INET6 ? IPV6_METRIC : 0))
				found.push_back({route.destination, route.table, route.is_plain});
	return found;
}

void KernelNetwork::change_route(const std::string &name, const Route &route, std::uint16_t type, std::uint16_t flags)
{
	RtRequest<rtmsg> request(type, flags);

	request->rtm_family = static_cast<std::uint8_t>(route.destination.family);
	request->rtm_dst_len = route.destination.cidr;
	request->rtm_protocol = RTPROT_BOOT;
	request->rtm_scope = RT_SCOPE_LINK;
	request->rtm_type = RTN_UNICAST;
	request->rtm_table = static_cast<std::uint8_t>(route.table < 256 ? route.table : std::uint32_t{RT_TABLE_UNSPEC});
	if (route.destination.cidr)
		request.put_address(RTA_DST, route.destination);
	request.put_number(RTA_OIF, get(name).index);
	request.put_number(RTA_TABLE, route.table);
	/* Without it, deleting takes the first that fits. */
	if (route.destination.family == AF_INET6)
		request.put_number(RTA_PRIORITY, IPV6_METRIC);
	must(channel().exchange(request.header(), [](const nlmsghdr *) {}), route.destination.family);
}

void KernelNetwork::add_route(const std::string &name, const Route &route)
{
	change_route(name, route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
}

void KernelNetwork::delete_route(const std::string &name, const Route &route)
{
	change_route(name, route, RTM_DELROUTE, 0);
}

bool KernelNetwork::is_table_empty(std::uint32_t table)
{
	return std::all_of(FAMILIES.begin(), FAMILIES.end(), [&](std::uint16_t family) { return routes(family, table, 0).empty(); });
}

std::optional<std::uint32_t> KernelNetwork::mtu_of(const FoundRoute &route)
{
	if (route.mtu)
		return route.mtu;
	if (std::optional<Link> link = route.link ? find(route.link) : std::nullopt)
		return link->mtu;
	return {};
}

std::optional<KernelNetwork::FoundRoute> KernelNetwork::route_of(const PacketWay &way, std::uint32_t flags, std::uint32_t link)
{
	RtRequest<rtmsg> request(RTM_GETROUTE, 0);
	std::optional<FoundRoute> found;

	request->rtm_family = static_cast<std::uint8_t>(way.destination->family);
	request->rtm_dst_len = way.destination->bits();
	request->rtm_flags = flags;
	request.put_address(RTA_DST, *way.destination);
	if (way.mark)
		request.put_number(RTA_MARK, way.mark);
	if (link)
		request.put_number(RTA_OIF, link);
	NetlinkStatus status = channel().exchange(request.header(), [&](const nlmsghdr *answer) {
		if (fixed_part<rtmsg>(answer))
			found = read_route(answer);
	});
	return status.error ? std::nullopt : found;
}

std::optional<std::uint32_t> KernelNetwork::path_mtu(const PacketWay &way)
{
	std::uint32_t besides = 0;
	auto counts = [&](const FoundRoute &route) { return !besides || route.link != besides; };

	if (!way.besides.empty())
		if (std::optional<Link> link = find(way.besides))
			besides = link->index;
	if (way.destination) {
		std::optional<FoundRoute> found = route_of(way, 0);
		if (!found || !counts(*found))
			return {};
		if (found->is_passing) {
			/* As the route was added; one over several links at once names none. */
			std::optional<FoundRoute> added = route_of(way, RTM_F_FIB_MATCH);
			found->mtu = added ? added->mtu : std::nullopt;
		}
		return mtu_of(*found);
	}
	std::optional<FoundRoute> best;
	for (const FoundRoute &route : routes(AF_INET, MAIN_TABLE, 0))
		if (!route.destination.cidr && route.link && counts(route) && (!best || route.priority < best->priority))
			best = route;
	return best ? mtu_of(*best) : std::nullopt;
}

std::optional<std::string> KernelNetwork::way_to(const Endpoint &endpoint, std::uint32_t mark, const std::string &bound)
{
	std::uint32_t by = endpoint.any.sa_family == AF_INET6 ? endpoint.v6.sin6_scope_id : 0;

	if (!bound.empty()) {
		std::optional<Link> link = find(bound);
		if (!link)
			return {};
		by = link->index;
	}
	std::optional<FoundRoute> found = route_of({address_of(endpoint), mark}, 0, by);
	std::array<char, IF_NAMESIZE> name;

	if (!found || !found->link || !if_indextoname(found->link, name.data()))
		return {};
	return name.data();
}

std::vector<Rule> KernelNetwork::rules(std::uint16_t family)
{
	std::vector<Rule> found;
	RtRequest<fib_rule_hdr> request(RTM_GETRULE, NLM_F_DUMP);
	NetlinkChannel route = channel();

	request->family = static_cast<std::uint8_t>(family);
	dump(route, request.header(), [&] { found.clear(); }, [&](const nlmsghdr *answer) {
		const auto *fixed = fixed_part<fib_rule_hdr>(answer);
		if (!fixed || fixed->family != family)
			return;
		Rule rule;
		rule.family = family;
		rule.invert = fixed->flags & FIB_RULE_INVERT;
		rule.table = fixed->table;
		rule.priority = 0;
		rule.is_special = fixed->src_len || fixed->dst_len || fixed->tos || fixed->action != FR_ACT_TO_TBL;
		for_each_attribute(answer, sizeof(fib_rule_hdr), [&](const nlattr *attribute) {
			switch (mnl_attr_get_type(attribute)) {
			case FRA_TABLE:
				rule.table = number<std::uint32_t>(attribute);
				break;
			case FRA_PRIORITY:
				rule.priority = number<std::uint32_t>(attribute);
				break;
			case FRA_FWMARK:
				rule.fwmark = number<std::uint32_t>(attribute);
				break;
			case FRA_FWMASK:
				rule.is_special = rule.is_special || number<std::uint32_t>(attribute) != UINT32_MAX;
				break;
			case FRA_SUPPRESS_PREFIXLEN:
				if (number<std::uint32_t>(attribute) != UINT32_MAX)
					rule.suppress_prefix_length = number<std::uint32_t>(attribute);
				break;
			case FRA_PROTOCOL:
			case FRA_PAD:
				break;
			default:
				rule.is_special = true;
			}
		});
		found.push_back(rule);
	});
	return found;
}

void KernelNetwork::change_rule(const Rule &rule, std::uint16_t type, std::uint16_t flags)
{
	RtRequest<fib_rule_hdr> request(type, flags);

	request->family = static_cast<std::uint8_t>(rule.family);
	request->action = FR_ACT_TO_TBL;
	request->flags = rule.invert ? FIB_RULE_INVERT : 0;
	request->table = static_cast<std::uint8_t>(rule.table < 256 ? rule.table : std::uint32_t{RT_TABLE_UNSPEC});
	request.put_number(FRA_TABLE, rule.table);
	if (rule.fwmark)
		request.put_number(FRA_FWMARK, *rule.fwmark);
	if (rule.suppress_prefix_length)
		request.put_number(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
	if (rule.priority)
		request.put_number(FRA_PRIORITY, *rule.priority);
	must(channel().exchange(request.header(), [](const nlmsghdr *) {}));
}

void KernelNetwork::add_rule(const Rule &rule)
{
	change_rule(rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
}

void KernelNetwork::delete_rule(const Rule &rule)
{
	change_rule(rule, RTM_DELRULE, 0);
}

}
