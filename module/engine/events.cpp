// SPDX-License-Identifier: GPL-2.0
#include "engine/events.h"
#include "engine/device.h"
#include "engine/reply.h"
#include "linux/wireguard.h"

namespace wg::engine {

namespace {

/* Sent at its end. */
class Event {
public:
	Event(const Device &device, wg_event_group group, wgx_event event)
		: netdev_(device.netdev), group_(group), message_(wg_kernel_event_begin(&device.netdev, group))
	{
		if (message_)
			put_value<u32>(message_, WGX_A_EVENT, event);
	}
	Event(const Peer &peer, wg_event_group group, wgx_event event) : Event(peer.device, group, event)
	{
		put_key(peer.remote.static_public());
	}
	~Event()
	{
		if (message_)
			wg_kernel_event_send(&netdev_, message_, group_);
	}
	Event(const Event &) = delete;
	Event &operator=(const Event &) = delete;

	/* A message has room for all there is. */
	void put_key(const PublicKey &key)
	{
		if (message_)
			put(message_, WGX_A_PEER, key.data(), key.size());
	}
	void put_from(const wg_endpoint &endpoint)
	{
		if (message_)
			put_endpoint(message_, WGX_A_ENDPOINT, endpoint);
	}
	template <typename T> void add(u16 type, T value)
	{
		if (message_)
			put_value(message_, type, value);
	}

private:
	RcuSection rcu_;	/* the device's namespace stays */
	const wg_netdev &netdev_;
	wg_event_group group_;
	wg_reply *message_;
};

} // namespace

void trace(Peer &peer, const char *what)
{
	wg_endpoint endpoint = endpoint_of(peer);

	wg_kernel_trace(&peer.device.netdev, WG_TRACE_HANDSHAKE, peer.serial, what, &endpoint);
}

void tell(Peer &peer, wgx_event event)
{
	if (event == WGX_EVENT_HANDSHAKE_GIVEN_UP)
		trace(peer, "handshake given up");
	else if (event == WGX_EVENT_SESSION_EXPIRED)
		wg_kernel_trace(&peer.device.netdev, WG_TRACE_SESSION, peer.serial, "session expired", nullptr);
	Event told(peer, WG_EVENTS, event);
}

void tell_established(Peer &peer, Role ours, bool is_rekey)
{
	wg_endpoint endpoint = endpoint_of(peer);
	Event told(peer, WG_EVENTS, WGX_EVENT_SESSION_ESTABLISHED);

	wg_kernel_trace(&peer.device.netdev, WG_TRACE_SESSION, peer.serial, is_rekey ? "session renewed" : "session established", &endpoint);
	told.add<u8>(WGX_A_ROLE, static_cast<u8>(ours));
	told.add<u8>(WGX_A_IS_REKEY, is_rekey);
	told.put_from(endpoint);
}

void tell_moved(Peer &peer, const wg_endpoint &endpoint)
{
	Event told(peer, WG_EVENTS_ENDPOINTS, WGX_EVENT_ENDPOINT_MOVED);

	wg_kernel_trace(&peer.device.netdev, WG_TRACE_ENDPOINT, peer.serial, "endpoint moved", &endpoint);
	told.put_from(endpoint);
}

void tell_changed(Device &device, u32 port_id)
{
	Event told(device, WG_EVENTS, WGX_EVENT_CONFIGURATION_CHANGED);

	told.add<u32>(WGX_A_GENERATION, device.generation);
	told.add<u32>(WGX_A_PORT_ID, port_id);
}

void tell_stranger(Device &device, const PublicKey &claimed, const wg_endpoint &from)
{
	s64 at = now().ns, last = device.stranger_told.load_relaxed();

	if (at - last < milliseconds(100).ns || !device.stranger_told.compare_exchange(last, at))
		return;
	Event told(device, WG_EVENTS_STRANGERS, WGX_EVENT_UNKNOWN_INITIATION);
	told.put_key(claimed);
	told.put_from(from);
}

} // namespace wg::engine
