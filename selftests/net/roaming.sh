#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where packets go to and come from: endpoints follow the peer, and answers leave by the address and interface it talked to.
#
#   ┌─── 1 ───────────────┐                        ┌─────────────── 2 ───┐
#   │ wg0 10.7.0.1        │                        │        10.7.0.2 wg0 │
#   │ a  10.1.0.1, .11    ├────────────────────────┤ a  10.1.0.2, .22    │
#   │    fd01::1, ::11    │                        │    fd01::2, ::22    │
#   │ b  10.2.0.1, fd02::1├────────────────────────┤ b  10.2.0.2, fd02::2│
#   └─────────────────────┘                        └─────────────────────┘
. "$(dirname "$0")/lib.sh"

namespaces 1 2
veth 1 a 2 a
veth 1 b 2 b
for n in 1 2; do
	address $n a 10.1.0.$n/24 10.1.0.$n$n/24 fd01::$n/64 fd01::$n$n/64
	address $n b 10.2.0.$n/24 fd02::$n/64
	key $n >/dev/null
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24
	# An answer by another interface than the asked is the point here; and a subnet's second address outlives its first.
	in_ns $n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.a.rp_filter=0 net.ipv4.conf.b.rp_filter=0 net.ipv4.conf.all.promote_secondaries=1
done
n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32 endpoint 10.1.0.1:1111
ip1 link set wg0 up
ip2 link set wg0 up
to() {
	n2 $wg set wg0 peer "$(key 1)" endpoint "$1" && reaches 2 10.7.0.1
}
seen() {
	equal "$(endpoint_of "$1" wg0)" "$2"
}

check peer_without_endpoint_is_reached_by_the_other pings 2 10.7.0.1
check endpoint_is_learnt seen 1 10.1.0.2:2222
check peer_with_learnt_endpoint_can_be_pinged pings 1 10.7.0.2

# Sticky source: the answer's source is the address that was asked.
check second_address_is_asked to 10.1.0.11:1111
check answer_comes_from_the_second_address seen 2 10.1.0.11:1111
check second_address_is_asked_ipv6 to '[fd01::11]:1111'
check answer_comes_from_the_second_address_ipv6 seen 2 '[fd01::11]:1111'
check other_interface_is_asked to 10.2.0.1:1111
check answer_comes_from_the_other_interface seen 2 10.2.0.1:1111

# Over IPv6 the address that was asked is enough, whichever way the answer leaves: a host with several uplinks has its services somewhere.
ip1 -6 route add fd01::2/128 via fd02::2 dev b
ip1 -6 route add fd01::22/128 via fd02::2 dev b
check first_link_is_asked_answers_leave_by_the_second to '[fd01::11]:1111'
by_b() {
	local before
	before=$(counter 1 b tx_packets)
	pings "$1" "$2" && test "$(counter 1 b tx_packets)" -gt "$before"
}
check answers_leave_by_the_second by_b 2 10.7.0.1
check they_come_from_the_address_that_was_asked seen 2 '[fd01::11]:1111'
ip1 -6 route del fd01::2/128
ip1 -6 route del fd01::22/128
check other_interface_is_asked_again to 10.2.0.1:1111

# A deprecated address serves until its session ends, and begins none; who is asked at it answers from it.
fresh() {
	in_ns "$1" ip link set wg0 down && in_ns "$1" ip link set wg0 up && reaches "$1" "$2"
}
check second_address_is_asked_and_deprecated to '[fd01::11]:1111'
ip1 -6 addr change fd01::11/64 dev a preferred_lft 0 nodad
check deprecated_address_serves pings 1 10.7.0.2
check deprecated_address_still_sends seen 2 '[fd01::11]:1111'
check session_after_the_deprecation fresh 1 10.7.0.2
check it_begins_from_the_preferred_address seen 2 '[fd01::1]:1111'
check deprecated_address_is_asked to '[fd01::11]:1111'
check session_begun_by_the_other fresh 2 10.7.0.1
check who_was_asked_at_a_deprecated_address_answers_from_it seen 2 '[fd01::11]:1111'
ip1 -6 addr change fd01::11/64 dev a preferred_lft forever nodad
check other_interface_is_asked_once_more to 10.2.0.1:1111

# The source that stuck is removed: another takes its place, and the peer follows.
check second_address_is_asked_again to 10.1.0.11:1111
ip1 addr del 10.1.0.11/24 dev a
check traffic_survives_a_removed_source reaches 1 10.7.0.2
check peer_sees_the_new_source seen 2 10.1.0.1:1111
check second_address_is_asked_ipv6_again to '[fd01::11]:1111'
ip1 -6 addr del fd01::11/64 dev a
check traffic_survives_a_removed_source_ipv6 reaches 1 10.7.0.2
check peer_sees_the_new_source_ipv6 seen 2 '[fd01::1]:1111'
address 1 a 10.1.0.11/24 fd01::11/64

# The peer's own address moves.
to 10.1.0.1:1111 >/dev/null
check endpoint_is_the_first_address seen 1 10.1.0.2:2222
ip2 addr del 10.1.0.2/24 dev a
check endpoint_follows_a_changed_address reaches 2 10.7.0.1
check endpoint_followed seen 1 10.1.0.22:2222
n2 $wg set wg0 listen-port 2223
check endpoint_follows_a_changed_port reaches 2 10.7.0.1
check port_followed seen 1 10.1.0.22:2223
check answers_go_to_the_new_port pings 1 10.7.0.2
n2 $wg set wg0 listen-port 2222
address 2 a 10.1.0.2/24
reaches 2 10.7.0.1 >/dev/null

# The route moves to the other interface: the source that stuck there is given up.
ip1 addr del 10.1.0.11/24 dev a
n1 $wg set wg0 peer "$(key 2)" endpoint 10.9.0.2:2222
n2 $wg set wg0 peer "$(key 1)" endpoint 10.9.0.1:1111
address 2 lo 10.9.0.2/32
address 1 lo 10.9.0.1/32
ip1 route add 10.9.0.2/32 via 10.1.0.22 dev a
ip2 route add 10.9.0.1/32 via 10.1.0.1 dev a
check traffic_by_the_first_route reaches 1 10.7.0.2
ip1 route replace 10.9.0.2/32 via 10.2.0.2 dev b
check traffic_after_the_route_moved reaches 1 10.7.0.2
check traffic_leaves_by_the_new_interface by_b 1 10.7.0.2

# A mark picks another table, and a change of it counts for the next packet.
n1 ip rule add fwmark 7 lookup 77
ip1 route add default via 10.1.0.2 dev a table 77
by_a() {
	local before
	n1 $wg set wg0 fwmark 7 && pings 1 10.7.0.2 && before=$(counter 1 a tx_packets) &&
		pings 1 10.7.0.2 && test "$(counter 1 a tx_packets)" -gt "$before"
}
check changed_mark_changes_the_route by_a
n1 $wg set wg0 fwmark 0
check mark_is_taken_back by_b 1 10.7.0.2

# Our port changes: the peer follows the next message.
n1 $wg set wg0 listen-port 1112
check traffic_after_our_port_changed reaches 1 10.7.0.2
port_of() {
	n2 $wg show wg0 endpoints | sed 's/.*://'
}
check peer_follows_our_port equal "$(port_of)" 1112
n1 $wg set wg0 listen-port 1111

# Link-local addresses mean nothing without the interface.
link_local() {
	in_ns "$1" ip -6 -o addr show dev "$2" scope link | awk '{ sub("/.*", "", $4); print $4; exit }'
}
for dev in a b; do
	poll 5 link_local 1 $dev
	check "link_local_endpoint_on_$dev" to "[$(link_local 1 $dev)%$dev]:1111"
	check "link_local_endpoint_on_${dev}_is_learnt_with_its_scope" seen 1 "[$(link_local 2 $dev)%$dev]:2222"
	check "link_local_endpoint_on_${dev}_stays" seen 2 "[$(link_local 1 $dev)%$dev]:1111"
	check "link_local_peer_on_${dev}_is_reached" pings 1 10.7.0.2
done

# A cookie reply, a replayed or a forged message never move an endpoint: a stranger sends each type from a third address.
check first_address_again to 10.1.0.1:1111
address 2 a 10.1.0.99/24
forged() {
	local type
	for type in '\x01' '\x02' '\x03' '\x04'; do
		for size in 144 88 60 28 92; do
			{ printf "$type\\0\\0\\0"; head -c $size /dev/urandom; } >message
			n2 socat -u FILE:message UDP-SENDTO:10.1.0.1:1111,bind=10.1.0.99 || return
		done
	done
	seen 1 10.1.0.2:2222 || seen 1 10.1.0.22:2222
}
if type -P socat >/dev/null; then
	check forged_messages_do_not_move_the_endpoint forged
else
	skip forged_messages_do_not_move_the_endpoint "no socat"
fi

# Silence: the source is forgotten 15 s after data that nobody answered, so a dead path heals by itself.
check second_address_of_the_peer_is_used to 10.2.0.1:1111
healed() {
	seen 2 10.2.0.1:1111 && n1 $wg set wg0 peer "$(key 2)" endpoint 10.2.0.2:2222 &&
		ip1 link set dev b down && n1 $wg set wg0 peer "$(key 2)" endpoint 10.1.0.2:2222 && reaches 1 10.7.0.2
}
check traffic_survives_an_interface_that_went_down healed
ip1 link set dev b up
tap_done
