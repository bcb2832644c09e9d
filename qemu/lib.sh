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

# known NAME: its suite, pattern and compiler in the table of kernels, or failure.
known() {
	awk -v name="$1" '$1 == name { print $2, $3, $4; found = 1 } END { exit !found }' "$qemu_dir/kernels"
}

# headers_of NAME: the folder of the newest headers of that kernel, installed ones first; or nothing.
headers_of() {
	local suite pattern compiler dir newest
	read -r suite pattern compiler < <(known "$1") || return 0
	for dir in /lib/modules "$cache_dir"/headers/*/usr/src; do
		newest=$(ls -d "$dir/"$pattern/build "$dir"/linux-headers-$pattern 2>/dev/null | sort -V | tail -n 1)
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

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# The address this machine takes Debian itself from; what the archive's signed release file calls so.
mirror() {
	apt-get indextargets --format '$(SITE) $(ORIGIN) $(LABEL)' 'Created-By: Packages' | sed -n 's/ Debian Debian$//p' | sort -u | head -n 1 |
		grep . || die "apt has no lists of Debian's: apt-get update"
}

# sources_of SUITE: as apt's lines; "-" are this machine's own.
sources_of() {
	apt_of "$1" apt-get indextargets --format "\$(ORIGIN) deb [signed-by=$keyring] \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' |
		sed -n 's/^Debian[^[]* deb/deb/p' | sort -u
}

# arch_of NAME: the architecture that the end of a suite's or a kernel's name says, or this machine's.
arch_of() {
	case $1 in
	*[/-]arm64) echo arm64 ;;
	*) dpkg --print-architecture ;;
	esac
}

# apt_of SUITE apt-get|apt-cache ARG...: for another suite than this machine's ("-"), or another architecture (SUITE/ARCH), with state and
# sources of its own in the cache, so that nothing here is touched; the archive's signature is checked as ever.
apt_of() {
	local dir=$cache_dir/apt/$1 suite=${1%/*} arch=${1#*/}
	[ "$arch" != "$1" ] || arch=
	shift
	if [ "$suite$arch" = - ]; then
		[ "$*" != "apt-get update" ] || set -- as_root "$@" -q
		"$@"
		return
	fi
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	(
		flock 8 # apt gives up rather than waits, and its configuration must not be half written
		[ -e "$dir/sources.list" ] ||
			if [ "$suite" = - ]; then sources_of -; else echo "deb [signed-by=$keyring] $(mirror) $suite main"; fi >"$dir/sources.list"
		[ -e "$dir/status" ] || touch "$dir/status"
		printf 'Dir::%s "%s";\n' State "$dir" State::lists "$dir/lists" State::status "$dir/status" Cache "$dir" Etc::sourcelist "$dir/sources.list" \
			Etc::sourceparts /dev/null Etc::preferencesparts /dev/null >"$dir/apt.conf"
		echo 'Acquire::Languages "none"; APT::Sandbox::User "root";' >>"$dir/apt.conf"
		# This machine's too: the programs that build a kernel's modules.
		[ ! "$arch" ] || echo "APT::Architecture $arch; APT::Architectures { $arch; $(dpkg --print-architecture); };" >>"$dir/apt.conf"
		export APT_CONFIG=$dir/apt.conf
		if ! ls "$dir"/lists/*_Packages* >/dev/null 2>&1 && [ "$*" != "apt-get update" ]; then
			apt-get -q update >/dev/null || exit
		fi
		"$@"
	) 8>"$dir/.lock"
}

# fetch_from SUITE PACKAGE...: downloads them into this folder; quiet when it can.
fetch_from() {
	local suite=$1 log
	shift
	log=$(apt_of "$suite" apt-get -q download "$@" 2>&1) || { echo "$log" >&2; return 1; }
}

# guest_root ARCH: where the guest's programs and libraries are: nothing, for this machine's own, or a folder.
guest_root() {
	[ "$1" != "$(dpkg --print-architecture)" ] || return 0
	# What is essential here, what the guests' programs are in, and wgctl's libraries.
	"$qemu_dir/sysroot" "$1" bash coreutils diffutils findutils grep hostname kmod libc6 libgcc-s1 libstdc++6 mawk mount sed util-linux \
		$(awk '$1 == "guest" && $2 !~ /^binutils|^cpio|^xz/ { print $2 }' "$qemu_dir/packages") libmnl0 libsodium23 libnftables1 libqrencode4 libmicrohttpd12 libsystemd0
}

# libraries_of ROOT FILE...: the paths below ROOT of the shared libraries these are linked with, directly or not.
libraries_of() {
	local root=$1 dir name
	local -A seen=()
	shift
	while [ $# -gt 0 ]; do
		set -- $(readelf -d "$@" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u)
		for name; do
			shift
			for dir in "$root"/usr/lib/*-linux-gnu; do
				[ ! "${seen[$name]:-}" ] && [ -e "$dir/$name" ] || continue
				seen[$name]=1
				echo "${dir#"$root"}/$name"
				set -- "$@" "$dir/$name"
			done
		done
	done
}
