#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is answered to who asks for a device is, to the byte, what the kernel's own module answers in the same boot.
#
#   ┌── 1 ── wg0, down ──┐
#   └────────────────────┘
. "$(dirname "$0")/lib.sh"
need_both_modules
need_helper answer
key 1 >/dev/null
key 2 >/dev/null
key 3 >/dev/null
$wg genpsk >psk

# each_answer FILE: of a device as it is made, and after each change.
each_answer() {
	namespaces 1
	ip1 link add wg0 type wireguard || return
	n1 "$helpers/answer" wg0 >"$1.fresh" || return
	n1 $wg set wg0 private-key 1.key listen-port 1111 fwmark 0x7 || return
	n1 "$helpers/answer" wg0 >"$1.without_peers" || return
	n1 $wg set wg0 peer "$(key 2)" preshared-key psk endpoint 192.0.2.1:7 persistent-keepalive 25 allowed-ips 10.0.0.0/8,fd00::/8,10.1.0.0/16 || return
	n1 "$helpers/answer" wg0 >"$1.with_a_peer" || return
	n1 $wg set wg0 peer "$(key 3)" endpoint "[fe80::1%lo]:9" || return
	n1 "$helpers/answer" wg0 >"$1.with_another" || return
	ip netns del "$(name_of 1)"
}
check answers_of_ours each_answer ours
load_in_tree
check answers_of_the_kernels_own each_answer theirs
for state in fresh without_peers with_a_peer with_another; do
	check "answer_is_the_same_$state" diff ours.$state theirs.$state
done
load_ours
tap_done
