// SPDX-License-Identifier: GPL-2.0
/* WG_CMD_GET_DEVICE: the configuration and state, in parts of whatever size the reader gives.
 *
 * Between its parts a dump holds nothing but where to go on: a pointer, good for as long as the configuration is the one it was taken from,
 * and for when it is another one the peer's number and how many of its allowed IPs are written. So a peer removed meanwhile is just not
 * there, and the reader learns from the generation that what it has may not fit together.
 */
#include "engine/attributes.h"
#include "engine/device.h"
#include "kernel/engine.h"
#include "linux/wireguard.h"

namespace wg::engine {

namespace {

bool put(wg_reply *reply, u16 type, const void *data, usize size)
{
	return wg_kernel_reply_put(reply, type, data, size);
}

template <typename T> bool put_value(wg_reply *reply, u16 type, T value)
{
	return put(reply, type, &value, sizeof(value));
}

/* As read_endpoint() of config_set reads it. */
bool put_endpoint(wg_reply *reply, const wg_endpoint &endpoint)
{
	bool v4 = endpoint.family == 4;
	u16 family = v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	u8 address[SOCKADDR_IN6_SIZE] = {};

	if (endpoint.family == 0)
		return true;
	copy_bytes(address, &family, sizeof(family));
	address[2] = static_cast<u8>(endpoint.port >> 8);
	address[3] = static_cast<u8>(endpoint.port);
	copy_bytes(address + (v4 ? 4 : 8), endpoint.address, v4 ? 4 : 16);
	if (!v4)
		copy_bytes(address + 24, &endpoint.scope, sizeof(endpoint.scope));
	return put(reply, WGPEER_A_ENDPOINT, address, v4 ? SOCKADDR_IN_SIZE : SOCKADDR_IN6_SIZE);
}

bool put_allowed_ip(wg_reply *reply, const Prefix &prefix)
{
	bool v4 = prefix.version == IpVersion::V4;
	void *nest = wg_kernel_reply_nest(reply, 0);

	if (!nest)
		return false;
	if (!put_value<u8>(reply, WGALLOWEDIP_A_CIDR_MASK, prefix.bits) || !put_value<u16>(reply, WGALLOWEDIP_A_FAMILY, v4 ? FAMILY_IPV4 : FAMILY_IPV6) ||
	    !put(reply, WGALLOWEDIP_A_IPADDR, prefix.address, v4 ? 4 : 16)) {
		wg_kernel_reply_nest_cancel(reply, nest);
		return false;
	}
	wg_kernel_reply_nest_end(reply, nest);
	return true;
}

/* Everything of a peer but its allowed IPs. */
bool put_state(wg_reply *reply, Peer &peer)
{
	struct {
		s64 seconds, nanoseconds;
	} last_handshake;
	Secret<KEY_SIZE> preshared_key;
	u16 keepalive;
	{
		SpinGuard guard(peer.handshake_lock);

		preshared_key.copy_from(peer.remote.preshared_key());
	}
	{
		SpinGuard guard(peer.timers_lock);

		last_handshake = {static_cast<s64>(peer.last_handshake_seconds), peer.last_handshake_nanoseconds};
		keepalive = peer.timers.persistent_keepalive();
	}
	return put(reply, WGPEER_A_PRESHARED_KEY, preshared_key.expose(), KEY_SIZE) &&
	       put(reply, WGPEER_A_LAST_HANDSHAKE_TIME, &last_handshake, sizeof(last_handshake)) &&
	       put_value<u16>(reply, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, keepalive) &&
	       put_value<u64>(reply, WGPEER_A_TX_BYTES, peer.tx_bytes.load_relaxed()) &&
	       put_value<u64>(reply, WGPEER_A_RX_BYTES, peer.rx_bytes.load_relaxed()) &&
	       put_value<u32>(reply, WGPEER_A_PROTOCOL_VERSION, 1) && put_endpoint(reply, endpoint_of(peer));
}

/* Where a dump goes on: with @prefix of @peer, or without one with all of @peer; no peer is its end. */
struct Position {
	Peer *peer;
	PrefixNode *prefix;
	u32 written;		/* of the peer's allowed IPs */
};

/* Writes the allowed IPs from at.prefix on; it is then the first that did not fit, or null. */
void put_allowed_ips(wg_reply *reply, Position &at)
{
	void *nest = at.prefix ? wg_kernel_reply_nest(reply, WGPEER_A_ALLOWEDIPS) : nullptr;

	if (!nest)
		return;
	for (; at.prefix && put_allowed_ip(reply, at.prefix->prefix); at.written++)
		at.prefix = at.peer->prefixes.prefixes.next(*at.prefix);
	wg_kernel_reply_nest_end(reply, nest);
}

/* Writes the peer, or more of its allowed IPs, and moves on in it. True: that was all of it. */
bool put_peer(wg_reply *reply, Position &at)
{
	PrefixNode *before = at.prefix;
	void *nest = wg_kernel_reply_nest(reply, 0);

	if (!nest)
		return false;
	if (!put(reply, WGPEER_A_PUBLIC_KEY, at.peer->remote.static_public().data(), KEY_SIZE) || (!before && !put_state(reply, *at.peer))) {
		wg_kernel_reply_nest_cancel(reply, nest);
		return false;
	}
	if (!before)
		at.prefix = at.peer->prefixes.prefixes.first();
	put_allowed_ips(reply, at);
	if (before && at.prefix == before)
		wg_kernel_reply_nest_cancel(reply, nest);	/* only the key fitted: no progress */
	else
		wg_kernel_reply_nest_end(reply, nest);
	return !at.prefix;
}

/* Writes peers until one does not fit. */
void put_peers(wg_reply *reply, Device &device, Position &at)
{
	void *nest = wg_kernel_reply_nest(reply, WGDEVICE_A_PEERS);

	if (!nest)
		return;
	while (at.peer && put_peer(reply, at))
		at = {device.peers.next(*at.peer), nullptr, 0};
	wg_kernel_reply_nest_end(reply, nest);
}

bool put_device(wg_reply *reply, Device &device)
{
	if (!put_value<u16>(reply, WGDEVICE_A_LISTEN_PORT, device.port) || !put_value<u32>(reply, WGDEVICE_A_FWMARK, device.mark.load_relaxed()) ||
	    !wg_kernel_reply_put_names(reply, &device.netdev))
		return false;
	if (!device.local.is_present())
		return true;
	return put(reply, WGDEVICE_A_PRIVATE_KEY, device.local.static_private().expose(), KEY_SIZE) &&
	       put(reply, WGDEVICE_A_PUBLIC_KEY, device.local.static_public().data(), KEY_SIZE);
}

/* Where @dump goes on after the configuration has changed. */
Position find_again(Device &device, const wg_dump &dump)
{
	Position at{device.peers.first(), nullptr, 0};

	while (at.peer && at.peer->serial < dump.peer_number)
		at.peer = device.peers.next(*at.peer);
	if (!at.peer || !dump.continuing || at.peer->serial != dump.peer_number)
		return at;
	at.prefix = at.peer->prefixes.prefixes.first();
	for (; at.prefix && at.written < dump.written; at.written++)
		at.prefix = at.peer->prefixes.prefixes.next(*at.prefix);
	return at.prefix ? at : Position{device.peers.next(*at.peer), nullptr, 0};
}

Position resume(Device &device, const wg_dump &dump)
{
	if (!dump.started)
		return {device.peers.first(), nullptr, 0};
	if (dump.generation != device.generation)
		return find_again(device, dump);
	if (!dump.continuing)
		return {static_cast<Peer *>(dump.at), nullptr, 0};
	PrefixNode &prefix = *static_cast<PrefixNode *>(dump.at);
	return {&prefix.owner.locked()->peer, &prefix, dump.written};
}

} // namespace

} // namespace wg::engine

int wg_engine_dump(wg_device *handle, wg_dump *dump, wg_reply *reply)
{
	using namespace wg::engine;
	Device &device = *reinterpret_cast<Device *>(handle);

	if (dump->started && dump->device_number != device.number)
		return -WG_ENODEV;
	if (!dump->started && !put_device(reply, device))
		return -WG_EMSGSIZE;
	const Position before = resume(device, *dump);
	Position at = before;
	put_peers(reply, device, at);
	/* A part after the first must bring something, or the reader would ask for ever. */
	if (dump->started && at.peer && at.peer == before.peer && at.prefix == before.prefix)
		return -WG_EMSGSIZE;
	*dump = {.at = at.prefix ? static_cast<void *>(at.prefix) : at.peer,
		 .peer_number = at.peer ? at.peer->serial : 0,
		 .device_number = device.number,
		 .generation = device.generation,
		 .written = at.written,
		 .started = 1,
		 .continuing = at.prefix != nullptr,
		 .done = !at.peer};
	return 0;
}
