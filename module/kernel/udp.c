// SPDX-License-Identifier: GPL-2.0
/* udp.c: the two sockets of a device, what comes in by them, and the way out: source, route, headers. */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ipv6_stubs.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
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
	setup_udp_tunnel_sock(net, sock, &tunnel);
	*result = sock;
	return 0;
}

static int open_both(struct net *net, struct wg_sockets *sockets, uint16_t port)
{
	struct udp_port_cfg v4 = { .family = AF_INET, .local_ip.s_addr = htonl(INADDR_ANY), .local_udp_port = htons(port),
				   .use_udp_checksums = true };
	struct udp_port_cfg v6 = { .family = AF_INET6, .local_ip6 = IN6ADDR_ANY_INIT, .use_udp6_tx_checksums = true,
				   .use_udp6_rx_checksums = true, .ipv6_v6only = true };
	int error = open_one(net, &v4, sockets, &sockets->v4);

	if (error || !IS_ENABLED(CONFIG_IPV6) || !ipv6_mod_enabled())
		return error;
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
int wg_kernel_sockets_open(struct wg_namespace *ns, struct wg_device *device, uint16_t port, struct wg_sockets **result, uint16_t *chosen)
{
	int error, tries = port ? 1 : 100;

	do {
		struct wg_sockets *sockets = kzalloc(sizeof(*sockets), GFP_KERNEL);

		if (!sockets)
			return -ENOMEM;
		sockets->device = device;
		error = open_both((struct net *)ns, sockets, port);
		if (!error) {
			*chosen = ntohs(inet_sk(sockets->v4->sk)->inet_sport);
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

void wg_kernel_route_cache_destroy(struct wg_route_cache *cache)
{
	dst_cache_destroy((struct dst_cache *)cache);
}

static bool has_source(const struct wg_endpoint *endpoint)
{
	return memchr_inv(endpoint->source, 0, sizeof(endpoint->source)) || endpoint->source_interface;
}

static void forget_source(struct wg_endpoint *endpoint)
{
	memset(endpoint->source, 0, sizeof(endpoint->source));
	endpoint->source_interface = 0;
}

/* Both families look up the same way: with the sticky source, and without it when it is not ours any more or the route does not fit. */
struct lookup {
	struct sock *sk;
	const struct wg_endpoint *endpoint;
	u32 mark;
	union {
		__be32 source4;
		struct in6_addr source6;
	};
};

static bool source_is_local4(struct net *net, const struct wg_endpoint *endpoint)
{
	__be32 source;

	memcpy(&source, endpoint->source, sizeof(source));
	return !source || inet_confirm_addr(net, NULL, 0, source, RT_SCOPE_HOST);
}

static struct dst_entry *lookup4(struct lookup *lookup)
{
	struct flowi4 flow = {
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_mark = lookup->mark,
		.fl4_sport = inet_sk(lookup->sk)->inet_sport,
		.fl4_dport = htons(lookup->endpoint->port),
	};
	struct rtable *route;

	memcpy(&flow.daddr, lookup->endpoint->address, sizeof(flow.daddr));
	memcpy(&flow.saddr, lookup->endpoint->source, sizeof(flow.saddr));
	security_sk_classify_flow(lookup->sk, flowi4_to_flowi_common(&flow));
	route = ip_route_output_flow(sock_net(lookup->sk), &flow, lookup->sk);
	lookup->source4 = flow.saddr;
	return IS_ERR(route) ? ERR_CAST(route) : &route->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool source_is_local6(struct net *net, const struct wg_endpoint *endpoint)
{
	struct in6_addr source;

	memcpy(&source, endpoint->source, sizeof(source));
	return ipv6_addr_any(&source) || ipv6_chk_addr(net, &source, NULL, 0);
}

static struct dst_entry *lookup6(struct lookup *lookup)
{
	struct flowi6 flow = {
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_mark = lookup->mark,
		.flowi6_oif = lookup->endpoint->scope,
		.fl6_sport = inet_sk(lookup->sk)->inet_sport,
		.fl6_dport = htons(lookup->endpoint->port),
	};
	struct dst_entry *dst;

	memcpy(&flow.daddr, lookup->endpoint->address, sizeof(flow.daddr));
	memcpy(&flow.saddr, lookup->endpoint->source, sizeof(flow.saddr));
	security_sk_classify_flow(lookup->sk, flowi6_to_flowi_common(&flow));
	dst = ipv6_stub->ipv6_dst_lookup_flow(sock_net(lookup->sk), lookup->sk, &flow, NULL);
	lookup->source6 = flow.saddr;
	return dst;
}
#endif

static struct dst_entry *route(struct lookup *lookup, struct wg_endpoint *endpoint,
			       bool (*source_is_local)(struct net *, const struct wg_endpoint *), struct dst_entry *(*look_up)(struct lookup *))
{
	struct dst_entry *dst;

	if (!source_is_local(sock_net(lookup->sk), endpoint))
		forget_source(endpoint);
	dst = look_up(lookup);
	if (!has_source(endpoint))
		return dst;
	if (!IS_ERR(dst)) {
		if (!endpoint->source_interface || dst->dev->ifindex == endpoint->source_interface)
			return dst;
		dst_release(dst);
	}
	forget_source(endpoint);
	return look_up(lookup);
}

/* A sender that read the endpoint before it changed may cache its route after the cache was reset: of the other family, even. */
static struct dst_entry *cached_route(struct dst_entry *dst, u16 family)
{
	if (!dst || dst->ops->family == family)
		return dst;
	dst_release(dst);
	return NULL;
}

/* ---- out ---- */

/* As every tunnel: what the packet was inside must not steer it outside, but its owner (for back-pressure) and flow hash stay.
 * Tunnel statistics are taken from the inner network header: it is the UDP payload's start. */
static void make_outer(struct sk_buff *skb, struct net_device *dev, struct net *net, u32 mark)
{
	skb_scrub_packet(skb, !net_eq(dev_net(dev), net));
	skb_mark_not_on_list(skb);
	skb_reset_inner_network_header(skb);
	skb->dev = dev;
	skb->mark = mark;
	skb->ip_summed = CHECKSUM_NONE;
	skb->ignore_df = 1;
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
static struct sk_buff *join(struct sk_buff *first, u32 mtu, struct net_device *dev, struct net *net, u32 mark)
{
	struct sk_buff *next = first->next, *last = first, **link = &skb_shinfo(first)->frag_list;
	u32 size = first->len, segments = 1;

	make_outer(first, dev, net, mark);
	if (size > mtu || skb_is_nonlinear(first))
		return next;
	for (; next && segments < MOST_SEGMENTS && fits(first, last, next, size, first->len); segments++) {
		last = next;
		next = last->next;
		make_outer(last, dev, net, mark);
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

/* The kernel has counted a packet it took as one, with all its bytes. */
static void count_segments(struct net_device *dev, u32 segments)
{
	if (segments > 1)
		dev_sw_netstats_tx_add(dev, segments - 1, 0);
}

static int send4(struct socket *sock, struct net_device *dev, struct sk_buff *batch, struct wg_endpoint *endpoint, u32 mark, u8 class,
		 struct dst_cache *cache)
{
	struct lookup lookup = { .sk = sock->sk, .endpoint = endpoint, .mark = mark };
	struct rtable *entry = cache ? dst_cache_get_ip4(cache, &lookup.source4) : NULL;
	struct dst_entry *cached = cached_route(entry ? &entry->dst : NULL, AF_INET);
	struct dst_entry *dst = cached ?: route(&lookup, endpoint, source_is_local4, lookup4);
	struct sk_buff *skb, *next;
	u32 mtu, segments;
	__be32 to;

	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (dst->dev == dev) {
		dst_release(dst);
		return -ELOOP;
	}
	if (cache && !cached)
		dst_cache_set_ip4(cache, dst, lookup.source4);
	memcpy(&to, endpoint->address, sizeof(to));
	mtu = dst_mtu(dst) - sizeof(struct iphdr) - sizeof(struct udphdr);
	for (skb = batch; skb; skb = next) {
		next = join(skb, mtu, dev, sock_net(sock->sk), mark);
		segments = skb_shinfo(skb)->gso_segs;
		dst_hold(dst);
		udp_tunnel_xmit_skb(container_of(dst, struct rtable, dst), sock->sk, skb, lookup.source4, to, class, ip4_dst_hoplimit(dst), 0,
				    inet_sk(sock->sk)->inet_sport, htons(endpoint->port), false, false);
		count_segments(dev, segments);
	}
	dst_release(dst);
	return 0;
}

static int send6(struct socket *sock, struct net_device *dev, struct sk_buff *batch, struct wg_endpoint *endpoint, u32 mark, u8 class,
		 struct dst_cache *cache)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct lookup lookup = { .sk = sock->sk, .endpoint = endpoint, .mark = mark };
	struct dst_entry *cached = cached_route(cache ? dst_cache_get_ip6(cache, &lookup.source6) : NULL, AF_INET6);
	struct dst_entry *dst = cached ?: route(&lookup, endpoint, source_is_local6, lookup6);
	struct sk_buff *skb, *next;
	u32 mtu, segments;
	struct in6_addr to;

	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (dst->dev == dev) {
		dst_release(dst);
		return -ELOOP;
	}
	if (cache && !cached)
		dst_cache_set_ip6(cache, dst, &lookup.source6);
	memcpy(&to, endpoint->address, sizeof(to));
	mtu = dst_mtu(dst) - sizeof(struct ipv6hdr) - sizeof(struct udphdr);
	for (skb = batch; skb; skb = next) {
		next = join(skb, mtu, dev, sock_net(sock->sk), mark);
		segments = skb_shinfo(skb)->gso_segs;
		dst_hold(dst);
		udp_tunnel6_xmit_skb(dst, sock->sk, skb, dev, &lookup.source6, &to, class, ip6_dst_hoplimit(dst), 0,
				     inet_sk(sock->sk)->inet_sport, htons(endpoint->port), false);
		count_segments(dev, segments);
	}
	dst_release(dst);
	return 0;
#else
	return -EAFNOSUPPORT;
#endif
}

int wg_kernel_send(struct wg_sockets *sockets, struct wg_netdev *netdev, struct wg_packet *batch, struct wg_endpoint *endpoint, uint32_t mark,
		   uint8_t traffic_class, struct wg_route_cache *cache)
{
	struct net_device *dev = wg_to_net_device(netdev);
	struct sk_buff *skb = wg_to_skb(batch);
	int error = -EAFNOSUPPORT;

	if (endpoint->family == 4 && sockets->v4)
		error = send4(sockets->v4, dev, skb, endpoint, mark, traffic_class, (struct dst_cache *)cache);
	else if (endpoint->family == 6 && sockets->v6)
		error = send6(sockets->v6, dev, skb, endpoint, mark, traffic_class, (struct dst_cache *)cache);
	if (error)
		kfree_skb_list(skb);
	return error;
}
