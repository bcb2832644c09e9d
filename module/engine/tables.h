// SPDX-License-Identifier: GPL-2.0
/* Hash tables: RCU readers, one locked writer, constant expected time at any size because a table grows with reserve().
 *
 * Context:    lookup: RCU section; insert, remove: the table's lock; reserve: process, rtnl, before the table's lock is taken
 * Growth:     each element has two links. A new bucket array threads the elements through the links the old one does not use, so
 *             readers of the old array walk undisturbed until the grace period after which it is freed.
 */
#pragma once
#include "engine/memory.h"
#include "engine/sync.h"
#include "rt/rcu_ptr.h"

namespace wg::engine {

template <typename T> struct HashLink {
	RcuPtr<T> next[2];
};

/* @Hash is the member with an element's hash, constant while the element is linked. */
template <typename T, HashLink<T> T::*Link, u64 T::*Hash> class HashTable {
public:
	~HashTable() { free(buckets_.locked(Unshared())); }

	/* Makes room for @count elements at about one a bucket; waits for RCU when it grows. False: no memory, nothing changed.
	 * Before its first reserve() a table may not be used. */
	bool reserve(u32 count, SpinLock &lock)
	{
		u32 size = MIN_BUCKETS();
		Buckets *old, *grown;

		while (size < count)
			size *= 2;
		old = buckets_.locked();
		if (old && old->size >= size)
			return true;
		grown = static_cast<Buckets *>(wg_kernel_alloc(memory_of(size)));
		if (!grown)
			return false;
		grown->size = size;
		{
			SpinGuard guard(lock);

			grown->side = old ? !old->side : 0;
			for (u32 i = 0; old && i < old->size; i++)
				for (T *at = old->heads()[i].locked(guard); at; at = (at->*Link).next[old->side].locked(guard))
					push(*grown, *at, guard);
			buckets_.publish(grown);
		}
		if (old) {
			wg_kernel_rcu_wait();
			free(old);
		}
		return true;
	}
	void insert(T &element, const SpinGuard &guard) { push(*buckets_.locked(guard), element, guard); }
	void remove(T &element, const SpinGuard &guard)
	{
		Buckets &buckets = *buckets_.locked(guard);
		RcuPtr<T> *at = &buckets.heads()[(element.*Hash) & (buckets.size - 1)];

		while (T *here = at->locked(guard)) {
			if (here == &element) {
				at->publish((element.*Link).next[buckets.side].locked(guard));
				return;
			}
			at = &(here->*Link).next[buckets.side];
		}
	}
	/* The first element of hash @hash for which @matches(element); null when none. */
	template <typename Matches> T *find(u64 hash, Matches matches) const
	{
		Buckets &buckets = *buckets_.read();

		for (T *at = buckets.heads()[hash & (buckets.size - 1)].read(); at; at = (at->*Link).next[buckets.side].read())
			if (matches(*at))
				return at;
		return nullptr;
	}

private:
	struct Buckets {
		u32 size, side;
		RcuPtr<T> *heads() { return reinterpret_cast<RcuPtr<T> *>(this + 1); }
	};
	static constexpr u32 MIN_BUCKETS() { return 64; }
	static constexpr usize memory_of(u32 size) { return sizeof(Buckets) + size * sizeof(RcuPtr<T>); }
	static void free(Buckets *buckets)
	{
		if (buckets)
			wg_kernel_free(buckets, memory_of(buckets->size));
	}
	void push(Buckets &buckets, T &element, const SpinGuard &guard)
	{
		RcuPtr<T> &head = buckets.heads()[(element.*Hash) & (buckets.size - 1)];

		(element.*Link).next[buckets.side].publish(head.locked(guard));
		head.publish(&element);
	}
	RcuPtr<Buckets> buckets_;
};

} // namespace wg::engine
