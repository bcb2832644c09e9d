// SPDX-License-Identifier: GPL-2.0
/* netlink_test.c: a configuration set and dumped through the kernel's own attributes: the engine's reader and the dump's cursor, whatever
 * room a message has.
 */
#include <kunit/test.h>
#include <linux/in.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include "engine.h"
#include "objects.h"
#include "services.h"
#include "suites.h"
#include "../../uapi/linux/wireguard.h"
#include "../../uapi/linux/wireguard_extensions.h"

#define PEERS 5
static const u32 prefixes_of[PEERS] = { 0, 1, 40, 2, 7 };

static void put_key(struct sk_buff *skb, int type, u32 number)
{
	u8 key[WG_KEY_LEN];

	memset(key, number + 1, sizeof(key));
	key[0] = 9;
	nla_put(skb, type, sizeof(key), key);
}

/* The @i-th prefix of @peer: every second one is IPv6. */
static void put_prefix(struct sk_buff *skb, u32 peer, u32 i)
{
	struct nlattr *nest = nla_nest_start_noflag(skb, 0);
	u8 address[16] = { 10, peer, i, 1 };

	nla_put_u16(skb, WGALLOWEDIP_A_FAMILY, i % 2 ? AF_INET6 : AF_INET);
	nla_put(skb, WGALLOWEDIP_A_IPADDR, i % 2 ? 16 : 4, address);
	nla_put_u8(skb, WGALLOWEDIP_A_CIDR_MASK, i % 2 ? 128 : 32);
	nla_nest_end(skb, nest);
}

static struct sk_buff *configuration(void)
{
	struct sk_buff *skb = alloc_skb(16384, GFP_KERNEL);
	struct nlattr *peers, *peer, *prefixes;
	u32 i, j;

	put_key(skb, WGDEVICE_A_PRIVATE_KEY, 77);
	nla_put_u16(skb, WGDEVICE_A_LISTEN_PORT, 51820);
	nla_put_u8(skb, WGX_A_PUBLIC, 1);
	nla_put_u32(skb, WGX_A_BIND_ADDRESS, htonl(INADDR_LOOPBACK));
	nla_put_string(skb, WGX_A_BIND_DEVICE, "lo");
	peers = nla_nest_start_noflag(skb, WGDEVICE_A_PEERS);
	for (i = 0; i < PEERS; i++) {
		peer = nla_nest_start_noflag(skb, 0);
		put_key(skb, WGPEER_A_PUBLIC_KEY, i);
		nla_put_u8(skb, WGX_A_PIN_ENDPOINT, 1);
		nla_put_u32(skb, WGX_A_OPENED_MARK, i);
		nla_put_u32(skb, WGX_A_OUTER_MARK, i);
		nla_put_u8(skb, WGX_A_DSCP, WGX_DSCP_INHERIT);
		prefixes = nla_nest_start_noflag(skb, WGPEER_A_ALLOWEDIPS);
		for (j = 0; j < prefixes_of[i]; j++)
			put_prefix(skb, i, j);
		nla_nest_end(skb, prefixes);
		nla_nest_end(skb, peer);
	}
	nla_nest_end(skb, peers);
	return skb;
}

static int set(struct net_device *dev, struct sk_buff *skb)
{
	return wg_kunit_set(dev, skb->data, skb->len);
}

/* What a dump told. */
struct told {
	u8 times[PEERS][64];	/* of each prefix */
	u32 peers, unknown, devices;
	int last_peer;
};

static void hear_peer(struct told *told, struct nlattr *entry)
{
	struct nlattr *of[WGPEER_A_MAX + 1], *nest;
	int rest, peer;

	if (nla_parse_nested_deprecated(of, WGPEER_A_MAX, entry, NULL, NULL) || !of[WGPEER_A_PUBLIC_KEY]) {
		told->unknown++;
		return;
	}
	peer = ((u8 *)nla_data(of[WGPEER_A_PUBLIC_KEY]))[1] - 1;
	if (peer < 0 || peer >= PEERS) {
		told->unknown++;
		return;
	}
	if (peer != told->last_peer)
		told->peers++;
	told->last_peer = peer;
	if (!of[WGPEER_A_ALLOWEDIPS])
		return;
	nla_for_each_nested(nest, of[WGPEER_A_ALLOWEDIPS], rest) {
		struct nlattr *prefix[WGALLOWEDIP_A_MAX + 1];
		const u8 *address;

		if (nla_parse_nested_deprecated(prefix, WGALLOWEDIP_A_MAX, nest, NULL, NULL)) {
			told->unknown++;
			continue;
		}
		address = nla_data(prefix[WGALLOWEDIP_A_IPADDR]);
		if (address[0] != 10 || address[1] != peer || address[2] >= prefixes_of[peer] ||
		    nla_get_u16(prefix[WGALLOWEDIP_A_FAMILY]) != (address[2] % 2 ? AF_INET6 : AF_INET) ||
		    nla_get_u8(prefix[WGALLOWEDIP_A_CIDR_MASK]) != (address[2] % 2 ? 128 : 32))
			told->unknown++;
		else
			told->times[peer][address[2]]++;
	}
}

/* Dumps in messages of @room bytes: how many, or an error. */
static int dump(struct kunit *test, struct net_device *dev, struct told *told, u32 room)
{
	struct wg_dump cursor = {};
	int parts = 0, error;

	memset(told, 0, sizeof(*told));
	told->last_peer = -1;
	do {
		struct sk_buff *skb = alloc_skb(room, GFP_KERNEL);
		struct nlattr *attribute, *entry;
		int rest, inner;

		KUNIT_ASSERT_NOT_NULL(test, skb);
		skb_reserve(skb, skb_tailroom(skb) - room);	/* the allocator rounds up */
		rtnl_lock();
		error = wg_engine_dump(wg_private_of(dev)->engine, &cursor, NULL, 0, (struct wg_reply *)skb);
		rtnl_unlock();
		if (!error) {
			nla_for_each_attr(attribute, (struct nlattr *)skb->data, skb->len, rest) {
				if (nla_type(attribute) == WGDEVICE_A_LISTEN_PORT)
					told->devices++;
				if (nla_type(attribute) == WGDEVICE_A_PEERS)
					nla_for_each_nested(entry, attribute, inner)
						hear_peer(told, entry);
			}
			if (rest)
				told->unknown++;
		}
		kfree_skb(skb);
	} while (!error && !cursor.done && ++parts < 1000);
	return error ?: parts;
}

/* From messages too small for one prefix to one that holds all, in steps of one attribute's alignment. */
static void a_dump_tells_each_prefix_once_whatever_room_a_message_has(struct kunit *test)
{
	struct net_device *dev = test->priv;
	struct sk_buff *request = configuration();
	u32 room, i, j, whole = 0;
	struct told told;

	KUNIT_ASSERT_EQ(test, set(dev, request), 0);
	for (room = 64; room <= 8192; room += room < 1024 ? 4 : 260) {
		int parts = dump(test, dev, &told, room);

		KUNIT_EXPECT_EQ(test, told.unknown, 0u);
		for (i = 0; i < PEERS; i++)
			for (j = 0; j < prefixes_of[i]; j++)
				if (told.times[i][j] > 1 || (parts >= 0 && !told.times[i][j]))
					KUNIT_FAIL(test, "room %u: prefix %u of peer %u was told %u times", room, j, i, told.times[i][j]);
		if (parts < 0) {
			KUNIT_EXPECT_EQ(test, parts, -EMSGSIZE);
			KUNIT_EXPECT_EQ_MSG(test, whole, 0u, "room %u is too little, less was enough", room);
			continue;
		}
		whole++;
		KUNIT_EXPECT_EQ(test, told.peers, (u32)PEERS);
		KUNIT_EXPECT_EQ(test, told.devices, 1u);
	}
	KUNIT_EXPECT_GT(test, whole, 100u);
	KUNIT_EXPECT_EQ(test, dump(test, dev, &told, 8192), 0);
	kfree_skb(request);
}

/* The reader must not go by lengths it was only told: the request cut at every byte is refused or is a shorter one, and nothing is read behind
 * it (KASAN sees to that), and every key in it is wiped. */
static void a_request_cut_anywhere_is_read_to_its_end_and_no_further(struct kunit *test)
{
	struct net_device *dev = test->priv;
	struct sk_buff *request = configuration();
	u32 size;

	for (size = 0; size < request->len; size += 1 + size / 97) {
		u8 *copy = kmemdup(request->data, size ?: 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, copy);
		wg_kunit_set(dev, copy, size);
		if (size >= 36)
			KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(copy + 4, 0, WG_KEY_LEN), "%u bytes: the key is still there", size);
		kfree(copy);
	}
	kfree_skb(request);
}

/* The same of a question, with all one may ask for. */
static void a_question_cut_anywhere_is_answered(struct kunit *test)
{
	struct sk_buff *request = configuration(), *question = alloc_skb(512, GFP_KERNEL), *answer = alloc_skb(16384, GFP_KERNEL);
	struct wg_device *device = wg_private_of((struct net_device *)test->priv)->engine;
	struct nlattr *peers, *peer;
	u32 size, i, most = 0;

	KUNIT_ASSERT_EQ(test, set(test->priv, request), 0);
	nla_put_u32(question, WGX_A_FLAGS, WGX_F_STATE | WGX_F_NO_SECRETS);
	peers = nla_nest_start_noflag(question, WGDEVICE_A_PEERS);
	for (i = 0; i < PEERS; i += 2) {
		peer = nla_nest_start_noflag(question, 0);
		put_key(question, WGPEER_A_PUBLIC_KEY, i);
		nla_nest_end(question, peer);
	}
	nla_nest_end(question, peers);
	for (size = 0; size <= question->len; size++) {
		u8 *copy = kmemdup(question->data, size ?: 1, GFP_KERNEL);
		struct wg_dump cursor = {};
		int error;

		KUNIT_ASSERT_NOT_NULL(test, copy);
		skb_trim(answer, 0);
		rtnl_lock();
		error = wg_engine_dump(device, &cursor, copy, size, (struct wg_reply *)answer);
		rtnl_unlock();
		KUNIT_EXPECT_EQ(test, error, 0);
		KUNIT_EXPECT_TRUE(test, cursor.done);
		most = max(most, answer->len);
		kfree(copy);
	}
	/* Uncut, it asks for three of five peers; where the list is cut, it names none, and all are told of. */
	KUNIT_EXPECT_LT(test, answer->len, most);
	kfree_skb(answer);
	kfree_skb(question);
	kfree_skb(request);
}

static void a_cursor_of_another_device_is_refused(struct kunit *test)
{
	struct sk_buff *request = configuration(), *skb = alloc_skb(600, GFP_KERNEL);
	struct wg_dump cursor = {};
	int first, second;

	KUNIT_ASSERT_EQ(test, set(test->priv, request), 0);
	rtnl_lock();
	first = wg_engine_dump(wg_private_of(test->priv)->engine, &cursor, NULL, 0, (struct wg_reply *)skb);
	cursor.device_number++;
	skb_trim(skb, 0);
	second = wg_engine_dump(wg_private_of(test->priv)->engine, &cursor, NULL, 0, (struct wg_reply *)skb);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, first, 0);
	KUNIT_EXPECT_FALSE(test, cursor.done);
	KUNIT_EXPECT_EQ(test, second, -ENODEV);
	kfree_skb(skb);
	kfree_skb(request);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_dump_tells_each_prefix_once_whatever_room_a_message_has),
	KUNIT_CASE(a_request_cut_anywhere_is_read_to_its_end_and_no_further),
	KUNIT_CASE(a_question_cut_anywhere_is_answered),
	KUNIT_CASE(a_cursor_of_another_device_is_refused),
	{}
};

struct kunit_suite wg_netlink_test_suite = { .name = "netlink_test", .init = wg_kunit_engine, .exit = wg_kunit_free_engine, .test_cases = cases };
