// SPDX-License-Identifier: GPL-2.0
/* KernelNetwork against a kernel with prepared answers for each type of request. */
#include "kernel/network.h"

#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <deque>
#include <map>

#include "tests/fakes.h"

namespace wgctl {

namespace {

/* One message: its fixed part and attributes. */
class Message {
public:
	template<class T>
	Message(std::uint16_t type, const T &fixed) : buffer_(2048)
	{
		header()->nlmsg_type = type;
		mnl_nlmsg_put_header(buffer_.data());
		header()->nlmsg_type = type;
		header()->nlmsg_flags = NLM_F_MULTI;
		std::memcpy(mnl_nlmsg_put_extra_header(header(), sizeof(fixed)), &fixed, sizeof(fixed));
	}
	Message &number(std::uint16_t type, std::uint32_t value)
	{
		mnl_attr_put_u32(header(), type, value);
		return *this;
	}
	Message &byte(std::uint16_t type, std::uint8_t value)
	{
		mnl_attr_put_u8(header(), type, value);
		return *this;
	}
	Message &address(std::uint16_t type, const char *text)
	{
		Prefix prefix = test_prefix(text);
		mnl_attr_put(header(), type, prefix.bits() / 8, prefix.address.data());
		return *this;
	}
	Message &metric_mtu(std::uint32_t mtu)
	{
		nlattr *nest = mnl_attr_nest_start(header(), RTA_METRICS);
		mnl_attr_put_u32(header(), RTAX_MTU, mtu);
		mnl_attr_nest_end(header(), nest);
		return *this;
	}
	std::string bytes(std::uint32_t sequence, std::uint16_t flags)
	{
		header()->nlmsg_seq = sequence;
		header()->nlmsg_flags = NLM_F_MULTI | flags;
		return {buffer_.data(), header()->nlmsg_len};
	}

private:
	nlmsghdr *header() { return reinterpret_cast<nlmsghdr *>(buffer_.data()); }

	Buffer buffer_;
};

struct FakeRouting {
	std::map<std::uint16_t, std::vector<Message>> answers;
	std::map<std::uint16_t, int> errors;
	std::vector<std::string> requests;
	int disturbances = 0;

	const nlmsghdr *last() const { return reinterpret_cast<const nlmsghdr *>(requests.back().data()); }
	template<class T>
	const T *fixed() const
	{
		return static_cast<const T *>(mnl_nlmsg_get_payload(last()));
	}
	/* The attribute's payload, as bytes; "-" when there is none. */
	template<class T>
	std::string attribute(std::uint16_t type) const
	{
		std::string found("-");
		for_each_attribute(last(), sizeof(T), [&](const nlattr *attribute) {
			if (mnl_attr_get_type(attribute) == type)
				found.assign(static_cast<const char *>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute));
		});
		return found;
	}
	template<class T>
	std::optional<std::uint32_t> number(std::uint16_t type) const
	{
		std::string bytes = attribute<T>(type);
		std::uint32_t value = 0;
		if (bytes.size() != sizeof(value))
			return {};
		std::memcpy(&value, bytes.data(), sizeof(value));
		return value;
	}
};

class RoutingSocket : public NetlinkSocket {
public:
	explicit RoutingSocket(FakeRouting &kernel) : kernel_(kernel) {}

	ssize_t send(const void *message, std::size_t size) override
	{
		const auto *header = static_cast<const nlmsghdr *>(message);
		bool is_dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP && header->nlmsg_type % 4 == RTM_GETLINK % 4;
		kernel_.requests.emplace_back(static_cast<const char *>(message), size);
		std::uint16_t flags = is_dump && kernel_.disturbances-- > 0 ? NLM_F_DUMP_INTR : 0;
		int error = kernel_.errors[header->nlmsg_type];
		if (!error)
			for (Message &answer : kernel_.answers[header->nlmsg_type])
				datagrams_.push_back(answer.bytes(header->nlmsg_seq, flags));
		nlmsgerr end{};
		end.error = -error;
		Message last(is_dump && !error ? NLMSG_DONE : NLMSG_ERROR, end);
		datagrams_.push_back(last.bytes(header->nlmsg_seq, 0));
		return static_cast<ssize_t>(size);
	}
	ssize_t receive(void *buffer, std::size_t size) override
	{
		std::string datagram = datagrams_.front();
		datagrams_.pop_front();
		EXPECT_LE(datagram.size(), size);
		std::memcpy(buffer, datagram.data(), datagram.size());
		return static_cast<ssize_t>(datagram.size());
	}

private:
	FakeRouting &kernel_;
	std::deque<std::string> datagrams_;
};

struct KernelNetworks : testing::Test {
	FakeRouting kernel;
	KernelNetwork network{[this](int protocol) {
		EXPECT_EQ(protocol, NETLINK_ROUTE);
		return std::make_unique<RoutingSocket>(kernel);
	}};

	KernelNetworks() { link(7, 1400); }
	void link(int index, std::uint32_t mtu)
	{
		ifinfomsg fixed{};
		fixed.ifi_index = index;
		kernel.answers[RTM_GETLINK] = {Message(RTM_NEWLINK, fixed).number(IFLA_MTU, mtu)};
	}
	static Message route(std::uint8_t family, std::uint8_t length, std::uint32_t link, std::uint32_t table = RT_TABLE_MAIN, unsigned flags = 0)
	{
		rtmsg fixed{};
		fixed.rtm_family = family;
		fixed.rtm_dst_len = length;
		fixed.rtm_flags = flags;
		return Message(RTM_NEWROUTE, fixed).number(RTA_OIF, link).number(RTA_TABLE, table);
	}
};

}

TEST_F(KernelNetworks, a_link_is_made_in_another_namespace)
{
	Namespace home;
	home.descriptor = 42;
	EXPECT_TRUE(network.add_wireguard("wg0", home));
	EXPECT_EQ(kernel.last()->nlmsg_type, RTM_NEWLINK);
	EXPECT_TRUE(kernel.last()->nlmsg_flags & NLM_F_EXCL);
	EXPECT_EQ(kernel.number<ifinfomsg>(IFLA_NET_NS_FD), 42u);
	EXPECT_EQ(kernel.attribute<ifinfomsg>(IFLA_IFNAME), std::string("wg0", 4));
	EXPECT_NE(kernel.attribute<ifinfomsg>(IFLA_LINKINFO).find("wireguard"), std::string::npos);
	EXPECT_TRUE(network.add_wireguard("wg0", {}));
	EXPECT_EQ(kernel.attribute<ifinfomsg>(IFLA_NET_NS_FD), "-");
}

TEST_F(KernelNetworks, a_kernel_without_wireguard_is_told)
{
	kernel.errors[RTM_NEWLINK] = EOPNOTSUPP;
	EXPECT_FALSE(network.add_wireguard("wg0", {}));
	kernel.errors[RTM_NEWLINK] = EEXIST;
	EXPECT_EQ(failure_of([&] { static_cast<void>(network.add_wireguard("wg0", {})); }), "File exists");
}

TEST_F(KernelNetworks, links_are_found_by_name)
{
	EXPECT_TRUE(network.has_link("wg0"));
	EXPECT_EQ(network.mtu("wg0"), 1400u);
	kernel.errors[RTM_GETLINK] = ENODEV;
	EXPECT_FALSE(network.has_link("wg0"));
	EXPECT_EQ(failure_of([&] { network.delete_link("wg0"); }), "No such device");
	kernel.errors[RTM_GETLINK] = EPERM;
	EXPECT_EQ(failure_of([&] { network.has_link("wg0"); }), "Operation not permitted: it takes CAP_NET_ADMIN, which root has");
}

TEST_F(KernelNetworks, a_link_goes_up_with_its_mtu)
{
	network.set_up("wg0", 1300);
	EXPECT_EQ(kernel.fixed<ifinfomsg>()->ifi_index, 7);
	EXPECT_EQ(kernel.fixed<ifinfomsg>()->ifi_flags, unsigned{IFF_UP});
	EXPECT_EQ(kernel.fixed<ifinfomsg>()->ifi_change, unsigned{IFF_UP});
	EXPECT_EQ(kernel.number<ifinfomsg>(IFLA_MTU), 1300u);
	network.set_up("lo", {});
	EXPECT_EQ(kernel.attribute<ifinfomsg>(IFLA_MTU), "-");
}

TEST_F(KernelNetworks, addresses_are_those_of_the_link)
{
	ifaddrmsg mine{}, other{};
	mine.ifa_family = other.ifa_family = AF_INET;
	mine.ifa_prefixlen = 24;
	mine.ifa_index = 7;
	other.ifa_index = 8;
	kernel.answers[RTM_GETADDR] = {Message(RTM_NEWADDR, mine).address(IFA_ADDRESS, "10.0.0.9").address(IFA_LOCAL, "10.0.0.1"),
				       Message(RTM_NEWADDR, other).address(IFA_LOCAL, "10.0.0.2")};
	mine.ifa_family = AF_INET6;
	mine.ifa_prefixlen = 64;
	kernel.answers[RTM_GETADDR].push_back(Message(RTM_NEWADDR, mine).address(IFA_ADDRESS, "fd00::1"));
	/* The first dump is disturbed, and does not count. */
	kernel.disturbances = 1;
	std::vector<Prefix> found = network.addresses("wg0");
	ASSERT_EQ(found.size(), 2u);
	EXPECT_EQ(format_prefix(found[0]), "10.0.0.1/24");
	EXPECT_EQ(format_prefix(found[1]), "fd00::1/64");
}

TEST_F(KernelNetworks, addresses_of_the_kernels_own_choice_are_known)
{
	ifaddrmsg fixed{};
	std::uint8_t ours = IFAPROT_UNSPEC, automatic = IFAPROT_KERNEL_LL;
	fixed.ifa_family = AF_INET6;
	fixed.ifa_prefixlen = 64;
	fixed.ifa_index = 7;
	kernel.answers[RTM_GETADDR] = {Message(RTM_NEWADDR, fixed).address(IFA_ADDRESS, "fe80::1"),
				       Message(RTM_NEWADDR, fixed).address(IFA_ADDRESS, "fe80::2").byte(IFA_PROTO, ours),
				       Message(RTM_NEWADDR, fixed).address(IFA_ADDRESS, "fe80::3").byte(IFA_PROTO, automatic)};
	EXPECT_EQ(network.addresses("wg0").size(), 3u);
	std::vector<Prefix> found = network.foreign_addresses("wg0");
	ASSERT_EQ(found.size(), 1u);
	EXPECT_EQ(format_prefix(found[0]), "fe80::3/64");
}

TEST_F(KernelNetworks, an_address_with_another_at_the_far_end_is_no_files)
{
	ifaddrmsg fixed{};
	fixed.ifa_family = AF_INET;
	fixed.ifa_prefixlen = 32;
	fixed.ifa_index = 7;
	kernel.answers[RTM_GETADDR] = {Message(RTM_NEWADDR, fixed).address(IFA_ADDRESS, "10.0.0.1").address(IFA_LOCAL, "10.0.0.1"),
				       Message(RTM_NEWADDR, fixed).address(IFA_ADDRESS, "10.0.0.3").address(IFA_LOCAL, "10.0.0.2")};
	EXPECT_EQ(network.addresses("wg0").size(), 2u);
	std::vector<Prefix> found = network.foreign_addresses("wg0");
	ASSERT_EQ(found.size(), 1u);
	EXPECT_EQ(format_prefix(found[0]), "10.0.0.2/32");
}

TEST_F(KernelNetworks, added_routes_are_those_without_a_metric)
{
	rtmsg fixed{};
	fixed.rtm_family = AF_INET;
	fixed.rtm_dst_len = 16;
	fixed.rtm_type = RTN_UNICAST;
	fixed.rtm_protocol = RTPROT_BOOT;
	auto boot = [&](const char *destination) { return Message(RTM_NEWROUTE, fixed).number(RTA_OIF, 7).number(RTA_TABLE, 254).address(RTA_DST, destination); };
	kernel.answers[RTM_GETROUTE] = {boot("10.1.0.0"), boot("10.2.0.0").number(RTA_PRIORITY, 50), boot("10.3.0.0").address(RTA_PREFSRC, "10.0.0.1"),
					boot("10.4.0.0").address(RTA_GATEWAY, "10.0.0.9")};
	fixed.rtm_family = AF_INET6;
	kernel.answers[RTM_GETROUTE].push_back(boot("fd01::").number(RTA_PRIORITY, 1024));
	kernel.answers[RTM_GETROUTE].push_back(boot("fd02::").number(RTA_PRIORITY, 50));
	std::string found;
	for (const Route &added : network.added_routes("wg0"))
		found += format_prefix(added.destination) + (added.is_plain ? " " : "! ");
	EXPECT_EQ(found, "10.1.0.0/16 10.3.0.0/16! 10.4.0.0/16! fd01::/16 ");
	network.delete_route("wg0", {test_prefix("fd01::/16"), 254});
	EXPECT_EQ(kernel.number<rtmsg>(RTA_PRIORITY), 1024u);
}

TEST_F(KernelNetworks, prefixes_longer_than_their_addresses_are_none)
{
	ifaddrmsg fixed{};
	fixed.ifa_family = AF_INET;
	fixed.ifa_prefixlen = 33;
	fixed.ifa_index = 7;
	kernel.answers[RTM_GETADDR] = {Message(RTM_NEWADDR, fixed).address(IFA_LOCAL, "10.0.0.1")};
	kernel.answers[RTM_GETROUTE] = {route(AF_INET, 33, 7).address(RTA_DST, "10.0.0.1")};
	EXPECT_TRUE(network.addresses("wg0").empty());
	EXPECT_TRUE(network.main_routes("wg0").empty());
}

TEST_F(KernelNetworks, an_address_is_added)
{
	Prefix address = test_prefix("10.0.0.1/24");
	network.add_address("wg0", address);
	EXPECT_EQ(kernel.fixed<ifaddrmsg>()->ifa_index, 7u);
	EXPECT_EQ(kernel.fixed<ifaddrmsg>()->ifa_prefixlen, 24);
	EXPECT_EQ(kernel.fixed<ifaddrmsg>()->ifa_scope, RT_SCOPE_UNIVERSE);
	EXPECT_EQ(kernel.attribute<ifaddrmsg>(IFA_LOCAL), std::string("\x0a\0\0\x01", 4));
	network.add_address("wg0", test_prefix("127.0.0.5/8"));
	EXPECT_EQ(kernel.fixed<ifaddrmsg>()->ifa_scope, RT_SCOPE_HOST);
}

TEST_F(KernelNetworks, ipv6_that_is_switched_off_is_told)
{
	auto told = [&](int error, const char *address) {
		kernel.errors[RTM_NEWADDR] = kernel.errors[RTM_NEWROUTE] = error;
		std::string text = failure_of([&] { network.add_address("wg0", test_prefix(address)); });
		EXPECT_EQ(failure_of([&] { network.add_route("wg0", {test_prefix(address), MAIN_TABLE}); }), text);
		return text;
	};

	EXPECT_EQ(told(EACCES, "fd00::1/64").find("Permission denied. IPv6 is switched off here: sysctl net.ipv6.conf.all.disable_ipv6=0"), 0u);
	EXPECT_EQ(told(EOPNOTSUPP, "fd00::1/64"), "Operation not supported. This kernel runs without IPv6: remove it from the file");
	EXPECT_EQ(told(EACCES, "10.0.0.1/24"), "Permission denied");
	EXPECT_EQ(told(EEXIST, "fd00::1/64"), "File exists");
}

TEST_F(KernelNetworks, main_routes_are_those_of_link_and_table)
{
	kernel.answers[RTM_GETROUTE] = {route(AF_INET, 16, 7).address(RTA_DST, "10.0.0.0"), route(AF_INET, 16, 8).address(RTA_DST, "10.1.0.0"),
					route(AF_INET, 16, 7, 99).address(RTA_DST, "10.2.0.0"), route(AF_INET, 0, 7),
					route(AF_INET, 32, 7, RT_TABLE_MAIN, RTM_F_CLONED).address(RTA_DST, "10.3.0.0")};
	std::vector<Prefix> found = network.main_routes("wg0");
	ASSERT_EQ(found.size(), 2u);
	EXPECT_EQ(format_prefix(found[0]), "10.0.0.0/16");
	EXPECT_EQ(format_prefix(found[1]), "0.0.0.0/0");
	EXPECT_FALSE(network.is_table_empty(99));
	EXPECT_TRUE(network.is_table_empty(98));
}

TEST_F(KernelNetworks, the_kernel_is_asked_for_no_more_routes_than_are_wanted)
{
	network.main_routes("wg0");
	EXPECT_EQ(kernel.number<rtmsg>(RTA_TABLE), 254u);
	EXPECT_EQ(kernel.number<rtmsg>(RTA_OIF), 7u);
	network.added_routes("wg0");
	EXPECT_EQ(kernel.attribute<rtmsg>(RTA_TABLE), "-");
	EXPECT_EQ(kernel.number<rtmsg>(RTA_OIF), 7u);
	network.is_table_empty(98);
	EXPECT_EQ(kernel.number<rtmsg>(RTA_TABLE), 98u);
	EXPECT_EQ(kernel.attribute<rtmsg>(RTA_OIF), "-");
	kernel.errors[RTM_GETROUTE] = ENOENT;
	EXPECT_TRUE(network.is_table_empty(98));
}

TEST_F(KernelNetworks, a_route_is_added_to_a_large_table)
{
	network.add_route("wg0", {test_prefix("0.0.0.0/0"), 51820});
	EXPECT_EQ(kernel.fixed<rtmsg>()->rtm_table, RT_TABLE_UNSPEC);
	EXPECT_EQ(kernel.fixed<rtmsg>()->rtm_scope, RT_SCOPE_LINK);
	EXPECT_EQ(kernel.number<rtmsg>(RTA_TABLE), 51820u);
	EXPECT_EQ(kernel.number<rtmsg>(RTA_OIF), 7u);
	EXPECT_EQ(kernel.attribute<rtmsg>(RTA_DST), "-");
	network.add_route("wg0", {test_prefix("10.0.0.0/8"), 254});
	EXPECT_EQ(kernel.fixed<rtmsg>()->rtm_table, RT_TABLE_MAIN);
	EXPECT_EQ(kernel.fixed<rtmsg>()->rtm_dst_len, 8);
}

TEST_F(KernelNetworks, the_mtu_of_a_way_is_that_of_the_route_or_the_link)
{
	kernel.answers[RTM_GETROUTE] = {route(AF_INET, 32, 7)};
	EXPECT_EQ(network.path_mtu({test_prefix("192.0.2.1")}), 1400u);
	kernel.answers[RTM_GETROUTE] = {route(AF_INET, 32, 7).metric_mtu(1234)};
	EXPECT_EQ(network.path_mtu({test_prefix("192.0.2.1")}), 1234u);
	kernel.errors[RTM_GETROUTE] = ENETUNREACH;
	EXPECT_EQ(network.path_mtu({test_prefix("192.0.2.1")}), std::nullopt);
	kernel.errors.clear();
	kernel.answers[RTM_GETROUTE] = {route(AF_INET, 0, 7).number(RTA_PRIORITY, 5), route(AF_INET, 0, 7).metric_mtu(1111),
					route(AF_INET, 0, 7, 99).metric_mtu(900)};
	EXPECT_EQ(network.path_mtu({}), 1111u);
	kernel.answers[RTM_GETROUTE].clear();
	EXPECT_EQ(network.path_mtu({}), std::nullopt);
}

TEST_F(KernelNetworks, rules_are_read_and_strange_ones_known)
{
	fib_rule_hdr fixed{};
	fixed.family = AF_INET;
	fixed.action = FR_ACT_TO_TBL;
	fixed.flags = FIB_RULE_INVERT;
	Message ours = Message(RTM_NEWRULE, fixed).number(FRA_TABLE, 51820).number(FRA_FWMARK, 51820).number(FRA_FWMASK, UINT32_MAX).number(FRA_PRIORITY, 9).number(FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	Message masked = Message(RTM_NEWRULE, fixed).number(FRA_FWMARK, 5).number(FRA_FWMASK, 7);
	fixed.flags = 0;
	Message specific = Message(RTM_NEWRULE, fixed).number(FRA_TABLE, 254).number(FRA_SUPPRESS_PREFIXLEN, 0);
	fixed.src_len = 8;
	Message from = Message(RTM_NEWRULE, fixed).number(FRA_TABLE, 254);
	kernel.answers[RTM_GETRULE] = {ours, masked, specific, from};
	std::vector<Rule> rules = network.rules(AF_INET);
	ASSERT_EQ(rules.size(), 4u);
	EXPECT_TRUE(rules[0].invert && rules[0].fwmark == 51820u && rules[0].table == 51820 && !rules[0].is_special);
	EXPECT_TRUE(rules[0].priority == 9u && !rules[0].suppress_prefix_length);
	EXPECT_TRUE(rules[1].is_special);
	EXPECT_TRUE(rules[2].suppress_prefix_length == 0u && !rules[2].is_special && !rules[2].invert);
	EXPECT_TRUE(rules[3].is_special);
	EXPECT_TRUE(network.rules(AF_INET6).empty());
}

TEST_F(KernelNetworks, a_kernel_without_ipv6_has_no_rules_of_it)
{
	kernel.errors[RTM_GETRULE] = EAFNOSUPPORT;
	EXPECT_TRUE(network.rules(AF_INET6).empty());
	kernel.errors[RTM_GETRULE] = EPERM;
	EXPECT_NE(failure_of([&] { network.rules(AF_INET6); }), "");
}

TEST_F(KernelNetworks, rules_are_added_and_deleted)
{
	Rule rule{AF_INET6, true, 51820, 51820, {}, {}, false};
	network.add_rule(rule);
	EXPECT_EQ(kernel.last()->nlmsg_type, RTM_NEWRULE);
	EXPECT_EQ(kernel.fixed<fib_rule_hdr>()->family, AF_INET6);
	EXPECT_EQ(kernel.fixed<fib_rule_hdr>()->action, FR_ACT_TO_TBL);
	EXPECT_EQ(kernel.fixed<fib_rule_hdr>()->flags, unsigned{FIB_RULE_INVERT});
	EXPECT_EQ(kernel.number<fib_rule_hdr>(FRA_TABLE), 51820u);
	EXPECT_EQ(kernel.number<fib_rule_hdr>(FRA_FWMARK), 51820u);
	EXPECT_EQ(kernel.attribute<fib_rule_hdr>(FRA_SUPPRESS_PREFIXLEN), "-");
	rule.suppress_prefix_length = 0;
	rule.priority = 77;
	network.delete_rule(rule);
	EXPECT_EQ(kernel.last()->nlmsg_type, RTM_DELRULE);
	EXPECT_EQ(kernel.number<fib_rule_hdr>(FRA_SUPPRESS_PREFIXLEN), 0u);
	EXPECT_EQ(kernel.number<fib_rule_hdr>(FRA_PRIORITY), 77u);
}

}
