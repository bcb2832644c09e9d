// SPDX-License-Identifier: GPL-2.0
/* WG_CMD_GET_DEVICE: the configuration and state, in parts of whatever size the reader gives.
 *
 * A dump holds nothing between its parts but the serial of the peer to go on with and how many of its allowed IPs are written; so a
 * peer removed meanwhile is just not there, and the reader learns from the generation that what it has may not fit together.
 */
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

usize text_size(const char *text)
{
	usize size = 0;

	while (text[size])
		size++;
	return size + 1;
}

struct [[gnu::packed]] SocketAddress6 {
	u16 family;
	u8 port[2];
	u32 flow;
	u8 address[16];
	u32 scope;
};
struct SocketAddress4 {
	u16 family;
	u8 port[2], address[4], zero[8];
};
static_assert(sizeof(SocketAddress6) == 28 && sizeof(SocketAddress4) == 16);

bool put_endpoint(wg_reply *reply, const wg_endpoint &endpoint)
{
	u8 port[2] = {static_cast<u8>(endpoint.port >> 8), static_cast<u8>(endpoint.port)};

	if (endpoint.family == 4) {
		SocketAddress4 address{2, {port[0], port[1]}, {}, {}};

		copy_bytes(address.address, endpoint.address, 4);
		return put(reply, WGPEER_A_ENDPOINT, &address, sizeof(address));
	}
	if (endpoint.family == 6) {
		SocketAddress6 address{10, {port[0], port[1]}, 0, {}, endpoint.scope};

		copy_bytes(address.address, endpoint.address, 16);
		return put(reply, WGPEER_A_ENDPOINT, &address, sizeof(address));
	}
	return true;
}

bool put_allowed_ip(wg_reply *reply, const Prefix &prefix)
{
	bool v4 = prefix.version == IpVersion::V4;
	void *nest = wg_kernel_reply_nest(reply, 0);

	if (!nest)
		return false;
	if (!put_value<u8>(reply, WGALLOWEDIP_A_CIDR_MASK, prefix.bits) || !put_value<u16>(reply, WGALLOWEDIP_A_FAMILY, v4 ? 2 : 10) ||
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

/* Writes the allowed IPs from @dump.next_allowed_ip on, as many as fit. True when the last one is written. */
bool put_allowed_ips(wg_reply *reply, Peer &peer, wg_dump &dump)
{
	void *nest = wg_kernel_reply_nest(reply, WGPEER_A_ALLOWEDIPS);
	u64 position = 0;
	bool all = nest != nullptr;

	for (PrefixNode *node = peer.prefixes.prefixes.first(); node && all; node = peer.prefixes.prefixes.next(*node), position++) {
		if (position < dump.next_allowed_ip)
			continue;
		all = put_allowed_ip(reply, node->prefix);
		if (all)
			dump.next_allowed_ip = position + 1;
	}
	if (nest)
		wg_kernel_reply_nest_end(reply, nest);
	return all;
}

enum class Written : u8 { Whole, Part, Nothing };

Written put_peer(wg_reply *reply, Peer &peer, wg_dump &dump)
{
	u64 before = dump.next_allowed_ip;
	void *nest = wg_kernel_reply_nest(reply, 0);
	bool whole;

	if (!nest)
		return Written::Nothing;
	if (!put(reply, WGPEER_A_PUBLIC_KEY, peer.remote.static_public().data(), KEY_SIZE) || (!dump.continuing && !put_state(reply, peer))) {
		wg_kernel_reply_nest_cancel(reply, nest);
		return Written::Nothing;
	}
	whole = peer.prefixes.prefixes.empty() || put_allowed_ips(reply, peer, dump);
	if (!whole && dump.continuing && dump.next_allowed_ip == before) {
		wg_kernel_reply_nest_cancel(reply, nest);	/* only the key fitted: no progress */
		return Written::Nothing;
	}
	wg_kernel_reply_nest_end(reply, nest);
	return whole ? Written::Whole : Written::Part;
}

bool put_device(wg_reply *reply, Device &device)
{
	const char *name = wg_kernel_netdev_name(&device.netdev);

	if (!put_value<u16>(reply, WGDEVICE_A_LISTEN_PORT, device.port) || !put_value<u32>(reply, WGDEVICE_A_FWMARK, device.mark.load_relaxed()) ||
	    !put_value<u32>(reply, WGDEVICE_A_IFINDEX, wg_kernel_netdev_index(&device.netdev)) ||
	    !put(reply, WGDEVICE_A_IFNAME, name, text_size(name)))
		return false;
	if (!device.local.is_present())
		return true;
	return put(reply, WGDEVICE_A_PRIVATE_KEY, device.local.static_private().expose(), KEY_SIZE) &&
	       put(reply, WGDEVICE_A_PUBLIC_KEY, device.local.static_public().data(), KEY_SIZE);
}

/* The first peer not older than @serial; null when there is none. */
Peer *peer_from(Device &device, u64 serial)
{
	for (Peer *peer = device.peers.first(); peer; peer = device.peers.next(*peer))
		if (peer->serial >= serial)
			return peer;
	return nullptr;
}

/* Writes peers until one does not fit. */
void put_peers(wg_reply *reply, Device &device, wg_dump &dump)
{
	void *nest = wg_kernel_reply_nest(reply, WGDEVICE_A_PEERS);
	Peer *peer = peer_from(device, dump.next_peer);

	if (!nest)
		return;
	if (peer && peer->serial != dump.next_peer)
		dump.next_allowed_ip = dump.continuing = 0;	/* the one to continue is gone */
	for (; peer; peer = device.peers.next(*peer)) {
		dump.next_peer = peer->serial;
		switch (put_peer(reply, *peer, dump)) {
		case Written::Whole:
			dump.next_peer = peer->serial + 1;
			dump.next_allowed_ip = dump.continuing = 0;
			continue;
		case Written::Part: dump.continuing = 1; break;
		case Written::Nothing: break;
		}
		break;
	}
	dump.done = !peer;
	wg_kernel_reply_nest_end(reply, nest);
}

} // namespace

} // namespace wg::engine

int wg_engine_dump(wg_device *handle, wg_dump *dump, wg_reply *reply)
{
	using namespace wg::engine;
	Device &device = *reinterpret_cast<Device *>(handle);
	MutexGuard guard(device.config);
	wg_dump before = *dump;

	dump->generation = device.generation;
	if (!dump->started && !put_device(reply, device))
		return -WG_EMSGSIZE;
	put_peers(reply, device, *dump);
	/* A part after the first must bring something, or the reader would ask for ever. */
	if (dump->started && !dump->done && before.next_peer == dump->next_peer && before.next_allowed_ip == dump->next_allowed_ip &&
	    before.continuing == dump->continuing)
		return -WG_EMSGSIZE;
	dump->started = 1;
	return 0;
}
