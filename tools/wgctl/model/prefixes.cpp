// SPDX-License-Identifier: GPL-2.0
#include "model/prefixes.h"

#include <algorithm>

#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

Prefix half(const Prefix &prefix, unsigned which)
{
	Prefix part = network_of(prefix);

	part.address[part.cidr / 8] = static_cast<std::uint8_t>(part.address[part.cidr / 8] | which << (7 - part.cidr % 8));
	++part.cidr;
	return part;
}

namespace {

/* What is left of `prefix`, given those that have to do with it. */
std::vector<Prefix> rest_of(const Prefix &prefix, std::vector<Prefix> wholes, std::vector<Prefix> holes)
{
	auto covers_it = [&](const Prefix &other) { return covers(other, prefix); };
	auto is_apart = [&](const Prefix &other) { return !covers(other, prefix) && !covers(prefix, other); };

	std::erase_if(wholes, is_apart);
	std::erase_if(holes, is_apart);
	if (wholes.empty() || std::any_of(holes.begin(), holes.end(), covers_it))
		return {};
	if (holes.empty() && std::any_of(wholes.begin(), wholes.end(), covers_it))
		return {prefix};
	std::vector<Prefix> halves{half(prefix, 0), half(prefix, 1)}, rest = rest_of(halves[0], wholes, holes), upper = rest_of(halves[1], wholes, holes);
	rest.insert(rest.end(), upper.begin(), upper.end());
	return rest == halves ? std::vector<Prefix>{prefix} : rest;
}

}

std::vector<Prefix> prefixes_without(const std::vector<Prefix> &wholes, const std::vector<Prefix> &holes)
{
	std::vector<Prefix> all;

	for (std::uint16_t family : FAMILIES) {
		Prefix world;
		world.family = family;
		std::vector<Prefix> rest = rest_of(world, wholes, holes);
		all.insert(all.end(), rest.begin(), rest.end());
	}
	return all;
}

}
