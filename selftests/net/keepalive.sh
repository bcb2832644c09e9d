#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keepalives: a hole in a NAT kept open, one answer to data that got none, and silence between idle peers.
#
#   ┌── 1 ───────────────┐   ┌── 0, NAT ────────────────┐   ┌────────────── 2 ──┐
#   │ wg0 10.7.0.1       │   │ in           masquerade  │   │     10.7.0.2 wg0  │
#   │ a   192.168.1.100  ├───┤ 192.168.1.1   10.0.0.1 ├───┤ a  10.0.0.100     │
#   └────────────────────┘   └──── UDP forgotten after 2 s ┘   └───────────────────┘
. "$(dirname "$0")/lib.sh"
need tcpdump nft

namespaces 0 1 2
veth 1 a 0 in
veth 2 a 0 out
address 1 a 192.168.1.100/24
address 0 in 192.168.1.1/24
address 0 out 10.0.0.1/24
address 2 a 10.0.0.100/24
ip1 route add default via 192.168.1.1
n0 sysctl -qw net.ipv4.ip_forward=1
n0 nft add table ip nat && n0 nft 'add chain ip nat post { type nat hook postrouting priority 100 ; }' &&
	n0 nft add rule ip nat post oifname out ip saddr 192.168.1.0/24 masquerade random || skip_all "no NAT"
n0 sysctl -qw net.netfilter.nf_conntrack_udp_timeout=2 net.netfilter.nf_conntrack_udp_timeout_stream=2 || skip_all "no conntrack"
for n in 1 2; do
	key $n >/dev/null
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24
done
n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32 endpoint 10.0.0.100:2222 persistent-keepalive 1
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32
ip2 link set wg0 up
ip1 link set wg0 up
check keepalive_at_once_on_up poll 5 shook 2 wg0
check peer_behind_nat_is_reached pings 2 10.7.0.1
inside=$(endpoint_of 2 wg0)
check nat_changed_the_source test "$inside" != 192.168.1.100:1111
sleep 3.5
check hole_is_still_open pings 2 10.7.0.1 -W 1
check hole_is_the_same equal "$(endpoint_of 2 wg0)" "$inside"
keepalives() {
	local before
	before=$(transfer 1 wg0 tx)
	sleep 4
	within $(($(transfer 1 wg0 tx) - before)) 64 192
}
check one_persistent_keepalive_a_second keepalives
n1 $wg set wg0 peer "$(key 2)" persistent-keepalive 0
sleep 3.5
check hole_closes_without_keepalive fails pings 2 10.7.0.1 -W 1
check endpoint_follows_through_a_new_hole pings 1 10.7.0.2
n1 $wg set wg0 peer "$(key 2)" persistent-keepalive 1
check keepalive_starts_when_it_is_set pings 2 10.7.0.1

# Passive keepalive: without any of the persistent kind, data that gets no answer gets one empty message after 10 s, and then all is still.
n1 $wg set wg0 peer "$(key 2)" persistent-keepalive 0
n0 sysctl -qw net.netfilter.nf_conntrack_udp_timeout=120 net.netfilter.nf_conntrack_udp_timeout_stream=120
reaches 1 10.7.0.2 >/dev/null
n2 nft add table inet f
n2 nft 'add chain inet f in { type filter hook input priority 0 ; }'
n2 nft add rule inet f in iifname wg0 udp dport 9 drop
sleep 12
capture 1 a idle.pcap udp port 2222
n1 bash -c 'echo data >/dev/udp/10.7.0.2/9'
# came DIRECTION HOST LENGTH: when, in milliseconds, a message of that kind was first seen
came() {
	tcpdump -Z root -n -tt -r idle.pcap "$1 host $2 and udp[4:2] $3" 2>/dev/null | awk '{ printf "%.0f\n", $1 * 1000; exit }' | grep .
}
check passive_keepalive poll 20 came dst 192.168.1.100 '== 40'
check it_comes_after_10_s within $(($(came dst 192.168.1.100 '== 40') - $(came src 192.168.1.100 '> 40'))) 9000 19999
sleep 15
captured
check one_data_message equal "$(packets idle.pcap 'src host 192.168.1.100 and udp[4:2] > 40')" 1
check keepalive_is_not_answered equal "$(packets idle.pcap)" 2
tap_done
