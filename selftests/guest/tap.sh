# SPDX-License-Identifier: GPL-2.0
# TAP for shell suites: source it, call check or ok, end with tap_done.
#
# check NAME COMMAND...   one test: passes when COMMAND does; its output is shown when not
# ok NAME / not_ok NAME   one test, decided by the caller
# skip NAME WHY           one test that cannot run here
# poll SECONDS COMMAND... tries COMMAND until it passes, at most that long
# tap_done                prints the plan; fails when a test did

tap_count=0
tap_failed=0

ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name"
		printf '%s\n' "failed: $*" "$output" | sed 's/^/# /'
	fi
}

poll() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

tap_done() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
}
