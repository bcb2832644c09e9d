// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <csignal>
#include <list>
#include <memory>
#include <set>

#include "bug_hook.h"
#include "protocol/allowed_ips.h"
#include "support.h"

namespace wg {

namespace engine {
struct Peer {
	int id;
};
} // namespace engine

namespace {

Prefix v4(u8 a, u8 b, u8 c, u8 d, u8 bits)
{
	Prefix prefix = {IpVersion::V4, bits, {a, b, c, d}};

	prefix.mask();
	return prefix;
}

Prefix v6(const char *hex, u8 bits)
{
	test::ByteVector bytes = test::from_hex(hex);
	Prefix prefix = {IpVersion::V6, bits, {}};

	bytes.resize(16);
	copy_bytes(prefix.address, bytes.data(), 16);
	prefix.mask();
	return prefix;
}

bool contains(const Prefix &prefix, IpVersion version, const u8 *address)
{
	if (version != prefix.version)
		return false;
	for (u32 bit = 0; bit < prefix.bits; bit++)
		if ((address[bit / 8] ^ prefix.address[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

struct Owner {
	explicit Owner(int id) : peer{id}, prefixes(peer) {}
	engine::Peer peer;
	PrefixOwner prefixes;
};

#if defined(__x86_64__) && !defined(WG_KUNIT)	/* elsewhere no program may step through itself */
/* While it lives, the parts of Table that are marked by a Reader::Step run with the CPU's trap flag set, and after each of their instructions
 * every address is looked up. */
class Reader {
public:
	explicit Reader(const AllowedIps &ips)
	{
		struct sigaction action = {};

		watched = &ips;
		looks = 0;
		std::fill(seen, seen + 16, 0);
		action.sa_handler = [](int) { look(); };
		sigaction(SIGTRAP, &action, &old_);
	}
	~Reader()
	{
		sigaction(SIGTRAP, &old_, nullptr);
		watched = nullptr;
	}
	Reader(const Reader &) = delete;
	Reader &operator=(const Reader &) = delete;

	/* The way around the red zone is needed: pushf writes below the stack pointer. */
	struct Step {
		Step()
		{
			if (watched)
				__asm__ __volatile__("sub $128, %%rsp; pushfq; orq $0x100, (%%rsp); popfq; add $128, %%rsp" ::: "cc", "memory");
		}
		~Step()
		{
			if (watched)
				__asm__ __volatile__("sub $128, %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; add $128, %%rsp" ::: "cc", "memory");
		}
	};
	/* An owner, or -1, as a bit of seen. */
	static u32 bit_of(int owner) { return 1u << (owner + 1); }

	static std::vector<Prefix> addresses;
	static u32 seen[16];
	static u64 looks;

private:
	static void look()
	{
		looks++;
		for (usize i = 0; i < addresses.size(); i++) {
			PrefixOwner *found = watched->lookup(addresses[i].version, addresses[i].address);

			seen[i] |= bit_of(found ? found->peer.id : -1);
		}
	}
	static const AllowedIps *watched;
	struct sigaction old_;
};
std::vector<Prefix> Reader::addresses;
u32 Reader::seen[16];
u64 Reader::looks;
const AllowedIps *Reader::watched;
#else
struct Reader {
	struct Step {
		Step() {}
	};
};
#endif

/* The table with the part the engine plays: it makes the nodes, and frees removed ones after what would be a grace period. */
class Table {
public:
	explicit Table(int owners)
	{
		for (int i = 0; i < owners; i++)
			owners_.emplace_back(std::make_unique<Owner>(i));
	}
	Table(const Table &) = delete;
	Table &operator=(const Table &) = delete;
	~Table()
	{
		for (usize i = 0; i < owners_.size(); i++)
			remove_all(static_cast<int>(i));
		EXPECT_TRUE(ips.empty());
		EXPECT_EQ(live_, 0);
	}

	PrefixOwner &owner(int id) { return owners_[static_cast<usize>(id)]->prefixes; }
	void insert(const Prefix &prefix, int id)
	{
		LooseNodes spare;

		spare.push(*new PrefixNode);
		spare.push(*new PrefixNode);
		live_ += 2;
		{
			Reader::Step step;

			ips.insert(prefix, owner(id), spare);
		}
		while (PrefixNode *node = spare.pop())
			free(node);
	}
	bool remove(const Prefix &prefix, int id)
	{
		LooseNodes removed;
		bool found;
		{
			Reader::Step step;

			found = ips.remove(prefix, owner(id), removed);
		}
		free_all(removed);
		return found;
	}
	void remove_all(int id)
	{
		LooseNodes removed;

		ips.remove_all(owner(id), removed);
		free_all(removed);
	}
	/* -1: nobody. */
	int lookup(IpVersion version, const u8 *address) const
	{
		PrefixOwner *found = ips.lookup(version, address);

		return found ? found->peer.id : -1;
	}
	int lookup(const Prefix &address) const { return lookup(address.version, address.address); }
	int lookup4(u8 a, u8 b, u8 c, u8 d) const { return lookup(v4(a, b, c, d, 32)); }
	int lookup6(const char *hex) const { return lookup(v6(hex, 128)); }
	std::vector<Prefix> dump(int id)
	{
		std::vector<Prefix> prefixes;
		auto &list = owner(id).prefixes;

		for (PrefixNode *node = list.first(); node; node = list.next(*node))
			prefixes.push_back(node->prefix);
		return prefixes;
	}

	/* The header's invariants, seen from every owner's list: each tree is well formed, and nothing is in it that no list explains. */
	void check_invariants()
	{
		std::set<PrefixNode *> roots, seen;
		usize owned = 0, owned_in_trees = 0;

		for (usize id = 0; id < owners_.size(); id++) {
			auto &list = owners_[id]->prefixes.prefixes;

			for (PrefixNode *node = list.first(); node; node = list.next(*node)) {
				PrefixNode *top = node;

				ASSERT_EQ(node->owner.locked(), &owners_[id]->prefixes);
				while (top->parent)
					top = top->parent;
				roots.insert(top);
				owned++;
			}
		}
		ASSERT_LE(roots.size(), 2u);	/* one for each version */

		for (PrefixNode *root : roots)
			check_tree(*root, seen, owned_in_trees);
		ASSERT_EQ(owned, owned_in_trees);
		ASSERT_EQ(static_cast<long>(seen.size()), live_);
		ASSERT_EQ(ips.empty(), roots.empty());
	}

	AllowedIps ips;

private:
	void check_tree(PrefixNode &root, std::set<PrefixNode *> &seen, usize &owned)
	{
		std::vector<PrefixNode *> rest = {&root};

		while (!rest.empty()) {
			PrefixNode *node = rest.back(), *left = node->child[0].locked(), *right = node->child[1].locked();
			Prefix masked = node->prefix;

			rest.pop_back();
			ASSERT_TRUE(seen.insert(node).second);
			masked.mask();
			ASSERT_TRUE(masked == node->prefix);
			ASSERT_EQ(ips.owner_of(node->prefix), node->owner.locked());
			if (node->owner.locked())
				owned++;
			else
				ASSERT_TRUE(left && right) << "a fork with fewer than two children";
			for (PrefixNode *child : {left, right}) {
				if (!child)
					continue;
				ASSERT_EQ(child->parent, node);
				ASSERT_GT(child->prefix.bits, node->prefix.bits);
				ASSERT_TRUE(contains(node->prefix, child->prefix.version, child->prefix.address));
				ASSERT_EQ(child->prefix.address[node->prefix.bits / 8] >> (7 - node->prefix.bits % 8) & 1, child == right);
				rest.push_back(child);
			}
		}
	}
	void free(PrefixNode *node)
	{
		if (!node)
			return;
		delete node;
		live_--;
	}
	void free_all(LooseNodes &removed)
	{
		while (PrefixNode *node = removed.first) {
			removed.first = node->next_loose;
			free(node);
		}
	}

	std::vector<std::unique_ptr<Owner>> owners_;
	long live_ = 0;
};

TEST(Prefix, mask_clears_the_host_part)
{
	for (u32 bits = 0; bits <= 128; bits++) {
		Prefix prefix = {IpVersion::V6, static_cast<u8>(bits), {}};

		std::fill(prefix.address, prefix.address + 16, 0xff);
		prefix.mask();
		for (u32 bit = 0; bit < 128; bit++)
			ASSERT_EQ(prefix.address[bit / 8] >> (7 - bit % 8) & 1, bit < bits) << bits << " " << bit;
	}
}

TEST(Prefix, mask_clears_all_behind_an_ipv4_address)
{
	Prefix prefix = {IpVersion::V4, 32, {}};

	std::fill(prefix.address, prefix.address + 16, 0xff);
	prefix.mask();
	EXPECT_EQ(test::vector_of(prefix.address, 16), test::from_hex("ffffffff 00000000 00000000 00000000"));
}

TEST(AllowedIps, an_empty_table_knows_nobody)
{
	Table table(1);

	EXPECT_TRUE(table.ips.empty());
	EXPECT_EQ(table.lookup4(1, 2, 3, 4), -1);
	EXPECT_EQ(table.lookup6("20010db8"), -1);
}

TEST(AllowedIps, the_longest_prefix_wins)
{
	Table table(5);

	table.insert(v4(192, 168, 4, 0, 24), 0);
	table.insert(v4(192, 168, 4, 4, 32), 1);
	table.insert(v4(192, 168, 0, 0, 16), 2);
	table.insert(v4(0, 0, 0, 0, 0), 3);
	table.insert(v4(192, 168, 4, 128, 25), 4);
	table.check_invariants();
	EXPECT_EQ(table.lookup4(192, 168, 4, 4), 1);
	EXPECT_EQ(table.lookup4(192, 168, 4, 5), 0);
	EXPECT_EQ(table.lookup4(192, 168, 4, 127), 0);
	EXPECT_EQ(table.lookup4(192, 168, 4, 128), 4);
	EXPECT_EQ(table.lookup4(192, 168, 5, 4), 2);
	EXPECT_EQ(table.lookup4(10, 0, 0, 1), 3);
	EXPECT_EQ(table.lookup4(255, 255, 255, 255), 3);
}

TEST(AllowedIps, owner_of_asks_for_the_very_prefix)
{
	Table table(1);

	table.insert(v4(10, 0, 0, 0, 16), 0);
	table.insert(v4(10, 0, 128, 0, 24), 0);
	EXPECT_EQ(table.ips.owner_of(v4(10, 0, 0, 0, 16)), &table.owner(0));
	EXPECT_EQ(table.ips.owner_of(v4(10, 0, 128, 0, 24)), &table.owner(0));
	for (const Prefix &other : {v4(10, 0, 0, 0, 15), v4(10, 0, 0, 0, 17), v4(10, 0, 128, 0, 25), v4(10, 0, 129, 0, 24), v6("0a00", 16)})
		EXPECT_EQ(table.ips.owner_of(other), nullptr);
}

TEST(AllowedIps, a_default_route_catches_its_own_version_alone)
{
	Table table(2);

	table.insert(v4(0, 0, 0, 0, 0), 0);
	EXPECT_EQ(table.lookup4(0, 0, 0, 0), 0);
	EXPECT_EQ(table.lookup4(255, 255, 255, 255), 0);
	EXPECT_EQ(table.lookup6("00"), -1);
	table.insert(v6("00", 0), 1);
	EXPECT_EQ(table.lookup6("ffffffffffffffffffffffffffffffff"), 1);
	EXPECT_EQ(table.lookup4(0, 0, 0, 0), 0);
	table.check_invariants();
}

TEST(AllowedIps, single_addresses_match_themselves_alone)
{
	Table table(4);

	table.insert(v4(10, 0, 0, 1, 32), 0);
	table.insert(v4(10, 0, 0, 0, 32), 1);
	table.insert(v6("20010db8000000000000000000000001", 128), 2);
	table.insert(v6("20010db8000000000000000000000000", 128), 3);
	table.check_invariants();
	EXPECT_EQ(table.lookup4(10, 0, 0, 1), 0);
	EXPECT_EQ(table.lookup4(10, 0, 0, 0), 1);
	EXPECT_EQ(table.lookup4(10, 0, 0, 2), -1);
	EXPECT_EQ(table.lookup6("20010db8000000000000000000000001"), 2);
	EXPECT_EQ(table.lookup6("20010db8000000000000000000000000"), 3);
	EXPECT_EQ(table.lookup6("20010db8000000000000000000000002"), -1);
}

/* Both sides of the middle of an IPv6 address, where the two words meet. */
TEST(AllowedIps, ipv6_prefixes_around_64_bits)
{
	Table table(4);

	table.insert(v6("20010db800000001", 64), 0);
	table.insert(v6("20010db8000000018000000000000000", 65), 1);
	table.insert(v6("20010db800000000", 63), 2);
	table.insert(v6("20010db80000000180000000000000ff", 128), 3);
	table.check_invariants();
	EXPECT_EQ(table.lookup6("20010db8000000010000000000000001"), 0);
	EXPECT_EQ(table.lookup6("20010db8000000018000000000000001"), 1);
	EXPECT_EQ(table.lookup6("20010db8000000000000000000000001"), 2);
	EXPECT_EQ(table.lookup6("20010db80000000180000000000000ff"), 3);
	EXPECT_EQ(table.lookup6("20010db8000000020000000000000001"), -1);
}

/* The deepest tree there is: every length from 0 to 128 along one address. */
TEST(AllowedIps, holds_all_129_lengths_of_one_address)
{
	Table table(129);
	const char *all_ones = "ffffffffffffffffffffffffffffffff";

	for (int bits = 128; bits >= 0; bits--)
		table.insert(v6(all_ones, static_cast<u8>(bits)), bits);
	table.check_invariants();
	for (int bits = 128; bits >= 0; bits--) {
		Prefix address = v6(all_ones, 128);

		EXPECT_EQ(table.lookup(address), bits == 128 ? 128 : bits);
		if (bits < 128) {
			address.address[bits / 8] ^= static_cast<u8>(0x80 >> bits % 8);
			EXPECT_EQ(table.lookup(address), bits);
		}
		ASSERT_TRUE(table.remove(v6(all_ones, static_cast<u8>(bits)), bits));
		table.check_invariants();
	}
}

TEST(AllowedIps, a_prefix_set_for_another_peer_moves)
{
	Table table(2);

	table.insert(v4(10, 0, 0, 0, 8), 0);
	table.insert(v4(10, 0, 0, 0, 8), 1);
	table.check_invariants();
	EXPECT_EQ(table.lookup4(10, 1, 1, 1), 1);
	EXPECT_TRUE(table.dump(0).empty());
	EXPECT_EQ(table.dump(1).size(), 1u);
	EXPECT_FALSE(table.remove(v4(10, 0, 0, 0, 8), 0));
	EXPECT_EQ(table.lookup4(10, 1, 1, 1), 1);
}

/* What was only a fork can become a prefix and a fork again. */
TEST(AllowedIps, a_fork_can_be_given_an_owner_and_lose_it)
{
	Table table(3);

	table.insert(v4(10, 0, 0, 0, 16), 0);
	table.insert(v4(10, 1, 0, 0, 16), 1);
	EXPECT_EQ(table.lookup4(10, 2, 0, 0), -1);
	table.insert(v4(10, 0, 0, 0, 15), 2);
	table.check_invariants();
	EXPECT_EQ(table.lookup4(10, 0, 1, 1), 0);
	EXPECT_EQ(table.lookup4(10, 1, 1, 1), 1);
	EXPECT_TRUE(table.remove(v4(10, 0, 0, 0, 15), 2));
	table.check_invariants();
	EXPECT_EQ(table.lookup4(10, 0, 1, 1), 0);
	EXPECT_TRUE(table.remove(v4(10, 0, 0, 0, 16), 0));
	table.check_invariants();
	EXPECT_EQ(table.lookup4(10, 1, 1, 1), 1);
}

TEST(AllowedIps, removing_needs_the_exact_prefix_and_the_right_peer)
{
	Table table(2);

	table.insert(v4(10, 0, 0, 0, 8), 0);
	table.insert(v4(10, 128, 0, 0, 9), 0);
	for (const Prefix &other : {v4(10, 0, 0, 0, 9), v4(10, 0, 0, 0, 7), v4(11, 0, 0, 0, 8), v4(0, 0, 0, 0, 0), v4(10, 0, 0, 0, 32), v6("0a", 8)})
		EXPECT_FALSE(table.remove(other, 0));
	EXPECT_FALSE(table.remove(v4(10, 0, 0, 0, 8), 1));
	EXPECT_EQ(table.lookup4(10, 0, 0, 1), 0);
	EXPECT_TRUE(table.remove(v4(10, 0, 0, 0, 8), 0));
	EXPECT_EQ(table.lookup4(10, 0, 0, 1), -1);
	EXPECT_EQ(table.lookup4(10, 128, 0, 1), 0);
}

/* A fork is nobody's: it cannot be removed by anyone. */
TEST(AllowedIps, a_fork_is_no_prefix)
{
	Table table(1);

	table.insert(v4(10, 0, 0, 0, 16), 0);
	table.insert(v4(10, 1, 0, 0, 16), 0);
	EXPECT_FALSE(table.remove(v4(10, 0, 0, 0, 15), 0));
	EXPECT_EQ(table.dump(0).size(), 2u);
}

TEST(AllowedIps, removing_all_of_one_peer_leaves_the_others)
{
	Table table(2);

	for (u8 i = 0; i < 200; i++)
		table.insert(v4(10, i, 0, 0, 16), i % 2);
	table.insert(v4(10, 0, 0, 0, 8), 0);
	table.insert(v6("fd", 8), 0);
	table.remove_all(0);
	table.check_invariants();
	EXPECT_TRUE(table.dump(0).empty());
	for (u8 i = 0; i < 200; i++)
		EXPECT_EQ(table.lookup4(10, i, 3, 3), i % 2 ? 1 : -1);
	EXPECT_EQ(table.lookup6("fd"), -1);
}

TEST(AllowedIps, the_dump_order_is_that_of_insertion)
{
	Table table(1);
	std::vector<Prefix> expected = {v4(10, 0, 0, 0, 8), v6("fd00", 16), v4(0, 0, 0, 0, 0), v4(10, 0, 0, 0, 24), v4(192, 168, 0, 0, 16)};

	for (const Prefix &prefix : expected)
		table.insert(prefix, 0);
	EXPECT_TRUE(table.dump(0) == expected);
	table.insert(expected[1], 0);
	std::rotate(expected.begin() + 1, expected.begin() + 2, expected.end());
	EXPECT_TRUE(table.dump(0) == expected);
}

/* The engine puts two spares aside for each prefix of a request: never are more needed, and what is not needed stays. */
TEST(AllowedIps, insert_takes_no_more_spares_than_it_needs)
{
	Owner owner(0);
	AllowedIps ips;
	PrefixNode nodes[8];
	auto insert = [&](const Prefix &prefix, std::initializer_list<PrefixNode *> spares) {
		LooseNodes spare;
		int left = 0;

		for (PrefixNode *node : spares)
			spare.push(*node);
		ips.insert(prefix, owner.prefixes, spare);
		while (spare.pop())
			left++;
		return left;
	};

	EXPECT_EQ(insert(v4(10, 0, 0, 0, 16), {&nodes[1], &nodes[0]}), 1);	/* a root */
	EXPECT_EQ(insert(v4(10, 0, 0, 0, 16), {&nodes[2], &nodes[1]}), 2);	/* there already */
	EXPECT_EQ(insert(v4(10, 1, 0, 0, 16), {&nodes[2], &nodes[1]}), 0);	/* beside it, under a fork */
	EXPECT_EQ(insert(v4(10, 0, 0, 0, 15), {&nodes[4], &nodes[3]}), 2);	/* the fork */
	EXPECT_EQ(insert(v4(10, 0, 0, 0, 8), {&nodes[4], &nodes[3]}), 1);	/* above */
	EXPECT_EQ(insert(v4(10, 0, 0, 1, 32), {&nodes[4]}), 0);			/* below */

	LooseNodes removed;

	ips.remove_all(owner.prefixes, removed);
	EXPECT_TRUE(ips.empty());
}

TEST(AllowedIps, insert_without_spares_is_a_bug_and_changes_nothing)
{
	Owner owner(0);
	AllowedIps ips;
	PrefixNode nodes[2];
	LooseNodes one{&nodes[0]}, fork{&nodes[1]}, none;
	test::ExpectBugs bugs;
	LooseNodes removed;

	ips.insert(v4(10, 0, 0, 0, 16), owner.prefixes, none);
	EXPECT_TRUE(ips.empty());
	ips.insert(v4(10, 0, 0, 0, 16), owner.prefixes, one);
	ips.insert(v4(11, 0, 0, 0, 16), owner.prefixes, fork);
	EXPECT_EQ(bugs.count(), 2);
	EXPECT_EQ(fork.first, &nodes[1]);
	EXPECT_EQ(ips.lookup(IpVersion::V4, v4(11, 0, 0, 0, 32).address), nullptr);
	EXPECT_EQ(ips.lookup(IpVersion::V4, v4(10, 0, 0, 0, 32).address), &owner.prefixes);
	ips.remove_all(owner.prefixes, removed);
}

TEST(AllowedIps, removed_nodes_keep_the_way_on_for_readers_who_stand_on_them)
{
	Owner owner(0);
	AllowedIps ips;
	PrefixNode nodes[4];
	LooseNodes spare{&nodes[0]};
	LooseNodes removed;

	ips.insert(v4(10, 0, 0, 0, 8), owner.prefixes, spare);
	spare.push(nodes[1]);
	ips.insert(v4(10, 1, 0, 0, 16), owner.prefixes, spare);
	spare.push(nodes[2]);
	ips.insert(v4(10, 1, 1, 0, 24), owner.prefixes, spare);

	PrefixNode *reader = &nodes[1];

	ASSERT_TRUE(ips.remove(v4(10, 1, 0, 0, 16), owner.prefixes, removed));
	EXPECT_EQ(removed.first, reader);
	EXPECT_EQ(reader->owner.read(), nullptr);
	EXPECT_EQ(reader->child[0].read(), &nodes[2]);
	EXPECT_EQ(nodes[2].parent, &nodes[0]);
	ips.remove_all(owner.prefixes, removed);
}

/* The table against a list that is searched from end to end. */
class Model {
public:
	void insert(const Prefix &prefix, int owner)
	{
		erase(prefix);
		entries_.push_back({prefix, owner});
	}
	bool remove(const Prefix &prefix, int owner)
	{
		for (const Entry &entry : entries_)
			if (entry.prefix == prefix && entry.owner == owner) {
				erase(prefix);
				return true;
			}
		return false;
	}
	void remove_all(int owner)
	{
		entries_.remove_if([owner](const Entry &entry) { return entry.owner == owner; });
	}
	int lookup(IpVersion version, const u8 *address) const
	{
		int best = -1, owner = -1;

		for (const Entry &entry : entries_)
			if (contains(entry.prefix, version, address) && entry.prefix.bits > best) {
				best = entry.prefix.bits;
				owner = entry.owner;
			}
		return owner;
	}
	std::vector<Prefix> dump(int owner) const
	{
		std::vector<Prefix> prefixes;

		for (const Entry &entry : entries_)
			if (entry.owner == owner)
				prefixes.push_back(entry.prefix);
		return prefixes;
	}

private:
	struct Entry {
		Prefix prefix;
		int owner;
	};
	void erase(const Prefix &prefix)
	{
		entries_.remove_if([&prefix](const Entry &entry) { return entry.prefix == prefix; });
	}
	std::list<Entry> entries_;
};

/* Bytes of few values, so that prefixes meet, nest and fork often. */
Prefix random_prefix(test::Random &random)
{
	Prefix prefix;
	usize size;

	prefix.version = random.below(2) ? IpVersion::V4 : IpVersion::V6;
	size = prefix.version == IpVersion::V4 ? 4 : 16;
	prefix.bits = static_cast<u8>(random.below(size * 8 + 1));
	for (usize i = 0; i < size; i++)
		prefix.address[i] = random.below(4) ? 0 : static_cast<u8>(random.next());
	prefix.mask();
	return prefix;
}

TEST(AllowedIps, agrees_with_a_searched_list_under_random_changes)
{
	constexpr int OWNERS = 6;

	for (u64 seed = 0; seed < 6; seed++) {
		test::Random random(seed);
		Table table(OWNERS);
		Model model;
		std::vector<Prefix> used;

		for (int step = 0; step < 4000; step++) {
			int owner = static_cast<int>(random.below(OWNERS));
			u64 what = random.below(100);

			if (what < 55) {
				Prefix prefix = random_prefix(random);

				table.insert(prefix, owner);
				model.insert(prefix, owner);
				used.push_back(prefix);
			} else if (what < 99 && !used.empty()) {
				Prefix prefix = random.below(8) ? used[random.below(used.size())] : random_prefix(random);

				ASSERT_EQ(table.remove(prefix, owner), model.remove(prefix, owner)) << seed << " " << step;
				if (random.below(3) == 0) {
					table.insert(prefix, owner);
					model.insert(prefix, owner);
				}
			} else {
				table.remove_all(owner);
				model.remove_all(owner);
			}
			for (int i = 0; i < 4; i++) {
				Prefix address = random.below(2) && !used.empty() ? used[random.below(used.size())] : random_prefix(random);

				if (random.below(2))
					address.address[random.below(address.version == IpVersion::V4 ? 4 : 16)] = static_cast<u8>(random.next());
				ASSERT_EQ(table.lookup(address), model.lookup(address.version, address.address)) << seed << " " << step;
			}
			if (step % 16 == 0) {
				table.check_invariants();
				if (HasFatalFailure())
					return;
				for (int id = 0; id < OWNERS; id++)
					ASSERT_TRUE(table.dump(id) == model.dump(id)) << seed << " " << step;
			}
		}
	}
}

/* A reader between any two instructions of a change: it must see the table as it was or as it will be. A node published before it was
 * complete, or a way lost for a moment, shows as a third answer. (On x86 stores are seen in their order, so this is all a reader can see.) */
#if defined(__x86_64__) && !defined(WG_KUNIT)
TEST(AllowedIps, a_reader_during_a_change_sees_the_table_before_or_after_it)
{
	constexpr int OWNERS = 4;
	Table table(OWNERS);
	test::Random random(50);
	std::vector<Prefix> &addresses = Reader::addresses;

	addresses.clear();
	for (u8 i = 0; i < 16; i++)
		addresses.push_back(v4(10, static_cast<u8>(i & 3) * 85, static_cast<u8>(i >> 2) * 85, 1, 32));
	for (int step = 0; step < 120; step++) {
		Prefix prefix = addresses[random.below(addresses.size())];
		int owner = static_cast<int>(random.below(OWNERS));
		std::vector<int> before;

		prefix.bits = static_cast<u8>(random.below(33));
		prefix.mask();
		for (const Prefix &address : addresses)
			before.push_back(table.lookup(address));
		{
			Reader reader(table.ips);

			if (random.below(2))
				table.insert(prefix, owner);
			else
				table.remove(prefix, owner);
		}
		ASSERT_GT(Reader::looks, 5u);
		for (usize i = 0; i < addresses.size(); i++) {
			u32 allowed = Reader::bit_of(before[i]) | Reader::bit_of(table.lookup(addresses[i]));

			ASSERT_EQ(Reader::seen[i] & ~allowed, 0u) << step << " " << i;
		}
	}
}
#endif

} // namespace
} // namespace wg
