// SPDX-License-Identifier: GPL-2.0
/* KernelDevices against a kernel that is a list of prepared datagrams. */
#include "kernel/devices.h"

#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <climits>
#include <cstring>
#include <deque>

#include "../../../uapi/linux/wireguard_extensions.h"
#include "kernel/netlink.h"
#include "tests/fakes.h"

namespace wgctl {

using namespace std::string_literals;

namespace {

constexpr std::uint16_t FAMILY = 0x21;

/* Builds datagrams of one or more messages. Can be copied: all places are offsets. */
class Datagram {
public:
	Datagram() : buffer_(60 << 10) {}

	Datagram &message(std::uint16_t type, std::uint16_t flags = 0)
	{
		messages_.push_back(size());
		nlmsghdr *header = mnl_nlmsg_put_header(buffer_.data() + messages_.back());
		header->nlmsg_type = type;
		header->nlmsg_flags = flags;
		return *this;
	}
	Datagram &generic(std::uint16_t flags = NLM_F_MULTI) { return message(FAMILY, flags).extra(sizeof(genlmsghdr)); }
	Datagram &error(int number, const std::string &words = "", bool capped = true)
	{
		message(NLMSG_ERROR, static_cast<std::uint16_t>((words.empty() ? 0 : NLM_F_ACK_TLVS) | (capped ? NLM_F_CAPPED : 0)));
		auto *payload = static_cast<nlmsgerr *>(mnl_nlmsg_put_extra_header(header(), sizeof(nlmsgerr)));
		payload->error = -number;
		payload->msg.nlmsg_len = sizeof(nlmsghdr);
		if (!capped) {
			/* The request's payload is repeated before the attributes. */
			payload->msg.nlmsg_len += 8;
			extra(8);
		}
		return words.empty() ? *this : text(NLMSGERR_ATTR_MSG, words.c_str());
	}
	Datagram &done(int number = 0, std::uint16_t flags = 0)
	{
		message(NLMSG_DONE, NLM_F_MULTI | flags);
		*static_cast<int *>(mnl_nlmsg_put_extra_header(header(), sizeof(int))) = number == INT_MIN ? number : -number;
		return *this;
	}
	Datagram &extra(std::size_t size, const void *data = nullptr)
	{
		void *place = mnl_nlmsg_put_extra_header(header(), size);
		if (data)
			std::memcpy(place, data, size);
		return *this;
	}
	Datagram &put(std::uint16_t type, const void *data, std::size_t size)
	{
		mnl_attr_put(header(), type, size, data);
		return *this;
	}
	template<class T>
	Datagram &number(std::uint16_t type, T value)
	{
		return put(type, &value, sizeof(value));
	}
	Datagram &text(std::uint16_t type, const char *value) { return put(type, value, std::strlen(value) + 1); }
	Datagram &key(std::uint16_t type, std::uint8_t number) { return put(type, test_key(number).bytes.data(), WG_KEY_LEN); }
	Datagram &open(std::uint16_t type)
	{
		nests_.push_back(reinterpret_cast<char *>(mnl_attr_nest_start(header(), type)) - buffer_.data());
		return *this;
	}
	Datagram &close()
	{
		mnl_attr_nest_end(header(), reinterpret_cast<nlattr *>(buffer_.data() + nests_.back()));
		nests_.pop_back();
		return *this;
	}
	Datagram &prefix(const char *text)
	{
		Prefix prefix = test_prefix(text);
		return open(0)
			.number(WGALLOWEDIP_A_CIDR_MASK, prefix.cidr)
			.number(WGALLOWEDIP_A_FAMILY, prefix.family)
			.put(WGALLOWEDIP_A_IPADDR, prefix.address.data(), prefix.bits() / 8)
			.close();
	}
	/* The bytes, with the sequence number of the request they answer. */
	std::string bytes(std::uint32_t sequence)
	{
		for (std::size_t message : messages_)
			at(message)->nlmsg_seq = sequence;
		std::string text(buffer_.data(), size());
		if (claimed_length_)
			std::memcpy(text.data() + messages_.back(), &*claimed_length_, sizeof(*claimed_length_));
		return text;
	}
	/* What the last message says of its length, whatever it is. */
	Datagram &claim(std::uint32_t length)
	{
		claimed_length_ = length;
		return *this;
	}

private:
	nlmsghdr *at(std::size_t offset) { return reinterpret_cast<nlmsghdr *>(buffer_.data() + offset); }
	nlmsghdr *header() { return at(messages_.back()); }
	std::size_t size() { return messages_.empty() ? 0 : messages_.back() + MNL_ALIGN(header()->nlmsg_len); }

	Buffer buffer_;
	std::vector<std::size_t> messages_;
	std::vector<std::ptrdiff_t> nests_;
	std::optional<std::uint32_t> claimed_length_;
};

struct FakeKernel {
	/* One list of datagrams per request to the family (or to rtnetlink); the last is used again. */
	std::vector<std::vector<Datagram>> answers{{Datagram().error(0)}};
	std::vector<std::string> requests;
	bool has_family = true, has_groups = true;
	/* Those that were joined, and what joining fails with. */
	std::vector<std::uint32_t> joined;
	int join_error = 0;
	/* What is sent to groups. */
	std::deque<Datagram> told;
	/* This many system calls are interrupted first. */
	int interruptions = 0;
};

class FakeSocket : public NetlinkSocket {
public:
	FakeSocket(FakeKernel &kernel, int protocol) : kernel_(kernel), protocol_(protocol) {}

	ssize_t send(const void *message, std::size_t size) override
	{
		if (interrupted())
			return -1;
		const auto *header = static_cast<const nlmsghdr *>(message);
		EXPECT_EQ(header->nlmsg_len, size);
		EXPECT_TRUE(header->nlmsg_flags & NLM_F_REQUEST);
		if (protocol_ == NETLINK_GENERIC && header->nlmsg_type == GENL_ID_CTRL) {
			Datagram answer;
			if (kernel_.has_family)
				answer.message(GENL_ID_CTRL).extra(sizeof(genlmsghdr)).number(CTRL_ATTR_FAMILY_ID, FAMILY);
			if (kernel_.has_family && kernel_.has_groups) {
				answer.open(CTRL_ATTR_MCAST_GROUPS);
				for (std::uint32_t id = 1; const char *name : {"endpoints", "events", "strangers"})
					answer.open(0).number(CTRL_ATTR_MCAST_GRP_ID, id++).text(CTRL_ATTR_MCAST_GRP_NAME, name).close();
				answer.close();
			}
			answer.error(kernel_.has_family ? 0 : ENOENT);
			datagrams_.push_back(answer.bytes(header->nlmsg_seq));
			return static_cast<ssize_t>(size);
		}
		std::size_t index = std::min(kernel_.requests.size(), kernel_.answers.size() - 1);
		kernel_.requests.emplace_back(static_cast<const char *>(message), size);
		for (Datagram &datagram : kernel_.answers[index])
			datagrams_.push_back(datagram.bytes(header->nlmsg_seq));
		return static_cast<ssize_t>(size);
	}

	ssize_t receive(void *buffer, std::size_t size) override
	{
		if (interrupted())
			return -1;
		if (datagrams_.empty() && !kernel_.told.empty()) {
			datagrams_.push_back(kernel_.told.front().bytes(0));
			kernel_.told.pop_front();
		}
		if (datagrams_.empty()) {
			errno = ENOBUFS;
			return -1;
		}
		std::string datagram = datagrams_.front();
		datagrams_.pop_front();
		EXPECT_LE(datagram.size(), size);
		std::memcpy(buffer, datagram.data(), datagram.size());
		return static_cast<ssize_t>(datagram.size());
	}

	int join(std::uint32_t group) override
	{
		kernel_.joined.push_back(group);
		return kernel_.join_error;
	}
	int descriptor() override { return 5; }

private:
	bool interrupted()
	{
		errno = EINTR;
		return kernel_.interruptions > 0 && kernel_.interruptions--;
	}
	FakeKernel &kernel_;
	int protocol_;
	std::deque<std::string> datagrams_;
};

struct Kernel : testing::Test {
	FakeKernel kernel;
	KernelDevices devices{[this](int protocol) { return std::make_unique<FakeSocket>(kernel, protocol); }};

	std::string get_failure()
	{
		return failure_of([&] { devices.get("wg0"); });
	}
	std::string set_failure(const Device &change = {})
	{
		return failure_of([&] { devices.set(change); });
	}
};

/* What the sent SET messages say, read back independently of the code under test. */
struct SentPeer {
	Key key;
	std::uint32_t flags = 0;
	std::vector<std::string> allowed_ips;
	bool has_preshared_key = false, has_endpoint = false, has_keepalive = false;
};
struct SentMessage {
	std::uint8_t command = 0;
	std::string name;
	std::uint32_t flags = 0;
	bool has_private_key = false;
	int listen_port = -1;
	std::int64_t fwmark = -1;
	std::vector<SentPeer> peers;
};

template<class T>
T value_of(const nlattr *attribute)
{
	T value{};
	EXPECT_EQ(mnl_attr_get_payload_len(attribute), sizeof(T));
	std::memcpy(static_cast<void *>(&value), mnl_attr_get_payload(attribute), sizeof(T));
	return value;
}

SentPeer sent_peer(const nlattr *nest)
{
	SentPeer peer;

	for_each_attribute(nest, [&](const nlattr *attribute) {
		int type = mnl_attr_get_type(attribute);
		if (type == WGPEER_A_PUBLIC_KEY)
			peer.key.bytes = value_of<decltype(peer.key.bytes)>(attribute);
		if (type == WGPEER_A_FLAGS)
			peer.flags = value_of<std::uint32_t>(attribute);
		peer.has_preshared_key |= type == WGPEER_A_PRESHARED_KEY;
		peer.has_endpoint |= type == WGPEER_A_ENDPOINT;
		peer.has_keepalive |= type == WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL;
		if (type != WGPEER_A_ALLOWEDIPS)
			return;
		for_each_attribute(attribute, [&](const nlattr *entry) {
			Prefix prefix;
			std::uint32_t flags = 0;
			for_each_attribute(entry, [&](const nlattr *part) {
				int kind = mnl_attr_get_type(part);
				if (kind == WGALLOWEDIP_A_FAMILY)
					prefix.family = value_of<std::uint16_t>(part);
				if (kind == WGALLOWEDIP_A_CIDR_MASK)
					prefix.cidr = value_of<std::uint8_t>(part);
				if (kind == WGALLOWEDIP_A_IPADDR)
					std::memcpy(prefix.address.data(), mnl_attr_get_payload(part), mnl_attr_get_payload_len(part));
				if (kind == WGALLOWEDIP_A_FLAGS)
					flags = value_of<std::uint32_t>(part);
			});
			peer.allowed_ips.push_back((flags & WGALLOWEDIP_F_REMOVE_ME ? "-" : "") + format_prefix(prefix));
		});
	});
	return peer;
}

SentMessage sent_message(const std::string &request)
{
	SentMessage message;
	const auto *header = reinterpret_cast<const nlmsghdr *>(request.data());

	EXPECT_EQ(header->nlmsg_type, FAMILY);
	message.command = static_cast<const genlmsghdr *>(mnl_nlmsg_get_payload(header))->cmd;
	for_each_attribute(header, sizeof(genlmsghdr), [&](const nlattr *attribute) {
		int type = mnl_attr_get_type(attribute);
		if (type == WGDEVICE_A_IFNAME)
			message.name = mnl_attr_get_str(attribute);
		if (type == WGDEVICE_A_FLAGS)
			message.flags = value_of<std::uint32_t>(attribute);
		if (type == WGDEVICE_A_LISTEN_PORT)
			message.listen_port = value_of<std::uint16_t>(attribute);
		if (type == WGDEVICE_A_FWMARK)
			message.fwmark = value_of<std::uint32_t>(attribute);
		message.has_private_key |= type == WGDEVICE_A_PRIVATE_KEY;
		if (type == WGDEVICE_A_PEERS)
			for_each_attribute(attribute, [&](const nlattr *entry) { message.peers.push_back(sent_peer(entry)); });
	});
	return message;
}

std::vector<SentMessage> sent(const FakeKernel &kernel)
{
	std::vector<SentMessage> messages;

	for (const std::string &request : kernel.requests)
		messages.push_back(sent_message(request));
	return messages;
}

Peer numbered_peer(unsigned number)
{
	Peer peer;
	std::memcpy(peer.public_key.bytes.data(), &number, sizeof(number));
	peer.replace_allowed_ips = true;
	return peer;
}

Prefix numbered_prefix(unsigned number)
{
	Prefix prefix;
	prefix.family = AF_INET;
	prefix.cidr = 32;
	const std::uint32_t address = htonl(10u << 24 | number);
	std::memcpy(prefix.address.data(), &address, sizeof(address));
	return prefix;
}

}

TEST_F(Kernel, device_and_peer_are_read)
{
	FakeWorld world;
	Endpoint endpoint = parse_endpoint("192.0.2.1:5", world);
	const std::int64_t time[] = {123, 456};
	kernel.answers = {{Datagram()
				   .generic()
				   .number<std::uint16_t>(WGDEVICE_A_LISTEN_PORT, 51820)
				   .number<std::uint32_t>(WGDEVICE_A_FWMARK, 7)
				   .text(WGDEVICE_A_IFNAME, "wg0")
				   .key(WGDEVICE_A_PRIVATE_KEY, 9)
				   .key(WGDEVICE_A_PUBLIC_KEY, 8)
				   .open(WGDEVICE_A_PEERS)
				   .open(0)
				   .key(WGPEER_A_PUBLIC_KEY, 1)
				   .key(WGPEER_A_PRESHARED_KEY, 2)
				   .put(WGPEER_A_LAST_HANDSHAKE_TIME, time, sizeof(time))
				   .number<std::uint16_t>(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25)
				   .number<std::uint64_t>(WGPEER_A_TX_BYTES, 3)
				   .number<std::uint64_t>(WGPEER_A_RX_BYTES, 4)
				   .number<std::uint32_t>(WGPEER_A_PROTOCOL_VERSION, 1)
				   .put(WGPEER_A_ENDPOINT, &endpoint.v4, sizeof(endpoint.v4))
				   .open(WGPEER_A_ALLOWEDIPS)
				   .prefix("10.0.0.0/8")
				   .prefix("::/0")
				   .close()
				   .close()
				   .close(),
			   Datagram().done()}};
	Device device = devices.get("wg0");

	EXPECT_EQ(device.name, "wg0");
	EXPECT_EQ(device.listen_port, 51820);
	EXPECT_EQ(device.fwmark, 7u);
	EXPECT_TRUE(device.private_key == test_key(9) && device.public_key == test_key(8));
	ASSERT_EQ(device.peers.size(), 1u);
	const Peer &peer = device.peers[0];
	EXPECT_TRUE(peer.public_key == test_key(1) && peer.preshared_key == test_key(2));
	EXPECT_EQ(peer.last_handshake, (Timestamp{123, 456}));
	EXPECT_EQ(peer.persistent_keepalive, 25);
	EXPECT_EQ(peer.tx_bytes, 3u);
	EXPECT_EQ(peer.rx_bytes, 4u);
	EXPECT_EQ(format_endpoint(*peer.endpoint), "192.0.2.1:5");
	ASSERT_EQ(peer.allowed_ips.size(), 2u);
	EXPECT_EQ(format_prefix(peer.allowed_ips[1]), "::/0");
	SentMessage request = sent(kernel).at(0);
	EXPECT_EQ(request.command, WG_CMD_GET_DEVICE);
	EXPECT_EQ(request.name, "wg0");
}

TEST_F(Kernel, peer_continued_in_the_next_part_is_one_peer)
{
	auto part = [](std::uint8_t key, const char *prefix) {
		return Datagram()
			.generic()
			.open(WGDEVICE_A_PEERS)
			.open(0)
			.key(WGPEER_A_PUBLIC_KEY, key)
			.open(WGPEER_A_ALLOWEDIPS)
			.prefix(prefix)
			.close()
			.close()
			.close();
	};
	kernel.answers = {{part(1, "10.0.0.0/8"), part(1, "10.1.0.0/16"), part(2, "10.2.0.0/16"), part(1, "10.3.0.0/16"),
			   Datagram().done()}};
	Device device = devices.get("wg0");

	ASSERT_EQ(device.peers.size(), 3u);
	EXPECT_EQ(device.peers[0].allowed_ips.size(), 2u);
	EXPECT_EQ(device.peers[2].allowed_ips.size(), 1u);
}

TEST_F(Kernel, interrupted_dump_is_read_again)
{
	auto reading = [](std::uint16_t flags, std::uint8_t key) {
		return std::vector<Datagram>{
			Datagram().generic(flags).open(WGDEVICE_A_PEERS).open(0).key(WGPEER_A_PUBLIC_KEY, key).close().close(), Datagram().done()};
	};
	kernel.answers = {reading(NLM_F_DUMP_INTR, 1), reading(NLM_F_DUMP_INTR, 2), reading(0, 3)};
	Device device = devices.get("wg0");

	EXPECT_EQ(kernel.requests.size(), 3u);
	ASSERT_EQ(device.peers.size(), 1u);
	EXPECT_TRUE(device.peers[0].public_key == test_key(3));
}

TEST_F(Kernel, dump_interrupted_in_its_last_message_is_read_again)
{
	kernel.answers = {{Datagram().generic(), Datagram().done(0, NLM_F_DUMP_INTR)}, {Datagram().generic(), Datagram().done()}};
	EXPECT_EQ(get_failure(), "");
	EXPECT_EQ(kernel.requests.size(), 2u);
}

TEST_F(Kernel, reading_ends_when_changes_do_not)
{
	kernel.answers = {{Datagram().generic(NLM_F_DUMP_INTR), Datagram().done()}};
	EXPECT_EQ(get_failure(), "what the kernel has does not stop changing");
}

TEST_F(Kernel, interrupted_system_calls_are_repeated)
{
	kernel.interruptions = 5;
	kernel.answers = {{Datagram().generic(), Datagram().done()}};
	EXPECT_EQ(get_failure(), "");
}

TEST_F(Kernel, several_messages_in_one_datagram_are_all_read)
{
	Datagram datagram;
	datagram.generic().number<std::uint16_t>(WGDEVICE_A_LISTEN_PORT, 5);
	datagram.generic().number<std::uint32_t>(WGDEVICE_A_FWMARK, 6);
	datagram.done();
	kernel.answers = {{datagram}};
	Device device = devices.get("wg0");

	EXPECT_EQ(device.listen_port, 5);
	EXPECT_EQ(device.fwmark, 6u);
}

TEST_F(Kernel, malformed_attributes_are_passed_over)
{
	kernel.answers = {{Datagram()
				   .generic()
				   .number<std::uint8_t>(WGDEVICE_A_LISTEN_PORT, 5)
				   .number<std::uint8_t>(WGDEVICE_A_PRIVATE_KEY, 5)
				   .put(WGDEVICE_A_IFNAME, "wg9", 3)
				   .number<std::uint32_t>(900, 1)
				   .open(WGDEVICE_A_PEERS)
				   .open(0)
				   .close()
				   .open(0)
				   .key(WGPEER_A_PUBLIC_KEY, 1)
				   .number<std::uint32_t>(WGPEER_A_ENDPOINT, 7)
				   .number<std::uint32_t>(WGPEER_A_LAST_HANDSHAKE_TIME, 7)
				   .open(WGPEER_A_ALLOWEDIPS)
				   .open(0)
				   .number<std::uint16_t>(WGALLOWEDIP_A_FAMILY, AF_INET)
				   .number<std::uint8_t>(WGALLOWEDIP_A_IPADDR, 1)
				   .close()
				   .close()
				   .close()
				   .close(),
			   Datagram().done()}};
	Device device = devices.get("wg0");

	EXPECT_EQ(device.listen_port.value_or(0), 0);
	EXPECT_FALSE(device.private_key);
	EXPECT_EQ(device.name, "wg0");
	ASSERT_EQ(device.peers.size(), 1u);
	EXPECT_FALSE(device.peers[0].endpoint);
	EXPECT_TRUE(device.peers[0].allowed_ips.empty());
}

TEST_F(Kernel, message_longer_than_its_datagram_is_none)
{
	for (std::uint32_t length : {0u, 15u, 1000u, 0x80000000u, 0x92929292u, UINT32_MAX}) {
		kernel.answers = {{Datagram().generic().number<std::uint16_t>(WGDEVICE_A_LISTEN_PORT, 5).claim(length), Datagram().done()}};
		EXPECT_EQ(devices.get("wg0").listen_port.value_or(0), 0) << length;
	}
}

TEST_F(Kernel, handshake_before_1970_is_none)
{
	std::int64_t parts[2] = {INT64_MIN, 1};
	kernel.answers = {{Datagram()
				   .generic()
				   .open(WGDEVICE_A_PEERS)
				   .open(0)
				   .key(WGPEER_A_PUBLIC_KEY, 1)
				   .put(WGPEER_A_LAST_HANDSHAKE_TIME, parts, sizeof(parts))
				   .close()
				   .close(),
			   Datagram().done()}};
	EXPECT_EQ(devices.get("wg0").peers.at(0).last_handshake.seconds, 0);
}

TEST_F(Kernel, errors_have_the_systems_words_and_the_kernels)
{
	kernel.answers = {{Datagram().error(ENODEV)}};
	EXPECT_EQ(get_failure(), "No such device");
	EXPECT_EQ(set_failure(), "No such device");
	kernel.answers = {{Datagram().error(EINVAL, "this is why")}};
	EXPECT_EQ(set_failure(), "Invalid argument: this is why");
	kernel.answers = {{Datagram().error(EINVAL, "this is why", false)}};
	EXPECT_EQ(set_failure(), "Invalid argument: this is why");
}

TEST_F(Kernel, error_at_the_end_of_a_dump_is_an_error)
{
	kernel.answers = {{Datagram().generic(), Datagram().done(EMSGSIZE)}};
	EXPECT_EQ(get_failure(), "Message too long");
}

TEST_F(Kernel, the_least_of_all_errors_is_one)
{
	kernel.answers = {{Datagram().done(INT_MIN)}};
	EXPECT_NE(get_failure(), "");
}

TEST_F(Kernel, without_the_family_there_is_no_protocol)
{
	kernel.has_family = false;
	EXPECT_EQ(get_failure(), "Protocol not supported: this kernel has no WireGuard; modprobe wireguard loads it");
	EXPECT_EQ(set_failure(), "Protocol not supported: this kernel has no WireGuard; modprobe wireguard loads it");
}

TEST_F(Kernel, lost_answers_are_an_error)
{
	kernel.answers = {{}};
	EXPECT_EQ(get_failure(), "netlink: No buffer space available");
}

TEST_F(Kernel, interfaces_are_listed_by_kind)
{
	auto newlink = [](const char *name, const char *kind) {
		Datagram datagram;
		datagram.message(RTM_NEWLINK, NLM_F_MULTI);
		datagram.extra(sizeof(ifinfomsg));
		datagram.text(IFLA_IFNAME, name);
		if (kind)
			datagram.open(IFLA_LINKINFO).text(IFLA_INFO_KIND, kind).close();
		return datagram;
	};
	kernel.answers = {{newlink("lo", nullptr), newlink("wg1", "wireguard"), newlink("br0", "bridge"), newlink("wg0", "wireguard"),
			   Datagram().done()}};
	EXPECT_EQ(devices.names(), (std::vector<std::string>{"wg1", "wg0"}));
}

/* It comes from the command line, and went into a buffer of 32 KiB whatever its length. */
TEST_F(Kernel, name_that_no_interface_has_is_not_sent)
{
	for (std::size_t length : {std::size_t{16}, std::size_t{40'000}}) {
		Device change;
		change.name = std::string(length, 'a');
		std::string expected = "no interface has a name of " + std::to_string(length) + " characters; 15 are the most";
		EXPECT_EQ(failure_of([&] { devices.get(change.name); }), expected);
		EXPECT_EQ(failure_of([&] { devices.set(change); }), expected);
	}
	EXPECT_TRUE(sent(kernel).empty());
}

TEST_F(Kernel, change_says_only_what_changes)
{
	Device change;
	change.name = "wg0";
	change.fwmark = 0;
	devices.set(change);
	std::vector<SentMessage> messages = sent(kernel);

	ASSERT_EQ(messages.size(), 1u);
	EXPECT_EQ(messages[0].command, WG_CMD_SET_DEVICE);
	EXPECT_EQ(messages[0].fwmark, 0);
	EXPECT_EQ(messages[0].listen_port, -1);
	EXPECT_FALSE(messages[0].has_private_key);
	EXPECT_EQ(messages[0].flags, 0u);
	EXPECT_TRUE(messages[0].peers.empty());
}

TEST_F(Kernel, removed_peer_is_its_key_and_nothing_else)
{
	Device change;
	Peer &peer = change.peers.emplace_back(numbered_peer(1));
	peer.remove = true;
	peer.preshared_key = test_key(1);
	peer.persistent_keepalive = 5;
	peer.allowed_ips = {numbered_prefix(1)};
	devices.set(change);
	SentPeer gone = sent(kernel).at(0).peers.at(0);

	EXPECT_TRUE(gone.flags & WGPEER_F_REMOVE_ME);
	EXPECT_TRUE(gone.allowed_ips.empty());
	EXPECT_FALSE(gone.has_preshared_key || gone.has_keepalive);
}

TEST_F(Kernel, removed_prefix_has_its_flag)
{
	Device change;
	Peer &peer = change.peers.emplace_back(numbered_peer(1));
	peer.allowed_ips = {numbered_prefix(1), numbered_prefix(2)};
	peer.allowed_ips[1].remove = true;
	devices.set(change);
	EXPECT_EQ(sent(kernel).at(0).peers.at(0).allowed_ips, (std::vector<std::string>{"10.0.0.1/32", "-10.0.0.2/32"}));
}

TEST_F(Kernel, large_peer_goes_in_several_messages)
{
	constexpr unsigned COUNT = 20000;
	Device change;
	change.name = "wg0";
	change.private_key = test_key(1);
	change.replace_peers = true;
	Peer &peer = change.peers.emplace_back(numbered_peer(1));
	peer.update_only = true;
	peer.preshared_key = test_key(2);
	for (unsigned i = 0; i < COUNT; ++i)
		peer.allowed_ips.push_back(numbered_prefix(i));
	change.peers.push_back(numbered_peer(2));
	devices.set(change);

	std::vector<SentMessage> messages = sent(kernel);
	ASSERT_GT(messages.size(), 2u);
	unsigned next = 0;
	for (std::size_t i = 0; i < messages.size(); ++i) {
		const SentMessage &message = messages[i];
		ASSERT_FALSE(message.peers.empty());
		const SentPeer &part = message.peers[0];
		std::uint32_t first = i == 0;
		EXPECT_EQ(message.name, "wg0");
		EXPECT_EQ(message.flags, first * std::uint32_t{WGDEVICE_F_REPLACE_PEERS});
		EXPECT_EQ(message.has_private_key, first);
		EXPECT_TRUE(part.key == numbered_peer(1).public_key);
		EXPECT_EQ(part.flags, WGPEER_F_UPDATE_ONLY | first * std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS});
		EXPECT_EQ(part.has_preshared_key, first);
		for (const std::string &prefix : part.allowed_ips)
			ASSERT_EQ(prefix, format_prefix(numbered_prefix(next++)));
		EXPECT_LE(kernel.requests[i].size(), 32u << 10);
	}
	EXPECT_EQ(next, COUNT);
	EXPECT_TRUE(messages.back().peers.back().key == numbered_peer(2).public_key);
}

TEST_F(Kernel, many_peers_go_in_several_messages_each_once)
{
	constexpr unsigned COUNT = 10000;
	Device change;
	change.replace_peers = true;
	for (unsigned i = 0; i < COUNT; ++i) {
		change.peers.push_back(numbered_peer(i));
		for (unsigned j = 0; j < i % 5; ++j)
			change.peers.back().allowed_ips.push_back(numbered_prefix(i * 8 + j));
	}
	devices.set(change);

	std::vector<SentPeer> joined;
	for (const SentMessage &message : sent(kernel)) {
		for (const SentPeer &peer : message.peers) {
			if (joined.empty() || !(joined.back().key == peer.key)) {
				EXPECT_TRUE(peer.flags & WGPEER_F_REPLACE_ALLOWEDIPS);
				joined.push_back(peer);
				continue;
			}
			EXPECT_FALSE(peer.flags & WGPEER_F_REPLACE_ALLOWEDIPS);
			joined.back().allowed_ips.insert(joined.back().allowed_ips.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
		}
	}
	ASSERT_EQ(joined.size(), COUNT);
	for (unsigned i = 0; i < COUNT; ++i) {
		ASSERT_TRUE(joined[i].key == numbered_peer(i).public_key);
		ASSERT_EQ(joined[i].allowed_ips.size(), i % 5);
	}
}

TEST_F(Kernel, refused_message_is_the_last_one_sent)
{
	Device change;
	for (unsigned i = 0; i < 10000; ++i)
		change.peers.push_back(numbered_peer(i));
	kernel.answers = {{Datagram().error(0)}, {Datagram().error(EPERM)}};
	EXPECT_EQ(set_failure(change), "Operation not permitted: it takes CAP_NET_ADMIN, which root has");
	EXPECT_EQ(kernel.requests.size(), 2u);
}

TEST_F(Kernel, events_are_read_from_the_groups_that_were_asked_for)
{
	Endpoint endpoint;
	endpoint.v4.sin_family = AF_INET;
	endpoint.v4.sin_port = htons(5);
	auto event = [](std::uint32_t kind, std::uint8_t command = WGX_CMD_EVENT) {
		genlmsghdr header{command, 1, 0};
		Datagram datagram = Datagram().message(FAMILY);
		datagram.extra(sizeof(header), &header).text(WGDEVICE_A_IFNAME, "wg0").number(WGX_A_EVENT, kind);
		return datagram;
	};
	kernel.told = {event(WGX_EVENT_SESSION_ESTABLISHED)
			       .key(WGX_A_PEER, 1)
			       .number(WGX_A_ROLE, std::uint8_t{1})
			       .number(WGX_A_IS_REKEY, std::uint8_t{1})
			       .put(WGX_A_ENDPOINT, &endpoint.v4, sizeof(endpoint.v4)),
		       event(WGX_EVENT_CONFIGURATION_CHANGED).number(WGX_A_GENERATION, 7u).number(WGX_A_PORT_ID, 8u),
		       event(WGX_EVENT_PEER_ADDED, WG_CMD_GET_DEVICE), event(0), event(99)};
	std::unique_ptr<DeviceEvents> events = devices.listen({.strangers = true});
	ASSERT_TRUE(events);
	EXPECT_EQ(kernel.joined, (std::vector<std::uint32_t>{2, 3}));
	EXPECT_EQ(events->descriptor(), 5);
	std::vector<DeviceEvent> first = events->read(), second = events->read();
	ASSERT_EQ(first.size() + second.size(), 2u);
	EXPECT_EQ(first[0].kind, DeviceEvent::Kind::session_established);
	EXPECT_EQ(first[0].interface, "wg0");
	EXPECT_EQ(first[0].peer, test_key(1));
	EXPECT_TRUE(first[0].is_rekey && first[0].is_responder.value());
	EXPECT_EQ(plain(format_endpoint(*first[0].endpoint)), "0.0.0.0:5");
	EXPECT_EQ(second[0].generation, 7u);
	EXPECT_EQ(second[0].port_id, 8u);
	EXPECT_FALSE(second[0].is_responder || second[0].peer || second[0].endpoint);
	/* Answers to others, and kinds that are not known here. */
	EXPECT_TRUE(events->read().empty() && events->read().empty() && events->read().empty());
	/* The fake's socket is empty then: ENOBUFS. */
	EXPECT_EQ(events->read().at(0).kind, DeviceEvent::Kind::missed);
}

TEST_F(Kernel, who_has_no_groups_tells_nothing)
{
	kernel.has_groups = false;
	EXPECT_FALSE(devices.listen({}));
	kernel.has_family = false;
	EXPECT_FALSE(devices.listen({}));
	kernel.has_family = kernel.has_groups = true;
	kernel.join_error = EPERM;
	EXPECT_EQ(failure_of([&] { devices.listen({}); }), "Operation not permitted: it takes CAP_NET_ADMIN, which root has");
}

TEST_F(Kernel, state_is_read_where_the_kernel_tells_it)
{
	std::array<std::uint8_t, 4> source{192, 0, 2, 9};
	kernel.answers = {{Datagram()
				   .generic()
				   .text(WGDEVICE_A_IFNAME, "wg0")
				   .number(WGX_A_UNDER_LOAD, std::uint8_t{1})
				   .number(WGX_A_QUEUED_HANDSHAKES, 5u)
				   .number(WGX_A_COOKIES_SENT, std::uint64_t{6})
				   .text(WGX_A_AEAD, "avx2")
				   .open(WGX_A_DROPS)
				   .open(0)
				   .text(WGX_DROP_A_REASON, "malformed")
				   .number(WGX_DROP_A_COUNT, std::uint64_t{7})
				   .close()
				   .close()
				   .open(WGDEVICE_A_PEERS)
				   .open(0)
				   .key(WGPEER_A_PUBLIC_KEY, 1)
				   .open(WGX_A_STATE)
				   .number(WGX_STATE_A_AWAITS_RESPONSE, std::uint8_t{1})
				   .number(WGX_STATE_A_NEXT_RETRY, std::uint64_t{3500})
				   .text(WGX_STATE_A_LAST_DROP, "no-session")
				   .number(WGX_STATE_A_LAST_DROP_AGE, std::uint64_t{800})
				   .number(WGX_STATE_A_STAGED, 2u)
				   .put(WGX_STATE_A_SOURCE, source.data(), source.size())
				   .number(WGX_STATE_A_PATH_MTU, 1400u)
				   .open(WGX_STATE_A_SESSIONS)
				   .open(0)
				   .number(WGX_SESSION_A_SLOT, std::uint8_t{2})
				   .number(WGX_SESSION_A_ROLE, std::uint8_t{1})
				   .number(WGX_SESSION_A_AGE, std::uint64_t{90'000})
				   .number(WGX_SESSION_A_SENT, std::uint64_t{10})
				   .number(WGX_SESSION_A_RECEIVED, std::uint64_t{11})
				   .close()
				   .close()
				   .close()
				   .close()
				   .close(),
			   Datagram().done()}};
	Device device = devices.get_with_state("wg0");
	const auto *sent = reinterpret_cast<const nlmsghdr *>(kernel.requests.at(0).data());
	EXPECT_EQ(static_cast<const genlmsghdr *>(mnl_nlmsg_get_payload(sent))->cmd, WGX_CMD_GET_DEVICE);
	ASSERT_TRUE(device.state);
	EXPECT_TRUE(device.state->is_under_load);
	EXPECT_EQ(device.state->queued_handshakes, 5u);
	EXPECT_EQ(device.state->cookies_sent, 6u);
	EXPECT_EQ(device.state->aead, "avx2");
	EXPECT_EQ(device.state->drops.at(0).reason + std::to_string(device.state->drops.at(0).count), "malformed7");
	const PeerState &state = device.peers.at(0).state.value();
	EXPECT_TRUE(state.awaits_response);
	EXPECT_EQ(state.next_retry, 3500u);
	EXPECT_EQ(state.last_drop, "no-session");
	EXPECT_EQ(state.last_drop_age, 800u);
	EXPECT_EQ(state.staged, 2u);
	EXPECT_EQ(state.source, "192.0.2.9");
	EXPECT_EQ(state.path_mtu, 1400u);
	const SessionState &session = state.sessions.at(0);
	EXPECT_EQ(session.slot, SessionState::Slot::next);
	EXPECT_TRUE(session.is_responder);
	EXPECT_EQ(session.age, 90'000u);
	EXPECT_EQ(session.sent, 10u);
	EXPECT_EQ(session.received, 11u);
}

TEST_F(Kernel, without_states_the_rest_is_read)
{
	kernel.answers = {{Datagram().error(EOPNOTSUPP)},
			  {Datagram().generic().text(WGDEVICE_A_IFNAME, "wg0").number(WGDEVICE_A_LISTEN_PORT, std::uint16_t{7}), Datagram().done()}};
	Device device = devices.get_with_state("wg0");
	EXPECT_FALSE(device.state);
	EXPECT_EQ(device.listen_port, 7);
	kernel.requests.clear();
	kernel.answers = {{Datagram().error(ENODEV)}};
	EXPECT_EQ(failure_of([&] { devices.get_with_state("wg0"); }), "No such device");
}

TEST_F(Kernel, policy_is_set_by_the_command_that_knows_it)
{
	Device change;
	change.name = "wg0";
	Peer &peer = change.peers.emplace_back();
	peer.public_key = test_key(1);
	kernel.answers = {{Datagram().error(0)}};
	devices.set(change);
	peer.policy = PeerPolicy{true, 9, 7, DSCP_INHERIT};
	devices.set(change);
	change.binding = Binding{"eth0", "192.0.2.1"};
	devices.set(change);
	std::vector<std::uint8_t> commands;
	for (const std::string &request : kernel.requests)
		commands.push_back(static_cast<const genlmsghdr *>(mnl_nlmsg_get_payload(reinterpret_cast<const nlmsghdr *>(request.data())))->cmd);
	EXPECT_EQ(commands, (std::vector<std::uint8_t>{WG_CMD_SET_DEVICE, WGX_CMD_SET_DEVICE, WGX_CMD_SET_DEVICE}));
	std::map<std::uint16_t, std::string> device, of_peer;
	for_each_attribute(reinterpret_cast<const nlmsghdr *>(kernel.requests[2].data()), sizeof(genlmsghdr), [&](const nlattr *attribute) {
		device[mnl_attr_get_type(attribute)] = std::string(static_cast<const char *>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute));
		if (mnl_attr_get_type(attribute) == WGDEVICE_A_PEERS)
			for_each_attribute(attribute, [&](const nlattr *entry) {
				for_each_attribute(entry, [&](const nlattr *one) {
					of_peer[mnl_attr_get_type(one)] =
						std::string(static_cast<const char *>(mnl_attr_get_payload(one)), mnl_attr_get_payload_len(one));
				});
			});
	});
	EXPECT_EQ(device[WGX_A_BIND_DEVICE], std::string("eth0\0", 5));
	EXPECT_EQ(device[WGX_A_BIND_ADDRESS], "\xc0\0\2\1"s);
	EXPECT_EQ(of_peer[WGX_A_PIN_ENDPOINT], "\1");
	EXPECT_EQ(of_peer[WGX_A_OPENED_MARK], "\t\0\0\0"s);
	EXPECT_EQ(of_peer[WGX_A_OUTER_MARK], "\a\0\0\0"s);
	EXPECT_EQ(of_peer[WGX_A_DSCP], "@");
	kernel.answers = {{Datagram().error(EOPNOTSUPP)}};
	EXPECT_EQ(set_failure(change), ONLY_OUR_MODULE);
}

TEST_F(Kernel, policy_is_read_with_the_state)
{
	kernel.answers = {{Datagram()
				   .generic()
				   .text(WGDEVICE_A_IFNAME, "wg0")
				   .number(WGX_A_GENERATION, 3u)
				   .text(WGX_A_BIND_DEVICE, "eth0")
				   .open(WGDEVICE_A_PEERS)
				   .open(0)
				   .key(WGPEER_A_PUBLIC_KEY, 1)
				   .number(WGX_A_PIN_ENDPOINT, std::uint8_t{1})
				   .number(WGX_A_OPENED_MARK, 9u)
				   .number(WGX_A_OUTER_MARK, 7u)
				   .number(WGX_A_DSCP, std::uint8_t{46})
				   .open(WGX_A_STATE)
				   .close()
				   .close()
				   .open(0)
				   .key(WGPEER_A_PUBLIC_KEY, 2)
				   .open(WGX_A_STATE)
				   .close()
				   .close()
				   .close(),
			   Datagram().done()}};
	Device device = devices.get_with_state("wg0");
	EXPECT_EQ(device.binding, (Binding{"eth0", ""}));
	EXPECT_EQ(device.peers.at(0).policy, (PeerPolicy{true, 9, 7, 46}));
	EXPECT_EQ(device.peers.at(1).policy, PeerPolicy());
}

}
