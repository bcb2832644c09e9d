#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Whoever may configure, and whoever may send, says anything: the kernel must not complain, and the tunnel beside it goes on. Guided by what code
# of the module was reached: the kernel and the module must be built with CONFIG_KCOV, as those of qemu/debug-kernel are.
#
# environment: FUZZ_SECONDS (default 20); FUZZ_PRINT=1: prints, as `# corpus: ' lines, the fewest and shortest inputs that reach what it reached:
#   what fuzz.corpus is made of, which each run begins with
. "$(dirname "$0")/lib.sh"
need_helper fuzz
[ -e /sys/kernel/debug/kcov ] || skip_all "a kernel without KCOV"

two_devices
check ping_before reaches 1 10.7.0.2
device 1 wgf 1
n1 $wg set wgf listen-port 4567
ip1 link set wgf up
cp "$net_dir/fuzz.corpus" "$scratch/corpus"
check_telling new_code_is_found_by_what_reached_some "$helpers/fuzz" "$(name_of 1)" wgf "${FUZZ_SECONDS:-20}" 4567 "$scratch/corpus"
if [ "${FUZZ_PRINT:-}" ]; then
	awk '{ print length, $0 }' "$scratch/corpus" | sort -n | cut -d ' ' -f 2 >"$scratch/short"
	check the_shortest_are_chosen "$helpers/fuzz" "$(name_of 1)" wgf 1 4567 "$scratch/short"
	sed 's/^/# corpus: /' "$scratch/short"
fi
check the_tunnel_goes_on reaches 1 10.7.0.2
check the_device_can_be_configured n1 $wg set wgf listen-port 0 fwmark 0
check and_goes ip1 link del wgf
tap_done
