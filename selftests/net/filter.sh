#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Cryptokey routing: the inner destination picks the peer, and the inner source must be the peer's.
#
#   ┌── 1 ─────────────┐   ┌── 0 ──┐   ┌── 2 ── wg0 10.7.0.2, fd07::2 and sources it makes up
#   │ wg0  10.7.0.1    ├───┤  lo   ├───┤
#   │      fd07::1     │   └───┬───┘   └── 3 ── wg0 10.7.0.3, fd07::3, 10.7.9.9
#   └──────────────────┘       └─────────
. "$(dirname "$0")/lib.sh"

two_devices
namespaces 3
key 3 >/dev/null
device 3 wg0
address 3 wg0 10.7.0.3/24 fd07::3/64
n3 $wg set wg0 private-key 3.key listen-port 3333 peer "$(key 1)" allowed-ips 10.7.0.1/32,fd07::1/128 endpoint 127.0.0.1:1111
n1 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.3/32,fd07::3/128 endpoint 127.0.0.1:3333
ip3 link set wg0 up
check ping_peer_2 pings 1 10.7.0.2
check ping_peer_3 pings 1 10.7.0.3

frame_errors() {
	counter 1 wg0 rx_frame_errors
}
# delivered N: what 1 counts as received from N: packets and bytes of the device, bytes of the peer.
delivered() {
	echo "$(counter 1 wg0 rx_packets) $(counter 1 wg0 rx_bytes) $(n1 $wg show wg0 transfer | awk -v key="$(key "$1")" '$1 == key { print $2 }')"
}
# none_of_three BEFORE AFTER: of three pings, 128 bytes each, none was received; a keepalive or a handshake may have been.
none_of_three() {
	local before after
	read -ra before <<<"$1"
	read -ra after <<<"$2"
	echo "received: $1, then $2"
	within $((after[0] - before[0])) 0 2 && within $((after[1] - before[1])) 0 383 && within $((after[2] - before[2])) 0 383
}
# dropped N SOURCE: what N sends from SOURCE is not answered, and counts as a frame error and as nothing else.
dropped() {
	local before errors
	errors=$(frame_errors) before=$(delivered "$1")
	in_ns "$1" ping -q -c 3 -i 0.05 -W 1 -I "$2" $([[ $2 == *:* ]] && echo fd07::1 || echo 10.7.0.1) && return 1
	within "$(frame_errors)" $((errors + 3)) $((errors + 5)) && none_of_three "$before" "$(delivered "$1")"
}
address 2 wg0 10.7.0.22/32 fd07::22/128 10.99.0.1/32
check foreign_source_is_dropped dropped 2 10.7.0.22
check foreign_source_is_dropped_ipv6 dropped 2 fd07::22
check source_of_no_peer_is_dropped dropped 2 10.99.0.1
address 2 wg0 10.7.0.3/32
check source_of_another_peer_is_dropped dropped 2 10.7.0.3
check frame_errors_are_errors equal "$(counter 1 wg0 rx_errors)" "$(frame_errors)"
ip2 addr del 10.7.0.3/32 dev wg0
check peer_2_still_talks pings 2 10.7.0.1

# Nested subnets: the longer prefix decides, in both directions, whichever came first.
address 3 wg0 10.7.9.9/32 10.7.9.130/32
address 2 wg0 10.7.9.1/32 10.7.9.140/32
ip1 route add 10.7.9.0/24 dev wg0
nested() {
	n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128,10.7.9.0/24 &&
		n1 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.3/32,fd07::3/128,10.7.9.128/25
}
check nested_subnets_are_set nested
check outer_subnet_goes_to_its_peer pings 1 10.7.9.1
check inner_subnet_goes_to_its_peer pings 1 10.7.9.130
check outer_subnets_peer_may_not_use_the_inner dropped 2 10.7.9.140
check inner_subnets_peer_may_not_use_the_outer dropped 3 10.7.9.9
check outer_subnets_peer_may_use_the_outer pings 2 10.7.0.1 -I 10.7.9.1
check inner_subnets_peer_may_use_the_inner pings 3 10.7.0.1 -I 10.7.9.130
nested_the_other_way() {
	n1 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.3/32,fd07::3/128,10.7.9.0/24 &&
		n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128,10.7.9.128/25
}
check nested_the_other_way nested_the_other_way
check longer_prefix_set_last_wins pings 1 10.7.9.140
check shorter_prefix_keeps_the_rest pings 1 10.7.9.9
n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128
check removed_inner_prefix_falls_to_the_outer pings 1 10.7.9.130
host_routes() {
	n1 $wg set wg0 peer "$(key 2)" allowed-ips 0.0.0.0/0,::/0 && n1 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.3/32,fd07::3/128
}
check default_prefix_is_set host_routes
check default_prefix_carries pings 1 10.7.9.1
check default_prefix_carries_ipv6 pings 1 fd07::2
check host_prefix_beside_the_default pings 1 10.7.0.3
check default_prefixs_peer_may_not_use_the_host dropped 3 10.7.9.9

# A prefix belongs to one peer: setting it on another moves it.
moved() {
	n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,10.7.9.9/32 && n1 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.3/32,10.7.9.9/32
}
owners() {
	n1 $wg show wg0 allowed-ips | grep -F 10.7.9.9/32 | cut -f 1
}
check prefix_is_set_on_a_second_peer moved
check prefix_has_moved equal "$(owners)" "$(key 3)"
check new_owner_gets_the_packets pings 1 10.7.9.9
address 2 wg0 10.7.9.9/32
check old_owner_is_dropped dropped 2 10.7.9.9
ip2 addr del 10.7.9.9/32 dev wg0
n1 $wg set wg0 peer "$(key 3)" remove
check prefix_goes_with_its_peer test -z "$(owners)"
check other_peer_is_untouched pings 1 10.7.0.2
bits() {
	n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/24,fd07::1234/64 && n1 $wg show wg0 allowed-ips | cut -f 2
}
check host_bits_are_masked equal "$(bits)" "10.7.0.0/24 fd07::/64"
tap_done
