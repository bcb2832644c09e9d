// SPDX-License-Identifier: GPL-2.0
#include "hub/new_hub.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "config/quick_config.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Init : testing::Test {
	FakeWorld fake;
	const std::string path = "/etc/wireguard/wg0.conf";

	int run(std::vector<std::string_view> arguments)
	{
		arguments.insert(arguments.begin(), "init");
		fake.host.log.actions.clear();
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake);
	}
	/* What the file has for a key. */
	std::string line(const std::string &key)
	{
		const std::string &text = fake.files.contents[path];
		std::size_t at = text.find("\n" + key + " = ");
		return at == text.npos ? "none" : text.substr(at + key.size() + 4, text.find('\n', at + 1) - at - key.size() - 4);
	}
	/* Of a command line that is refused and writes nothing. */
	std::string refusal(std::vector<std::string_view> arguments)
	{
		EXPECT_EQ(run(arguments), 1);
		EXPECT_EQ(fake.host.log.joined(), "");
		EXPECT_EQ(fake.terminal.out, "");
		return fake.terminal.err;
	}
};

}

TEST_F(Init, a_hub_is_written_with_a_key_of_its_own)
{
	ASSERT_EQ(run({"wg0", "--address", "10.8.0.0/24,fd00:8::/64", "--nat", "--endpoint", "vpn.example.com"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.log.joined(), "folder /etc/wireguard\nwrite " + path + "\n");
	std::optional<Key> key = key_from_base64(line("PrivateKey"));
	ASSERT_TRUE(key);
	EXPECT_EQ(fake.files.contents[path], "[Interface]\n# Endpoint = vpn.example.com:51820\n# Forward = yes\n# Masquerade = yes\nPrivateKey = " +
						     plain(to_base64(*key)) + "\nListenPort = 51820\nAddress = 10.8.0.1/24, fd00:8::1/64\n");
	EXPECT_EQ(fake.terminal.out, path + " is written: address 10.8.0.1/24, fd00:8::1/64, UDP port 51820, which a firewall must let in, public key " +
					     plain(to_base64(public_key_of(*key))) +
					     ".\n\nNext:\n"
					     "  wgctl up wg0                                          brings it up\n"
					     "  systemctl enable wgctl@wg0                            does so at each boot\n"
					     "  wgctl peer add wg0 NAME                               adds a peer, and prints the file for its side\n"
					     "  wgctl peer add wg0 NAME --allowed-ips 0.0.0.0/0,::/0  one that sends all its traffic here\n");
	EXPECT_EQ(fake.terminal.out.find(line("PrivateKey")), std::string::npos);
	std::string first = line("PrivateKey");
	fake.files.contents.erase(path);
	ASSERT_EQ(run({"wg0", "--address", "10.8.0.0/24"}), 0);
	EXPECT_NE(line("PrivateKey"), first);
}

TEST_F(Init, what_is_not_asked_for_is_not_written)
{
	ASSERT_EQ(run({"wg0", "--address=10.8.0.0/24"}), 0) << fake.terminal.err;
	EXPECT_EQ(line("# Masquerade"), "none");
	EXPECT_EQ(line("# Endpoint"), "none");
	EXPECT_EQ(line("# Forward"), "yes");
	EXPECT_NE(fake.terminal.out.find("wgctl peer add wg0 NAME --endpoint HOST "), std::string::npos) << fake.terminal.out;
	EXPECT_EQ(fake.terminal.out.find("--allowed-ips"), std::string::npos) << fake.terminal.out;
}

TEST_F(Init, what_is_written_can_be_used)
{
	fake.files.contents["/proc/sys/net/ipv4/ip_forward"] = "0\n";
	fake.files.contents["/proc/sys/net/ipv4/conf/all/accept_redirects"] = "1\n";
	ASSERT_EQ(run({"wg0", "--address", "10.8.0.0/24", "--nat", "--endpoint", "2001:db8::7"}), 0) << fake.terminal.err;
	std::vector<std::string_view> check{"check", "wg0"}, add{"peer", "add", "wg0", "laptop"}, up{"up", "wg0"};
	EXPECT_EQ(run_command_line(check, fake), 0) << fake.terminal.out;
	fake.terminal.out.clear();
	EXPECT_EQ(run_command_line(add, fake), 0) << fake.terminal.err;
	EXPECT_NE(fake.terminal.out.find("\nAddress = 10.8.0.2/32\n"), std::string::npos) << fake.terminal.out;
	EXPECT_NE(fake.terminal.out.find("\nEndpoint = [2001:db8::7]:51820\n"), std::string::npos) << fake.terminal.out;
	fake.devices.present["wg0"].name = "wg0";
	EXPECT_EQ(run_command_line(up, fake), 0) << fake.terminal.err;
	EXPECT_EQ(fake.files.contents["/proc/sys/net/ipv4/ip_forward"], "1\n");
}

TEST_F(Init, an_address_that_is_given_is_the_hub_s)
{
	ASSERT_EQ(run({"wg0", "--address", "10.8.0.7/24, fd00::5/64"}), 0) << fake.terminal.err;
	EXPECT_EQ(line("Address"), "10.8.0.7/24, fd00::5/64");
}

TEST_F(Init, a_file_elsewhere_is_written_there)
{
	ASSERT_EQ(run({"./hub.conf", "--address", "10.8.0.0/24"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.host.log.joined(), "write ./hub.conf\n");
	EXPECT_NE(fake.terminal.out.find("  wgctl up ./hub.conf "), std::string::npos) << fake.terminal.out;
	EXPECT_EQ(fake.terminal.out.find("systemctl"), std::string::npos) << fake.terminal.out;
}

TEST_F(Init, nothing_is_overwritten)
{
	fake.files.contents[path] = "mine";
	EXPECT_EQ(refusal({"wg0", "--address", "10.8.0.0/24"}), "wgctl: " + path + " exists already: give another name, or remove it first\n");
	EXPECT_EQ(fake.files.contents[path], "mine");
	fake.files.contents.clear();
	fake.host.network.links = {"wg0"};
	EXPECT_EQ(refusal({"wg0", "--address", "10.8.0.0/24"}), "wgctl: interface `wg0' already exists: give another name\n");
	EXPECT_NE(refusal({"/hidden/wg1.conf", "--address", "10.8.0.0/24"}).find("Permission denied"), std::string::npos);
}

TEST_F(Init, the_port_is_the_endpoint_s_or_one_that_nobody_has)
{
	fake.devices.order = {"wg7"};
	fake.devices.present["wg7"].listen_port = 51820;
	fake.files.contents["/etc/wireguard/wg8.conf"] = "[Interface]\nListenPort = 51821\n";
	fake.files.contents["/etc/wireguard/broken.conf"] = "[Interface\nListenPort = x\n";
	ASSERT_EQ(run({"wg0", "--address", "10.8.0.0/24", "--endpoint", "vpn.example.com"}), 0) << fake.terminal.err;
	EXPECT_EQ(line("ListenPort"), "51822");
	EXPECT_EQ(line("# Endpoint"), "vpn.example.com:51822");
	fake.files.contents.erase(path);
	ASSERT_EQ(run({"wg0", "--address", "10.8.0.0/24", "--endpoint", "192.0.2.1:443"}), 0) << fake.terminal.err;
	EXPECT_EQ(line("ListenPort"), "443");
	fake.files.contents.erase(path);
	EXPECT_NE(refusal({"wg0", "--address", "10.8.0.0/24", "--endpoint", "192.0.2.1:51821"})
			  .find("--endpoint: the port 51821 is that of /etc/wireguard/wg8.conf: give another"), std::string::npos) << fake.terminal.err;
}

TEST_F(Init, a_network_that_is_here_already_is_refused)
{
	fake.host.network.others = {{"eth0", test_prefix("10.8.0.5/16")}};
	fake.files.contents["/etc/wireguard/wg8.conf"] = "[Interface]\nAddress = 10.9.3.1/24\n";
	EXPECT_NE(refusal({"wg0", "--address", "10.8.3.0/24"}).find("--address: 10.8.3.0/24 overlaps 10.8.0.0/16 of eth0: give another network"),
		  std::string::npos) << fake.terminal.err;
	EXPECT_NE(refusal({"wg0", "--address", "10.9.0.0/16"}).find("overlaps 10.9.3.0/24 of /etc/wireguard/wg8.conf"), std::string::npos)
		<< fake.terminal.err;
	EXPECT_NE(refusal({"wg0", "--address", "10.7.0.0/24,10.7.0.0/16"}).find("--address: 10.7.0.0/16 overlaps 10.7.0.0/24 of this list"), std::string::npos) << fake.terminal.err;
}

TEST_F(Init, what_cannot_be_a_hub_s_is_refused)
{
	for (auto [words, expected] : std::vector<std::pair<std::vector<std::string_view>, std::string>>{
		     {{"wg0"}, "--address NET, for example"},
		     {{"wg0", "--address", "10.8.0.0"}, "10.8.0.0/32 is no network for a few machines"},
		     {{"wg0", "--address", "10.8.0.0/31"}, "is no network for a few machines"},
		     {{"wg0", "--address", "::/0"}, "is no network for a few machines"},
		     {{"wg0", "--address", "10.8.0.255/24"}, "is the network's broadcast address"},
		     {{"wg0", "--address", "10.8.0.0/99"}, "--address: "},
		     {{"wg0", "--address", "10.8.0.0/24", "--endpoint", "a b"}, "--endpoint: neither an IP address nor a name"},
		     {{"wg0", "--address", "10.8.0.0/24", "--endpoint", "a:0"}, "--endpoint: the port is not 1-65535"},
		     {{"wg0", "--address", "10.8.0.0/24", "--endpoint", "http://a:1"}, "--endpoint: this is the address of a web page"},
		     {{"a-name-that-is-too-long", "--address", "10.8.0.0/24"}, "it has 23 characters, and 15 are the most"},
		     {{"/tmp/wg0", "--address", "10.8.0.0/24"}, "nor that of a file NAME.conf"}})
		EXPECT_NE(refusal(words).find(expected), std::string::npos) << fake.terminal.err;
}

}
