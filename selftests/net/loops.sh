#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tunnels in tunnels, and tunnels that lead into themselves: the loop must end, the machine must live.
#
#   ┌── 1 ──────────────────────┐   ┌── 0 ── lo ──┐   ┌── 2 ──────────────────────┐
#   │ wg1 10.8.0.1 in wg0       ├───┤             ├───┤ wg1 10.8.0.2 in wg0       │
#   │ wg0 10.7.0.1              │   └─────────────┘   │ wg0 10.7.0.2              │
#   └───────────────────────────┘                     └───────────────────────────┘
#   3: wg3 whose endpoint is behind itself; wga and wgb, each one's endpoint behind the other
. "$(dirname "$0")/lib.sh"
need_helper stream

two_devices
check outer_tunnel pings 1 10.7.0.2
inner_devices
check tunnel_in_tunnel pings 1 10.8.0.2
check tunnel_in_tunnel_full_size pings 1 10.8.0.2 -M do -s 1312
check tunnel_in_tunnel_fragments pings 2 10.8.0.1 -s 9000
check tcp_in_tunnel_in_tunnel stream 1 2 10.8.0.2

# A peer behind another peer of the same device: what is for it goes through the device once more.
#   5: wg0 10.11.0.5, 10.12.0.5 ── u 10.6.0.5 ═══ 10.6.0.6 u ── wga 10.11.0.6, and through it wgb 10.12.0.6 :6
namespaces 5 6
veth 5 u 6 u
address 5 u 10.6.0.5/24
address 6 u 10.6.0.6/24
for name in 5 a b; do
	key $name >/dev/null
done
device 5 wg0 5
device 6 wga 6
device 6 wgb 6
address 5 wg0 10.11.0.5/24 10.12.0.5/24
address 6 wga 10.11.0.6/24
address 6 wgb 10.12.0.6/24
in_ns 5 $wg set wg0 private-key 5.key peer "$(key a)" allowed-ips 10.11.0.6/32 endpoint 10.6.0.6:6666 \
	peer "$(key b)" allowed-ips 10.12.0.6/32 endpoint 10.11.0.6:7777
in_ns 6 $wg set wga private-key a.key listen-port 6666 peer "$(key 5)" allowed-ips 10.11.0.5/32
in_ns 6 $wg set wgb private-key b.key listen-port 7777 peer "$(key 5)" allowed-ips 10.12.0.5/32
for dev in wga wgb; do
	ip -n "$(name_of 6)" link set $dev up
done
ip -n "$(name_of 5)" link set wg0 up
check first_peer_is_reached reaches 5 10.11.0.6
check peer_behind_a_peer_of_the_same_device_is_reached reaches 5 10.12.0.6
check and_reaches_back pings 6 10.12.0.5
check large_packets_to_a_peer_behind_a_peer pings 5 10.12.0.6 -s 9000

namespaces 3
key 3 >/dev/null
sent() {
	local sum=0 dev
	for dev; do
		sum=$((sum + $(counter 3 "$dev" tx_packets)))
	done
	echo $sum
}
# bounded DEVICE...: what 20 small and 2 large pings set going is over soon. A packet may come round a few times, growing by a header each
# time and falling into fragments then; it may not go on for ever.
bounded() {
	local first later
	n3 ping -q -c 20 -i 0.02 -W 1 10.9.0.9 >/dev/null
	n3 ping -q -c 2 -i 0.02 -W 1 -s 30000 10.9.0.9 >/dev/null
	sleep 1
	first=$(sent "$@")
	sleep 2
	later=$(($(sent "$@") - first))
	echo "packets sent: $first, then $later in 2 s"
	within "$first" 0 20000 && within "$later" 0 40
}
device 3 wg3 3
address 3 wg3 10.9.0.1/24
n3 $wg set wg3 private-key 3.key listen-port 5555 peer "$(key 2)" allowed-ips 0.0.0.0/0 endpoint 10.9.0.2:5556 persistent-keepalive 1
ip3 link set wg3 up
ip3 route add default dev wg3
check device_inside_its_own_tunnel_sends_little bounded wg3
check device_inside_its_own_tunnel_goes_down ip3 link set wg3 down
ip3 link del wg3

# With a session first, so that data loops and not only initiations: the endpoint is moved into the tunnel afterwards.
veth 3 v 0 v
address 3 v 10.5.0.3/24
address 0 v 10.5.0.1/24
ip0 link set v up
n2 $wg set wg0 peer "$(key 3)" allowed-ips 10.9.0.0/24
device 3 wg3 3
address 3 wg3 10.9.0.1/24
n3 $wg set wg3 private-key 3.key listen-port 5555 peer "$(key 2)" allowed-ips 0.0.0.0/0 endpoint 10.5.0.1:2222
ip2 addr add 10.9.0.9/32 dev wg0
ip2 route add 10.9.0.0/24 dev wg0
ip3 link set wg3 up
check session_before_the_loop reaches 3 10.9.0.9
n3 $wg set wg3 peer "$(key 2)" endpoint 10.9.0.77:2222
check session_whose_endpoint_moved_into_its_tunnel_sends_little bounded wg3
n3 $wg set wg3 peer "$(key 2)" endpoint 10.5.0.1:2222
check loop_is_undone reaches 3 10.9.0.9
ip3 link del wg3

# Two devices with sessions, each one's outer packets led into the other.
for dev in wga wgb; do
	device 3 $dev 3
	key $dev >/dev/null
	n3 $wg set $dev private-key $dev.key peer "$(key 2)" allowed-ips 0.0.0.0/0 endpoint 10.5.0.1:2222
done
address 3 wga 10.9.0.1/24
address 3 wgb 10.10.0.1/24
n2 $wg set wg0 peer "$(key 3)" remove peer "$(key wga)" allowed-ips 10.9.0.0/24 peer "$(key wgb)" allowed-ips 10.10.0.0/24
ip2 addr add 10.10.0.9/32 dev wg0
ip2 route add 10.10.0.0/24 dev wg0
ip3 link set wga up
ip3 link set wgb up
check first_of_two_has_a_session reaches 3 10.9.0.9
check second_of_two_has_a_session reaches 3 10.10.0.9
n3 $wg set wga peer "$(key 2)" endpoint 10.10.0.77:2222
n3 $wg set wgb peer "$(key 2)" endpoint 10.9.0.77:2222
check two_devices_in_a_loop_send_little bounded wga wgb
n3 $wg set wga peer "$(key 2)" endpoint 10.5.0.1:2222
check loop_of_two_is_undone reaches 3 10.9.0.9
check devices_of_the_loop_are_deleted sh -c "ip -n $(name_of 3) link del wga && ip -n $(name_of 3) link del wgb"
check first_tunnel_still_works pings 1 10.7.0.2
tap_done
