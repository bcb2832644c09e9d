// SPDX-License-Identifier: GPL-2.0
/* What is one per module: the crypto library's table, the AEAD's form, and the rate limit. */
#pragma once
#include "crypto/aead.h"
#include "crypto/primitives.h"
#include "engine/sync.h"
#include "protocol/ratelimit.h"

namespace wg::engine {

inline const crypto::Primitives &primitives()
{
	static_assert(sizeof(crypto::Primitives) == sizeof(wg_primitives));
	return reinterpret_cast<const crypto::Primitives &>(wg_kernel_primitives);
}

/* Chosen and self-tested at load. Portable needs no FPU section, the others do. */
crypto::Form aead_form();
const char *aead_form_name();

/* Numbers that grow, from 1 on. [any] */
u64 next_serial();

/* Under load: a token of @source's, at the sockets of @place. Drop::RateLimited. */
Outcome<void> accept_rate(u64 place, const CookieSource &source, Instant at);

} // namespace wg::engine
