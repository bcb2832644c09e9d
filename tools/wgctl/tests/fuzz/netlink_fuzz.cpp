// SPDX-License-Identifier: GPL-2.0
/* The kernel's answers. The first byte says what is asked; each datagram of the answer is a byte for its
 * size in units of four, and its bytes. Its messages get the sequence number that is waited for. Of size
 * 0, it is an error of the socket. Behind the last one the kernel says that this was all.
 */
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <deque>

#include "kernel/devices.h"
#include "kernel/network.h"
#include "kernel/request.h"
#include "tests/fuzz/fuzz.h"
#include "view/format.h"
#include "view/json.h"

namespace {

using namespace wgctl;
using namespace wgctl::fuzz;

constexpr std::uint16_t FAMILY = 30;
constexpr std::uint32_t LINK = 7;

enum class Links { are_there, are_asked_for };

/* What there is to read, and what was sent. */
struct Kernel {
	std::string_view left;
	Links links = Links::are_there;
	std::vector<std::string> changes;
	/* When not empty, answers to the next dump of the family. */
	std::deque<std::string> replay;
};

/* A message of the kernel, under construction. */
nlmsghdr *put_message(void *buffer, std::uint16_t type, std::size_t fixed)
{
	std::memset(buffer, 0, 128);
	nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	mnl_nlmsg_put_extra_header(message, fixed);
	return message;
}

class Socket : public NetlinkSocket {
public:
	explicit Socket(Kernel &kernel) : kernel_(kernel) {}

	ssize_t send(const void *message, std::size_t size) override
	{
		nlmsghdr header;
		std::memcpy(&header, message, sizeof(header));
		must(header.nlmsg_len == size && size <= MESSAGE_LIMIT, "a request has its size");
		sequence_ = header.nlmsg_seq;
		type_ = header.nlmsg_type;
		is_dump_ = (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
		is_first_ = true;
		if (type_ == FAMILY && !is_dump_)
			kernel_.changes.emplace_back(static_cast<const char *>(message), size);
		return static_cast<ssize_t>(size);
	}
	ssize_t receive(void *buffer, std::size_t size) override
	{
		bool is_first = std::exchange(is_first_, false);

		if (type_ == GENL_ID_CTRL || (type_ == RTM_GETLINK && !is_dump_ && kernel_.links == Links::are_there))
			return sealed(is_first ? known(buffer) : put_message(buffer, NLMSG_ERROR, sizeof(nlmsgerr)));
		if (!kernel_.replay.empty()) {
			std::string next = kernel_.replay.front();
			kernel_.replay.pop_front();
			std::memcpy(buffer, next.data(), next.size());
			return sealed(static_cast<nlmsghdr *>(buffer));
		}
		if (kernel_.left.empty())
			return sealed(put_message(buffer, is_dump_ ? NLMSG_DONE : NLMSG_ERROR, is_dump_ ? sizeof(int) : sizeof(nlmsgerr)));
		return given(buffer, size);
	}

private:
	/* The family, or the link: so that what comes behind it is reached. */
	nlmsghdr *known(void *buffer)
	{
		if (type_ == GENL_ID_CTRL) {
			nlmsghdr *message = put_message(buffer, GENL_ID_CTRL, sizeof(genlmsghdr));
			mnl_attr_put_u16(message, CTRL_ATTR_FAMILY_ID, FAMILY);
			return message;
		}
		nlmsghdr *message = put_message(buffer, RTM_NEWLINK, sizeof(ifinfomsg));
		static_cast<ifinfomsg *>(mnl_nlmsg_get_payload(message))->ifi_index = LINK;
		mnl_attr_put_u32(message, IFLA_MTU, 1420);
		return message;
	}
	ssize_t sealed(nlmsghdr *message)
	{
		message->nlmsg_seq = sequence_;
		return message->nlmsg_len;
	}
	ssize_t given(void *buffer, std::size_t size)
	{
		std::size_t wanted = static_cast<unsigned char>(kernel_.left[0]) * std::size_t{4};

		kernel_.left.remove_prefix(1);
		errno = EIO;
		if (!wanted)
			return -1;
		size = std::min({size, wanted, kernel_.left.size()});
		std::memcpy(buffer, kernel_.left.data(), size);
		kernel_.left.remove_prefix(size);
		for (std::size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
			nlmsghdr header;
			std::memcpy(&header, static_cast<char *>(buffer) + at, sizeof(header));
			header.nlmsg_seq = sequence_;
			std::memcpy(static_cast<char *>(buffer) + at, &header, sizeof(header));
			at += std::max<std::size_t>(MNL_ALIGN(std::size_t{header.nlmsg_len}), sizeof(header));
		}
		return static_cast<ssize_t>(size);
	}

	Kernel &kernel_;
	std::uint32_t sequence_ = 0;
	std::uint16_t type_ = 0;
	bool is_first_ = true, is_dump_ = false;
};

/* Of `ethtool -S`: two numbers for how many counters there are when asked for names and for values. */
std::string_view counters;

std::uint32_t next_number(std::uint32_t otherwise)
{
	std::uint32_t number = otherwise;

	if (counters.size() < sizeof(number))
		return number;
	std::memcpy(&number, counters.data(), sizeof(number));
	counters.remove_prefix(sizeof(number));
	return number;
}

void must_be_prefixes(const std::vector<Prefix> &list)
{
	for (const Prefix &prefix : list)
		must((prefix.family == AF_INET || prefix.family == AF_INET6) && prefix.cidr <= prefix.bits(), "a prefix is one");
}

std::string in_words(const Device &device)
{
	std::string text;

	for (const Peer &peer : device.peers) {
		text += std::string(std::string_view(to_base64(peer.public_key)));
		text += peer.preshared_key ? std::string(std::string_view(to_base64(*peer.preshared_key))) : "-";
		text += peer.endpoint ? std::string(std::string_view(format_endpoint(*peer.endpoint))) : "-";
		text += std::to_string(peer.persistent_keepalive.value_or(1));
		for (const Prefix &prefix : peer.allowed_ips)
			text += " " + format_prefix(prefix);
		text += "\n";
	}
	return text;
}

/* Its peers many times over, each with a key of its own; of two, the allowed IPs. */
Device multiplied(const Device &device)
{
	std::size_t times = 1 + device.peers.size() * 13 % 200;
	Device result = device;

	if (device.peers.size() == 2) {
		std::vector<Prefix> &list = result.peers[0].allowed_ips, once = list;
		for (std::size_t time = 0; time < 1200 && !once.empty(); time += once.size())
			list.insert(list.end(), once.begin(), once.end());
		return result;
	}

	result.peers.clear();
	for (std::size_t time = 0; time < times; ++time)
		for (Peer peer : device.peers) {
			peer.public_key.bytes[30] ^= static_cast<std::uint8_t>(time);
			if (result.peers.empty() || !(result.peers.back().public_key == peer.public_key))
				result.peers.push_back(peer);
		}
	return result;
}

/* What was read can be shown; and written, in as many messages as it takes. */
void device_is_sound(const Device &device, KernelDevices &devices, Kernel &kernel)
{
	for (const Peer &peer : device.peers) {
		must_be_prefixes(peer.allowed_ips);
		must(peer.last_handshake.seconds >= 0, "a time is after 1970");
	}
	format_pretty(device, {}, 1'700'000'000);
	format_field(device, "dump", true);
	to_text(json_of(device, {}, Secrets::hidden));

	Device many = multiplied(device);
	kernel.left = {};
	many.name = "wg0";
	devices.set(many);
	kernel.replay.assign(kernel.changes.begin(), kernel.changes.end());
	must_equal(in_words(devices.get("wg0")), in_words(many), "what is written is what was to be written");
}

using Question = void (*)(KernelDevices &, KernelNetwork &, Kernel &);

const Question QUESTIONS[] = {
	[](KernelDevices &devices, KernelNetwork &, Kernel &kernel) {
		Device device = devices.get("wg0");
		works([&] { device_is_sound(device, devices, kernel); });
	},
	[](KernelDevices &devices, KernelNetwork &, Kernel &) { devices.names(); },
	[](KernelDevices &, KernelNetwork &network, Kernel &) { must_be_prefixes(network.addresses("wg0")); },
	[](KernelDevices &, KernelNetwork &network, Kernel &) { must_be_prefixes(network.main_routes("wg0")); },
	[](KernelDevices &, KernelNetwork &network, Kernel &) {
		for (const Route &route : network.added_routes("wg0"))
			must_be_prefixes({route.destination});
	},
	[](KernelDevices &, KernelNetwork &network, Kernel &) { network.path_mtu({}); },
	[](KernelDevices &, KernelNetwork &network, Kernel &) { network.path_mtu({test_prefix("192.0.2.1/32"), 7, "wg0"}); },
	[](KernelDevices &, KernelNetwork &network, Kernel &) {
		for (std::uint16_t family : FAMILIES)
			for (const Rule &rule : network.rules(family))
				must(rule.family == family, "a rule is of its family");
	},
	[](KernelDevices &, KernelNetwork &network, Kernel &) { network.is_table_empty(51820); },
	[](KernelDevices &, KernelNetwork &network, Kernel &) {
		FakeWorld fake;
		network.way_to(parse_endpoint("[2001:db8::1]:7", fake), 1, "eth0");
	},
	[](KernelDevices &, KernelNetwork &network, Kernel &kernel) {
		kernel.links = Links::are_asked_for;
		network.has_link("wg0");
		network.mtu("wg0");
		network.is_up("wg0");
	},
	[](KernelDevices &, KernelNetwork &network, Kernel &) {
		network.add_wireguard("wg0", {});
		network.add_address("wg0", test_prefix("10.0.0.1/24"));
		network.add_route("wg0", {test_prefix("::/0"), 51820});
		network.add_rule({AF_INET, true, 51820, 51820, 0, 7, false});
		network.set_up("wg0", 1420);
		network.delete_rule({AF_INET6, false, {}, MAIN_TABLE, 0, {}, false});
		network.delete_route("wg0", {test_prefix("10.0.0.0/8"), MAIN_TABLE});
		network.delete_address("wg0", test_prefix("10.0.0.1/24"));
		network.delete_link("wg0");
	},
	[](KernelDevices &devices, KernelNetwork &, Kernel &) {
		Device change;
		change.name = "wg0";
		devices.set(change);
	},
	[](KernelDevices &, KernelNetwork &network, Kernel &kernel) {
		counters = kernel.left;
		for (const Counter &counter : network.statistics("wg0"))
			must(counter.name.size() <= ETH_GSTRING_LEN && counter.name.find('\0') == std::string::npos, "a counter has a name");
	},
};

}

/* What stands in for the kernel behind ethtool.cpp. It writes as many counters as it has, whatever room
 * there is, as the real one does. */
extern "C" int ioctl(int, unsigned long request, ...)
{
	va_list arguments;
	std::uint32_t command;

	va_start(arguments, request);
	char *data = va_arg(arguments, ifreq *)->ifr_data;
	va_end(arguments);
	std::memcpy(&command, data, sizeof(command));
	must(request == SIOCETHTOOL, "counters are asked for");
	if (command == ETHTOOL_GSSET_INFO) {
		auto *info = reinterpret_cast<ethtool_sset_info *>(data);
		std::uint32_t count = next_number(0);
		std::memcpy(data + sizeof(*info), &count, sizeof(count));
		info->sset_mask = count == 77 ? 0 : info->sset_mask;
		errno = EOPNOTSUPP;
		return count == 78 ? -1 : 0;
	}
	bool is_names = command == ETHTOOL_GSTRINGS;
	std::size_t count = next_number(3) % 4096, size = count * (is_names ? ETH_GSTRING_LEN : 8);
	if (is_names)
		reinterpret_cast<ethtool_gstrings *>(data)->len = static_cast<std::uint32_t>(count);
	else
		reinterpret_cast<ethtool_stats *>(data)->n_stats = static_cast<std::uint32_t>(count);
	char *rest = data + (is_names ? sizeof(ethtool_gstrings) : sizeof(ethtool_stats));
	std::memset(rest, 'x', size);
	std::memcpy(rest, counters.data(), std::min(size, counters.size()));
	errno = ENODEV;
	return count == 79 ? -1 : 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Kernel kernel;
	OpenNetlink open = [&kernel](int) { return std::make_unique<Socket>(kernel); };
	KernelDevices devices(open);
	KernelNetwork network(open);

	if (!size)
		return 0;
	kernel.left = std::string_view(reinterpret_cast<const char *>(data), size).substr(1);
	fails([&] { QUESTIONS[data[0] % std::size(QUESTIONS)](devices, network, kernel); });
	return 0;
}
