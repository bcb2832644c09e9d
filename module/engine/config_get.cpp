// SPDX-License-Identifier: GPL-2.0
/* WG_CMD_GET_DEVICE and WGX_CMD_GET_DEVICE: the configuration and state, in parts of whatever size the reader gives.
 *
 * Between its parts a dump holds nothing but where to go on: a pointer, good for as long as the configuration is the one it was taken from,
 * and for when it is another one the peer's number and how many of its allowed IPs are written. So a peer removed meanwhile is just not
 * there, and the reader learns from the generation that what it has may not fit together.
 */
#include "engine/device.h"
#include "engine/reply.h"
#include "kernel/engine.h"
#include "linux/wireguard.h"
#include "linux/wireguard_extensions.h"

namespace wg::engine {

namespace {

bool put_allowed_ip(wg_reply *reply, const Prefix &prefix)
{
	bool v4 = prefix.version == IpVersion::V4;

	return put_nest(reply, 0, [&] {
		return put_value<u8>(reply, WGALLOWEDIP_A_CIDR_MASK, prefix.bits) &&
		       put_value<u16>(reply, WGALLOWEDIP_A_FAMILY, v4 ? FAMILY_IPV4 : FAMILY_IPV6) &&
		       put(reply, WGALLOWEDIP_A_IPADDR, prefix.address, v4 ? 4 : 16);
	});
}

/* Everything of a peer but its allowed IPs. */
bool put_settings(wg_reply *reply, Peer &peer, bool with_secrets)
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
	return (!with_secrets || put(reply, WGPEER_A_PRESHARED_KEY, preshared_key.expose(), KEY_SIZE)) &&
	       put(reply, WGPEER_A_LAST_HANDSHAKE_TIME, &last_handshake, sizeof(last_handshake)) &&
	       put_value<u16>(reply, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, keepalive) &&
	       put_value<u64>(reply, WGPEER_A_TX_BYTES, peer.tx_bytes.load_relaxed()) &&
	       put_value<u64>(reply, WGPEER_A_RX_BYTES, peer.rx_bytes.load_relaxed()) &&
	       put_value<u32>(reply, WGPEER_A_PROTOCOL_VERSION, 1) && put_endpoint(reply, WGPEER_A_ENDPOINT, endpoint_of(peer));
}

/* ---- how things are, for who asks ---- */

u64 milliseconds_between(Instant earlier, Instant later)
{
	return later > earlier ? static_cast<u64>((later - earlier).ns) / 1000000 : 0;
}

template <typename Counter> bool put_drops(wg_reply *reply, u16 type, const Counter (&drops)[DROP_REASONS])
{
	return put_nest(reply, type, [&] {
		for (usize reason = 0; reason < DROP_REASONS; reason++) {
			u64 count = drops[reason].load_relaxed();

			if (count && !put_nest(reply, 0, [&] {
				    return put_text(reply, WGX_DROP_A_REASON, drop_name(static_cast<Drop>(reason))) && put_value<u64>(reply, WGX_DROP_A_COUNT, count);
			    }))
				return false;
		}
		return true;
	});
}

bool put_session(wg_reply *reply, u8 slot, const Session *session, Instant at)
{
	return !session || put_nest(reply, 0, [&] {
		const Keypair &keypair = session->keypair;

		return put_value<u8>(reply, WGX_SESSION_A_SLOT, slot) && put_value<u8>(reply, WGX_SESSION_A_ROLE, static_cast<u8>(keypair.role)) &&
		       put_value<u64>(reply, WGX_SESSION_A_AGE, milliseconds_between(keypair.born, at)) &&
		       put_value<u64>(reply, WGX_SESSION_A_SENT, __atomic_load_n(&keypair.sending_counter, __ATOMIC_RELAXED)) &&
		       put_value<u64>(reply, WGX_SESSION_A_RECEIVED, keypair.replay.reached());
	});
}

/* As the next packet would go; what does not hold any more is forgotten by it, too. */
bool put_route(wg_reply *reply, Peer &peer)
{
	static constexpr u8 NO_SOURCE[16] = {};
	BottomHalvesOff here;
	auto route = find_route(peer, WG_SOURCE_LOCAL);

	if (!route)
		return true;
	const wg_endpoint to = route->to;
	return put_value<u32>(reply, WGX_STATE_A_PATH_MTU, wg_kernel_route_mtu(&*route)) &&
	       (same_bytes(to.source, NO_SOURCE, 16) || put(reply, WGX_STATE_A_SOURCE, to.source, to.family == 4 ? 4 : 16));
}

bool put_state(wg_reply *reply, Peer &peer)
{
	Instant at = now(), retry, dropped_at{peer.last_drop_at.load_relaxed()};
	Drop last = static_cast<Drop>(peer.last_drop.load_relaxed());
	bool awaits_response;
	{
		SpinGuard guard(peer.handshake_lock);

		awaits_response = peer.awaits_response;
	}
	{
		SpinGuard guard(peer.timers_lock);

		retry = peer.timers.next_retry();
	}
	return put_nest(reply, WGX_A_STATE, [&] {
		RcuSection rcu;

		return put_value<u64>(reply, WGX_STATE_A_NUMBER, peer.serial) && put_value<u8>(reply, WGX_STATE_A_AWAITS_RESPONSE, awaits_response) &&
		       (retry.is_never() || put_value<u64>(reply, WGX_STATE_A_NEXT_RETRY, milliseconds_between(at, retry))) &&
		       (last == Drop::Count || (put_text(reply, WGX_STATE_A_LAST_DROP, drop_name(last)) &&
						put_value<u64>(reply, WGX_STATE_A_LAST_DROP_AGE, milliseconds_between(dropped_at, at)))) &&
		       put_value<u32>(reply, WGX_STATE_A_STAGED, peer.staged_packets.load_relaxed()) && put_route(reply, peer) &&
		       put_nest(reply, WGX_STATE_A_SESSIONS,
				[&] {
					return put_session(reply, 0, peer.keyring.previous(), at) && put_session(reply, 1, peer.keyring.current(), at) &&
					       put_session(reply, 2, peer.keyring.next(), at);
				}) &&
		       put_drops(reply, WGX_STATE_A_DROPS, peer.drops);
	});
}

bool put_device_state(wg_reply *reply, Device &device)
{
	return put_value<u8>(reply, WGX_A_UNDER_LOAD, device.handshakes.is_under_load(now())) &&
	       put_value<u32>(reply, WGX_A_QUEUED_HANDSHAKES, device.handshakes.messages()) &&
	       put_value<u64>(reply, WGX_A_COOKIES_SENT, device.cookies_sent.load_relaxed()) && put_text(reply, WGX_A_AEAD, aead_form_name()) &&
	       put_drops(reply, WGX_A_DROPS, device.drops);
}

/* Only what is not as it is without policy. */
bool put_policy(wg_reply *reply, const Peer &peer)
{
	u32 opened = peer.opened_mark.load_relaxed(), outer = peer.outer_mark.load_relaxed();
	u8 dscp = peer.dscp.load_relaxed();

	return (!peer.pins_endpoint || put_value<u8>(reply, WGX_A_PIN_ENDPOINT, 1)) && (!opened || put_value<u32>(reply, WGX_A_OPENED_MARK, opened)) &&
	       (!outer || put_value<u32>(reply, WGX_A_OUTER_MARK, outer)) && (!dscp || put_value<u8>(reply, WGX_A_DSCP, dscp));
}

bool put_binding(wg_reply *reply, const wg_binding &binding)
{
	return (!binding.interface[0] || put_text(reply, WGX_A_BIND_DEVICE, binding.interface)) &&
	       (!binding.family || put(reply, WGX_A_BIND_ADDRESS, binding.address, binding.family == 4 ? 4 : 16));
}

/* ---- what is asked for ---- */

/* A WGX_CMD_GET_DEVICE request; the deployed command's asks for nothing. */
struct Question {
	bool is_extended = false, with_state = false, with_secrets = true;
	Attribute names;		/* of peers; absent: all */

	Question(const wg_dump &dump, void *attributes, usize size) : is_extended(attributes != nullptr)
	{
		const AttributeList list(attributes, size);
		Attribute given = AttributeTable<WGX_A_FLAGS, WGX_A_FLAGS>(list)[WGX_A_FLAGS];
		u32 flags = given ? given.value<u32>() : 0;

		names = AttributeTable<WGDEVICE_A_PEERS, WGDEVICE_A_PEERS>(list)[WGDEVICE_A_PEERS];
		with_state = flags & WGX_F_STATE;
		with_secrets = !(flags & WGX_F_NO_SECRETS) && !dump.no_secrets;
	}
};

/* Where a dump goes on: with @prefix of @peer, or without one with all of @peer; no peer is its end. */
struct Position {
	Peer *peer;
	PrefixNode *prefix;
	u32 written;		/* of the peer's allowed IPs */
	AttributeList names;	/* where the request names peers: from this one's on */
};

/* The first of @names that is a peer's; they are then from there on. */
Peer *find_named(Device &device, AttributeList &names)
{
	for (; names != names.end(); ++names) {
		Attribute key = AttributeTable<WGPEER_A_PUBLIC_KEY>(AttributeList(*names))[WGPEER_A_PUBLIC_KEY];
		Peer *peer = key && key.is_key() ? find_peer(device, *reinterpret_cast<const PublicKey *>(key.data())) : nullptr;

		if (peer)
			return peer;
	}
	return nullptr;
}

/* The peer behind. */
Position next(Device &device, const Question &question, Position at)
{
	if (!question.names)
		return {device.peers.next(*at.peer), nullptr, 0, at.names};
	++at.names;
	return {find_named(device, at.names), nullptr, 0, at.names};
}

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
bool put_peer(wg_reply *reply, const Question &question, Position &at)
{
	PrefixNode *before = at.prefix;
	void *nest = wg_kernel_reply_nest(reply, 0);

	if (!nest)
		return false;
	if (!put(reply, WGPEER_A_PUBLIC_KEY, at.peer->remote.static_public().data(), KEY_SIZE) ||
	    (!before && (!put_settings(reply, *at.peer, question.with_secrets) || (question.is_extended && !put_policy(reply, *at.peer)) ||
		      (question.with_state && !put_state(reply, *at.peer))))) {
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
void put_peers(wg_reply *reply, Device &device, const Question &question, Position &at)
{
	void *nest = at.peer ? wg_kernel_reply_nest(reply, WGDEVICE_A_PEERS) : nullptr;

	if (!nest)
		return;
	while (at.peer && put_peer(reply, question, at))
		at = next(device, question, at);
	wg_kernel_reply_nest_end(reply, nest);
}

bool put_device(wg_reply *reply, Device &device, const Question &question)
{
	if (!put_value<u16>(reply, WGDEVICE_A_LISTEN_PORT, device.port) || !put_value<u32>(reply, WGDEVICE_A_FWMARK, device.mark.load_relaxed()) ||
	    !wg_kernel_reply_put_names(reply, &device.netdev))
		return false;
	if (question.is_extended && (!put_value<u32>(reply, WGX_A_GENERATION, device.generation) || !put_value<u8>(reply, WGX_A_PUBLIC, device.is_public) ||
				      !put_binding(reply, device.binding)))
		return false;
	if (question.with_state && !put_device_state(reply, device))
		return false;
	if (!device.local.is_present())
		return true;
	return (!question.with_secrets || put(reply, WGDEVICE_A_PRIVATE_KEY, device.local.static_private().expose(), KEY_SIZE)) &&
	       put(reply, WGDEVICE_A_PUBLIC_KEY, device.local.static_public().data(), KEY_SIZE);
}

/* Where @dump goes on. Within one configuration its pointer still holds; else, and where peers are named, it is found again. */
Position resume(Device &device, const Question &question, const wg_dump &dump)
{
	Position at{device.peers.first(), nullptr, 0, AttributeList(question.names)};

	if (dump.started && dump.generation == device.generation && !question.names) {
		PrefixNode *prefix = dump.continuing ? static_cast<PrefixNode *>(dump.at) : nullptr;

		return {prefix ? &prefix->owner.locked()->peer : static_cast<Peer *>(dump.at), prefix, dump.written, at.names};
	}
	if (question.names) {
		at.names = dump.started ? at.names.from(dump.named_left) : at.names;
		at.peer = find_named(device, at.names);
	}
	while (!question.names && at.peer && at.peer->serial < dump.peer_number)
		at.peer = device.peers.next(*at.peer);
	if (!at.peer || !dump.continuing || at.peer->serial != dump.peer_number)
		return at;
	at.prefix = at.peer->prefixes.prefixes.first();
	for (; at.prefix && at.written < dump.written; at.written++)
		at.prefix = at.peer->prefixes.prefixes.next(*at.prefix);
	return at.prefix ? at : next(device, question, at);
}

} // namespace

} // namespace wg::engine

using namespace wg::engine;

bool wg_engine_is_public(const wg_device *handle)
{
	return reinterpret_cast<const Device *>(handle)->is_public;
}

int wg_engine_dump(wg_device *handle, wg_dump *dump, void *attributes, size_t size, wg_reply *reply)
{
	Device &device = *reinterpret_cast<Device *>(handle);
	const Question question(*dump, attributes, size);

	if (dump->started && dump->device_number != device.number)
		return -WG_ENODEV;
	if (!dump->started && !put_device(reply, device, question))
		return -WG_EMSGSIZE;
	const Position before = resume(device, question, *dump);
	Position at = before;
	put_peers(reply, device, question, at);
	/* A part after the first must bring something, or the reader would ask for ever. */
	if (dump->started && at.peer && at.peer == before.peer && at.prefix == before.prefix && at.names.left() == before.names.left())
		return -WG_EMSGSIZE;
	*dump = {.at = at.prefix ? static_cast<void *>(at.prefix) : at.peer,
		 .peer_number = at.peer ? at.peer->serial : 0,
		 .device_number = device.number,
		 .generation = device.generation,
		 .written = at.written,
		 .named_left = at.names.left(),
		 .started = 1,
		 .continuing = at.prefix != nullptr,
		 .done = !at.peer,
		 .no_secrets = dump->no_secrets};
	return 0;
}
