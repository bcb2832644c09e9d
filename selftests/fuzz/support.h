// SPDX-License-Identifier: GPL-2.0
/* What the fuzzers share: an input that is eaten piece by piece, and a condition that ends the run when it fails. */
#pragma once
#include "rt/bytes.h"

namespace wg::fuzz {

/* A finding: aborts, so that libFuzzer keeps the input. */
void require(bool condition, const char *what);

class Input {
public:
	Input(const u8 *data, usize size) : at_(data), left_(size) {}

	bool empty() const { return left_ == 0; }
	usize left() const { return left_; }
	/* Zeros when nothing is left. */
	u8 byte()
	{
		if (left_ == 0)
			return 0;
		left_--;
		return *at_++;
	}
	u32 below(u32 bound) { return (static_cast<u32>(byte()) << 8 | byte()) % bound; }
	void fill(u8 *to, usize size)
	{
		for (usize i = 0; i < size; i++)
			to[i] = byte();
	}
	ConstByteSpan rest() const { return {at_, left_}; }

private:
	const u8 *at_;
	usize left_;
};

} // namespace wg::fuzz
