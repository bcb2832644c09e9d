# SPDX-License-Identifier: GPL-2.0
# The AEAD under valgrind: time must depend on lengths alone. aead_test.cpp itself is part of the unit tests (Makefile).
#
#   make -C selftests/unit -f aead.mk constant-time      prints TAP

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
OUT := $(ROOT)/build/constant-time
CXX := g++-12
CXXFLAGS := -std=c++20 -O2 -g -funsigned-char -fno-strict-aliasing -Wall -Wextra -I$(ROOT)/module -I$(ROOT)/cpp-rt/include \
	-include $(ROOT)/selftests/unit/aead_declassify.h -MMD -MP
# Valgrind has no AVX-512: that form runs on the model of it which the unit tests have.
flags_of = $(if $(findstring avx512,$1),-I$(ROOT)/selftests/unit/avx512_model -Wno-psabi,$(if $(findstring avx2,$1),-mavx2 -mbmi2))
objects := $(patsubst %.cpp,$(OUT)/%.o,$(notdir $(filter-out %neon.cpp,$(wildcard $(ROOT)/module/crypto/aead*.cpp)) aead_constant_time.cpp))

.PHONY: constant-time
constant-time: $(OUT)/aead_constant_time
	@valgrind -q --log-file=$(OUT)/valgrind.log $< || { sed 's/^/# /' $(OUT)/valgrind.log; exit 1; }

$(OUT)/aead_constant_time: $(objects)
	$(CXX) -o $@ $^
$(OUT)/aead_constant_time.o: $(ROOT)/selftests/unit/aead_constant_time.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(OUT)
	$(CXX) $(CXXFLAGS) -c -o $@ $<
$(OUT)/%.o: $(ROOT)/module/crypto/%.cpp $(lastword $(MAKEFILE_LIST))
	@mkdir -p $(OUT)
	$(CXX) $(CXXFLAGS) $(call flags_of,$<) -c -o $@ $<
-include $(wildcard $(OUT)/*.d)
