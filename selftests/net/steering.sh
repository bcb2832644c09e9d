#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What else steers a packet ends at the tunnel as its marks do (marks.sh): the class index, and having been sent on from one device to another.
# Security marks would too; but only SELinux or Smack with a policy gives them names, and the guests have neither.
#
#   ┌── 1 ── wg0 10.7.0.1, e 10.5.0.1; x ──┐     ┌── 2 ── wg0 10.7.0.2, e 10.5.0.2 ──┐
#   └──────────────────────────────────────┴─────┴───────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need tc

two_apart
check ping_before reaches 1 10.7.0.2

# The class index, which queueing disciplines and filters hand on to one another: set on one side of the tunnel, it is not there on the other.
# filter N DEVICE HOOK SECTION...: programs of tools/tc.c, in that order
filter() {
	local n=$1 dev=$2 hook=$3 section
	shift 3
	in_ns "$n" tc qdisc replace dev "$dev" clsact && in_ns "$n" tc filter del dev "$dev" "$hook" || return
	for section; do
		in_ns "$n" tc filter add dev "$dev" "$hook" prio ${#section} bpf direct-action obj "$helpers/tc.o" sec "$section" || return
	done
}
if [ -e "$helpers/tc.o" ] && filter 1 wg0 egress set 2>why && filter 1 e egress drop_set; then
	check inner_class_index_does_not_show_outside pings 1 10.7.0.2
	filter 1 wg0 egress set drop_set
	check inner_class_index_was_set fails pings 1 10.7.0.2 -W 1
	filter 1 wg0 egress
	filter 1 e egress
	filter 2 e ingress set
	filter 2 wg0 ingress drop_set
	check outer_class_index_does_not_show_inside pings 1 10.7.0.2
	filter 2 e ingress set drop_set
	check outer_class_index_was_set fails pings 1 10.7.0.2 -W 1
	filter 2 e ingress
	filter 2 wg0 ingress
else
	skip inner_class_index_does_not_show_outside "no tc with BPF: $(tail -n 1 why)"
fi

# Packets that another device sent on: XDP leaves such packets alone, but it is the packet inside that was, not the message.
ip2 addr add 10.7.9.9/32 dev lo
ip1 link add x type dummy
ip1 link set x up
ip1 route add 10.7.9.9/32 dev x src 10.7.0.1
ip1 neigh add 10.7.9.9 lladdr 02:00:00:00:00:09 dev x
n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32,10.7.9.9/32
redirected() {
	n1 tc qdisc add dev x clsact && n1 tc filter add dev x egress protocol all matchall action mirred egress redirect dev wg0
}
if redirected 2>why && ip2 link set dev e xdpgeneric obj "$helpers/xdp_pass.o" sec xdp 2>why; then
	check packet_that_was_sent_on_is_carried pings 1 10.7.9.9
	ip2 link set dev e xdpgeneric off
	ip2 link set dev e xdpgeneric obj "$helpers/xdp_drop.o" sec xdp
	check xdp_sees_its_message fails pings 1 10.7.9.9 -W 1
	ip2 link set dev e xdpgeneric off
	check ping_without_xdp pings 1 10.7.9.9
else
	skip xdp_sees_its_message "$(tail -n 1 why)"
fi
tap_done
