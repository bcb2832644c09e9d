# SPDX-License-Identifier: GPL-2.0
# What bench-native and bench-peers share inside user-mode Linux: the two namespaces, in a folder of their own, and the generators. Source it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
generators=/sys/kernel/debug/wg_bench
. "$here/../tunnel.sh"
umask 077
cd "$(mktemp -d)"

lay_cable
exec 5</run/netns/a 6</run/netns/b
insmod "$here/wg_bench.ko"

# generate LINE
generate() {
	echo "$1" >$generators || { echo "$name: '$1' failed: packets were lost, or it stood still" >&2; exit 1; }
}

# measure METRIC LINE SCALE: count / processor time, times SCALE.
measure() {
	generate "$2"
	echo "round $round $name $1 $(awk -v scale="$3" '{ print $1 / $2 * scale }' $generators)"
}
