// SPDX-License-Identifier: GPL-2.0
#include "hub/client_keys.h"

#include <gtest/gtest.h>

#include "commands/commands.h"
#include "config/edit.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

const std::string DOES_NOT_RUN = "wg0 does not run here: only the file is changed\n";

struct ClientKeys : testing::Test {
	FakeWorld fake;
	const std::string path = "/etc/wireguard/wg0.conf", kept = "/etc/wireguard/wg0.client-keys";

	ClientKeys()
	{
		file() = "[Interface]\nPrivateKey = " + test_key_text(8) + "\n# Endpoint = vpn.example.com\nListenPort = 1\nAddress = 10.0.0.1/24\n\n[Peer]\n"
			 "# Name = Ann\nPublicKey = " + test_key_text(1) + "\nAllowedIPs = 10.0.0.2/32\n";
	}
	std::string &file() { return fake.files.contents[path]; }
	bool keeps_any() { return fake.files.contents.contains(kept); }
	int run(std::vector<std::string_view> arguments)
	{
		fake.terminal.out.clear();
		fake.terminal.err.clear();
		return run_command_line(arguments, fake);
	}
	/* The client's file after a command that goes well. */
	std::string file_of(std::vector<std::string_view> arguments)
	{
		EXPECT_EQ(run(arguments), 0) << fake.terminal.err;
		return fake.terminal.out;
	}
	/* The peer's line, of the private key its file has. */
	static std::string line_of(const std::string &client_file)
	{
		std::size_t at = client_file.find("PrivateKey = ");
		std::optional<Key> key = at == client_file.npos ? std::nullopt : key_from_base64(client_file.substr(at + 13, KEY_TEXT_LENGTH));
		return key ? plain(to_base64(public_key_of(*key))) + " " + plain(to_base64(*key)) + "\n" : "none";
	}
};

}

TEST_F(ClientKeys, nothing_is_kept_unless_it_is_asked_for)
{
	std::string first = file_of({"peer", "add", "wg0", "laptop"}), second = file_of({"client", "wg0", "laptop"});

	EXPECT_FALSE(keeps_any());
	EXPECT_NE(first, second);
	std::string old = line_of(first).substr(0, KEY_TEXT_LENGTH);
	EXPECT_EQ(fake.terminal.err, DOES_NOT_RUN + "[!] The private key of laptop (" + old + ") is not kept here, so this file has a new one, and the old one ends\n");
}

TEST_F(ClientKeys, a_kept_key_goes_on)
{
	std::string first = file_of({"peer", "add", "wg0", "laptop", "--keep-key"}), before = file();

	EXPECT_EQ(fake.files.contents[kept], line_of(first));
	EXPECT_EQ(file_of({"client", "wg0", "laptop"}), first);
	EXPECT_EQ(fake.terminal.err, "");
	EXPECT_EQ(file(), before);
	EXPECT_TRUE(fake.devices.changes.empty());
	/* With other wishes it is another file of the same key. */
	EXPECT_EQ(line_of(file_of({"client", "wg0", "laptop", "--dns", "10.0.0.1"})), line_of(first));
	EXPECT_NE(fake.terminal.out.find("DNS = 10.0.0.1\n"), std::string::npos);
}

TEST_F(ClientKeys, it_is_kept_from_any_time_on_and_replaced_on_demand)
{
	std::string first = file_of({"client", "wg0", "Ann", "--keep-key"});

	EXPECT_EQ(fake.files.contents[kept], line_of(first));
	EXPECT_NE(fake.terminal.err, DOES_NOT_RUN);
	std::string second = file_of({"client", "wg0", "Ann", "--renew"});
	EXPECT_NE(line_of(second), line_of(first));
	EXPECT_EQ(fake.files.contents[kept], line_of(second));
	EXPECT_EQ(fake.terminal.err, DOES_NOT_RUN);
	EXPECT_NE(file().find("PublicKey = " + line_of(second).substr(0, KEY_TEXT_LENGTH)), std::string::npos);
}

TEST_F(ClientKeys, who_goes_takes_the_key_along)
{
	std::string first = file_of({"peer", "add", "wg0", "laptop", "--keep-key"}), second = file_of({"peer", "add", "wg0", "phone", "--keep-key"});

	ASSERT_EQ(run({"peer", "disable", "wg0", "phone"}), 0) << fake.terminal.err;
	ASSERT_EQ(run({"peer", "remove", "wg0", "laptop"}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.files.contents[kept], line_of(second));
	ASSERT_EQ(run({"peer", "enable", "wg0", "phone"}), 0) << fake.terminal.err;
	EXPECT_EQ(file_of({"client", "wg0", "phone"}), second);
	ASSERT_EQ(run({"rotate", "wg0", "--peer", "phone", "--new-key", test_key_text(3)}), 0) << fake.terminal.err;
	EXPECT_EQ(fake.files.contents[kept], "");
}

TEST_F(ClientKeys, what_fails_late_keeps_what_was_kept)
{
	std::string before = file();

	fake.terminal.is_full = true;
	EXPECT_EQ(run({"peer", "add", "wg0", "laptop", "--keep-key"}), 1);
	EXPECT_FALSE(keeps_any());
	EXPECT_EQ(file(), before);
	fake.terminal.is_full = false;
	std::string first = file_of({"peer", "add", "wg0", "laptop", "--keep-key"});
	before = file();
	fake.terminal.is_full = true;
	EXPECT_EQ(run({"client", "wg0", "laptop", "--renew"}), 1);
	EXPECT_EQ(run({"peer", "remove", "wg0", "laptop", "--json"}), 1);
	EXPECT_EQ(fake.files.contents[kept], line_of(first));
	EXPECT_EQ(file(), before);
	fake.terminal.is_full = false;
	fake.host.log.broken = "write " + kept;
	EXPECT_EQ(run({"client", "wg0", "laptop", "--renew"}), 1);
	EXPECT_EQ(file(), before);
}

/* Someone's own key, where the file says another's, would make a file that connects nobody. */
TEST_F(ClientKeys, a_line_that_has_not_the_peer_s_key_is_refused)
{
	for (const std::string &secret : {std::string(), std::string(" "), std::string(" x"), " " + test_key_text(2)}) {
		fake.files.contents[kept] = test_key_text(1) + secret + "\n";
		EXPECT_EQ(run({"client", "wg0", "Ann"}), 1);
		EXPECT_EQ(fake.terminal.err, "wgctl: " + kept + ": what it has for Ann (" + test_key_text(1) + ") is not that peer's private key: remove the line\n");
	}
}

TEST_F(ClientKeys, a_file_that_anybody_may_read_is_refused)
{
	fake.files.contents[kept] = "";
	fake.host.store.open_files = {kept};
	for (const auto &arguments : std::vector<std::vector<std::string_view>>{{"client", "wg0", "Ann"}, {"peer", "add", "wg0", "new", "--keep-key"}}) {
		EXPECT_EQ(run(arguments), 1);
		EXPECT_EQ(fake.terminal.err, "wgctl: " + kept + " is accessible to everybody, and holds private keys: chmod 600 " + kept + "\n");
	}
}

TEST_F(ClientKeys, a_key_that_is_not_known_here_cannot_be_kept)
{
	EXPECT_EQ(run({"peer", "add", "wg0", "new", "--keep-key", "--public-key", test_key_text(3)}), 1);
	EXPECT_EQ(fake.terminal.err, "wgctl: --keep-key: with --public-key the private key is not known here\n");
	EXPECT_FALSE(keeps_any());
}

}
