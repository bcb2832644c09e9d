// SPDX-License-Identifier: GPL-2.0
/* Command lines, a word a line: every command, on an outside that lives in memory. */
#include <algorithm>

#include "commands/commands.h"
#include "tests/fakes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace wgctl;
	std::string_view text(reinterpret_cast<const char *>(data), size);
	FakeWorld fake;
	std::vector<std::string_view> words;
	Device &device = fake.devices.present["wg0"];
	Peer &peer = device.peers.emplace_back();

	device.name = "wg0";
	device.private_key = test_key(8);
	device.public_key = public_key_of(test_key(8));
	peer.public_key = test_key(1);
	peer.allowed_ips = {test_prefix("10.0.0.2/32")};
	peer.endpoint = parse_endpoint("192.0.2.1:7", fake);
	fake.devices.order = {"wg0"};
	fake.host.network.links = {"wg0"};
	fake.files.contents["/etc/wireguard/wg0.conf"] = "[Interface]\nPrivateKey = " + test_key_text(8) +
							 "\nListenPort = 1\nAddress = 10.0.0.1/24\n[Peer]\n# Name = Ann\nPublicKey = " + test_key_text(1) +
							 "\nAllowedIPs = 10.0.0.2/32\n";
	fake.files.contents["key"] = test_key_text(9);
	while (!text.empty()) {
		std::size_t end = std::min(text.find('\n'), text.size());
		words.push_back(text.substr(0, end));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	run_command_line(words, fake);
	return 0;
}
