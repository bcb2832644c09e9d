// SPDX-License-Identifier: GPL-2.0
/* memory.c: memory, RCU, time and randomness for the engine; and the proof that services.h's storage fits the kernel's objects. */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/rtnetlink.h>
#include <linux/timekeeping.h>
#include "objects.h"
#include "services.h"

#define ASSERT_STORAGE(storage, object) \
	static_assert(sizeof(struct storage) >= sizeof(object) && __alignof__(struct storage) >= __alignof__(object))
ASSERT_STORAGE(wg_spinlock, spinlock_t);
ASSERT_STORAGE(wg_timer, struct wg_timer_object);
ASSERT_STORAGE(wg_poller, struct wg_poller_object);
ASSERT_STORAGE(wg_route_cache, struct dst_cache);
ASSERT_STORAGE(wg_rcu_head, struct rcu_head);
static_assert(sizeof_field(struct sk_buff, cb) == WG_PACKET_CONTROL_SIZE);
static_assert(sizeof_field(struct sk_buff, len) == 4);
static_assert(sizeof(struct wg_endpoint) == 44 && offsetof(struct wg_endpoint, address) % 4 == 0 && offsetof(struct wg_endpoint, source) % 4 == 0);

#define ASSERT_ERRNO(name, number) static_assert(number == name);
WG_ERRNOS(ASSERT_ERRNO)

void *wg_kernel_alloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void wg_kernel_free(void *memory, size_t size)
{
	kvfree_sensitive(memory, size);
}

void wg_kernel_rcu_read_lock(void) __acquires(RCU)
{
	rcu_read_lock();
}

void wg_kernel_rcu_read_unlock(void) __releases(RCU)
{
	rcu_read_unlock();
}

#ifdef CONFIG_PROVE_RCU
void wg_kernel_prove_rcu(void);
void wg_kernel_prove_rtnl(void);

static bool nobody_else_writes(void)
{
	return lockdep_rtnl_is_held() || lock_is_held(&wg_destroying);
}

void wg_kernel_prove_rcu(void)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held() && !nobody_else_writes(), "an RcuPtr is read outside a read section");
}

void wg_kernel_prove_rtnl(void)
{
	RCU_LOCKDEP_WARN(!nobody_else_writes(), "an RcuPtr is taken for locked, and rtnl is not held");
}
#endif

void wg_kernel_call_rcu(struct wg_rcu_head *head, void (*function)(struct wg_rcu_head *head))
{
	call_rcu((struct rcu_head *)head, (rcu_callback_t)(void (*)(void))function);
}

void wg_kernel_rcu_wait(void)
{
	synchronize_net();
}

void wg_kernel_rcu_barrier(void)
{
	rcu_barrier();
}

int64_t wg_kernel_now(void)
{
	return ktime_get_coarse_boottime_ns();
}

uint64_t wg_kernel_cycles(void)
{
	return get_cycles();
}

void wg_kernel_wall_clock(uint64_t *seconds, uint32_t *nanoseconds)
{
	struct timespec64 now;

	ktime_get_real_ts64(&now);
	*seconds = now.tv_sec;
	*nanoseconds = now.tv_nsec;
}

void wg_kernel_random_bytes(void *bytes, size_t size)
{
	get_random_bytes(bytes, size);
}

uint32_t wg_kernel_random_below(uint32_t bound)
{
	return get_random_u32_below(bound);
}

int wg_kernel_random_is_ready(void)
{
	return rng_is_initialized();
}
