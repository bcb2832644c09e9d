# SPDX-License-Identifier: GPL-2.0
# The fuzzer of the AEAD, with clang's libFuzzer and sanitizers.
#
#   make -C selftests/fuzz -f aead.mk run SECONDS=60     fuzzes that long, prints TAP
#   make -C selftests/fuzz -f aead.mk                    only builds build/fuzz/aead_fuzz
#   make -C selftests/fuzz -f aead.mk arm64 INPUTS=1000  the same code on random inputs, cross-built, in QEMU's user emulation; TAP

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
OUT := $(ROOT)/build/fuzz
SECONDS ?= 60
CXX := clang++-16
CXXFLAGS := -std=c++20 -O2 -g -funsigned-char -fno-strict-aliasing -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Wno-unknown-attributes -I$(ROOT)/module -I$(ROOT)/cpp-rt/include -MMD -MP
flags_of = $(if $(findstring avx512,$1),-mavx2 -mavx512f -mavx512vl -mavx512ifma,$(if $(findstring avx2,$1),-mavx2 -mbmi2))
objects := $(patsubst %.cpp,$(OUT)/%.o,$(notdir $(filter-out %neon.cpp,$(wildcard $(ROOT)/module/crypto/aead*.cpp)) aead_fuzz.cpp))

.PHONY: build run arm64
build: $(OUT)/aead_fuzz

run: build
	@mkdir -p $(OUT)/aead_corpus
	@if $(OUT)/aead_fuzz -max_total_time=$(SECONDS) -max_len=600 -artifact_prefix=$(OUT)/ $(OUT)/aead_corpus > $(OUT)/aead_fuzz.log 2>&1; \
	then echo "ok 1 - the_aead_agrees_with_openssl_on_fuzzed_batches"; grep -a DONE $(OUT)/aead_fuzz.log | sed 's/^/# /'; \
	else tail -n 40 $(OUT)/aead_fuzz.log | sed 's/^/# /'; echo "not ok 1 - the_aead_agrees_with_openssl_on_fuzzed_batches"; echo 1..1; exit 1; fi; \
	echo 1..1

$(OUT)/aead_fuzz: $(objects)
	$(CXX) $(CXXFLAGS) -o $@ $^ -lcrypto
$(OUT)/aead_fuzz.o: $(ROOT)/selftests/fuzz/aead_fuzz.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(OUT)
	$(CXX) $(CXXFLAGS) -c -o $@ $<
$(OUT)/%.o: $(ROOT)/module/crypto/%.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(OUT)
	$(CXX) $(CXXFLAGS) $(call flags_of,$<) -c -o $@ $<
-include $(wildcard $(OUT)/*.d)

# ---- arm64: no libFuzzer there, so inputs are drawn, not bred -------------------------------------------
INPUTS ?= 1000
ARM := $(OUT)/arm64
arm_cxx = aarch64-linux-gnu-g++-12 -std=c++20 -O2 -funsigned-char -fno-strict-aliasing -Wall -Wextra -Werror -I$(ROOT)/module \
	-I$(ROOT)/cpp-rt/include -MMD -MP $(patsubst %,-isystem $(sysroot)/usr/include/%,aarch64-linux-gnu .)
arm64: sysroot = $(shell $(ROOT)/qemu/sysroot arm64 libgtest-dev libsodium-dev libssl-dev)
arm64: $(ARM)/aead_fuzz
	@echo 1..1; if qemu-aarch64 -L /usr/aarch64-linux-gnu $< $(INPUTS); then echo "ok 1 - the_aead_agrees_with_openssl_on_random_batches"; \
	else echo "not ok 1 - the_aead_agrees_with_openssl_on_random_batches"; exit 1; fi
$(ARM)/aead_fuzz: $(patsubst %.cpp,$(ARM)/%.o,$(notdir $(filter-out %avx2.cpp %avx512.cpp,$(wildcard $(ROOT)/module/crypto/aead*.cpp)) \
		aead_fuzz.cpp random_main.cpp))
	$(arm_cxx) -o $@ $^ -L$(sysroot)/usr/lib/aarch64-linux-gnu -Wl,-Bstatic -lcrypto -Wl,-Bdynamic
$(ARM)/%.o: $(ROOT)/selftests/fuzz/%.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(ARM)
	$(arm_cxx) -c -o $@ $<
$(ARM)/%.o: $(ROOT)/module/crypto/%.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(ARM)
	$(arm_cxx) -c -o $@ $<
-include $(wildcard $(ARM)/*.d)
