// SPDX-License-Identifier: GPL-2.0
/* packets.c: lone UDP packets in a closed window: nothing is lost, so what arrives is what the path can do. Through one device, or one
 * through each of many, whose session it makes. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <net/ip.h>
#include "bench.h"

#define FROM_ADDRESS 0x0a070001	/* 10.7.0.1 */
#define MANY_ADDRESS 0x0a080000	/* 10.8.0.0, and the device's number */
#define TO_ADDRESS 0x0a070002
#define PORT 9

struct window {
	u64 sent, arrived;
	u32 size;
	wait_queue_head_t room;
};

/* Half the window must be free before the sender goes on, as with a network card's ring: it costs a switch of tasks
 * per half window, not per packet, where sealing or opening is another task's. */
static bool has_room(const struct window *window)
{
	return window->sent - READ_ONCE(window->arrived) <= window->size / 2;
}

static bool is_ours(const struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	return skb->protocol == htons(ETH_P_IP) && skb_headlen(skb) >= sizeof(*ip) + sizeof(struct udphdr) && ip->ihl == 5 &&
	       ip->protocol == IPPROTO_UDP && ((const struct udphdr *)(ip + 1))->dest == htons(PORT);
}

static rx_handler_result_t arrived(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct window *window = rcu_dereference(skb->dev->rx_handler_data);

	if (!is_ours(skb))
		return RX_HANDLER_PASS;
	WRITE_ONCE(window->arrived, window->arrived + max_t(u32, 1, skb_shinfo(skb)->gso_segs));
	consume_skb(skb);
	if (has_room(window))
		wake_up(&window->room);
	return RX_HANDLER_CONSUMED;
}

static struct sk_buff *make(struct net_device *dev, u32 source, u32 size, u16 id)
{
	const u32 headroom = LL_RESERVED_SPACE(dev);
	struct sk_buff *skb = alloc_skb(headroom + size + dev->needed_tailroom, GFP_KERNEL);
	struct udphdr *udp;
	struct iphdr *ip;

	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(*ip));
	ip = skb_put_zero(skb, size);
	udp = (struct udphdr *)(ip + 1);
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons(size);
	ip->id = htons(id);
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->saddr = htonl(source);
	ip->daddr = htonl(TO_ADDRESS);
	ip_send_check(ip);
	udp->source = htons(PORT);
	udp->dest = htons(PORT);
	udp->len = htons(size - sizeof(*ip));
	skb->dev = dev;
	skb->protocol = htons(ETH_P_IP);
	return skb;
}

/* Waits until `window` has room for one more. */
static int wait_for_room(struct window *window)
{
	return window->sent - READ_ONCE(window->arrived) < window->size || wait_event_timeout(window->room, has_room(window), 5 * HZ) ? 0 : -EIO;
}

static int send_one(struct window *window, struct net_device *dev, u32 source, u32 size)
{
	struct sk_buff *skb = make(dev, source, size, window->sent);

	if (!skb)
		return -ENOMEM;
	window->sent++;
	dev_queue_xmit(skb);
	cond_resched();
	return 0;
}

static int send_through_one(struct window *window, struct net *from, const char *name, u32 size, u64 cpu_ns)
{
	const u64 end = wg_bench_cpu_ns() + cpu_ns;
	struct net_device *dev = dev_get_by_name(from, name);
	int err = dev ? 0 : -ENODEV;

	while (!err && !(err = wait_for_room(window))) {
		if (window->sent % 512 == 0 && (wg_bench_cpu_ns() >= end || fatal_signal_pending(current)))
			break;
		err = send_one(window, dev, FROM_ADDRESS, size);
	}
	dev_put(dev);
	return err;
}

static int send_through_each(struct window *window, struct net *from, const char *name, u32 size, u32 devices)
{
	char device[IFNAMSIZ];
	struct net_device *dev;
	int err = 0;
	u32 i;

	for (i = 1; !err && i <= devices && !(err = wait_for_room(window)) && !fatal_signal_pending(current); i++) {
		snprintf(device, sizeof(device), "%s%u", name, i);
		dev = dev_get_by_name(from, device);
		err = dev ? send_one(window, dev, MANY_ADDRESS + i, size) : -ENODEV;
		dev_put(dev);
	}
	return err;
}

int wg_bench_packets(struct net *from, struct net *to, const char *name, u32 size, u32 window_size, u32 devices, u32 cpu_ms, struct wg_bench_result *result)
{
	struct window window = { .size = window_size };
	struct net_device *in;
	u64 began;
	int err;

	if (size < sizeof(struct iphdr) + sizeof(struct udphdr) || size > 65535 || !window_size)
		return -EINVAL;
	init_waitqueue_head(&window.room);
	rtnl_lock();
	in = dev_get_by_name(to, name);
	err = in ? netdev_rx_handler_register(in, arrived, &window) : -ENODEV;
	rtnl_unlock();
	if (!err) {
		began = wg_bench_cpu_ns();
		err = devices ? send_through_each(&window, from, name, size, devices) :
				send_through_one(&window, from, name, size, (u64)cpu_ms * NSEC_PER_MSEC);
		if (!err && !wait_event_timeout(window.room, window.sent == READ_ONCE(window.arrived), 5 * HZ))
			err = -EIO;
		result->cpu_ns = wg_bench_cpu_ns() - began;
		result->count = window.arrived;
		rtnl_lock();
		netdev_rx_handler_unregister(in);
		rtnl_unlock();
	}
	dev_put(in);
	return err;
}
