#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Network namespaces: a device moves, its sockets stay where it was born, and namespaces die in any order.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐      3, 4: the ones that die
#   └───────────────────────┴───┘             └───┴───────────────────────┘
. "$(dirname "$0")/lib.sh"
need ss

two_devices
check device_moved_before_its_keys_works pings 1 10.7.0.2
sockets() {
	in_ns "$1" ss -Hlun | awk '{ print $4 }' | grep -c ":$2\$"
}
check sockets_are_in_the_birth_namespace equal "$(sockets 0 1111)" 2
check sockets_are_not_where_the_device_is equal "$(sockets 1 1111)" 0
n1 $wg set wg0 listen-port 1113
check new_port_is_in_the_birth_namespace equal "$(sockets 0 1113)" 2
check old_port_is_free equal "$(sockets 0 1111)" 0
n1 $wg set wg0 listen-port 1111

# Moved with its keys and its session.
namespaces 3
moved() {
	ip1 link set wg0 netns "$(name_of 3)" && address 3 wg0 10.7.0.1/24 && ip3 link set wg0 up && reaches 3 10.7.0.2
}
check device_moved_after_its_keys_works moved
check moved_device_keeps_its_socket equal "$(sockets 0 1111)" 2
ip3 link set wg0 netns "$(name_of 1)"
address 1 wg0 10.7.0.1/24
ip1 link set wg0 up
check device_moved_back_works reaches 1 10.7.0.2

port_taken() {
	device 3 wg9 && n3 $wg set wg9 listen-port 2222 && ip3 link set wg9 up
}
check taken_port_is_refused fails port_taken
check refused_device_is_down fails sh -c "ip -n $(name_of 3) link show wg9 | grep -q ',UP'"
check refused_device_comes_up_with_another_port sh -c "ip netns exec $(name_of 3) $wg set wg9 listen-port 0 && ip -n $(name_of 3) link set wg9 up"
ip3 link del wg9

# The birth namespace dies first.
namespaces 4
born_in_4() {
	device 3 wg4 4 && n3 $wg set wg4 private-key 1.key listen-port 4444 && ip3 link set wg4 up &&
		equal "$(n3 cat /sys/class/net/wg4/carrier)" 1
}
check device_born_in_another_namespace_has_carrier born_in_4
n3 $wg set wg4 peer "$(key 2)" endpoint 127.0.0.1:1 allowed-ips 10.7.4.0/24
ip3 route add 10.7.4.0/24 dev wg4
n3 ping -q -c 1 -W 1 10.7.4.1 >/dev/null
ip netns del "$(name_of 4)"
no_carrier() {
	[ "$(n3 cat /sys/class/net/wg4/carrier)" = 0 ]
}
check carrier_goes_with_the_birth_namespace poll 10 no_carrier
check orphan_is_still_shown n3 $wg show wg4
check orphan_sends_nothing fails pings 3 10.7.4.1 -W 1
check orphan_goes_down ip3 link set wg4 down
ip3 link set wg4 up 2>/dev/null
check orphan_survives_a_new_port sh -c "ip netns exec $(name_of 3) $wg set wg4 listen-port 4445; ip netns exec $(name_of 3) $wg show wg4 >/dev/null"
check orphan_is_deleted ip3 link del wg4

# Crosswise: each device in the namespace where the other was born; nothing else holds them.
namespaces 4
crosswise() {
	ip3 link add x3 type wireguard && ip4 link add x4 type wireguard &&
		ip3 link set x3 netns "$(name_of 4)" && ip4 link set x4 netns "$(name_of 3)" &&
		address 4 x3 10.8.0.1/24 && address 3 x4 10.8.0.2/24 &&
		n4 $wg set x3 private-key 1.key listen-port 5555 peer "$(key 2)" allowed-ips 10.8.0.2/32 endpoint 10.8.1.4:6666 &&
		n3 $wg set x4 private-key 2.key listen-port 6666 peer "$(key 1)" allowed-ips 10.8.0.1/32 endpoint 10.8.1.3:5555 &&
		ip4 link set x3 up && ip3 link set x4 up
}
veth 3 v 4 v
address 3 v 10.8.1.3/24
address 4 v 10.8.1.4/24
check crosswise_devices crosswise
check crosswise_devices_talk pings 4 10.8.0.2
check namespaces_of_crosswise_devices_are_deleted sh -c "ip netns del $(name_of 3) && ip netns del $(name_of 4)"
# A leak shows itself in the kernel's log, every ten seconds.
log_is_quiet() {
	! dmesg | grep -q 'unregister_netdevice: waiting for wg\|unregister_netdevice: waiting for x[34]\|unregister_netdevice: waiting for lo'
}

# A device whose namespace dies while packets are under way, over and over.
storm() {
	local round
	for round in 1 2 3 4 5; do
		namespaces 3
		device 3 wgs || return
		address 3 wgs 10.9.0.1/24
		n3 $wg set wgs private-key 3.key listen-port 3333 peer "$(key 2)" allowed-ips 10.9.0.0/24 endpoint 127.0.0.1:2222
		ip3 link set wgs up
		in_ns 3 timeout 5 ping -q -f 10.9.0.2 >/dev/null 2>&1 &
		sleep 0.3
		kill $(ip netns pids "$(name_of 3)") 2>/dev/null
		ip netns del "$(name_of 3)" || return
		wait $!
	done
	:
}
key 3 >/dev/null
n2 $wg set wg0 peer "$(key 3)" allowed-ips 10.9.0.1/32
check namespaces_die_with_traffic storm
n2 $wg set wg0 peer "$(key 3)" remove
check two_devices_still_talk pings 1 10.7.0.2

# The birth namespace of two live devices dies under their traffic.
start 1 ping -q -f 10.7.0.2
sleep 0.5
check birth_namespace_dies_under_traffic ip netns del "$(name_of 0)"
off() {
	[ "$(n1 cat /sys/class/net/wg0/carrier)$(n2 cat /sys/class/net/wg0/carrier)" = 00 ]
}
check both_devices_lose_their_carrier poll 10 off
stop "$started"
check device_without_birth_namespace_is_deleted ip1 link del wg0
check its_namespace_is_deleted_with_the_device ip netns del "$(name_of 2)"
sleep 11
check nothing_waits_for_a_device log_is_quiet
tap_done
