// SPDX-License-Identifier: GPL-2.0
#include "protocol/allowed_ips.h"
#include "rt/little_endian.h"

namespace wg {
namespace {

/* An address as two words whose first bit is the highest of `high`; IPv4 fills the upper half of `high`, the rest is zero. So one walk
 * serves both versions, and a comparison of prefixes is a shift. */
struct Address {
	u64 high, low;
};

template <typename T> u64 load(const u8 *at)
{
	BigEndian<T> value;

	copy_bytes(&value, at, sizeof(value));
	return value.get();
}

Address address_of(IpVersion version, const u8 *bytes)
{
	if (version == IpVersion::V4)
		return {load<u32>(bytes) << 32, 0};
	return {load<u64>(bytes), load<u64>(bytes + 8)};
}

Address address_of(const Prefix &prefix)
{
	return address_of(prefix.version, prefix.address);
}

u8 max_bits(IpVersion version)
{
	return version == IpVersion::V4 ? 32 : 128;
}

/* Do the first @bits bits agree? */
bool agree(const Address &a, const Address &b, u8 bits)
{
	if (bits == 0)
		return true;
	if (bits <= 64)
		return (a.high ^ b.high) >> (64 - bits) == 0;
	return a.high == b.high && (a.low ^ b.low) >> (128 - bits) == 0;
}

/* How many leading bits agree, up to 128. */
u8 common_bits(const Address &a, const Address &b)
{
	if (a.high != b.high)
		return static_cast<u8>(__builtin_clzll(a.high ^ b.high));
	if (a.low != b.low)
		return static_cast<u8>(64 + __builtin_clzll(a.low ^ b.low));
	return 128;
}

/* The bit that follows a prefix of @bits < 128 bits: the child to turn to. */
usize bit_after(const Address &address, u8 bits)
{
	return (bits < 64 ? address.high >> (63 - bits) : address.low >> (127 - bits)) & 1;
}

usize root_of(IpVersion version)
{
	return version == IpVersion::V4 ? 0 : 1;
}

void give(PrefixNode &node, PrefixOwner &owner)
{
	node.owner.publish(&owner);
	owner.prefixes.push_back(node);
}

/* What shall stand where @node stands: @fresh above it, or a fork above both, at the first bit in which they differ. Null when a fork
 * has no spare. */
PrefixNode *join(PrefixNode &fresh, PrefixNode &node, LooseNodes &spare)
{
	const Address address = address_of(fresh.prefix), other = address_of(node.prefix);
	const u8 shared = common_bits(address, other);
	PrefixNode *top = &fresh;

	if (shared < fresh.prefix.bits) {
		Prefix common = fresh.prefix;

		top = spare.pop();
		if (!top)
			return nullptr;
		common.bits = shared;
		common.mask();
		top->prefix = common;
		top->parent = fresh.parent;
		top->child[bit_after(address, shared)].publish(&fresh);
		fresh.parent = top;
	}
	top->child[bit_after(other, top->prefix.bits)].publish(&node);
	node.parent = top;
	return top;
}

} // namespace

void Prefix::mask()
{
	if (bits > max_bits(version))
		bits = max_bits(version);
	for (u32 i = 0; i < sizeof(address); i++) {
		u32 kept = bits > i * 8 ? bits - i * 8 : 0;

		if (kept < 8)
			address[i] &= static_cast<u8>(0xff00 >> kept);
	}
}

PrefixOwner *AllowedIps::lookup(IpVersion version, const u8 *bytes) const
{
	const Address address = address_of(version, bytes);
	const u8 last = max_bits(version);
	PrefixOwner *best = nullptr;

	for (const PrefixNode *node = root_[root_of(version)].read(); node; node = node->child[bit_after(address, node->prefix.bits)].read()) {
		if (!agree(address, address_of(version, node->prefix.address), node->prefix.bits))
			break;
		/* A fork has none; so has, for a moment, a prefix that is being removed. */
		if (PrefixOwner *owner = node->owner.read())
			best = owner;
		if (node->prefix.bits == last)
			break;
	}
	return best;
}

/* A node is complete, with its children, before the one store that publishes it; a reader sees the tree before or after that store. */
void AllowedIps::insert(const Prefix &prefix, PrefixOwner &owner, LooseNodes &spare)
{
	const Address address = address_of(prefix);
	RcuPtr<PrefixNode> *link = &root_[root_of(prefix.version)];
	PrefixNode *parent = nullptr, *node = link->locked();

	while (node && node->prefix.bits < prefix.bits && agree(address, address_of(node->prefix), node->prefix.bits)) {
		parent = node;
		link = &node->child[bit_after(address, node->prefix.bits)];
		node = link->locked();
	}
	if (node && node->prefix.bits == prefix.bits && agree(address, address_of(node->prefix), prefix.bits)) {
		if (node->owner.locked())
			List<PrefixNode, &PrefixNode::of_owner>::remove(*node);
		give(*node, owner);
		return;
	}

	PrefixNode *fresh = spare.pop();

	if (!fresh) {
		bug("AllowedIps: insert without a spare node");
		return;
	}
	fresh->prefix = prefix;
	fresh->parent = parent;

	PrefixNode *top = node ? join(*fresh, *node, spare) : fresh;

	if (!top) {
		bug("AllowedIps: insert without a second spare node");
		spare.push(*fresh);
		return;
	}
	give(*fresh, owner);
	link->publish(top);
}

PrefixNode *AllowedIps::find(const Prefix &prefix) const
{
	const Address address = address_of(prefix);
	PrefixNode *node = root_[root_of(prefix.version)].locked();

	while (node && node->prefix.bits < prefix.bits && agree(address, address_of(node->prefix), node->prefix.bits))
		node = node->child[bit_after(address, node->prefix.bits)].locked();
	return node && node->prefix == prefix ? node : nullptr;
}

PrefixOwner *AllowedIps::owner_of(const Prefix &prefix) const
{
	PrefixNode *node = find(prefix);

	return node ? node->owner.locked() : nullptr;
}

bool AllowedIps::remove(const Prefix &prefix, PrefixOwner &owner, LooseNodes &removed)
{
	PrefixNode *node = find(prefix);

	if (!node || node->owner.locked() != &owner)
		return false;
	detach(*node, removed);
	return true;
}

void AllowedIps::remove_all(PrefixOwner &owner, LooseNodes &removed)
{
	while (PrefixNode *node = owner.prefixes.first())
		detach(*node, removed);
}

/* Takes @node from its owner, and out of the tree unless it forks there. Its children stay in it for readers who stand on it. */
void AllowedIps::detach(PrefixNode &node, LooseNodes &removed)
{
	List<PrefixNode, &PrefixNode::of_owner>::remove(node);
	node.owner.publish(nullptr);
	if (node.child[0].locked() && node.child[1].locked())
		return;

	PrefixNode *parent = node.parent;
	bool leaf = !node.child[0].locked() && !node.child[1].locked();

	splice_out(node, removed);
	/* A leaf leaves its parent with one child: were that a mere fork, it forks no more. */
	if (leaf && parent && !parent->owner.locked())
		splice_out(*parent, removed);
}

/* Puts the only child of @node, or nothing, in its place. */
void AllowedIps::splice_out(PrefixNode &node, LooseNodes &removed)
{
	PrefixNode *child = node.child[0].locked() ? node.child[0].locked() : node.child[1].locked();

	if (child)
		child->parent = node.parent;
	link_to(node).publish(child);
	removed.push(node);
}

RcuPtr<PrefixNode> &AllowedIps::link_to(PrefixNode &node)
{
	if (!node.parent)
		return root_[root_of(node.prefix.version)];
	return node.parent->child[bit_after(address_of(node.prefix), node.parent->prefix.bits)];
}

} // namespace wg
