// SPDX-License-Identifier: GPL-2.0
/* What is one per module: the crypto library's table, the AEAD's form, and the rate limits of the namespaces. */
#pragma once
#include "crypto/aead.h"
#include "crypto/primitives.h"
#include "engine/sync.h"
#include "protocol/ratelimit.h"

namespace wg::engine {

extern const crypto::Primitives primitives;

/* Chosen and self-tested at load. Portable needs no FPU section, the others do. */
crypto::Form aead_form();

/* Numbers that grow, from 1 on. [any] */
u64 next_serial();

/* The rate limit of one namespace's sockets, shared by the devices born there. */
struct NamespaceLimit {
	NamespaceLimit *next = nullptr;
	const wg_namespace *birth = nullptr;
	u32 users = 1;
	SpinLock lock{WG_LOCK_RATELIMIT};
	RateLimit limit;
};

/* Shares the one of @birth, or makes it; null: no memory. [process] */
NamespaceLimit *share_limit(const wg_namespace *birth);
void release_limit(NamespaceLimit *limit);

} // namespace wg::engine
