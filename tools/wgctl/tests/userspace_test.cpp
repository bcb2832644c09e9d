// SPDX-License-Identifier: GPL-2.0
#include "kernel/userspace.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

namespace {

struct FakeSockets : ConfigSockets {
	std::map<std::string, std::string> replies;
	std::vector<std::string> requests;

	std::vector<std::string> names() override
	{
		std::vector<std::string> list;
		for (const auto &[name, reply] : replies)
			list.push_back(name);
		return list;
	}
	bool exists(const std::string &name) override { return replies.contains(name); }
	Text exchange(const std::string &name, std::string_view request) override
	{
		requests.emplace_back(request);
		return Text(replies.at(name));
	}
};

const std::string HEX1 = "0101010101010101010101010101010101010101010101010101010101010101";

struct Userspace : testing::Test {
	FakeSockets sockets;
	UserspaceDevices devices{sockets};

	Device get(const std::string &reply)
	{
		sockets.replies["wg0"] = reply;
		return devices.get("wg0");
	}
};

}

TEST_F(Userspace, reply_is_read)
{
	Device device = get("private_key=" + HEX1 + "\nlisten_port=5\nfwmark=6\nprotocol_version=1\npublic_key=" + HEX1 +
			    "\npreshared_key=" + HEX1 +
			    "\nendpoint=[2001:db8::1]:7\nallowed_ip=10.0.0.0/8\nallowed_ip=::/0\nlast_handshake_time_sec=8\n"
			    "last_handshake_time_nsec=9\nrx_bytes=10\ntx_bytes=11\npersistent_keepalive_interval=12\nunknown=x\nerrno=0\n\n");

	EXPECT_EQ(device.name, "wg0");
	EXPECT_TRUE(device.private_key == test_key(1));
	EXPECT_TRUE(device.public_key == public_key_of(test_key(1)));
	EXPECT_EQ(device.listen_port, 5);
	EXPECT_EQ(device.fwmark, 6u);
	ASSERT_EQ(device.peers.size(), 1u);
	const Peer &peer = device.peers[0];
	EXPECT_TRUE(peer.preshared_key == test_key(1));
	EXPECT_EQ(format_endpoint(*peer.endpoint), "[2001:db8::1]:7");
	EXPECT_EQ(peer.allowed_ips.size(), 2u);
	EXPECT_EQ(peer.last_handshake, (Timestamp{8, 9}));
	EXPECT_EQ(peer.rx_bytes, 10u);
	EXPECT_EQ(peer.tx_bytes, 11u);
	EXPECT_EQ(peer.persistent_keepalive, 12);
}

TEST_F(Userspace, broken_replies_are_protocol_errors)
{
	for (const std::string &reply :
	     {std::string("private_key=zz\n"), std::string("listen_port=70000\n"), std::string("foo\n"), std::string("listen_port=5"),
	      "public_key=" + HEX1 + "\nendpoint=1.2.3.4\n", "public_key=" + HEX1 + "\nendpoint=[::1:5\n",
	      "public_key=" + HEX1 + "\nallowed_ip=1.2.3.4\n", "public_key=" + HEX1 + "\nallowed_ip=1.2.3.4/33\n",
	      "public_key=" + HEX1 + "\nendpoint=[:5\n", "public_key=" + HEX1 + "\nendpoint=:5\n"})
		EXPECT_EQ(failure_of([&] { get(reply); }), "Protocol error") << reply;
}

TEST_F(Userspace, handshake_beyond_all_time_is_a_protocol_error)
{
	std::string begin = "public_key=" + HEX1 + "\nlast_handshake_time_sec=";

	EXPECT_EQ(failure_of([&] { get(begin + "9223372036854775807\nerrno=0\n\n"); }), "");
	EXPECT_EQ(failure_of([&] { get(begin + "9223372036854775808\nerrno=0\n\n"); }), "Protocol error");
}

TEST_F(Userspace, errno_of_the_reply_is_the_failure)
{
	EXPECT_EQ(failure_of([&] { get("errno=2\n\n"); }), "No such file or directory");
}

TEST_F(Userspace, change_is_written_out)
{
	FakeWorld world;
	Device change;
	change.name = "wg0";
	change.private_key = test_key(1);
	change.listen_port = 5;
	change.fwmark = 6;
	change.replace_peers = true;
	change.peers.resize(2);
	change.peers[0].public_key = test_key(1);
	change.peers[0].preshared_key = test_key(0);
	change.peers[0].endpoint = parse_endpoint("192.0.2.1:7", world);
	change.peers[0].persistent_keepalive = 8;
	change.peers[0].replace_allowed_ips = true;
	change.peers[0].allowed_ips = {test_prefix("10.0.0.0/8")};
	change.peers[1].public_key = test_key(1);
	change.peers[1].remove = true;
	sockets.replies["wg0"] = "errno=0\n\n";
	devices.set(change);

	EXPECT_EQ(sockets.requests.at(0),
		  "set=1\nprivate_key=" + HEX1 + "\nlisten_port=5\nfwmark=6\nreplace_peers=true\npublic_key=" + HEX1 + "\npreshared_key=" +
			  std::string(64, '0') +
			  "\nendpoint=192.0.2.1:7\npersistent_keepalive_interval=8\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\npublic_key=" +
			  HEX1 + "\nremove=true\n\n");
}

TEST_F(Userspace, change_without_an_answer_is_an_error)
{
	Device change;
	change.name = "wg0";
	sockets.replies["wg0"] = "";
	EXPECT_EQ(failure_of([&] { devices.set(change); }), "Protocol error");
	sockets.replies["wg0"] = "errno=1\n\n";
	EXPECT_EQ(failure_of([&] { devices.set(change); }), "Operation not permitted");
}

TEST_F(Userspace, sockets_and_kernel_are_one_list)
{
	FakeDevices kernel;
	kernel.order = {"wg1", "wg0"};
	kernel.present["wg1"].listen_port = 1;
	sockets.replies["wg0"] = "listen_port=2\nerrno=0\n\n";
	AllDevices all(kernel, devices, sockets);

	EXPECT_EQ(all.names(), (std::vector<std::string>{"wg0", "wg1"}));
	EXPECT_EQ(all.get("wg0").listen_port, 2);
	EXPECT_EQ(all.get("wg1").listen_port, 1);
}

}
