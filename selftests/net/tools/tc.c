// SPDX-License-Identifier: GPL-2.0
/* Programs for tc, compiled for BPF: `set` gives each packet a class index, `drop_set` drops those that have one. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

__attribute__((section("set"), used)) int set_index(struct __sk_buff *skb)
{
	skb->tc_index = 7;
	return TC_ACT_UNSPEC;
}

__attribute__((section("drop_set"), used)) int drop_what_has_one(struct __sk_buff *skb)
{
	return skb->tc_index ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

__attribute__((section("license"), used)) char gpl[] = "GPL";
