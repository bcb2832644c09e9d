// SPDX-License-Identifier: GPL-2.0
/* RcuPtr<T>: a pointer readers follow inside an RCU read section while one writer (under its lock) replaces it.
 *
 * publish() is rcu_assign_pointer (release); read() is rcu_dereference: acquire, which on x86 costs a plain load and, unlike consume
 * ordering, is something a compiler must honour; locked() is for the writer, who holds the lock that serialises publish(): rtnl, or
 * another, which he proves by its guard. A build with WG_PROVE_RCU asks at each read() whether there is a read section, or rtnl, which has the
 * writers wait; and at each locked() without a proof whether there is rtnl.
 */
#pragma once
#include "rt/types.h"

#ifdef WG_PROVE_RCU
extern "C" void wg_kernel_prove_rcu(void);
extern "C" void wg_kernel_prove_rtnl(void);
#else
inline void wg_kernel_prove_rcu() {}
inline void wg_kernel_prove_rtnl() {}
#endif

namespace wg {

/* What only exists while a lock is held says so by this name. */
template <typename T> concept ProofOfLock = requires { typename T::IsProofOfLock; };

/* No lock, and none is needed: nobody else knows of the object. */
struct Unshared {
	using IsProofOfLock = void;
};

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
	template <ProofOfLock Proof> T *locked(const Proof &) const { return __atomic_load_n(&pointer_, __ATOMIC_RELAXED); }
	T *locked() const
	{
		wg_kernel_prove_rtnl();
		return locked(Unshared());
	}
	void publish(T *value) { __atomic_store_n(&pointer_, value, __ATOMIC_RELEASE); }

private:
	T *pointer_ = nullptr;
};

} // namespace wg
