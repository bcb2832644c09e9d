// SPDX-License-Identifier: GPL-2.0
#include "protocol/ratelimit.h"

namespace wg {
namespace {

/* IPv4 /32 or IPv6 /64, without the port. The lengths differ, so an IPv4 source never hashes as an IPv6 one. */
usize source_size(const CookieSource &source)
{
	return source.size == 4 + 2 ? 4 : 8;
}

} // namespace

/* A bucket's fill is kept as the moment at which it will be full again: a token takes 1/20 s to come back, so taking one moves that
 * moment by as much, and there is none to take when it would move more than a whole burst ahead. */
Outcome<void> RateLimit::accept(const crypto::Primitives &primitives, u64 place, const CookieSource &source, Instant now)
{
	Duration token = {seconds(1).ns / RATELIMIT_PER_SECOND};
	u8 text[sizeof(place) + 8];
	Bucket *bucket;

	copy_bytes(text, &place, sizeof(place));
	copy_bytes(text + sizeof(place), source.bytes, source_size(source));
	bucket = find(primitives.siphash(key_, text, sizeof(place) + source_size(source)), now);
	if (!bucket)
		return Drop::RateLimited;

	Instant full_at = (bucket->full_at > now ? bucket->full_at : now) + token;

	if (full_at - now > token * RATELIMIT_BURST)
		return Drop::RateLimited;
	bucket->full_at = full_at;
	return Outcome<void>::success();
}

/* The source's own bucket, else one that has refilled, now its own; null when the set has neither. */
RateLimit::Bucket *RateLimit::find(u64 source, Instant now)
{
	Bucket *refilled = nullptr;

	for (Bucket &bucket : buckets_[source % SETS]) {
		if (bucket.source == source)
			return &bucket;
		if (bucket.full_at <= now)
			refilled = &bucket;
	}
	if (refilled)
		*refilled = {source, now};
	return refilled;
}

} // namespace wg
