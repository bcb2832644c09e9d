#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A hub that passes packets from one peer to another by the same interface; and a router that knows a short cut for flows (nft's flowtable).
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── wg0 10.7.0.254, hub ────┐   ┌── 3 ──────────┐
#   ├── 2 ── wg0 10.7.0.2 ──┼───┤ e1 192.0.2.254                 ├───┤ e 10.1.0.2    │
#   │        e   192.0.2.N  │   │ e2 198.51.100.254  lan 10.1.0.1│   └───────────────┘
#   └───────────────────────┘   └────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need nft tcpdump
need_helper stream

namespaces 0 1 2 3
veth 1 e 0 e1
veth 2 e 0 e2
veth 3 e 0 lan
address 1 e 192.0.2.1/24
address 0 e1 192.0.2.254/24
address 2 e 198.51.100.2/24
address 0 e2 198.51.100.254/24
address 0 lan 10.1.0.1/24 fd01::1/64
address 3 e 10.1.0.2/24 fd01::2/64
ip3 route add default via 10.1.0.1
ip3 -6 route add default via fd01::1
n0 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=1
key 0 >/dev/null
device 0 wg0
address 0 wg0 10.7.0.254/24 fd07::ff/64
n0 $wg set wg0 private-key 0.key listen-port 2222
ip0 link set wg0 up
for n in 1 2; do
	key $n >/dev/null
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24 fd07::$n/64
	in_ns $n $wg set wg0 private-key $n.key peer "$(key 0)" allowed-ips 10.7.0.0/24,fd07::/64,10.1.0.0/24,fd01::/64 \
		endpoint $([ $n = 1 ] && echo 192.0.2.254 || echo 198.51.100.254):2222 persistent-keepalive 5
	n0 $wg set wg0 peer "$(key $n)" allowed-ips 10.7.0.$n/32,fd07::$n/128
	ip -n "$(name_of $n)" link set wg0 up
	ip -n "$(name_of $n)" route add 10.1.0.0/24 dev wg0
	ip -n "$(name_of $n)" -6 route add fd01::/64 dev wg0
done
check hub_knows_its_peers poll 20 shook 0 wg0
capture 1 wg0 redirects.pcap 'icmp[0] == 5 or (icmp6 and ip6[40] == 137)'
check peer_reaches_peer reaches 1 10.7.0.2
check stream_from_peer_to_peer stream 1 2 10.7.0.2 3
check stream_back stream 2 1 10.7.0.1 2
check stream_of_ipv6_from_peer_to_peer stream 1 2 fd07::2 2
check fragments_from_peer_to_peer pings 1 10.7.0.2 -s 9000
hop() {
	n1 ping -c 1 -W 3 -t 1 10.7.0.2 | grep -qi 'from 10.7.0.254.*time to live exceeded'
}
check hub_is_one_hop poll 6 hop
captured
check nobody_is_redirected equal "$(packets redirects.pcap)" 0
unreachable() {
	n1 ping -c 1 -W 3 10.7.0.77 | grep -qi 'from 10.7.0.254.*unreachable'
}
check missing_peer_is_told_of unreachable

n0 nft -f - 2>why <<'END' || { skip short_cut "no flowtable: $(head -n 1 why)"; tap_done; exit; }
table inet f {
	flowtable ft { hook ingress priority 0; devices = { lan, wg0 }; }
	chain c {
		type filter hook forward priority 0;
		meta l4proto { tcp, udp } counter flow add @ft
	}
}
END
check flow_into_the_tunnel stream 3 1 10.7.0.1 3
check flow_out_of_the_tunnel stream 1 3 10.1.0.2 3
check flow_of_ipv6_into_the_tunnel stream 3 1 fd07::1 2
check flow_of_ipv6_out_of_the_tunnel stream 1 3 fd01::2 2
check flow_from_peer_to_peer stream 2 1 10.7.0.1 2
the_long_way() {
	n0 nft list chain inet f c | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}
check short_cut_is_taken within "$(the_long_way)" 1 200
n0 nft 'add table ip n; add chain ip n p { type nat hook postrouting priority 100; }; add rule ip n p oifname wg0 masquerade'
check translated_flow stream 3 2 10.7.0.2 3
# The interface restarts under the short cuts, and goes under them.
ip0 link set wg0 down
ip0 link set wg0 up
check tunnel_after_a_restart reaches 3 10.7.0.1
check flow_after_a_restart stream 1 3 10.1.0.2
check interface_goes_with_its_flows ip0 link del wg0
tap_done
