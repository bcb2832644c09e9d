// SPDX-License-Identifier: GPL-2.0
/* main.c: loading and unloading, and the bug hook. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include "objects.h"
#include "engine.h"
#include "../../uapi/linux/wireguard.h"

static char *aead = "auto";
module_param(aead, charp, 0444);
MODULE_PARM_DESC(aead, "AEAD implementation: auto (the default), portable, avx2, avx512");

/* One warning per text, without a list that could fill: a text that finds its slot taken by another is told by a plain line. */
void wg_kernel_bug(const char *what)
{
	static const char *told[64];
	const char *before = cmpxchg(&told[((unsigned long)what >> 3) % ARRAY_SIZE(told)], NULL, what);

	if (!before)
		WARN(1, "wireguard: %s\n", what);
	else if (before != what)
		pr_warn_ratelimited("wireguard: %s\n", what);
}

static int load_engine(void)
{
	return wg_engine_load(aead);
}

/* No RCU callback of a device may outlive the code it runs. */
static void unload_engine(void)
{
	rcu_barrier();
	wg_engine_unload();
}

/* In this order, and back: no configuration can come in before the devices can, nor when they go. */
static const struct {
	int (*begin)(void);
	void (*end)(void);
} parts[] = {
	{ wg_work_init, wg_work_exit },
	{ wg_crypto_init, wg_crypto_exit },
	{ load_engine, unload_engine },
	{ wg_netdev_init, wg_netdev_exit },
	{ wg_genl_init, wg_genl_exit },
};

static void end_parts(int count)
{
	while (count)
		parts[--count].end();
}

static int __init wg_init(void)
{
	int error, i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		error = parts[i].begin();
		if (error) {
			end_parts(i);
			return error;
		}
	}
	return 0;
}

static void __exit wg_exit(void)
{
	end_parts(ARRAY_SIZE(parts));
}

module_init(wg_init);
module_exit(wg_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("WireGuard secure network tunnel, in C++");
MODULE_VERSION("1");
MODULE_ALIAS_RTNL_LINK("wireguard");
MODULE_ALIAS_GENL_FAMILY(WG_GENL_NAME);
