// SPDX-License-Identifier: GPL-2.0
/* What comes over other programs' sockets: the answers of userspace implementations and of name servers. */
#include "host/name_query.h"
#include "kernel/userspace.h"
#include "tests/fuzz/fuzz.h"
#include "view/format.h"
#include "view/json.h"
#include "view/openmetrics.h"

namespace {

using namespace wgctl;
using namespace wgctl::fuzz;

struct Answering : ConfigSockets {
	std::string_view reply;
	Text told;

	std::vector<std::string> names() override { return {"wg0"}; }
	bool exists(const std::string &) override { return true; }
	Text exchange(const std::string &, std::string_view request) override
	{
		if (request.starts_with("get"))
			return Text(reply);
		told = request.substr(request.find('\n') + 1);
		return Text("errno=0\n\n");
	}
};

void userspace(std::string_view reply)
{
	Answering sockets;
	UserspaceDevices devices(sockets);
	Device device;
	PeerNames names;

	sockets.reply = reply;
	if (fails([&] { device = devices.get("wg0"); }))
		return;
	for (const Peer &peer : device.peers) {
		must(peer.last_handshake.seconds >= 0, "a time is after 1970");
		for (const Prefix &prefix : peer.allowed_ips)
			must(prefix.cidr <= prefix.bits() && (prefix.family == AF_INET || prefix.family == AF_INET6), "a prefix is one");
	}
	/* Whatever a reply makes of a device can be shown. */
	for (std::int64_t now : {std::int64_t{0}, std::int64_t{1'700'000'000}})
		must(is_harmless(format_pretty(device, {}, now)), "what is shown steers no terminal");
	format_field(device, "dump", true);
	must(format_metrics({{device, names, {}}}, 1).ends_with("# EOF\n"), "metrics have an end");
	to_text(json_of(device, names, Secrets::shown));

	for (Peer &peer : device.peers)
		peer.replace_allowed_ips = true;
	devices.set(device);
	Text again = sockets.told.append("errno=0\n\n");
	std::string before = outcome(device);
	sockets.reply = again;
	device = devices.get("wg0");
	for (Peer &peer : device.peers)
		peer.replace_allowed_ips = true;
	must_equal(outcome(device), before, "what is read can be written");
}

void name_server(std::string_view answer)
{
	/* With the fuzzer's number, else hardly an answer would count. */
	static const std::string query = name_query("hub.example", AF_INET);
	std::string asked = std::string(answer.substr(0, 2)) + query.substr(2);
	std::vector<Endpoint> found;

	read_answer(asked, answer, 7, found);
	must(found.size() <= answer.size() / 14, "each address stands in the answer");
	for (const Endpoint &endpoint : found)
		must(endpoint.any.sa_family == AF_INET && endpoint.port() == 7, "an address is what was asked for");
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	std::string_view text(reinterpret_cast<const char *>(data), size);

	userspace(text);
	name_server(text);
	return 0;
}
