#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Policy that the deployed family does not have: marks and class of a peer, a peer that does not roam, sockets bound to an address or a link.
#
#   ┌── 1 ───────────────────────────────┐     ┌── 2 ──────────────────────────────┐
#   │ wg0 10.7.0.1, e 10.5.0.1           ├─ e ─┤ wg0 10.7.0.2, e 10.5.0.2          │
#   │                f 10.6.0.1          ├─ f ─┤                f 10.6.0.2         │
#   └────────────────────────────────────┘     └───────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need nft od ss
need_helper extensions
ext=$helpers/extensions
"$ext" listen events </dev/null >/dev/null 2>&1 || skip_all "this module has no extensions"

two_apart
in_ns 2 sysctl -qw net.ipv4.conf.all.arp_ignore=1
veth 1 f 2 f
for n in 1 2; do
	address $n f 10.6.0.$n/24
done
hex() { base64 -d <<<"$1" | od -An -v -tx1 | tr -d " \n"; }
one=$(hex "$(key 1)") two=$(hex "$(key 2)")
tells() { local text=$1; shift; "$@" >said 2>&1; grep -qE "$text" said || { cat said; false; }; }
check ping_before reaches 1 10.7.0.2
for n in 1 2; do
	in_ns $n nft -f - <<'END'
table inet t {
	chain post {
		type filter hook postrouting priority 0;
		udp dport 2222 meta mark 7 counter comment "outer_marked"
		udp dport 2222 ip dscp ef counter comment "ef"
		udp dport 2222 ip dscp af11 counter comment "af11"
	}
	chain in {
		type filter hook input priority 0;
		iifname wg0 meta mark 9 counter comment "opened_marked"
	}
}
END
done
# counted N NAME FROM TO: so many packets.
counted() {
	within "$(in_ns "$1" nft list table inet t | sed -n "s/.*counter packets \([0-9]*\) .*comment \"$2\".*/\1/p")" "$3" "$4"
}
five() { n1 ping -q -c 5 -i 0.1 -W 5 "$@" 10.7.0.2; }

# ---- marks and class ----
check marks_of_a_peer n1 "$ext" set wg0 marks "$two" 0 7
check of_what_is_opened n2 "$ext" set wg0 marks "$one" 9 0
check a_class n1 "$ext" set wg0 dscp "$two" 46
check they_are_told tells "opened=0 outer=7 dscp=46" n1 "$ext" get wg0 -
check ping_with_them five
check messages_have_the_peers_mark counted 1 outer_marked 5 8
check and_its_class counted 1 ef 5 8
check opened_packets_have_theirs counted 2 opened_marked 5 5
check others_have_none counted 1 opened_marked 0 0
check the_class_of_what_is_inside n1 "$ext" set wg0 dscp "$two" 64
check ping_of_a_class five -Q 0x28
check it_is_outside_as_well counted 1 af11 5 8
check a_class_there_is_not tells 'a DSCP is 0 to 63' n1 "$ext" set wg0 dscp "$two" 65
check all_are_taken_back n1 "$ext" set wg0 marks "$two" 0 0
five >/dev/null
check the_devices_mark_again counted 1 outer_marked 10 13

# ---- a peer that does not roam ----
endpoint() { in_ns "$1" $wg show wg0 endpoints | cut -f 2; }
check it_is_pinned n2 "$ext" set wg0 pin "$one" 1
n1 $wg set wg0 listen-port 3333
check from_elsewhere_it_gets_no_answer fails n1 ping -c 2 -i 0.2 -W 1 10.7.0.2
check and_is_not_followed equal "$(endpoint 2)" 10.5.0.1:1111
check it_is_told tells "pinned" n2 "$ext" get wg0 -
n2 "$ext" set wg0 pin "$one" 0
check then_it_roams reaches 1 10.7.0.2
check to_where_it_is equal "$(endpoint 2)" 10.5.0.1:3333

# ---- sockets with an address ----
sockets() { in_ns "$1" ss -Hlun | awk '{ print $4 }' | grep ":$2\$" | sort | paste -s -d ' '; }
check not_while_they_are_open tells 'take the device down first' n1 "$ext" set wg0 bind-address 10.6.0.1
ip1 link set wg0 down
check an_address n1 "$ext" set wg0 bind-address 10.6.0.1
ip1 link set wg0 up
check it_is_the_sockets equal "$(sockets 1 3333)" 10.6.0.1:3333
check ping_from_it reaches 1 10.7.0.2
check the_peer_sees_it equal "$(endpoint 2)" 10.6.0.1:3333
ip1 link set wg0 down
check an_address_that_is_nobodys n1 "$ext" set wg0 bind-address 10.6.0.77
check it_is_refused_when_they_are_opened tells 'Cannot assign requested address' ip1 link set wg0 up
check any_again n1 "$ext" set wg0 bind-address 0.0.0.0

# ---- sockets with a link ----
check a_link_there_is_not n1 "$ext" set wg0 bind-device nobody
check it_is_refused_too tells 'No such device' ip1 link set wg0 up
check a_link n1 "$ext" set wg0 bind-device f
ip1 link set wg0 up
n1 $wg set wg0 peer "$(key 2)" endpoint 10.6.0.2:2222
check ping_by_it reaches 1 10.7.0.2
n1 $wg set wg0 peer "$(key 2)" endpoint 10.5.0.2:2222
check nothing_leaves_by_another fails n1 ping -c 2 -i 0.2 -W 1 10.7.0.2
n2 $wg set wg0 peer "$(key 1)" endpoint 10.5.0.1:3333
check nor_is_heard_by_another fails n2 ping -c 2 -i 0.2 -W 1 10.7.0.1
check it_is_told_as_well tells "bind-device=f" n1 "$ext" get wg0 -
ip1 link set wg0 down
n1 "$ext" set wg0 bind-device ""
ip1 link set wg0 up
check by_any_again reaches 1 10.7.0.2

# ---- sockets in a VRF ----
if ip1 link add v type vrf table 77 2>/dev/null; then
	ip1 link set v up
	# Else what has no route there goes by the main table's.
	ip1 route add table 77 unreachable default metric 4278198272
	ip1 link set f master v
	address 1 f fd06::1/64 fd06::11/64
	address 2 f fd06::2/64
	ip1 link set wg0 down
	check a_vrf n1 "$ext" set wg0 bind-device v
	ip1 link set wg0 up
	n1 $wg set wg0 peer "$(key 2)" endpoint 10.6.0.2:2222
	check ping_in_it reaches 1 10.7.0.2
	check by_its_link equal "$(endpoint 2)" 10.6.0.1:3333
	n1 $wg set wg0 peer "$(key 2)" endpoint 10.5.0.2:2222
	check nothing_leaves_it fails n1 ping -c 2 -i 0.2 -W 1 10.7.0.2
	# Answers come from the address that was asked, not from the one that routing would choose.
	for a in fd06::11 fd06::1; do
		n2 $wg set wg0 peer "$(key 1)" endpoint [$a]:3333
		check in_ipv6_too reaches 2 10.7.0.1
		check answers_come_from_where_they_were_asked equal "$(endpoint 2)" [$a]:3333
	done
else
	skip a_vrf "no VRF here"
fi
tap_done
