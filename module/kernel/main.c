// SPDX-License-Identifier: GPL-2.0
/* main.c: loading and unloading, and the bug hook. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include "compat.h"
#include "objects.h"
#include "engine.h"
#include "../../uapi/linux/wireguard.h"
#include "../../uapi/version.h"

static char *aead = "auto";
module_param(aead, charp, 0444);
MODULE_PARM_DESC(aead, "AEAD implementation: auto (the default), portable, avx2, avx512, neon");

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
	int error = wg_engine_load(aead);

	if (error)
		pr_err("wireguard: not loaded: %s\n", error == -EBADMSG ? "a self-test of the cryptography failed" :
		       error == -EINVAL ? "this CPU has no AEAD of the name that was given" : "no memory");
	return error;
}

/* No RCU callback of a device's may outlive the code it runs. */
static void unload_engine(void)
{
	rcu_barrier();
	wg_engine_unload();
}

/* In the order in which they begin; backwards, no configuration can come in before the devices go. */
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

static void end_parts(size_t begun)
{
	while (begun > 0)
		parts[--begun].end();
}

static int __init wg_init(void)
{
	size_t begun;
	int error;

	if (!wg_compat_bottom_halves_exclude()) {
		pr_err("wireguard: this module needs a real-time kernel with CONFIG_PREEMPT_RT_NEEDS_BH_LOCK; this one has none\n");
		return -EOPNOTSUPP;
	}
	for (begun = 0; begun < ARRAY_SIZE(parts); begun++) {
		error = parts[begun].begin();
		if (error) {
			end_parts(begun);
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
MODULE_VERSION(WG_VERSION);
MODULE_ALIAS_RTNL_LINK("wireguard");
MODULE_ALIAS_GENL_FAMILY(WG_GENL_NAME);
