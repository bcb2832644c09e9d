// SPDX-License-Identifier: GPL-2.0
#include "packet.h"
#include <algorithm>
#include <cstddef>
#include <cstring>

using namespace sim;

static_assert(offsetof(wg_packet, next) == WG_PACKET_NEXT && offsetof(wg_packet, length) == WG_PACKET_LENGTH &&
	      offsetof(wg_packet, control) == WG_PACKET_CONTROL);

namespace sim {

std::vector<u8> bytes_of(const wg_packet &packet)
{
	std::vector<u8> bytes;

	bytes.reserve(packet.length);
	for (const Fragment &fragment : packet.fragments)
		bytes.insert(bytes.end(), fragment.bytes.get(), fragment.bytes.get() + fragment.size);
	return bytes;
}

namespace {

wg_packet &check(const wg_packet *packet, const char *service)
{
	if (!packet)
		fail("%s on no packet", service);
	if (packet->magic != wg_packet::MAGIC())
		fail("%s on what is no packet (any more)", service);
	u32 length = 0;
	for (const Fragment &fragment : packet->fragments)
		length += fragment.size;
	if (length != packet->length)
		fail("%s: the packet's length was written to", service);
	return *const_cast<wg_packet *>(packet);
}

/* Cuts @bytes at random into at most four fragments. */
std::vector<Fragment> fragment(const u8 *bytes, u32 size)
{
	std::vector<Fragment> fragments;
	u32 count = kernel->knobs.shuffled_pieces ? static_cast<u32>(1 + kernel->schedule.below(4)) : 1;

	while (count > 1 && size > 1) {
		u32 part = static_cast<u32>(1 + kernel->schedule.below(size - 1));

		fragments.emplace_back(bytes, part);
		bytes += part;
		size -= part;
		count--;
	}
	if (size > 0 || fragments.empty())
		fragments.emplace_back(bytes, size);
	return fragments;
}

wg_packet *make(PacketKind kind)
{
	wg_packet *packet = new wg_packet;

	packet->kind = kind;
	kernel->schedule.fill(packet->control, sizeof(packet->control));
	kernel->live_packets++;
	kernel->most_live_packets = std::max(kernel->most_live_packets, kernel->live_packets);
	return packet;
}

void own(wg_packet &packet)
{
	packet.is_owned = true;
	kernel->owned_packets++;
}

void disown(wg_packet &packet)
{
	if (packet.is_owned)
		kernel->owned_packets--;
	packet.is_owned = false;
}

void set_bytes(wg_packet &packet, const std::vector<u8> &bytes)
{
	packet.fragments = fragment(bytes.data(), static_cast<u32>(bytes.size()));
	packet.length = static_cast<u32>(bytes.size());
}

void release(wg_packet *packet, const char *service)
{
	wg_packet &it = check(packet, service);

	disown(it);
	it.magic = 0;
	kernel->live_packets--;
	delete packet;
}

} // namespace

wg_packet *make_inner_packet(const std::vector<std::vector<u8>> &segments, const std::vector<u8> &whole, u16 protocol)
{
	wg_packet *packet = make(PacketKind::Inner);

	own(*packet);
	packet->protocol = protocol;
	if (segments.size() > 1)
		packet->segments = segments;
	set_bytes(*packet, whole);
	return packet;
}

wg_packet *make_received_packet(const std::vector<u8> &payload, const wg_endpoint &source, u8 outer_class)
{
	wg_packet *packet = make(PacketKind::Received);

	packet->source = source;
	packet->outer_class = outer_class;
	set_bytes(*packet, payload);
	return packet;
}

} // namespace sim

wg_packet *wg_kernel_packet_create(const void *payload, uint32_t size)
{
	kernel->self("packet_create");
	if (kernel->allocation_fails())
		return nullptr;
	wg_packet *packet = make(PacketKind::Own);
	set_bytes(*packet, std::vector<u8>(static_cast<const u8 *>(payload), static_cast<const u8 *>(payload) + size));
	return packet;
}

void wg_kernel_packet_free(wg_packet *packet)
{
	kernel->self("packet_free");
	release(packet, "packet_free");
}

void wg_kernel_packet_consume(wg_packet *packet)
{
	kernel->self("packet_consume");
	release(packet, "packet_consume");
}

const uint8_t *wg_kernel_packet_pull(wg_packet *packet, uint32_t size)
{
	kernel->self("packet_pull");
	wg_packet &it = check(packet, "packet_pull");

	if (size > it.length)
		return nullptr;
	if (it.fragments[0].size < size) {
		if (kernel->allocation_fails())
			return nullptr;
		std::vector<u8> bytes = bytes_of(it);
		it.fragments.clear();
		it.fragments.emplace_back(bytes.data(), size);
		if (size < it.length)
			it.fragments.emplace_back(bytes.data() + size, it.length - size);
	}
	return it.fragments[0].bytes.get();
}

void wg_kernel_packet_orphan(wg_packet *packet)
{
	kernel->self("packet_orphan");
	disown(check(packet, "packet_orphan"));
}

uint16_t wg_kernel_packet_protocol(const wg_packet *packet)
{
	return check(packet, "packet_protocol").protocol;
}

wg_packet *wg_kernel_packet_segment(wg_packet *packet, wg_netdev *netdev, uint32_t *mtu, int *error)
{
	kernel->require_softirq("packet_segment");
	wg_packet &it = check(packet, "packet_segment"), *first = nullptr, **last = &first;

	if (it.kind != PacketKind::Inner)
		fail("packet_segment of a packet of kind %d", static_cast<int>(it.kind));
	if (kernel->allocation_fails()) {
		release(packet, "packet_segment");
		*error = -12;
		return nullptr;
	}
	*mtu = netdev->mtu;
	*error = 0;
	if (it.segments.empty())
		return packet;
	for (const std::vector<u8> &segment : it.segments) {
		wg_packet *part = make(PacketKind::Inner);

		own(*part);
		part->protocol = it.protocol;
		set_bytes(*part, segment);
		*last = part;
		last = &part->next;
	}
	release(packet, "packet_segment");
	return first;
}

uint8_t *wg_kernel_packet_prepare_seal(wg_packet *packet, uint32_t header_size, uint32_t padding)
{
	kernel->require_softirq("prepare_seal");
	wg_packet &it = check(packet, "prepare_seal");

	if (it.kind == PacketKind::Prepared)
		fail("a packet is prepared twice");
	if (kernel->allocation_fails())
		return nullptr;
	std::vector<u8> message(header_size, 0xee), plain = bytes_of(it);
	message.insert(message.end(), plain.begin(), plain.end());
	message.resize(message.size() + padding);
	message.resize(message.size() + 16, 0xee);
	it.fragments.clear();
	it.fragments.emplace_back(message.data(), static_cast<u32>(message.size()));
	it.length = static_cast<u32>(message.size());
	it.kind = PacketKind::Prepared;
	return it.fragments[0].bytes.get();
}

void wg_kernel_packet_source(const wg_packet *packet, wg_endpoint *endpoint)
{
	wg_packet &it = check(packet, "packet_source");

	if (it.kind != PacketKind::Received && it.kind != PacketKind::Opened)
		fail("packet_source of a packet of kind %d", static_cast<int>(it.kind));
	*endpoint = it.source;
}

uint8_t *wg_kernel_packet_prepare_open(wg_packet *packet)
{
	kernel->require_softirq("prepare_open");
	wg_packet &it = check(packet, "prepare_open");

	if (it.kind != PacketKind::Received)
		fail("prepare_open of a packet of kind %d", static_cast<int>(it.kind));
	if (it.length < 32)
		fail("prepare_open of a packet of %u bytes", it.length);
	if (kernel->allocation_fails())
		return nullptr;
	std::vector<u8> bytes = bytes_of(it);
	it.fragments.clear();
	it.fragments.emplace_back(bytes.data(), it.length);
	it.kind = PacketKind::Opened;
	return it.fragments[0].bytes.get();
}

int wg_kernel_packet_trim(wg_packet *packet, uint32_t header_size, uint32_t size)
{
	kernel->self("packet_trim");
	wg_packet &it = check(packet, "packet_trim");

	if (it.length < header_size || it.length - header_size < size || kernel->allocation_fails())
		return -22;
	std::vector<u8> bytes = bytes_of(it);
	set_bytes(it, std::vector<u8>(bytes.begin() + header_size, bytes.begin() + header_size + size));
	return 0;
}

int wg_kernel_packet_deliver(wg_packet *packet, wg_netdev *netdev, wg_poller *poller, uint8_t version, uint32_t mark)
{
	kernel->require_softirq("packet_deliver");
	netdev->delivered_mark = mark;
	wg_packet &it = check(packet, "packet_deliver");
	std::vector<u8> bytes = bytes_of(it);
	u64 id;

	memcpy(&id, reinterpret_cast<u8 *>(poller) + 8, sizeof(id));
	auto found = kernel->pollers.find(id);
	if (found == kernel->pollers.end() || found->second->runner != kernel->current)
		fail("packet_deliver outside its poller");
	if (it.kind != PacketKind::Opened)
		fail("a packet is delivered that was not opened");
	if (bytes.empty() || bytes[0] >> 4 != version)
		fail("a packet is delivered as version %u that is not", version);
	u8 outer_class = it.outer_class;
	release(packet, "packet_deliver");
	kernel->on_deliver(*netdev, bytes, outer_class);
	return 0;
}

void wg_kernel_icmp_unreachable(wg_packet *packet, wg_netdev *netdev)
{
	kernel->require_softirq("icmp_unreachable");
	netdev->unreachable++;
	if (kernel->on_unreachable)
		kernel->on_unreachable(*netdev, bytes_of(check(packet, "icmp_unreachable")));
}
