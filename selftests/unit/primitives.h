// SPDX-License-Identifier: GPL-2.0
/* The primitives for tests, simulation and fuzzers: libsodium's and OpenSSL's in the place of the kernel's. */
#pragma once
#include "crypto/primitives.h"

namespace wg::test {

/* Ready for use, and usable from any thread. */
const crypto::Primitives &primitives();

} // namespace wg::test
