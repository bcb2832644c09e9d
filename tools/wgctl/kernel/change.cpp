// SPDX-License-Identifier: GPL-2.0
/* KernelDevices::set: a change, cut into messages. */
#include <algorithm>

#include "../../../uapi/linux/wireguard_extensions.h"
#include "kernel/devices.h"
#include "kernel/request.h"
#include "model/values.h"

namespace wgctl {

namespace {

/* Sends one change, in as many messages as it takes. */
class Change {
public:
	Change(NetlinkChannel &channel, const Device &change) :
		channel_(channel), change_(change), request_(wireguard_family(channel))
	{
	}

	void send()
	{
		begin();
		put_device();
		open_peers();
		for (const Peer &peer : change_.peers)
			put_peer(peer);
		finish();
	}

private:
	void begin() { request_.begin(needs_our_module(change_) ? std::uint8_t{WGX_CMD_SET_DEVICE} : std::uint8_t{WG_CMD_SET_DEVICE}, change_.name); }
	void open_peers() { peers_ = change_.peers.empty() ? nullptr : request_.open(WGDEVICE_A_PEERS); }

	void put_device()
	{
		if (change_.private_key)
			request_.put(WGDEVICE_A_PRIVATE_KEY, change_.private_key->bytes.data(), WG_KEY_LEN);
		if (change_.listen_port)
			request_.put_number(WGDEVICE_A_LISTEN_PORT, *change_.listen_port);
		if (change_.fwmark)
			request_.put_number(WGDEVICE_A_FWMARK, *change_.fwmark);
		if (change_.binding)
			put_binding(*change_.binding);
		if (change_.replace_peers)
			request_.put_number<std::uint32_t>(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
	}

	void put_binding(const Binding &binding)
	{
		Prefix address{.family = AF_INET, .cidr = 32};

		if (!binding.address.empty())
			address = parse_address(binding.address);
		request_.put(WGX_A_BIND_DEVICE, binding.link.c_str(), binding.link.size() + 1);
		request_.put(WGX_A_BIND_ADDRESS, address.address.data(), address.bits() / 8);
	}
	bool put_policy(const PeerPolicy &policy)
	{
		return request_.put_number(WGX_A_PIN_ENDPOINT, std::uint8_t{policy.pins_endpoint}) &&
		       request_.put_number(WGX_A_OPENED_MARK, policy.opened_mark) && request_.put_number(WGX_A_OUTER_MARK, policy.outer_mark) &&
		       request_.put_number(WGX_A_DSCP, policy.dscp);
	}

	void finish()
	{
		if (peers_)
			request_.close(peers_);
		NetlinkStatus status = channel_.exchange(request_.header(), [](const nlmsghdr *) {});
		if (status.error == EOPNOTSUPP && status.text.empty() && needs_our_module(change_))
			throw Failure{ONLY_OUR_MODULE};
		if (status.error)
			throw Failure{status.describe()};
	}

	void next_message()
	{
		finish();
		begin();
		open_peers();
	}

	bool put_peer_head(const Peer &peer, bool continued)
	{
		std::uint32_t flags = (peer.remove ? WGPEER_F_REMOVE_ME : 0) |
				      (peer.replace_allowed_ips && !continued ? WGPEER_F_REPLACE_ALLOWEDIPS : 0) |
				      (peer.update_only ? WGPEER_F_UPDATE_ONLY : 0);

		if (!request_.put(WGPEER_A_PUBLIC_KEY, peer.public_key.bytes.data(), WG_KEY_LEN) ||
		    (flags && !request_.put_number(WGPEER_A_FLAGS, flags)))
			return false;
		if (continued || peer.remove)
			return true;
		return (!peer.preshared_key || request_.put(WGPEER_A_PRESHARED_KEY, peer.preshared_key->bytes.data(), WG_KEY_LEN)) &&
		       (!peer.endpoint || request_.put(WGPEER_A_ENDPOINT, &peer.endpoint->any, peer.endpoint->size())) &&
		       (!peer.persistent_keepalive ||
			request_.put_number(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *peer.persistent_keepalive)) &&
		       (!peer.policy || put_policy(*peer.policy));
	}

	bool put_prefix(const Prefix &prefix)
	{
		nlattr *nest = request_.open(0);

		if (nest && request_.put_number(WGALLOWEDIP_A_FAMILY, prefix.family) &&
		    request_.put(WGALLOWEDIP_A_IPADDR, prefix.address.data(), prefix.bits() / 8) &&
		    request_.put_number(WGALLOWEDIP_A_CIDR_MASK, prefix.cidr) &&
		    (!prefix.remove || request_.put_number<std::uint32_t>(WGALLOWEDIP_A_FLAGS, WGALLOWEDIP_F_REMOVE_ME))) {
			request_.close(nest);
			return true;
		}
		if (nest)
			request_.cancel(nest);
		return false;
	}

	/* As much of the peer as fits, from allowed IP number `first` on; returns the number of the first
	 * that did not. Nothing is added when not even the head fits. */
	struct Progress {
		bool started;
		std::size_t next;
	};
	Progress put_peer_part(const Peer &peer, std::size_t first, bool continued)
	{
		nlattr *nest = request_.open(0);

		if (!nest || !put_peer_head(peer, continued)) {
			if (nest)
				request_.cancel(nest);
			return {false, first};
		}
		std::size_t count = peer.remove ? first : peer.allowed_ips.size();
		if (first < count) {
			if (nlattr *list = request_.open(WGPEER_A_ALLOWEDIPS)) {
				while (first < count && put_prefix(peer.allowed_ips[first]))
					++first;
				request_.close(list);
			}
		}
		request_.close(nest);
		return {true, first};
	}

	void put_peer(const Peer &peer)
	{
		std::size_t count = peer.remove ? 0 : peer.allowed_ips.size();
		std::size_t next = 0;
		bool continued = false;

		for (;;) {
			Progress progress = put_peer_part(peer, next, continued);
			continued = continued || progress.started;
			next = progress.next;
			if (progress.started && next == count)
				return;
			next_message();
		}
	}

	NetlinkChannel &channel_;
	const Device &change_;
	Request request_;
	nlattr *peers_ = nullptr;
};

}

void KernelDevices::set(const Device &change)
{
	NetlinkChannel channel(open_(NETLINK_GENERIC));

	Change(channel, change).send();
}

}
