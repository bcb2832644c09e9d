# SPDX-License-Identifier: GPL-2.0
# Time must depend on lengths alone: AEAD, handshake, hashes and cookies under valgrind; and the kernel module's own objects of them, one instruction
# at a time.
#
#   make -C selftests/unit -f constant_time.mk constant-time                  prints TAP
#   make -C selftests/unit -f constant_time.mk trace KVER=6.1                 the same, of the module built by make KVER=6.1 module

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
HERE := $(ROOT)/selftests/unit
OUT := $(ROOT)/build/constant-time
SHELL := /bin/bash
CXX := g++-12
CXXFLAGS := -std=c++20 -O2 -g -funsigned-char -fno-strict-aliasing -Wall -Wextra -I$(ROOT)/module -I$(ROOT)/cpp-rt/include -MMD -MP
# Valgrind has no AVX-512: that form runs on the model of it which the unit tests have.
flags_of = $(if $(findstring avx512,$1),-I$(HERE)/avx512_model -Wno-psabi,$(if $(findstring avx2,$1),-mavx2 -mbmi2))
watched := $(filter-out %neon.cpp %self_test.cpp,$(wildcard $(ROOT)/module/crypto/*.cpp) $(wildcard $(ROOT)/module/protocol/*.cpp) $(ROOT)/module/wire/messages.cpp)
libraries := -lsodium -lcrypto

.PHONY: constant-time trace
constant-time: $(OUT)/memcheck
	@valgrind -q --log-file=$(OUT)/valgrind.log $< || { sed 's/^/# /' $(OUT)/valgrind.log; exit 1; }

$(OUT)/memcheck: $(patsubst $(ROOT)/%.cpp,$(OUT)/%.o,$(watched)) $(OUT)/primitives.o $(OUT)/constant_time_memcheck.o
	$(CXX) -o $@ $^ $(libraries)
$(OUT)/module/%.o: $(ROOT)/module/%.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(dir $@)
	$(CXX) $(CXXFLAGS) -include $(HERE)/declassify.h $(call flags_of,$<) -c -o $@ $<
$(OUT)/constant_time_memcheck.o: CXXFLAGS += -include $(HERE)/declassify.h
$(OUT)/%.o: $(HERE)/%.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(OUT)
	$(CXX) $(CXXFLAGS) -c -o $@ $<

KVER ?= 6.1
OBJECTS = build/$(shell . $(ROOT)/qemu/lib.sh && release_of "$$($(ROOT)/qemu/headers $(KVER))")
# Objects of the kernel's code model are for addresses below 2 GB, or the kernel's own.
trace: $(OUT)/constant_time_trace.o $(OUT)/primitives.o
	@$(CXX) -no-pie -z noexecstack -o $(OUT)/trace $^ $(patsubst $(ROOT)/%.cpp,$(ROOT)/$(OBJECTS)/%.o,$(watched)) $(libraries)
	@$(OUT)/trace
-include $(wildcard $(OUT)/*.d $(OUT)/module/*/*.d)
