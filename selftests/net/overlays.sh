#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tunnels of other kinds inside: cluster networks (VXLAN), GRE, IPIP, 6in4. What they want segmented is a packet within a packet.
#
#   ┌── 1 ── o 10.20.0.1 in wg0 10.7.0.1 in e ──┐     ┌── 2 ── o 10.20.0.2 in wg0 10.7.0.2 in e ──┐
#   └───────────────────────────────────────────┴─────┴───────────────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need_helper stream

two_apart
check ping_before reaches 1 10.7.0.2
errors() {
	echo "$(counter 1 wg0 rx_errors) $(counter 2 wg0 rx_errors)"
}
before=$(errors)
# overlay NAME CARRIES MTU KIND OPTION...: HERE4, THERE4, HERE6 and THERE6 stand for the ends; CARRIES: 4, 6 or both
overlay() {
	local name=$1 carries=$2 mtu=$3 n kind why
	shift 3
	for n in 1 2; do
		kind=${*//THERE4/10.7.0.$((3 - n))}
		kind=${kind//THERE6/fd07::$((3 - n))}
		kind=${kind//HERE4/10.7.0.$n}
		kind=${kind//HERE6/fd07::$n}
		# shellcheck disable=SC2086
		if ! why=$(in_ns $n ip link add o mtu "$mtu" type $kind 2>&1); then
			skip "$name" "$why"
			ip1 link del o 2>/dev/null
			return
		fi
		[[ $carries != *4* ]] || address $n o 10.20.0.$n/24
		[[ $carries != *6* ]] || address $n o fd20::$n/64
		ip -n "$(name_of $n)" link set o up
	done
	if [[ $carries == *4* ]]; then
		check "${name}_carries" reaches 1 10.20.0.2
		check "${name}_carries_a_stream" stream 1 2 10.20.0.2 2
		check "${name}_carries_a_stream_back" stream 2 1 10.20.0.1
		check "${name}_carries_fragments" pings 1 10.20.0.2 -s 9000
	fi
	if [[ $carries == *6* ]]; then
		check "${name}_carries_ipv6" reaches 1 fd20::2
		check "${name}_carries_a_stream_of_ipv6" stream 1 2 fd20::2
	fi
	ip1 link del o
	ip2 link del o
}
overlay vxlan 46 1370 vxlan id 5 local HERE4 remote THERE4 dev wg0 dstport 4789 noudpcsum
overlay vxlan_with_checksum 46 1370 vxlan id 5 local HERE4 remote THERE4 dev wg0 dstport 4789 udpcsum
overlay vxlan_over_ipv6 46 1350 vxlan id 5 local HERE6 remote THERE6 dev wg0 dstport 4789 udp6zerocsumtx udp6zerocsumrx
overlay gre 46 1396 gre local HERE4 remote THERE4 ttl 64
overlay gretap 46 1370 gretap local HERE4 remote THERE4 ttl 64
overlay ipip 4 1400 ipip local HERE4 remote THERE4 ttl 64
overlay 6in4 6 1400 sit local HERE4 remote THERE4 ttl 64
# The receiver may merge the overlay's datagrams.
if n1 ethtool -K wg0 gro on rx-udp-gro-forwarding on 2>/dev/null && n2 ethtool -K wg0 gro on rx-udp-gro-forwarding on 2>/dev/null; then
	overlay vxlan_merged 46 1370 vxlan id 5 local HERE4 remote THERE4 dev wg0 dstport 4789 noudpcsum
fi
check nothing_is_malformed equal "$(errors)" "$before"
tap_done
