#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Profile by stage, from the names of user-mode Linux's functions and samples of perf.

usage: profile.py NAMES NAME=SAMPLES...      NAMES: lines "symbol NAME ADDRESS TYPE FUNCTION [MODULE]"; SAMPLES: an address a line
Prints, for each NAME, the share of each stage and the dearest functions.
"""
import bisect
import re
import sys

# The first that matches "MODULE FUNCTION" decides. What a copy was for, its function does not say.
STAGES = [
	("AEAD", r"^(chacha_x86_64|poly1305_x86_64|libchacha\w*|libpoly1305) |^kernel _*(chacha|poly1305|crypto_)|^wireguard _ZNK?2wg6crypto"),
	("WireGuard itself", r"^(wireguard|curve25519\w*|libcurve25519\w*) "),
	("the generator", r"^wg_bench "),
	("copies and checksums", r" (mem(cpy|set|move)|_*csum_|_*skb_checksum|_copy_|simple_copy|skb_copy|_*skb_datagram_iter)"),
	("GSO: cutting", r" (skb_segment|\w+_gso_)"),
	("GRO and receive", r" \w*(_gro_|gro_cell|napi|net_rx_|netif_r|backlog|veth_poll|eth_type_trans)"),
	("TCP", r" _*(tcp|inet_|sk_|sock_|lock_sock|release_sock|bictcp|cubictcp|skb_try_coalesce|minmax)"),
	("UDP, IP, devices", r" _*(udp|ip|fib|rt_|raw_|nf_|dev_|dst_|veth|neigh|validate_xmit|netdev|netif|compute_score|flow_hash|skb_scrub)"),
	("skbs and memory", r" \w*(skb|kmem|kmalloc|kfree|slab|page|folio|frag|zone_|pcp|rmqueue)"),
	("tasks, interrupts, timers", r" \w*(sched|signal|irq|timer|wake|wait|work|rcu|queue|switch|ktime|clock|os_|tick|task|thread|lock|bh_|entity|curr|rb_|resched|buddies|jiffies)"),
]


def main():
	names = {}
	with open(sys.argv[1], encoding="ascii", errors="replace") as file:
		for line in file:
			word = line.split()
			if len(word) >= 5 and word[0] == "symbol":
				module = word[5].strip("[]") if len(word) > 5 else "kernel"
				names.setdefault(word[1], []).append((int(word[2], 16), module, word[4]))
	columns = []
	for argument in sys.argv[2:]:
		name, path = argument.split("=", 1)
		symbols = sorted(names.get(name, []))
		starts = [address for address, _, _ in symbols]
		stages, functions, total = {}, {}, 0
		with open(path, encoding="ascii") as file:
			for line in file:
				address = int(line, 16)
				at = bisect.bisect(starts, address) - 1
				# What lies above, or below all, is the host's kernel and its libraries.
				if address >> 40 or at < 0:
					stage, what = "system calls of the host", "host"
				else:
					what = f"{symbols[at][1]} {symbols[at][2]}"
					stage = next((title for title, pattern in STAGES if re.search(pattern, what)), "the rest")
				stages[stage] = stages.get(stage, 0) + 1
				functions[what] = functions.get(what, 0) + 1
				total += 1
		columns.append((name, stages, functions, max(total, 1)))
	titles = [title for title, _ in STAGES] + ["the rest", "system calls of the host"]
	width = max(map(len, titles))
	print("% of a TCP stream's time".ljust(width) + "".join(f"{name:>18}" for name, *_ in columns))
	for title in titles:
		print(title.ljust(width) + "".join(f"{100 * stages.get(title, 0) / total:18.1f}" for _, stages, _, total in columns))
	for name, _, functions, total in columns:
		print(f"\n{name}, the dearest of {total} samples")
		for what, count in sorted(functions.items(), key=lambda item: -item[1])[:25]:
			print(f"{100 * count / total:6.1f} %  {what}")


if __name__ == "__main__":
	main()
