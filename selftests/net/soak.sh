#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that comes and goes, for a long time and at once: sessions, endpoints, peers, devices, namespaces, CPUs, and between two rounds the
# module. What the kernel holds afterwards is what it held before. selftests/net/soak builds a module whose timers make more of it.
#
# environment: SOAK_SECONDS (default 60); a round takes 20
. "$(dirname "$0")/lib.sh"
need modprobe rmmod
[ "${GUEST:-}" ] || skip_all "it unloads the module and takes CPUs away: set GUEST=1"
rounds=$((${SOAK_SECONDS:-60} / 20))
[ $rounds -ge 2 ] || rounds=2

# churn N COMMAND...: again and again for the round's 15 s, in namespace N's background.
churn() {
	local n=$1 until=$((SECONDS + 15))
	shift
	(
		while [ $SECONDS -lt $until ]; do
			"$@" "$n" >>churn.log 2>&1 || echo "$* failed" >>churn.failed
		done
	) &
	churns+=($!)
}
roam() {
	n1 $wg set wg0 listen-port $((2000 + RANDOM % 1000)) && sleep 1
}
other_peers() {
	local i
	for i in 1 2 3 4 5; do
		in_ns "$1" $wg set wg0 peer "$(head -c 32 /dev/urandom | base64)" allowed-ips 10.9.$i.0/24 endpoint 127.0.0.1:9 persistent-keepalive 1 || return
	done
	sleep 0.2
	in_ns "$1" $wg show wg0 peers | grep -vF "$(cat 1.pub 2.pub)" | while read -r peer; do
		in_ns "$1" $wg set wg0 peer "$peer" remove
	done
}
namespaces_come_and_go() {
	local name=${prefix}c
	ip netns add "$name" && ip -n "$name" link add wg0 type wireguard && ip -n "$name" link set wg0 up &&
		ip netns exec "$name" $wg set wg0 private-key 1.key peer "$(cat 2.pub)" allowed-ips 0.0.0.0/0 endpoint 127.0.0.1:9 persistent-keepalive 1
	sleep 0.2
	ip netns del "$name"
}
cpus_come_and_go() {
	local cpu=/sys/devices/system/cpu/cpu1/online
	[ ! -w $cpu ] || { echo 0 >$cpu && sleep 0.5 && echo 1 >$cpu; }
	sleep 1
}
pings() { in_ns "$1" ping -q -i 0.02 -c 500 -W 1 "10.7.0.$((3 - $1))" >>pings.log; }

# What the kernel cannot give back, in KB, and the objects of its own caches.
held() {
	sync
	sleep 1
	awk '/^(SUnreclaim|Percpu|KernelStack|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo
}

one_round() {
	churns=()
	two_devices
	churn 1 roam
	churn 2 other_peers
	churn 0 namespaces_come_and_go
	churn 0 cpus_come_and_go
	churn 1 pings
	churn 2 pings
	wait "${churns[@]}"
	[ ! -e /sys/devices/system/cpu/cpu1/online ] || echo 1 >/sys/devices/system/cpu/cpu1/online
	{ reaches 1 10.7.0.2 && reaches 2 10.7.0.1; } >/dev/null || echo "round $1: no ping" >>churn.failed
	n1 $wg show wg0 latest-handshakes | awk -v now="$(date +%s)" '{ if (now - $2 < 8) fresh = 1 } END { exit !fresh }' && fresh=$((fresh + 1))
	ip netns del "$(name_of 1)"
	ip netns del "$(name_of 2)"
	ip netns del "$(name_of 0)"
	poll 20 rmmod wireguard && modprobe wireguard || echo "round $1: the module does not go" >>churn.failed
}

fresh=0
for ((round = 1; round <= rounds; round++)); do
	one_round $round
	[ $round != 1 ] || start=$(held)
	[ $((round % 10)) != 0 ] || echo "# round $round: $(held) KB"
done
end=$(held)
nothing_failed() { [ ! -e churn.failed ] || { sort churn.failed | uniq -c; tail -n 20 churn.log; false; }; }
check "nothing_failed_in_rounds_of_churn" nothing_failed
echo "# $rounds rounds; $start KB held after the first, $end KB at the end"
# With the protocol's own times a session is two minutes old before there is another.
check sessions_were_renewed equal "$fresh" "$rounds"
# A tenth of a round's noise is allowed for each of the first ten.
grew_little() { echo "$start KB, then $end KB"; [ $((end - start)) -lt $((start / 20)) ]; }
check memory_is_as_after_the_first_round grew_little
check pings_came_through sh -c "awk '/packet loss/ { sent += \$1; got += \$4 } END { print got \"/\" sent; exit got < sent / 2 }' pings.log"
tap_done
