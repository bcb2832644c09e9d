// SPDX-License-Identifier: GPL-2.0
/* RcuPtr<T>: a pointer readers follow inside an RCU read section while one writer (under its lock) replaces it.
 *
 * publish() is rcu_assign_pointer (release); read() is rcu_dereference: acquire, which on x86 costs a plain load and, unlike consume
 * ordering, is something a compiler must honour; locked() is for the writer, who holds the lock that serialises publish(). A build with
 * WG_PROVE_RCU asks at each read() whether there is a read section, or rtnl, which has the writers wait.
 */
#pragma once
#include "rt/types.h"

#ifdef WG_PROVE_RCU
extern "C" void wg_kernel_prove_rcu(void);
#else
inline void wg_kernel_prove_rcu() {}
#endif

namespace wg {

template <typename T> class RcuPtr {
public:
	constexpr RcuPtr() = default;
	RcuPtr(const RcuPtr &) = delete;
	RcuPtr &operator=(const RcuPtr &) = delete;

	T *read() const
	{
		wg_kernel_prove_rcu();
		return __atomic_load_n(&pointer_, __ATOMIC_ACQUIRE);
	}
	T *locked() const { return __atomic_load_n(&pointer_, __ATOMIC_RELAXED); }
	void publish(T *value) { __atomic_store_n(&pointer_, value, __ATOMIC_RELEASE); }

private:
	T *pointer_ = nullptr;
};

} // namespace wg
