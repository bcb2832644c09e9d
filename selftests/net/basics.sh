#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tunnel carries what it is given: four combinations of address families, bytes counted, MTUs, TCP.
#
#   ┌── 1 ─────────────┐   ┌────────── 0 ──────────┐   ┌───────────── 2 ──┐
#   │ wg0  10.7.0.1    │   │  UDP 1111 ⇄ UDP 2222  │   │    10.7.0.2  wg0 │
#   │      fd07::1     ├───┤  lo: 127.0.0.1, ::1   ├───┤    fd07::2       │
#   └──────────────────┘   └───────────────────────┘   └──────────────────┘
. "$(dirname "$0")/lib.sh"
need ss tc
need_helper stream

two_devices
check first_ten_pings_are_answered n1 ping -q -c 10 -i 0.05 -W 5 10.7.0.2

# An initiation of 148, ten messages of 128, and a keepalive of 32 if it came before the first of them; a response of 92 and ten answers.
statistics() {
	within "$(transfer 1 wg0 tx)" 1428 1460 && equal "$(transfer 1 wg0 rx)" 1372 &&
		within "$(transfer 2 wg0 rx)" 1428 1460 && equal "$(transfer 2 wg0 tx)" 1372 &&
		equal "$(transfer 1 wg0 tx)" "$(transfer 2 wg0 rx)"
}
check ten_pings_are_counted_to_the_byte_by_the_peers statistics
device_statistics() {
	equal "$(counter 1 wg0 tx_bytes)" "$(transfer 1 wg0 tx)" && equal "$(counter 1 wg0 rx_bytes)" 1372 &&
		equal "$(counter 2 wg0 rx_bytes)" "$(transfer 2 wg0 rx)" && equal "$(counter 2 wg0 tx_bytes)" 1372
}
# Where a second look is needed, a keepalive came in the middle of the first.
once_or_twice() {
	"$@" || "$@"
}
check ten_pings_are_counted_to_the_byte_by_the_devices once_or_twice device_statistics

properties() {
	equal "$(n1 cat /sys/class/net/wg0/mtu)" 1420 && equal "$(n1 cat /sys/class/net/wg0/type)" 65534 &&
		ip1 -d link show wg0 | grep -q 'POINTOPOINT,NOARP' && ip1 -d link show wg0 | grep -q 'qdisc noqueue' &&
		n1 grep -qx DEVTYPE=wireguard /sys/class/net/wg0/uevent
}
check device_is_point_to_point_without_arp_and_queue properties
check device_has_no_link_local_address fails sh -c "ip -n $(name_of 1) -6 addr show dev wg0 | grep fe80"
check carrier_is_on equal "$(n1 cat /sys/class/net/wg0/carrier)" 1

# both_ways UNDERLAY: everything over one underlay.
both_ways() {
	check "ipv4_over_$1" n1 ping -q -c 3 -i 0.05 -W 5 10.7.0.2
	check "ipv6_over_$1" n1 ping -q -c 3 -i 0.05 -W 5 fd07::2
	check "ipv4_back_over_$1" n2 ping -q -c 3 -i 0.05 -W 5 10.7.0.1
	check "ipv6_back_over_$1" n2 ping -q -c 3 -i 0.05 -W 5 fd07::1
	check "tcp_ipv4_over_$1" stream 1 2 10.7.0.2 2
	check "tcp_ipv6_back_over_$1" stream 2 1 fd07::1 2
	check "big_ping_over_$1" n1 ping -q -c 2 -i 0.05 -W 5 -s 20000 10.7.0.2
	check "big_ping6_over_$1" n1 ping -q -c 2 -i 0.05 -W 5 -s 20000 fd07::2
}
both_ways ipv4
n1 $wg set wg0 peer "$(key 2)" endpoint '[::1]:2222'
n2 $wg set wg0 peer "$(key 1)" endpoint '[::1]:1111'
both_ways ipv6

# Segmentation offload only shows as correct streams, so it is proved by switching it off too.
check gso_is_a_feature sh -c "ip netns exec $(name_of 1) ethtool -k wg0 | grep -qx 'generic-segmentation-offload: on'"
check rx_checksumming_is_a_feature sh -c "ip netns exec $(name_of 1) ethtool -k wg0 | grep -qx 'rx-checksumming: on'"
n1 ethtool -K wg0 gso off tso off sg off >/dev/null 2>&1
check tcp_without_segmentation_offload stream 1 2 10.7.0.2
n1 ethtool -K wg0 sg on gso on tso on >/dev/null 2>&1
check udp_in_fragments n1 ping -q -c 2 -i 0.05 -W 5 -s 60000 10.7.0.2

# mtu BYTES: both sides.
mtu() {
	ip1 link set wg0 mtu "$1" && ip2 link set wg0 mtu "$1"
}
# full_size MTU: a packet of just that size, not to be fragmented inside.
full_size() {
	mtu "$1" && n1 ping -q -c 2 -i 0.05 -W 5 -M do -s $(($1 - 28)) 10.7.0.2 && n1 ping -q -c 1 -W 5 -s $(($1 - 29)) 10.7.0.2
}
for size in 68 575 576 1280 1281 1419 1420 1500 9000 65000; do
	check "full_size_at_mtu_$size" full_size $size
done
# The outer packet cannot be larger than UDP allows, so at this MTU only smaller ones pass.
largest() {
	mtu 65535 && n1 ping -q -c 1 -W 5 -s 60000 10.7.0.2
}
check mtu_65535 largest
check mtu_of_two_gigabytes ip1 link set wg0 mtu 2147483520
check ping_at_mtu_of_two_gigabytes pings 1 10.7.0.2 -s 30000
mtu 9000
check tcp_at_mtu_9000 stream 1 2 10.7.0.2 2
# TCP's segments do not care about the MTU of the way back.
ip2 link set wg0 mtu 1300
check tcp_at_unequal_mtus stream 1 2 10.7.0.2

# Below 68 the kernel takes the addresses off a device and stacks send nothing by it; what is redirected to it still gets there.
mtu 1420
reaches 1 10.7.0.2 >/dev/null
ip1 link add d0 type dummy
ip1 link set d0 up
ip1 addr add 10.7.0.1/32 dev d0
ip1 route add 10.7.9.0/24 dev d0 src 10.7.0.1
ip1 neigh add 10.7.9.9 lladdr 02:00:00:00:00:09 dev d0
n1 $wg set wg0 peer "$(key 2)" allowed-ips +10.7.9.0/24 2>/dev/null ||
	n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128,10.7.9.0/24
counter_above() {
	[ "$(counter "$1" "$2" "$3")" -gt "$4" ]
}
zero() {
	local before
	ip1 link set wg0 mtu "$1" && before=$(counter 2 wg0 rx_packets) &&
		n1 ping -q -c 3 -i 0.05 -W 0.1 -s "$2" 10.7.9.9
	poll 5 counter_above 2 wg0 rx_packets $((before + 2))
}
if n1 tc qdisc add dev d0 clsact && n1 tc filter add dev d0 egress protocol all matchall action mirred egress redirect dev wg0; then
	for size in 0 1 15 16 67; do
		check "packets_at_mtu_${size}_arrive" zero $size 100
	done
	check empty_packets_at_mtu_0_arrive zero 0 0
else
	skip packets_at_mtu_0_arrive "tc cannot redirect"
fi
ip1 link set wg0 mtu 1420
ip1 addr add 10.7.0.1/24 dev wg0
ip1 route replace 10.7.0.0/24 dev wg0
check tunnel_works_after_mtu_0 reaches 1 10.7.0.2
tap_done
