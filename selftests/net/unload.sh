#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module goes: refused or done while devices live, done when none does, and back on demand.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   └───────────────────────┴───┘             └───┴───────────────────────┘
# All WireGuard devices of the machine may go with it, so it runs only where GUEST=1 says that nobody minds.
. "$(dirname "$0")/lib.sh"
need modprobe rmmod
need_helper extensions
[ "${GUEST:-}" ] || skip_all "it unloads the module: set GUEST=1"
[ -d /sys/module/wireguard/holders ] || skip_all "the module is built in"

loaded() {
	[ -d /sys/module/wireguard ]
}
two_devices
check ping_before pings 1 10.7.0.2
start 1 ping -q -f 10.7.0.2
flooding=$started
start 2 ping -q -f 10.7.0.1
# Either answer is right; what counts is that nothing breaks and what it says is true.
live() {
	if rmmod wireguard; then
		! loaded && ! ip1 link show wg0 2>/dev/null && ! ip2 link show wg0 2>/dev/null
	else
		loaded && pings 1 10.7.0.2
	fi
}
check module_with_live_devices_goes_whole_or_stays live
stop $flooding $started
for n in 1 2; do
	ip -n "$(name_of $n)" link del wg0 2>/dev/null
done
loaded && poll 20 rmmod wireguard
check module_without_devices_goes fails loaded

check device_loads_the_module ip1 link add wg1 type wireguard
check module_is_there_again loaded
ip1 link del wg1
poll 20 rmmod wireguard
check module_goes_a_second_time fails loaded
load_and_unload() {
	local i
	for i in 1 2 3 4 5; do
		modprobe wireguard && ip1 link add wg$i type wireguard && ip1 link set wg$i up && ip1 link del wg$i && poll 20 rmmod wireguard || return
	done
}
check module_loads_and_unloads_five_times load_and_unload
# What is left to do for devices on their way out is done while the module waits, whoever deleted them.
goes_with_many() {
	local i n deleting
	for i in 1 2 3; do
		modprobe wireguard || return
		for ((n = 0; n < 30; n++)); do
			echo "link add wgm$n group 7 type wireguard"
			echo "link set wgm$n up"
		done | ip1 -batch - || return
		ip1 link del group 7 &
		deleting=$!
		poll 20 rmmod wireguard || return
		wait $deleting
	done
	:
}
check module_goes_while_many_devices_do goes_with_many
$wg show >/dev/null 2>&1
modprobe wireguard
# Whoever listens to events neither keeps it nor hears from it again.
goes_with_a_listener() {
	mkfifo hold
	exec 7<>hold
	# Not by way of in_ns: the id would be that of a shell, and the listener would stay when it is ended.
	$netns_exec "${prefix}1" "$helpers/extensions" listen events <&7 >events 2>&1 &
	background+=($!)
	ip1 link add wgl type wireguard && poll 5 grep -q joined events && n1 $wg set wgl fwmark 7 && poll 5 grep -q wgl events || return
	ip1 link del wgl
	poll 20 rmmod wireguard && modprobe wireguard && : >events && ip1 link add wgl type wireguard && n1 $wg set wgl fwmark 8 && ip1 link del wgl &&
		! grep wgl events
}
if "$helpers/extensions" listen events </dev/null >/dev/null 2>&1; then
	check module_goes_while_somebody_listens goes_with_a_listener
fi
# With a namespace that dies meanwhile: nothing of the module may be called afterwards.
namespaces 3
key 3 >/dev/null
device 3 wg3 3
n3 $wg set wg3 private-key 3.key
ip3 link set wg3 up
ip netns del "$(name_of 3)"
check module_goes_after_a_namespace_died poll 20 rmmod wireguard
check module_stays_loaded_at_the_end modprobe wireguard
for n in 0 1 2; do
	ip netns del "$(name_of $n)"
done
two_devices
check tunnel_works_after_all pings 1 10.7.0.2
tap_done
