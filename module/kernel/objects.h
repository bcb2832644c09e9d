/* SPDX-License-Identifier: GPL-2.0 */
/* objects.h: the real structs behind the opaque names and storage of services.h. C only.
 *
 * kfacts.c measures them before services.h can be read, so this file includes nothing of ours. The assertions that tie the two
 * together are in memory.c.
 */
#ifndef WG_OBJECTS_H
#define WG_OBJECTS_H

#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/dst_cache.h>

#ifdef CONFIG_HIGHMEM
#error "packet data is reached by page_address(): a kernel without highmem is needed"
#endif

struct wg_device;
struct wg_namespace;
struct wg_netdev;
struct wg_packet;
struct wg_report;

/* Behind wg_timer. */
struct wg_timer_object {
	struct timer_list timer;
	void (*function)(void *argument);
	void *argument;
};

/* Behind wg_poller. */
struct wg_poller_object {
	struct napi_struct napi;
	struct work_struct elsewhere;
	struct __call_single_data remote;
	bool is_away;		/* it polls in the work's thread */
	int (*poll)(void *argument, int budget);
	void *argument;
};

/* Of a network device of ours. */
struct wg_private {
	struct wg_device *engine;
	struct net *birth;		/* no reference is held: NULL when it has gone; rtnl */
	struct list_head of_all;	/* rtnl */
};

static inline struct wg_private *wg_private_of(const struct net_device *dev)
{
	return netdev_priv(dev);
}

static inline struct net_device *wg_to_net_device(const struct wg_netdev *netdev)
{
	return (struct net_device *)netdev;
}

static inline struct sk_buff *wg_to_skb(const struct wg_packet *packet)
{
	return (struct sk_buff *)packet;
}

static inline struct wg_packet *wg_from_skb(struct sk_buff *skb)
{
	return (struct wg_packet *)skb;
}

/* What steered a packet on one side of the tunnel must not on the other: mark, priority, class, connection, redirection. */
static inline void wg_unsteer(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	skb_reset_redirect(skb);
	skb_init_secmark(skb);
	skb->priority = 0;
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
}

/* Room in front of a message for what carries it: the larger IP header, UDP, the link. */
#define WG_OUTER_HEADROOM ALIGN(LL_MAX_HEADER + sizeof(struct ipv6hdr) + sizeof(struct udphdr), 16)
#define WG_TAG_SIZE 16

#ifdef CONFIG_LOCKDEP
/* Held, as it were, by who destroys a device nobody can reach any more: in place of rtnl. */
extern struct lockdep_map wg_destroying;
#endif

/* Between the C files. All [process]. */
int wg_netdev_init(void);
void wg_netdev_exit(void);
bool wg_netdev_is_ours(const struct net_device *dev);
int wg_genl_init(void);
void wg_genl_exit(void);
int wg_work_init(void);
void wg_work_exit(void);
int wg_crypto_init(void);
void wg_crypto_exit(void);

#endif
