// SPDX-License-Identifier: GPL-2.0
/* `export` and `import`: tunnels in the files of systemd-networkd and NetworkManager. */
#include "config/foreign.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

const std::string FILE_OF = "/x/wg0.conf", NETDEV = "/n/wg0.netdev", NETWORK = "/n/wg0.network", CONNECTION = "/n/wg0.nmconnection";

struct Foreign : testing::Test {
	FakeWorld fake;

	int run(std::vector<std::string_view> words)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(words, fake);
	}
	std::string &text(const std::string &path) { return fake.files.contents[path]; }
	const std::string &out() const { return fake.terminal.out; }
	const std::string &err() const { return fake.terminal.err; }
	static std::string interface(const std::string &lines) { return "[Interface]\nPrivateKey = " + test_key_text(9) + "\n" + lines; }
	static std::string peer(std::uint8_t number, const std::string &lines) { return "\n[Peer]\nPublicKey = " + test_key_text(number) + "\n" + lines; }
	/* What becomes of a file by way of the other program's. */
	std::string there_and_back(const std::string &file, const std::string &format)
	{
		fake.files.contents = {{FILE_OF, file}};
		if (run({"export", FILE_OF, "--format", format, "--out", "/n"}) != 0)
			return err();
		std::string warnings = err();
		EXPECT_EQ(format == "networkd" ? run({"import", NETDEV, NETWORK}) : run({"import", CONNECTION}), 0) << err();
		return warnings + err() + out();
	}
	/* A pair by hand, with these lines behind the keys' and in the .network. */
	int import_pair(const std::string &netdev, const std::string &network)
	{
		text(NETDEV) = "[NetDev]\nName=wg0\nKind=wireguard\n[WireGuard]\nPrivateKey=" + test_key_text(9) + "\n" + netdev;
		text(NETWORK) = "[Match]\nName=wg0\n" + network;
		return run({"import", NETDEV, NETWORK});
	}
	static std::string foreign_peer(const std::string &lines) { return "[WireGuardPeer]\nPublicKey=" + test_key_text(1) + "\n" + lines; }
	int import_connection(const std::string &wireguard, const std::string &allowed, const std::string &rest)
	{
		text(CONNECTION) = "[connection]\nid=Office\nuuid=3\ntype=wireguard\ninterface-name=wg0\n\n[wireguard]\nprivate-key=" + test_key_text(9) + "\n" +
				   wireguard + "\n[wireguard-peer." + test_key_text(1) + "]\nallowed-ips=" + allowed + "\n\n" + rest;
		return run({"import", CONNECTION});
	}
};

}

TEST_F(Foreign, each_file_comes_back_as_it_was)
{
	std::string keyed = "PresharedKey = " + test_key_text(5) + "\n";
	std::string addresses = "Address = 10.9.0.2/32, fd09::2/128\n";

	for (const std::string &file :
	     {interface(""), interface("ListenPort = 51820\nFwMark = 77\n" + addresses + "DNS = 10.9.0.1, fd09::53, example.org, ~corp\nMTU = 1380\n") +
				    "\n[Peer]\n# Name = Ann's laptop\nPublicKey = " + test_key_text(1) + "\n" + keyed +
				    "AllowedIPs = 10.9.0.0/24, fd09::/64, 192.168.7.0/24\nEndpoint = vpn.example.org:51820\nPersistentKeepalive = 25\n" +
				    peer(2, "AllowedIPs = 10.7.0.0/16\nEndpoint = [2001:db8::1]:7\n") + peer(3, ""),
	      interface("FwMark = 4660\n" + addresses + "DNS = 10.9.0.1\n") + peer(1, "AllowedIPs = 0.0.0.0/0, ::/0, 10.0.0.0/8\n"),
	      interface("FwMark = 4660\n" + addresses) + peer(1, "AllowedIPs = 10.0.0.0/8, ::/0\n") + peer(2, "AllowedIPs = 10.9.0.3/32\n"),
	      interface(addresses + "Table = off\n") + peer(1, "AllowedIPs = 0.0.0.0/0, ::/0\n"),
	      interface("FwMark = 4660\n" + addresses + "Table = 99\n") + peer(1, "AllowedIPs = 0.0.0.0/0, ::/0, 10.9.0.2/32\n"),
	      interface("Address = 10.9.0.2/24\n") + peer(1, "AllowedIPs = 10.9.0.0/24, 172.16.0.0/12\n"),
	      interface("Address = 10.9.0.2/24\nDNS = example.org\n") + peer(1, "AllowedIPs = 10.9.0.0/24\n")}) {
		EXPECT_EQ(there_and_back(file, "networkd"), file);
		EXPECT_EQ(there_and_back(file, "networkmanager"), file);
	}
}

TEST_F(Foreign, networkd_gets_its_files_with_their_modes)
{
	there_and_back(interface("Address = 10.9.0.2/24\nDNS = 10.9.0.1\n") + peer(1, "AllowedIPs = 0.0.0.0/0, 10.0.0.0/8\n"), "networkd");
	EXPECT_EQ(text(NETDEV), "[NetDev]\nName=wg0\nKind=wireguard\n\n[WireGuard]\nPrivateKey=" + test_key_text(9) +
					"\nFirewallMark=51820\nRouteTable=off\n\n[WireGuardPeer]\nPublicKey=" + test_key_text(1) +
					"\nAllowedIPs=0.0.0.0/0, 10.0.0.0/8\n");
	EXPECT_EQ(text(NETWORK), "[Match]\nName=wg0\n\n[Network]\nAddress=10.9.0.2/24\nDNS=10.9.0.1\nDomains=~.\n"
				 "\n[Route]\nDestination=10.0.0.0/8\nScope=link\n\n[Route]\nDestination=0.0.0.0/0\nScope=link\nTable=51820\n"
				 "\n[RoutingPolicyRule]\nFamily=ipv4\nTable=main\nSuppressPrefixLength=0\nPriority=32764\n"
				 "\n[RoutingPolicyRule]\nFamily=ipv4\nInvertRule=yes\nFirewallMark=51820\nTable=51820\nPriority=32765\n");
	EXPECT_EQ(fake.host.store.modes[NETDEV], 0640u);
	EXPECT_EQ(fake.host.store.modes[NETWORK], 0644u);
	EXPECT_EQ(fake.host.log.joined(), "write " + NETDEV + "\nstart chgrp systemd-network " + NETDEV + "\nwrite " + NETWORK + "\n");
	fake.files.contents.erase(NETDEV);
	EXPECT_EQ(run({"export", FILE_OF, "--format=networkd", "--out=/n"}), 1);
	EXPECT_FALSE(fake.files.contents.contains(NETDEV)) << "all or nothing";
}

TEST_F(Foreign, networkmanager_gets_its_file)
{
	there_and_back(interface("Address = 10.9.0.2/24\nDNS = 10.9.0.1\n") + peer(1, "AllowedIPs = 0.0.0.0/0\n"), "networkmanager");
	EXPECT_EQ(text(CONNECTION), "[connection]\nid=wg0\ntype=wireguard\ninterface-name=wg0\n\n[wireguard]\nprivate-key=" + test_key_text(9) +
					    "\n\n[wireguard-peer." + test_key_text(1) + "]\nallowed-ips=0.0.0.0/0\n\n[ipv4]\naddress1=10.9.0.2/24\n"
					    "method=manual\ndns=10.9.0.1;\ndns-priority=-50\ndns-search=~.;\n\n[ipv6]\nmethod=disabled\n");
	EXPECT_EQ(fake.host.store.modes[CONNECTION], 0600u);
	fake.terminal.is_open_to_the_world = true;
	EXPECT_EQ(run({"export", FILE_OF, "--format=networkmanager"}), 0);
	EXPECT_EQ(out(), "# wg0.nmconnection\n" + text(CONNECTION));
	EXPECT_NE(err(), "");
	EXPECT_EQ(run({"export", FILE_OF, "--format=ifupdown"}), 1);
}

TEST_F(Foreign, what_export_leaves_out_is_told_by_line)
{
	std::string lost = there_and_back(interface("PostUp = iptables -A x\nSaveConfig = true\n# PreUp = no hook\nPreDown =\n") +
						  peer(1, "# Endpoint = b.example.org:1\n# Expires = 2050-01-01\n") + "\n#[disabled] [Peer]\n#[disabled] PublicKey = x\n",
					  "networkd");
	EXPECT_EQ(lost, "Warning: /x/wg0.conf:3: PostUp is left out: no hooks are run\n"
			"Warning: /x/wg0.conf:4: SaveConfig is left out\n"
			"Warning: /x/wg0.conf:10: an Endpoint in a comment is left out\n"
			"Warning: /x/wg0.conf:11: Expires is left out: the peer is let in for ever, or not at all if its time is over\n"
			"Warning: /x/wg0.conf:13: a disabled peer is left out\n" +
				interface("") + peer(1, ""));
}

TEST_F(Foreign, export_refuses_what_would_let_traffic_go_another_way)
{
	for (const char *line : {"KillSwitch = yes\n", "# KillSwitch = yes\n", "#[disabled] # KillSwitch = yes\n"}) {
		std::string told = there_and_back(interface(line) + peer(1, ""), "networkd");
		EXPECT_EQ(told, "wgctl: /x/wg0.conf:3: KillSwitch: without it, traffic would go past the tunnel; take it out of the file first\n");
	}
	EXPECT_EQ(there_and_back(interface("KillSwitch = no\n"), "networkd"), interface(""));
	for (const std::string &file : {interface("Address = 10.9.0.2/32\n") + peer(1, "AllowedIPs = 0.0.0.0/0, ::/0\n"),
					interface("Address = fd09::2\nDNS = 10.9.0.1\n"), interface("DNS = example.org\n")})
		EXPECT_TRUE(there_and_back(file, "networkmanager").starts_with("wgctl: /x/wg0.conf: ")) << file;
}

TEST_F(Foreign, a_pair_by_hand_is_understood)
{
	text("/k") = test_key_text(5) + "\n";
	EXPECT_EQ(import_pair("PrivateKeyFile=/k\nListenPort=auto\nRouteTable=main\n; comment\n" +
				      foreign_peer("AllowedIPs=10.9.0.0/24 10.7.0.0/16\nAllowedIPs=10.8.0.1\nPresharedKeyFile=/k\n"),
			      "[Link]\nMTUBytes=1300\n[Network]\nAddress=10.9.0.1/24\nDHCP=no\n[Address]\nAddress=fd09::1/64\n[Network]\nDNS=10.9.0.1\nDomains=~.\n"),
		  0) << err();
	EXPECT_EQ(err(), "");
	EXPECT_EQ(out(), "[Interface]\nPrivateKey = " + test_key_text(5) + "\nAddress = 10.9.0.1/24, fd09::1/64\nDNS = 10.9.0.1\nMTU = 1300\n" +
				 peer(1, "PresharedKey = " + test_key_text(5) + "\nAllowedIPs = 10.9.0.0/24, 10.7.0.0/16, 10.8.0.1\n"));
	/* Another number for the table, and both rules of both versions at once. */
	EXPECT_EQ(import_pair("FirewallMark=0x8888\nRouteTable=1000\n" + foreign_peer("AllowedIPs=0.0.0.0/0,::/0\n"),
			      "[RoutingPolicyRule]\nInvertRule=true\nFamily=both\nFirewallMark=34952\nTable=1000\nPriority=11\n"
			      "[RoutingPolicyRule]\nFamily=both\nTable=main\nSuppressPrefixLength=0\nPriority=10\n"),
		  0) << err();
	EXPECT_EQ(out(), interface("FwMark = 0x8888\n") + peer(1, "AllowedIPs = 0.0.0.0/0, ::/0\n"));
	EXPECT_EQ(import_pair(foreign_peer("AllowedIPs=10.7.0.0/16\nEndpoint=a.example.org:1\nRouteTable=5\n"), "[Network]\nDNS=10.9.0.1\nIPMasquerade=ipv4\n"), 0);
	EXPECT_NE(out().find("\nTable = 5\n"), std::string::npos) << out();
	EXPECT_EQ(err(), "Warning: /n/wg0.network:4: these servers are asked for all names from now on\n"
			 "Warning: /n/wg0.network:5: [Network] IPMasquerade has no counterpart: left out\n");
	EXPECT_EQ(import_pair("RouteTable=main\n" + foreign_peer("AllowedIPs=10.7.0.0/16\n"), "[Network]\nDNS=9.9.9.9#dns.quad9.net 10.9.0.1\nDomains=~. corp.example\n"),
		  0);
	EXPECT_NE(out().find("\nDNS = 9.9.9.9, 10.9.0.1, corp.example\n"), std::string::npos) << out();
	EXPECT_EQ(err(), "Warning: /n/wg0.network:4: names for DNS over TLS, behind a #, have no counterpart: left out\n");
	EXPECT_EQ(import_pair("RouteTable=main\n" + foreign_peer("AllowedIPs=0.0.0.0/0\n"), ""), 0);
	EXPECT_NE(out().find("\nTable = 254\n"), std::string::npos) << out();
	EXPECT_EQ(import_pair(foreign_peer("AllowedIPs=10.7.0.0/16\n"), ""), 0);
	EXPECT_NE(out().find("\nTable = off\n"), std::string::npos) << out();
	EXPECT_EQ(err(), "Warning: /n/wg0.netdev: no RouteTable: taken as off; the newest networkd takes it as main\n");
}

TEST_F(Foreign, a_connection_by_hand_is_understood)
{
	EXPECT_EQ(import_connection("listen-port=7\npeer-routes=true\nip4-auto-default-route=-1\n", "0.0.0.0/0;10.1.0.0/16;\npersistent-keepalive=25\nendpoint=a.b:1",
				    "[ipv4]\naddress1=10.9.0.2/32\ndns=10.9.0.1;\ndns-search=~;corp;\nmethod=manual\nmay-fail=false\n[ipv6]\nmethod=disabled\n[proxy]\n"),
		  0) << err();
	EXPECT_EQ(out(), interface("ListenPort = 7\nAddress = 10.9.0.2/32\nDNS = 10.9.0.1, corp\n") +
				 peer(1, "AllowedIPs = 0.0.0.0/0, 10.1.0.0/16\nEndpoint = a.b:1\nPersistentKeepalive = 25\n"));
	EXPECT_EQ(err(), "Warning: /n/wg0.nmconnection:23: [ipv4] may-fail has no counterpart: left out\n");
	EXPECT_EQ(import_connection("private-key-flags=1\n", "", ""), 0);
	EXPECT_EQ(err(), "Warning: /n/wg0.nmconnection:9: [wireguard] private-key-flags has no counterpart: left out\n");
}

TEST_F(Foreign, import_refuses_what_would_send_traffic_another_way)
{
	const std::string all = foreign_peer("AllowedIPs=0.0.0.0/0\n"), some = foreign_peer("AllowedIPs=10.7.0.0/16\n"), mark = "FirewallMark=77\nRouteTable=77\n",
			  specific = "[RoutingPolicyRule]\nSuppressPrefixLength=0\nTable=main\nPriority=10\n",
			  unmarked = "[RoutingPolicyRule]\nInvertRule=yes\nFirewallMark=77\nTable=77\nPriority=";
	ASSERT_EQ(import_pair(mark + all, specific + unmarked + "11\n"), 0) << err();

	for (const auto &[netdev, network] : std::vector<std::pair<std::string, std::string>>{
		     {mark + all, unmarked + "11\n"}, {mark + all, specific + unmarked + "9\n"}, {mark + all, specific},
		     {mark + all, specific + unmarked + "32766\n"}, {mark + all, specific + unmarked + "10\n"}, {mark + all, specific + unmarked + "x\n"},
		     {mark + all, specific + unmarked + "11\nFrom=10.0.0.0/8\n"}, {mark + all, specific + unmarked + "11\nFamily=both\n"},
		     {"RouteTable=77\n" + all, specific + unmarked + "11\n"}, {"RouteMetric=5\n" + some, ""},
		     {some, "[Network]\nGateway=10.9.0.1\n"}, {some, "[Route]\nDestination=10.7.0.0/16\nGateway=10.9.0.1\n"}, {some, "[Route]\nDestination=10.6.0.0/16\n"},
		     {some, "[Network]\nDHCP=yes\n"}, {some, "[Route]\nDestination=10.7.0.0/16\nMetric=7\n"}}) {
		EXPECT_EQ(import_pair(netdev, network), 1) << netdev << network;
		EXPECT_EQ(out(), "");
		EXPECT_EQ(std::count(err().begin(), err().end(), '\n') - (err().find("no RouteTable") != err().npos), 1) << err();
	}
	EXPECT_TRUE(err().ends_with("wgctl: /n/wg0.network:5: [Route] Metric may say where traffic goes, and has no counterpart\n")) << err();

	const std::string four = "[ipv4]\nmethod=manual\naddress1=10.9.0.2/32\n";
	ASSERT_EQ(import_connection("", "0.0.0.0/0;", four), 0) << err();
	for (const auto &[wireguard, allowed, rest] : std::vector<std::array<std::string, 3>>{
		     {"", "0.0.0.0/0;", four + "never-default=true\n"}, {"ip4-auto-default-route=0\n", "0.0.0.0/0;", four}, {"", "10.7.0.0/16;", four + "route-table=9\n"},
		     {"", "10.7.0.0/16;", four + "gateway=10.9.0.1\n"},
		     {"", "10.7.0.0/16;", "[ipv4]\nmethod=manual\naddress1=10.9.0.2/24,10.9.0.1\n"}, {"", "10.7.0.0/16;", four + "route1=10.6.0.0/16\n"}, {"peer-routes=false\n", "0.0.0.0/0;", four},
		     {"", "10.7.0.0/16;", four + "route1=10.7.0.0/16,10.9.0.1\n"}, {"", "0.0.0.0/0;::/0;", four},
		     {"peer-routes=false\n", "10.7.0.0/16;", four + "route1=10.7.0.0/16\nroute1_options=table=9,mtu=1\n"}}) {
		EXPECT_EQ(import_connection(wireguard, allowed, rest), 1) << wireguard << allowed << rest;
		EXPECT_EQ(std::count(err().begin(), err().end(), '\n'), 1) << err();
	}
}

TEST_F(Foreign, what_is_wrong_with_a_foreign_file_is_told_with_its_line)
{
	const std::map<std::string, std::string> wrong{{"MTU", "/n/wg0.netdev:6: neither a section nor, in one, key=value"},
						       {"ListenPort=x", "/n/wg0.netdev:6: ListenPort: neither a number nor a UDP service: `x'"},
						       {"ListenPort=7 # x", "/n/wg0.netdev:6: ListenPort: what stands behind a # has no counterpart"},
						       {"RouteTable=x\\", "/n/wg0.netdev:6: this goes on in the next line: write it in one"},
						       {"PrivateKeyFile=/none", "/n/wg0.netdev:6: PrivateKeyFile: /none: No such file or directory"},
						       {"[WireGuardPeer]\nPublicKey=x", "/n/wg0.netdev:7: PublicKey: "}};
	for (const auto &[line, words] : wrong) {
		EXPECT_EQ(import_pair(line + "\n", ""), 1);
		EXPECT_NE(err().find("wgctl: " + words), std::string::npos) << err();
	}
	text(NETWORK) = "[Match]\nName=wg1\n";
	EXPECT_EQ(run({"import", NETWORK}), 1);
	text(NETDEV) = "[NetDev]\nName=wg0\nKind=wireguard\n";
	EXPECT_EQ(run({"import", NETDEV, NETWORK}), 1);
	EXPECT_EQ(err(), "wgctl: /n/wg0.network: [Match] is not of Name=wg0, as /n/wg0.netdev has it\n");
	EXPECT_EQ(run({"import", NETDEV, NETDEV}), 1);
	EXPECT_EQ(run({"import", NETDEV, CONNECTION}), 1);
	EXPECT_EQ(run({"import", NETDEV, "--out", "/n/other.conf"}), 0);
	EXPECT_EQ(text("/n/other.conf"), "[Interface]\n");
	EXPECT_EQ(fake.host.store.modes["/n/other.conf"], 0600u);
	EXPECT_NE(err().find("call it wg0.conf"), std::string::npos) << err();
	text(NETDEV) = "[NetDev]\nName=wg0\nKind=vlan\n";
	EXPECT_EQ(run({"import", NETDEV}), 1);
	text(CONNECTION) = "[connection]\ntype=vpn\n";
	EXPECT_EQ(run({"import", CONNECTION}), 1);
}

}
