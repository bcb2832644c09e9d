#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Things that go while they are used: interfaces, peers, sessions.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   └───────────────────────┴───┘             └───┴───────────────────────┘
. "$(dirname "$0")/lib.sh"
need_helper pool

two_devices
check ping_before pings 1 10.7.0.2
traffic() {
	start 1 ping -q -f 10.7.0.2
	floods=("$started")
	start 2 ping -q -f -s 1000 10.7.0.1
	floods+=("$started")
	start 1 ping -q -f -s 8000 fd07::2
	floods+=("$started")
}
traffic
down_and_up() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		ip1 link set wg0 down && ip1 link set wg0 up || return
		[ $((i % 2)) = 0 ] || { ip2 link set wg0 down && ip2 link set wg0 up; } || return
	done
}
check storm_of_down_and_up_under_traffic down_and_up
down_and_up &
down_and_up
wait $!
check traffic_after_the_storms reaches 1 10.7.0.2

peers_go() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		n1 $wg set wg0 peer "$(key 2)" remove || return
		n1 $wg set wg0 peer "$(key 2)" preshared-key psk allowed-ips 10.7.0.2/32,fd07::2/128 endpoint 127.0.0.1:2222 || return
		[ $((i % 2)) = 0 ] || sleep 0.3
	done
}
check peer_is_removed_and_added_under_traffic peers_go
check traffic_after_the_removals reaches 1 10.7.0.2
both_remove() {
	n1 $wg set wg0 peer "$(key 2)" remove && n2 $wg set wg0 peer "$(key 1)" remove &&
		n1 $wg set wg0 peer "$(key 2)" preshared-key psk allowed-ips 10.7.0.2/32,fd07::2/128 endpoint 127.0.0.1:2222 &&
		n2 $wg set wg0 peer "$(key 1)" preshared-key psk allowed-ips 10.7.0.1/32,fd07::1/128 endpoint 127.0.0.1:1111
}
check both_sides_remove_each_other both_remove
check traffic_after_both_removals reaches 1 10.7.0.2
allowed_ips_change() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.0/24,fd07::2/128 && n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::/64 || return
	done
}
check allowed_ips_change_under_traffic allowed_ips_change
port_changes() {
	local i
	for i in 1 2 3 4 5 6; do
		n1 $wg set wg0 listen-port $((1200 + i)) fwmark $i || return
	done
	n1 $wg set wg0 listen-port 1111 fwmark 0
}
check port_and_mark_change_under_traffic port_changes
check traffic_after_all_changes reaches 1 10.7.0.2
check statistics_are_kept test "$(transfer 1 wg0 rx)" -gt 0

# Devices that are made, used and deleted under traffic, with a handshake open.
made_and_deleted() {
	local i
	for i in 1 2 3 4 5; do
		device 1 wgx && address 1 wgx 10.20.0.1/24 || return
		n1 $wg set wgx private-key 2.key peer "$(key 1)" endpoint 127.0.0.1:1111 allowed-ips 0.0.0.0/0 persistent-keepalive 1 || return
		ip1 link set wgx up
		n1 ping -q -c 20 -i 0.01 -W 1 10.20.0.2 >/dev/null
		ip1 link del wgx || return
	done
}
check devices_are_made_and_deleted made_and_deleted
check device_is_deleted_under_traffic ip2 link del wg0
sleep 0.5
check other_side_survives n1 $wg show wg0
device 2 wg0
address 2 wg0 10.7.0.2/24 fd07::2/64
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" preshared-key psk allowed-ips 10.7.0.1/32,fd07::1/128
ip2 link set wg0 up
# The other side still seals with keys nobody has; it notices after 15 s at the latest, and starts over.
came_back() {
	local i
	for i in 1 2 3; do
		reaches 1 10.7.0.2 && return
	done
	return 1
}
# The device that went above had its key and called last, perhaps: then 1 looks for it there.
n1 $wg set wg0 peer "$(key 2)" endpoint 127.0.0.1:2222
check peer_that_lost_its_memory_comes_back came_back
stop "${floods[@]}"

# What waits for a key belongs to nobody any more: neither a socket that others send by nor a network namespace waits with it.
n1 $wg set wg0 peer "$(key dead)" allowed-ips 10.7.0.66/32 endpoint 127.0.0.1:9
taken() {
	reaches 1 10.7.0.2 && equal "$(n1 "$helpers/pool" 10.7.0.66 10.7.0.2)" "dead 50 alive 1"
}
check peer_without_a_key_does_not_block_a_shared_socket taken
n1 $wg set wg0 peer "$(key dead)" remove
namespaces 3
veth 3 x 0 x
device 3 wgx
address 3 wgx 10.9.0.1/24
n3 $wg set wgx peer "$(key dead)" endpoint 192.0.2.9:9 allowed-ips 10.9.0.0/24
ip3 link set wgx up
n3 bash -c 'echo data >/dev/udp/10.9.0.9/9'
ip netns del "$(name_of 3)"
is_gone() {
	! ip0 link show x
}
check packet_that_waits_for_a_key_holds_no_namespace poll 10 is_gone

# An interface that is down neither sends nor answers, and forgets its session.
ip1 link set wg0 down
check device_that_is_down_does_not_answer fails pings 2 10.7.0.1 -W 1
n1 $wg set wg0 peer "$(key 2)" persistent-keepalive 1
sent=$(transfer 1 wg0 tx)
sleep 2.5
check device_that_is_down_sends_no_keepalive equal "$(transfer 1 wg0 tx)" "$sent"
ip1 link set wg0 up
check device_that_is_up_again_sends_one_at_once poll 5 sh -c "[ \$(ip netns exec $(name_of 1) $wg show wg0 transfer | cut -f 3) -gt $sent ]"
tap_done
