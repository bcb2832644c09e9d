/* SPDX-License-Identifier: GPL-2.0 */
/* compat.h: every difference between kernel versions, and no other file knows one. C only.
 *
 * Built and run on the kernels of qemu/kernels and user-mode Linux; the bounds say where the kernel itself changed.
 */
#ifndef WG_COMPAT_H
#define WG_COMPAT_H

#include <linux/netdevice.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#endif
#ifdef CONFIG_ARM64
#include <asm/neon.h>
#endif

/* What a device declares: per-CPU tunnel statistics, which are the kernel's own business when it is told of them, and since then its tunnel
 * code insists; transmit without the queue's lock, a feature that became a bit of its own; and TCP packets of more than 64 KB, for who sets
 * gso_max_size. Older kernels put an IPv6 option into them, which they take out again as if every device had an Ethernet header:
 * segmentation fails. */
static inline void wg_compat_declare(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);
#endif
}

static inline int wg_compat_alloc_statistics(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
#else
	return 0;
#endif
}

static inline void wg_compat_free_statistics(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	free_percpu(dev->tstats);
	dev->tstats = NULL;
#endif
}

/* Defines @name, the operation that makes a link, of make(namespace of the link's sockets, device, IFLA_INFO_DATA). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define WG_COMPAT_NEWLINK(name, make) \
	static int name(struct net_device *dev, struct rtnl_newlink_params *params, struct netlink_ext_ack *extack) \
	{ \
		return make(rtnl_newlink_link_net(params), dev, params->data); \
	}
#else
#define WG_COMPAT_NEWLINK(name, make) \
	static int name(struct net *link_net, struct net_device *dev, struct nlattr *tb[], struct nlattr *data[], struct netlink_ext_ack *extack) \
	{ \
		return make(link_net, dev, data); \
	}
#endif

/* Took the socket, takes what is in it: the function itself says which. */
#define wg_compat_setup_udp_tunnel(net, socket, config) \
	setup_udp_tunnel_sock(net, _Generic(&setup_udp_tunnel_sock, \
		void (*)(struct net *, struct sock *, struct udp_tunnel_sock_cfg *): (socket)->sk, default: (socket)), config)

/* Both got flags of the packet as one more argument. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define wg_compat_udp_tunnel_xmit(...) udp_tunnel_xmit_skb(__VA_ARGS__, 0)
#define wg_compat_udp_tunnel6_xmit(...) udp_tunnel6_xmit_skb(__VA_ARGS__, 0)
#else
#define wg_compat_udp_tunnel_xmit(...) udp_tunnel_xmit_skb(__VA_ARGS__)
#define wg_compat_udp_tunnel6_xmit(...) udp_tunnel6_xmit_skb(__VA_ARGS__)
#endif

/* A work queue whose work stays on its CPU has to say so. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define WG_COMPAT_PERCPU_QUEUE WQ_PERCPU
#else
#define WG_COMPAT_PERCPU_QUEUE 0
#endif

/* Whether one task at a time has a CPU's bottom halves off. Real-time kernels that gave up their lock for it let another preempt the first;
 * then memory that is a CPU's own has two users. */
static inline bool wg_compat_bottom_halves_exclude(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || IS_ENABLED(CONFIG_PREEMPT_RT_NEEDS_BH_LOCK);
#else
	return true;
#endif
}

/* Renamed. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define blake2s_ctx blake2s_state
#endif

/* Where a CPU's backlog begins and ends, as receive flow steering counts. Without it there is one CPU, and nothing to get out of order. */
static inline u32 wg_compat_backlog_begin(int cpu)
{
#ifdef CONFIG_RPS
	return READ_ONCE(per_cpu(softnet_data, cpu).input_queue_head);
#else
	return 0;
#endif
}

static inline u32 wg_compat_backlog_end(int cpu)
{
#ifdef CONFIG_RPS
	return READ_ONCE(per_cpu(softnet_data, cpu).input_queue_tail);
#else
	return 0;
#endif
}

/* The attributes of the request a dump answers. */
static inline struct nlattr **wg_compat_dump_attributes(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#ifdef CONFIG_X86_64
/* Whether vector registers survive a switch of tasks. In user-mode Linux the host saves them, and shows no feature where it does not. */
static inline bool wg_compat_cpu_saves(u64 xfeatures)
{
#ifdef CONFIG_UML
	return true;
#else
	return boot_cpu_has(X86_FEATURE_OSXSAVE) && cpu_has_xfeatures(xfeatures, NULL);
#endif
}
#endif

#ifdef CONFIG_ARM64
/* @place: for the vector registers, while the section is interrupted by another; older kernels have one of their own. */
static inline void wg_compat_neon_begin(struct user_fpsimd_state *place)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	kernel_neon_begin(place);
#else
	kernel_neon_begin();
#endif
}

static inline void wg_compat_neon_end(struct user_fpsimd_state *place)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	kernel_neon_end(place);
#else
	kernel_neon_end();
#endif
}
#endif

/* Of a multicast group that is for who administers the namespace: it was an operation's flag once. */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define WG_COMPAT_ADMINS_GROUP GENL_MCAST_CAP_NET_ADMIN
#else
#define WG_COMPAT_ADMINS_GROUP GENL_UNS_ADMIN_PERM
#endif

/* Room of NETLINK_MAX_FMTMSG_LEN bytes for a text that is not a literal. Old kernels have none of the message's own; then two requests at
 * one time may mix their texts up. */
static inline char *wg_compat_extack_text(struct netlink_ext_ack *extack)
{
#ifdef NETLINK_MAX_FMTMSG_LEN
	if (extack)
		return extack->_msg_buf;
#else
#define NETLINK_MAX_FMTMSG_LEN 80
#endif
	static char text[NETLINK_MAX_FMTMSG_LEN];

	return text;
}

#endif
