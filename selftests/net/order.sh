#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Order: what a peer is sent by two CPUs in turn comes out in that order. A veth keeps packets by CPU; so whoever lets now this CPU and now
# that one send a peer's packets lets them overtake one another there.
#
#   ┌── 1 ── wg0 10.7.0.1, two CPUs take turns ──┐     ┌── 2 ── wg0 10.7.0.2 counts ──┐
#   │        e   10.5.0.1                        ├─────┤        v   10.5.0.2          │
#   └────────────────────────────────────────────┘     └──────────────────────────────┘
# environment: TURNS, datagrams of each of three tests (default 5000: 33334 makes 100000, and minutes)
. "$(dirname "$0")/lib.sh"
need_helper turns
[ "$(nproc)" -ge 2 ] || skip_all "one CPU has only one order"
turns=${TURNS:-5000}
# The flood has a CPU of its own where there is one.
third=$(($(nproc) > 2 ? 2 : 1))

two_apart
check ping_before reaches 1 10.7.0.2

# in_order ADDRESS [FLOOD-CPU]: hardly any lost, none overtaken.
in_order() {
	local receiver
	ip netns exec "$(name_of 2)" "$helpers/turns" receive "$1" 4000 >received &
	receiver=$!
	background+=($receiver)
	poll 30 sh -c "ip netns exec $(name_of 2) ss -Hlun | grep -q :4000" || return
	n1 "$helpers/turns" send "$1" 4000 "$turns" 0 1 ${2:+$2} || return
	wait $receiver || return
	cat received
	read -r _ received _ inversions <received
	echo "# $*: $received of $turns, $inversions inversions" >&3
	[ "$inversions" = 0 ] && [ $((received * 10)) -ge $((turns * 9)) ]
}
exec 3>&1
check two_cpus_in_turn in_order 10.7.0.2
check two_cpus_in_turn_beside_a_flood in_order 10.7.0.2 $third
n1 $wg set wg0 peer "$(key 2)" endpoint '[fd05::2]:2222'
check two_cpus_in_turn_beside_a_flood_over_ipv6 in_order fd07::2 $third
tap_done
