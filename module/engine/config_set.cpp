// SPDX-License-Identifier: GPL-2.0
/* WG_CMD_SET_DEVICE: a configuration change as a transaction.
 *
 * prepare() validates the whole request, creates every peer and prefix node it can need and opens the sockets: all that can fail.
 * commit() cannot fail. What was prepared and not needed goes at the end.
 */
#include "engine/attributes.h"
#include "engine/device.h"
#include "engine/events.h"
#include "engine/tx.h"
#include "kernel/engine.h"
#include "linux/wireguard.h"
#include "linux/wireguard_extensions.h"

namespace wg::engine {

namespace {

using DeviceAttributes = AttributeTable<WGDEVICE_A_MAX>;
using PeerAttributes = AttributeTable<WGPEER_A_MAX>;
using PeerPolicy = AttributeTable<WGX_A_DSCP, WGX_A_PIN_ENDPOINT>;
using AllowedIpAttributes = AttributeTable<WGALLOWEDIP_A_MAX>;

/* What one request needs, until it is used. */
struct Plan {
	Plan(Device &device, bool may_administer_birth_namespace) : device(device), may_administer_birth_namespace(may_administer_birth_namespace) {}
	~Plan();
	Plan(const Plan &) = delete;
	Plan &operator=(const Plan &) = delete;

	Device &device;
	const bool may_administer_birth_namespace;
	LocalIdentity local;			/* as it will be */
	List<Peer, &Peer::of_device> fresh;	/* created, not yet reachable; in the request's order */
	LooseNodes spare;			/* for prefixes */
	u32 fresh_count = 0;
	bool removes_peers = false;		/* an entry has WGPEER_F_REMOVE_ME */
	Leaving leaving;
};

Plan::~Plan()
{
	while (Peer *unused = fresh.pop_front()) {
		make_unreachable(*unused);
		leaving.peers.push_back(*unused);
	}
	free_prefixes(spare);
	finish_leaving(device, leaving);
}

u32 flags_of(Attribute flags)
{
	return flags ? flags.value<u32>() : 0;
}

struct Request {
	DeviceAttributes attributes;
	/* A WG_CMD_SET_DEVICE that has one of them never gets here. */
	AttributeTable<WGX_A_BIND_ADDRESS, WGX_A_FLAGS> extensions;
	wg_report *report;

	Request(AttributeList list, wg_report *report) : attributes(list), extensions(list), report(report) {}

	Attribute operator[](u16 type) const { return type < WGX_A_FLAGS ? attributes[type] : extensions[type]; }
	u32 flags() const { return flags_of((*this)[WGDEVICE_A_FLAGS]); }
	bool may_steal() const { return !(flags_of((*this)[WGX_A_FLAGS]) & WGX_F_NO_STEAL); }
	int refuse(int error, Attribute where, const char *text) const
	{
		wg_kernel_report_error(report, where.header(), text);
		return -error;
	}
};

const PublicKey &key_of(const PeerAttributes &peer)
{
	return *reinterpret_cast<const PublicKey *>(peer[WGPEER_A_PUBLIC_KEY].data());
}

/* ---- reading ---- */

/* 0, or what is wrong with it. */
int read_endpoint(const Request &request, Attribute attribute, wg_endpoint &endpoint)
{
	u16 family = attribute.value<u16>(), size = attribute.size();
	const u8 *data = attribute.data();

	endpoint = {};
	if (family == FAMILY_IPV4 && size == SOCKADDR_IN_SIZE) {
		endpoint.family = 4;
		copy_bytes(endpoint.address, data + 4, 4);
	} else if (family == FAMILY_IPV6 && size == SOCKADDR_IN6_SIZE) {
		endpoint.family = 6;
		copy_bytes(endpoint.address, data + 8, 16);
		copy_bytes(&endpoint.scope, data + 24, 4);
	} else {
		return request.refuse(WG_EINVAL, attribute, "endpoint must be a struct sockaddr_in or sockaddr_in6");
	}
	endpoint.port = static_cast<u16>(data[2] << 8 | data[3]);
	return 0;
}

int read_prefix(const Request &request, Attribute entry, Prefix &prefix, u32 &flags)
{
	AllowedIpAttributes at{AttributeList(entry)};
	Attribute family = at[WGALLOWEDIP_A_FAMILY], address = at[WGALLOWEDIP_A_IPADDR], mask = at[WGALLOWEDIP_A_CIDR_MASK];
	u8 size;

	if (!family || !address || !mask)
		return request.refuse(WG_EINVAL, entry, "an allowed IP needs family, address and mask");
	if (family.value<u16>() != FAMILY_IPV4 && family.value<u16>() != FAMILY_IPV6)
		return request.refuse(WG_EINVAL, family, "an allowed IP's family must be AF_INET or AF_INET6");
	prefix = {};
	prefix.version = family.value<u16>() == FAMILY_IPV4 ? IpVersion::V4 : IpVersion::V6;
	size = prefix.version == IpVersion::V4 ? 4 : 16;
	prefix.bits = mask.value<u8>();
	if (address.size() != size)
		return request.refuse(WG_EINVAL, address, "an allowed IP's address does not fit its family");
	if (prefix.bits > 8 * size)
		return request.refuse(WG_EINVAL, mask, "an allowed IP's mask is longer than its address");
	flags = flags_of(at[WGALLOWEDIP_A_FLAGS]);
	if (flags & ~static_cast<u32>(__WGALLOWEDIP_F_ALL))
		return request.refuse(WG_EOPNOTSUPP, at[WGALLOWEDIP_A_FLAGS], "unknown allowed IP flag");
	copy_bytes(prefix.address, address.data(), size);
	prefix.mask();
	return 0;
}

/* ---- preparing ---- */

bool will_exist(const Plan &plan, const Request &request, const PublicKey &key)
{
	return !(request.flags() & WGDEVICE_F_REPLACE_PEERS) && find_peer(plan.device, key);
}

bool is_ourselves(const Plan &plan, const PublicKey &key)
{
	return plan.local.is_present() && plan.local.static_public() == key;
}

/* Does an entry in front of @entry take this peer away? Then @entry makes a new one. */
bool removed_before(const Request &request, Attribute entry, const PublicKey &key)
{
	for (Attribute earlier : AttributeList(request[WGDEVICE_A_PEERS])) {
		if (earlier.header() == entry.header())
			break;
		PeerAttributes peer{AttributeList(earlier)};

		if ((flags_of(peer[WGPEER_A_FLAGS]) & WGPEER_F_REMOVE_ME) && key_of(peer) == key)
			return true;
	}
	return false;
}

/* Whose @prefix is before the entries @from a place in a peer's list of the request on: the key, or null for nobody's. */
const PublicKey *owner_before(const Plan &plan, const Request &request, const Prefix &prefix, Attribute from)
{
	const PrefixOwner *now = (request.flags() & WGDEVICE_F_REPLACE_PEERS) ? nullptr : plan.device.allowed_ips.owner_of(prefix);
	const PublicKey *owner = now ? &now->peer.remote.static_public() : nullptr;

	for (Attribute entry : AttributeList(request[WGDEVICE_A_PEERS])) {
		PeerAttributes peer{AttributeList(entry)};
		u32 flags = flags_of(peer[WGPEER_A_FLAGS]);

		if (owner && *owner == key_of(peer) && (flags & (WGPEER_F_REMOVE_ME | WGPEER_F_REPLACE_ALLOWEDIPS)))
			owner = nullptr;
		for (Attribute allowed_ip : AttributeList(peer[WGPEER_A_ALLOWEDIPS])) {
			Prefix other;
			u32 other_flags;

			if (allowed_ip.header() == from.header())
				return owner;
			if (read_prefix(request, allowed_ip, other, other_flags) || !(other == prefix))
				continue;
			if (!(other_flags & WGALLOWEDIP_F_REMOVE_ME))
				owner = &key_of(peer);
			else if (owner && *owner == key_of(peer))
				owner = nullptr;
		}
	}
	return owner;
}

int prepare_prefixes(Plan &plan, const Request &request, Attribute list, const PublicKey &key)
{
	for (Attribute entry : AttributeList(list)) {
		Prefix prefix;
		u32 flags;

		if (int error = read_prefix(request, entry, prefix, flags); error)
			return error;
		if (!request.may_steal() && !(flags & WGALLOWEDIP_F_REMOVE_ME))
			if (const PublicKey *owner = owner_before(plan, request, prefix, entry); owner && !(*owner == key)) {
				wg_kernel_report_owner(request.report, entry.header(), static_cast<u8>(prefix.version), prefix.address, prefix.bits, owner->data());
				return -WG_EEXIST;
			}
		/* A new prefix needs a node for itself and at most one for a fork. */
		for (int i = 0; i < 2 && !(flags & WGALLOWEDIP_F_REMOVE_ME); i++) {
			PrefixNode *node = create<PrefixNode>();

			if (!node)
				return -WG_ENOMEM;
			plan.spare.push(*node);
		}
	}
	return 0;
}

int check_policy(const Plan &plan, const Request &request, const PeerPolicy &policy)
{
	Attribute dscp = policy[WGX_A_DSCP], outer = policy[WGX_A_OUTER_MARK] ? policy[WGX_A_OUTER_MARK] : dscp;

	for (u16 type = WGX_A_PIN_ENDPOINT; type <= WGX_A_DSCP; type++)
		if (usize size = type == WGX_A_OPENED_MARK || type == WGX_A_OUTER_MARK ? sizeof(u32) : sizeof(u8); policy[type] && policy[type].size() != size)
			return request.refuse(WG_EINVAL, policy[type], "a policy of another size");
	if (dscp && dscp.value<u8>() > WGX_DSCP_INHERIT)
		return request.refuse(WG_EINVAL, dscp, "a DSCP is 0 to 63, or 64: that of the packet inside");
	if (outer && !plan.may_administer_birth_namespace)
		return request.refuse(WG_EPERM, outer, "marks and classes of outer packets need CAP_NET_ADMIN over the namespace the device was created in");
	return 0;
}

int prepare_peer(Plan &plan, const Request &request, Attribute entry)
{
	PeerAttributes peer{AttributeList(entry)};
	Attribute key = peer[WGPEER_A_PUBLIC_KEY], psk = peer[WGPEER_A_PRESHARED_KEY], version = peer[WGPEER_A_PROTOCOL_VERSION];
	u32 flags = flags_of(peer[WGPEER_A_FLAGS]);
	wg_endpoint endpoint;
	Peer *fresh;

	if (!key || !key.is_key())
		return request.refuse(WG_EINVAL, entry, "a peer needs a public key of 32 bytes");
	if (psk && !psk.is_key())
		return request.refuse(WG_EINVAL, psk, "a preshared key has 32 bytes");
	if (flags & ~static_cast<u32>(__WGPEER_F_ALL))
		return request.refuse(WG_EOPNOTSUPP, peer[WGPEER_A_FLAGS], "unknown peer flag");
	if (version && version.value<u32>() != 1)
		return request.refuse(WG_EPFNOSUPPORT, version, "only protocol version 1 exists");
	if (peer[WGPEER_A_ENDPOINT])
		if (int error = read_endpoint(request, peer[WGPEER_A_ENDPOINT], endpoint); error)
			return error;
	if (int error = check_policy(plan, request, PeerPolicy{AttributeList(entry)}); error)
		return error;
	if (int error = prepare_prefixes(plan, request, peer[WGPEER_A_ALLOWEDIPS], key_of(peer)); error)
		return error;
	if (flags & WGPEER_F_REMOVE_ME)
		plan.removes_peers = true;
	if ((flags & (WGPEER_F_REMOVE_ME | WGPEER_F_UPDATE_ONLY)) || is_ourselves(plan, key_of(peer)))
		return 0;
	if (will_exist(plan, request, key_of(peer)) && !(plan.removes_peers && removed_before(request, entry, key_of(peer))))
		return 0;
	if (((request.flags() & WGDEVICE_F_REPLACE_PEERS) ? 0 : plan.device.peer_count) + plan.fresh_count >= MAX_PEERS)
		return request.refuse(WG_ENOSPC, entry, "a device holds at most 2^20 peers");
	fresh = create<Peer>(plan.device, key_of(peer));
	if (!fresh)
		return -WG_ENOMEM;
	plan.fresh.push_back(*fresh);
	plan.fresh_count++;
	return 0;
}

/* Sockets are bound when they are opened. */
int check_binding(const Plan &plan, const Request &request)
{
	Attribute address = request[WGX_A_BIND_ADDRESS], interface = request[WGX_A_BIND_DEVICE], given = address ? address : interface;

	if (!given)
		return 0;
	if (!plan.may_administer_birth_namespace)
		return request.refuse(WG_EPERM, given, "to bind needs CAP_NET_ADMIN over the namespace the device was created in");
	if (address && address.size() != 4 && address.size() != 16)
		return request.refuse(WG_EINVAL, address, "a local address has 4 or 16 bytes");
	if (interface && (interface.size() == 0 || interface.size() > sizeof(wg_binding::interface) || interface.data()[interface.size() - 1]))
		return request.refuse(WG_EINVAL, interface, "an interface's name has 15 characters at most");
	return plan.device.is_up ? request.refuse(WG_EBUSY, given, "take the device down first: its sockets are open") : 0;
}

/* The last step that can fail, and the only one that others see: on error the old sockets stay. */
int prepare_port(Device &device, const Request &request)
{
	Attribute port = request[WGDEVICE_A_LISTEN_PORT];
	int error;

	if (!port || port.value<u16>() == device.port)
		return 0;
	if (!device.is_up) {
		device.port = port.value<u16>();
		return 0;
	}
	error = open_sockets(device, port.value<u16>());
	return error ? request.refuse(-error, port, "cannot open the UDP sockets on this port") : 0;
}

int prepare(Plan &plan, const Request &request)
{
	Device &device = plan.device;
	Attribute private_key = request[WGDEVICE_A_PRIVATE_KEY];

	if ((request[WGDEVICE_A_LISTEN_PORT] || request[WGDEVICE_A_FWMARK]) && !plan.may_administer_birth_namespace)
		return request.refuse(WG_EPERM, request[WGDEVICE_A_LISTEN_PORT] ? request[WGDEVICE_A_LISTEN_PORT] : request[WGDEVICE_A_FWMARK],
				      "port and mark need CAP_NET_ADMIN over the namespace the device was created in");
	if (request[WGX_A_GENERATION] && request[WGX_A_GENERATION].value<u32>() != device.generation)
		return request.refuse(WG_EAGAIN, request[WGX_A_GENERATION], "the configuration has changed meanwhile: read it again");
	if (int error = check_binding(plan, request); error)
		return error;
	if (request.flags() & ~static_cast<u32>(__WGDEVICE_F_ALL))
		return request.refuse(WG_EOPNOTSUPP, request[WGDEVICE_A_FLAGS], "unknown device flag");
	if (private_key && !private_key.is_key())
		return request.refuse(WG_EINVAL, private_key, "a private key has 32 bytes");
	plan.local.copy_from(device.local);	/* changes under rtnl alone */
	if (private_key)
		plan.local.set_private_key(primitives(), private_key.data());
	for (Attribute entry : AttributeList(request[WGDEVICE_A_PEERS])) {
		if (int error = prepare_peer(plan, request, entry); error)
			return error;
		wg_kernel_maybe_resched();
	}
	if (!reserve_tables(device, device.peer_count + plan.fresh_count))
		return -WG_ENOMEM;
	return prepare_port(device, request);
}

/* ---- committing ---- */

void end_peer(Plan &plan, Peer &peer)
{
	remove_peer(plan.device, peer, plan.leaving);
	tell(peer, WGX_EVENT_PEER_REMOVED);
}

void commit_identity(Plan &plan)
{
	Device &device = plan.device;
	bool is_first = !device.local.is_present();

	if (device.local.is_present() == plan.local.is_present() && device.local.static_public() == plan.local.static_public())
		return;
	if (Peer *ourselves = plan.local.is_present() ? find_peer(device, plan.local.static_public()) : nullptr)
		end_peer(plan, *ourselves);
	{
		SpinGuard guard(device.identity_lock);

		device.local.copy_from(plan.local);
		device.identity_generation++;
	}
	for_each_peer(device, [&](Peer &peer) {
		{
			SpinGuard guard(peer.handshake_lock);

			peer.remote.forget_static_static();
		}
		enter_generation(peer);
		/* Else nothing is sent: the other side may not know the new key yet, and an initiation lost costs REKEY_TIMEOUT. */
		if (is_first && device.is_up)
			send_waiting(peer);
		wg_kernel_maybe_resched();
	});
}

void commit_prefixes(Plan &plan, const Request &request, Peer &peer, Attribute list)
{
	for (Attribute entry : AttributeList(list)) {
		Prefix prefix;
		u32 flags;

		if (read_prefix(request, entry, prefix, flags))
			continue;	/* prepare() has read it */
		if (flags & WGALLOWEDIP_F_REMOVE_ME)
			plan.device.allowed_ips.remove(prefix, peer.prefixes, plan.leaving.prefixes);
		else
			plan.device.allowed_ips.insert(prefix, peer.prefixes, plan.spare);
	}
}

/* The peer to change: there already, or one that was prepared; null when the entry asks for none. */
Peer *target(Plan &plan, const PeerAttributes &attributes, u32 flags, bool &is_fresh)
{
	Peer *peer = find_peer(plan.device, key_of(attributes));

	if (peer || (flags & (WGPEER_F_REMOVE_ME | WGPEER_F_UPDATE_ONLY)) || is_ourselves(plan, key_of(attributes)))
		return peer;
	for (peer = plan.fresh.first(); peer; peer = plan.fresh.next(*peer))
		if (peer->remote.static_public() == key_of(attributes)) {
			is_fresh = true;
			plan.fresh.remove(*peer);
			/* Before anybody can find it: no handshake may take place without the key. */
			if (attributes[WGPEER_A_PRESHARED_KEY])
				peer->remote.set_preshared_key(attributes[WGPEER_A_PRESHARED_KEY].data());
			add_peer(plan.device, *peer);
			if (plan.device.is_up)
				start_timers(*peer);
			return peer;
		}
	return nullptr;
}

void commit_policy(Peer &peer, const PeerPolicy &policy)
{
	if (policy[WGX_A_PIN_ENDPOINT])
		pin_endpoint(peer, policy[WGX_A_PIN_ENDPOINT].value<u8>() != 0);
	if (policy[WGX_A_OPENED_MARK])
		peer.opened_mark.store_relaxed(policy[WGX_A_OPENED_MARK].value<u32>());
	if (policy[WGX_A_DSCP])
		peer.dscp.store_relaxed(policy[WGX_A_DSCP].value<u8>());
	if (!policy[WGX_A_OUTER_MARK])
		return;
	peer.outer_mark.store_relaxed(policy[WGX_A_OUTER_MARK].value<u32>());
	forget_source(peer);	/* and the route */
}

void commit_binding(wg_binding &binding, const Request &request)
{
	static constexpr u8 ANY[16] = {};
	Attribute address = request[WGX_A_BIND_ADDRESS];

	if (Attribute interface = request[WGX_A_BIND_DEVICE]) {
		wipe_bytes(binding.interface, sizeof(binding.interface));
		copy_bytes(binding.interface, interface.data(), interface.size());
	}
	if (!address)
		return;
	wipe_bytes(binding.address, sizeof(binding.address));
	binding.family = 0;
	copy_bytes(binding.address, address.data(), address.size());
	if (!same_bytes(binding.address, ANY, sizeof(ANY)))
		binding.family = address.size() == 4 ? 4 : 6;
}

void commit_peer(Plan &plan, const Request &request, Attribute entry)
{
	PeerAttributes attributes{AttributeList(entry)};
	u32 flags = flags_of(attributes[WGPEER_A_FLAGS]);
	bool is_fresh = false;
	Peer *peer = target(plan, attributes, flags, is_fresh);
	wg_endpoint endpoint;

	if (!peer)
		return;
	if (flags & WGPEER_F_REMOVE_ME)
		return end_peer(plan, *peer);
	if (attributes[WGPEER_A_PRESHARED_KEY]) {
		SpinGuard guard(peer->handshake_lock);

		peer->remote.set_preshared_key(attributes[WGPEER_A_PRESHARED_KEY].data());
	}
	/* Before the endpoint: it may be one that is to stay. */
	commit_policy(*peer, PeerPolicy{AttributeList(entry)});
	if (attributes[WGPEER_A_ENDPOINT] && read_endpoint(request, attributes[WGPEER_A_ENDPOINT], endpoint) == 0)
		set_endpoint(*peer, endpoint);
	if (flags & WGPEER_F_REPLACE_ALLOWEDIPS)
		plan.device.allowed_ips.remove_all(peer->prefixes, plan.leaving.prefixes);
	commit_prefixes(plan, request, *peer, attributes[WGPEER_A_ALLOWEDIPS]);
	if (attributes[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL])
		set_persistent_keepalive(*peer, attributes[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL].value<u16>());
	if (plan.device.is_up)
		send_staged(*peer);
	tell(*peer, is_fresh ? WGX_EVENT_PEER_ADDED : WGX_EVENT_PEER_CHANGED);
}

void commit(Plan &plan, const Request &request, u32 port_id)
{
	Device &device = plan.device;
	u32 mark = request[WGDEVICE_A_FWMARK] ? request[WGDEVICE_A_FWMARK].value<u32>() : device.mark.load_relaxed();

	if (request.flags() & WGDEVICE_F_REPLACE_PEERS)
		while (Peer *peer = device.peers.first())
			end_peer(plan, *peer);
	if (mark != device.mark.load_relaxed()) {
		device.mark.store_relaxed(mark);
		forget_all_sources(device);
	}
	if (request[WGDEVICE_A_PRIVATE_KEY])
		commit_identity(plan);
	for (Attribute entry : AttributeList(request[WGDEVICE_A_PEERS])) {
		commit_peer(plan, request, entry);
		wg_kernel_maybe_resched();
	}
	commit_binding(device.binding, request);
	if (request[WGX_A_PUBLIC])
		device.is_public = request[WGX_A_PUBLIC].value<u8>() != 0;
	device.generation++;
	tell_changed(device, port_id);
}

/* All keys: also those of which another one was taken, and in entries that were not. */
void wipe_keys(AttributeList request)
{
	for (Attribute attribute : request) {
		if (attribute.type() == WGDEVICE_A_PRIVATE_KEY)
			attribute.wipe();
		if (attribute.type() != WGDEVICE_A_PEERS)
			continue;
		for (Attribute peer : AttributeList(attribute))
			for (Attribute of_peer : AttributeList(peer))
				if (of_peer.type() == WGPEER_A_PRESHARED_KEY)
					of_peer.wipe();
	}
}

} // namespace

} // namespace wg::engine

int wg_engine_set(wg_device *handle, void *attributes, size_t size, bool may_administer_birth_namespace, uint32_t port_id, wg_report *report)
{
	using namespace wg::engine;
	Device &device = *reinterpret_cast<Device *>(handle);
	AttributeList list(attributes, size);
	Request request(list, report);
	int error;
	{
		Plan plan(device, may_administer_birth_namespace);

		error = prepare(plan, request);
		if (!error)
			commit(plan, request, port_id);
	}
	wipe_keys(list);
	return error;
}
