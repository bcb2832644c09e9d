#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The edges of a burst that leaves as one packet: one message, as many as fit, a short last one, mixed sizes; and a way out that becomes
# another one while they wait for it.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐                  ┌── 2 ── wg0 10.7.0.2 ──┐
#   │ e 10.5.0.1, fd05::1   ├──────────────────┤ e 10.5.0.2, fd05::2   │
#   │ f 10.6.0.1            ├──────────────────┤ f 10.6.0.2            │
#   └───────────────────────┘                  └───────────────────────┘
. "$(dirname "$0")/lib.sh"
need tcpdump ethtool
need_helper bursts
need_helper stream

two_apart
veth 1 f 2 f
address 1 f 10.6.0.1/24
address 2 f 10.6.0.2/24
check ping_before reaches 1 10.7.0.2

# outside HERE THERE: the addresses of 1 and 2. Both are told: what one still sends by the other way would bring the other back to it.
outside() {
	n2 $wg set wg0 peer "$(key 1)" endpoint "$1:1111" && n1 $wg set wg0 peer "$(key 2)" endpoint "$2:2222"
}
# arrive COUNT BURST [COMMAND]: so many datagrams in all, as they were sent.
arrive() {
	"$helpers/bursts" "$(name_of 1)" "$(name_of 2)" 10.7.0.2 1 "$2" ${3:+"$3"} >said || return
	equal "$(<said)" "sent $1 received $1"
}
# A message is the datagram, 28 bytes, padded to 16, and 32 bytes; of a packet outside the 28 bytes in front count, too.
edges() {
	check "one_message_$1" arrive 1 900
	check "64_messages_$1" arrive 64 900x64
	check "64_messages_the_last_one_short_$1" arrive 64 900x63+100
	check "65_messages_$1" arrive 65 900x64,900
	check "more_bytes_than_one_packet_has_$1" arrive 46 1392x46
}
capture 1 e edges.pcap ip and udp dst port 2222
edges over_ipv4
captured
check one_message_is_a_packet equal "$(packets edges.pcap 'ip[2:2] == 988')" 2
check 64_messages_are_one_packet equal "$(packets edges.pcap 'ip[2:2] == 61468')" 2
check the_last_may_be_short equal "$(packets edges.pcap 'ip[2:2] == 60668')" 1
check as_many_as_fit_are_one_packet equal "$(packets edges.pcap 'ip[2:2] == 65368 or ip[2:2] == 1480')" 2
outside '[fd05::1]' '[fd05::2]'
capture 1 e edges.pcap ip6 and udp dst port 2222
edges over_ipv6
captured
check 64_messages_are_one_packet_over_ipv6 equal "$(packets edges.pcap 'ip6[4:2] == 61448')" 2
check as_many_as_fit_are_one_packet_over_ipv6 equal "$(packets edges.pcap 'ip6[4:2] == 65348 or ip6[4:2] == 1460')" 2
outside 10.5.0.1 10.5.0.2

# What wg0 offers, the sockets above need not take.
without_offloads() {
	n1 ethtool -K wg0 tx off sg off gso off && n2 ethtool -K wg0 tx off sg off gso off gro off
}
check wg0_offers_nothing without_offloads
check stream_without_offloads stream 1 2 10.7.0.2
check stream_of_ipv6_without_offloads stream 2 1 fd07::1
n1 ethtool -K wg0 tx on sg on gso on >/dev/null
n2 ethtool -K wg0 tx on sg on gso on gro on >/dev/null

# waiting COUNT BURST [COMMAND]: what is sent without a session leaves at once when there is one. COMMAND runs meanwhile; then 2 calls.
waiting() {
	n2 $wg set wg0 listen-port 2223 peer "$(key 1)" remove
	n2 $wg set wg0 peer "$(key 1)" allowed-ips 10.7.0.1/32,fd07::1/128 endpoint 10.5.0.1:1111
	n1 $wg set wg0 peer "$(key 2)" remove
	n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128 endpoint 10.5.0.2:2222
	arrive "$1" "$2" "${3:-true} && $netns_exec $(name_of 2) $wg set wg0 listen-port 2222 && $netns_exec $(name_of 2) ping -q -c 1 -W 9 10.7.0.1 >/dev/null"
}
mixed=1000,64,64x30+10,1392x20+700,500,1392,1392,4,900x63+100
capture 1 e mixed.pcap udp dst port 2222
check mixed_sizes_arrive waiting 122 $mixed
captured
# Equal messages, and the first shorter one after them, are one packet; a round of 64 messages ends one, too.
check mixed_sizes_leave_as_few_packets within "$(packets mixed.pcap 'udp[4:2] > 200')" 5 20

capture 1 f other.pcap udp dst port 2222
check messages_take_the_route_of_when_they_leave waiting 122 $mixed "ip -n $(name_of 1) route add 10.5.0.2/32 via 10.6.0.2 dev f"
captured
check they_took_it test "$(packets other.pcap greater 1600)" -gt 0
ip1 route del 10.5.0.2/32
# More than both ends have room for: some of it is still to be sent when half has arrived.
capture 1 f other.pcap udp dst port 2222
check stream_outlives_another_route stream 1 2 10.7.0.2 24 "ip -n $(name_of 1) route add 10.5.0.2/32 via 10.6.0.2 dev f"
captured
check it_took_it test "$(packets other.pcap greater 1600)" -gt 0
ip1 route del 10.5.0.2/32

# A link's MTU that is less than when they were sent: outside they leave in fragments, inside they are as they are.
fragments() {
	packets "$1" 'ip[6:2] & 0x3fff != 0 or ip6[6] == 44'
}
capture 2 e narrow.pcap
check messages_longer_than_the_link_arrive waiting 122 $mixed "ip -n $(name_of 1) link set e mtu 1300"
captured
check they_left_in_fragments test "$(fragments narrow.pcap)" -gt 0
check none_left_whole equal "$(packets narrow.pcap 'src host 10.5.0.1 and (ip[2:2] == 1480 or ip[2:2] == 2996 or ip[2:2] == 29836)')" 0
ip1 link set e mtu 1500
capture 2 e narrow.pcap
check stream_outlives_a_smaller_link stream 1 2 10.7.0.2 24 "ip -n $(name_of 1) link set e mtu 1300"
captured
check it_left_in_fragments test "$(fragments narrow.pcap)" -gt 0
ip1 link set e mtu 1500
outside '[fd05::1]' '[fd05::2]'
capture 2 e narrow.pcap
check stream_outlives_a_smaller_link_over_ipv6 stream 1 2 fd07::2 24 "ip -n $(name_of 1) link set e mtu 1300"
captured
check it_left_in_fragments_over_ipv6 test "$(fragments narrow.pcap)" -gt 0
ip1 link set e mtu 1500
check messages_longer_than_the_tunnel_arrive waiting 122 $mixed "ip -n $(name_of 1) link set wg0 mtu 1300"
ip1 link set wg0 mtu 1420
check stream_outlives_a_smaller_tunnel stream 1 2 10.7.0.2 24 "ip -n $(name_of 1) link set wg0 mtu 1300"
tap_done
