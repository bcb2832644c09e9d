// SPDX-License-Identifier: GPL-2.0
/* glue.c: KUnit and memory for support.cpp, a device for tests, and what runs the suites. */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <net/net_namespace.h>
#include "engine.h"
#include "objects.h"
#include "suites.h"

void wg_kunit_fail(struct kunit *test, const char *file, int line, const char *what, const char *more);
void *wg_kunit_allocate(size_t size);
void wg_kunit_free(void *at);
void __noreturn wg_kunit_end(const char *why);
void wg_kunit_alone(bool alone);
void wg_kunit_real_bug(const char *what);	/* the module's own, whose name the tests' has (Kbuild) */

void wg_kunit_fail(struct kunit *test, const char *file, int line, const char *what, const char *more)
{
	if (test)
		KUNIT_FAIL(test, "%s:%d: expected: %s%s\n", file, line, what, more);
	else
		wg_kunit_real_bug(more);
}

void *wg_kunit_allocate(size_t size)
{
	return kvmalloc(size, GFP_KERNEL | __GFP_NOFAIL);
}

void wg_kunit_free(void *at)
{
	kvfree(at);
}

void wg_kunit_end(const char *why)
{
	panic("wireguard-kunit: %s", why);
}

/* What the host's unit tests make nobody else can reach: they write without rtnl. */
void wg_kunit_alone(bool alone)
{
	if (alone)
		lock_map_acquire(&wg_destroying);
	else
		lock_map_release(&wg_destroying);
}

int wg_kunit_device(struct kunit *test)
{
	struct net_device *dev = alloc_netdev(sizeof(struct wg_private), "wgtest", NET_NAME_UNKNOWN, ether_setup);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	test->priv = dev;
	return 0;
}

void wg_kunit_free_device(struct kunit *test)
{
	free_netdev(test->priv);
}

int wg_kunit_engine(struct kunit *test)
{
	struct net_device *dev;

	wg_kunit_device(test);
	dev = test->priv;
	rtnl_lock();
	KUNIT_ASSERT_EQ(test, wg_engine_device_create((struct wg_netdev *)dev, (struct wg_namespace *)&init_net, &wg_private_of(dev)->engine), 0);
	rtnl_unlock();
	return 0;
}

void wg_kunit_free_engine(struct kunit *test)
{
	wg_kunit_alone(true);
	wg_engine_device_destroy(wg_private_of(test->priv)->engine);
	wg_kunit_alone(false);
	rcu_barrier();
	wg_kunit_free_device(test);
}

int wg_kunit_set(struct net_device *dev, void *attributes, size_t size)
{
	int error;

	rtnl_lock();
	error = wg_engine_set(wg_private_of(dev)->engine, attributes, size, true, 0, NULL);
	rtnl_unlock();
	return error;
}

/* Left to KUnit they would run before the module is there: so when 1 is written to /sys/module/wireguard/parameters/kunit. */
static int run(const char *value, const struct kernel_param *param)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return __kunit_test_suites_init(wg_kunit_suites, wg_kunit_suite_count, true);
#else
	return __kunit_test_suites_init(wg_kunit_suites, wg_kunit_suite_count);
#endif
}

static const struct kernel_param_ops operations = { .set = run };
module_param_cb(kunit, &operations, NULL, 0200);
