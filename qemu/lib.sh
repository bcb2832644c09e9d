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

# headers_of 6.1|6.12: the folder of the newest cloud headers of that series, installed ones first; or nothing.
headers_of() {
	local dir newest
	for dir in /lib/modules "$cache_dir"/headers/*/usr/src; do
		newest=$(ls -d "$dir/$1".*-cloud-amd64/build "$dir/linux-headers-$1".*-cloud-amd64 2>/dev/null | sort -V | tail -n 1)
		if [ -e "$newest/Makefile" ]; then
			echo "$newest"
			return
		fi
	done
}

# release_of FOLDER: what the kernel of these headers calls itself.
release_of() {
	sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$1/include/generated/utsrelease.h"
}

# version_of FOLDER: of the package these headers are from.
version_of() {
	cat "$1/version" 2>/dev/null || dpkg-query -W -f '${Version}' "linux-headers-$(release_of "$1")"
}
