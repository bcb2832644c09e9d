// SPDX-License-Identifier: GPL-2.0
/* What `show` can beyond wg(8): names and JSON. */
#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Show : testing::Test {
	FakeWorld fake;

	Show()
	{
		Device &device = fake.devices.present["wg0"];

		fake.devices.order.push_back("wg0");
		device.name = "wg0";
		device.private_key = test_key(9);
		device.public_key = test_key(8);
		device.listen_port = 51820;
		device.fwmark = 0xca6c;
		device.peers.resize(2);
		device.peers[0].public_key = test_key(1);
		device.peers[0].preshared_key = test_key(3);
		device.peers[0].endpoint = parse_endpoint("[2001:db8::1]:5", fake);
		device.peers[0].allowed_ips = {test_prefix("10.0.0.2/32"), test_prefix("fd00::/64")};
		device.peers[0].persistent_keepalive = 25;
		device.peers[0].last_handshake = {fake.clock.time - 60, 0};
		device.peers[0].rx_bytes = 1024;
		device.peers[0].tx_bytes = UINT64_MAX;
		device.peers[1].public_key = test_key(2);
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Peer]\n# Name = lap\"top\nPublicKey = " + K1 + "\n";
	}
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake);
	}
	const std::string &out() const { return fake.terminal.out; }
	const std::string &err() const { return fake.terminal.err; }
	bool tells(const std::string &text) const { return out().find(text) != std::string::npos; }
};

}

TEST_F(Show, json_is_the_documented_schema)
{
	EXPECT_EQ(run({"show", "wg0", "--json"}), 0);
	EXPECT_EQ(out(), R"({
  "version": 1,
  "interfaces": [
    {
      "name": "wg0",
      "public_key": ")" + K8 + R"(",
      "has_private_key": true,
      "listen_port": 51820,
      "fwmark": 51820,
      "binding": null,
      "state": null,
      "peers": [
        {
          "public_key": ")" + K1 + R"(",
          "name": "lap\"top",
          "has_preshared_key": true,
          "endpoint": "[2001:db8::1]:5",
          "allowed_ips": [
            "10.0.0.2/32",
            "fd00::/64"
          ],
          "latest_handshake": 1699999940,
          "rx_bytes": 1024,
          "tx_bytes": 18446744073709551615,
          "persistent_keepalive": 25,
          "policy": null,
          "state": null
        },
        {
          "public_key": ")" + K2 + R"(",
          "name": null,
          "has_preshared_key": false,
          "endpoint": null,
          "allowed_ips": [],
          "latest_handshake": null,
          "rx_bytes": 0,
          "tx_bytes": 0,
          "persistent_keepalive": null,
          "policy": null,
          "state": null
        }
      ]
    }
  ]
}
)");
	std::string one = out();
	EXPECT_EQ(run({"show", "--json"}), 0);
	EXPECT_EQ(out(), one);
	EXPECT_EQ(run({"show", "--json", "all"}), 0);
	EXPECT_EQ(out(), one);
}

TEST_F(Show, json_has_no_secret_unless_asked)
{
	fake.environment.variables["WG_HIDE_KEYS"] = "never";
	run({"show", "--json"});
	EXPECT_FALSE(tells(K9));
	EXPECT_FALSE(tells(K3));
	run({"show", "--json", "--secrets"});
	EXPECT_TRUE(tells("\"private_key\": \"" + K9 + "\""));
	EXPECT_TRUE(tells("\"preshared_key\": \"" + K3 + "\""));
	EXPECT_TRUE(tells("\"preshared_key\": null"));
}

TEST_F(Show, json_without_interfaces_is_a_document)
{
	fake.devices.order.clear();
	EXPECT_EQ(run({"show", "--json"}), 0);
	EXPECT_EQ(out(), "{\n  \"version\": 1,\n  \"interfaces\": []\n}\n");
}

TEST_F(Show, json_leaves_out_what_cannot_be_read)
{
	fake.devices.order.push_back("wg1");
	EXPECT_EQ(run({"show", "--json"}), 0);
	EXPECT_TRUE(tells("wg0"));
	EXPECT_EQ(err(), "wgctl: cannot read interface `wg1': No such device\n");
	EXPECT_EQ(run({"show", "wg1", "--json"}), 1);
	EXPECT_EQ(out(), "");
}

TEST_F(Show, output_that_cannot_be_written_is_an_error)
{
	fake.devices.order.push_back("wg1");
	fake.devices.present["wg1"].name = "wg1";
	fake.terminal.is_full = true;
	for (std::vector<std::string_view> arguments : std::vector<std::vector<std::string_view>>{
		     {}, {"show"}, {"show", "all", "dump"}, {"show", "--json"}, {"show", "interfaces"}, {"show", "wg0"}}) {
		EXPECT_EQ(run(arguments), 1);
		EXPECT_EQ(err(), "wgctl: standard output: No space left on device\n");
	}
}

TEST_F(Show, names_stand_before_keys_when_asked_for)
{
	run({"show", "wg0"});
	EXPECT_TRUE(tells("peer: " + K1 + "\n"));
	EXPECT_FALSE(tells("lap\"top"));
	EXPECT_EQ(run({"show", "--names", "wg0"}), 0);
	EXPECT_TRUE(tells("peer: lap\"top\n  public key: " + K1 + "\n"));
	EXPECT_TRUE(tells("peer: " + K2 + "\n"));
}

TEST_F(Show, secrets_are_shown_when_asked_for)
{
	run({"show", "wg0"});
	EXPECT_FALSE(tells(K9));
	run({"show", "wg0", "--secrets"});
	EXPECT_TRUE(tells(K9));
}

TEST_F(Show, what_does_not_go_together_is_refused)
{
	for (std::vector<std::string_view> wrong : std::vector<std::vector<std::string_view>>{
		     {"show", "wg0", "dump", "--json"}, {"show", "wg0", "peers", "--names"}, {"show", "interfaces", "--json"},
		     {"show", "--jason"}, {"show", "wg0", "dump", "x"}}) {
		EXPECT_EQ(run(wrong), 1);
		EXPECT_EQ(out(), "");
		EXPECT_NE(err(), "");
	}
	EXPECT_EQ(run({"show", "--jason"}), 1);
	EXPECT_EQ(err(), "wgctl: show: unknown option `--jason': did you mean --json? (wgctl show --help)\n");
	EXPECT_EQ(run({"show", "-j"}), 1);
	EXPECT_EQ(err(), "wgctl: show: unknown option `-j' (wgctl show --help)\n");
	EXPECT_EQ(run({"up", "-v", "wg0"}), 1);
	EXPECT_EQ(err(), "wgctl: up: unknown option `-v' (wgctl up --help)\n");
}

}
