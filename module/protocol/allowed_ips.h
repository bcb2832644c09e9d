// SPDX-License-Identifier: GPL-2.0
/* Allowed IPs: the cryptokey routing table, a path-compressed binary trie per IP version. [WG §2, §3]
 *
 * Called by:  engine/tx and engine/rx (lookup), engine/config (the rest)
 * Context:    lookup: any, inside an RCU read section; changes: process, under the device's configuration lock
 * Memory:     nodes come from and go back to the caller: insert() needs at most two spares, so a configuration that has put them
 *             aside cannot fail; removed nodes are given out and freed by the caller after a grace period
 * Invariant:  a prefix belongs to one owner; every node with an owner is on that owner's list; a node without one has two children
 * Depth:      at most 129; lookup and changes are loops, never recursion
 */
#pragma once
#include "rt/bytes.h"
#include "rt/list.h"
#include "rt/rcu_ptr.h"
#include "wire/inner.h"

namespace wg {

namespace engine {
struct Peer;
}
struct PrefixOwner;

/* An address and how many of its leading bits count. bits ≤ 32 or 128; bytes behind them are zero after mask(). */
struct Prefix {
	IpVersion version = IpVersion::V4;
	u8 bits = 0;
	u8 address[16] = {};		/* network order; IPv4 in the first four */
	void mask();			/* clears the host part */
	friend bool operator==(const Prefix &, const Prefix &) = default;
};

struct PrefixNode {
	RcuPtr<PrefixNode> child[2];
	RcuPtr<PrefixOwner> owner;	/* null: only a fork */
	PrefixNode *parent = nullptr;
	Prefix prefix;
	ListLink<PrefixNode> of_owner;
	PrefixNode *next_loose = nullptr;	/* readers may still stand on a removed node: its children stay */
};

/* Embedded in a peer. */
struct PrefixOwner {
	explicit PrefixOwner(engine::Peer &peer) : peer(peer) {}
	engine::Peer &peer;
	List<PrefixNode, &PrefixNode::of_owner> prefixes;	/* in order of insertion */
};

/* Nodes outside of the tree: spare ones, or removed ones that wait for a grace period. */
struct LooseNodes {
	PrefixNode *first = nullptr;	/* chained by next_loose */
	void push(PrefixNode &node)
	{
		node.next_loose = first;
		first = &node;
	}
	PrefixNode *pop()
	{
		PrefixNode *node = first;

		if (node)
			first = node->next_loose;
		return node;
	}
};

class AllowedIps {
public:
	/* The owner of the longest prefix that contains @address (4 or 16 bytes); null when none. RCU. */
	PrefixOwner *lookup(IpVersion, const u8 *address) const;

	/* @prefix must be masked. Moves it when another peer owns it; set again for the same peer, it moves to the end of that peer's list.
	 * Takes from @spare what it needs, two at most; they are as they were made. */
	void insert(const Prefix &prefix, PrefixOwner &owner, LooseNodes &spare);
	/* True when @owner had exactly this prefix. */
	bool remove(const Prefix &prefix, PrefixOwner &owner, LooseNodes &removed);
	/* Who has exactly this prefix, masked; null: nobody. */
	PrefixOwner *owner_of(const Prefix &prefix) const;
	void remove_all(PrefixOwner &owner, LooseNodes &removed);
	bool empty() const { return !root_[0].locked() && !root_[1].locked(); }

private:
	PrefixNode *find(const Prefix &prefix) const;
	void detach(PrefixNode &node, LooseNodes &removed);
	void splice_out(PrefixNode &node, LooseNodes &removed);
	RcuPtr<PrefixNode> &link_to(PrefixNode &node);
	RcuPtr<PrefixNode> root_[2];	/* IPv4, IPv6 */
};

} // namespace wg
