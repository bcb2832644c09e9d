// SPDX-License-Identifier: GPL-2.0
#include "protocol/cookie.h"

namespace wg {
namespace {

/* What each mac covers: mac1 the message before itself, mac2 that and mac1. */
ConstByteSpan before_mac1(ConstByteSpan message)
{
	return message.first(message.size() - sizeof(MessageMacs));
}

ConstByteSpan before_mac2(ConstByteSpan message)
{
	return message.first(message.size() - MAC_SIZE);
}

const u8 *macs_of(ConstByteSpan message)
{
	return message.from(message.size() - sizeof(MessageMacs)).data();
}

} // namespace

void CookieChecker::refresh(const Secret<32> &random, Instant now)
{
	secret_.copy_from(random);
	born_ = now;
}

MacVerdict CookieChecker::check(const Primitives &primitives, const CookieKeys &local, ConstByteSpan message, const CookieSource &source,
				Instant now) const
{
	if (message.size() < sizeof(MessageMacs))
		return MacVerdict::Bad;

	Secret<COOKIE_SIZE> cookie;
	Bytes<MAC_SIZE> mac1, mac2;
	const u8 *macs = macs_of(message);

	crypto::mac(primitives, mac1, local.mac1_key.span(), before_mac1(message));
	if (!same_bytes_constant_time(mac1.data(), macs, MAC_SIZE))
		return MacVerdict::Bad;
	if (wants_fresh_secret(now))
		return MacVerdict::Mac1Valid;
	make_cookie(primitives, source, cookie);
	crypto::mac(primitives, mac2, cookie.expose_span(), before_mac2(message));
	if (!same_bytes_constant_time(mac2.data(), macs + MAC_SIZE, MAC_SIZE))
		return MacVerdict::Mac1Valid;
	return MacVerdict::Mac1AndMac2Valid;
}

void CookieChecker::create_reply(const Primitives &primitives, const CookieKeys &local, const Bytes<MAC_SIZE> &mac1, SessionIndex receiver_index,
				 const CookieSource &source, const Bytes<24> &nonce, CookieReplyMessage &reply) const
{
	Secret<COOKIE_SIZE> cookie;

	make_cookie(primitives, source, cookie);
	reply.type = static_cast<u32>(MessageType::CookieReply);
	reply.receiver_index = receiver_index.value();
	reply.nonce = nonce;
	primitives.xaead_seal(reply.encrypted_cookie.data(), cookie.expose(), COOKIE_SIZE, mac1.data(), MAC_SIZE, nonce.data(),
			      local.cookie_key.data());
}

/* Bound to address and port: a cookie bound to the address alone would serve every host behind the same NAT. */
void CookieChecker::make_cookie(const Primitives &primitives, const CookieSource &source, Secret<COOKIE_SIZE> &cookie) const
{
	crypto::mac(primitives, cookie, secret_.expose_span(), source.span());
}

void CookieMaker::add_macs(const Primitives &primitives, const CookieKeys &remote, ByteSpan message, Instant now)
{
	if (message.size() < sizeof(MessageMacs)) {
		bug("CookieMaker: a message without room for its macs");
		return;
	}

	MessageMacs macs;
	u8 *at = message.from(message.size() - sizeof(MessageMacs)).data();

	crypto::mac(primitives, macs.mac1, remote.mac1_key.span(), before_mac1(message));
	copy_bytes(at, macs.mac1.data(), MAC_SIZE);
	if (!cookie_born_.is_never() && now - cookie_born_ <= COOKIE_SECRET_LIFETIME - COOKIE_LATENCY)
		crypto::mac(primitives, macs.mac2, cookie_.expose_span(), before_mac2(message));
	else
		macs.mac2.clear();
	copy_bytes(at + MAC_SIZE, macs.mac2.data(), MAC_SIZE);
	last_mac1_ = macs.mac1;
	awaits_reply_ = true;
}

Outcome<void> CookieMaker::consume_reply(const Primitives &primitives, const CookieKeys &remote, const CookieReplyMessage &reply, Instant now)
{
	Secret<COOKIE_SIZE> cookie;

	if (!awaits_reply_)
		return Drop::UnexpectedCookie;
	if (!primitives.xaead_open(cookie.expose(), reply.encrypted_cookie.data(), sizeof(reply.encrypted_cookie), last_mac1_.data(), MAC_SIZE,
				   reply.nonce.data(), remote.cookie_key.data()))
		return Drop::UnexpectedCookie;
	cookie_.copy_from(cookie);
	cookie_born_ = now;
	awaits_reply_ = false;
	return Outcome<void>::success();
}

} // namespace wg
