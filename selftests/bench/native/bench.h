/* SPDX-License-Identifier: GPL-2.0 */
/* bench.h: what the two generators of bench-native share. See main.c. */
#ifndef WG_BENCH_H
#define WG_BENCH_H

#include <linux/types.h>

struct net;

struct wg_bench_result {
	u64 count;	/* packets or bytes that arrived */
	u64 cpu_ns;	/* what they cost: time of the processor, not of the clock on the wall */
};

u64 wg_bench_cpu_ns(void);

/* Both return 0 or -errno and run, between the namespaces `from` and `to`, until `cpu_ms` of processor time are spent. */

/* UDP packets of `size` bytes, IPv4 header included, into the device `name` of `from`, never more than `window` of them under way.
 * They are counted, and end, where the device of the same name in `to` hands them up. -EIO: some were lost.
 * With `devices`, `cpu_ms` does not count: it is one packet into each of `name`1, `name`2 and so on, which makes so many handshakes. */
int wg_bench_packets(struct net *from, struct net *to, const char *name, u32 size, u32 window, u32 devices, u32 cpu_ms, struct wg_bench_result *result);

/* One TCP connection to `address` of `to`, both ends in kernel threads. */
int wg_bench_stream(struct net *from, struct net *to, __be32 address, u32 cpu_ms, struct wg_bench_result *result);

#endif
