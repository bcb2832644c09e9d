#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A machine that is about to be written to disk has no session keys: a handshake comes before any data afterwards.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   └───────────────────────┴───┘             └───┴───────────────────────┘
# Opening /dev/snapshot is the first step of hibernating, and closing it gives up: the kernel tells everyone, and nothing sleeps.
# All sessions of the machine end, so it runs only where GUEST=1 says that nobody minds.
. "$(dirname "$0")/lib.sh"
need tcpdump
[ "${GUEST:-}" ] || skip_all "it ends all sessions: set GUEST=1"
[ -r /dev/snapshot ] || skip_all "no /dev/snapshot"

two_devices
check ping_before pings 1 10.7.0.2
first=$(n1 $wg show wg0 latest-handshakes | cut -f 2)
capture 0 lo before.pcap udp
pings 1 10.7.0.2 >/dev/null
captured
check session_is_used_before equal "$(packets before.pcap 'udp[4:2] == 156')" 0
check tunnel_carried_something_before test "$(packets before.pcap)" -ge 2

sleep 1
prepare() {
	: </dev/snapshot
}
if prepare 2>/dev/null; then
	ok hibernation_is_prepared_and_given_up
else
	skip hibernation_is_prepared "/dev/snapshot cannot be opened"
	tap_done
	exit
fi
capture 0 lo after.pcap udp
check peer_is_reached_afterwards reaches 1 10.7.0.2
captured
sizes() {
	tcpdump -Z root -n -r after.pcap 2>/dev/null | sed -n 's/.*length \([0-9]*\)$/\1/p' | head -n 2 | tr '\n' ' '
}
check handshake_comes_before_data equal "$(sizes)" "148 92 "
check handshake_is_new test "$(n1 $wg show wg0 latest-handshakes | cut -f 2)" -gt "$first"
check both_ways_afterwards pings 2 10.7.0.1
tap_done
