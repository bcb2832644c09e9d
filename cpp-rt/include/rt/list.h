// SPDX-License-Identifier: GPL-2.0
/* Intrusive list: doubly linked, circular through a head in the list itself. The link lies in the element; a list owns nothing.
 * All access under one lock. */
#pragma once
#include "rt/types.h"

namespace wg {

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
