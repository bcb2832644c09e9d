// SPDX-License-Identifier: GPL-2.0
/* The protocol's numbers under the paper's names. [WG §6] */
#pragma once
#include "rt/time.h"
#include "rt/types.h"

namespace wg {

constexpr u64 REPLAY_WINDOW_BITS = 8192;
constexpr u64 REPLAY_WINDOW = REPLAY_WINDOW_BITS - 64;	/* counters that may arrive late: one word less, RFC 6479 */
constexpr u64 REKEY_AFTER_MESSAGES = 1ull << 60;
constexpr u64 REJECT_AFTER_MESSAGES = ~0ull - REPLAY_WINDOW - 1;	/* 2^64 - 8130, the first counter refused, as by deployed peers */
constexpr Duration REKEY_AFTER_TIME = seconds(120);
constexpr Duration REJECT_AFTER_TIME = seconds(180);
constexpr Duration REKEY_ATTEMPT_TIME = seconds(90);
constexpr Duration REKEY_TIMEOUT = seconds(5);
constexpr Duration REKEY_TIMEOUT_JITTER = milliseconds(333);	/* exclusive upper bound */
constexpr Duration KEEPALIVE_TIMEOUT = seconds(10);
constexpr Duration COOKIE_SECRET_LIFETIME = seconds(120);
constexpr Duration COOKIE_LATENCY = seconds(5);			/* a cookie is not used in its last seconds */
constexpr u32 INITIATIONS_PER_SECOND = 50;			/* accepted from one peer */
constexpr u32 MAX_PEERS = 1u << 20;
constexpr u32 MAX_STAGED_PACKETS = 128;
constexpr u32 MAX_QUEUED_HANDSHAKES = 4096;
constexpr u32 UNDER_LOAD_HANDSHAKES = MAX_QUEUED_HANDSHAKES / 8;
constexpr Duration UNDER_LOAD_AFTER = seconds(1);
constexpr u32 RATELIMIT_PER_SECOND = 20;
constexpr u32 RATELIMIT_BURST = 5;

constexpr usize KEY_SIZE = 32;		/* X25519, ChaCha20-Poly1305 and preshared keys */
constexpr usize HASH_SIZE = 32;
constexpr usize TAG_SIZE = 16;
constexpr usize MAC_SIZE = 16;
constexpr usize COOKIE_SIZE = 16;
constexpr usize PADDING_MULTIPLE = 16;

} // namespace wg
