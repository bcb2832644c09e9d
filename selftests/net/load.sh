#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Under load: a flood of initiations costs little, earns cookies only, takes no memory, and locks nobody out.
# A kernel that looks for mistakes makes cookies no faster than it reads handshakes: with SLOWER, what is about speed is told and not judged.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌──── 0 ──────────────────┐   ┌── 2 ── wg0 10.7.0.2, the flooded ──┐
#   └───────────────────────┴───┤ lo; flood from 10.128/9 ├───┴────────────────────────────────────┘
#   3: wg0 10.7.0.3, who comes later
. "$(dirname "$0")/lib.sh"
need tcpdump iperf3
need_helper flood
total=${FLOOD:-200000}

two_devices
ip0 link add d0 type dummy
ip0 link set d0 up
ip0 route add 10.128.0.0/9 dev d0
check ping_before pings 1 10.7.0.2
# at_speed NAME COMMAND...: as check; where everything is slower, what happens is told, and not judged.
at_speed() {
	if [ "${SLOWER:-1}" = 1 ]; then
		check "$@"
	else
		"${@:2}" >/dev/null 2>&1
		skip "$1" "status $?; this kernel is too slow to tell"
	fi
}
flood() {
	in_ns 0 "$helpers/flood" "$(key 2)" 127.0.0.1 2222 "$@"
}
available() {
	awk '/^MemAvailable/ { print $2 }' /proc/meminfo
}

# No answer to what has a wrong mac1, however much of it comes.
capture 0 d0 answers.pcap udp src port 2222
check flood_of_wrong_mac1 flood 3000 --bad-mac1
captured
check wrong_mac1_is_never_answered equal "$(packets answers.pcap)" 0

# All that was sent has been dealt with when no more answers come.
settled() {
	local before=$(stat -c %s answers.pcap)
	sleep 1
	[ "$(stat -c %s answers.pcap)" = "$before" ]
}
capture 0 d0 answers.pcap udp src port 2222
check flood_of_valid_mac1 flood 6000
check flood_is_dealt_with poll $((30 * ${SLOWER:-1})) settled
captured
check flood_earns_cookies test "$(packets answers.pcap 'udp[4:2] == 72')" -gt 0
check flood_earns_nothing_else equal "$(packets answers.pcap 'udp[4:2] != 72')" 0
check not_more_answers_than_questions within "$(packets answers.pcap)" 1 6000
check session_goes_on pings 1 10.7.0.2

# Who is honest gets in all the same: first a cookie, then the handshake with it.
namespaces 3
key 3 >/dev/null
device 3 wg0
address 3 wg0 10.7.0.3/24
n3 $wg set wg0 private-key 3.key listen-port 3333 peer "$(key 2)" allowed-ips 10.7.0.2/32 endpoint 127.0.0.1:2222
n2 $wg set wg0 peer "$(key 3)" allowed-ips 10.7.0.3/32
capture 0 lo cookie.pcap udp dst port 3333
start 0 "$helpers/flood" "$(key 2)" 127.0.0.1 2222 10000000 --rate 6000
flooding=$started
sleep 1.5
ip3 link set wg0 up
came_in() {
	reaches 3 10.7.0.2 || reaches 3 10.7.0.2
}
at_speed newcomer_comes_in_under_load came_in
check session_goes_on_under_load reaches 1 10.7.0.2
stop $flooding
captured
at_speed newcomer_got_a_cookie test "$(packets cookie.pcap 'udp[4:2] == 72')" -ge 1
check session_after_the_load pings 1 10.7.0.2

# Without load nobody needs a cookie. The state lasts a second.
quiet() {
	sleep 2
	capture 0 lo cookie.pcap udp dst port 3333
	ip3 link set wg0 down
	ip3 link set wg0 up
	reaches 3 10.7.0.2
	captured
	equal "$(packets cookie.pcap 'udp[4:2] == 72')" 0
}
check no_cookies_without_load quiet

# What a flood costs a session: the same flood goes to a socket nobody reads in one round, and to the device in the next, so that
# making and carrying it costs the same. Medians of interleaved rounds. The rate goes by what the machine carries, an initiation for
# 5000 bytes of the session: a number of its own would measure the machine.
rounds=${ROUNDS:-5}
start 0 socat -u UDP-RECV:9999,rcvbuf=2000 EXEC:'sleep 1000'
start 2 iperf3 -s
poll 5 listens 2 5201
throughput() {
	n1 iperf3 -c 10.7.0.2 -t 2 -O 1 -f k 2>/dev/null | awk '/receiver/ { for (i = 1; i < NF; i++) if ($(i + 1) == "Kbits/sec") print int($i) }'
}
# measured PORT
measured() {
	ip netns exec "$(name_of 0)" "$helpers/flood" "$(key 2)" 127.0.0.1 "$1" $((total / rounds)) --rate $rate >/dev/null 2>&1 &
	throughput
	stop $!
}
before=$(available)
rate=$(($(throughput) / 40))
without=() with=()
for ((round = 0; round < rounds; round++)); do
	without+=("$(measured 9999)")
	with+=("$(measured 2222)")
done
median() {
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}
echo "# kbit/s at $rate initiations a second, flood elsewhere: ${without[*]}; here: ${with[*]}"
enough() {
	echo "medians: $(median "${without[@]}") without, $(median "${with[@]}") with"
	[ "$(median "${without[@]}")" -gt 0 ] && [ $(($(median "${with[@]}") * 100)) -ge $(($(median "${without[@]}") * 80)) ]
}
at_speed flood_costs_a_session_no_more_than_a_fifth enough
flat() {
	local now
	# Half of it, as fast as it goes.
	flood $((total / 2)) >/dev/null || return
	sleep 2
	now=$(available)
	echo "available: $before kB before, $now kB after"
	[ $((before - now)) -lt 32768 ]
}
check flood_takes_no_memory flat
check session_after_the_flood reaches 1 10.7.0.2
check newcomer_after_the_flood reaches 3 10.7.0.2
tap_done
