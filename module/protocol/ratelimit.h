// SPDX-License-Identifier: GPL-2.0
/* Rate limit: a token bucket per source, 20 a second, burst 5, in a table of fixed size. [WG §5.3]
 *
 * Called by:  engine/handshaker, under load only
 * Context:    process or softirq; never sleeps
 * Serialised: by the engine's lock over the one table
 * Memory:     fixed. A bucket that has refilled equals one that never was, so it may be taken over without asking: expiry costs nothing.
 *             When all ways of a set are in use the newcomer is refused: an attacker who fills the table buys no more than that.
 * Sources:    IPv4 /32, IPv6 /64, each apart in every place (the network namespace of the sockets); the set is chosen by keyed SipHash,
 *             so no one can aim at a set
 */
#pragma once
#include "crypto/primitives.h"
#include "protocol/cookie.h"

namespace wg {

class RateLimit {
public:
	void set_key(const u8 *key16) { copy_bytes(key_, key16, sizeof(key_)); }
	/* Takes one token; Drop::RateLimited when there is none. The port in @source does not count. @place: any number of the place's. */
	Outcome<void> accept(const crypto::Primitives &, u64 place, const CookieSource &source, Instant now);

private:
	struct Bucket {
		u64 source;		/* keyed hash of place and masked source; zero is also an unused one, which equals a full one */
		Instant full_at;	/* when it will have refilled */
	};
	enum : usize { SETS = 2048, WAYS = 8 };
	Bucket *find(u64 source, Instant now);
	u8 key_[16] = {};
	Bucket buckets_[SETS][WAYS] = {};
};

} // namespace wg
