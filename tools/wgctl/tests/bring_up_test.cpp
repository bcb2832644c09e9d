// SPDX-License-Identifier: GPL-2.0
/* up and down: the order of what is done, and that a failure at any point leaves nothing. */
#include "tunnel/bring_up.h"
#include "tunnel/take_down.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"
#include "tunnel/default_route.h"

namespace wgctl {

namespace {

const std::string SYSCTL = "/proc/sys/net/ipv4/conf/all/src_valid_mark";

/* The device takes what it is given, and everything it is given is logged with the rest. */
struct LoggedDevices : FakeDevices {
	explicit LoggedDevices(FakeLog &l) : log(l) {}
	FakeLog &log;

	void set(const Device &change) override
	{
		bool is_mark = !change.replace_peers;
		log.act(is_mark ? "mark " + std::to_string(*change.fwmark) : "configure " + change.name);
		if (is_mark) {
			present[change.name].fwmark = change.fwmark;
			return;
		}
		present[change.name] = change;
		order = {change.name};
	}
};

struct Quick : testing::Test {
	FakeWorld fake;
	LoggedDevices devices{fake.host.log};
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};
	std::string interface = "PrivateKey = " + test_key_text(8) + "\nAddress = 10.0.0.1/24, fd00::1/64\n";
	std::string allowed = "10.1.0.0/16";
	std::string endpoint = "192.0.2.7:5";

	Quick() { fake.files.contents[SYSCTL] = "0\n"; }
	QuickConfig config()
	{
		fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\n" + interface + "[Peer]\nPublicKey = " + test_key_text(1) +
								 "\nEndpoint = " + endpoint + "\nAllowedIPs = " + allowed + "\n";
		return read_quick_config("wg0", world);
	}
	Placement placement(const std::string &home = "", const std::string &birth = "") { return find_placement(home, birth, world); }
	/* A command each: it begins where the user is. */
	std::string up(const std::string &home = "", const std::string &birth = "")
	{
		fake.host.namespaces.present = 1;
		fake.host.log.actions.clear();
		std::string failed = failure_of([&] { bring_up(config(), placement(home, birth), world); });
		return fake.host.log.joined() + (failed.empty() ? "" : "! " + failed + "\n");
	}
	std::string down(const std::string &home = "")
	{
		fake.host.namespaces.present = 1;
		fake.host.log.actions.clear();
		std::string failed = failure_of([&] { take_down(config(), placement(home), world); });
		return fake.host.log.joined() + (failed.empty() ? "" : "! " + failed + "\n");
	}
};

}

TEST_F(Quick, up_goes_in_order)
{
	interface += "DNS = 10.0.0.53\nPreUp = before\nPostUp = after %i\n";
	EXPECT_EQ(up(), "run before\nadd link wg0\nconfigure wg0\naddress 10.0.0.1/24\naddress fd00::1/64\nup wg0 1420\nroute 10.1.0.0/16 table 254\n"
			"dns wg0\nrun after wg0\n");
	EXPECT_EQ(fake.host.dns.last.servers, std::vector<std::string>{"10.0.0.53"});
}

TEST_F(Quick, down_goes_the_other_way)
{
	interface += "DNS = 10.0.0.53\nPreDown = before\nPostDown = after %i\n";
	allowed = "0.0.0.0/0";
	up();
	fake.host.filter.contents["ip other"];
	EXPECT_EQ(down(), "run before\nnft delete table ip wg-quick-wg0\ndelete rule 4 not mark 51820 table 51820 priority 32765\n"
			  "delete rule 4 table 254 suppress 0 priority 32764\nno dns wg0\ndelete link wg0\nrun after wg0\n");
	EXPECT_TRUE(fake.host.network.all_rules.empty());
}

TEST_F(Quick, default_routes_take_a_table_a_mark_and_rules)
{
	allowed = "0.0.0.0/0, ::/0, 10.5.0.0/16";
	EXPECT_EQ(up(), "add link wg0\nconfigure wg0\naddress 10.0.0.1/24\naddress fd00::1/64\nup wg0 1420\nroute 10.5.0.0/16 table 254\n"
			"mark 51820\nroute ::/0 table 51820\nadd rule 6 not mark 51820 table 51820\nadd rule 6 table 254 suppress 0\n"
			"nft add table ip6 wg-quick-wg0\nroute 0.0.0.0/0 table 51820\nadd rule 4 not mark 51820 table 51820\n"
			"add rule 4 table 254 suppress 0\nwrite 1 to " + SYSCTL + "\nnft add table ip wg-quick-wg0\n");
}

TEST_F(Quick, a_sysctl_that_is_right_is_not_touched)
{
	fake.files.contents[SYSCTL] = "1\n";
	allowed = "0.0.0.0/0";
	EXPECT_EQ(up().find("write"), std::string::npos);
}

TEST_F(Quick, a_table_in_use_is_left_alone)
{
	allowed = "0.0.0.0/0";
	fake.host.network.used_tables = {51820, 51821};
	EXPECT_NE(up().find("mark 51822\n"), std::string::npos);
}

TEST_F(Quick, a_mark_of_the_file_is_the_table)
{
	allowed = "::/0";
	interface += "FwMark = 0x10\n";
	std::string log = up();
	EXPECT_EQ(log.find("mark 51820"), std::string::npos) << log;
	EXPECT_NE(log.find("route ::/0 table 16\nadd rule 6 not mark 16 table 16\n"), std::string::npos) << log;
}

TEST_F(Quick, an_address_given_twice_is_refused)
{
	interface += "Address = 10.77.0.1/24, 10.77.0.1/24\n";
	std::string log = up();
	EXPECT_NE(log.find("address 10.77.0.1/24\ndelete link wg0\n! "), std::string::npos) << log;
	EXPECT_NE(log.find("File exists"), std::string::npos) << log;
}

TEST_F(Quick, routes_go_longest_first_and_not_twice)
{
	allowed = "10.1.0.0/16, 10.0.0.9/32, 10.1.2.0/24, 10.1.2.3/32, fd00::/64, fd01::/16";
	std::string log = up();
	EXPECT_NE(log.find("up wg0 1420\nroute 10.1.2.3/32 table 254\nroute 10.1.2.0/24 table 254\nroute 10.1.0.0/16 table 254\n"
			   "route fd01::/16 table 254\n"),
		  std::string::npos)
		<< log;
	EXPECT_EQ(log.find("10.0.0.9"), std::string::npos);
	EXPECT_EQ(log.find("route fd00"), std::string::npos);
}

TEST_F(Quick, tables_are_obeyed)
{
	allowed = "0.0.0.0/0, 10.0.0.9/32";
	interface += "Table = off\n";
	EXPECT_EQ(up().find("route"), std::string::npos);
	fake.host.network.links.clear();
	interface += "Table = 77\n";
	std::string log = up();
	EXPECT_NE(log.find("route 10.0.0.9/32 table 77\nroute 0.0.0.0/0 table 77\n"), std::string::npos) << log;
	EXPECT_EQ(log.find("rule"), std::string::npos);
}

TEST_F(Quick, the_mtu_fits_the_widest_way)
{
	fake.host.network.path_mtus = {{"default", 1400}, {"192.0.2.7", 9000}};
	EXPECT_NE(up().find("up wg0 8920\n"), std::string::npos);
	fake.host.network.links.clear();
	fake.host.network.path_mtus.erase("192.0.2.7");
	EXPECT_NE(up().find("up wg0 1320\n"), std::string::npos);
	fake.host.network.links.clear();
	fake.host.network.path_mtus.clear();
	EXPECT_NE(up().find("up wg0 1420\n"), std::string::npos);
	fake.host.network.links.clear();
	interface += "MTU = 1334\n";
	EXPECT_NE(up().find("up wg0 1334\n"), std::string::npos);
}

/* With less, the kernel takes it off the link. */
TEST_F(Quick, the_mtu_leaves_room_for_ipv6)
{
	fake.host.network.path_mtus = {{"default", 1300}};
	EXPECT_NE(up().find("up wg0 1280\n"), std::string::npos);
	fake.host.network.links.clear();
	std::string both = interface;
	interface += "MTU = 1279\n";
	EXPECT_EQ(up(), "! /etc/wireguard/wg0.conf:4: with MTU 1279 the kernel takes no IPv6 address: make it 1280 or more, or remove the IPv6 addresses\n");
	interface = both.replace(both.find(", fd00::1/64"), 12, "");
	EXPECT_NE(up().find("up wg0 1220\n"), std::string::npos);
}

TEST_F(Quick, the_mtu_is_that_of_the_way_of_the_mark)
{
	interface += "FwMark = 9\n";
	up();
	EXPECT_EQ(fake.host.network.last_way.mark, 9u);
}

/* Every action of a full `up' fails once; what was done before is undone in reverse, and no more. */
TEST_F(Quick, a_failure_at_any_point_leaves_nothing)
{
	interface += "DNS = 10.0.0.53\nPreUp = before\nPostUp = after\n";
	allowed = "0.0.0.0/0, ::/0, 10.5.0.0/16";
	up();
	std::vector<std::string> steps = fake.host.log.actions;
	ASSERT_EQ(steps.size(), 19u);
	const std::map<std::string, std::string> undone_by = {
		{"add link wg0", "delete link wg0"},
		{"dns wg0", "no dns wg0"},
		{"mark 51820", "mark 0"},
		{"route ::/0 table 51820", "no route ::/0 table 51820"},
		{"route 0.0.0.0/0 table 51820", "no route 0.0.0.0/0 table 51820"},
		{"add rule 6 not mark 51820 table 51820", "delete rule 6 not mark 51820 table 51820"},
		{"add rule 6 table 254 suppress 0", "delete rule 6 table 254 suppress 0"},
		{"add rule 4 not mark 51820 table 51820", "delete rule 4 not mark 51820 table 51820"},
		{"add rule 4 table 254 suppress 0", "delete rule 4 table 254 suppress 0"},
		{"write 1 to " + SYSCTL, "write 0 to " + SYSCTL},
		{"nft add table ip6 wg-quick-wg0", "nft delete table ip6 wg-quick-wg0"},
		{"nft add table ip wg-quick-wg0", "nft delete table ip wg-quick-wg0"},
	};
	for (std::size_t failing = 0; failing < steps.size(); ++failing) {
		fake.host.network.links.clear();
		fake.host.network.all_rules.clear();
		fake.host.network.link_routes.clear();
		fake.host.network.link_added_routes.clear();
		fake.host.network.link_addresses.clear();
		fake.host.filter.contents.clear();
		fake.files.contents[SYSCTL] = "0\n";
		fake.host.log.broken = steps[failing];
		std::string log = up(), expected;
		for (std::size_t i = 0; i < failing; ++i)
			expected += steps[i] + "\n";
		for (std::size_t i = failing; i-- > 0;)
			if (undone_by.contains(steps[i]))
				expected += undone_by.at(steps[i]) + "\n";
		EXPECT_EQ(log.substr(0, log.find("! ")), expected) << steps[failing];
		EXPECT_NE(log.find("! "), std::string::npos);
		EXPECT_TRUE(fake.host.network.links.empty());
		EXPECT_TRUE(fake.host.network.all_rules.empty());
		EXPECT_EQ(fake.files.contents[SYSCTL][0], '0');
	}
}

TEST_F(Quick, a_kernel_without_wireguard_gets_a_program_that_has_it)
{
	fake.host.network.has_wireguard = false;
	EXPECT_EQ(up(), "start wireguard-go wg0\nconfigure wg0\naddress 10.0.0.1/24\naddress fd00::1/64\nup wg0 1420\nroute 10.1.0.0/16 table 254\n");
	EXPECT_NE(fake.terminal.err.find("This kernel has no WireGuard (modprobe wireguard): falling back to wireguard-go"), std::string::npos);
	EXPECT_EQ(down(), "delete link wg0\n");
	fake.environment.variables["WG_QUICK_USERSPACE_IMPLEMENTATION"] = "/opt/other";
	EXPECT_EQ(up().find("start /opt/other wg0\nconfigure wg0\n"), 0u);
}

TEST_F(Quick, what_stops_the_program_leaves_nothing)
{
	fake.host.network.has_wireguard = false;
	fake.host.shell.statuses["wireguard-go wg0"] = 127;
	EXPECT_EQ(up(), "start wireguard-go wg0\n! cannot start wireguard-go wg0: this kernel has no WireGuard, and there is no such program: modprobe "
			"wireguard, or install wireguard-go\n");
	fake.host.shell.statuses["wireguard-go wg0"] = 3;
	EXPECT_EQ(up(), "start wireguard-go wg0\n! cannot start wireguard-go wg0: it ended with status 3\n");
	fake.host.shell.statuses.clear();
	fake.host.log.broken = "address 10.0.0.1/24";
	EXPECT_EQ(up(), "start wireguard-go wg0\nconfigure wg0\ndelete link wg0\n! /etc/wireguard/wg0.conf:3: cannot add address 10.0.0.1/24 to "
			"wg0: broken\n");
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	EXPECT_NE(up("", "box").find("! this kernel has no WireGuard, and without it an interface cannot have its sockets in another namespace"),
		  std::string::npos);
}

TEST_F(Quick, an_interruption_is_undone)
{
	fake.host.shell.interruption = "address 10.0.0.1/24";
	EXPECT_EQ(up(), "add link wg0\nconfigure wg0\naddress 10.0.0.1/24\ndelete link wg0\n! /etc/wireguard/wg0.conf:3: interrupted\n");
}

TEST_F(Quick, a_wrong_file_is_refused_before_anything_is_done)
{
	interface += "PreUp = before\n";
	allowed = "10.0.0.0/33";
	EXPECT_NE(up().find("! /etc/wireguard/wg0.conf:8: AllowedIPs"), std::string::npos);
	EXPECT_TRUE(fake.host.log.actions.empty());
	allowed = "10.1.0.0/16";
	interface += "MTU = 67\n";
	EXPECT_EQ(up(), "! /etc/wireguard/wg0.conf:5: MTU is less than 68: 67\n");
}

TEST_F(Quick, looking_at_a_file_asks_no_name_server)
{
	endpoint = "nowhere.example:5";
	fake.resolver.errors = {};
	EXPECT_EQ(failure_of([&] { parse_without_lookup(config(), world); }), "");
}

TEST_F(Quick, an_interface_that_is_there_is_refused)
{
	fake.host.network.links = {"wg0"};
	interface += "PreUp = before\n";
	EXPECT_EQ(up(), "! interface `wg0' already exists, and is not WireGuard's: give the file another name\n");
	devices.order = {"wg0"};
	EXPECT_EQ(up(), "! interface `wg0' already exists: wgctl down wg0 takes it down\n");
	fake.host.namespaces.known = {{"/run/netns/box", 2}};
	EXPECT_EQ(up("box", "box"), "enter 2\n! interface `wg0' already exists: wgctl down wg0 --netns box --birth-netns box takes it down\n");
}

TEST_F(Quick, a_failed_hook_is_told_with_its_line)
{
	interface += "PostUp = before\nPostUp = x\n";
	fake.host.shell.statuses["x"] = 3;
	EXPECT_NE(up().find("! /etc/wireguard/wg0.conf:5: PostUp ended with status 3: `x'\n"), std::string::npos);
	EXPECT_TRUE(fake.host.network.links.empty());
	/* As of `iptables -m comment --comment "#1"', which bash finds unfinished. */
	interface += "PostUp = y \"#1\"\n";
	fake.host.shell.statuses = {{"y \"", 2}};
	EXPECT_NE(up().find("PostUp ended with status 2: `y \"'; what stands behind # is a comment, and no part of it\n"), std::string::npos);
}

TEST_F(Quick, down_stops_at_a_failed_pre_down)
{
	interface += "PreDown = x\n";
	up();
	fake.host.shell.statuses["x"] = 3;
	EXPECT_EQ(down(), "run x\n! /etc/wireguard/wg0.conf:4: PreDown ended with status 3: `x'\n");
	EXPECT_EQ(fake.host.network.links.size(), 1u);
}

TEST_F(Quick, hooks_have_the_variables_of_wg_quick)
{
	interface += "PreDown = x\n";
	up();
	down();
	EXPECT_EQ(fake.host.shell.last_variables,
		  (std::map<std::string, std::string>{{"INTERFACE", "wg0"}, {"CONFIG_FILE", "/etc/wireguard/wg0.conf"}, {"LC_ALL", "C"}}));
}

TEST_F(Quick, down_goes_on_after_other_failures)
{
	interface += "DNS = 10.0.0.53\nPostDown = after\n";
	up();
	fake.host.log.broken = "no dns wg0";
	/* The hook may take a firewall's rules away: there is no second chance for that. */
	EXPECT_EQ(down(), "delete link wg0\nrun after\n! wg0 is not down as a whole: see above\n");
	EXPECT_NE(fake.terminal.err.find("cannot unset the DNS of wg0: broken"), std::string::npos);
}

TEST_F(Quick, post_down_waits_for_the_end_of_the_interface)
{
	interface += "PostDown = after\n";
	up();
	fake.host.log.broken = "delete link wg0";
	EXPECT_EQ(down(), "! wg0 is not down as a whole: see above\n");
}

/* Deleting an interface by hand leaves what is not its own. */
TEST_F(Quick, rules_that_were_left_behind_are_used_again)
{
	allowed = "0.0.0.0/0, ::/0";
	up();
	FakeNetwork &network = fake.host.network;
	network.links.clear();
	network.link_added_routes.clear();
	devices.present.clear();
	devices.order.clear();
	up();
	EXPECT_EQ(network.all_rules.size(), 4u);
	down();
	EXPECT_TRUE(network.all_rules.empty());
	EXPECT_TRUE(fake.host.filter.contents.empty());
}

TEST_F(Quick, down_tells_what_it_does)
{
	up();
	fake.terminal.err.clear();
	down();
	EXPECT_EQ(fake.terminal.err, "[#] delete interface wg0\n");
}

TEST_F(Quick, down_of_nothing_is_refused)
{
	EXPECT_EQ(down(), "! there is no WireGuard interface `wg0': nothing to take down\n");
}

TEST_F(Quick, down_leaves_the_rules_of_others)
{
	allowed = "0.0.0.0/0";
	up();
	/* A second tunnel's pair, and rules of the administrator. */
	FakeNetwork &network = fake.host.network;
	network.add_rule({AF_INET, true, 51821, 51821, {}, {}, false});
	network.add_rule({AF_INET, false, {}, MAIN_TABLE, 0, {}, false});
	network.add_rule({AF_INET, true, 51820, 51820, {}, {}, true});
	network.add_rule({AF_INET, false, 51820, 51820, {}, {}, false});
	down();
	ASSERT_EQ(network.all_rules.size(), 4u);
	RulePair other = find_rules(network.all_rules, 51821);
	EXPECT_TRUE(other.unmarked && other.specific && other.specific->priority == 32762u);
	EXPECT_FALSE(find_rules(network.all_rules, 51820).unmarked);
}

TEST_F(Quick, save_config_saves_before_the_interface_goes)
{
	interface += "SaveConfig = true\n";
	up();
	devices.present["wg0"].listen_port = 77;
	EXPECT_EQ(down().find("write /etc/wireguard/wg0.conf\ndelete link wg0\n"), 0u);
}

/* A hook may change it, too, so the lock is for nothing else than saving. */
TEST_F(Quick, save_config_keeps_what_others_wrote_meanwhile)
{
	const std::string path = "/etc/wireguard/wg0.conf";

	interface += "SaveConfig = true\nPreDown = x\n";
	up();
	devices.present["wg0"].listen_port = 77;
	fake.host.store.on_lock = [&] {
		EXPECT_EQ(fake.host.log.actions.back(), "run x");
		fake.files.contents[path] += "# by somebody else\n";
	};
	down();
	EXPECT_EQ(fake.host.store.locked, std::vector<std::string>{path});
	EXPECT_NE(fake.files.contents[path].find("# by somebody else\n"), std::string::npos) << fake.files.contents[path];
	EXPECT_NE(fake.files.contents[path].find("ListenPort = 77\n"), std::string::npos) << fake.files.contents[path];
}

TEST_F(Quick, a_namespace_apart_needs_no_rules)
{
	fake.host.namespaces.known = {{"/run/netns/box", 2}, {"/proc/77/ns/net", 3}, {"/x/y", 4}};
	allowed = "0.0.0.0/0, ::/0";
	EXPECT_EQ(up("box"), "enter 2\nenter 1\nadd link wg0 in 2\nenter 2\nconfigure wg0\naddress 10.0.0.1/24\naddress fd00::1/64\nup wg0 1420\n"
			     "route 0.0.0.0/0 table 254\nroute ::/0 table 254\n");
	fake.host.network.links.clear();
	fake.host.network.link_routes.clear();
	EXPECT_EQ(up("77", "/x/y").find("enter 3\nenter 4\nadd link wg0 in 3\nenter 3\n"), 0u);
	fake.host.network.links.clear();
	EXPECT_NE(up("box", "box").find("enter 2\nadd link wg0\nconfigure"), std::string::npos);
	EXPECT_EQ(fake.host.network.all_rules.size(), 4u);
	down("box");
	EXPECT_TRUE(fake.host.network.all_rules.empty());
	EXPECT_EQ(failure_of([&] { placement("nowhere"); }),
		  "cannot open network namespace `nowhere': /run/netns/nowhere: No such file or directory");
}

TEST_F(Quick, a_named_namespace_has_its_own_resolv_conf)
{
	fake.host.namespaces.known = {{"/run/netns/box", 2}, {"/proc/77/ns/net", 3}};
	interface += "DNS = 10.0.0.53, example.org\n";
	const std::string path = "/etc/netns/box/resolv.conf";
	up("box");
	EXPECT_EQ(fake.files.contents[path], "# written by wgctl for wg0\nnameserver 10.0.0.53\nsearch example.org\n");
	down("box");
	EXPECT_FALSE(fake.files.contents.contains(path));
	fake.files.contents[path] = "mine";
	up("box");
	EXPECT_NE(fake.files.contents[path], "mine");
	down("box");
	EXPECT_EQ(fake.files.contents[path], "mine");
	EXPECT_NE(up("77").find("! /etc/wireguard/wg0.conf:4: DNS cannot be set in a namespace without a name"), std::string::npos);
}

/* A site that is gone must not cut the others off. */
TEST_F(Quick, a_name_nobody_knows_is_told_and_left_out)
{
	allowed += "\n[Peer]\nPublicKey = " + test_key_text(2) + "\nEndpoint = nobody.example:5\nAllowedIPs = 10.2.0.0/16";
	EXPECT_EQ(up().find('!'), std::string::npos);
	const Device &device = devices.present["wg0"];
	ASSERT_EQ(device.peers.size(), 2u);
	EXPECT_TRUE(device.peers[0].endpoint);
	EXPECT_FALSE(device.peers[1].endpoint);
	EXPECT_NE(fake.terminal.err.find("nobody.example:5"), std::string::npos);
	EXPECT_NE(fake.host.log.joined().find("route 10.2.0.0/16"), std::string::npos);
}

TEST_F(Quick, without_any_endpoint_there_is_no_tunnel)
{
	endpoint = "nobody.example:5";
	EXPECT_EQ(up().find("! /etc/wireguard/wg0.conf: no endpoint has an address: "), 0u);
}

/* A signal while the last step runs is one that nothing comes after. */
TEST_F(Quick, an_interruption_of_the_last_step_undoes_all)
{
	interface += "PostUp = after\n";
	fake.host.shell.interruption = "route 10.1.0.0/16 table 254";
	std::string log = up();
	EXPECT_EQ(log.find("run after"), std::string::npos) << log;
	EXPECT_NE(log.find("delete link wg0\n! interrupted\n"), std::string::npos) << log;
}

TEST_F(Quick, an_interruption_while_post_up_runs_undoes_all)
{
	interface += "PostUp = after\n";
	fake.host.shell.interruption = "run after";
	EXPECT_NE(up().find("run after\ndelete link wg0\n! interrupted\n"), std::string::npos);
}

TEST_F(Quick, what_the_interface_was_given_is_noted)
{
	up();
	EXPECT_EQ(fake.host.notes.present.at({"wg0", "addresses"}), "10.0.0.1/24\nfd00::1/64\n");
	EXPECT_EQ(fake.host.notes.present.at({"wg0", "routes"}), "10.1.0.0/16\n");
	down();
	EXPECT_TRUE(fake.host.notes.present.empty());
}

/* With systemd-resolved, the file is somebody else's, and libc reads the file. */
TEST_F(Quick, dns_that_nobody_asks_is_told)
{
	interface += "DNS = 10.0.0.53\n";
	for (const char *fine : {"nameserver 10.0.0.53\n", "nameserver 127.0.0.53\n", "# by systemd-resolved\nnameserver 192.0.2.53\n", ""}) {
		fake.files.contents["/etc/resolv.conf"] = fine;
		fake.terminal.err.clear();
		up();
		EXPECT_EQ(fake.terminal.err.find("other servers"), std::string::npos) << fine;
		down();
	}
	fake.files.contents["/etc/resolv.conf"] = "nameserver 192.0.2.53\n";
	up();
	EXPECT_NE(fake.terminal.err.find("/etc/resolv.conf names other servers (192.0.2.53)"), std::string::npos) << fake.terminal.err;
	down();
	fake.files.contents["/etc/nsswitch.conf"] = "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n";
	fake.terminal.err.clear();
	up();
	EXPECT_EQ(fake.terminal.err.find("other servers"), std::string::npos);
}

/* Somebody deleted the link, or its program ended; what stands beside it would stay for ever. */
TEST_F(Quick, down_clears_away_what_a_lost_interface_left)
{
	allowed = "0.0.0.0/0, ::/0";
	interface += "PostDown = after\n";
	up();
	fake.host.network.links.clear();
	devices.order.clear();
	fake.host.filter.contents["ip other"];
	std::string log = down();
	EXPECT_EQ(log.find('!'), std::string::npos) << log;
	EXPECT_TRUE(fake.host.network.all_rules.empty());
	EXPECT_EQ(fake.host.filter.contents.size(), 1u);
	EXPECT_TRUE(log.ends_with("run after\n")) << log;
	EXPECT_NE(down().find("nothing to take down"), std::string::npos);
}

/* Questions would go to servers behind a tunnel that is not there. */
TEST_F(Quick, down_takes_dns_back_that_a_lost_interface_left)
{
	interface += "DNS = 10.0.0.53\n";
	up();
	fake.host.network.links.clear();
	devices.order.clear();
	EXPECT_EQ(down(), "no dns wg0\n");
	EXPECT_NE(down().find("nothing to take down"), std::string::npos);
}

}
