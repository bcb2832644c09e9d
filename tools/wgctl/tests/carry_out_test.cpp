// SPDX-License-Identifier: GPL-2.0
/* Every file applied to what `up` made of every other, and the system refusing each step of it: all of
 * the change is made, or none.
 */
#include <gtest/gtest.h>

#include "commands/commands.h"
#include "host/resolv_conf.h"
#include "tests/fakes.h"
#include "tunnel/default_route.h"
#include "tunnel/plan.h"

namespace wgctl {

namespace {


constexpr std::uint32_t TABLE_OF_OTHERS = 200;
const Route ROUTE_OF_OTHERS{test_prefix("172.16.0.0/12"), TABLE_OF_OTHERS};

/* Makes changes as the kernel does, peer by peer; each may fail, with those before it made. */
struct LiveDevices : FakeDevices {
	explicit LiveDevices(FakeLog &l) : log(l) {}
	FakeLog &log;

	void set(const Device &change) override
	{
		log.act("configure " + change.name);
		Device &device = present[change.name];
		device.name = change.name;
		order = {change.name};
		device.private_key = change.private_key ? change.private_key : device.private_key;
		device.listen_port = change.listen_port ? change.listen_port : device.listen_port;
		device.fwmark = change.fwmark ? change.fwmark : device.fwmark;
		if (change.replace_peers)
			device.peers.clear();
		for (const Peer &peer : change.peers)
			set(peer, device.peers);
	}

private:
	void set(const Peer &change, std::vector<Peer> &peers)
	{
		log.act("peer " + plain(to_base64(change.public_key)).substr(0, 4));
		auto peer = std::find_if(peers.begin(), peers.end(), [&](const Peer &other) { return other.public_key == change.public_key; });
		if (change.remove) {
			if (peer != peers.end())
				peers.erase(peer);
			return;
		}
		if (peer == peers.end()) {
			if (change.update_only)
				return;
			peer = peers.insert(peers.end(), Peer());
			peer->public_key = change.public_key;
		}
		peer->preshared_key = change.preshared_key ? change.preshared_key : peer->preshared_key;
		peer->endpoint = change.endpoint ? change.endpoint : peer->endpoint;
		peer->persistent_keepalive = change.persistent_keepalive ? change.persistent_keepalive : peer->persistent_keepalive;
		if (change.replace_allowed_ips)
			peer->allowed_ips.clear();
		for (const Prefix &prefix : change.allowed_ips) {
			for (Peer &other : peers)
				std::erase(other.allowed_ips, prefix);
			peer->allowed_ips.push_back(prefix);
		}
	}
};

template<class List>
std::string sorted(const List &list)
{
	std::vector<std::string> lines(list.begin(), list.end());
	std::string text;

	std::sort(lines.begin(), lines.end());
	for (const std::string &line : lines)
		text += line + "\n";
	return text;
}

struct Machine {
	FakeWorld fake;
	LiveDevices devices{fake.host.log};
	World world{devices, fake.files, fake.terminal, fake.resolver, fake.clock, fake.environment, fake.host.host};

	Machine()
	{
		fake.files.contents[SRC_VALID_MARK] = "0\n";
		fake.host.namespaces.known = {{"/run/netns/box", 2}};
		fake.host.network.path_mtus = {{"default", 1500}, {"192.0.2.9", 9000}};
	}
	std::string file(const std::string &text) { return fake.files.contents[FILE_NAME] = text; }
	int run(std::vector<std::string_view> arguments)
	{
		fake.host.namespaces.present = 1;
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		fake.host.log.actions.clear();
		return run_command_line(arguments, world);
	}
	/* All there is of the interface but the file. `is_promised`: what apply does not promise is left out. */
	std::string state(bool is_promised = false)
	{
		std::vector<std::string> lines;
		const Device &device = devices.present["wg0"];
		FakeNetwork &network = fake.host.network;
		std::string rules;

		for (const Peer &peer : device.peers) {
			std::vector<std::string> prefixes;
			for (const Prefix &prefix : peer.allowed_ips)
				prefixes.push_back(format_prefix(prefix));
			/* An endpoint stays where the file has none. */
			std::string endpoint = peer.endpoint && !is_promised ? std::string(format_endpoint(*peer.endpoint)) : "";
			lines.push_back("peer " + plain(to_base64(peer.public_key)) + plain(to_base64(peer.preshared_key.value_or(Key()))) + endpoint + " " +
					std::to_string(peer.persistent_keepalive.value_or(0)) + " " + sorted(prefixes));
		}
		for (const Prefix &address : network.link_addresses["wg0"])
			lines.push_back("address " + format_prefix(address));
		for (const Route &route : network.link_added_routes["wg0"])
			if (!is_promised || route.table != TABLE_OF_OTHERS)
				lines.push_back("route " + format_prefix(route.destination) + " table " + std::to_string(route.table));
		for (std::uint16_t family : FAMILIES)
			for (const Rule &rule : network.rules(family))
				rules += FakeNetwork::text(rule) + (is_promised ? "" : " " + std::to_string(*rule.priority)) + "\n";
		for (const std::string &table : fake.host.filter.tables())
			lines.push_back(fake.host.filter.list(table));
		for (const auto &[name, contents] : fake.files.contents)
			if (name != FILE_NAME && !(is_promised && name == SRC_VALID_MARK))
				lines.push_back(name + ": " + contents);
		lines.push_back("mark " + std::to_string(device.fwmark.value_or(0)) + " port " + std::to_string(device.listen_port.value_or(0)));
		lines.push_back("mtu " + std::to_string(network.link_mtu) + (network.link_is_up ? " up" : " down"));
		lines.push_back("note " + fake.host.notes.read("wg0", "table").value_or("none"));
		lines.push_back("dns " + resolv_conf(fake.host.dns.present["wg0"], ""));
		return sorted(lines) + rules;
	}
};

std::string interface(const std::string &more)
{
	return "[Interface]\nPrivateKey = " + test_key_text(9) + "\nListenPort = 51820\n" + more;
}

std::string peer(std::uint8_t number, const std::string &allowed_ips, const std::string &more = "")
{
	return "[Peer]\nPublicKey = " + test_key_text(number) + "\nAllowedIPs = " + allowed_ips + "\n" + more;
}

/* All that can be different between two files is different between some two of these. */
const std::vector<std::string> FILES = {
	interface("Address = 10.0.0.1/24\n"),
	interface("Address = 10.0.0.1/24, 10.1.0.1/16, fd00::1/64\nMTU = 1300\nDNS = 10.0.0.53, corp\n") +
		peer(1, "10.0.0.2, 192.168.2.0/24", "Endpoint = 192.0.2.7:5\n") + peer(2, "10.0.0.3, fd00::3", "PersistentKeepalive = 25\n"),
	interface("Address = 10.0.0.2/24\nDNS = 10.0.0.54\n") + peer(1, "10.0.0.3", "PresharedKey = " + test_key_text(7) + "\nEndpoint = 192.0.2.9:5\n") +
		peer(2, "10.0.0.2, 192.168.2.0/24, 192.168.3.0/24") + peer(3, "192.168.4.0/24"),
	interface("Address = 10.0.0.1/24, fd00::1/64\nDNS = 10.0.0.53\n") + peer(1, "0.0.0.0/0, ::/0", "Endpoint = 192.0.2.7:5\n"),
	interface("Address = 10.0.0.9/24, fd00::1/64\nFwMark = 7\n") + peer(1, "0.0.0.0/0, 192.168.2.0/24", "Endpoint = 192.0.2.9:5\n"),
	interface("Address = 10.0.0.1/24\nTable = 99\n") + peer(1, "0.0.0.0/0, 192.168.2.0/24", "Endpoint = 192.0.2.9:5\n") + peer(3, "::/0"),
	interface("Address = fd00::7/64\nTable = off\nDNS = fd00::53, corp, ~example.org\n") + peer(2, "0.0.0.0/0"),
};

/* Applies FILES[to] to FILES[from], the system refusing each of the steps in turn. */
void check_change(std::size_t from, std::size_t to, std::vector<std::string_view> place)
{
	std::vector<std::string_view> up{"up", "wg0"}, apply{"apply", "--exit-code", "--steal", "wg0"};

	up.insert(up.end(), place.begin(), place.end());
	apply.insert(apply.end(), place.begin(), place.end());
	SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
	Machine fresh;
	fresh.file(FILES[to]);
	ASSERT_EQ(fresh.run(up), 0) << fresh.fake.terminal.err;
	std::string wanted = fresh.state(true);

	for (std::size_t step = 0;; ++step) {
		SCOPED_TRACE("step " + std::to_string(step));
		Machine machine;
		machine.file(FILES[from]);
		ASSERT_EQ(machine.run(up), 0) << machine.fake.terminal.err;
		machine.fake.host.network.add_route("wg0", ROUTE_OF_OTHERS);
		std::string before = machine.state();
		machine.file(FILES[to]);
		/* Namespaces are entered to look around, too. */
		std::vector<std::string_view> look = apply;
		look.push_back("--dry-run");
		ASSERT_EQ(machine.run(look), 2) << machine.fake.terminal.err;
		std::size_t looks = machine.fake.host.log.actions.size();
		ASSERT_EQ(machine.state(), before);
		machine.fake.host.log.failing = step;
		int status = machine.run(apply);
		std::string told = machine.fake.terminal.err, done = machine.fake.host.log.joined();
		machine.fake.host.log.failing.reset();
		if (status == 1) {
			ASSERT_EQ(machine.state(), before) << told << done;
			ASSERT_NE(told.find(": broken"), told.npos) << told;
			ASSERT_TRUE(step < looks || told.find("Nothing is changed") != told.npos) << told << done;
			ASSERT_LT(step, 60u);
			continue;
		}
		ASSERT_EQ(status, 2) << told;
		/* A mark stays where a default route, or rules of the user's own, may need it. */
		if (from != 4 || to < 3) {
			ASSERT_EQ(machine.state(true), wanted) << done;
		}
		std::string after = machine.state();
		EXPECT_EQ(machine.run(apply), 0) << machine.fake.terminal.out;
		EXPECT_EQ(machine.state(), after);
		return;
	}
}

}

TEST(CarryOut, all_of_a_change_is_made_or_nothing)
{
	for (std::size_t from = 0; from < FILES.size(); ++from)
		for (std::size_t to = 0; to < FILES.size(); ++to)
			if (from != to)
				check_change(from, to, {});
}

TEST(CarryOut, the_same_in_a_namespace_with_a_name)
{
	for (std::size_t from = 0; from < FILES.size(); ++from)
		check_change(from, (from + 1) % FILES.size(), {"--netns", "box"});
}

/* With IPv4's last address all routes would go, and packets leave outside until they are back. */
TEST(CarryOut, another_address_of_the_same_network_costs_no_route)
{
	Machine machine;
	std::string file = machine.file(FILES[3]);
	ASSERT_EQ(machine.run({"up", "wg0"}), 0);
	machine.fake.host.network.add_route("wg0", ROUTE_OF_OTHERS);
	auto routes = machine.fake.host.network.link_added_routes["wg0"];
	machine.file(file.replace(file.find("10.0.0.1/24"), 11, "10.0.0.2/24"));
	machine.fake.host.shell.are_signals_held = false;
	ASSERT_EQ(machine.run({"apply", "--exit-code", "wg0"}), 2) << machine.fake.terminal.err;
	/* Else a signal between two files would end it, and say that all is well. */
	EXPECT_TRUE(machine.fake.host.shell.are_signals_held);
	EXPECT_EQ(machine.fake.host.network.link_added_routes["wg0"], routes);
	EXPECT_EQ(machine.fake.host.log.joined().find("route"), std::string::npos) << machine.fake.host.log.joined();
	EXPECT_EQ(machine.fake.host.network.link_addresses["wg0"].size(), 2u);
}

TEST(CarryOut, whatever_was_damaged_is_mended)
{
	using Damage = void (*)(Machine &);
	const Damage damages[] = {
		[](Machine &machine) { machine.fake.host.filter.contents.erase("ip wg-quick-wg0"); },
		[](Machine &machine) { machine.fake.host.filter.contents["ip6 wg-quick-wg0"]["preraw"].pop_back(); },
		[](Machine &machine) { machine.fake.host.network.all_rules.pop_back(); },
		[](Machine &machine) { machine.fake.host.network.all_rules.erase(machine.fake.host.network.all_rules.begin()); },
		[](Machine &machine) { machine.fake.host.network.link_added_routes["wg0"].clear(); },
		[](Machine &machine) { machine.fake.host.network.set_down("wg0"); },
		[](Machine &machine) { machine.fake.host.network.link_mtu = 1280; },
		[](Machine &machine) { machine.devices.present["wg0"].fwmark = 0; },
		[](Machine &machine) { machine.devices.present["wg0"].fwmark = 5; },
		[](Machine &machine) { machine.fake.host.dns.unset("wg0"); },
		[](Machine &machine) { machine.fake.files.contents[SRC_VALID_MARK] = "0\n"; },
		[](Machine &machine) { machine.fake.host.network.link_addresses["wg0"].clear(); },
	};

	for (std::size_t i = 0; i < std::size(damages); ++i) {
		SCOPED_TRACE(i);
		Machine machine;
		machine.file(FILES[3]);
		ASSERT_EQ(machine.run({"up", "wg0"}), 0);
		std::string whole = machine.state();
		damages[i](machine);
		ASSERT_NE(machine.state(), whole);
		EXPECT_EQ(machine.run({"apply", "--exit-code", "--dry-run", "wg0"}), 2) << machine.fake.terminal.err;
		EXPECT_EQ(machine.fake.host.log.joined(), "");
		EXPECT_EQ(machine.run({"apply", "--exit-code", "wg0"}), 2) << machine.fake.terminal.err;
		EXPECT_EQ(machine.state(), whole) << machine.fake.host.log.joined();
		EXPECT_EQ(machine.run({"apply", "--exit-code", "wg0"}), 0) << machine.fake.terminal.out;
	}
}

}
