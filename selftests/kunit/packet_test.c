// SPDX-License-Identifier: GPL-2.0
/* packet_test.c: what kernel/packet.c does with packets of every shape an skb can have: in one piece or not, shared or not, with room
 * or without. Each test goes through all shapes; what is expected of one is expected of each.
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/tcp.h>
#include "objects.h"
#include "services.h"
#include "suites.h"

enum shape { LINEAR, TIGHT, PAGES, PIECES, LIST, SHAPES };
static const char *const shape_names[] = { "linear", "linear without room", "in pages", "in small pages", "a list of packets" };

static u8 byte_at(u32 i)
{
	return i * 7 + (i >> 8) + 1;
}

static void add_page(struct kunit *test, struct sk_buff *skb, u32 from, u32 size)
{
	struct page *page = alloc_page(GFP_KERNEL);
	u32 offset = 32, i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_LE(test, offset + size, (u32)PAGE_SIZE);
	for (i = 0; i < size; i++)
		((u8 *)page_address(page))[offset + i] = byte_at(from + i);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, offset, size, PAGE_SIZE);
}

static struct sk_buff *linear(struct kunit *test, u32 from, u32 size, u32 headroom, u32 tailroom)
{
	struct sk_buff *skb = alloc_skb(headroom + size + tailroom, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb->dev = test->priv;
	skb_reserve(skb, headroom);
	for (i = 0; i < size; i++)
		*(u8 *)skb_put(skb, 1) = byte_at(from + i);
	return skb;
}

/* A packet of @size known bytes. */
static struct sk_buff *packet_of(struct kunit *test, enum shape shape, u32 size)
{
	struct sk_buff *skb, **next;
	u32 at, part;

	switch (shape) {
	case LINEAR:
		return linear(test, 0, size, 128, 128);
	case TIGHT:
		return linear(test, 0, size, 0, 0);
	case PAGES:
		skb = linear(test, 0, 0, 64, 0);
		for (at = 0; at < size; at += part) {
			part = min_t(u32, size - at, 2000);
			add_page(test, skb, at, part);
		}
		return skb;
	case PIECES:
		part = min_t(u32, size, 21);
		skb = linear(test, 0, part, 64, 0);
		for (at = part; at < size; at += part) {
			part = min_t(u32, size - at, DIV_ROUND_UP(size, 15));
			add_page(test, skb, at, part);
		}
		return skb;
	default:
		part = min_t(u32, size, 100);
		skb = linear(test, 0, part, 128, 0);
		next = &skb_shinfo(skb)->frag_list;
		for (at = part; at < size; at += part) {
			part = min_t(u32, size - at, 300);
			*next = linear(test, at, part, 0, 0);
			skb->len += part;
			skb->data_len += part;
			skb->truesize += (*next)->truesize;
			next = &(*next)->next;
		}
		return skb;
	}
}

/* Does @skb hold the known bytes from @offset on? */
static bool holds(const struct sk_buff *skb, u32 offset, u32 size)
{
	u32 i;
	u8 byte;

	for (i = 0; i < size; i++)
		if (skb_copy_bits(skb, offset + i, &byte, 1) || byte != byte_at(i))
			return false;
	return true;
}

static bool is_zero(const u8 *at, u32 size)
{
	while (size--)
		if (*at++)
			return false;
	return true;
}

static const u32 sizes[] = { 1, 20, 40, 576, 1280, 1420, 8940 };

/* Calls @check for each shape and size, of one's own and shared with a clone, which must look the same afterwards. */
static void each_shape(struct kunit *test, void (*check)(struct kunit *test, struct sk_buff *skb, u32 size))
{
	enum shape shape;
	int i, cloned;

	for (shape = 0; shape < SHAPES; shape++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			for (cloned = 0; cloned < 2; cloned++) {
				struct sk_buff *skb = packet_of(test, shape, sizes[i]), *other = cloned ? skb_clone(skb, GFP_KERNEL) : NULL;

				KUNIT_ASSERT_TRUE(test, holds(skb, 0, sizes[i]));
				check(test, skb, sizes[i]);
				if (other) {
					KUNIT_EXPECT_EQ(test, other->len, sizes[i]);
					KUNIT_EXPECT_TRUE_MSG(test, holds(other, 0, sizes[i]), "the clone of a packet %s, %u bytes, was written to",
							      shape_names[shape], sizes[i]);
				}
				kfree_skb(other);
				kfree_skb(skb);
			}
}

static void check_prepare_seal(struct kunit *test, struct sk_buff *skb, u32 size)
{
	u32 padding = -size & 15;
	u8 *at = wg_kernel_packet_prepare_seal(wg_from_skb(skb), 16, padding);

	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_EXPECT_PTR_EQ(test, at, (u8 *)skb->data);
	KUNIT_EXPECT_EQ(test, skb->len, 16 + size + padding + WG_TAG_SIZE);
	KUNIT_EXPECT_FALSE(test, skb_is_nonlinear(skb));
	KUNIT_EXPECT_FALSE(test, skb_cloned(skb));
	KUNIT_EXPECT_GE(test, skb_headroom(skb), (unsigned int)WG_OUTER_HEADROOM);
	KUNIT_EXPECT_TRUE(test, holds(skb, 16, size));
	KUNIT_EXPECT_TRUE(test, is_zero(at + 16 + size, padding));
	memset(at, 0xa5, skb->len);
}

static void prepare_seal_makes_one_piece_of_ones_own(struct kunit *test)
{
	each_shape(test, check_prepare_seal);
}

static void check_prepare_open(struct kunit *test, struct sk_buff *skb, u32 size)
{
	u8 *at = wg_kernel_packet_prepare_open(wg_from_skb(skb));
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_EXPECT_PTR_EQ(test, at, (u8 *)skb->data);
	KUNIT_EXPECT_EQ(test, skb_headlen(skb), size);
	for (i = 0; i < size && at[i] == byte_at(i); i++)
		;
	KUNIT_EXPECT_EQ(test, i, size);
	memset(at, 0xa5, size);
}

static void prepare_open_makes_one_piece_of_ones_own(struct kunit *test)
{
	each_shape(test, check_prepare_open);
}

static void check_trim(struct kunit *test, struct sk_buff *skb, u32 size)
{
	struct wg_packet *packet = wg_from_skb(skb);
	u32 header = min_t(u32, size, 16), rest = (size - header) / 2, i;

	KUNIT_EXPECT_EQ(test, wg_kernel_packet_trim(packet, size + 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_kernel_packet_trim(packet, header, size - header + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_kernel_packet_trim(packet, header, U32_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, wg_kernel_packet_trim(packet, U32_MAX, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, skb->len, size);
	KUNIT_EXPECT_EQ(test, wg_kernel_packet_trim(packet, header, rest), 0);
	KUNIT_EXPECT_EQ(test, skb->len, rest);
	for (i = 0; i < rest; i++) {
		u8 byte;

		KUNIT_ASSERT_EQ(test, skb_copy_bits(skb, i, &byte, 1), 0);
		if (byte != byte_at(header + i))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, rest);
}

static void trim_cuts_both_ends_or_nothing(struct kunit *test)
{
	each_shape(test, check_trim);
}

static void check_pull(struct kunit *test, struct sk_buff *skb, u32 size)
{
	const u8 *at;

	KUNIT_EXPECT_NULL(test, wg_kernel_packet_pull(wg_from_skb(skb), size + 1));
	at = wg_kernel_packet_pull(wg_from_skb(skb), min_t(u32, size, 148));
	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_EXPECT_EQ(test, at[0], byte_at(0));
	KUNIT_EXPECT_EQ(test, at[min_t(u32, size, 148) - 1], byte_at(min_t(u32, size, 148) - 1));
	KUNIT_EXPECT_TRUE(test, holds(skb, 0, size));
}

static void pull_gives_the_first_bytes_or_nothing(struct kunit *test)
{
	each_shape(test, check_pull);
}

/* A TCP segment over IPv4 with @size bytes of payload, its checksum left to be done. */
static struct sk_buff *tcp_packet(struct kunit *test, enum shape shape, u32 size)
{
	struct sk_buff *skb = packet_of(test, shape, size);
	struct iphdr *ip;
	struct tcphdr *tcp;

	KUNIT_ASSERT_EQ(test, pskb_expand_head(skb, 128, 0, GFP_KERNEL), 0);
	tcp = skb_push(skb, sizeof(*tcp));
	memset(tcp, 0, sizeof(*tcp));
	skb_reset_transport_header(skb);
	tcp->source = htons(1);
	tcp->dest = htons(2);
	tcp->seq = htonl(1000);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->ack = 1;
	ip = skb_push(skb, sizeof(*ip));
	memset(ip, 0, sizeof(*ip));
	skb_reset_network_header(skb);
	skb_reset_mac_header(skb);
	ip->version = 4;
	ip->ihl = 5;
	ip->protocol = IPPROTO_TCP;
	ip->ttl = 64;
	ip->tot_len = htons(skb->len);
	ip->saddr = htonl(0x0a000001);
	ip->daddr = htonl(0x0a000002);
	ip_send_check(ip);
	tcp->check = ~tcp_v4_check(skb->len - sizeof(*ip), ip->saddr, ip->daddr, 0);
	skb->protocol = htons(ETH_P_IP);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	return skb;
}

static bool has_good_checksums(struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);
	u32 size = skb->len - sizeof(*ip);

	return !ip_fast_csum(ip, ip->ihl) && ntohs(ip->tot_len) == skb->len &&
	       !tcp_v4_check(size, ip->saddr, ip->daddr, skb_checksum(skb, sizeof(*ip), size, 0));
}

static void prepare_seal_finishes_the_inner_checksum(struct kunit *test)
{
	enum shape shape;

	for (shape = 0; shape < SHAPES; shape++) {
		struct sk_buff *skb = tcp_packet(test, shape, 1001);
		u32 size = skb->len, padding = -size & 15;

		KUNIT_ASSERT_NOT_NULL(test, wg_kernel_packet_prepare_seal(wg_from_skb(skb), 16, padding));
		skb_pull(skb, 16);
		skb_trim(skb, size);
		skb_reset_network_header(skb);
		KUNIT_EXPECT_TRUE_MSG(test, has_good_checksums(skb), "a packet %s", shape_names[shape]);
		KUNIT_EXPECT_TRUE(test, holds(skb, 40, 1001));
		kfree_skb(skb);
	}
}

/* Sizes: so that the last segment is short, whole, and alone. */
static void segment_splits_and_finishes(struct kunit *test)
{
	static const u32 payloads[] = { 3000, 3001, 4000, 1001 };
	enum shape shape;
	int i;

	for (shape = 0; shape < SHAPES; shape++)
		for (i = 0; i < ARRAY_SIZE(payloads); i++) {
			struct sk_buff *skb = tcp_packet(test, shape, payloads[i]), *segment, *next;
			u32 mtu = 0, at = 0, count = 0;
			int error = 0;

			if (shape == LIST) {	/* a frag_list is segmented where its members end: only equal ones can be split */
				kfree_skb(skb);
				continue;
			}
			skb_shinfo(skb)->gso_size = 1000;
			skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(payloads[i], 1000);
			skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
			skb->dev = test->priv;
			segment = wg_to_skb(wg_kernel_packet_segment(wg_from_skb(skb), test->priv, &mtu, &error));
			KUNIT_ASSERT_NOT_NULL(test, segment);
			KUNIT_EXPECT_EQ(test, mtu, 1420u);
			for (; segment; segment = next, count++) {
				u32 size = min_t(u32, payloads[i] - at, 1000), j;
				u8 byte;

				next = segment->next;
				skb_mark_not_on_list(segment);
				KUNIT_EXPECT_EQ(test, segment->len, 40 + size);
				KUNIT_EXPECT_FALSE(test, skb_cloned(segment));
				KUNIT_EXPECT_FALSE(test, skb_is_gso(segment));
				KUNIT_EXPECT_TRUE(test, has_good_checksums(segment));
				KUNIT_EXPECT_EQ(test, ntohl(tcp_hdr(segment)->seq), 1000 + at);
				for (j = 0; j < size; j++)
					if (skb_copy_bits(segment, 40 + j, &byte, 1) || byte != byte_at(at + j))
						break;
				KUNIT_EXPECT_EQ(test, j, size);
				at += size;
				kfree_skb(segment);
			}
			KUNIT_EXPECT_EQ(test, count, DIV_ROUND_UP(payloads[i], 1000));
		}
}

/* One that is no GSO packet and is somebody's too: a copy of one's own comes back. */
static void segment_unshares_a_lone_packet(struct kunit *test)
{
	struct sk_buff *skb = packet_of(test, LINEAR, 500), *own;
	u32 mtu;
	int error;

	skb_get(skb);
	own = wg_to_skb(wg_kernel_packet_segment(wg_from_skb(skb), test->priv, &mtu, &error));
	KUNIT_ASSERT_NOT_NULL(test, own);
	KUNIT_EXPECT_PTR_NE(test, own, skb);
	KUNIT_EXPECT_FALSE(test, skb_shared(own));
	KUNIT_EXPECT_NULL(test, own->next);
	KUNIT_EXPECT_TRUE(test, holds(own, 0, 500));
	kfree_skb(own);
	kfree_skb(skb);
}

static void segment_refuses_what_cannot_be_split(struct kunit *test)
{
	struct sk_buff *skb = packet_of(test, LINEAR, 500);
	u32 mtu;
	int error = 0;

	skb_reset_network_header(skb);
	skb_reset_mac_header(skb);
	skb->protocol = htons(ETH_P_LOOPBACK);
	skb->dev = test->priv;
	skb_shinfo(skb)->gso_size = 100;
	skb_shinfo(skb)->gso_segs = 5;
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	KUNIT_EXPECT_NULL(test, wg_kernel_packet_segment(wg_from_skb(skb), test->priv, &mtu, &error));
	KUNIT_EXPECT_LT(test, error, 0);
}

static void source_is_what_the_headers_say(struct kunit *test)
{
	struct sk_buff *skb = linear(test, 0, 0, 128, 128);
	struct wg_endpoint endpoint;
	struct udphdr *udp;
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	udp = skb_push(skb, sizeof(*udp));
	skb_reset_transport_header(skb);
	udp->source = htons(51820);
	ip = skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->saddr = htonl(0xc0000201);
	ip->daddr = htonl(0xc0000202);
	skb->skb_iif = 7;
	wg_kernel_packet_source(wg_from_skb(skb), &endpoint);
	KUNIT_EXPECT_EQ(test, endpoint.family, 4);
	KUNIT_EXPECT_EQ(test, endpoint.port, 51820);
	KUNIT_EXPECT_EQ(test, endpoint.source_interface, 7u);
	KUNIT_EXPECT_EQ(test, endpoint.scope, 0u);
	KUNIT_EXPECT_EQ(test, memcmp(endpoint.address, "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
	KUNIT_EXPECT_EQ(test, memcmp(endpoint.source, "\xc0\0\2\2\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);

	skb_pull(skb, sizeof(*ip));
	ip6 = skb_push(skb, sizeof(*ip6));
	skb_reset_network_header(skb);
	memset(ip6, 0, sizeof(*ip6));
	ip6->version = 6;
	memcpy(&ip6->saddr, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(&ip6->daddr, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	wg_kernel_packet_source(wg_from_skb(skb), &endpoint);
	KUNIT_EXPECT_EQ(test, endpoint.family, 6);
	KUNIT_EXPECT_EQ(test, endpoint.port, 51820);
	KUNIT_EXPECT_EQ(test, endpoint.source_interface, 0u);
	KUNIT_EXPECT_EQ(test, endpoint.scope, 7u);
	KUNIT_EXPECT_EQ(test, memcmp(endpoint.address, &ip6->saddr, 16), 0);
	KUNIT_EXPECT_EQ(test, memcmp(endpoint.source, &ip6->daddr, 16), 0);
	kfree_skb(skb);
}

static void a_packet_of_ones_own_has_room_for_headers(struct kunit *test)
{
	u8 payload[148];
	struct sk_buff *skb;

	memset(payload, 0x5a, sizeof(payload));
	skb = wg_to_skb(wg_kernel_packet_create(payload, sizeof(payload)));
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_EXPECT_EQ(test, skb->len, 148u);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data, payload, sizeof(payload)), 0);
	KUNIT_EXPECT_GE(test, skb_headroom(skb), (unsigned int)WG_OUTER_HEADROOM);
	kfree_skb(skb);
}

/* What segmenting asks of a device is its MTU. */
static int init(struct kunit *test)
{
	wg_kunit_device(test);
	((struct net_device *)test->priv)->mtu = 1420;
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(prepare_seal_makes_one_piece_of_ones_own),
	KUNIT_CASE(prepare_seal_finishes_the_inner_checksum),
	KUNIT_CASE(prepare_open_makes_one_piece_of_ones_own),
	KUNIT_CASE(trim_cuts_both_ends_or_nothing),
	KUNIT_CASE(pull_gives_the_first_bytes_or_nothing),
	KUNIT_CASE(segment_splits_and_finishes),
	KUNIT_CASE(segment_unshares_a_lone_packet),
	KUNIT_CASE(segment_refuses_what_cannot_be_split),
	KUNIT_CASE(source_is_what_the_headers_say),
	KUNIT_CASE(a_packet_of_ones_own_has_room_for_headers),
	{}
};

struct kunit_suite wg_packet_test_suite = { .name = "packet_test", .init = init, .exit = wg_kunit_free_device, .test_cases = cases };
