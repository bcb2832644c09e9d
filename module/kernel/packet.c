// SPDX-License-Identifier: GPL-2.0
/* packet.c: what the engine does with a packet's bytes, in terms of struct sk_buff. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include "compat.h"
#include "objects.h"
#include "services.h"

struct wg_packet *wg_kernel_packet_create(const void *payload, uint32_t size)
{
	struct sk_buff *skb = alloc_skb(WG_OUTER_HEADROOM + size + WG_TAG_SIZE, GFP_ATOMIC | __GFP_NOWARN);

	if (!skb)
		return NULL;
	skb_reserve(skb, WG_OUTER_HEADROOM);
	skb_put_data(skb, payload, size);
	return wg_from_skb(skb);
}

void wg_kernel_packet_free(struct wg_packet *packet)
{
	kfree_skb(wg_to_skb(packet));
}

void wg_kernel_packet_consume(struct wg_packet *packet)
{
	consume_skb(wg_to_skb(packet));
}

const uint8_t *wg_kernel_packet_pull(struct wg_packet *packet, uint32_t size)
{
	struct sk_buff *skb = wg_to_skb(packet);

	return pskb_may_pull(skb, size) ? skb->data : NULL;
}

void wg_kernel_packet_orphan(struct wg_packet *packet)
{
	skb_orphan(wg_to_skb(packet));
}

uint16_t wg_kernel_packet_protocol(const struct wg_packet *packet)
{
	return ntohs(wg_to_skb(packet)->protocol);
}

/* ---- transmit ---- */

/* With no features offered, segmenting copies, so each segment has its memory and its finished checksum. */
static struct sk_buff *segment(struct sk_buff *skb, int *error)
{
	struct sk_buff *segments;

	if (!skb_is_gso(skb)) {
		skb = skb_share_check(skb, GFP_ATOMIC);
		*error = -ENOMEM;
		return skb;
	}
	segments = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segments)) {
		*error = segments ? PTR_ERR(segments) : -EINVAL;
		kfree_skb(skb);
		return NULL;
	}
	consume_skb(skb);
	return segments;
}

struct wg_packet *wg_kernel_packet_segment(struct wg_packet *packet, struct wg_netdev *netdev, uint32_t *mtu, int *error)
{
	struct sk_buff *skb = wg_to_skb(packet), *first;

	*mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : wg_to_net_device(netdev)->mtu;
	first = segment(skb, error);
	for (skb = first; skb; skb = skb->next)
		skb_dst_drop(skb);
	return wg_from_skb(first);
}

/* Makes @skb linear, its memory its own, with @head and @tail bytes to spare: by one reallocation at most. */
static int make_room(struct sk_buff *skb, u32 head, u32 tail)
{
	int more_head = max_t(int, head - skb_headroom(skb), 0);
	int more_tail = max_t(int, tail + skb->data_len - (skb->end - skb->tail), 0);

	if ((more_head || more_tail || skb_cloned(skb)) && pskb_expand_head(skb, SKB_DATA_ALIGN(more_head), more_tail, GFP_ATOMIC))
		return -ENOMEM;
	return skb_linearize(skb);
}

/* The flow's hash is taken while the flow can still be seen; fair queueing and multipath routing outside go by it. */
uint8_t *wg_kernel_packet_prepare_seal(struct wg_packet *packet, uint32_t header_size, uint32_t padding)
{
	struct sk_buff *skb = wg_to_skb(packet);

	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return NULL;
	if (skb->len)
		skb_get_hash(skb);
	if (make_room(skb, WG_OUTER_HEADROOM + header_size, padding + WG_TAG_SIZE))
		return NULL;
	skb_put_zero(skb, padding);
	skb_put(skb, WG_TAG_SIZE);
	skb->encapsulation = 0;
	skb_gso_reset(skb);
	return skb_push(skb, header_size);
}

/* ---- receive ---- */
void wg_kernel_packet_source(const struct wg_packet *packet, struct wg_endpoint *endpoint)
{
	const struct sk_buff *skb = wg_to_skb(packet);

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->port = ntohs(udp_hdr(skb)->source);
	if (ip_hdr(skb)->version == 4) {
		endpoint->family = 4;
		endpoint->source_interface = skb->skb_iif;
		memcpy(endpoint->address, &ip_hdr(skb)->saddr, 4);
		memcpy(endpoint->source, &ip_hdr(skb)->daddr, 4);
	} else {
		endpoint->family = 6;
		memcpy(endpoint->address, &ipv6_hdr(skb)->saddr, 16);
		memcpy(endpoint->source, &ipv6_hdr(skb)->daddr, 16);
		endpoint->scope = ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr, skb->skb_iif);
	}
}

/* Data that others can see too (a clone, a capture, pages) is copied, never opened in place. What came in IP fragments is copied together. */
uint8_t *wg_kernel_packet_prepare_open(struct wg_packet *packet)
{
	struct sk_buff *skb = wg_to_skb(packet);

	return skb_ensure_writable(skb, skb->len) ? NULL : skb->data;
}

int wg_kernel_packet_trim(struct wg_packet *packet, uint32_t header_size, uint32_t size)
{
	struct sk_buff *skb = wg_to_skb(packet);

	if (header_size > skb->len || size > skb->len - header_size || pskb_trim(skb, header_size + size) || !pskb_pull(skb, header_size))
		return -EINVAL;
	return 0;
}

/* Nothing of the outer packet may show inside: neither what steers nor what describes it.
 * The tag has covered every byte, so no inner checksum needs a look. */
static void make_inner(struct sk_buff *skb, struct net_device *dev, __be16 protocol)
{
	wg_unsteer(skb);
	skb_orphan(skb);
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	__vlan_hwaccel_clear_tag(skb);
	skb_gso_reset(skb);
	memset(skb_hwtstamps(skb), 0, sizeof(*skb_hwtstamps(skb)));
	skb->encapsulation = 0;
	skb->dev = dev;
	skb->protocol = protocol;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = SKB_MAX_CSUM_LEVEL;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
}

static u8 traffic_class(const struct sk_buff *skb, bool is_ipv4)
{
	return is_ipv4 ? ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
}

int wg_kernel_packet_deliver(struct wg_packet *packet, struct wg_netdev *netdev, struct wg_poller *poller, uint8_t version, uint32_t mark)
{
	struct sk_buff *skb = wg_to_skb(packet);
	u8 outer_class = traffic_class(skb, ip_hdr(skb)->version == 4);
	bool is_ipv4 = version == 4;

	make_inner(skb, wg_to_net_device(netdev), is_ipv4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6));
	if (INET_ECN_decapsulate(skb, outer_class, traffic_class(skb, is_ipv4)) > 1)
		return -EINVAL;
	skb->mark = mark;
	napi_gro_receive(&((struct wg_poller_object *)poller)->napi, skb);
	return 0;
}

void wg_kernel_icmp_unreachable(struct wg_packet *packet, struct wg_netdev *netdev)
{
	struct sk_buff *skb = wg_to_skb(packet);

	skb->dev = wg_to_net_device(netdev);
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else if (skb->protocol == htons(ETH_P_IPV6))
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
}
