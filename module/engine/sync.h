// SPDX-License-Identifier: GPL-2.0
/* Guards over the kernel's locks and sections, and the one list of lock order.
 *
 * Lock order, outermost first; a lock may be taken while holding any above it, never one below:
 *   Device::config (mutex)
 *   Device::pollers_lock (mutex)
 *   Device::identity_lock
 *   Peer::handshake_lock
 *   Peer::keyring_lock
 *   Device::index_lock
 *   Peer::tx_lock
 *   OrderedQueue's lock
 *   Peer::endpoint_lock
 *   HandshakeQueue's lock
 *   Peer::timers_lock
 *   Device::crypt_lock, the rate limit's lock
 * All spinlocks switch bottom halves off.
 */
#pragma once
#include "kernel/services.h"
#include "rt/types.h"

namespace wg::engine {

class SpinLock {
public:
	explicit SpinLock(wg_lock_class lock_class) { wg_kernel_spin_init(&lock_, lock_class); }
	SpinLock(const SpinLock &) = delete;
	SpinLock &operator=(const SpinLock &) = delete;

private:
	friend class SpinGuard;
	friend class SpinTryGuard;
	wg_spinlock lock_;
};

class [[nodiscard]] SpinGuard {
public:
	explicit SpinGuard(SpinLock &lock) : lock_(lock) { wg_kernel_spin_lock(&lock_.lock_); }
	~SpinGuard() { wg_kernel_spin_unlock(&lock_.lock_); }
	SpinGuard(const SpinGuard &) = delete;
	SpinGuard &operator=(const SpinGuard &) = delete;

private:
	SpinLock &lock_;
};

class [[nodiscard]] SpinTryGuard {
public:
	/* @may_wait: as a SpinGuard. */
	SpinTryGuard(SpinLock &lock, bool may_wait) : lock_(lock), taken_(may_wait || wg_kernel_spin_trylock(&lock.lock_) != 0)
	{
		if (may_wait)
			wg_kernel_spin_lock(&lock.lock_);
	}
	~SpinTryGuard()
	{
		if (taken_)
			wg_kernel_spin_unlock(&lock_.lock_);
	}
	SpinTryGuard(const SpinTryGuard &) = delete;
	SpinTryGuard &operator=(const SpinTryGuard &) = delete;
	bool taken() const { return taken_; }

private:
	SpinLock &lock_;
	bool taken_;
};

class Mutex {
public:
	explicit Mutex(wg_lock_class lock_class) { wg_kernel_mutex_init(&mutex_, lock_class); }
	Mutex(const Mutex &) = delete;
	Mutex &operator=(const Mutex &) = delete;

private:
	friend class MutexGuard;
	wg_mutex mutex_;
};

class [[nodiscard]] MutexGuard {
public:
	explicit MutexGuard(Mutex &mutex) : mutex_(mutex) { wg_kernel_mutex_lock(&mutex_.mutex_); }
	~MutexGuard() { wg_kernel_mutex_unlock(&mutex_.mutex_); }
	MutexGuard(const MutexGuard &) = delete;
	MutexGuard &operator=(const MutexGuard &) = delete;

private:
	Mutex &mutex_;
};

/* Objects reached through an RcuPtr or an RCU list stay valid until its end. */
class [[nodiscard]] RcuSection {
public:
	RcuSection() { wg_kernel_rcu_read_lock(); }
	~RcuSection() { wg_kernel_rcu_read_unlock(); }
	RcuSection(const RcuSection &) = delete;
	RcuSection &operator=(const RcuSection &) = delete;
};

/* Bottom halves off: this CPU's scratch is ours, and packets may be sent. */
class [[nodiscard]] BottomHalvesOff {
public:
	BottomHalvesOff() { wg_kernel_bottom_half_disable(); }
	~BottomHalvesOff() { wg_kernel_bottom_half_enable(); }
	BottomHalvesOff(const BottomHalvesOff &) = delete;
	BottomHalvesOff &operator=(const BottomHalvesOff &) = delete;
};

} // namespace wg::engine
