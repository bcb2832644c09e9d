// SPDX-License-Identifier: GPL-2.0
/* Heap objects: create<T>() gives a constructed T or null, destroy() ends it. The kernel's allocator is behind both. */
#pragma once
#include <new>
#include "kernel/services.h"
#include "rt/types.h"

namespace wg::engine {

template <typename T, typename... Arguments> T *create(Arguments &...arguments)
{
	void *memory = wg_kernel_alloc(sizeof(T));

	return memory ? new (memory) T(arguments...) : nullptr;
}

template <typename T> void destroy(T *object)
{
	if (!object)
		return;
	object->~T();
	wg_kernel_free(object, sizeof(T));
}

/* Lets an object be freed after a grace period. */
template <typename T> struct RcuFree {
	wg_rcu_head head;
	T *object;
};

template <typename T> void destroy_after_rcu(T &object)
{
	static_assert(offsetof(RcuFree<T>, head) == 0);
	object.rcu.object = &object;
	wg_kernel_call_rcu(&object.rcu.head, [](wg_rcu_head *head) { destroy(reinterpret_cast<RcuFree<T> *>(head)->object); });
}

} // namespace wg::engine
