#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# IPv6 addresses age: a provider gives a new prefix, yesterday's privacy address is deprecated. The tunnel leaves a dead address by itself,
# and begins no new session from one that is deprecated. [RFC 6724, RFC 8981]
#
#   ┌── 1 ── wg0 10.7.0.1 ─────────────────┐   ┌── 0 ─────────┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   │ e 2001:db8:a::1, b::1, c::1, in turn ├───┤ forwards     ├───┤ e 2001:db8:5::2       │
#   └──────────────────────────────────────┘   └──────────────┘   └───────────────────────┘
. "$(dirname "$0")/lib.sh"
need nft

namespaces 0 1 2
veth 1 e 0 e1
veth 2 e 0 e2
address 0 e1 2001:db8:a::ff/64 2001:db8:b::ff/64 2001:db8:c::ff/64
address 0 e2 2001:db8:5::ff/64
address 1 e 2001:db8:a::1/64
address 2 e 2001:db8:5::2/64
n0 sysctl -qw net.ipv6.conf.all.forwarding=1
ip1 -6 route add default via 2001:db8:a::ff dev e
ip2 -6 route add default via 2001:db8:5::ff
for n in 1 2; do
	device $n wg0 $n
	address $n wg0 10.7.0.$n/24
done
key 1 >/dev/null
key second >/dev/null
key 2 >/dev/null
n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key second)" peer "$(key 1)" allowed-ips 10.7.0.1/32
n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32 endpoint '[2001:db8:5::2]:2222'
ip2 link set wg0 up
ip1 link set wg0 up
# seen KEY: the address from which who has it came last
seen() {
	n2 $wg show wg0 endpoints | awk -v key="$(key "$1")" '$1 == key { print $2 }'
}
check ping_before reaches 1 10.7.0.2
check from_the_first_address equal "$(seen 1)" '[2001:db8:a::1]:1111'

# replace OLD NEW: the prefix; what was there is deprecated.
replace() {
	address 1 e "2001:db8:$2::1/64"
	ip1 -6 addr change "2001:db8:$1::1/64" dev e preferred_lft 0 nodad
	ip1 -6 route replace default via "2001:db8:$2::ff" dev e
}
replace a b
n0 nft 'add table ip6 f; add chain ip6 f c { type filter hook forward priority 0; }; add rule ip6 f c ip6 saddr 2001:db8:a::/64 drop; add rule ip6 f c ip6 daddr 2001:db8:a::/64 drop'
left() {
	local i
	for i in 1 2 3 4 5; do
		reaches 1 10.7.0.2 && return
	done
	return 1
}
check dead_address_is_left left
check for_the_new_one equal "$(seen 1)" '[2001:db8:b::1]:1111'

# Deprecated, but it works: the session goes on from there, a new one does not.
replace b c
check session_goes_on pings 1 10.7.0.2
check from_the_deprecated_address equal "$(seen 1)" '[2001:db8:b::1]:1111'
n2 $wg set wg0 peer "$(key second)" allowed-ips 10.7.0.1/32
n1 $wg set wg0 private-key second.key
check new_session_comes reaches 1 10.7.0.2
check from_the_preferred_address equal "$(seen second)" '[2001:db8:c::1]:1111'
tap_done
