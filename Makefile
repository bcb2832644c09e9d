# SPDX-License-Identifier: GPL-2.0
# Entry points; `make help` lists them. Everything generated goes to build/ or to the cache of qemu/.

# The kernel to build for: a release under /lib/modules, a name of qemu/kernels for Debian's newest headers of that kind, or uml.
ifndef KVER
running := $(shell uname -r)
KVER := $(if $(wildcard /lib/modules/$(running)/build/Makefile),$(running),6.1)
endif
known := $(shell awk '$$1 == "$(KVER)" { print $$2, $$4 }' qemu/kernels)
newest_tried := $(shell awk '/^[^\#]/ { print $$5 }' qemu/kernels | sort -V | tail -n 1)
ifneq ($(known),)
foreign := $(filter-out - -/%,$(firstword $(known)))
arch := $(if $(filter %/arm64,$(known)),CROSS_COMPILE=aarch64-linux-gnu-)
KDIR := $(or $(shell qemu/headers $(if $(filter 6.1 6.12,$(KVER)),--have) $(KVER)),headers-of-$(KVER))
# Another suite's kernel is built with its own compiler and tools.
in_root := $(if $(foreign),qemu/in-root $(known))
release := $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
else ifneq ($(filter uml uml-%,$(KVER)),)
KDIR := $(shell qemu/uml-kernel $(patsubst uml-%,%,$(filter-out uml,$(KVER))))/build
release := $(shell cat $(KDIR)/../release)
arch := ARCH=um CC=gcc-12
else ifneq ($(filter kasan-% kcsan-%,$(KVER)),)
KDIR := $(shell qemu/debug-kernel $(KVER))/build
release := $(shell cat $(KDIR)/../release)
else
release := $(KVER)
KDIR ?= /lib/modules/$(KVER)/build
endif
PREFIX ?= /usr/local
out = build/$(release)
jobs := $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),$(shell nproc))
guest_cpus := $(shell n=$$(nproc); [ $$n -gt 4 ] && n=4; echo $$n)

.PHONY: all module wgctl deb unit check sloc bench bench-aead bench-native bench-peers demo shell test test-all prove mutants coverage install uninstall clean help both setup-build setup-guest setup-test setup-bench setup-package
.DEFAULT_GOAL := module

all: module wgctl

help:
	@sed 's/^  //' <<<"$$help"

export help
SHELL := /bin/bash
define help
  make            the module, build/KVER/wireguard.ko        KVER=<release>, a name of qemu/kernels (6.1, 6.12, 6.12-deb13, 7.3,
                                                             testing), uml, or one of qemu/debug-kernel; default: the
                                                             running kernel's headers if there are any, else 6.1
  make wgctl      the tool, build/wgctl; ARCH=arm64 cross-builds build/arm64/wgctl
  make deb        Debian packages of both, build/deb/*.deb
  make demo       a fresh machine to a working tunnel: sets up, builds, boots a guest, shows it
  make shell      the same guest, interactively             KVER=6.1 or 6.12
  make test       everything in its routine length: sets up, checks, unit tests, guests on each kernel of qemu/kernels, interop
                  SUITES="unit interop" picks some; the table is selftests/suites
  make test-all   the same with all suites on all kernels, on arm64, the packages; about three times as long
  make prove      what shows that the tests are worth something, in its full length: selftests/README.md; SUITES as above, of selftests/proofs
  make mutants    faults put into protocol and engine, each of which a test must find; MUTANTS="wake-up-lost" picks some
  make coverage   lines and branches of wire, crypto, protocol and engine that unit tests, simulation and fuzzers run
  make unit       unit tests on the host, also under ASan and UBSan
  make check      include direction, symbols, frames, clang, house rules
  make sloc       code lines per folder
  make bench      our module in a QEMU guest beside none, the kernel's own, wireguard-go, ESP and OpenVPN; build/bench/guest-*.txt and .svg
                  CPUS="icount 2 4", a boot each; METHODS="in-tree ours", ROUNDS=5; selftests/bench/guest/run tells more
  make bench-aead our AEAD beside OpenSSL, libsodium and the kernel's code; a table and build/bench/aead.svg
  make bench-native our module beside the kernel's own on this processor: user-mode Linux; build/bench/native.txt and .svg
                  ROUNDS=3 for a glance, BEFORE=FILE.ko to compare with an older one; selftests/bench/native/run tells more
  make bench-peers what 100,000 peers and 1,000 handshakes cost, the same way; build/bench/peers.txt and .svg
  make install    module to /lib/modules/KVER/updates, wgctl with its man pages, completions and units to PREFIX (/usr/local); honours DESTDIR
  make uninstall  takes away what install put there
  make clean      removes build/
endef

# ---- the module -------------------------------------------------------------------------------------
# Kbuild puts objects beside sources; so it gets a farm of links, one per kernel, and the tree stays clean.
# One build at a time. Any warning of compiler, objtool or modpost fails the build, and drops the objects, so that it fails again.
harmless := jobserver|the compiler differs from the one used to build the kernel|unavailability of vmlinux|tag not supported

module:
	@[ -e $(KDIR)/Makefile ] || { echo "make: no kernel headers in $(KDIR): qemu/setup, or install linux-headers-$(KVER)" >&2; exit 1; }
	@printf '%s\n' $(basename $(firstword $(subst -, ,$(release)))) $(newest_tried) | sort -VC || \
		echo "make: $(release) is newer than the kernels this was tried on (up to $(newest_tried), qemu/kernels); going on"
	@mkdir -p $(out); exec 9>$(out)/lock; flock 9; set -o pipefail; \
	selftests/check/farm $(out) && \
	$(in_root) $(MAKE) --no-print-directory -j$(jobs) -C $(KDIR) $(arch) M=$(CURDIR)/$(out) modules 2>&1 9>&- | tee $(out)/build.log && \
	if grep -iE 'warning|sorry, unimplemented' $(out)/build.log | grep -vE '$(harmless)' >&2; then \
		find $(out) \( -name '*.o' -o -name '*.ko' \) -delete; \
		echo "make: warnings in the module's build (above) count as errors" >&2; exit 1; fi

both:
	@$(MAKE) --no-print-directory KVER=6.1 module
	@$(MAKE) --no-print-directory KVER=6.12 module

wgctl:
	@$(MAKE) --no-print-directory -j$(jobs) -C tools/wgctl

deb: setup-package
	@tools/package/make

# depmod's index belongs to the kernel: in a DESTDIR without one, as packages are made in, there is none.
module_dir = $(DESTDIR)/lib/modules/$(release)
index = if [ ! "$(DESTDIR)" ] || [ -e $(module_dir)/modules.order ]; then depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release); fi

install: module wgctl
	install -D -m 644 $(out)/wireguard.ko $(module_dir)/updates/wireguard.ko
	$(index)
	@$(MAKE) --no-print-directory -C tools/wgctl install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

uninstall:
	rm -f $(module_dir)/updates/wireguard.ko
	$(index)
	@$(MAKE) --no-print-directory -C tools/wgctl uninstall PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

clean:
	rm -rf build

# ---- guests -----------------------------------------------------------------------------------------
setup-build:
	@qemu/setup build
setup-guest: setup-build
	@qemu/setup guest
setup-test: setup-guest
	@qemu/setup test
setup-package: setup-build
	@qemu/setup package
setup-bench: setup-test
	@qemu/setup bench

demo: setup-guest
	@$(MAKE) --no-print-directory KVER=6.1 module wgctl
	@qemu/run --kernel 6.1 --cpus $(guest_cpus) -- selftests/guest/demo

shell: setup-guest
	@$(MAKE) --no-print-directory KVER=$(or $(filter 6.12,$(KVER)),6.1) module wgctl
	@qemu/run --kernel $(or $(filter 6.12,$(KVER)),6.1) --cpus $(guest_cpus) --shell

# ---- tests ------------------------------------------------------------------------------------------
test: setup-test
	@selftests/run $(if $(SUITES),build $(filter-out build,$(SUITES)))

# No suite's time limit holds the making of a kernel.
test-all: setup-test
	@qemu/uml-kernel >/dev/null
	@selftests/run --all

prove: setup-test
	@SUITES_TABLE=selftests/proofs TEST_LOGS=build/proofs LIMIT=7200 selftests/run $(SUITES)

mutants: setup-test
	@selftests/mutants/run $(MUTANTS)

coverage: setup-test
	@selftests/coverage/run

check: setup-test
	@mkdir -p build; $(MAKE) --no-print-directory both >build/check-build.log 2>&1 || { cat build/check-build.log; exit 1; }
	@selftests/check/all

bench: setup-bench
	@$(MAKE) --no-print-directory -s KVER=6.1 module
	@CPUS="$(CPUS)" METHODS="$(METHODS)" ROUNDS="$(ROUNDS)" LENGTH="$(LENGTH)" selftests/bench/guest/run

bench-aead: setup-test
	@$(MAKE) --no-print-directory -s -C selftests/bench aead

bench-peers: setup-bench
	@$(MAKE) --no-print-directory -s KVER=uml module
	@$(MAKE) --no-print-directory -s -C selftests helpers
	@ROUNDS="$(ROUNDS)" PEERS="$(PEERS)" BEFORE="$(BEFORE)" selftests/bench/native/run peers

bench-native: setup-bench
	@$(MAKE) --no-print-directory -s KVER=uml module
	@ROUNDS="$(ROUNDS)" BEFORE="$(BEFORE)" selftests/bench/native/run

sloc:
	@selftests/check/sloc

unit: setup-test
	@$(MAKE) --no-print-directory -s -j$(jobs) -C selftests/unit build
	@$(MAKE) --no-print-directory -s -C selftests/unit run
