/* SPDX-License-Identifier: GPL-2.0 */
/* suites.h: all suites of the module, which make-suites lists, and what they share. */
#include <kunit/test.h>

extern struct kunit_suite *const wg_kunit_suites[];
extern const int wg_kunit_suite_count;

/* Before and after a case: test->priv is a device the kernel does not know. */
int wg_kunit_device(struct kunit *test);
void wg_kunit_free_device(struct kunit *test);

/* The same, and there is an engine behind it. It is only configured. */
int wg_kunit_engine(struct kunit *test);
void wg_kunit_free_engine(struct kunit *test);
/* wg_engine_set() of such a device, under rtnl. */
int wg_kunit_set(struct net_device *dev, void *attributes, size_t size);
