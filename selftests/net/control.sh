#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the kernel lets people put on a device: traffic control, queues, XDP; and other names.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   └───────────────────────┴───┘             └───┴───────────────────────┘
. "$(dirname "$0")/lib.sh"
need tc ethtool
need_helper stream

two_devices
check ping_before pings 1 10.7.0.2

# ---- traffic control and XDP ----
n1 tc qdisc add dev wg0 clsact
check tc_egress_drops sh -c "ip netns exec $(name_of 1) tc filter add dev wg0 egress matchall action drop"
check dropped_packets_do_not_arrive fails pings 1 10.7.0.2 -W 1
n1 tc filter del dev wg0 egress
check tc_filter_is_gone pings 1 10.7.0.2
n1 tc filter add dev wg0 ingress matchall action drop
check tc_ingress_drops fails pings 1 10.7.0.2 -W 1
n1 tc filter del dev wg0 ingress
ip1 link add d0 type dummy
ip1 link set d0 up
mirrored() {
	local before
	before=$(counter 1 d0 tx_packets)
	n1 tc filter add dev wg0 ingress matchall action mirred egress mirror dev d0 &&
		n1 tc filter add dev wg0 egress matchall action mirred egress mirror dev d0 &&
		n1 ping -q -c 5 -i 0.05 -W 5 10.7.0.2 && within $(($(counter 1 d0 tx_packets) - before)) 10 14
}
check tc_mirrors_both_ways mirrored
n1 tc qdisc del dev wg0 clsact
for qdisc in fq fq_codel cake; do
	if n1 tc qdisc add dev wg0 root $qdisc 2>/dev/null; then
		check "stream_through_$qdisc" stream 1 2 10.7.0.2
		n1 tc qdisc del dev wg0 root
	else
		skip "stream_through_$qdisc" "no $qdisc"
	fi
done
# Programs of two instructions: "r0 = action; exit".
xdp() {
	ip1 link set dev wg0 xdpgeneric obj "$helpers/xdp_$1.o" sec xdp
}
if [ -e "$helpers/xdp_pass.o" ] && xdp pass 2>/dev/null; then
	check xdp_passes pings 1 10.7.0.2
	check xdp_passes_a_stream stream 2 1 10.7.0.1
	ip1 link set dev wg0 xdpgeneric off
	xdp drop
	check xdp_drops fails pings 1 10.7.0.2 -W 1
	ip1 link set dev wg0 xdpgeneric off
	check xdp_is_gone pings 1 10.7.0.2
else
	skip xdp_passes "no XDP objects, or ip cannot load them"
fi
check link_is_detected sh -c "ip netns exec $(name_of 1) ethtool wg0 | grep -q 'Link detected: yes'"
check interface_renamed sh -c "ip -n $(name_of 1) link set wg0 down && ip -n $(name_of 1) link set wg0 name tunnel && ip -n $(name_of 1) link set tunnel up"
check renamed_interface_carries reaches 1 10.7.0.2
check renamed_interface_is_shown n1 $wg show tunnel
check second_interface_of_the_same_name_is_refused fails ip1 link add tunnel type wireguard
tap_done
