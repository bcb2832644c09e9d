# SPDX-License-Identifier: GPL-2.0
# What the scripts of selftests/net share: namespaces, connected devices, bounded waiting, cleaning up.
# A script sources it, draws its topology, tests, and ends with tap_done. TAP helpers: ../guest/tap.sh.
#
# in_ns N COMMAND...         in namespace N of this script; n0, n1, n2 ... are short for it; ip0, ip1, ip2 ... are `ip -n` there
# namespaces N...            makes them; lo is up
# device N DEVICE [BIRTH]    a WireGuard device in N, born in BIRTH (default 0: its UDP socket stays there)
# two_devices [V4|V6]        wg0 in 1 and in 2, keys and peers of each other, both UDP ends on lo of 0
# two_apart                  the same on a cable, each born where it is
# key NAME                   makes files NAME.key and NAME.pub once; prints the public key
# need TOOL... / need_kind KIND / need_helper NAME   the whole script is skipped when it is not there
#
# environment: WG, the tool (default wg); HELPERS, the folder of the C programs (default build/net)
set -u
net_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$net_dir/../guest/tap.sh"

wg=${WG:-wg}
helpers=${HELPERS:-$net_dir/../../build/net}
netns_exec=$helpers/inside
[ -x "$netns_exec" ] || netns_exec="ip netns exec"
topic=$(basename "$0" .sh)
prefix=wgt$$-
background=()
scratch=$(mktemp -d)
cd "$scratch" || exit 1
umask 077

skip_all() {
	skip "$topic" "$1"
	tap_done
	exit
}

need() {
	local tool
	for tool; do
		type -P "$tool" >/dev/null || skip_all "no $tool"
	done
}

need_kind() {
	ip link add "$prefix-try" type "$@" 2>/dev/null || skip_all "the kernel has no $1 device"
	ip link del "$prefix-try"
}

need_helper() {
	[ -x "$helpers/$1" ] || skip_all "no $helpers/$1: run make -C selftests helpers"
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
need ip "$wg" ping
need_kind wireguard

# need_both_modules: ours and the kernel's own are there, and may be loaded one after the other: load_ours, load_in_tree. All devices go.
need_both_modules() {
	need modprobe rmmod insmod modinfo
	[ "${GUEST:-}" ] || skip_all "it unloads the module: set GUEST=1"
	[ -d /sys/module/wireguard/holders ] || skip_all "the module is built in"
	in_tree=$(find "/lib/modules/$(uname -r)/kernel/drivers/net/wireguard" -name 'wireguard.ko*' 2>/dev/null | head -n 1)
	[ "$in_tree" ] || skip_all "the kernel has no module of its own"
	[ "$(modinfo -n wireguard)" != "$in_tree" ] || skip_all "there is no module but the kernel's"
}
load_in_tree() {
	poll 20 rmmod wireguard && modprobe -a $(modinfo -F depends "$in_tree" | tr , ' ') && insmod "$in_tree"
}
load_ours() {
	poll 20 rmmod wireguard && modprobe wireguard
}

# check_telling NAME COMMAND...: as check, and what the command said last is told.
check_telling() {
	local name=$1 status
	shift
	"$@" >told 2>&1
	status=$?
	check "$name" eval "cat told; [ $status = 0 ]"
	echo "# $(tail -n 1 told)"
}

# ---- namespaces and processes ----
name_of() {
	echo "$prefix$1"
}

in_ns() {
	local n=$1
	shift
	$netns_exec "$prefix$n" "$@"
}
for n in 0 1 2 3 4; do
	eval "n$n() { $netns_exec $prefix$n \"\$@\"; }; ip$n() { ip -n $prefix$n \"\$@\"; }"
done

namespaces() {
	local n
	for n; do
		ip netns add "$prefix$n" && ip -n "$prefix$n" link set lo up
		in_ns "$n" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
}

# start N COMMAND...: in the background in namespace N, its id in $started, ended by cleanup at the latest. Not by way of a function:
# the id would be that of a shell in between.
start() {
	local n=$1
	shift
	$netns_exec "$prefix$n" "$@" </dev/null >>"$scratch/background.log" 2>&1 &
	started=$!
	background+=("$started")
}

stop() {
	local id
	for id; do
		kill "$id" 2>/dev/null
		wait "$id" 2>/dev/null
	done
	:
}

cleanup() {
	local id n
	for id in "${background[@]}"; do
		kill "$id" 2>/dev/null
	done
	for n in $(ip netns list | awk -v prefix="$prefix" 'index($1, prefix) == 1 { print $1 }'); do
		# What still runs there (a command of n1 was killed, its child was not) is ours too.
		for id in $(ip netns pids "$n" 2>/dev/null); do
			kill "$id" 2>/dev/null
		done
		ip netns del "$n"
	done
	cd /
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- devices ----
key() {
	[ -e "$1.pub" ] || $wg genkey | tee "$1.key" | $wg pubkey >"$1.pub"
	echo "$(<"$1.pub")"
}

device() {
	local birth=${3:-0}
	ip -n "$prefix$birth" link add "$2" type wireguard || return
	[ "$1" = "$birth" ] || ip -n "$prefix$birth" link set "$2" netns "$prefix$1"
}

# address N DEVICE ADDRESS...
address() {
	local n=$1 dev=$2 a
	shift 2
	for a; do
		case $a in
		*:*) ip -n "$prefix$n" -6 addr add "$a" dev "$dev" nodad ;;
		*) ip -n "$prefix$n" addr add "$a" dev "$dev" ;;
		esac
	done
}

# Inner addresses: 10.7.0.N/24, fd07::N/64. UDP: 1 on port 1111, 2 on port 2222, both of 127.0.0.1 or ::1 in 0.
two_devices() {
	local host=127.0.0.1 n
	[ "${1:-V4}" = V4 ] || host='[::1]'
	namespaces 0 1 2
	key 1 >/dev/null
	key 2 >/dev/null
	$wg genpsk >psk
	for n in 1 2; do
		device $n wg0
		address $n wg0 10.7.0.$n/24 fd07::$n/64
	done
	n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" preshared-key psk \
		allowed-ips 10.7.0.2/32,fd07::2/128 endpoint "$host:2222"
	n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" preshared-key psk \
		allowed-ips 10.7.0.1/32,fd07::1/128 endpoint "$host:1111"
	ip1 link set wg0 up
	ip2 link set wg0 up
}

# two_apart: wg0 in 1 and in 2, each born where it is, keys and peers of each other, and a cable e from 1 to 2: 10.5.0.N/24, fd05::N/64.
# Inner addresses and ports as above; 1 knows where 2 is.
two_apart() {
	local n
	namespaces 1 2
	veth 1 e 2 e
	for n in 1 2; do
		key $n >/dev/null
		address $n e 10.5.0.$n/24 fd05::$n/64
		device $n wg0 $n
		address $n wg0 10.7.0.$n/24 fd07::$n/64
	done
	n1 $wg set wg0 private-key 1.key listen-port 1111 peer "$(key 2)" allowed-ips 10.7.0.2/32,fd07::2/128 endpoint 10.5.0.2:2222
	n2 $wg set wg0 private-key 2.key listen-port 2222 peer "$(key 1)" allowed-ips 10.7.0.1/32,fd07::1/128
	ip2 link set wg0 up
	ip1 link set wg0 up
}

# inner_devices: wg1 in 1 and in 2, 10.8.0.N/24, connected through their wg0.
inner_devices() {
	local n
	for n in 1 2; do
		device $n wg1 $n
		address $n wg1 10.8.0.$n/24
		ip -n "$prefix$n" link set wg1 mtu 1340
	done
	n1 $wg set wg1 private-key 1.key listen-port 4444 peer "$(key 2)" allowed-ips 10.8.0.2/32 endpoint 10.7.0.2:4444
	n2 $wg set wg1 private-key 2.key listen-port 4444 peer "$(key 1)" allowed-ips 10.8.0.1/32 endpoint 10.7.0.1:4444
	ip1 link set wg1 up
	ip2 link set wg1 up
}

# veth N A M B: a cable from A in N to B in M.
veth() {
	ip -n "$prefix$1" link add name "$2" type veth peer name "$4" netns "$prefix$3"
	ip -n "$prefix$1" link set dev "$2" up
	ip -n "$prefix$3" link set dev "$4" up
}

# ---- questions ----
# shook N DEVICE [SECONDS]: every peer has a handshake.
shook() {
	local times
	times=$(in_ns "$1" $wg show "$2" latest-handshakes | cut -f 2)
	[ "$times" ] && ! grep -qx 0 <<<"$times"
}

# transfer N DEVICE rx|tx: the bytes of its first peer; counter N DEVICE NAME: of the device.
transfer() {
	local peer rx tx
	read -r peer rx tx < <(in_ns "$1" $wg show "$2" transfer)
	echo "${!3}"
}
counter() {
	in_ns "$1" cat "/sys/class/net/$2/statistics/$3"
}
endpoint_of() {
	in_ns "$1" $wg show "$2" endpoints | awk 'NR == 1 { print $2 }'
}
# pings N ADDRESS [OPTION...]: one answer within seconds.
pings() {
	local n=$1 to=$2
	shift 2
	in_ns "$n" ping -q -c 1 -W 5 "$@" "$to"
}
# reaches N ADDRESS [OPTION...]: short pings until one is answered, ten seconds at most.
reaches() {
	local n=$1 to=$2 i
	shift 2
	for i in 1 2 3 4 5 6 7 8 9 10; do
		in_ns "$n" ping -q -c 1 -W 1 "$@" "$to" && return
	done
	return 1
}
# fails COMMAND...
fails() {
	! "$@"
}
# equal A B
equal() {
	[ "$1" = "$2" ] || { echo "got '$1', expected '$2'"; return 1; }
}
# within VALUE LOW HIGH
within() {
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "got $1, expected $2 to $3"; return 1; }
}

# stream FROM TO ADDRESS [MEGABYTES [COMMAND]]: one TCP connection, contents compared; COMMAND runs when half of them are there.
stream() {
	"$helpers/stream" "$prefix$1" "$prefix$2" "$3" "${4:-1}000" ${5:+"$5"}
}
listens() {
	in_ns "$1" ss -Hltn | grep -q ":$2 "
}

# capture N DEVICE FILE [FILTER...]: tcpdump in the background until `captured`; returns when it listens. There is room for 250 packets that
# came at once; tcpdump's own is for 8.
capture() {
	local n=$1 dev=$2 file=$3
	shift 3
	: >"$file.err"
	rm -f "$file"
	$netns_exec "$prefix$n" tcpdump -Z root -i "$dev" -n -U --immediate-mode -s 66000 -B 16384 -Q ${CAPTURE:-inout} -w "$file" "$@" </dev/null 2>"$file.err" &
	capture_id=$!
	background+=("$capture_id")
	poll 10 grep -q 'listening on' "$file.err"
}
captured() {
	sleep 0.3
	stop "$capture_id"
}
# packets FILE [FILTER...]: how many. Where nothing could be captured there are not "0".
packets() {
	[ -s "$1" ] || { echo "no capture: $(cat "$1.err")"; return 1; }
	tcpdump -Z root -n -r "$@" 2>/dev/null | wc -l
}
