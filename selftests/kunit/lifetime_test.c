// SPDX-License-Identifier: GPL-2.0
/* lifetime_test.c: what RCU readers stand on stays: memory that is given back in a callback, and the tables they search while peers come and go.
 * Kernels with KASAN tell of what does not.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <net/netlink.h>
#include "engine.h"
#include "objects.h"
#include "services.h"
#include "suites.h"
#include "../../uapi/linux/wireguard.h"

struct grave {
	struct wg_rcu_head head;
	bool is_dug;
};

static void dig(struct wg_rcu_head *head)
{
	WRITE_ONCE(container_of(head, struct grave, head)->is_dug, true);
}

static void a_callback_waits_for_the_readers_and_the_barrier_for_it(struct kunit *test)
{
	struct grave *grave = kunit_kzalloc(test, sizeof(*grave), GFP_KERNEL);
	bool early;

	KUNIT_ASSERT_NOT_NULL(test, grave);
	wg_kernel_rcu_read_lock();
	wg_kernel_call_rcu(&grave->head, dig);
	mdelay(30);
	early = READ_ONCE(grave->is_dug);
	wg_kernel_rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, early);
	wg_kernel_rcu_barrier();
	KUNIT_EXPECT_TRUE(test, READ_ONCE(grave->is_dug));
}

/* ---- the tables ---- */

/* Adds peers number @first to @first + @count - 1; with @first 0 in place of all there are. */
static int add_peers(struct net_device *dev, u32 first, u32 count)
{
	struct sk_buff *skb = alloc_skb(64 + 64 * count, GFP_KERNEL);
	struct nlattr *peers, *peer;
	u8 key[WG_KEY_LEN] = {};
	int error;
	u32 i;

	if (!skb)
		return -ENOMEM;
	nla_put_u32(skb, WGDEVICE_A_FLAGS, first ? 0 : WGDEVICE_F_REPLACE_PEERS);
	peers = nla_nest_start_noflag(skb, WGDEVICE_A_PEERS);
	for (i = first; i < first + count; i++) {
		peer = nla_nest_start_noflag(skb, 0);
		memcpy(key, &i, sizeof(i));
		key[31] = 1;
		nla_put(skb, WGPEER_A_PUBLIC_KEY, sizeof(key), key);
		nla_nest_end(skb, peer);
	}
	nla_nest_end(skb, peers);
	error = wg_kunit_set(dev, skb->data, skb->len);
	kfree_skb(skb);
	return error;
}

/* Messages of sessions there are none of: each looks for one. */
static int receive(void *argument)
{
	struct net_device *dev = argument;
	u8 message[32] = { 4 };

	while (!kthread_should_stop()) {
		struct wg_packet *packet;

		get_random_bytes(message + 4, 4);
		packet = wg_kernel_packet_create(message, sizeof(message));
		local_bh_disable();
		if (packet)
			wg_engine_receive(wg_private_of(dev)->engine, packet);
		local_bh_enable();
		cond_resched();
	}
	return 0;
}

static void tables_grow_and_peers_go_under_readers(struct kunit *test)
{
	struct net_device *dev = test->priv;
	struct task_struct *readers[2];
	u32 round, count;
	int i;

	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		readers[i] = kthread_run(receive, dev, "wg-reader");
		KUNIT_ASSERT_FALSE(test, IS_ERR(readers[i]));
	}
	/* A table never shrinks: each round grows it twice. */
	for (round = 0, count = 100; round < 4; round++, count *= 2) {
		KUNIT_EXPECT_EQ(test, add_peers(dev, 1, count), 0);
		KUNIT_EXPECT_EQ(test, add_peers(dev, 1 + count, count), 0);
		KUNIT_EXPECT_EQ(test, add_peers(dev, 0, 1), 0);
	}
	for (i = 0; i < ARRAY_SIZE(readers); i++)
		kthread_stop(readers[i]);
	KUNIT_EXPECT_GT(test, atomic_long_read((atomic_long_t *)&dev->stats.rx_dropped), 0L);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_callback_waits_for_the_readers_and_the_barrier_for_it),
	KUNIT_CASE(tables_grow_and_peers_go_under_readers),
	{}
};

struct kunit_suite wg_lifetime_test_suite = {
	.name = "lifetime_test", .init = wg_kunit_engine, .exit = wg_kunit_free_engine, .test_cases = cases
};
