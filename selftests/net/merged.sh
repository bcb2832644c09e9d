#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Receive offloads that merge datagrams (rx-udp-gro-forwarding, rx-gro-list): routers and tuned servers have them on. What comes merged,
# encrypted or not, goes into, through and out of the tunnel whole, also where it is forwarded by a flow table, or to a smaller link.
#
#   ┌── 3, lan ────┐   ┌── 1, hub ───────────┐   ┌── 0, router ──────┐   ┌── 2, far ───────────┐
#   │              │   │ wg0 10.7.0.1        │   │                   │   │ wg0 10.7.0.2        │
#   │ e 10.1.0.2   ├───┤ l   10.1.0.1        │   │ a 192.0.2.254     │   │                     │
#   │   fd01::2    │   │ e   192.0.2.1       ├───┤ b 198.51.100.254  ├───┤ e   198.51.100.1    │
#   └──────────────┘   └─────────────────────┘   └───────────────────┘   └─────────────────────┘
. "$(dirname "$0")/lib.sh"
need ethtool nft tcpdump
need_helper stream
need_helper bursts

namespaces 0 1 2 3
veth 3 e 1 l
veth 1 e 0 a
veth 0 b 2 e
address 3 e 10.1.0.2/24 fd01::2/64
address 1 l 10.1.0.1/24 fd01::1/64
address 1 e 192.0.2.1/24
address 0 a 192.0.2.254/24
address 0 b 198.51.100.254/24
address 2 e 198.51.100.1/24
address 1 e fd0a::1/64
address 0 a fd0a::fe/64
address 0 b fd0b::fe/64
address 2 e fd0b::1/64
ip3 route add default via 10.1.0.1
ip3 -6 route add default via fd01::1
ip1 route add default via 192.0.2.254
ip2 route add default via 198.51.100.254
ip1 -6 route add default via fd0a::fe
ip2 -6 route add default via fd0b::fe
for n in 0 1; do
	in_ns $n sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
done
for n in 1 2; do
	key $n >/dev/null
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24 fd07::$n/64
done
n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128 endpoint 198.51.100.1:2222
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32,10.1.0.0/24,fd07::1/128,fd01::/64
ip1 link set wg0 up
ip2 link set wg0 up
ip2 route add 10.1.0.0/24 dev wg0
ip2 -6 route add fd01::/64 dev wg0
check ping_before reaches 3 10.7.0.2

# Cut by who makes the packets, so that it is the receivers who merge, what comes within 2 ms.
for link in '3 e' '1 e' '2 e' '1 l' '0 a' '0 b'; do
	in_ns ${link% *} ethtool -K ${link#* } tso off >/dev/null 2>&1
done
for link in '3 e' '1 e' '2 e'; do
	in_ns ${link% *} ethtool -K ${link#* } gso off tx-udp-segmentation off >/dev/null 2>&1
done
for n in 0 1 2 3; do
	in_ns $n bash -c 'for link in /sys/class/net/*/; do echo 2000000 >$link/gro_flush_timeout; done'
done
all_links() {
	local link
	for link in '3 e' '1 l' '1 e' '1 wg0' '0 a' '0 b' '2 e' '2 wg0'; do
		in_ns ${link% *} ethtool -K ${link#* } "$@" || return
	done
}
errors() {
	echo "$(counter 1 wg0 rx_errors) $(counter 2 wg0 rx_errors)"
}
bursts() {
	"$helpers/bursts" "$(name_of "$1")" "$(name_of "$2")" "$3" 20 >said || return
	equal "$(<said)" "sent 320 received 320"
}
# flow_table N DEVICE DEVICE: between these; slow_way N: the packets that were not forwarded by it.
flow_table() {
	in_ns "$1" nft "add table inet t; add flowtable inet t f { hook ingress priority 0; devices = { $2, $3 }; }
		add chain inet t c { type filter hook forward priority 0; }
		add rule inet t c meta l4proto { tcp, udp } flow add @f; add rule inet t c counter"
}
slow_way() {
	in_ns "$1" nft list chain inet t c | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}
before=$(errors)
for feature in rx-udp-gro-forwarding rx-gro-list; do
	if ! all_links gro on rx-udp-gro-forwarding off rx-gro-list off $feature on >why 2>&1; then
		skip "$feature" "$(tail -n 1 why)"
		continue
	fi
	capture 1 l plain.pcap 'udp and greater 2000'
	plain_id=$capture_id
	CAPTURE=out capture 0 b forwarded.pcap 'udp and greater 2000'
	forwarded_id=$capture_id
	capture 2 e sealed.pcap 'udp and greater 2000'
	check "datagrams_into_the_tunnel_with_$feature" bursts 3 2 10.7.0.2
	check "datagrams_out_of_the_tunnel_with_$feature" bursts 2 3 fd01::2
	captured
	stop $plain_id $forwarded_id
	check "datagrams_came_merged_with_$feature" within "$(packets plain.pcap)" 1 200
	check "messages_came_merged_with_$feature" within "$(packets sealed.pcap)" 1 999
	check "messages_were_forwarded_merged_with_$feature" within "$(packets forwarded.pcap)" 1 999
	check "stream_into_the_tunnel_with_$feature" stream 3 2 10.7.0.2 2
	check "stream_out_of_the_tunnel_with_$feature" stream 2 3 10.1.0.2 2
	check "stream_of_ipv6_into_the_tunnel_with_$feature" stream 3 2 fd07::2
	check "stream_of_ipv6_out_of_the_tunnel_with_$feature" stream 2 3 fd01::2
	# Of a merged packet only the first one's header is seen by who translates addresses.
	n1 nft 'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; add rule ip n p oifname wg0 ip saddr 10.1.0.0/24 masquerade'
	check "translated_datagrams_with_$feature" bursts 3 2 10.7.0.2
	check "translated_stream_with_$feature" stream 3 2 10.7.0.2 2
	n1 nft delete table ip n

	# Once a router knows a flow, the flow's packets do not come by its filters: outside the messages at 0, inside what they carry at 1.
	if flow_table 0 a b 2>why && flow_table 1 l wg0 2>why; then
		check "stream_into_the_tunnel_by_flow_tables_with_$feature" stream 3 2 10.7.0.2 3
		check "stream_out_of_the_tunnel_by_flow_tables_with_$feature" stream 2 3 fd01::2 3
		check "datagrams_into_the_tunnel_by_flow_tables_with_$feature" bursts 3 2 10.7.0.2
		check "flow_table_outside_was_used_with_$feature" within "$(slow_way 0)" 1 50
		check "flow_table_inside_was_used_with_$feature" within "$(slow_way 1)" 1 300
	else
		skip "flow_tables_with_$feature" "$(tail -n 1 why)"
	fi
	n0 nft delete table inet t 2>/dev/null
	n1 nft delete table inet t 2>/dev/null

	# A router whose way on is smaller cuts them to fragments; over IPv6 it tells the sender, who does.
	ip0 link set dev b mtu 1300
	capture 2 e small.pcap 'ip[6:2] & 0x3fff != 0 or ip6[6] == 44'
	check "stream_to_a_smaller_link_with_$feature" stream 3 2 10.7.0.2 2
	check "it_came_in_fragments_with_$feature" test "$(packets small.pcap ip)" -gt 0
	n2 $wg set wg0 peer "$(key 1)" endpoint '[fd0a::1]:1111'
	n1 $wg set wg0 peer "$(key 2)" endpoint '[fd0b::1]:2222'
	check "stream_to_a_smaller_link_over_ipv6_with_$feature" stream 3 2 10.7.0.2 2
	captured
	check "it_came_in_fragments_over_ipv6_with_$feature" test "$(packets small.pcap ip6)" -gt 0
	n2 $wg set wg0 peer "$(key 1)" endpoint 192.0.2.1:1111
	n1 $wg set wg0 peer "$(key 2)" endpoint 198.51.100.1:2222
	ip0 link set dev b mtu 1500
done
check nothing_is_malformed equal "$(errors)" "$before"
tap_done
