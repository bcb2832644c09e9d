// SPDX-License-Identifier: GPL-2.0
/* A simulated packet: bytes in fragments of their own, so that AddressSanitizer sees a step over any edge. */
#pragma once
#include <memory>
#include <vector>
#include "kernel.h"

namespace sim {

struct Fragment {
	std::unique_ptr<u8[]> bytes;
	u32 size = 0;
	Fragment() = default;
	explicit Fragment(u32 size) : bytes(new u8[size]), size(size) {}
	Fragment(const u8 *from, u32 size) : Fragment(size)
	{
		for (u32 i = 0; i < size; i++)
			bytes[i] = from[i];
	}
};

enum class PacketKind : u8 { Inner, Own, Prepared, Received, Opened };

} // namespace sim

struct wg_packet {
	wg_packet *next = nullptr;
	sim::u32 magic = MAGIC();
	sim::u32 length = 0;
	alignas(8) sim::u8 control[WG_PACKET_CONTROL_SIZE];
	sim::PacketKind kind = sim::PacketKind::Inner;
	std::vector<sim::Fragment> fragments;
	std::vector<std::vector<sim::u8>> segments;	/* of a GSO packet */
	sim::u16 protocol = 0;
	bool is_owned = false;				/* a socket of the host's is charged for it */
	wg_endpoint source{};
	sim::u8 outer_class = 0;
	static constexpr sim::u32 MAGIC() { return 0x70616b74; }
};

namespace sim {

/* A plain packet that the host's stack hands to the device; with several @segments one GSO packet. @protocol as skb->protocol. */
wg_packet *make_inner_packet(const std::vector<std::vector<u8>> &segments, const std::vector<u8> &whole, u16 protocol);
/* A UDP payload that arrived from @source. */
wg_packet *make_received_packet(const std::vector<u8> &payload, const wg_endpoint &source, u8 outer_class);
std::vector<u8> bytes_of(const wg_packet &packet);

} // namespace sim
