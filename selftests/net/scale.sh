#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Many peers, many allowed IPs: what is read is what was set, and it goes away quickly.
#
#   ┌── 0 ── wg0, no traffic ──┐
#   └──────────────────────────┘
. "$(dirname "$0")/lib.sh"
need awk sort
peers=${PEERS:-10000}
prefixes=${PREFIXES:-130000}
devices=${DEVICES:-200}

namespaces 0
device 0 wg0 0
key 1 >/dev/null
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
# 42 random base64 digits and "A=" are 32 bytes whose last two bits are zero.
random_keys() {
	head -c $((33 * $1)) /dev/urandom | base64 -w 44 | awk 'length($0) == 44 { print substr($0, 1, 42) "A=" }'
}
random_keys $peers | sort >keys
check keys_are_different equal "$(uniq keys | wc -l)" $peers
awk -v private="$(cat 1.key)" 'BEGIN { print "[Interface]\nPrivateKey = " private "\nListenPort = 7777" } {
	printf "[Peer]\nPublicKey = %s\nAllowedIPs = 10.%d.%d.0/24, fd00:%x::/32\nEndpoint = 127.0.0.1:%d\n", $1, NR / 256, NR % 256, NR, NR
}' keys >many.conf
awk '{ printf "%s\t(none)\t127.0.0.1:%d\t10.%d.%d.0/24,fd00:%x::/32\t0\t0\t0\toff\n", $1, NR, NR / 256, NR % 256, NR }' keys >expected

began=$(now_ms)
check ten_thousand_peers_are_set n0 $wg setconf wg0 many.conf
adding=$(($(now_ms) - began))
# In which order a peer's prefixes are shown is nobody's business.
ipv4_first() {
	awk -F '\t' -v OFS='\t' '{ if (split($4, a, ",") == 2 && a[1] ~ /:/) $4 = a[2] "," a[1]; print }'
}
shown() {
	n0 $wg show wg0 dump | tail -n +2 | ipv4_first | sort >got && cmp got expected
}
check dump_of_ten_thousand_peers_is_what_was_set shown

# Half of them replaced, half kept, in one request of several messages.
head -n $((peers / 2)) keys >kept
n0 $wg show wg0 peers | sort >before
sync_half() {
	awk -v keep=$((peers / 2)) '/^\[Peer\]/ { n++ } n <= keep' many.conf >half.conf
	n0 $wg syncconf wg0 half.conf && n0 $wg show wg0 peers | sort >got && cmp got kept
}
check half_of_the_peers_are_removed sync_half
check they_are_added_again n0 $wg addconf wg0 many.conf
check dump_is_whole_again shown
# Each on a device of its own, whose peers lie in memory as they came. Other work only makes a dump longer, so the shortest counts; on a
# busy machine it takes some more to find it.
fill() { ip0 link add $1 type wireguard && n0 "$helpers/crowd" $1 $2; }
dump_takes() { n0 "$helpers/crowd" $1 0 | awk '{ printf "%d\n", $3 * 1000 }'; }	# us
twice_takes_twice() {
	local tries took half=999999999 whole=999999999
	for ((tries = 0; tries < 20 && (tries < 2 || whole >= 3 * half); tries++)); do
		took=$(dump_takes wgh)
		[ $took -ge $half ] || half=$took
		took=$(dump_takes wgd)
		[ $took -ge $whole ] || whole=$took
	done
	echo "# a dump of $peers peers takes $half us, of $((peers * 2)) $whole us" >dumps
	test $whole -lt $((half * 3))
}
fill wgh $peers >filled && fill wgd $((peers * 2)) >>filled
check dump_of_twice_as_many_takes_about_twice_as_long twice_takes_twice
cat dumps
ip0 link del wgh
ip0 link del wgd

# A dump while peers come and go must end and never show a peer twice; who asks again in peace sees all.
changing() {
	local i
	for i in 1 2; do
		n0 $wg syncconf wg0 half.conf
		n0 $wg addconf wg0 many.conf
	done
	: >done
}
reads=0
unchanging() {
	rm -f done
	changing &
	while [ ! -e done ]; do
		timeout 30 ip netns exec "$(name_of 0)" $wg show wg0 dump >during || { echo "the dump failed"; return 1; }
		[ "$(tail -n +2 during | cut -f 1 | sort | uniq -d | wc -l)" = 0 ] || { echo "a peer is shown twice"; return 1; }
		reads=$((reads + 1))
	done
	wait $!
	shown
}
check dump_while_peers_come_and_go unchanging

began=$(now_ms)
printf '[Interface]\nPrivateKey = %s\nListenPort = 7777\n' "$(cat 1.key)" >none.conf
n0 $wg setconf wg0 none.conf
removing=$(($(now_ms) - began))
echo "# $peers peers: added in $adding ms, removed in $removing ms"
check no_peer_is_left equal "$(n0 $wg show wg0 peers | wc -l)" 0
# Each for itself, in no more than a few times what adding it took: not in time that grows with how many there are, nor by a wait for each.
quick() {
	[ $removing -lt $((adding * 4)) ]
}
check ten_thousand_peers_go_quickly quick

# The same, up, with an open handshake each, and the device deleted as a whole.
n0 $wg setconf wg0 many.conf
ip0 link set wg0 up
began=$(now_ms)
check device_with_ten_thousand_peers_is_deleted ip0 link del wg0
removing=$(($(now_ms) - began))
echo "# device with $peers peers deleted in $removing ms"
check device_with_ten_thousand_peers_goes_quickly quick

# One peer with very many prefixes: its part of a dump is split over many messages.
device 0 wg0 0
one=$(head -n 1 keys)
awk -v key="$one" -v count=$prefixes 'BEGIN {
	printf "[Interface]\n[Peer]\nPublicKey = %s\n", key
	for (i = 0; i < count; i++)
		printf "AllowedIPs = %s\n", i % 2 ? sprintf("10.%d.%d.%d/32", i / 65536, i / 256 % 256, i % 256) : sprintf("fd00::%x:%x/128", i / 65536, i % 65536)
}' >prefixes.conf
sed -n 's/^AllowedIPs = //p' prefixes.conf | sort >expected
began=$(now_ms)
check one_peer_with_many_prefixes_is_set n0 $wg setconf wg0 prefixes.conf
# Addresses of IPv6 are shown in their short form: of them only the number is compared.
many_prefixes() {
	n0 $wg show wg0 allowed-ips | cut -f 2 | tr ' ' '\n' >got
	equal "$(wc -l <got)" $prefixes && cmp <(grep -v : got | sort) <(grep -v : expected)
}
check dump_of_many_prefixes_is_what_was_set many_prefixes
echo "# $prefixes prefixes: set and read in $(($(now_ms) - began)) ms"
check many_prefixes_are_replaced_by_one n0 $wg set wg0 peer "$one" allowed-ips 10.0.0.0/8
check one_prefix_is_left equal "$(n0 $wg show wg0 allowed-ips | cut -f 2)" 10.0.0.0/8
check peer_is_removed n0 $wg set wg0 peer "$one" remove

# Many devices of one group go at once: whoever else configures the network meanwhile waits for a part of that time, not for all of it.
namespaces 1
crowd() {
	local i
	for ((i = 0; i < devices; i++)); do
		echo "link add wc$i group 7 type wireguard"
	done | ip1 -batch -
}
# Asks for a link over and over; says how often, and how long the longest took.
asking() {
	local count=0 longest=0 began took
	while [ ! -e gone ]; do
		began=$(now_ms)
		ip link show lo >/dev/null
		took=$(($(now_ms) - began))
		[ $took -le $longest ] || longest=$took
		count=$((count + 1))
	done
	echo "$count $longest" >asked
}
others_go_on() {
	local began total count longest
	rm -f gone
	asking &
	began=$(now_ms)
	ip1 link del group 7 || return
	total=$(($(now_ms) - began))
	: >gone
	wait $!
	read -r count longest <asked
	echo "# $devices devices deleted in $total ms; a link was asked for $count times, for $longest ms at the longest" >>told
	# Where it goes quickly (one CPU needs no grace periods) there is nothing to be seen.
	[ $total -lt 2000 ] || [ $((longest * 3)) -lt $total ]
}
check devices_of_a_group_are_made crowd
check others_go_on_while_devices_go others_go_on
cat told
tap_done
