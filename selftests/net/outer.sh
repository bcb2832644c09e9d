#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What an outer packet looks like, and what of the inner one shows on it.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   └───────────────────────┴───┘             └───┴───────────────────────┘
. "$(dirname "$0")/lib.sh"
need tcpdump nft tc

two_devices
n1 $wg set wg0 peer "$(key 2)" persistent-keepalive 0
# Both underlays are looked at with the same eyes: 127.0.0.1 first.
capture 0 lo shake.pcap udp
check handshake pings 1 10.7.0.2
captured
sizes() {
	tcpdump -Z root -n -r shake.pcap 2>/dev/null | sed -n 's/.*length \([0-9]*\)$/\1/p' | head -n 2 | tr '\n' ' '
}
check handshake_is_148_and_92_bytes equal "$(sizes)" "148 92 "
verbose() {
	tcpdump -Z root -n -v -r "$@" 2>/dev/null
}
# The kernel may set ECN bits itself on nothing of ours, so the whole octet counts.
check handshake_has_traffic_class_0x88 equal "$(verbose shake.pcap 'udp[4:2] == 156 or udp[4:2] == 100' | grep -c 'tos 0x88,')" 2
check outer_packets_may_be_fragmented equal "$(verbose shake.pcap | grep -c 'flags \[DF\]')" 0
check outer_packets_have_a_udp_checksum equal "$(packets shake.pcap 'udp[6:2] == 0')" 0

# Each ping has a size of its own, multiples of 16 apart, so that one capture serves many.
# ask STEP CLASS [ADDRESS]: an inner packet of 128 + 16 * STEP bytes with this traffic class.
ask() {
	local to=${3:-10.7.0.2} header=28
	[[ $to != *:* ]] || header=48
	in_ns 1 ping -q -c 1 -W 1 -Q "$2" -s $((128 + 16 * $1 - header)) "$to" >/dev/null
}
# outside STEP: the traffic class of that packet, outside; inside STEP: where it arrived.
outside() {
	verbose outside.pcap "udp dst port 2222 and udp[4:2] == $((168 + 16 * $1))" | sed -n 's/.*(tos \(0x[0-9a-f]*\).*/\1/p' | head -n 1
}
inside() {
	verbose inside.pcap "ip[2:2] == $((128 + 16 * $1)) or (ip6 and ip6[4:2] == $((88 + 16 * $1)))" |
		sed -n 's/.*(tos \(0x[0-9a-f]*\).*/\1/p; s/.*IP6 (class \(0x[0-9a-f]*\).*/\1/p; s/.*IP6 (flow.*/0x0/p' | head -n 1
}
capture 0 lo outside.pcap udp dst port 2222
ask 0 0xb8
ask 1 0x02
ask 2 0x01
ask 3 0x03
ask 4 0xba
ask 5 0x02 fd07::2
captured
check dscp_does_not_show equal "$(outside 0)" 0x0
check ecn_ect0_shows equal "$(outside 1)" 0x2
check ecn_ect1_shows equal "$(outside 2)" 0x1
check ecn_ce_shows equal "$(outside 3)" 0x3
check ecn_shows_without_dscp equal "$(outside 4)" 0x2
check ecn_of_inner_ipv6_shows equal "$(outside 5)" 0x2

# RFC 6040, on the way in: CE outside marks an inner packet that can be marked, and one that cannot is dropped.
n0 nft add table ip e
n0 nft 'add chain ip e out { type filter hook output priority 0 ; }'
# mark ECN: what every packet from 1 to 2 carries outside from now on.
mark() {
	n0 nft flush chain ip e out
	[ "$1" = none ] || n0 nft add rule ip e out udp dport 2222 ip ecn set "$1"
}
capture 2 wg0 inside.pcap 'dst host 10.7.0.2 or dst host fd07::2'
mark ce
ask 0 0x02
ask 1 0x01
ask 2 0x03
ask 3 0xba
ask 4 0x02 fd07::2
ask 5 0x00
mark not-ect
ask 6 0x02
mark ect1
ask 7 0x03
mark none
ask 8 0xb8
captured
check ce_outside_marks_ect0 equal "$(inside 0)" 0x3
check ce_outside_marks_ect1 equal "$(inside 1)" 0x3
check ce_outside_keeps_ce equal "$(inside 2)" 0x3
check ce_outside_keeps_dscp equal "$(inside 3)" 0xbb
check ce_outside_marks_ipv6 equal "$(inside 4)" 0x03
check ce_outside_drops_what_cannot_be_marked equal "$(inside 5)" ""
check nothing_outside_keeps_ect0 equal "$(inside 6)" 0x2
check ect1_outside_keeps_ce equal "$(inside 7)" 0x3
check dscp_arrives equal "$(inside 8)" 0xb8

# Padding: to a multiple of 16 bytes and no further than the MTU. A message is that and 32 bytes.
sizes_of() {
	local size
	capture 0 lo pad.pcap udp dst port 2222 and 'udp[4:2] > 100'
	for size; do
		n1 ping -q -c 1 -W 2 -M dont -s $size 10.7.0.2 >/dev/null
	done
	captured
	tcpdump -Z root -n -r pad.pcap 2>/dev/null | sed -n 's/.*length \([0-9]*\)$/\1/p' | tr '\n' ' '
}
check messages_are_padded_to_16 equal "$(sizes_of 57 68 69 1392)" "128 128 144 1452 "
ip1 link set wg0 mtu 1421
check padding_ends_at_the_mtu equal "$(sizes_of 1393)" "1453 "
ip1 link set wg0 mtu 1420

# The inner flow's hash stays with the packet, so that a fair queue below tells the flows apart though all have the same ports outside.
if n0 tc qdisc add dev lo root handle 1: tbf rate 1kbit burst 400 limit 200000 2>/dev/null && n0 tc qdisc add dev lo parent 1:1 handle 10: fq_codel; then
	flows() {
		local i
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
			n1 bash -c 'echo some data >/dev/udp/10.7.0.2/9' 2>/dev/null
		done
		within "$(n0 tc -s class show dev lo | grep -c 'class fq_codel')" 4 16
	}
	check inner_flows_are_told_apart flows
	n0 tc qdisc del dev lo root
else
	skip inner_flows_are_told_apart "no tbf or fq_codel"
fi

# The same over IPv6.
n1 $wg set wg0 peer "$(key 2)" endpoint '[::1]:2222'
capture 0 lo six.pcap ip6 and udp dst port 2222
reaches 1 10.7.0.2 >/dev/null
captured
check outer_ipv6_has_a_checksum equal "$(packets six.pcap 'ip6[46:2] == 0')" 0
ip1 link set wg0 down
ip1 link set wg0 up
capture 0 lo six.pcap ip6 and udp
reaches 1 10.7.0.2 >/dev/null
captured
check handshake_over_ipv6_has_traffic_class_0x88 test "$(verbose six.pcap 'ip6[44:2] == 156 or ip6[44:2] == 100' | grep -c 'class 0x88')" -ge 2

# The class the inner packet had, by its socket or by its DSCP where it was forwarded, ends at the tunnel: it would pick the outer packet's
# band, and show in the priority of a VLAN's header.
#   0: p ── p.7 10.4.0.1 ═══ 10.4.0.4 q.7 ── q :4        3: v 10.3.0.3 ── 10.3.0.1 v :1
namespaces 3 4
veth 0 p 4 q
veth 3 v 1 v
if ip0 link add link p name p.7 type vlan id 7 egress-qos-map 6:6 && ip4 link add link q name q.7 type vlan id 7; then
	ip0 link set p.7 up
	ip4 link set q.7 up
	address 0 p.7 10.4.0.1/24
	address 4 q.7 10.4.0.4/24
	address 3 v 10.3.0.3/24
	address 1 v 10.3.0.1/24
	ip3 route add default via 10.3.0.1
	n1 sysctl -qw net.ipv4.ip_forward=1
	n0 nft add rule ip e out udp dport 2222 meta mark != 7 counter
	ip2 link set wg0 down	# it would say where it is
	n1 $wg set wg0 fwmark 7 peer "$(key 2)" endpoint 10.4.0.4:2222
	# TOS 0x10 is priority 6 to Linux.
	capture 4 q vlan.pcap
	n0 ping -q -c 1 -W 2 -Q 0x10 10.4.0.4 >/dev/null
	n1 ping -q -c 3 -i 0.1 -W 1 -Q 0x10 -m 9 10.7.0.2 >/dev/null
	n3 ping -q -c 2 -i 0.1 -W 1 -Q 0x10 10.7.0.2 >/dev/null
	captured
	# priorities FILTER: of the captured packets' VLAN headers.
	priorities() {
		tcpdump -Z root -n -e -r vlan.pcap "vlan 7 and src host 10.4.0.1 and $1" 2>/dev/null | sed -n 's/.* vlan 7, p \([0-7]\),.*/\1/p' | tr -d '\n'
	}
	check priority_shows_where_there_is_no_tunnel equal "$(priorities icmp)" 6
	check inner_priority_does_not_show_outside equal "$(priorities 'udp dst port 2222')" 00000
	check outer_mark_is_the_devices grep -q 'mark != .* packets 0 ' <<<"$(n0 nft list chain ip e out)"
else
	skip inner_priority_does_not_show_outside "no VLANs"
fi
tap_done
