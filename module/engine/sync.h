// SPDX-License-Identifier: GPL-2.0
/* Guards over the kernel's locks and sections, and the one list of lock order.
 *
 * Lock order, outermost first; a lock may be taken while holding any above it, never one below:
 *   rtnl (mutex): the shims hold it around everything that configures; a handshake worker takes it to give a peer its pollers
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

/* A lock of the kernel's, of a class that lockdep knows. */
class SpinLock {
public:
	explicit SpinLock(wg_lock_class lock_class) { wg_kernel_spin_init(&storage_, lock_class); }
	SpinLock(const SpinLock &) = delete;
	SpinLock &operator=(const SpinLock &) = delete;
	[[nodiscard]] bool try_take() { return wg_kernel_spin_trylock(&storage_) != 0; }

private:
	friend class SpinGuard;
	wg_spinlock storage_;
};

class [[nodiscard]] SpinGuard {
public:
	using IsProofOfLock = void;
	/* @is_taken: by try_take(). */
	explicit SpinGuard(SpinLock &lock, bool is_taken = false) : lock_(lock.storage_)
	{
		if (!is_taken)
			wg_kernel_spin_lock(&lock_);
	}
	~SpinGuard() { wg_kernel_spin_unlock(&lock_); }
	SpinGuard(const SpinGuard &) = delete;
	SpinGuard &operator=(const SpinGuard &) = delete;

private:
	wg_spinlock &lock_;
};

/* A state of this CPU or task, from here to the end of the block. */
template <void (*Begin)(), void (*End)()> class [[nodiscard]] Section {
public:
	Section() { Begin(); }
	~Section() { End(); }
	Section(const Section &) = delete;
	Section &operator=(const Section &) = delete;
};

/* Objects reached through an RcuPtr or an RCU list stay valid. */
using RcuSection = Section<wg_kernel_rcu_read_lock, wg_kernel_rcu_read_unlock>;
/* The configuration stays as it is, and so does the kernel's list of the device's pollers. */
using RtnlSection = Section<wg_kernel_rtnl_lock, wg_kernel_rtnl_unlock>;
/* Bottom halves off: this CPU's scratch is ours, and packets may be sent. */
using BottomHalvesOff = Section<wg_kernel_bottom_half_disable, wg_kernel_bottom_half_enable>;

} // namespace wg::engine
