// SPDX-License-Identifier: GPL-2.0
/* Drop: the one list of reasons for which a packet or message ends here. Counted per peer and device; on the wire stays silence.
 *
 * Adding a reason: add it here, and its text to drop_name(); nothing else.
 */
#pragma once
#include "rt/result.h"
#include "rt/types.h"

namespace wg {

enum class Drop : u8 {
	Malformed,           /* not a WireGuard message: type or length */
	NoMemory,
	NoIdentity,          /* the device has no private key */
	BadMac1,
	BadMac2,             /* under load and no valid cookie: answered with a cookie reply */
	RateLimited,         /* under load, the source's bucket is empty */
	HandshakeQueueFull,
	RandomNotReady,
	BadHandshake,        /* a DH result of zero, or a handshake field that does not authenticate */
	UnknownPeer,         /* the static key is nobody's */
	OldTimestamp,        /* replayed initiation */
	InitiationFlood,     /* more than 50 initiations a second from one peer */
	UnknownIndex,        /* receiver_index names no handshake or session */
	UnexpectedCookie,    /* no mac1 of ours is waiting for it, or it does not authenticate */
	ExpiredKey,          /* past REJECT_AFTER_TIME or REJECT_AFTER_MESSAGES */
	BadTag,
	Replayed,            /* counter seen before or too old */
	NotIp,               /* inner packet neither IPv4 nor IPv6 */
	BadLength,           /* inner length larger than what was decrypted */
	WrongSource,         /* inner source address is not the peer's */
	BadEcn,              /* congestion was met outside, and the inner packet cannot say so (RFC 6040) */
	NoPeer,              /* no peer for the inner destination */
	NoEndpoint,
	NoSession,           /* staged packets given up: the handshake never completed */
	StagedFull,          /* the oldest of more than 128 staged packets */
	QueueFull,           /* more waits for the peer's poller than it may keep */
	NotSegmentable,      /* a GSO packet that the kernel cannot split */
	SendFailed,          /* route, socket or device refused the packet */
	TooDeep,             /* tunnel in tunnel in tunnel ...: a routing loop */
	PeerGone,            /* the peer or device went down meanwhile */
	Count,
};

constexpr usize DROP_REASONS = static_cast<usize>(Drop::Count);

template <typename T> using Outcome = Result<T, Drop>;

/* A short text for counters and debug lines, e.g. "bad-mac1". */
const char *drop_name(Drop);

} // namespace wg
