// SPDX-License-Identifier: GPL-2.0
#include "wire/inner.h"
#include "rt/little_endian.h"

namespace wg {
namespace {

u16 big_endian_16(const u8 *at)
{
	BigEndian<u16> value;

	copy_bytes(&value, at, sizeof(value));
	return value.get();
}

InnerPacket parse_ipv4(const u8 *header)
{
	return {IpVersion::V4, header[1], big_endian_16(header + 2), header + 12, header + 16};
}

InnerPacket parse_ipv6(const u8 *header)
{
	/* The class straddles two bytes, between the version and the flow label. */
	u8 traffic_class = static_cast<u8>((header[0] & 0x0f) << 4 | header[1] >> 4);
	u32 length = static_cast<u32>(IPV6_HEADER_SIZE) + big_endian_16(header + 4);

	return {IpVersion::V6, traffic_class, length, header + 8, header + 24};
}

} // namespace

Outcome<InnerPacket> parse_inner(ConstByteSpan head)
{
	if (head.empty())
		return Drop::NotIp;
	switch (head.data()[0] >> 4) {
	case static_cast<int>(IpVersion::V4):
		if (head.size() >= IPV4_HEADER_SIZE)
			return parse_ipv4(head.data());
		return Drop::BadLength;
	case static_cast<int>(IpVersion::V6):
		if (head.size() >= IPV6_HEADER_SIZE)
			return parse_ipv6(head.data());
		return Drop::BadLength;
	}
	return Drop::NotIp;
}

} // namespace wg
