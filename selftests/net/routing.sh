#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Policy routing as wg-quick does it, marks, and what users put on top: VRF and sockets bound to the device.
#
#   ┌── 1 ──────────────────┐                      ┌── 2 ──────────────────┐
#   │ wg0 10.7.0.1, default │                      │ wg0 10.7.0.2          │
#   │ a   10.1.0.1          ├──────────────────────┤ a   10.1.0.2          │
#   └───────────────────────┘                      │ lo  10.66.0.1, fd66::1│  the world behind the tunnel
#                                                  └───────────────────────┘
. "$(dirname "$0")/lib.sh"
need_helper stream

namespaces 1 2
veth 1 a 2 a
for n in 1 2; do
	address $n a 10.1.0.$n/24 fd01::$n/64
	key $n >/dev/null
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24 fd07::$n/64
done
address 2 lo 10.66.0.1/32 fd66::1/128
n1 $wg set wg0 private-key 1.key peer "$(key 2)" allowed-ips 0.0.0.0/0,::/0 endpoint 10.1.0.2:2222
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32,fd07::1/128
ip1 link set wg0 up
ip2 link set wg0 up
n1 sysctl -qw net.ipv4.conf.all.src_valid_mark=1

# All but the marked goes to table 51820; routes of the main table other than its default still count.
n1 $wg set wg0 fwmark 51820
for family in -4 -6; do
	ip1 $family route add default dev wg0 table 51820
	ip1 $family rule add not fwmark 51820 table 51820
	ip1 $family rule add table main suppress_prefixlength 0
done
check default_route_through_the_tunnel pings 1 10.66.0.1
check default_route_through_the_tunnel_ipv6 pings 1 fd66::1
check local_route_is_not_suppressed pings 1 10.1.0.2
check tcp_by_the_default_route stream 1 2 10.66.0.1
check handshake_is_not_caught_by_the_default_route shook 1 wg0
check endpoint_over_ipv6 n1 $wg set wg0 peer "$(key 2)" endpoint '[fd01::2]:2222'
check default_route_over_ipv6 pings 1 10.66.0.1
n1 $wg set wg0 peer "$(key 2)" endpoint 10.1.0.2:2222

# Without its mark the outer packet is routed into the tunnel; with it again, all is well at once.
n1 $wg set wg0 fwmark 0
n1 $wg set wg0 peer "$(key 2)" endpoint 10.66.0.1:2222
check unmarked_packets_loop_and_end fails pings 1 10.66.0.1 -W 1
n1 $wg set wg0 fwmark 51820 peer "$(key 2)" endpoint 10.1.0.2:2222
check mark_reroutes_at_once reaches 1 10.66.0.1
check mark_is_reported equal "$(n1 $wg show wg0 fwmark)" 0xca6c

# The outer packet carries the mark, and handshakes too.
if type -P nft >/dev/null && n1 nft add table inet m && n1 nft 'add chain inet m out { type filter hook output priority 0 ; }'; then
	n1 nft add rule inet m out udp dport 2222 meta mark 51820 counter
	n1 nft add rule inet m out udp dport 2222 meta mark != 51820 counter
	ip1 link set wg0 down
	ip1 link set wg0 up
	ip1 route add default dev wg0 table 51820
	ip1 -6 route add default dev wg0 table 51820 2>/dev/null
	reaches 1 10.66.0.1 >/dev/null
	marked() {
		n1 nft list chain inet m out | awk '/counter/ { for (i = 1; i < NF; i++) if ($i == "packets") n[++k] = $(i + 1) } END { print n[1], n[2]; exit !(n[1] >= 2 && n[2] == 0) }'
	}
	check all_outer_packets_carry_the_mark marked
	n1 nft delete table inet m
else
	skip all_outer_packets_carry_the_mark "no nft"
fi

# wg-quick itself, with an interface of its own.
if type -P wg-quick >/dev/null && [ "$wg" = wg ]; then
	mkdir conf
	cat >conf/wgq.conf <<-END
		[Interface]
		PrivateKey = $(cat 1.key)
		Address = 10.7.0.1/24, fd07::1/64
		[Peer]
		PublicKey = $(key 2)
		AllowedIPs = 0.0.0.0/0, ::/0
		Endpoint = 10.1.0.2:2222
	END
	for family in -4 -6; do
		ip1 $family rule del not fwmark 51820 table 51820
		ip1 $family rule del table main suppress_prefixlength 0
	done
	ip1 link del wg0
	if n1 wg-quick up "$PWD/conf/wgq.conf" >quick.log 2>&1; then
		ok wg_quick_brings_it_up
		check wg_quick_default_route pings 1 10.66.0.1
		check wg_quick_default_route_ipv6 pings 1 fd66::1
		check wg_quick_takes_it_down n1 wg-quick down "$PWD/conf/wgq.conf"
	else
		not_ok wg_quick_brings_it_up
		sed 's/^/# /' quick.log
	fi
	device 1 wg0 1
	address 1 wg0 10.7.0.1/24 fd07::1/64
	n1 $wg set wg0 private-key 1.key peer "$(key 2)" allowed-ips 0.0.0.0/0,::/0 endpoint 10.1.0.2:2222
	ip1 link set wg0 up
else
	skip wg_quick_brings_it_up "no wg-quick"
fi
for family in -4 -6; do
	ip1 $family rule del not fwmark 51820 table 51820 2>/dev/null
	ip1 $family rule del table main suppress_prefixlength 0 2>/dev/null
done
check tunnel_without_policy_routing reaches 1 10.7.0.2

# A socket bound to the device uses it, whatever the routes say; one bound to another does not.
ip1 route add 10.66.0.0/16 dev wg0
check socket_bound_to_the_device n1 ping -q -c 1 -W 5 -I wg0 10.66.0.1
check socket_bound_to_another_device fails n1 ping -q -c 1 -W 1 -I lo 10.66.0.1
check socket_bound_to_the_device_ipv6 n1 ping -q -c 1 -W 5 -I wg0 fd07::2

# The device below a VRF: its sockets stay outside.
if ip1 link add vrf0 type vrf table 10 2>/dev/null; then
	ip1 link set vrf0 up
	ip1 link set wg0 master vrf0
	ip1 route replace 10.66.0.0/16 dev wg0 vrf vrf0
	ip1 -6 addr replace fd07::1/64 dev wg0 nodad
	check vrf_user_reaches_the_peer reaches 1 10.7.0.2 -I vrf0
	check vrf_user_reaches_the_world pings 1 10.66.0.1 -I vrf0
	check vrf_user_reaches_the_peer_ipv6 pings 1 fd07::2 -I vrf0
	check without_the_vrf_it_is_not_reached fails pings 1 10.66.0.1 -W 1
	check peer_reaches_into_the_vrf pings 2 10.7.0.1
	ip1 link set wg0 nomaster
	# The other way round: what carries the tunnel is in a VRF, and the mark or a rule leads there.
	ip1 link set dev a master vrf0
	address 1 a 10.1.0.1/24 2>/dev/null
	ip1 rule add fwmark 9 lookup 10
	n1 $wg set wg0 fwmark 9
	n1 sysctl -qw net.ipv4.udp_l3mdev_accept=1
	check underlay_in_a_vrf reaches 1 10.7.0.2
	n1 $wg set wg0 fwmark 0
	ip1 link del vrf0
else
	skip vrf_user_reaches_the_peer "no VRF"
fi
check tunnel_works_after_all reaches 1 10.7.0.2
tap_done
