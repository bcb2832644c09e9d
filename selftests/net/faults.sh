#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each allocation on a way fails once: nothing is left of what was refused, and nothing half done. The kernel must be built with
# CONFIG_FAULT_INJECTION, FAILSLAB and FAIL_PAGE_ALLOC, as those of qemu/debug-kernel are; what leaks, kmemleak tells.
. "$(dirname "$0")/lib.sh"
need_helper faults
[ -e /proc/self/fail-nth ] || skip_all "a kernel without fault injection"

# Every allocation counts, also one that may wait; each is told by a line, not by a trace.
for what in failslab fail_page_alloc; do
	for setting in ignore-gfp-wait:0 ignore-gfp-highmem:0 min-order:0 verbose:0; do
		[ ! -e "/sys/kernel/debug/$what/${setting%:*}" ] || echo "${setting#*:}" >"/sys/kernel/debug/$what/${setting%:*}"
	done
done
two_devices
check ping_before reaches 1 10.7.0.2

# failing N THING NAME: all of its points, and how many there were.
failing() { check_telling "each_allocation_of_$2_may_fail" in_ns "$1" "$helpers/faults" "$2" "$3"; }
failing 1 add wgf
device 1 wgf
# An event that finds no memory: who listens is told that it missed one.
mkfifo ends
exec 7<>ends
n1 "$helpers/extensions" listen events <&7 >heard 2>&1 &
background+=($!)
poll 10 grep -q joined heard
failing 1 configure wgf
check listener_hears_that_it_missed_events poll 10 grep -q '^missed some' heard
exec 7>&-
failing 1 show wgf
failing 1 up wgf
failing 1 send 10.7.0.2
check the_tunnel_still_works reaches 1 10.7.0.2
tap_done
