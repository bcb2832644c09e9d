#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Interfaces and peers that come and go all day (clients that reconnect, a service in a restart loop) give back what they took.
#
#   ┌── 1 ── wg1 ... wgN, come and go ──┐     ┌── 2 ── wg0, whose peers come and go ──┐
#   └── e   10.5.0.1 ───────────────────┴─────┴── e   10.5.0.2 ───────────────────────┘
# environment: DEVICES (default 12, at most 250), ROUNDS (default 5)
. "$(dirname "$0")/lib.sh"
devices=${DEVICES:-12} rounds=${ROUNDS:-5}

namespaces 1 2
veth 1 e 2 e
address 1 e 10.5.0.1/24
address 2 e 10.5.0.2/24
key 0 >/dev/null
for ((i = 1; i <= devices; i++)); do
	own=$($wg genkey)
	printf '[Interface]\nPrivateKey = %s\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0\nEndpoint = 10.5.0.2:2222\nPersistentKeepalive = 25\n' \
		"$own" "$(<0.pub)" >$i.conf
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.7.0.%d/32\n' "$($wg pubkey <<<"$own")" $i
	echo "link add wg$i group 7 type wireguard" >&3
done >peers 3>births
device 2 wg0 2
printf '[Interface]\nPrivateKey = %s\nListenPort = 2222\n' "$(<0.key)" >nobody
cat nobody peers >everybody
ip2 link set wg0 up

# Who loses a peer's session asks for a new one by itself; all are there once each has a handshake.
meet() {
	n2 $wg setconf wg0 everybody && ip1 link set group 7 up && poll 20 shook 2 wg0
}
round() {
	ip1 -batch births && n1 bash -c "for ((i = 1; i <= $devices; i++)); do $wg setconf wg\$i \$i.conf || exit; done" || return
	meet && ip1 link set group 7 down && n2 $wg setconf wg0 nobody && meet || return
	n2 $wg setconf wg0 nobody && ip1 link del group 7
}
kilobytes() {
	sync
	sleep 1
	awk '/^(SUnreclaim|Percpu|KernelStack|VmallocUsed):/ { n += $2 } END { print n }' /proc/meminfo
}
# What is kept for later use, by us and by others, is there after the first round.
check first_round_with_two_handshakes_each round
before=$(kilobytes)
for ((i = 2; i <= rounds; i++)); do
	check "round_$i" round
done
given_back() {
	local after limit=$((devices * (rounds - 1) * 4 + 300))
	after=$(kilobytes)
	echo "# $((devices * (rounds - 1))) devices: $before kB before, $after kB after, at most $limit more allowed" >&3
	[ $((after - before)) -lt $limit ]
}
exec 3>&1
# KASAN holds back what is freed; kmemleak knows better.
if [ -e /sys/kernel/debug/kmemleak ]; then
	skip what_was_taken_is_given_back "a kernel that keeps what is freed"
else
	check what_was_taken_is_given_back given_back
fi
tap_done
