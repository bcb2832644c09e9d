// SPDX-License-Identifier: GPL-2.0
#include "config/policies.h"

#include <algorithm>

#include "config/peer_comments.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view PIN = "PinEndpoint", OPENED_MARK = "OpenedMark", OUTER_MARK = "OuterMark", DSCP = "DSCP";
constexpr std::uint32_t LARGEST_DSCP = 63;

std::uint8_t parse_dscp(std::string_view text)
{
	std::optional<std::uint32_t> number = parse_number<std::uint32_t>(text);

	if (equal_ignoring_case(text, "inherit"))
		return DSCP_INHERIT;
	if (!number || *number > LARGEST_DSCP)
		throw Failure{"neither 0-63 nor inherit: " + in_quotes(text)};
	return static_cast<std::uint8_t>(*number);
}

}

std::map<Key, PeerPolicy> parse_policies(const QuickConfig &config)
{
	static constexpr std::string_view KEYS[] = {PIN, OPENED_MARK, OUTER_MARK, DSCP};
	std::map<Key, PeerPolicy> policies;

	for_each_peer_comment(config, KEYS, [&](const Key &peer, std::string_view key, std::string_view value, std::size_t) {
		PeerPolicy &policy = policies[peer];
		if (key == PIN)
			policy.pins_endpoint = parse_either(value, "yes", "no");
		else if (key == OPENED_MARK)
			policy.opened_mark = parse_fwmark(value);
		else if (key == OUTER_MARK)
			policy.outer_mark = parse_fwmark(value);
		else
			policy.dscp = parse_dscp(value);
	});
	return policies;
}

void add_policies(std::vector<Peer> &peers, const QuickConfig &config)
{
	bool is_by_mark = config.kill_switch;

	if (config.policies.empty())
		return;
	for (const Peer &peer : peers)
		is_by_mark = is_by_mark || (config.routing == Routing::automatic && std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), is_default_route));
	for (Peer &peer : peers) {
		auto policy = config.policies.find(peer.public_key);
		if (policy == config.policies.end())
			continue;
		if (policy->second.outer_mark && is_by_mark)
			throw Failure{config.path + ": OuterMark cannot be used with KillSwitch, nor with a default route under Table = auto: only packets with "
						    "the interface's own mark get out there. Remove OuterMark, or set Table to a number, a name or off"};
		peer.policy = policy->second;
	}
}

}
