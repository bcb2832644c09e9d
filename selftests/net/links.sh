#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The links a server really has below the tunnel: a bridge, one that filters, VLAN, macvlan, ipvlan, VXLAN, a bond that fails over.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ─────┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   │ a  192.0.2.1; b       ├───┤ br0      ├───┤ a  192.0.2.2          │
#   └───────────────────────┘   └──────────┘   └───────────────────────┘
. "$(dirname "$0")/lib.sh"
need nft ethtool
need_helper stream
need_kind bridge

namespaces 0 1 2
veth 1 a 0 to1
veth 2 a 0 to2
ip0 link add br0 type bridge
ip0 link set br0 up
for n in 1 2; do
	ip0 link set to$n master br0
	key $n >/dev/null
	address $n a 192.0.2.$n/24
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24 fd07::$n/64
done
n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32,fd07::1/128
ip2 link set wg0 up
ip1 link set wg0 up
# over NAME ADDRESS: by that address of 2, whatever leads there
over() {
	n1 $wg set wg0 peer "$(key 2)" endpoint "$2:2222"
	check "$1_leads_there" reaches 1 10.7.0.2
	check "$1_carries_a_stream" stream 1 2 10.7.0.2 2
	check "$1_carries_a_stream_back" stream 2 1 fd07::1
}
over bridge 192.0.2.2
modprobe br_netfilter 2>/dev/null
if n0 sysctl -qw net.bridge.bridge-nf-call-iptables=1; then
	n0 nft 'add table ip f; add chain ip f c { type filter hook forward priority 0; policy drop; }
		add rule ip f c ct state established,related counter accept; add rule ip f c udp dport 2222 ct state new counter accept'
	over bridge_that_filters 192.0.2.2
	check it_filters fails sh -c "$netns_exec $(name_of 0) nft list chain ip f c | grep 'packets 0'"
	n0 nft delete table ip f
	n0 sysctl -qw net.bridge.bridge-nf-call-iptables=0
else
	skip bridge_that_filters "no br_netfilter"
fi
# on_top NAME SUBNET ARGUMENTS...: a link of that kind on both cables
on_top() {
	local name=$1 subnet=$2 n why
	shift 2
	for n in 1 2; do
		if ! why=$(in_ns $n ip link add link a name u type "$@" 2>&1); then
			skip "$name" "$why"
			ip1 link del u 2>/dev/null
			return
		fi
		address $n u $subnet.$n/24
		ip -n "$(name_of $n)" link set u up
	done
	over "$name" $subnet.2
	ip1 link del u
	ip2 link del u
}
on_top vlan 192.168.11 vlan id 11
for n in 1 2; do
	in_ns $n ethtool -K a tx-vlan-offload off
done
on_top vlan_whose_tag_is_in_the_packet 192.168.15 vlan id 12
on_top vlan_of_a_provider 192.168.16 vlan protocol 802.1ad id 13
on_top macvlan 192.168.12 macvlan mode bridge
on_top ipvlan 192.168.13 ipvlan mode l2
on_top vxlan 192.168.14 vxlan id 9 group 239.1.1.1 dev a dstport 4789

# bond MODE...: of the two cables of 1
bond() {
	local dev
	ip1 link add bond0 type bond miimon 50 mode "$@" || return
	for dev in a b; do
		ip1 addr flush dev $dev
		ip1 link set dev $dev down
		ip1 link set dev $dev master bond0
		ip1 link set dev $dev up
	done
	ip1 link set bond0 up
	address 1 bond0 192.0.2.1/24
}
veth 1 b 0 to1b
ip0 link set to1b master br0
if bond active-backup 2>why; then
	over bond 192.0.2.2
	active() {
		n1 cat /sys/class/net/bond0/bonding/active_slave
	}
	check bond_uses_the_first_link equal "$(active)" a
	check stream_outlives_a_failover stream 1 2 10.7.0.2 4 "ip -n $(name_of 1) link set dev a down"
	check bond_uses_the_second_link equal "$(active)" b
	check tunnel_outlives_a_failover reaches 2 10.7.0.1
	ip1 link del bond0
	bond balance-rr
	over bond_that_takes_turns 192.0.2.2
	ip1 link del bond0
	bond balance-xor xmit_hash_policy layer3+4
	over bond_that_goes_by_flows 192.0.2.2
else
	skip bond "$(tail -n 1 why)"
fi
tap_done
