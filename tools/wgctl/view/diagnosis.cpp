// SPDX-License-Identifier: GPL-2.0
#include "view/diagnosis.h"

#include <algorithm>
#include <array>
#include <span>

#include "model/prefixes.h"
#include "model/values.h"

namespace wgctl {

namespace {

/* Earlier than this program: such a clock was never set. 2025-01-01. */
constexpr std::int64_t EARLIEST_TIME = 1'735'689'600;
/* IP and UDP headers, and WireGuard's 32 bytes. */
constexpr std::uint32_t OVERHEAD_IPV4 = 60, OVERHEAD_IPV6 = 80;

/* Reasons that end what a side without session sent here; others are about what leaves. */
struct DropReason {
	std::string_view name, meaning, remedy;
};
constexpr std::array DROPS{
	DropReason{"bad-mac1", "they were made for another public key", "give the other side this interface's public key"},
	DropReason{"unknown-peer", "their sender is no peer here", "add the sender's public key as [Peer]"},
	DropReason{"bad-handshake", "they do not decrypt", "compare public keys and PresharedKey on both sides"},
	DropReason{"old-timestamp", "their sender's clock went back", "set the other side's clock, or remove and add the peer here"},
	DropReason{"malformed", "they are not WireGuard's", "look for something on the path that alters UDP packets, or send to another port"},
	DropReason{"rate-limited", "their sender sends too many", "wait; if it lasts, look who floods this port"},
	DropReason{"no-identity", "this interface has no private key", "set PrivateKey"},
};

std::uint64_t drops_of(const Examination &seen, std::string_view reason)
{
	for (const Counter &counter : seen.counters)
		if (counter.name.starts_with(DROP_COUNTER) && std::string_view(counter.name).substr(DROP_COUNTER.size()) == reason)
			return counter.value;
	return 0;
}

/* Why something of this very peer ended here a moment ago, where the kernel tells; null: it did not, or not for one of DROPS. */
const DropReason *recent_drop(const Peer &peer)
{
	constexpr std::uint64_t RECENT = 60'000;

	if (!peer.state || peer.state->last_drop_age > RECENT)
		return nullptr;
	auto found = std::find_if(DROPS.begin(), DROPS.end(), [&](const DropReason &reason) { return reason.name == peer.state->last_drop; });
	return found == DROPS.end() ? nullptr : &*found;
}

class Doctor {
public:
	explicit Doctor(const Examination &seen) : seen_(seen), name_(seen.device.name) {}

	std::vector<Finding> run()
	{
		kill_switch();
		if (seen_.is_missing)
			return std::move(findings_);
		interface_itself();
		for (const Peer &peer : seen_.device.peers) {
			way_to_endpoint(peer);
			silence(peer);
			return_routes(peer);
			packet_size(peer);
		}
		idle_routes();
		lost_parts();
		differences();
		unknown_names();
		reverse_path();
		wrong_sources();
		overlaps();
		same_networks();
		forwarding();
		dns();
		return std::move(findings_);
	}

private:
	void find(std::string what, std::string remedy) { findings_.push_back({std::move(what), std::move(remedy)}); }
	std::string called(const Peer &peer) const { return "peer " + describe_peer(peer.public_key, seen_.names); }
	std::string file() const { return seen_.path.value_or("the interface's file"); }
	/* What other commands are told to do something with it. */
	std::string itself() const
	{
		bool is_usual = !seen_.path || *seen_.path == "/etc/wireguard/" + name_ + ".conf";
		return shell_word(is_usual ? name_ : *seen_.path) + seen_.options;
	}
	/* After an edit of the file. */
	std::string applied() const { return " and run wgctl apply " + itself(); }
	/* A command that must run where the interface is. */
	std::string there(const std::string &command) const { return seen_.prefix + command; }
	const Examination::Way *way(const Peer &peer) const
	{
		auto found = seen_.ways.find(peer.public_key);
		return found == seen_.ways.end() ? nullptr : &found->second;
	}

	void kill_switch()
	{
		auto has_session = [this](const Peer &peer) { return peer.has_session(seen_.now); };

		if (!seen_.kill_switch.empty() && std::none_of(seen_.device.peers.begin(), seen_.device.peers.end(), has_session))
			find(name_ + (seen_.is_missing ? " is not there" : " has no session") + ", and its kill switch, nftables table " + seen_.kill_switch +
				     ", lets nothing else out of this machine",
			     seen_.is_missing ? "wgctl up " + itself() + ", or wgctl down " + itself() + " to open it"
					      : "mend what else is found, or wgctl down " + itself() + " opens it");
	}

	void interface_itself()
	{
		if (seen_.is_open_to_the_world)
			find(file() + " holds a private key and everybody may read it", "chmod 600 " + shell_word(file()));
		if (!seen_.file_trouble.empty())
			find("the file cannot be used: " + seen_.file_trouble, "correct it; wgctl apply --dry-run " + itself() + " reads it again");
		binding();
		if (!seen_.is_up)
			/* With the link went its IPv6 addresses and its routes. */
			find(name_ + " is down", seen_.wanted ? "wgctl apply " + itself() : there("ip link set " + shell_word(name_) + " up"));
		if (!seen_.device.private_key || seen_.device.private_key->is_zero())
			find(name_ + " has no private key", "set PrivateKey in " + file() + applied());
		bool is_unset = seen_.now < EARLIEST_TIME;
		bool went_back = std::any_of(seen_.device.peers.begin(), seen_.device.peers.end(),
					     [this](const Peer &peer) { return peer.last_handshake.seconds > seen_.now + 1; });
		if (is_unset || went_back)
			find(is_unset ? "the clock was never set; peers that have seen a later one refuse handshakes from here"
				      : "the clock went back behind the last handshake; peers refuse handshakes from here until it catches up",
			     "set the clock, for example with timedatectl set-ntp true");
	}

	/* What its sockets are bound to went after they were opened. */
	void binding()
	{
		if (seen_.lacks_bound_link)
			find("the sockets of " + name_ + " are bound to the link " + seen_.device.binding->link + " (BindDevice), which is not there",
			     "bring it back or correct BindDevice in " + file() + bound_anew());
		if (seen_.lacks_bound_address)
			find("the sockets of " + name_ + " are bound to " + seen_.device.binding->address + " (BindAddress), which is no address of this machine",
			     "give it back its address or correct BindAddress in " + file() + bound_anew());
	}
	std::string bound_anew() const { return ", then run wgctl down " + itself() + " and wgctl up " + itself(); }

	void way_to_endpoint(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (!peer.endpoint || !found)
			return;
		std::string endpoint(format_endpoint(*peer.endpoint));
		if (seen_.lacks_bound_link || seen_.lacks_bound_address)
			return;
		if (const std::string bound = seen_.device.binding.value_or(Binding()).link; !found->link && !bound.empty())
			find("there is no route to " + endpoint + ", the endpoint of " + called(peer) + ", by " + bound + ", which the sockets are bound to",
			     "add a route by it to that address, or correct BindDevice in " + file() + bound_anew());
		else if (!found->link)
			find("there is no route to " + endpoint + ", the endpoint of " + called(peer),
			     "connect this machine to the network, or add a route to that address");
		else if (found->is_tunnel)
			find("packets to " + endpoint + ", the endpoint of " + called(peer) + ", go into the tunnel " +
				     (seen_.device.fwmark.value_or(0) ? "although they carry a mark" : "itself: it is inside allowed IPs"),
			     way_past_the_tunnel(address_of(*peer.endpoint)));
	}

	/* Only a default route goes by the mark; one that is longer takes marked packets, too. */
	std::string way_past_the_tunnel(const Prefix &address) const
	{
		const Prefix *longest = nullptr;

		for (const Peer &peer : seen_.device.peers)
			for (const Prefix &allowed : peer.allowed_ips)
				if (covers(allowed, address) && (!longest || allowed.cidr > longest->cidr))
					longest = &allowed;
		if (!longest || seen_.is_routing_off)
			return "add a route to that address that does not go over " + name_;
		std::string all = address.family == AF_INET6 ? "::/0" : "0.0.0.0/0";
		if (longest->cidr == 1)
			return "write " + all + " instead of its halves into AllowedIPs in " + file() + applied();
		if (longest->cidr)
			return "take " + format_prefix(*longest) + " out of AllowedIPs in " + file() + applied();
		if (!seen_.path)
			return "bring " + name_ + " up from a file with wgctl up, which gives packets to endpoints a mark and a rule";
		return "wgctl down " + itself() + " and wgctl up " + itself() + " set the mark and its rule again";
	}

	/* A silence nobody minds: a peer that is not expected, or that has nothing to say. */
	bool is_missed(const Peer &peer) const
	{
		if (!seen_.asked.empty())
			return seen_.asked.contains(peer.public_key);
		return peer.tx_bytes && (!peer.last_handshake.seconds || peer.persistent_keepalive.value_or(0));
	}

	/* It sends, and no session comes of it. */
	void silence(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (seen_.shut_out.contains(peer.public_key))
			return find("this machine's own packet filter lets nothing into " + name_ + " for " + called(peer),
				    "let what leaves by " + name_ + " pass the output chains here, which nft list ruleset shows");
		if (peer.has_session(seen_.now) || !peer.endpoint || !seen_.is_up || !is_missed(peer) ||
		    (found && (!found->link || found->is_tunnel)))
			return;
		if (found && found->is_forbidden)
			return find("this machine's own packet filter lets nothing out to " + called(peer) + " at " + std::string(format_endpoint(*peer.endpoint)),
				    "let UDP to that port pass the output chains here, which nft list ruleset shows" +
					    std::string(seen_.device.fwmark.value_or(0) ? ", or set FwMark to a mark they do not drop" : ""));
		if (const DropReason *reason = recent_drop(peer))
			return find(called(peer) + " has no session; its packets are dropped, the last one " +
					    std::to_string(peer.state->last_drop_age / 1000) + " s ago: " + std::string(reason->meaning),
				    std::string(reason->remedy));
		for (const DropReason &reason : DROPS) {
			std::uint64_t count = drops_of(seen_, reason.name);
			if (!count)
				continue;
			return find(called(peer) + " has no session; " + std::to_string(count) + " packets came in and were dropped: " +
					    std::string(reason.meaning),
				    std::string(reason.remedy));
		}
		std::string where = called(peer) + " at " + std::string(format_endpoint(*peer.endpoint));
		std::string since = peer.last_handshake.seconds ? " since " + std::to_string(seen_.now - peer.last_handshake.seconds) + " s" : "";
		std::string key = seen_.device.public_key ? std::string(to_base64(*seen_.device.public_key)) : "this interface's public key";
		if (found && found->is_refused)
			return find("nothing listens where " + where + " should: the machine there refuses packets to that port",
				    "start WireGuard there, or correct the port of Endpoint in " + file());
		if (seen_.counters.empty())
			return find("no reply from " + where + since + ", or none that could be used: this module does not count what it drops",
				    "check there that WireGuard listens on that port, that no firewall stops UDP, and that it knows " + key +
					    "; compare public keys and PresharedKey on both sides");
		bool is_pinned = peer.policy.value_or(PeerPolicy()).pins_endpoint;
		find("no reply at all from " + where + since + (is_pinned ? ", where it is pinned" : ""),
		     "check there that WireGuard listens on that port, that no firewall stops UDP, and that it knows " + key +
			     (is_pinned ? "; if it has moved, correct Endpoint in " + file() + applied() + ", or take PinEndpoint out" : ""));
	}

	bool is_routed(const Prefix &prefix) const
	{
		auto covered = [this](const Prefix &part) {
			return std::any_of(seen_.routes.begin(), seen_.routes.end(), [&](const Prefix &route) { return covers(route, part); });
		};
		/* A default route is often two halves of the world, which win over the other one. */
		return covered(prefix) || (prefix.cidr < prefix.bits() && covered(half(prefix, 0)) && covered(half(prefix, 1)));
	}

	void return_routes(const Peer &peer)
	{
		if (seen_.is_routing_off || !seen_.is_up)
			return;
		for (const Prefix &allowed : peer.allowed_ips) {
			if (is_routed(allowed)) {
				elsewhere(peer, allowed);
				continue;
			}
			/* That may come from anywhere, where somebody else decides what goes there. */
			if (is_default_route(allowed) && (!seen_.path || !seen_.lost_parts.empty()))
				continue;
			/* A default route takes its mark and rules; without them it would swallow what the tunnel sends. */
			find("there is no route over " + name_ + " to " + format_prefix(allowed) + " of " + called(peer) + ": answers to it go elsewhere",
			     is_default_route(allowed) ? "wgctl apply " + itself()
						       : there("ip route add " + format_prefix(allowed) + " dev " + shell_word(name_)));
		}
	}

	/* There is a route, and another one or a rule that wins over it. What has a finding of its own is left out. */
	void elsewhere(const Peer &peer, const Prefix &allowed)
	{
		auto found = seen_.elsewhere.find(allowed);

		if (found == seen_.elsewhere.end() || !seen_.lost_parts.empty() || shares_network(allowed))
			return;
		find("packets to " + format_prefix(allowed) + " of " + called(peer) +
			     (found->second.empty() ? " have no way, although there is a route over " : " leave by " + found->second + ", at least some, not by ") + name_,
		     "take the longer route or the rule away that wins: " + there("ip rule") + " and " + there("ip route") + " show them");
	}

	/* What is sent there is lost. */
	void idle_routes()
	{
		auto leads_to = [](const Prefix &destination) {
			return [&](const Prefix &allowed) { return covers(allowed, destination) || covers(destination, allowed); };
		};

		for (const Route &route : seen_.added_routes)
			if (std::none_of(seen_.device.peers.begin(), seen_.device.peers.end(), [&](const Peer &peer) {
				    return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), leads_to(route.destination));
			    })) {
				std::string prefix = format_prefix(route.destination);
				find("there is a route over " + name_ + " to " + prefix + ", and no peer behind it: what goes there is lost",
				     there("ip route del " + prefix + " dev " + shell_word(name_) +
					   (route.table == MAIN_TABLE ? "" : " table " + std::to_string(route.table))));
			}
	}

	void differences()
	{
		constexpr std::size_t MOST = 5;
		std::string all = listed(std::span(seen_.differences).first(std::min(seen_.differences.size(), MOST)));

		if (seen_.differences.size() > MOST)
			all += ", and " + std::to_string(seen_.differences.size() - MOST) + " more";
		if (!all.empty())
			find(name_ + " is not as " + file() + " has it: " + all, "wgctl apply " + itself());
	}

	void packet_size(const Peer &peer)
	{
		const Examination::Way *found = way(peer);

		if (!peer.endpoint || !found || !found->mtu || found->is_tunnel)
			return;
		std::uint32_t overhead = peer.endpoint->any.sa_family == AF_INET6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4;
		std::uint32_t fits = *found->mtu > overhead ? *found->mtu - overhead : 0;
		std::string what = "the MTU of " + name_ + ", " + std::to_string(seen_.mtu) + ", is too big: ";
		if (seen_.mtu > fits)
			what += "the path to " + called(peer) + " takes " + std::to_string(fits) + " inside the tunnel";
		else if (found->largest_inside)
			what += "packets as long get lost between here and " + called(peer) + " without a word; " +
				std::to_string(fits = *found->largest_inside) + " bytes come through";
		if (seen_.mtu > fits)
			find(what,
			     seen_.path ? "set MTU = " + std::to_string(fits) + " in " + file() + applied()
					: there("ip link set " + shell_word(name_) + " mtu " + std::to_string(fits)));
	}

	static std::string listed(std::span<const std::string> parts)
	{
		std::string all;

		for (const std::string &part : parts)
			all += (all.empty() ? "" : ", ") + part;
		return all;
	}

	void lost_parts()
	{
		if (std::string all = listed(seen_.lost_parts); !all.empty())
			find("all traffic should go through " + name_ + ", and may leave outside it: what keeps it in is not whole (" + all + ")",
			     "wgctl apply " + itself());
	}

	void unknown_names()
	{
		for (const auto &[key, reason] : seen_.unknown_names)
			find("there is no address for the endpoint of peer " + describe_peer(key, seen_.names) + ": " + reason,
			     "correct Endpoint in " + file() + ", or give this machine a name server that knows the name");
	}

	/* Where routes are the user's business, nothing else tells that they do not lead back. */
	void reverse_path()
	{
		std::string dropped = seen_.reverse_path_drops ? std::to_string(seen_.reverse_path_drops) + " packets were dropped just now" : "";

		for (const auto &[allowed, link] : seen_.elsewhere)
			if (dropped.empty() && seen_.is_routing_off && allowed.family == AF_INET)
				dropped = "packets from " + format_prefix(allowed) + " are dropped";
		if (!dropped.empty() && seen_.is_reverse_path_strict)
			find(dropped + " by the strict reverse path filter (rp_filter): answers to them would not leave by the link they came in by",
			     there("sysctl -w net.ipv4.conf." + name_ + ".rp_filter=2"));
	}

	/* Wider than this, it is all the world but some, and one's own networks are not meant. */
	static constexpr unsigned LEAST_LENGTH = 8;
	static bool is_part(const Prefix &allowed, const Prefix &address)
	{
		return address.cidr < address.bits() && allowed.cidr >= LEAST_LENGTH && covers(allowed, network_of(address));
	}
	bool shares_network(const Prefix &allowed) const
	{
		return std::any_of(seen_.other_addresses.begin(), seen_.other_addresses.end(), [&](const auto &one) { return is_part(allowed, one.second); });
	}

	/* The tunnel and another link lead to the same network, and only one of them is taken. */
	void same_networks()
	{
		if (seen_.is_routing_off)
			return;
		for (const Peer &peer : seen_.device.peers)
			for (const Prefix &allowed : peer.allowed_ips)
				for (const auto &[link, address] : seen_.other_addresses)
					if (is_part(allowed, address))
						find(format_prefix(network_of(address)) + " of " + called(peer) + " is also the network of " + link +
							     " here: of two hosts with one address only one is reached",
						     "renumber one of the two networks, or put single addresses into AllowedIPs in " + file() + applied());
	}

	/* Those it was sent while it was looked: a tunnel that is up, and eats what its peers say. */
	void wrong_sources()
	{
		if (seen_.wrong_sources)
			find(std::to_string(seen_.wrong_sources) +
				     " packets came in just now and were dropped: their inner source address is not among their sender's AllowedIPs",
			     "add the addresses the other side sends from to its AllowedIPs in " + file() + applied());
	}

	/* The device gives an allowed IP to the last peer that claims it, so only the file shows this. */
	void overlaps()
	{
		if (!seen_.wanted)
			return;
		std::map<std::string, const Peer *> owners;
		for (const Peer &peer : seen_.wanted->peers)
			for (const Prefix &allowed : peer.allowed_ips) {
				std::string prefix = format_prefix(network_of(allowed));
				auto [owner, is_new] = owners.emplace(prefix, &peer);
				if (!is_new && owner->second->public_key != peer.public_key)
					find(called(*owner->second) + " and " + called(peer) + " both claim " + prefix + "; only the last one gets it",
					     "leave it to one of them in " + file() + applied());
			}
	}

	/* Peers find the way here, not each other's: it is a hub, whose peers meet in it. */
	bool has_guests(std::uint16_t family) const
	{
		std::size_t users = 0, guests = 0;

		for (const Peer &peer : seen_.device.peers) {
			if (std::none_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), [family](const Prefix &p) { return p.family == family; }))
				continue;
			const Peer *wanted = seen_.wanted_peer(peer.public_key);
			++users;
			if (!wanted || !wanted->has_endpoint())
				++guests;
		}
		return users > 1 && guests;
	}

	void forwarding()
	{
		if (std::string all = listed(seen_.lost_forwarding); !all.empty())
			return find("the file says to forward for the peers, and what does it is not whole (" + all + ")", "wgctl apply " + itself());
		if (any_default_route(seen_.device.peers) || seen_.is_isolating)
			return;
		if (seen_.forwards_ipv4 == false && has_guests(AF_INET))
			find("forwarding of IPv4 is off: the peers reach this machine, but not each other", there("sysctl -w net.ipv4.ip_forward=1"));
		if (seen_.forwards_ipv6 == false && has_guests(AF_INET6))
			find("forwarding of IPv6 is off: the peers reach this machine, but not each other",
			     there("sysctl -w net.ipv6.conf.all.forwarding=1"));
	}

	void dns()
	{
		bool leaks = false, is_for_all = any_default_route(seen_.device.peers);

		for (const auto &[server, link] : seen_.name_servers) {
			if (!is_for_all || !link || *link == name_ || *link == "lo")
				continue;
			leaks = true;
			find("all traffic goes through the tunnel, but questions to the name server " + server + " leave by " + *link,
			     "set DNS in [Interface] of " + file() + " to a server behind the tunnel," + applied());
		}
		if (seen_.asked_instead && !leaks)
			find("the name servers of " + file() + " are not asked, but " + *seen_.asked_instead + ", which /etc/resolv.conf names",
			     "let /etc/resolv.conf be that of systemd-resolved (a link to /run/systemd/resolve/stub-resolv.conf) or of resolvconf (resolvconf -u)");
	}

	const Examination &seen_;
	const std::string &name_;
	std::vector<Finding> findings_;
};

}

std::vector<Finding> diagnose(const Examination &examination)
{
	return Doctor(examination).run();
}

}
