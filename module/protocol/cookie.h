// SPDX-License-Identifier: GPL-2.0
/* MAC1, MAC2 and cookies: proof that a sender knows our public key, and under load that it receives at its address. [WG §5.3, §5.4.4, §5.4.7]
 *
 * Called by:  engine/handshaker before any DH work (CookieChecker), engine/peer when it sends a handshake message (CookieMaker)
 * Context:    process
 * Serialised: the checker by the device's cookie lock, the maker by the peer's handshake lock
 */
#pragma once
#include "protocol/identity.h"

namespace wg {

/* The source as the cookie binds it: address ‖ port in network order, 6 or 18 bytes. */
struct CookieSource {
	u8 bytes[18];
	u8 size;
	ConstByteSpan span() const { return {bytes, size}; }
};

enum class MacVerdict : u8 { Bad, Mac1Valid, Mac1AndMac2Valid };

/* The receiver's side. */
class CookieChecker {
public:
	/* Is the secret older than 120 s (or none yet)? Then refresh() with 32 fresh random bytes before the next call. */
	bool wants_fresh_secret(Instant now) const { return born_.is_never() || now - born_ >= COOKIE_SECRET_LIFETIME; }
	void refresh(const Secret<32> &random, Instant now);

	/* @message: a whole initiation or response, macs last. mac2 counts only while the secret is fresh. A message too short to
	 * have macs is Bad. */
	MacVerdict check(const Primitives &, const CookieKeys &local, ConstByteSpan message, const CookieSource &, Instant now) const;

	/* The reply to a message with sender_index @receiver_index and @mac1; @nonce: 24 random bytes. */
	void create_reply(const Primitives &, const CookieKeys &local, const Bytes<MAC_SIZE> &mac1, SessionIndex receiver_index,
			  const CookieSource &, const Bytes<24> &nonce, CookieReplyMessage &reply) const;

private:
	void make_cookie(const Primitives &, const CookieSource &, Secret<COOKIE_SIZE> &) const;

	Secret<32> secret_;
	Instant born_;
};

/* The sender's side, one per peer. */
class CookieMaker {
public:
	/* Fills the macs, the last 32 bytes, of a finished message; mac2 is zero unless a cookie not older than 115 s is held. */
	void add_macs(const Primitives &, const CookieKeys &remote, ByteSpan message, Instant now);
	/* Drop::UnexpectedCookie unless it answers the mac1 sent last, for the first time, and authenticates. */
	Outcome<void> consume_reply(const Primitives &, const CookieKeys &remote, const CookieReplyMessage &, Instant now);

private:
	Secret<COOKIE_SIZE> cookie_;
	Instant cookie_born_;
	Bytes<MAC_SIZE> last_mac1_{};
	bool awaits_reply_ = false;
};

} // namespace wg
