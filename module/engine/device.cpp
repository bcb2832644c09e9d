// SPDX-License-Identifier: GPL-2.0
#include "engine/device.h"
#include "engine/handshaker.h"
#include "engine/rx.h"
#include "engine/tx.h"

namespace wg::engine {

Device::Device(wg_netdev &device, wg_namespace *namespace_)
	: netdev(device), birth(namespace_), birth_number(reinterpret_cast<uintptr_t>(namespace_))
{
	wg_kernel_random_bytes(key_table_secret, sizeof(key_table_secret));
}

void drop(Device &device, Drop reason, u32 count, u64 peer)
{
	device.drops[static_cast<usize>(reason)].fetch_add(count);
	wg_kernel_debug_drop(&device.netdev, drop_name(reason), peer);
}

/* ---- tables ---- */

u64 hash_key(const Device &device, const PublicKey &key)
{
	return primitives().siphash(device.key_table_secret, key.data(), key.size());
}

Peer *find_peer(const Device &device, const PublicKey &key)
{
	return device.peers_by_key.find(hash_key(device, key), [&](Peer &peer) { return peer.remote.static_public() == key; });
}

Session *find_session(const Device &device, SessionIndex index)
{
	Session *session = device.sessions_by_index.find(index.value(), [&](Session &at) { return at.keypair.local_index == index; });

	return session && session->references.try_get() ? session : nullptr;
}

SessionIndex unused_index(const Device &device)
{
	for (;;) {
		u32 index;

		wg_kernel_random_bytes(&index, sizeof(index));
		if (!device.sessions_by_index.find(index, [&](Session &at) { return at.keypair.local_index.value() == index; }) &&
		    !device.handshakes_by_index.find(index, [&](Peer &at) { return at.pending_hash == index; }))
			return SessionIndex(index);
	}
}

bool reserve_tables(Device &device, u32 peers)
{
	return device.peers_by_key.reserve(peers, device.index_lock) && device.handshakes_by_index.reserve(peers, device.index_lock) &&
	       device.sessions_by_index.reserve(2 * peers, device.index_lock);
}

/* ---- peers ---- */

void add_peer(Device &device, Peer &peer)
{
	device.peers.push_back(peer);
	device.peer_count++;
	SpinGuard guard(device.index_lock);
	device.peers_by_key.insert(peer, guard);
}

void remove_peer(Device &device, Peer &peer, Leaving &leaving)
{
	{
		SpinGuard guard(device.index_lock);

		device.peers_by_key.remove(peer, guard);
	}
	device.allowed_ips.remove_all(peer.prefixes, leaving.prefixes);
	make_unreachable(peer);
	device.peers.remove(peer);
	device.peer_count--;
	leaving.peers.push_back(peer);
}

void free_prefixes(LooseNodes &nodes)
{
	while (PrefixNode *node = nodes.pop())
		destroy(node);
}

void finish_leaving(Device &device, Leaving &leaving)
{
	if (leaving.peers.empty() && !leaving.prefixes.first)
		return;
	/* After this wait nobody in transmit, receive or lookup holds a peer or prefix it found before. */
	wg_kernel_rcu_wait();
	free_prefixes(leaving.prefixes);
	if (leaving.peers.empty())
		return;
	wg_kernel_workers_flush(device.crypt_workers);	/* now every batch of theirs is finished */
	while (Peer *peer = leaving.peers.pop_front())
		bury(*peer);
}

void void_handshakes(Device &device)
{
	SpinGuard guard(device.identity_lock);

	device.identity_generation++;
}

/* ---- sockets ---- */

int open_sockets(Device &device, u16 port)
{
	wg_sockets *fresh, *old = device.sockets.locked();
	u16 chosen;
	int error;

	if (!device.birth)
		return -WG_ENONET;
	error = wg_kernel_sockets_open(device.birth, reinterpret_cast<wg_device *>(&device), port, &device.binding, &fresh, &chosen);
	if (error)
		return error;
	device.sockets.publish(fresh);
	device.port = chosen;
	forget_all_sources(device);
	if (old)
		wg_kernel_sockets_close(old);
	return 0;
}

void close_sockets(Device &device)
{
	wg_sockets *old = device.sockets.locked();

	device.sockets.publish(nullptr);
	if (old)
		wg_kernel_sockets_close(old);
}

void forget_all_sources(Device &device)
{
	for_each_peer(device, [](Peer &peer) { forget_source(peer); });
}

namespace {

void purge_handshakes(Device &device)
{
	while (HandshakeQueue::Work work = device.handshakes.pop()) {
		if (work.initiation)
			put(*work.initiation);
		else
			wg_kernel_packet_free(work.message);
	}
}

/* The rest of a device that create gives or destroy ends; null members are fine. */
void free_device(Device &device)
{
	if (device.handshakes.workers)
		wg_kernel_workers_destroy(device.handshakes.workers);
	if (device.crypt_workers)
		wg_kernel_workers_destroy(device.crypt_workers);
	purge_handshakes(device);
	wg_kernel_rcu_barrier();	/* sessions and peers: none is in use, so each waits only for its grace period */
	destroy(&device);
}

bool furnish(Device &device)
{
	if (!reserve_tables(device, 1))
		return false;
	device.handshakes.workers = wg_kernel_workers_create(&device.netdev, WG_WORKER_HANDSHAKE,
		[](void *argument) { run_handshake_worker(*static_cast<Device *>(argument)); }, &device);
	device.crypt_workers = wg_kernel_workers_create(&device.netdev, WG_WORKER_CRYPT,
		[](void *argument) { run_crypt_worker(*static_cast<Device *>(argument)); }, &device);
	return device.handshakes.workers && device.crypt_workers;
}

} // namespace

} // namespace wg::engine

using namespace wg;
using namespace wg::engine;

static Device &of(wg_device *device)
{
	return *reinterpret_cast<Device *>(device);
}

int wg_engine_device_create(wg_netdev *netdev, wg_namespace *birth, wg_device **device)
{
	Device *created = create<Device>(*netdev, birth);

	if (!created)
		return -WG_ENOMEM;
	if (!furnish(*created)) {
		free_device(*created);
		return -WG_ENOMEM;
	}
	*device = reinterpret_cast<wg_device *>(created);
	return 0;
}

void wg_engine_device_destroy(wg_device *handle)
{
	Device &device = of(handle);
	Leaving leaving;

	close_sockets(device);
	wg_kernel_workers_flush(device.handshakes.workers);	/* nothing that came by the sockets makes a session any more */
	while (Peer *peer = device.peers.first())
		remove_peer(device, *peer, leaving);
	finish_leaving(device, leaving);
	free_device(device);
}

int wg_engine_device_up(wg_device *handle)
{
	Device &device = of(handle);
	int error = open_sockets(device, device.port);

	if (error)
		return error;
	for_each_peer(device, start_timers);	/* before a handshake may be committed: they count it */
	{
		SpinGuard identity(device.identity_lock);

		device.is_up = true;
	}
	for_each_peer(device, send_waiting);
	return 0;
}

void wg_engine_device_set_link(wg_device *handle, uint16_t port, uint32_t mark)
{
	of(handle).port = port;
	of(handle).mark.store_relaxed(mark);
}

void wg_engine_device_get_link(const wg_device *handle, uint16_t *port, uint32_t *mark)
{
	const Device &device = *reinterpret_cast<const Device *>(handle);

	*port = device.port;
	*mark = device.mark.load_relaxed();
}

void wg_engine_device_down(wg_device *handle)
{
	Device &device = of(handle);

	{
		/* No handshake is committed from here on: its keys would outlive the erasing below. */
		SpinGuard identity(device.identity_lock);

		device.is_up = false;
	}
	for_each_peer(device, [](Peer &peer) {
		stop_timers(peer);
		drop_staged(peer, Drop::PeerGone);
		erase_keys(peer);
	});
	void_handshakes(device);	/* what was claimed until the timers stood still must not leave when it is up again */
	close_sockets(device);
	for_each_peer(device, forget_routes);
	purge_handshakes(device);
}

void wg_engine_device_namespace_gone(wg_device *handle)
{
	Device &device = of(handle);

	device.birth = nullptr;
	close_sockets(device);		/* waits: nobody sends any more */
	for_each_peer(device, forget_routes);
	forget_all_sources(device);
	wg_kernel_netdev_carrier_off(&device.netdev);
}

void wg_engine_device_erase_keys(wg_device *handle)
{
	Device &device = of(handle);

	void_handshakes(device);
	for_each_peer(device, [](Peer &peer) {
		enter_generation(peer);
		erase_sessions(peer);
	});
}

void wg_engine_device_expire_sending(wg_device *handle)
{
	Device &device = of(handle);

	void_handshakes(device);
	for_each_peer(device, enter_generation);
}

int wg_engine_transmit(wg_device *device, wg_packet *packet)
{
	return transmit(of(device), *packet);
}

void wg_engine_receive(wg_device *device, wg_packet *packet)
{
	receive(of(device), *packet);
}

uint32_t wg_engine_drop_reasons(void)
{
	return DROP_REASONS;
}

const char *wg_engine_drop_name(uint32_t reason)
{
	return drop_name(static_cast<Drop>(reason));
}

uint64_t wg_engine_drop_count(const wg_device *device, uint32_t reason)
{
	return reinterpret_cast<const Device *>(device)->drops[reason].load_relaxed();
}
