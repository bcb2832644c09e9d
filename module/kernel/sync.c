// SPDX-License-Identifier: GPL-2.0
/* sync.c: the engine's locks, one lockdep class for each kind it names, so that its lock order is checked by the kernel. */
#include <linux/lockdep.h>
#include <linux/rtnetlink.h>
#include "objects.h"
#include "services.h"

static struct lock_class_key class_keys[WG_LOCK_COUNT];
#define NAME(lock_class) "wg_" #lock_class,
static const char *const class_names[] = { WG_LOCK_CLASSES(NAME) };

static spinlock_t *to_spinlock(struct wg_spinlock *lock)
{
	return (spinlock_t *)lock;
}

void wg_kernel_spin_init(struct wg_spinlock *lock, enum wg_lock_class lock_class)
{
	spin_lock_init(to_spinlock(lock));
	lockdep_set_class_and_name(to_spinlock(lock), &class_keys[lock_class], class_names[lock_class]);
}

void wg_kernel_spin_lock(struct wg_spinlock *lock) __acquires(to_spinlock(lock))
{
	spin_lock_bh(to_spinlock(lock));
}

int wg_kernel_spin_trylock(struct wg_spinlock *lock)
{
	return spin_trylock_bh(to_spinlock(lock));
}

void wg_kernel_spin_unlock(struct wg_spinlock *lock) __releases(to_spinlock(lock))
{
	spin_unlock_bh(to_spinlock(lock));
}

void wg_kernel_rtnl_lock(void)
{
	rtnl_lock();
}

void wg_kernel_rtnl_unlock(void)
{
	rtnl_unlock();
}
