#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The device as those see it who write to it: errors, raw writers, broken packets from inside and outside.
#
#   ┌── 3 ──────────────┐   ┌── 1, router and NAT ──┐                  ┌── 2 ──────────┐
#   │ v 10.3.0.3        ├───┤ v 10.3.0.1            │                  │               │
#   │   fd03::3         │   │   fd03::1             ├──── 0, lo ───────┤ wg0 10.7.0.2  │
#   └───────────────────┘   │ wg0 10.7.0.1, fd07::1 │                  └───────────────┘
#                           └───────────────────────┘
. "$(dirname "$0")/lib.sh"
need tcpdump
need_helper packet

two_devices
check ping_before pings 1 10.7.0.2
counter_above() {
	[ "$(counter "$1" "$2" "$3")" -gt "$4" ]
}

# ---- ICMP errors ----
refused() {
	in_ns 1 ping -c 1 -W 3 "$1" | grep -i "$2"
}
check no_peer_answers_host_unreachable refused 10.7.0.77 'Destination Host Unreachable'
check no_peer_answers_address_unreachable refused fd07::77 'Address unreachable'
n1 $wg set wg0 peer "$(key 9)" allowed-ips 10.7.0.78/32,fd07::78/128
check no_endpoint_answers_host_unreachable refused 10.7.0.78 'Destination Host Unreachable'
check no_endpoint_answers_address_unreachable refused fd07::78 'Address unreachable'
tx_errors() {
	local before
	before=$(counter 1 wg0 tx_errors)
	n1 ping -q -c 1 -W 1 10.7.0.77
	counter_above 1 wg0 tx_errors "$before"
}
check no_peer_is_a_transmit_error tx_errors
# Whoever writes is told by the errno that users know.
write_says() {
	in_ns 1 bash -c "echo x >/dev/udp/$1/9" 2>&1 | grep -i "$2"
}
check writer_without_peer_is_told write_says 10.7.0.77 'required key not available'
check writer_without_endpoint_is_told write_says 10.7.0.78 'destination address required'

# Behind NAT the error must go to the host that sent the packet, and not be translated away.
namespaces 3
veth 3 v 1 v
address 3 v 10.3.0.3/24 fd03::3/64
address 1 v 10.3.0.1/24 fd03::1/64
ip3 route add default via 10.3.0.1
ip3 -6 route add default via fd03::1
n1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
forwarded() {
	in_ns 3 ping -c 2 -i 0.3 -W 2 "$1" | grep -i "From $2.*$3"
}
check forwarded_packet_is_answered forwarded 10.7.0.77 10.3.0.1 unreachable
check forwarded_packet_is_answered_ipv6 forwarded fd07::77 fd03::1 unreachable
if type -P nft >/dev/null && n1 nft add table ip nat && n1 nft 'add chain ip nat post { type nat hook postrouting priority 100 ; }' &&
	n1 nft add rule ip nat post oifname wg0 masquerade; then
	check masqueraded_packet_goes_through pings 3 10.7.0.2
	check masqueraded_packet_is_answered forwarded 10.7.0.77 10.3.0.1 unreachable
	n1 nft delete table ip nat
else
	skip masqueraded_packet_is_answered "no NAT"
fi

# ---- raw writers ----
write() {
	in_ns 1 "$helpers/packet" wg0 "$@"
}
# arrives OPTION...: what is written goes through the tunnel.
arrives() {
	local before
	before=$(counter 2 wg0 rx_packets)
	write "$@" && poll 5 counter_above 2 wg0 rx_packets "$before"
}
# lost OPTION...: it does not, and nothing breaks.
lost() {
	local before
	before=$(counter 2 wg0 rx_packets)
	write "$@" && sleep 0.2 && equal "$(counter 2 wg0 rx_packets)" "$before"
}
check packet_socket_writes_ipv4 arrives --protocol 0x0800 --ipv4 10.7.0.1 10.7.0.2
check packet_socket_writes_ipv6 arrives --protocol 0x86dd --ipv6 fd07::1 fd07::2
check packet_socket_of_kind_datagram_writes arrives --dgram --protocol 0x0800 --ipv4 10.7.0.1 10.7.0.2
check packet_socket_with_protocol_0_writes_ipv4 arrives --protocol 0 --ipv4 10.7.0.1 10.7.0.2
check packet_socket_with_protocol_0_writes_ipv6 arrives --protocol 0 --ipv6 fd07::1 fd07::2
capture 1 any icmp.pcap '(icmp[0] == 3 and icmp[1] == 1) or (icmp6 and ip6[40] == 1 and ip6[41] == 3)'
check arp_is_lost lost --protocol 0x0806 --size 60 --random 1
check ipv4_as_ipv6_is_lost lost --protocol 0x86dd --ipv4 10.7.0.1 10.7.0.77
check unknown_protocol_is_lost lost --protocol 0x88b5 --hex 0011223344556677
check truncated_ipv4_is_lost lost --protocol 0x0800 --hex 4500001400000000
check truncated_ipv6_is_lost lost --protocol 0x86dd --hex 6000000000000000
check single_byte_is_lost lost --protocol 0x0800 --hex 45
captured
check none_of_them_is_answered equal "$(packets icmp.pcap)" 0
check garbage_is_survived write --protocol 0x0800 --size 1400 --random 7 --count 2000
check garbage_without_protocol_is_survived write --protocol 0 --size 200 --random 8 --count 2000
check ping_after_garbage pings 1 10.7.0.2
length_error() {
	local before
	before=$(counter 2 wg0 rx_length_errors)
	write --protocol 0x0800 --size 100 --say 1000 --ipv4 10.7.0.1 10.7.0.2 && poll 5 counter_above 2 wg0 rx_length_errors "$before"
}
check inner_length_beyond_the_packet_is_a_length_error length_error
trimmed() {
	capture 2 wg0 trim.pcap 'udp port 4001'
	arrives --protocol 0x0800 --size 100 --say 60 --ipv4 10.7.0.1 10.7.0.2
	captured
	tcpdump -Z root -n -v -r trim.pcap
	equal "$(packets trim.pcap)" 1 && equal "$(stat -c %s trim.pcap)" $((24 + 16 + 60))
}
check inner_length_below_the_packet_trims_it trimmed

# ---- garbage from outside, to the socket ----
outside() {
	head -c 65503 /dev/urandom >noise
	n0 bash -c 'for type in 0 1 2 3 4; do
		for size in 1 4 16 31 32 33 64 92 148 149 1000 65507; do
			{ printf "\\x0$type\0\0\0"; cat noise; } | head -c $size >message
			cat message >/dev/udp/127.0.0.1/2222
		done
	done'
	pings 1 10.7.0.2
}
capture 0 lo answers.pcap udp src port 2222
check garbage_from_outside_is_survived outside
captured
check garbage_is_not_answered equal "$(packets answers.pcap 'not udp dst port 1111')" 0
tap_done
