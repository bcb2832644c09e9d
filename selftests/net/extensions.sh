#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Events, state, and changes a controller can rely on, which the deployed family does not have.
#
#   ┌── 1 ── wg0 10.7.0.1 ──┐   ┌── 0 ── lo ──────────────┐   ┌── 2 ── wg0 10.7.0.2 ──┐
#   │                       ├───┤ both born here; wgx, a  ├───┤                       │
#   │ a listener            │   │ stranger; a listener    │   │                       │
#   └───────────────────────┘   └─────────────────────────┘   └───────────────────────┘
. "$(dirname "$0")/lib.sh"
need setpriv od
need_helper extensions
ext=$helpers/extensions
"$ext" listen events </dev/null >/dev/null 2>&1 || skip_all "this module has no extensions"

export RECORD=$PWD/record
two_devices
hex() { base64 -d <<<"$1" | od -An -v -tx1 | tr -d " \n"; }
one=$(hex "$(key 1)") two=$(hex "$(key 2)")
mkfifo hold
exec 7<>hold
# listener N GROUP FILE: what it hears goes to FILE.
listener() {
	$netns_exec "$prefix$1" "$ext" listen "$2" <&7 >"$3" 2>&1 &
	background+=($!)
	poll 5 grep -q joined "$3"
}
heard() { poll "${3:-3}" grep -qE "$2" "$1" || { cat "$1"; false; }; }
unheard() { ! grep -E "$2" "$1"; }
nobody() { in_ns 1 setpriv --reuid 65534 --clear-groups --bounding-set -all "$@"; }
says_link() { in_ns "$1" "$ext" show "$2" >said 2>&1; grep -qE "$3" said || { cat said; false; }; }
tells() { local text=$1; shift; "$@" >said 2>&1; grep -qE "$text" said || { cat said; false; }; }
silent_of() { local text=$1; shift; "$@" >said 2>&1 && ! grep -E "$text" said; }

check who_has_the_right_may_listen listener 1 events events
check a_listener_in_the_birth_namespace listener 0 events birth
check one_of_moves listener 2 endpoints moves
check one_of_strangers listener 2 strangers strangers
check who_has_not_may_not tells 'not permitted' nobody "$ext" listen events

# ---- sessions ----
check ping pings 1 10.7.0.2
check a_session_is_told_with_role_and_place heard events "^wg0 established peer=$two role=0 rekey=0 endpoint=127.0.0.1:2222\$"
n1 $wg set wg0 listen-port 1112
check ping_from_another_port pings 1 10.7.0.2
check the_other_side_hears_that_it_moved heard moves "^wg0 moved peer=$one endpoint=127.0.0.1:1112\$"
ip1 link set wg0 down
check down_ends_the_session heard events "^wg0 expired peer=$two\$"
ip1 link set wg0 up

# ---- configuration ----
key 3 >/dev/null
three=$(hex "$(key 3)")
n1 $wg set wg0 peer "$(key 3)" allowed-ips 10.9.0.0/16,fd09::/16
check a_new_peer_is_told heard events "^wg0 added peer=$three\$"
check and_then_the_change heard events '^wg0 configuration generation=[0-9]+$'
n1 $wg set wg0 peer "$(key 3)" persistent-keepalive 0
check a_changed_one_too heard events "^wg0 changed peer=$three\$"

# ---- a stranger ----
n0 $wg genkey >4.key
four=$(hex "$($wg pubkey <4.key)")
device 0 wgx
n0 $wg set wgx private-key 4.key peer "$(key 2)" allowed-ips 10.6.0.0/24 endpoint 127.0.0.1:2222 persistent-keepalive 1
ip0 link set wgx up
check a_stranger_is_told_of heard strangers "^wg0 stranger peer=$four endpoint=127.0.0.1:[0-9]+\$" 8
ip0 link del wgx

# ---- asking ----
check ping_again pings 1 10.7.0.2
check state_is_told tells "^peer key=$two .*awaits=0.* mtu=65535? .*session=1/0" n1 "$ext" get wg0 s
check the_form_in_use_too tells '^device.* aead=(portable|avx2|avx512|neon)' n1 "$ext" get wg0 s
check only_who_is_named tells "^peer key=$three" n1 "$ext" get wg0 - "$three"
check nobody_else silent_of "$two" n1 "$ext" get wg0 - "$three"
check secrets_when_asked tells '^device.* private-key' n1 "$ext" get wg0 -
check none_when_not silent_of 'private-key|psk' n1 "$ext" get wg0 n
check nobody_may_ask tells 'not permitted' nobody "$ext" get wg0 n
check unless_the_admin_says_so n1 "$ext" set wg0 public 1
check then_all_but_the_secrets tells "^peer key=$two" nobody "$ext" get wg0 s
check whatever_is_asked_for silent_of 'private-key|psk' nobody "$ext" get wg0 -
check only_reading tells 'not permitted' nobody "$ext" set wg0 public 0
check the_deployed_command_stays_closed tells 'not permitted' nobody $wg show wg0
n1 "$ext" set wg0 public 0
check closed_again tells 'not permitted' nobody "$ext" get wg0 n

# ---- changing ----
generation() { n1 "$ext" get wg0 - | sed -nE 's/^device.* generation=([0-9]+).*/\1/p'; }
now=$(generation)
check a_change_of_what_is_known n1 "$ext" set wg0 generation "$now"
check a_change_of_what_is_old tells 'changed meanwhile' n1 "$ext" set wg0 generation "$now"
# A key may have a + in it.
three_begins=$(key 3 | cut -c 1-12 | sed 's/+/\\+/g')
check a_prefix_of_anothers tells "^10\\.9\\.0\\.0/16 belongs to peer $three_begins\\.\\.\\.\$" n1 "$ext" set wg0 no-steal "$two" 10.9.0.0 16
check ipv6_too tells "^fd09::/16 belongs to peer $three_begins\\.\\.\\.\$" n1 "$ext" set wg0 no-steal "$two" fd09:: 16
check it_is_still_its_own sh -c "ip netns exec $(name_of 1) $wg show wg0 allowed-ips | grep -F '$(key 3)' | grep -q 10.9.0.0/16"
check a_free_one_is_given n1 "$ext" set wg0 no-steal "$two" 10.10.0.0 16

n1 $wg set wg0 peer "$(key 3)" remove
check a_removed_one_is_told heard events "^wg0 removed peer=$three\$"
check nothing_of_it_is_heard_where_it_was_born unheard birth 'wg0'

# ---- rtnetlink ----
check a_link_with_port_and_mark_in_one_request n0 "$ext" link wgl 4711 0x2a
check both_are_shown says_link 0 wgl 'port=4711 mark=42 $'
check to_the_family_as_well equal "$(n0 $wg show wgl listen-port; n0 $wg show wgl fwmark)" "4711"$'\n'"0x2a"
n0 $wg set wgl fwmark 7 private-key 4.key
ip0 link set wgl up
check what_changes_is_shown says_link 0 wgl 'port=4711 mark=7 $'
ip0 link set wgl netns "$(name_of 1)"
check away_it_tells_where_its_sockets_are says_link 1 wgl 'netnsid=([0-9]+) .*port=4711 mark=7 birth=\1 |port=4711 mark=7 birth=([0-9]+) netnsid=\2 '
check it_works_there n1 ip -d link show wgl
ip1 link del wgl
in_ns 0 ip link add wgl type wireguard
check without_both_they_are_zero says_link 0 wgl 'port=0 mark=0 $'
ip0 link del wgl

# ---- tracepoints ----
traces=/sys/kernel/tracing
mountpoint -q $traces || mount -t tracefs none $traces 2>/dev/null
if [ -d $traces/events/wireguard ]; then
	n0 true
	echo 1 >$traces/events/wireguard/enable
	ip1 link set wg0 down
	ip1 link set wg0 up
	pings 1 10.7.0.2 >/dev/null
	traced() { poll 5 grep -qE "$1" $traces/trace || { grep wireguard $traces/trace | tail -n 20; cat $traces/trace | tail -n 5; false; }; }
	check the_initiation_is_traced traced 'handshake: wg0: Peer [0-9]+: initiation sent \(127\.0\.0\.1:[0-9]+\)'
	check its_arrival_too traced 'handshake: wg0: Peer [0-9]+: initiation received'
	check and_the_session traced 'session: wg0: Peer [0-9]+: session (established|renewed) \(127\.0\.0\.1:[0-9]+\)'
	in_ns 0 bash -c "echo x >/dev/udp/127.0.0.1/$(n1 $wg show wg0 listen-port)"
	check what_is_dropped_as_well traced 'drop: wg0: Peer 0: malformed'
	echo 0 >$traces/events/wireguard/enable
else
	skip tracepoints "this kernel has none"
fi

# For selftests/check/spec.py.
sed 's/^/# message /' "$RECORD"
tap_done
