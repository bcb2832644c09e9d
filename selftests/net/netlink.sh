#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Wrong requests get the right error and change nothing; right ones of unusual form work.
#
#   ┌── 0 ── wg0 with two peers, lo ──┐
#   └─────────────────────────────────┘
# The requests are those of tools/requests.c, by name; each knows the error it expects.
. "$(dirname "$0")/lib.sh"
need_helper requests

namespaces 0
device 0 wg0 0
key 1 >/dev/null
n0 $wg set wg0 private-key 1.key listen-port 1234 fwmark 5 peer "$(key 2)" allowed-ips 10.0.0.0/8,fd00::/8 endpoint 127.0.0.1:9 persistent-keepalive 25 \
	peer "$(key 3)" allowed-ips 192.168.0.0/16
state() {
	n0 $wg show wg0 dump | sort
	ip0 -o link show wg0 | sed 's/^[0-9]*: //'
}
before=$(state)
case_of() {
	in_ns 0 "$helpers/requests" wg0 "$1" && equal "$(state)" "$before"
}
for name in $("$helpers/requests" --list); do
	check "$name" case_of "$name"
done
check device_is_unchanged equal "$(state)" "$before"
tap_done
