#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys change while traffic flows; keys that are no keys.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   └───────────────────────┴───┘             └───┴───────────────────────┘
. "$(dirname "$0")/lib.sh"
need tcpdump

two_devices
check ping_before pings 1 10.7.0.2
handshake_of() {
	n1 $wg show wg0 latest-handshakes | cut -f 2
}

# Traffic for all that follows; what gets lost is looked at by pings.
start 1 ping -q -i 0.02 10.7.0.2
start 2 ping -q -i 0.02 10.7.0.1

# A preshared key counts from the next handshake on: the session goes on, and a handshake with one side's old key fails.
$wg genpsk >psk2
n1 $wg set wg0 peer "$(key 2)" preshared-key psk2
check session_survives_a_new_preshared_key pings 1 10.7.0.2
check preshared_key_is_reported equal "$(n1 $wg show wg0 preshared-keys | cut -f 2)" "$(cat psk2)"
# renew: the interface's going down drops the session, so the next packet needs a handshake.
renew() {
	ip1 link set wg0 down && ip1 link set wg0 up
}
renew
check handshake_fails_while_only_one_side_knows_the_new_key fails n1 ping -q -c 4 -i 0.5 -W 1 10.7.0.2
n2 $wg set wg0 peer "$(key 1)" preshared-key psk2
check handshake_works_when_both_know_it reaches 1 10.7.0.2
n1 $wg set wg0 peer "$(key 2)" preshared-key /dev/null
n2 $wg set wg0 peer "$(key 1)" preshared-key /dev/null
renew
check handshake_works_without_preshared_key reaches 1 10.7.0.2
check no_preshared_key_is_reported equal "$(n1 $wg show wg0 preshared-keys | cut -f 2)" "(none)"

# A new private key: peers stay, and a handshake starts without waiting for the old session's end.
key 3 >/dev/null
n2 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.1/32,fd07::1/128
n1 $wg set wg0 private-key 3.key
check peer_stays_when_the_private_key_changes equal "$(n1 $wg show wg0 peers)" "$(key 2)"
check traffic_goes_on_with_the_new_private_key reaches 1 10.7.0.2
check peer_knows_the_new_key test "$(n2 $wg show wg0 latest-handshakes | awk -v key="$(key 3)" '$1 == key { print $2 }')" -gt 0
stop "${background[@]}"
background=()

# The same under TCP, back and forth: no connection breaks.
changes() {
	for name in 1 3 1 3 1; do
		n1 $wg set wg0 private-key $name.key && n2 $wg set wg0 peer "$(key $name)" endpoint 127.0.0.1:1111 allowed-ips 10.7.0.1/32,fd07::1/128 || return
		sleep 0.7
	done
}
stream_with_changes() {
	stream 1 2 10.7.0.2 4 &
	local id=$!
	changes && wait $id
}
check tcp_survives_five_key_changes stream_with_changes
n2 $wg set wg0 peer "$(key 3)" remove
check ping_with_the_first_key_again reaches 1 10.7.0.2

# The all-zero private key is none: nothing is sent or answered.
n1 $wg set wg0 private-key /dev/null
check no_private_key_no_public_key equal "$(n1 $wg show wg0 public-key)" "(none)"
check no_private_key_no_traffic fails pings 1 10.7.0.2 -W 1
check no_private_key_no_answer fails pings 2 10.7.0.1 -W 1
n1 $wg set wg0 private-key 1.key
check private_key_is_back equal "$(n1 $wg show wg0 public-key)" "$(key 1)"
check traffic_is_back reaches 1 10.7.0.2

# Our own key as a peer is no error and no peer.
check own_key_as_peer_is_no_error n1 $wg set wg0 peer "$(key 1)" allowed-ips 10.8.0.0/24
check own_key_as_peer_is_no_peer fails sh -c "ip netns exec $(name_of 1) $wg show wg0 peers | grep -F '$(key 1)'"
key 4 >/dev/null
n1 $wg set wg0 peer "$(key 4)"
n1 $wg set wg0 private-key 4.key
check peer_that_becomes_our_own_key_goes_away fails sh -c "ip netns exec $(name_of 1) $wg show wg0 peers | grep -F '$(key 4)'"
n1 $wg set wg0 private-key 1.key

# Points of low order (Curve25519 has these, and their non-canonical forms) as a peer's key: DH gives zero, and nothing may be sent.
low_order='AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=
X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=
7P///////////////////////////////////////38=
7f///////////////////////////////////////38=
7v///////////////////////////////////////38='
ip1 route add 10.66.0.0/16 dev wg0
i=0
for point in $low_order; do
	n1 $wg set wg0 peer "$point" persistent-keepalive 1 endpoint 127.0.0.1:9999 allowed-ips 10.66.$i.0/24
	i=$((i + 1))
done
silent() {
	capture 0 lo low.pcap udp port 9999
	for i in 0 1 2 3 4 5 6; do
		in_ns 1 ping -q -c 1 -W 1 10.66.$i.1 >/dev/null &
		waiting[$i]=$!
	done
	wait "${waiting[@]}"
	sleep 1
	captured
	equal "$(packets low.pcap)" 0
}
check points_are_accepted_as_peers test "$(n1 $wg show wg0 peers | wc -l)" -ge 7
check points_of_low_order_send_nothing silent
check real_peer_still_works reaches 1 10.7.0.2
for point in $low_order; do
	n1 $wg set wg0 peer "$point" remove
done
check points_are_removed equal "$(n1 $wg show wg0 peers)" "$(key 2)"
# The same peers while there is no private key, and then comes one.
n1 $wg set wg0 private-key /dev/null
n1 $wg set wg0 peer "$(head -n 3 <<<"$low_order" | tail -n 1)" persistent-keepalive 1 endpoint 127.0.0.1:9999 allowed-ips 10.66.0.0/24
n1 $wg set wg0 private-key 1.key
check points_send_nothing_after_a_new_private_key silent
tap_done
