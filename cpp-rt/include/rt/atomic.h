// SPDX-License-Identifier: GPL-2.0
/* Atomic<T>: a T of at most 8 bytes shared without a lock. What is not called relaxed acquires and releases. It is no full barrier, as the
 * kernel's are: on arm64 a load behind it may be done before a store in front of it is seen. */
#pragma once
#include "rt/types.h"

namespace wg {

template <typename T> class Atomic {
	static_assert(sizeof(T) <= 8);

public:
	constexpr Atomic() = default;
	constexpr explicit Atomic(T value) : value_(value) {}
	Atomic(const Atomic &) = delete;
	Atomic &operator=(const Atomic &) = delete;

	T load_relaxed() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
	void store_relaxed(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
	T exchange(T value) { return __atomic_exchange_n(&value_, value, __ATOMIC_ACQ_REL); }
	T fetch_add(T value) { return __atomic_fetch_add(&value_, value, __ATOMIC_ACQ_REL); }
	T fetch_sub(T value) { return __atomic_fetch_sub(&value_, value, __ATOMIC_ACQ_REL); }
	/* On failure @expected receives what was there. */
	bool compare_exchange(T &expected, T desired)
	{
		return __atomic_compare_exchange_n(&value_, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	}

private:
	T value_{};
};

} // namespace wg
