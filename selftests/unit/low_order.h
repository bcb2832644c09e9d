// SPDX-License-Identifier: GPL-2.0
/* Points of Curve25519 whose X25519 with any clamped secret is zero: an attacker's favourite public keys. [RFC 7748 §6.1, §7] */
#pragma once
#include "support.h"

namespace wg::test {

inline std::vector<ByteVector> low_order_points()
{
	return {
		from_hex("0000000000000000000000000000000000000000000000000000000000000000"),	/* 0 */
		from_hex("0100000000000000000000000000000000000000000000000000000000000000"),	/* 1 */
		from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),	/* of order 8 */
		from_hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),	/* of order 8 */
		from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),	/* p - 1 */
		from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),	/* p */
		from_hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),	/* p + 1 */
		from_hex("0100000000000000000000000000000000000000000000000000000000000080"),	/* 1 with the ignored top bit */
	};
}

} // namespace wg::test
