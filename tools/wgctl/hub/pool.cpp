// SPDX-License-Identifier: GPL-2.0
#include "hub/pool.h"

#include <algorithm>

#include "model/values.h"

namespace wgctl {

namespace {

__extension__ typedef unsigned __int128 Number;

Number number_of(const Prefix &prefix)
{
	Number number = 0;

	for (unsigned i = 0; i < prefix.bits() / 8u; ++i)
		number = number << 8 | prefix.address[i];
	return number;
}

/* The last address of a prefix is its number with these bits set. */
Number host_bits(const Prefix &prefix)
{
	unsigned bits = static_cast<unsigned>(prefix.bits() - prefix.cidr);

	return bits == 128 ? ~Number{0} : (Number{1} << bits) - 1;
}

Prefix address_of(Number number, const Prefix &like)
{
	Prefix address;

	address.family = like.family;
	address.cidr = like.bits();
	for (unsigned i = like.bits() / 8u; i-- > 0; number >>= 8)
		address.address[i] = static_cast<std::uint8_t>(number & 0xff);
	return address;
}

}

std::optional<Prefix> next_free_address(const Prefix &network, const std::vector<Prefix> &used)
{
	struct Range {
		Number first, last;
	};
	std::vector<Range> taken;
	Number size = host_bits(network), first = number_of(network) & ~size, last = first | size;

	for (const Prefix &prefix : used)
		if (covers(network, prefix) && (prefix.cidr > network.cidr || network.cidr == network.bits()))
			taken.push_back({number_of(prefix) & ~host_bits(prefix), number_of(prefix) | host_bits(prefix)});
	std::sort(taken.begin(), taken.end(), [](const Range &a, const Range &b) { return a.first < b.first; });
	if (size > 1) {
		++first;
		if (network.family == AF_INET)
			--last;
	}
	for (const Range &range : taken) {
		if (range.first > first)
			break;
		if (range.last >= last)
			return {};
		first = std::max(first, range.last + 1);
	}
	return address_of(first, network);
}

}
