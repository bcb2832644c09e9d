// SPDX-License-Identifier: GPL-2.0
/* netdev.c: the network device of kind "wireguard", and what ends or changes its world: namespaces, suspend, VM fork.
 *
 * Lifetime: everything of a device is made in ndo_init. ndo_stop has closed its sockets and stopped its timers and ndo_uninit takes it off
 * the list, both under rtnl; all that waits is done by the destructor, after rtnl was given back: for one device after the other, while
 * others configure theirs. The kernel calls both exactly once for each successful ndo_init, also when registration fails later. An
 * unload waits for destructors (rtnl_link_unregister does, until no device of any namespace is on its way out).
 */
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/suspend.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include "compat.h"
#include "objects.h"
#include "engine.h"
#include "../../uapi/linux/wireguard_extensions.h"

#define KIND "wireguard"
/* A data message around a packet: header and tag; and what carries it at worst. */
#define MESSAGE_OVERHEAD (16 + WG_TAG_SIZE)
#define CARRIER_OVERHEAD (sizeof(struct ipv6hdr) + sizeof(struct udphdr))
#define PADDING 16
#define FEATURES (NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SG | NETIF_F_GSO | NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA)

static LIST_HEAD(all_devices);

/* ---- the device's operations ---- */
static int device_init(struct net_device *dev)
{
	struct wg_private *private = wg_private_of(dev);
	int error = wg_compat_alloc_statistics(dev);

	if (error)
		return error;
	error = wg_engine_device_create((struct wg_netdev *)dev, (struct wg_namespace *)private->birth, &private->engine);
	if (error) {
		wg_compat_free_statistics(dev);
		return error;
	}
	list_add_tail(&private->of_all, &all_devices);
	pr_debug("%s: Interface created\n", dev->name);
	return 0;
}

static void device_uninit(struct net_device *dev)
{
	list_del(&wg_private_of(dev)->of_all);
}

#ifdef CONFIG_LOCKDEP
struct lockdep_map wg_destroying = STATIC_LOCKDEP_MAP_INIT("wg_destroying", &wg_destroying);
#endif

static void device_destructor(struct net_device *dev)
{
	/* As by a reader, who waits for nobody: rtnl is held when a registration has failed, and a worker of another device may wait for that. */
	lock_map_acquire_read(&wg_destroying);
	wg_engine_device_destroy(wg_private_of(dev)->engine);
	lock_map_release(&wg_destroying);
	wg_compat_free_statistics(dev);
	pr_debug("%s: Interface destroyed\n", dev->name);
}

/* No redirects: a peer's packet may well leave by the interface it came in by, and nobody is to be told of a better way; the kernel looks
 * at the "all" setting too. No link-local address: it would be made of a hardware address, and there is none. */
static void forbid_what_links_have(struct net_device *dev)
{
	struct in_device *in4 = __in_dev_get_rtnl(dev);
#if IS_ENABLED(CONFIG_IPV6)
	struct inet6_dev *in6 = __in6_dev_get(dev);

	if (in6)
		WRITE_ONCE(in6->cnf.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
#endif
	if (!in4)
		return;
	IN_DEV_CONF_SET(in4, SEND_REDIRECTS, false);
	IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
}

static int device_open(struct net_device *dev)
{
	forbid_what_links_have(dev);
	return wg_engine_device_up(wg_private_of(dev)->engine);
}

static int device_stop(struct net_device *dev)
{
	wg_engine_device_down(wg_private_of(dev)->engine);
	return 0;
}

/* The frame is the packet, whoever wrote it and whatever it set. The packet is gone in any case; an error reaches the writer, who
 * knows what -ENOKEY and -EDESTADDRREQ mean here. */
static netdev_tx_t device_transmit(struct sk_buff *skb, struct net_device *dev)
{
	skb_reset_network_header(skb);
	return (netdev_tx_t)wg_engine_transmit(wg_private_of(dev)->engine, wg_from_skb(skb));
}

static const struct net_device_ops device_operations = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
	.ndo_stop = device_stop,
	.ndo_start_xmit = device_transmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

/* ---- ethtool -S: why packets ended here ---- */
static int drop_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? wg_engine_drop_reasons() : -EOPNOTSUPP;
}

static void drop_names(struct net_device *dev, u32 set, u8 *data)
{
	u32 reason;

	for (reason = 0; set == ETH_SS_STATS && reason < wg_engine_drop_reasons(); reason++)
		snprintf(data + reason * ETH_GSTRING_LEN, ETH_GSTRING_LEN, "drop-%s", wg_engine_drop_name(reason));
}

static void drop_counts(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	u32 reason;

	for (reason = 0; reason < wg_engine_drop_reasons(); reason++)
		data[reason] = wg_engine_drop_count(wg_private_of(dev)->engine, reason);
}

static const struct ethtool_ops ethtool_operations = {
	.get_link = ethtool_op_get_link,
	.get_sset_count = drop_count,
	.get_strings = drop_names,
	.get_ethtool_stats = drop_counts,
};

/* ---- the kind ---- */
static const struct device_type device_type = { .name = KIND };

static void device_setup(struct net_device *dev)
{
	dev->netdev_ops = &device_operations;
	dev->ethtool_ops = &ethtool_operations;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features |= FEATURES;
	dev->hw_features |= FEATURES;
	dev->hw_enc_features |= FEATURES;
	dev->needed_headroom = WG_OUTER_HEADROOM + MESSAGE_OVERHEAD - WG_TAG_SIZE;
	dev->needed_tailroom = WG_TAG_SIZE + PADDING - 1;
	dev->mtu = ETH_DATA_LEN - CARRIER_OVERHEAD - MESSAGE_OVERHEAD;
	dev->min_mtu = 0;
	dev->max_mtu = round_down(INT_MAX, PADDING) - CARRIER_OVERHEAD - MESSAGE_OVERHEAD;
	dev->needs_free_netdev = true;
	dev->priv_destructor = device_destructor;
	SET_NETDEV_DEVTYPE(dev, &device_type);
	netif_keep_dst(dev);	/* its MTU bounds the padding, and ICMP errors go back by it */
	wg_compat_declare(dev);
}

static int make_link(struct net *birth, struct net_device *dev, struct nlattr *data[])
{
	int error;

	wg_private_of(dev)->birth = birth;
	error = register_netdevice(dev);
	if (!error && data)
		wg_engine_device_set_link(wg_private_of(dev)->engine, data[WGX_LINK_A_LISTEN_PORT] ? nla_get_u16(data[WGX_LINK_A_LISTEN_PORT]) : 0,
					  data[WGX_LINK_A_FWMARK] ? nla_get_u32(data[WGX_LINK_A_FWMARK]) : 0);
	return error;
}
WG_COMPAT_NEWLINK(new_link, make_link)

/* ---- what `ip -d link' shows ---- */
static const struct nla_policy link_policy[WGX_LINK_A_BIRTH_NETNSID + 1] = {
	[WGX_LINK_A_LISTEN_PORT] = { .type = NLA_U16 },
	[WGX_LINK_A_FWMARK] = { .type = NLA_U32 },
	[WGX_LINK_A_BIRTH_NETNSID] = { .type = NLA_REJECT },
};

/* Also IFLA_LINK_NETNSID. The device's own namespace when its sockets' has gone: NULL is no answer. */
static struct net *link_namespace(const struct net_device *dev)
{
	struct net *birth = READ_ONCE(wg_private_of(dev)->birth);

	return birth ? birth : dev_net(dev);
}

static size_t link_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u16)) + nla_total_size(sizeof(u32)) + nla_total_size(sizeof(s32));
}

static int link_fill(struct sk_buff *skb, const struct net_device *dev)
{
	u16 port;
	u32 mark;

	wg_engine_device_get_link(wg_private_of(dev)->engine, &port, &mark);
	if (nla_put_u16(skb, WGX_LINK_A_LISTEN_PORT, port) || nla_put_u32(skb, WGX_LINK_A_FWMARK, mark))
		return -EMSGSIZE;
	if (net_eq(link_namespace(dev), dev_net(dev)))
		return 0;
	return nla_put_s32(skb, WGX_LINK_A_BIRTH_NETNSID, peernet2id(dev_net(dev), link_namespace(dev)));
}

static struct rtnl_link_ops link_operations __read_mostly = {
	.kind = KIND,
	.priv_size = sizeof(struct wg_private),
	.setup = device_setup,
	.newlink = new_link,
	.maxtype = WGX_LINK_A_BIRTH_NETNSID,
	.policy = link_policy,
	.get_link_net = link_namespace,
	.get_size = link_size,
	.fill_info = link_fill,
};

bool wg_netdev_is_ours(const struct net_device *dev)
{
	return dev->rtnl_link_ops == &link_operations;
}

/* ---- the world ---- */
static void __net_exit namespace_going(struct net *net)
{
	struct wg_private *private;

	rtnl_lock();
	list_for_each_entry(private, &all_devices, of_all) {
		if (private->birth != net)
			continue;
		private->birth = NULL;
		wg_engine_device_namespace_gone(private->engine);
	}
	rtnl_unlock();
}

static struct pernet_operations namespace_operations = {
	.pre_exit = namespace_going,
};

static void for_each_device(void (*act)(struct wg_device *device))
{
	struct wg_private *private;

	rtnl_lock();
	list_for_each_entry(private, &all_devices, of_all)
		act(private->engine);
	rtnl_unlock();
}

/* Memory that is written out or left with the machine must hold no keys. A system that suspends by itself whenever it is idle, many
 * times an hour, would lose its sessions each time, so there they stay. */
static int power_event(struct notifier_block *notifier, unsigned long action, void *data)
{
	bool is_idle_suspend = IS_ENABLED(CONFIG_PM_AUTOSLEEP) || IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP);

	if (action == PM_HIBERNATION_PREPARE || (action == PM_SUSPEND_PREPARE && !is_idle_suspend)) {
		for_each_device(wg_engine_device_erase_keys);
		rcu_barrier();	/* the keys are wiped in the callbacks */
	}
	return NOTIFY_DONE;
}

/* Two machines go on from one memory: neither may use a nonce the other may use. */
static int vm_forked(struct notifier_block *notifier, unsigned long action, void *data)
{
	for_each_device(wg_engine_device_expire_sending);
	return NOTIFY_DONE;
}

static struct notifier_block power_notifier = { .notifier_call = power_event };
static struct notifier_block vm_notifier = { .notifier_call = vm_forked };

static void unregister_all(void)
{
	unregister_random_vmfork_notifier(&vm_notifier);
	unregister_pm_notifier(&power_notifier);
	unregister_pernet_device(&namespace_operations);
}

int wg_netdev_init(void)
{
	int error = register_pernet_device(&namespace_operations);

	if (error)
		return error;
	/* These two cannot fail: each is registered once. */
	register_pm_notifier(&power_notifier);
	register_random_vmfork_notifier(&vm_notifier);
	error = rtnl_link_register(&link_operations);
	if (error)
		unregister_all();
	return error;
}

void wg_netdev_exit(void)
{
	rtnl_link_unregister(&link_operations);
	unregister_all();
}

/* ---- services: the device ---- */
static const size_t statistics[] = {
	[WG_TX_DROPPED] = offsetof(struct net_device_stats, tx_dropped),
	[WG_TX_ERROR] = offsetof(struct net_device_stats, tx_errors),
	[WG_RX_DROPPED] = offsetof(struct net_device_stats, rx_dropped),
	[WG_RX_FRAME_ERROR] = offsetof(struct net_device_stats, rx_frame_errors),
	[WG_RX_LENGTH_ERROR] = offsetof(struct net_device_stats, rx_length_errors),
	[WG_RX_CRC_ERROR] = offsetof(struct net_device_stats, rx_crc_errors),
};

void wg_kernel_count(struct wg_netdev *netdev, enum wg_statistic statistic, uint32_t count)
{
	struct net_device *dev = wg_to_net_device(netdev);

	atomic_long_add(count, (void *)&dev->stats + statistics[statistic]);
	if (statistic >= WG_RX_FRAME_ERROR)
		DEV_STATS_ADD(dev, rx_errors, count);	/* what `ip -s link' shows: all of these */
}

void wg_kernel_count_received(struct wg_netdev *netdev, uint32_t bytes)
{
	local_bh_disable();
	dev_sw_netstats_rx_add(wg_to_net_device(netdev), bytes);
	local_bh_enable();
}

void wg_kernel_netdev_carrier_off(struct wg_netdev *netdev)
{
	netif_carrier_off(wg_to_net_device(netdev));
}

static DEFINE_PER_CPU(u32, nesting);

uint32_t *wg_kernel_nesting(void)
{
	return this_cpu_ptr(&nesting);
}
