// SPDX-License-Identifier: GPL-2.0
/* Any sequence of configuration requests against a list that is searched from end to end; nodes are freed as soon as the table lets go
 * of them, so that ASan sees one that is still in use. */
#include <vector>

#include "protocol/allowed_ips.h"
#include "support.h"

namespace wg::engine {
struct Peer {};
} // namespace wg::engine

using namespace wg;
using fuzz::require;

namespace {

struct Entry {
	Prefix prefix;
	PrefixOwner *owner;
};

bool same(const Prefix &a, const Prefix &b)
{
	return a.version == b.version && a.bits == b.bits && same_bytes(a.address, b.address, sizeof(a.address));
}

bool contains(const Prefix &prefix, const Prefix &address)
{
	Prefix cut = address;

	cut.bits = prefix.bits;
	cut.mask();
	return same(cut, prefix);
}

class Model {
public:
	void insert(const Prefix &prefix, PrefixOwner &owner)
	{
		std::erase_if(entries_, [&](const Entry &entry) { return same(entry.prefix, prefix); });
		entries_.push_back({prefix, &owner});
	}
	bool remove(const Prefix &prefix, PrefixOwner &owner)
	{
		return std::erase_if(entries_, [&](const Entry &entry) { return same(entry.prefix, prefix) && entry.owner == &owner; }) != 0;
	}
	void remove_all(PrefixOwner &owner)
	{
		std::erase_if(entries_, [&](const Entry &entry) { return entry.owner == &owner; });
	}
	PrefixOwner *lookup(const Prefix &address) const
	{
		PrefixOwner *owner = nullptr;
		int bits = -1;

		for (const Entry &entry : entries_)
			if (entry.prefix.bits > bits && contains(entry.prefix, address)) {
				bits = entry.prefix.bits;
				owner = entry.owner;
			}
		return owner;
	}
	void require_same_dump(PrefixOwner &owner) const
	{
		PrefixNode *node = owner.prefixes.first();

		for (const Entry &entry : entries_) {
			if (entry.owner != &owner)
				continue;
			require(node && same(node->prefix, entry.prefix), "dump");
			node = owner.prefixes.next(*node);
		}
		require(!node, "dump is longer");
	}
	bool empty() const { return entries_.empty(); }

private:
	std::vector<Entry> entries_;
};

void free_all(LooseNodes &removed)
{
	while (PrefixNode *node = removed.first) {
		removed.first = node->next_loose;
		delete node;
	}
}

/* Half of the address bytes are zero, so that prefixes meet. */
Prefix read_prefix(fuzz::Input &input)
{
	Prefix prefix;
	u8 shape = input.byte(), size;

	prefix.version = shape & 1 ? IpVersion::V6 : IpVersion::V4;
	size = prefix.version == IpVersion::V4 ? 4 : 16;
	prefix.bits = static_cast<u8>(input.byte() % (size * 8 + 1));
	for (int i = 0; i < 2; i++) {
		u8 at = input.byte();

		prefix.address[at % size] = input.byte();
	}
	prefix.mask();
	return prefix;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
	fuzz::Input input(data, size);
	engine::Peer peers[3];
	PrefixOwner owners[3] = {PrefixOwner(peers[0]), PrefixOwner(peers[1]), PrefixOwner(peers[2])};
	AllowedIps ips;
	Model model;
	LooseNodes removed;

	while (!input.empty()) {
		u8 what = input.byte();
		PrefixOwner &owner = owners[what / 8 % 3];

		if (what % 8 == 7) {
			ips.remove_all(owner, removed);
			model.remove_all(owner);
			free_all(removed);
			continue;
		}

		Prefix prefix = read_prefix(input);

		if (what % 8 < 4) {
			LooseNodes spare;

			spare.push(*new PrefixNode);
			spare.push(*new PrefixNode);
			ips.insert(prefix, owner, spare);
			model.insert(prefix, owner);
			free_all(spare);
		} else if (what % 8 < 6) {
			require(ips.remove(prefix, owner, removed) == model.remove(prefix, owner), "remove");
			free_all(removed);
		}
		require(ips.lookup(prefix.version, prefix.address) == model.lookup(prefix), "lookup");
		require(ips.empty() == model.empty(), "empty");
	}
	for (PrefixOwner &owner : owners) {
		model.require_same_dump(owner);
		ips.remove_all(owner, removed);
	}
	require(ips.empty(), "something is left");
	free_all(removed);	/* LeakSanitizer finds a node that was lost */
	return 0;
}
