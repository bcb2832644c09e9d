#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How long a call lasts that sends one packet, while another CPU sends all it can by the same peer and the way out is slow: not as long as
# that lasts, nor much longer than with the kernel's own module in the same boot.
#
#   ┌── 1 ── wg0 10.7.0.1, two CPUs ──┐     ┌── 2 ── wg0 10.7.0.2 ──┐
#   │        e   10.5.0.1             ├─────┤        v   10.5.0.2   │
#   └─────────────────────────────────┘     └───────────────────────┘
# environment: FLOOD, seconds (default 5)
. "$(dirname "$0")/lib.sh"
need nft
need_helper longest
need_both_modules
[ "$(nproc)" -ge 2 ] || skip_all "one CPU is not held up by another"

# Each packet passes two thousand rules on its way out; what the callers send into the tunnel passes one.
slow_way() {
	two_apart
	{
		echo 'add table ip slow'
		echo 'add chain ip slow out { type filter hook output priority 0; }'
		echo 'add rule ip slow out oifname wg0 accept'
		for ((i = 0; i < 2000; i++)); do
			echo 'add rule ip slow out udp dport 9 counter'
		done
	} | n1 nft -f - && reaches 1 10.7.0.2
}
# measured WHOSE: what the helper says, in WHOSE
measured() {
	slow_way && n1 "$helpers/longest" 10.7.0.2 "${FLOOD:-5}" 0 1 >"$1" || return
	sed "s/^/# $1, microseconds: /" "$1" >&3
	ip netns del "$(name_of 1)" && ip netns del "$(name_of 2)"
}
value() {
	sed -n "s/.*\\<$2 \\([0-9]*\\).*/\\1/p" "$1"
}
# no_longer WHICH TIMES: than TIMES what it is with the kernel's own.
no_longer() {
	cat in-tree ours
	[ "$(value ours "$1")" -le $(($(value in-tree "$1") * $2)) ]
}
exec 3>&1
# beside NAME COMMAND...: a check of ours by the kernel's own. Where everything is slower, something looks at what ours does and at nothing else.
beside() {
	if [ "${SLOWER:-1}" = 1 ]; then
		check "$@"
	else
		skip "$1" "the kernel's own is not watched"
	fi
}
check kernels_own_module_is_loaded load_in_tree
check calls_with_it measured in-tree
check our_module_is_loaded load_ours
check calls_with_ours measured ours
# Whom another CPU holds up makes a few calls only. The time of all but a few of them is steady, that of the longest is not.
as_many() {
	cat in-tree ours
	[ $(($(value ours calls) * 2)) -ge "$(value in-tree calls)" ]
}
beside as_many_calls_get_through as_many
beside nine_of_ten_calls_last_no_longer no_longer p90 8
beside ninety_nine_of_a_hundred_last_no_longer no_longer p99 8
# The longest of a few hundred varies from run to run, with either module: a call is held up when it lasts a good part of the flood.
not_held_up() {
	no_longer longest 4 || [ $(($(value ours longest) * 8)) -le $((${FLOOD:-5} * 1000000)) ]
}
beside no_call_is_held_up not_held_up
tap_done
