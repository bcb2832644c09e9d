#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No wake-up is lost: workers are delayed, CPUs go away, polling moves to a thread, and every peer still carries traffic.
#
#   ┌── 1, hub ─────────────┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg2 .. wg9, 10.7.0.2 .. 10.7.0.9 ──┐
#   │ wg0 10.7.0.1          ├───┤             ├───┤   each of its own key                     │
#   └───────────────────────┘   └─────────────┘   └───────────────────────────────────────────┘
. "$(dirname "$0")/lib.sh"
need_helper stream

namespaces 0 1 2
key 1 >/dev/null
device 1 wg0
address 1 wg0 10.7.0.1/24
n1 $wg set wg0 private-key 1.key listen-port 1111
for n in 2 3 4 5 6 7 8 9; do
	key $n >/dev/null
	device 2 wg$n
	address 2 wg$n 10.7.0.$n/32
	n2 $wg set wg$n private-key $n.key peer "$(key 1)" allowed-ips 10.7.0.1/32 endpoint 127.0.0.1:1111
	n1 $wg set wg0 peer "$(key $n)" allowed-ips 10.7.0.$n/32
	ip2 link set wg$n up
	ip2 route add 10.7.0.1 dev wg$n src 10.7.0.$n table $n
	ip2 rule add from 10.7.0.$n table $n
done
ip1 link set wg0 up
all_carry() {
	local n
	for n in 2 3 4 5 6 7 8 9; do
		reaches 2 10.7.0.1 -I 10.7.0.$n && pings 1 10.7.0.$n || { echo "peer $n is stuck"; return 1; }
	done
}
check every_peer_carries all_carry

# flood SECONDS: all peers at once, both ways, as fast as it goes, then nothing.
flood() {
	local n ids=()
	for n in 2 3 4 5 6 7 8 9; do
		timeout "$1" ip netns exec "$(name_of 2)" ping -q -f -s 1200 -I 10.7.0.$n 10.7.0.1 >/dev/null 2>&1 &
		ids+=($!)
		timeout "$1" ip netns exec "$(name_of 1)" ping -q -f -s 100 -l 20 10.7.0.$n >/dev/null 2>&1 &
		ids+=($!)
	done
	wait "${ids[@]}"
	:
}
flood 3
check every_peer_carries_after_a_flood all_carry

# A real-time task keeps one CPU's workers waiting for most of a second, several times.
cpus=$(nproc)
if [ -x "$helpers/hog" ] && "$helpers/hog" 0 1; then
	for ((cpu = 0; cpu < cpus && cpu < 4; cpu++)); do
		flood 3 &
		flooding=$!
		for i in 1 2; do
			"$helpers/hog" $cpu 800
			sleep 0.2
		done
		wait $flooding
		check "every_peer_carries_after_cpu_${cpu}_was_busy" all_carry
	done
else
	skip every_peer_carries_after_a_cpu_was_busy "no real-time tasks"
fi

# Polling in a thread of its own, on and off.
threads() {
	local i
	for i in 1 2 3 4 5; do
		n1 sh -c 'echo 1 >/sys/class/net/wg0/threaded' || return
		sleep 0.2
		n1 sh -c 'echo 0 >/sys/class/net/wg0/threaded' || return
		sleep 0.2
	done
}
if [ -w "/sys/class/net/lo/threaded" ] && n1 sh -c 'echo 1 >/sys/class/net/wg0/threaded' 2>/dev/null; then
	check threaded_polling_carries all_carry
	flood 5 &
	flooding=$!
	check threaded_polling_is_switched_under_traffic threads
	wait $flooding
	check every_peer_carries_after_switching all_carry
	n1 sh -c 'echo 1 >/sys/class/net/wg0/threaded'
	flood 2
	check every_peer_carries_with_threads_after_a_flood all_carry
	# One peer keeps a CPU busy: its poller leaves NAPI's thread for where there is room.
	check busy_peer_carries_with_threads stream 1 2 10.7.0.3 40
	check every_peer_carries_with_threads_after_a_busy_one all_carry
	n1 $wg set wg0 peer "$(key 9)" remove
	n1 $wg set wg0 peer "$(key 9)" allowed-ips 10.7.0.9/32
	ip2 link set wg9 down
	ip2 link set wg9 up
	ip2 route replace 10.7.0.1 dev wg9 src 10.7.0.9 table 9
	check new_peer_carries_with_threads reaches 2 10.7.0.1 -I 10.7.0.9
	n1 sh -c 'echo 0 >/sys/class/net/wg0/threaded'
else
	skip threaded_polling_carries "the device has no threaded switch"
fi

# CPUs leave and come back.
last=/sys/devices/system/cpu/cpu$((cpus - 1))/online
if [ "${GUEST:-}" ] && [ -w $last ] && [ "$cpus" -gt 1 ]; then
	plugged() {
		local i
		for i in 1 2 3 4; do
			echo 0 >$last || return
			sleep 0.4
			echo 1 >$last || return
			sleep 0.4
		done
	}
	flood 7 &
	flooding=$!
	check cpu_leaves_and_returns_under_traffic plugged
	wait $flooding
	check every_peer_carries_after_cpus_left all_carry
	echo 0 >$last
	check every_peer_carries_on_the_other_cpus all_carry
	check tcp_on_the_other_cpus stream 1 2 10.7.0.3
	check peers_are_set_on_the_other_cpus n1 $wg set wg0 peer "$(key 2)" allowed-ips 10.7.0.2/32
	echo 1 >$last
	check every_peer_carries_with_all_cpus all_carry
	check tcp_with_all_cpus stream 1 2 10.7.0.3
else
	skip cpu_leaves_and_returns_under_traffic "GUEST=1 is not set, or the last CPU cannot leave"
fi
tap_done
