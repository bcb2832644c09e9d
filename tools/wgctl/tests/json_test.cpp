// SPDX-License-Identifier: GPL-2.0
/* doc/json.md and what --json prints: the same keys, of the same types, for every command. */
#include "view/json.h"

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>

#include "commands/commands.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

struct Row {
	std::string type;
	bool is_secret = false;
};
using Table = std::map<std::string, Row>;

/* The tables below each title, by its command. */
std::map<std::string, std::vector<Table>> read_schema()
{
	std::map<std::string, std::vector<Table>> schema;
	std::ifstream file(std::filesystem::path(__FILE__).parent_path().parent_path() / "doc/json.md");
	std::set<std::string> titles;
	std::string line;
	bool in_table = false;

	for (bool after_title = false; std::getline(file, line);) {
		if (line.starts_with("## wgctl ")) {
			if (!after_title)
				titles.clear();
			/* One word, or two of small letters. */
			std::size_t end = line.find(' ', 9);
			if (end + 1 < line.size() && std::islower(line[end + 1]))
				end = line.find(' ', end + 1);
			titles.insert(line.substr(9, end - 9));
			after_title = true;
		} else if (line.starts_with("| `")) {
			std::size_t second = line.find('|', 1), third = line.find('|', second + 1);
			std::string keys = line.substr(1, second - 1);
			Row row{line.substr(second + 1, third - second - 1), line.find("only with `--secrets`") != line.npos};
			for (const std::string &title : titles) {
				if (!in_table)
					schema[title].emplace_back();
				for (std::size_t at = keys.find('`'); at != keys.npos; at = keys.find('`', at)) {
					std::size_t end = keys.find('`', at + 1);
					schema[title].back()[keys.substr(at + 1, end - at - 1)] = row;
					at = end + 1;
				}
			}
			in_table = true;
			after_title = false;
		} else if (!line.starts_with("|")) {
			in_table = false;
			after_title = after_title && line.empty();
		}
	}
	return schema;
}

class JsonTest : public testing::Test {
public:
	FakeWorld fake;
	std::map<std::string, std::vector<Table>> schema = read_schema();
	const std::string path = "/etc/wireguard/wg0.conf";

	JsonTest()
	{
		fake.files.contents[path] = "[Interface]\n# Endpoint = vpn.example:1\nPrivateKey = " + test_key_text(8) +
					    "\nAddress = 10.0.0.1/24\n[Peer]\n# Name = Ann\nPublicKey = " + test_key_text(1) +
					    "\nAllowedIPs = 10.0.0.2/32, 10.9.0.0/16\nEndpoint = 192.0.2.1:7\n[Peer]\nPublicKey = " +
					    test_key_text(2) + "\n";
		fake.host.network.links = {"wg0"};
		fake.devices.order = {"wg0"};
		Device &device = fake.devices.present["wg0"];
		device.name = "wg0";
		device.private_key = test_key(8);
		device.public_key = public_key_of(test_key(8));
		device.listen_port = 51820;
		device.peers.resize(2);
		device.peers[0].public_key = test_key(1);
		device.peers[0].preshared_key = test_key(5);
		device.peers[0].endpoint = parse_endpoint("192.0.2.9:7", fake);
		device.peers[0].allowed_ips = {test_prefix("10.0.0.2/32")};
		device.peers[0].last_handshake.seconds = fake.clock.now() - 5;
		device.peers[0].persistent_keepalive = 25;
		device.peers[1].public_key = test_key(2);
	}

	static std::string command_of(const std::vector<std::string_view> &line)
	{
		return std::string(line[0]) + (line[0] == "peer" ? " " + std::string(line[1]) : "");
	}
	/* Runs a command line and compares; returns the document. */
	Json check(const std::vector<std::string_view> &line)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		run_command_line(line, fake);
		Json document = Json::parse(fake.terminal.out, nullptr, false);
		EXPECT_TRUE(document.is_object()) << line[0] << " printed: " << fake.terminal.out << fake.terminal.err;
		has_secrets_ = std::find(line.begin(), line.end(), "--secrets") != line.end();
		compare(document, schema.at(command_of(line)), true);
		EXPECT_EQ(document.value("version", 0), JSON_VERSION);
		if (!has_secrets_) {
			EXPECT_EQ(fake.terminal.out.find(test_key_text(8)), std::string::npos);
			EXPECT_EQ(fake.terminal.out.find(test_key_text(5)), std::string::npos);
			EXPECT_EQ(fake.terminal.out.find("PrivateKey"), std::string::npos);
		}
		return document;
	}

private:
	static std::string type_of(const Json &value)
	{
		return value.is_number() ? "number" : std::string(value.type_name());
	}
	bool has_keys(const Json &object, const Table &table) const
	{
		std::set<std::string> keys, wanted;
		for (const auto &item : object.items())
			keys.emplace(std::string_view(item.key()));
		for (const auto &[key, row] : table)
			if (!row.is_secret || has_secrets_)
				wanted.insert(key);
		return keys == wanted;
	}
	void compare(const Json &object, const std::vector<Table> &tables, bool is_top)
	{
		auto table = std::find_if(tables.begin(), tables.end(), [&](const Table &t) { return has_keys(object, t); });
		ASSERT_NE(table, tables.end()) << "no table has these keys: " << std::string(std::string_view(object.dump()));
		EXPECT_EQ(table == tables.begin(), is_top);
		for (const auto &item : object.items()) {
			const Json &value = item.value();
			std::string key(std::string_view(item.key())), type = table->at(key).type;
			EXPECT_NE(type.find(type_of(value)), std::string::npos) << key << " is " << type_of(value) << ", not" << type;
			if (value.is_object())
				compare(value, tables, false);
			for (const Json &element : value.is_array() ? value : Json::array()) {
				EXPECT_EQ(element.is_string(), type.find("of strings") != type.npos) << key;
				if (element.is_object())
					compare(element, tables, false);
			}
		}
	}

	bool has_secrets_ = false;
};

}

TEST_F(JsonTest, schema_is_read)
{
	for (const char *command : {"show", "watch", "check", "apply", "doctor", "peer add", "peer list", "peer edit", "client", "rotate"})
		EXPECT_FALSE(schema[command].empty()) << command;
	EXPECT_TRUE(schema["show"].at(1).at("private_key").is_secret);
}

TEST_F(JsonTest, show_is_as_documented)
{
	check({"show", "--json"});
	check({"show", "wg0", "--json", "--secrets"});
	fake.devices.present["wg0"].state = DeviceState{.aead = "avx2", .drops = {{"malformed", 1}}};
	fake.devices.present["wg0"].peers[0].state = PeerState{.next_retry = 500, .last_drop = "no-session", .sessions = {{}}};
	Json document = check({"show", "--json"});
	EXPECT_EQ(document["interfaces"][0]["peers"][0]["state"]["next_retry"], 0.5);
	EXPECT_EQ(document["interfaces"][0]["peers"][0]["state"]["sessions"][0]["slot"], "current");
	EXPECT_TRUE(document["interfaces"][0]["peers"][1]["state"].is_null());
}

TEST_F(JsonTest, show_tells_of_policy_where_the_kernel_does)
{
	Json document = check({"show", "--json"});
	EXPECT_TRUE(document["interfaces"][0]["binding"].is_null());
	EXPECT_TRUE(document["interfaces"][0]["peers"][0]["policy"].is_null());
	fake.devices.present["wg0"].binding = Binding{"eth1", ""};
	fake.devices.present["wg0"].peers[0].policy = PeerPolicy{true, 0, 7, 46};
	fake.devices.present["wg0"].peers[1].policy = PeerPolicy{.dscp = DSCP_INHERIT};
	document = check({"show", "--json"});
	EXPECT_EQ(document["interfaces"][0]["binding"]["device"], "eth1");
	EXPECT_TRUE(document["interfaces"][0]["binding"]["address"].is_null());
	Json &policy = document["interfaces"][0]["peers"][0]["policy"];
	EXPECT_TRUE(policy["pin_endpoint"]);
	EXPECT_TRUE(policy["opened_mark"].is_null());
	EXPECT_EQ(policy["outer_mark"], 7);
	EXPECT_EQ(policy["dscp"], 46);
	EXPECT_TRUE(document["interfaces"][0]["peers"][1]["policy"]["dscp"].is_null());
}

TEST_F(JsonTest, watch_is_as_documented)
{
	std::vector<Table> tables = schema["show"];

	ASSERT_EQ(tables.size(), 9u);
	tables[2].insert(schema["watch"].at(0).begin(), schema["watch"][0].end());
	schema["watch"] = tables;
	check({"watch", "--once", "--json"});
}

TEST_F(JsonTest, monitor_is_as_documented)
{
	std::deque<std::vector<DeviceEvent>> &told = fake.devices.told;
	fake.devices.tells = true;
	for (int kind = 0; kind < 10; ++kind) {
		DeviceEvent event{.kind = static_cast<DeviceEvent::Kind>(kind), .interface = "wg0"};
		if (kind % 2)
			event = {event.kind, "wg0", test_key(1), fake.devices.present["wg0"].peers[0].endpoint, true, true, 7, 8};
		told.push_back({event});
		fake.host.lookout.events = {Lookout::Event::besides};
		check({"monitor", "--json"});
	}
}

TEST_F(JsonTest, apply_is_as_documented)
{
	Json document = check({"apply", "--exit-code", "--dry-run", "--json", "wg0"});
	EXPECT_GT(document["interfaces"][0]["changes"].size(), 0u);
	EXPECT_GT(document["interfaces"][0]["kept"].size(), 0u);
}

TEST_F(JsonTest, check_is_as_documented)
{
	fake.files.contents[path] += "Endpont = 192.0.2.1:7\n";
	Json document = check({"check", "wg0", "--json"});
	EXPECT_EQ(document["files"][0]["remarks"].size(), 1u);
}

TEST_F(JsonTest, doctor_is_as_documented)
{
	EXPECT_GT(check({"doctor", "--json", "wg0"})["findings"].size(), 0u);
}

TEST_F(JsonTest, peer_and_client_are_as_documented)
{
	EXPECT_TRUE(check({"peer", "add", "wg0", "phone", "--json", "--out", "phone.conf"})["removed"].is_null());
	Json secret = check({"peer", "add", "wg0", "tablet", "--psk", "--json", "--secrets"});
	EXPECT_NE(std::string(std::string_view(secret["client_config"].get<Text>())).find("PrivateKey = "), std::string::npos);
	EXPECT_TRUE(secret["added"]["has_preshared_key"]);
	EXPECT_EQ(check({"client", "wg0", "Ann", "--json", "--out", "ann.conf"})["removed"]["name"], "Ann");
	EXPECT_TRUE(check({"peer", "remove", "wg0", "phone", "--json"})["added"].is_null());
}

TEST_F(JsonTest, lists_and_changes_of_peers_are_as_documented)
{
	Json list = check({"peer", "list", "wg0", "--json"});
	EXPECT_EQ(list["peers"].size(), 2u);
	EXPECT_EQ(list["peers"][0]["present_endpoint"], "192.0.2.9:7");
	EXPECT_EQ(list["peers"][0]["endpoint"], "192.0.2.1:7");
	EXPECT_EQ(check({"peer", "show", "wg0", "Ann", "--json"})["peers"][0]["latest_handshake"], fake.clock.now() - 5);

	Table peer = schema.at("peer list").at(1);
	for (const char *running : {"running", "present_endpoint", "latest_handshake"})
		EXPECT_EQ(peer.erase(running), 1u);
	for (const char *command : {"rename", "edit", "disable", "enable", "expire"})
		schema.at(std::string("peer ") + command).push_back(peer);
	EXPECT_EQ(check({"peer", "rename", "wg0", "Ann", "Eve", "--json"})["peer"]["name"], "Eve");
	EXPECT_EQ(check({"peer", "edit", "wg0", "Eve", "PersistentKeepalive=7", "--json"})["peer"]["persistent_keepalive"], 7);
	EXPECT_EQ(check({"peer", "disable", "wg0", "Eve", "--json"})["peer"]["state"], "disabled");
	EXPECT_FALSE(check({"peer", "disable", "wg0", "Eve", "--json"})["changed"]);
	EXPECT_EQ(check({"peer", "enable", "wg0", "Eve", "--json"})["peer"]["state"], "enabled");
	Json expired = check({"peer", "expire", "wg0", "Eve", "0s", "--json"});
	EXPECT_EQ(expired["peer"]["state"], "expired");
	EXPECT_EQ(expired["peer"]["expires"], fake.clock.now());
}

TEST_F(JsonTest, a_file_for_the_other_side_must_go_somewhere)
{
	const std::string before = fake.files.contents[path];

	for (std::vector<std::string_view> line : std::vector<std::vector<std::string_view>>{{"peer", "add", "wg0", "x", "--json"},
	     {"peer", "add", "wg0", "x", "--json", "--qr", "--out", "x"}, {"client", "wg0", "Ann", "--json"}, {"client", "wg0", "Ann", "--secrets"}})
		EXPECT_EQ(run_command_line(line, fake), 1);
	EXPECT_EQ(fake.files.contents[path], before);
}

TEST_F(JsonTest, rotate_is_as_documented)
{
	fake.files.contents["/dev/fd/3"] = test_key_text(6);
	check({"rotate", "wg0", "--json", "--dry-run"});
	Json prepared = check({"rotate", "wg0", "--json"});
	EXPECT_EQ(prepared["next"], "wgctl rotate wg0 --commit");
	check({"rotate", "wg0", "--json", "--abort"});
	check({"rotate", "wg0", "--json"});
	check({"rotate", "wg0", "--json", "--commit"});
	check({"rotate", "wg0", "--json", "--peer", "Ann", "--psk-fd", "3"});
	check({"rotate", "wg0", "--json", "--peer", "Ann", "--new-key", test_key_text(3)});
}

}
