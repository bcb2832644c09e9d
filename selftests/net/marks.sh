#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Marks, priorities and connection tracking end at the tunnel: what a firewall said of the inner packet is nothing to the outer one, and the
# other way round. Cluster networks mark by bits (masquerade this, do not track that), and lose packets when a mark crosses.
#
#   ┌── 1, marks what goes in ──┐     ┌── 2, marks what comes, untracked ──┐
#   │ wg0 10.7.0.1, e 10.5.0.1  ├─────┤ wg0 10.7.0.2, e 10.5.0.2           │
#   └───────────────────────────┘     └────────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need nft

two_apart
n1 nft add table inet t && n1 nft 'add counter inet t c; add chain inet t x; add rule inet t x counter name c' 2>/dev/null || skip_all "no named counters"
n1 nft delete table inet t
check ping_before reaches 1 10.7.0.2
n1 nft -f - <<'END'
table inet t {
	counter inner_marked { }
	counter outer { }
	counter outer_marked { }
	chain out {
		type filter hook output priority -150;
		oifname wg0 meta mark set 0x4001
		oifname wg0 meta priority set 1:7
	}
	chain post {
		type filter hook postrouting priority 0;
		oifname wg0 meta mark 0x4001 counter name inner_marked
		oifname e udp dport 2222 counter name outer
		oifname e udp dport 2222 meta mark != 0 counter name outer_marked
	}
}
END
n2 nft -f - <<'END'
table inet t {
	counter outer { }
	counter inner_marked { }
	counter inner_untracked { }
	counter inner_tracked { }
	chain raw {
		type filter hook prerouting priority -300;
		iifname e udp dport 2222 meta mark set 0xd00 counter name outer notrack
	}
	chain in {
		type filter hook input priority 0;
		iifname wg0 meta mark != 0 counter name inner_marked
		iifname wg0 ct state untracked counter name inner_untracked
		iifname wg0 ct state new,established counter name inner_tracked
	}
}
END
# count N NAME
count() {
	in_ns "$1" nft list counter inet t "$2" | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}
# nothing_crosses OVER LEAST: so many packets have gone by now.
nothing_crosses() {
	check "ping_over_$1" n1 ping -q -c 5 -i 0.1 -W 5 10.7.0.2
	check "ping6_over_$1" n1 ping -q -c 5 -i 0.1 -W 5 fd07::2
	check "inner_packets_have_their_mark_over_$1" within "$(count 1 inner_marked)" "$2" 999
	check "outer_packets_go_out_over_$1" within "$(count 1 outer)" "$2" 999
	check "outer_packets_have_no_mark_over_$1" equal "$(count 1 outer_marked)" 0
	check "outer_packets_are_marked_at_the_other_end_over_$1" within "$(count 2 outer)" "$2" 999
	check "inner_packets_there_have_no_mark_over_$1" equal "$(count 2 inner_marked)" 0
	check "inner_packets_there_are_tracked_over_$1" within "$(count 2 inner_tracked)" "$2" 999
	check "inner_packets_there_are_not_untracked_over_$1" equal "$(count 2 inner_untracked)" 0
}
nothing_crosses ipv4 10
n1 $wg set wg0 peer "$(key 2)" endpoint '[fd05::2]:2222'
nothing_crosses ipv6 20
n1 $wg set wg0 fwmark 0x10
n1 nft add rule inet t post oifname e udp dport 2222 meta mark != 0x10 counter drop
check outer_packets_have_the_mark_of_the_device n1 ping -q -c 3 -i 0.1 -W 5 10.7.0.2
tap_done
