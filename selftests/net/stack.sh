#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How much stack a packet takes that goes through many devices, each one inside the one before: at most 1 KiB more than with the kernel's own
# module in the same boot. With a queueing discipline on each, the kernel does not see how deep it is.
#
#   ┌── 3 ── wg7 10.27.0.3 in wg6 in ... in wg0 ──┐     ┌── 4 ── the same, 10.27.0.4 ──┐
#   │        v   10.5.0.3, fd05::3                ├─────┤        v   10.5.0.4, fd05::4 │
#   └─────────────────────────────────────────────┘     └──────────────────────────────┘
# The kernel must not move each system call's stack by up to 1 KB: randomize_kstack_offset=off, as in-guest has it.
# A kernel that looks for mistakes has frames of other sizes: there, nothing is measured, and packets must only get through.
# environment: NESTED, devices in one another (default 8)
. "$(dirname "$0")/lib.sh"
need tc
need_both_modules
measures=1
[ "${SLOWER:-1}" = 1 ] || measures=
[ ! "$measures" ] || [ -e /proc/sys/kernel/stack_tracer_enabled ] || skip_all "the kernel has no stack tracer"
nested=${NESTED:-8}
key 1 >/dev/null
key 2 >/dev/null

onion() {
	local k n left=10.5.0.3 right=10.5.0.4
	namespaces 3 4
	veth 3 v 4 v
	address 3 v 10.5.0.3/24 fd05::3/64
	address 4 v 10.5.0.4/24 fd05::4/64
	for ((k = 0; k < nested; k++)); do
		for n in 3 4; do
			device $n wg$k $n && ip -n "$(name_of $n)" link set wg$k mtu $((1420 - 80 * k)) || return
			address $n wg$k 10.2$k.0.$n/24
		done
		n3 $wg set wg$k private-key 1.key listen-port $((5000 + k)) peer "$(key 2)" allowed-ips 10.2$k.0.4/32 endpoint $right:$((5000 + k))
		n4 $wg set wg$k private-key 2.key listen-port $((5000 + k)) peer "$(key 1)" allowed-ips 10.2$k.0.3/32 endpoint $left:$((5000 + k))
		for n in 3 4; do
			ip -n "$(name_of $n)" link set wg$k up
		done
		left=10.2$k.0.3 right=10.2$k.0.4
		reaches 3 $right
	done
}
# deepest WHOSE HOW: what pings of half the depth and of the whole take, ten each, for the tracer does not see all that a thread or an interrupt does;
# beyond what a module allows there are no answers.
deepest() {
	local k answers=0
	[ ! "$measures" ] || echo 0 >/sys/kernel/tracing/stack_max_size
	for k in $((nested / 2)) $((nested - 1)); do
		n3 ping -q -c 10 -i 0.1 -W 1 -s 700 10.2$k.0.4 && answers=$((answers + 1))
	done
	echo $answers >"$1.$2.answers"
	[ "$measures" ] || return 0
	cp /sys/kernel/tracing/stack_max_size "$1.$2"
	cp /sys/kernel/tracing/stack_trace "$1.$2.trace"
	echo "# $1: at most $(cat "$1.$2") bytes of stack with $nested devices, $2; $answers of 2 answered" >&3
}
# Of all functions, those at the bottom of a packet's way: to patch tens of thousands takes an emulated machine minutes.
tracer() {
	[ "$measures" ] || return 0
	[ "$1" = 0 ] || printf '%s\n' '*xmit*' 'ip_*' 'ip6_*' '*skb*' 'nf_hook*' 'fib*lookup*' 'kmem_cache_alloc*' '__kmalloc*' enqueue_to_backlog ':mod:wireguard' \
		>/sys/kernel/tracing/stack_trace_filter
	echo "$1" >/proc/sys/kernel/stack_tracer_enabled
}
# stacks WHOSE: in WHOSE.HOW, for each HOW
stacks() {
	local k n outer
	onion && tracer 1 || return
	for outer in ipv4 ipv6; do
		deepest "$1" $outer
		n3 $wg set wg0 peer "$(key 2)" endpoint '[fd05::4]:5000'
	done
	for ((k = 0; k < nested; k++)); do
		for n in 3 4; do
			in_ns $n tc qdisc add dev wg$k root pfifo limit 100 || return
		done
	done
	deepest "$1" ipv6-queues
	n3 $wg set wg0 peer "$(key 2)" endpoint 10.5.0.4:5000
	deepest "$1" ipv4-queues
	tracer 0 && ip netns del "$(name_of 3)" && ip netns del "$(name_of 4)"
}
# Which way takes the kernel's own module deepest differs from run to run: its threads and interrupts meet the tracer at different times.
no_deeper() {
	local deepest
	deepest=$(cat in-tree.{ipv4,ipv6}{,-queues} | sort -n | tail -n 1)
	echo "in-tree: at most $deepest, ours: $(cat "ours.$1")"
	# Less than that is no packet's way: the tracer has seen nothing.
	[ "$deepest" -gt 1000 ] && [ "$(cat "ours.$1")" -gt 1000 ] && [ "$(cat "ours.$1")" -le $((deepest + 1024)) ] && return
	cat "ours.$1.trace"
	return 1
}

exec 3>&1
check kernels_own_module_is_loaded load_in_tree
check stack_with_it stacks in-tree
check our_module_is_loaded load_ours
check stack_with_ours stacks ours
for how in ipv4 ipv6 ipv6-queues ipv4-queues; do
	check "half_the_devices_answer_over_${how/-/_with_}" within "$(cat ours.$how.answers)" 1 2
	if [ "$measures" ]; then
		check "no_more_stack_over_${how/-/_with_}" no_deeper $how
	else
		skip "no_more_stack_over_${how/-/_with_}" "frames have another size in this kernel"
	fi
done
tap_done
