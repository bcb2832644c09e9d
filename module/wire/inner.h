// SPDX-License-Identifier: GPL-2.0
/* The inner packet's IP header: what cryptokey routing and trimming need of it, and no more. [WG §3] */
#pragma once
#include "rt/bytes.h"
#include "wire/drop.h"

namespace wg {

enum class IpVersion : u8 { V4 = 4, V6 = 6 };

constexpr usize IPV4_HEADER_SIZE = 20, IPV6_HEADER_SIZE = 40;

struct InnerPacket {
	IpVersion version;
	u8 traffic_class;		/* TOS or traffic class: DSCP and ECN */
	u32 length;			/* of the whole packet by its own header; one for segmentation may be longer, and say 0 */
	const u8 *source, *destination;	/* 4 or 16 bytes, inside the given bytes */
};

/* @head: the first bytes of the packet, as many as there are up to 40. Drop::NotIp, or Drop::BadLength when the header is cut. Whether
 * its length is one is the caller's to check. */
Outcome<InnerPacket> parse_inner(ConstByteSpan head);

} // namespace wg
