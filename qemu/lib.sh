# SPDX-License-Identifier: GPL-2.0
# Shared by the scripts of qemu/: source it, do not run it.

qemu_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root_dir=$(dirname "$qemu_dir")
cache_dir=${WG_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/wireguard-cxx}

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

# Debian leaves /usr/sbin out of an ordinary user's PATH.
export PATH=$PATH:/usr/sbin:/sbin

# as_root COMMAND...: through sudo when we are not root.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "need root (no sudo here) for: $*"
	fi
}

# headers_of 6.1|6.12: the newest installed cloud headers of that series, or nothing.
headers_of() {
	local dir
	for dir in /lib/modules/"$1".*-cloud-amd64/build /lib/modules/"$1"-*cloud-amd64/build; do
		[ -e "$dir/Makefile" ] && basename "$(dirname "$dir")"
	done | sort -V | tail -n 1
}
