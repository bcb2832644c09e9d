// SPDX-License-Identifier: GPL-2.0
/* udp.c: the two sockets of a device, what comes in by them, and the way out: source, route, headers. */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/l3mdev.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "compat.h"
#include "objects.h"
#include "engine.h"

/* Of one packet for UDP segmentation offload: what every kernel and device takes. */
#define MOST_SEGMENTS 64
#define LONGEST_PAYLOAD (IP_MAX_MTU - sizeof(struct ipv6hdr) - sizeof(struct udphdr))

struct wg_sockets {
	struct socket *v4, *v6;		/* v6 is NULL when IPv6 is off */
	struct wg_device *device;
};

/* ---- in ---- */

/* The UDP layer has verified the checksum. Nothing of the outside that ends with this RCU section (incoming device, route without a
 * reference) may stay in a packet that is going to be queued; the interface's index remains in skb_iif. */
static int receive(struct sock *sk, struct sk_buff *skb)
{
	struct wg_sockets *sockets = rcu_dereference_sk_user_data(sk);
	u32 length;

	if (!sockets || !pskb_may_pull(skb, sizeof(struct udphdr)))
		goto drop;
	length = ntohs(udp_hdr(skb)->len);
	if (length < sizeof(struct udphdr) || length > skb->len || pskb_trim(skb, length))
		goto drop;
	__skb_pull(skb, sizeof(struct udphdr));
	skb->ip_summed = CHECKSUM_NONE;
	skb_dst_drop(skb);
	skb_orphan(skb);
	skb_mark_not_on_list(skb);
	skb->dev = NULL;
	wg_engine_receive(sockets->device, wg_from_skb(skb));
	return 0;

drop:
	kfree_skb(skb);
	return 0;
}

/* ---- opening and closing ---- */
static int open_one(struct net *net, struct udp_port_cfg *config, struct wg_sockets *sockets, struct socket **result)
{
	struct udp_tunnel_sock_cfg tunnel = { .sk_user_data = sockets, .encap_type = 1, .encap_rcv = receive };
	struct socket *sock;
	int error = udp_sock_create(net, config, &sock);

	if (error)
		return error;
	/* Sends happen in softirq. What bounds the packets in flight is the inner sockets' buffers, which keep owning them. */
	sock->sk->sk_allocation = GFP_ATOMIC;
	sock->sk->sk_sndbuf = INT_MAX;
	wg_compat_setup_udp_tunnel(net, sock, &tunnel);
	/* Nobody inside wants the outer checksum converted; the wish for it would have every message of a burst summed. */
	inet_dec_convert_csum(sock->sk);
	*result = sock;
	return 0;
}

static int open_both(struct net *net, struct wg_sockets *sockets, uint16_t port, const struct wg_binding *binding, int interface)
{
	struct udp_port_cfg v4 = { .family = AF_INET, .local_udp_port = htons(port), .use_udp_checksums = true,
				   .bind_ifindex = interface };
	struct udp_port_cfg v6 = { .family = AF_INET6, .local_udp_port = htons(port), .use_udp6_tx_checksums = true,
				   .use_udp6_rx_checksums = true, .ipv6_v6only = true, .bind_ifindex = interface };
	int error = 0;

	if (binding->family == 4)
		memcpy(&v4.local_ip, binding->address, sizeof(v4.local_ip));
	if (binding->family == 6)
		memcpy(&v6.local_ip6, binding->address, sizeof(v6.local_ip6));
	if (binding->family != 6)
		error = open_one(net, &v4, sockets, &sockets->v4);
	if (error || binding->family == 4 || (!binding->family && !ipv6_mod_enabled()))
		return error;
	if (sockets->v4)
		v6.local_udp_port = inet_sk(sockets->v4->sk)->inet_sport;
	return open_one(net, &v6, sockets, &sockets->v6);
}

static void unhook(struct socket *sock)
{
	if (sock)
		rcu_assign_sk_user_data(sock->sk, NULL);
}

static void release(struct socket *sock)
{
	if (!sock)
		return;
	kernel_sock_shutdown(sock, SHUT_RDWR);
	sock_release(sock);
}

/* Both sockets share the one wait. */
void wg_kernel_sockets_close(struct wg_sockets *sockets)
{
	unhook(sockets->v4);
	unhook(sockets->v6);
	synchronize_net();
	release(sockets->v4);
	release(sockets->v6);
	kfree(sockets);
}

/* Kernel sockets: they hold no reference on @ns. A port free for IPv4 may be taken for IPv6, so a random one is tried again. */
int wg_kernel_sockets_open(struct wg_namespace *ns, struct wg_device *device, uint16_t port, const struct wg_binding *binding,
			   struct wg_sockets **result, uint16_t *chosen)
{
	struct net_device *interface = __dev_get_by_name((struct net *)ns, binding->interface);
	int error, tries = port ? 1 : 100;

	if (binding->interface[0] && !interface)
		return -ENODEV;
	do {
		struct wg_sockets *sockets = kzalloc(sizeof(*sockets), GFP_KERNEL);

		if (!sockets)
			return -ENOMEM;
		sockets->device = device;
		error = open_both((struct net *)ns, sockets, port, binding, interface ? interface->ifindex : 0);
		if (!error) {
			*chosen = ntohs(inet_sk((sockets->v4 ?: sockets->v6)->sk)->inet_sport);
			*result = sockets;
			return 0;
		}
		wg_kernel_sockets_close(sockets);
	} while (error == -EADDRINUSE && --tries);
	return error;
}

/* ---- the route ---- */
void wg_kernel_route_cache_init(struct wg_route_cache *cache)
{
	struct dst_cache *dst_cache = (struct dst_cache *)cache;

	if (dst_cache_init(dst_cache, GFP_KERNEL))
		dst_cache->cache = NULL;
}

void wg_kernel_route_cache_reset(struct wg_route_cache *cache)
{
	dst_cache_reset((struct dst_cache *)cache);
}

void wg_kernel_route_cache_clear(struct wg_route_cache *cache)
{
	dst_cache_reset_now((struct dst_cache *)cache);
}

void wg_kernel_route_cache_destroy(struct wg_route_cache *cache)
{
	dst_cache_destroy((struct dst_cache *)cache);
}

/* The bytes of an endpoint's addresses, as the kernel has them. */
static __be32 *as_ipv4(const u8 *address)
{
	return (__be32 *)address;
}

static struct in6_addr *as_ipv6(const u8 *address)
{
	return (struct in6_addr *)address;
}

static bool has_source(const struct wg_endpoint *endpoint)
{
	return memchr_inv(endpoint->source, 0, sizeof(endpoint->source));
}

/* IPv6 looks for the address in one VRF: the one that the socket is bound to, or whose link it is bound to. */
static bool may_send_from(struct sock *sk, const struct wg_endpoint *endpoint, enum wg_source_rule rule)
{
	if (endpoint->family == 4)
		return inet_confirm_addr(sock_net(sk), NULL, 0, *as_ipv4(endpoint->source), RT_SCOPE_HOST);
	return ipv6_chk_addr_and_flags(sock_net(sk), as_ipv6(endpoint->source), dev_get_by_index_rcu(sock_net(sk), sk->sk_bound_dev_if), true, 0,
				       rule == WG_SOURCE_PREFERRED ? IFA_F_TENTATIVE | IFA_F_DEPRECATED : IFA_F_TENTATIVE);
}

static struct dst_entry *look_up4(struct sock *sk, struct wg_endpoint *to, u32 mark)
{
	struct flowi4 flow = {
		.daddr = *as_ipv4(to->address),
		.saddr = *as_ipv4(to->source) ?: inet_sk(sk)->inet_saddr,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_mark = mark,
		.flowi4_oif = sk->sk_bound_dev_if,
		.fl4_sport = inet_sk(sk)->inet_sport,
		.fl4_dport = htons(to->port),
	};
	struct rtable *route;

	security_sk_classify_flow(sk, flowi4_to_flowi_common(&flow));
	route = ip_route_output_flow(sock_net(sk), &flow, sk);
	*as_ipv4(to->source) = flow.saddr;
	return IS_ERR(route) ? ERR_CAST(route) : &route->dst;
}

static struct dst_entry *look_up6(struct sock *sk, struct wg_endpoint *to, u32 mark)
{
	struct flowi6 flow = {
		.daddr = *as_ipv6(to->address),
		.saddr = *as_ipv6(to->source),
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_mark = mark,
		.flowi6_oif = sk->sk_bound_dev_if ?: to->scope,
		.fl6_sport = inet_sk(sk)->inet_sport,
		.fl6_dport = htons(to->port),
	};
	struct dst_entry *dst;

	if (ipv6_addr_any(&flow.saddr))
		flow.saddr = inet6_sk(sk)->saddr;
	security_sk_classify_flow(sk, flowi6_to_flowi_common(&flow));
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &flow, NULL);
	*as_ipv6(to->source) = flow.saddr;
	return dst;
}

/* Routes to @to from its source, or from one that routing chooses and that is its source then. */
static struct dst_entry *look_up(struct sock *sk, struct wg_endpoint *to, u32 mark)
{
	return to->family == 4 ? look_up4(sk, to, mark) : look_up6(sk, to, mark);
}

static struct dst_entry *recall(struct dst_cache *cache, struct wg_endpoint *to)
{
	struct rtable *route;

	if (to->family == 6)
		return dst_cache_get_ip6(cache, as_ipv6(to->source));
	route = dst_cache_get_ip4(cache, as_ipv4(to->source));
	return route ? &route->dst : NULL;
}

static void remember(struct dst_cache *cache, struct dst_entry *dst, const struct wg_endpoint *to)
{
	if (to->family == 4)
		dst_cache_set_ip4(cache, dst, *as_ipv4(to->source));
	else
		dst_cache_set_ip6(cache, dst, as_ipv6(to->source));
}

static void forget_source(struct wg_endpoint *endpoint)
{
	memset(endpoint->source, 0, sizeof(endpoint->source));
	endpoint->source_interface = 0;
}

int wg_kernel_route(struct wg_sockets *sockets, struct wg_endpoint *endpoint, enum wg_source_rule rule, uint32_t mark, struct wg_route_cache *cache,
		    struct wg_route *route)
{
	struct dst_cache *dst_cache = (struct dst_cache *)cache;
	struct socket *sock = endpoint->family == 4 ? sockets->v4 : sockets->v6;
	struct dst_entry *dst = NULL;
	bool sticks = has_source(endpoint);

	if (!sock)
		return -EAFNOSUPPORT;
	*route = (struct wg_route){ .to = *endpoint, .mark = mark, .socket = sock->sk };
	if (cache && rule == WG_SOURCE_LOCAL)
		dst = recall(dst_cache, &route->to);
	route->entry = dst;
	if (dst)
		return 0;
	if (sticks && may_send_from(sock->sk, endpoint, rule)) {
		dst = look_up(sock->sk, &route->to, mark);
		if (IS_ERR(dst))
			dst = NULL;
		if (dst && endpoint->source_interface && dst->dev->ifindex != endpoint->source_interface &&
		    l3mdev_master_ifindex_rcu(dst->dev) != endpoint->source_interface) {
			dst_release(dst);
			dst = NULL;
		}
	}
	if (!dst) {
		if (sticks && cache)
			dst_cache_reset(dst_cache);
		forget_source(endpoint);
		forget_source(&route->to);
		dst = look_up(sock->sk, &route->to, mark);
	}
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (cache)
		remember(dst_cache, dst, &route->to);
	route->entry = dst;
	return 0;
}

/* ---- out ---- */

/* As every tunnel: what the packet was inside must not steer it outside, but its owner (for back-pressure), its flow's hash and what keeps
 * a flow in one queue stay. Tunnel statistics are taken from the inner network header: it is the UDP payload's start. */
static void make_outer(struct sk_buff *skb, struct net_device *dev, u32 mark)
{
	wg_unsteer(skb);
	skb_mark_not_on_list(skb);
	skb_reset_inner_network_header(skb);
	skb->dev = dev;
	skb->mark = mark;
	skb->ip_summed = CHECKSUM_NONE;
	skb->ignore_df = 1;
}

/* Is what @skb has of its owner, if it has one, a charge by size? Others have a reference each (TCP's answers for a socket, since 6.13), or a
 * place in a ring (packet sockets), which nobody would give back for a segment. */
static bool owner_is_charged(const struct sk_buff *skb)
{
	if (!skb->destructor || skb->destructor == sock_wfree)
		return true;
	return skb->destructor != sock_edemux && skb->destructor != sock_efree && sk_fullsock(skb->sk) && sk_is_inet(skb->sk);
}

/* May @skb be one more segment of the packet that begins with @first? All are as long as the first, but for a shorter last one; they
 * have one owner, so that what it was charged for all is given back with the one. */
static bool fits(const struct sk_buff *first, const struct sk_buff *last, const struct sk_buff *skb, u32 size, u32 total)
{
	return last->len == size && skb->len <= size && total + skb->len <= LONGEST_PAYLOAD && !skb_is_nonlinear(skb) &&
	       skb->sk == first->sk && skb->destructor == first->destructor;
}

/* Makes one packet for UDP segmentation offload of @first and the messages behind it that fit; returns those that do not. Whoever
 * cuts it up again, the stack just before the device or the device, takes each message as it lies here: nothing is copied. */
static struct sk_buff *join(struct sk_buff *first, u32 mtu, struct net_device *dev, u32 mark)
{
	struct sk_buff *next = first->next, *last = first, **link = &skb_shinfo(first)->frag_list;
	u32 size = first->len, segments = 1;

	make_outer(first, dev, mark);
	if (size > mtu || skb_is_nonlinear(first) || !owner_is_charged(first))
		return next;
	for (; next && segments < MOST_SEGMENTS && fits(first, last, next, size, first->len); segments++) {
		last = next;
		next = last->next;
		make_outer(last, dev, mark);
		__skb_header_release(last);
		last->sk = NULL;
		last->destructor = NULL;
		*link = last;
		link = &last->next;
		first->len += last->len;
		first->data_len += last->len;
		first->truesize += last->truesize;
	}
	if (segments > 1) {
		skb_shinfo(first)->gso_type = SKB_GSO_UDP_L4;
		skb_shinfo(first)->gso_size = size;
		skb_shinfo(first)->gso_segs = segments;
		first->ip_summed = CHECKSUM_PARTIAL;
		first->csum_start = skb_headroom(first) - sizeof(struct udphdr);
		first->csum_offset = offsetof(struct udphdr, check);
	}
	return next;
}

static u64 counted_here(struct net_device *dev)
{
	return u64_stats_read(&this_cpu_ptr(dev->tstats)->tx_packets);
}

/* The kernel has counted a packet as one, with all its bytes: as sent, which shows in this CPU's numbers, or as one that was not. */
static void count_segments(struct net_device *dev, u64 before, u32 segments)
{
	if (counted_here(dev) != before)
		dev_sw_netstats_tx_add(dev, segments - 1, 0);
	else
		DEV_STATS_ADD(dev, tx_dropped, segments - 1);
}

uint32_t wg_kernel_route_mtu(const struct wg_route *route)
{
	struct dst_entry *dst = route->entry;
	u32 mtu = dst_mtu(dst);

	dst_release(dst);
	return mtu;
}

/* The last one takes the route's reference along. */
void wg_kernel_send(struct wg_netdev *netdev, struct wg_packet *batch, const struct wg_route *route, uint8_t traffic_class)
{
	struct net_device *dev = wg_to_net_device(netdev);
	const struct wg_endpoint *to = &route->to;
	struct dst_entry *dst = route->entry;
	struct sock *sk = route->socket;
	bool is_ipv4 = to->family == 4;
	u32 mtu = dst_mtu(dst) - (is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) - sizeof(struct udphdr);
	struct sk_buff *skb, *next;

	for (skb = wg_to_skb(batch); skb; skb = next) {
		u64 before = counted_here(dev);
		u32 segments;

		next = join(skb, mtu, dev, route->mark);
		segments = skb_shinfo(skb)->gso_segs;
		if (next)
			dst_hold(dst);
		if (is_ipv4)
			wg_compat_udp_tunnel_xmit(container_of(dst, struct rtable, dst), sk, skb, *as_ipv4(to->source), *as_ipv4(to->address),
						  traffic_class, ip4_dst_hoplimit(dst), 0, inet_sk(sk)->inet_sport, htons(to->port), false, false);
		else
			wg_compat_udp_tunnel6_xmit(dst, sk, skb, dev, as_ipv6(to->source), as_ipv6(to->address), traffic_class,
						   ip6_dst_hoplimit(dst), 0, inet_sk(sk)->inet_sport, htons(to->port), false);
		if (segments > 1)
			count_segments(dev, before, segments);
	}
}
