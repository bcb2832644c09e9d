// SPDX-License-Identifier: GPL-2.0
/* Intrusive lists. The link lies in the element; a list owns nothing. Writers hold the list's lock; RcuList's readers need an RCU section. */
#pragma once
#include "rt/rcu_ptr.h"

namespace wg {

/* Singly linked, readers under RCU, removal by walking: for hash buckets and for walks that may pause between removals.
 * A removed element keeps its next pointer, so that a reader standing on it walks on; it may be freed after a grace period. */
template <typename T> struct RcuLink {
	RcuPtr<T> next;
};

template <typename T, RcuLink<T> T::*Link> class RcuList {
public:
	T *first() const { return head_.next.read(); }
	static T *next(const T &element) { return (element.*Link).next.read(); }
	bool empty() const { return first() == nullptr; }

	void push_front(T &element)
	{
		(element.*Link).next.publish(head_.next.locked());
		head_.next.publish(&element);
	}
	/* True when @element was on the list. O(length). */
	bool remove(T &element)
	{
		RcuLink<T> *link = &head_;

		while (T *at = link->next.locked()) {
			if (at == &element) {
				link->next.publish((element.*Link).next.locked());
				return true;
			}
			link = &(at->*Link);
		}
		return false;
	}

private:
	RcuLink<T> head_;
};

/* Doubly linked, circular through a head in the list itself; all access under one lock. */
template <typename T> struct ListLink {
	ListLink *next = this, *previous = this;
	T *owner = nullptr;
	ListLink() = default;
	ListLink(const ListLink &) = delete;
	ListLink &operator=(const ListLink &) = delete;
	bool is_linked() const { return next != this; }
	void unlink()
	{
		next->previous = previous;
		previous->next = next;
		next = previous = this;
	}
};

template <typename T, ListLink<T> T::*Link> class List {
public:
	bool empty() const { return !head_.is_linked(); }
	T *first() const { return head_.next->owner; }
	T *next(const T &element) const { return (element.*Link).next->owner; }
	void push_back(T &element)
	{
		ListLink<T> &link = element.*Link;

		link.owner = &element;
		link.previous = head_.previous;
		link.next = &head_;
		head_.previous->next = &link;
		head_.previous = &link;
	}
	static void remove(T &element) { (element.*Link).unlink(); }
	T *pop_front()
	{
		T *element = first();

		if (element)
			remove(*element);
		return element;
	}

private:
	ListLink<T> head_;
};

} // namespace wg
