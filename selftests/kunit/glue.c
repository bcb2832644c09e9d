// SPDX-License-Identifier: GPL-2.0
/* glue.c: KUnit and memory for support.cpp, a device for tests, and what runs the suites. */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "objects.h"
#include "suites.h"

void wg_kunit_fail(struct kunit *test, const char *file, int line, const char *what, const char *more);
void *wg_kunit_allocate(size_t size);
void wg_kunit_free(void *at);
void __noreturn wg_kunit_end(const char *why);
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

/* Left to KUnit they would run before the module is there: so when 1 is written to /sys/module/wireguard/parameters/kunit. */
static int run(const char *value, const struct kernel_param *param)
{
	return __kunit_test_suites_init(wg_kunit_suites, wg_kunit_suite_count);
}

static const struct kernel_param_ops operations = { .set = run };
module_param_cb(kunit, &operations, NULL, 0200);
