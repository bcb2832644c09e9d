#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Messages of one burst go down the stack as one packet, and are cut up again as late as the way outside allows.
#
#   ┌── 1 ── wg0 10.7.0.1 ── v1 192.0.2.1 ──┐   ┌── v2 192.0.2.2 ── wg0 10.7.0.2 ── 2 ──┐
#   └───────────────────────────────────────┴───┴───────────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need tcpdump ncat ethtool nft tc
need_helper stream

namespaces 1 2
veth 1 v1 2 v2
for n in 1 2; do
	address $n v$n 192.0.2.$n/24 fd02::$n/64
	key $n >/dev/null
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24 fd07::$n/64
done
n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128 endpoint 192.0.2.2:2222
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32,fd07::1/128
ip1 link set wg0 up
ip2 link set wg0 up
check ping_before pings 1 10.7.0.2
# outside HERE THERE: the addresses of 1 and 2. Both are told: what one still sends by the other way would bring the other back to it.
outside() {
	n2 $wg set wg0 peer "$(key 1)" endpoint "$1:1111" && n1 $wg set wg0 peer "$(key 2)" endpoint "$2:2222"
}

# One TCP connection from 1 to 2; it arrives as it was sent.
carries() {
	stream 1 2 "${1:-10.7.0.2}" 3
}
# Of the packets of a file: how many are longer than a link takes, and how many have a wrong checksum.
oversized() {
	packets "$1" greater 1600
}
wrong_checksums() {
	tcpdump -Z root -n -vv -r "$1" 2>/dev/null | grep -c 'bad udp cksum'
}

capture 1 v1 whole.pcap udp src port 1111
before=$(counter 1 wg0 tx_packets) bytes=$(counter 1 wg0 tx_bytes)
check burst_arrives carries
captured
check burst_leaves_as_one_packet test "$(oversized whole.pcap)" -gt 0
count=$(($(counter 1 wg0 tx_packets) - before)) bytes=$(($(counter 1 wg0 tx_bytes) - bytes))
check every_message_is_counted test $((count * 1452)) -ge $bytes
check every_byte_is_counted test $bytes -ge 3000000

# The device cannot cut, nor sum: the stack does, and the other side sees messages of their own with checksums.
cut() {
	n1 ethtool -K v1 tx-udp-segmentation off tx-checksumming off sg off
}
check offload_is_switched_off cut
capture 2 v2 cut.pcap udp src port 1111
check burst_arrives_cut carries
captured
check nothing_longer_than_the_link equal "$(oversized cut.pcap)" 0
check cut_messages_have_checksums equal "$(wrong_checksums cut.pcap)" 0

outside '[fd02::1]' '[fd02::2]'
capture 2 v2 cut.pcap ip6 and udp src port 1111
check burst_arrives_cut_over_ipv6 carries fd07::2
captured
check nothing_longer_than_the_link_over_ipv6 equal "$(oversized cut.pcap)" 0
check cut_messages_have_checksums_over_ipv6 equal "$(wrong_checksums cut.pcap)" 0
n1 ethtool -K v1 tx-checksumming on sg on tx-udp-segmentation on >/dev/null
capture 1 v1 whole.pcap ip6 and udp src port 1111
check burst_arrives_over_ipv6 carries fd07::2
captured
check burst_leaves_as_one_packet_over_ipv6 test "$(oversized whole.pcap)" -gt 0
outside 192.0.2.1 192.0.2.2

# A message that does not fit the way is a packet of its own, in fragments.
ip1 route add 192.0.2.2/32 dev v1 mtu 1300
capture 2 v2 narrow.pcap 'src host 192.0.2.1'
check burst_arrives_in_fragments carries
captured
check too_long_messages_leave_in_fragments test "$(packets narrow.pcap 'ip[6:2] & 0x3fff != 0')" -gt 0
check fragments_fit_the_way equal "$(packets narrow.pcap greater 1315)" 0
ip1 route del 192.0.2.2/32 dev v1

# What the firewall outside refuses was not sent, and is counted so: a burst is as many messages as it has.
not_sent() {
	echo $(($(counter 1 wg0 tx_dropped) + $(counter 1 wg0 tx_errors)))
}
# refused TABLE HERE THERE: 14 kB of a connection that was open before.
refused() {
	local listener writer sent lost
	rm -f open go
	outside "$2" "$3" && pings 1 10.7.0.2 || return
	start 2 timeout 60 ncat -l 10.7.0.2 7007
	listener=$started
	poll 10 listens 2 7007 || return
	start 1 timeout 60 bash -c "exec 3>/dev/tcp/10.7.0.2/7007; touch open; until [ -e go ]; do sleep 0.1; done; head -c 14000 /dev/zero >&3; sleep 60"
	writer=$started
	poll 10 test -e open || return
	n1 nft "add table $1 t; add chain $1 t out { type filter hook output priority 0; }; add rule $1 t out udp dport 2222 drop" || return
	sent=$(counter 1 wg0 tx_packets) lost=$(not_sent)
	touch go
	sleep 1
	equal "$(counter 1 wg0 tx_packets)" "$sent" && within $(($(not_sent) - lost)) 10 30
	sent=$?
	n1 nft delete table "$1" t
	stop $writer $listener
	return $sent
}
check refused_bursts_are_not_counted_as_sent refused ip 192.0.2.1 192.0.2.2
check refused_bursts_are_not_counted_as_sent_over_ipv6 refused ip6 '[fd02::1]' '[fd02::2]'
outside 192.0.2.1 192.0.2.2

# Captures and packet filters hold on to packets: nothing is opened where others look.
watchers=()
for n in 1 2; do
	start $n tcpdump -Z root -i any -w /dev/null
	watchers+=($started)
done
check burst_arrives_while_captured carries
check burst_arrives_while_captured_back stream 2 1 fd07::1
stop "${watchers[@]}"

# What is mirrored is somebody else's, too, and may lie in a queue for long: nothing is sealed, opened or given headers there.
# mirrored N DEVICE HOOK in|out: what the mirror shows 0.3 s later is what went by.
mirrored() {
	local n=$1 dev=$2 hook=$3 original
	ip -n "$(name_of $n)" link add name m type dummy && in_ns $n sysctl -qw net.ipv6.conf.m.disable_ipv6=1 &&
		ip -n "$(name_of $n)" link set dev m up && in_ns $n tc qdisc add dev m root netem delay 300ms limit 10000 || return
	CAPTURE=$4 capture $n "$dev" original.pcap
	original=$capture_id
	CAPTURE=out capture $n m mirror.pcap
	in_ns $n tc qdisc add dev "$dev" clsact && in_ns $n tc filter add dev "$dev" "$hook" protocol all matchall action mirred egress mirror dev m || return
	"$helpers/stream" "$(name_of 1)" "$(name_of 2)" 10.7.0.2 200 || return
	sleep 1
	# What comes from here on, an ARP probe, is in neither; what came before the mirror was there, in the original alone.
	in_ns $n tc qdisc del dev "$dev" clsact
	stop "$original"
	sleep 0.3
	captured
	ip -n "$(name_of $n)" link del dev m
	# bytes FILE: those of each packet, its link's header included
	bytes() { tcpdump -Z root -n -t -xx -r "$1" 2>/dev/null | grep -P '^\t0x'; }
	bytes mirror.pcap >mirror
	[ "$(packets mirror.pcap)" -gt 10 ] && bytes original.pcap | tail -n "$(wc -l <mirror)" | cmp - mirror
}
if n1 tc qdisc add dev lo root netem delay 1ms 2>why; then
	n1 tc qdisc del dev lo root
	check mirror_shows_what_is_sealed mirrored 1 wg0 egress out
	check mirror_shows_the_sealed mirrored 1 v1 egress out
	check mirror_shows_what_is_opened mirrored 2 v2 ingress in
	check mirror_shows_the_opened mirrored 2 wg0 ingress in
else
	skip mirror_shows_what_is_sealed "$(tail -n 1 why)"
fi

# Who shapes what comes in, or all of a host's devices together, sends it by way of another device first.
by_way_of() {
	local n dev hook
	for n in 1 2; do
		ip -n "$(name_of $n)" link add name i type ifb && ip -n "$(name_of $n)" link set dev i up || return
		for dev in wg0 v$n; do
			in_ns $n tc qdisc add dev $dev clsact || return
			for hook in ingress egress; do
				in_ns $n tc filter add dev $dev $hook protocol all matchall action mirred egress redirect dev i || return
			done
		done
	done
}
if by_way_of 2>why; then
	check burst_arrives_by_way_of_ifb carries
	check burst_arrives_by_way_of_ifb_back stream 2 1 fd07::1 3
	check ifb_saw_it test "$(counter 1 i tx_packets)" -gt 100
else
	skip burst_arrives_by_way_of_ifb "$(tail -n 1 why)"
fi
for n in 1 2; do
	in_ns $n tc qdisc del dev wg0 clsact
	in_ns $n tc qdisc del dev v$n clsact
done 2>/dev/null

# Where the kernel can cut them, TCP packets of more than 64 KB (BIG TCP) are for who asks: they are split like any other.
larger_packets() {
	ip1 link set wg0 gso_max_size 400000
}
case $(uname -r) in
[0-6].*)
	refused_larger_packets() { ! larger_packets; }
	check larger_packets_are_refused refused_larger_packets
	;;
*)
	check larger_packets_are_allowed larger_packets
	# However slow the way, as large as they may be.
	n1 sysctl -qw net.ipv4.tcp_tso_rtt_log=31
	capture 1 wg0 big.pcap dst host fd07::2
	carries_much() { stream 1 2 fd07::2 10; }
	check burst_of_larger_packets_arrives carries_much
	captured
	check they_were_larger test "$(packets big.pcap greater 65600)" -gt 0
	check as_before_again ip1 link set wg0 gso_max_size 65536
	# Over IPv4, too: such a packet's header has no length.
	check larger_packets_of_ipv4_are_allowed n1 "$helpers/gso_limit" wg0 400000
	capture 1 wg0 big.pcap dst host 10.7.0.2
	carries_much_of_ipv4() { stream 1 2 10.7.0.2 10; }
	check burst_of_larger_packets_of_ipv4_arrives carries_much_of_ipv4
	captured
	check those_were_larger test "$(packets big.pcap greater 65600)" -gt 0
	check as_before_again_of_ipv4 n1 "$helpers/gso_limit" wg0 65536
	;;
esac

# A tunnel in the tunnel: the outer device is handed packets that are to be cut.
inner_devices
check burst_arrives_through_two_tunnels carries 10.8.0.2
tap_done
