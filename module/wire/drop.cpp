// SPDX-License-Identifier: GPL-2.0
#include "wire/drop.h"

namespace wg {

const char *drop_name(Drop reason)
{
	switch (reason) {
	case Drop::Malformed: return "malformed";
	case Drop::NoMemory: return "no-memory";
	case Drop::NoIdentity: return "no-identity";
	case Drop::BadMac1: return "bad-mac1";
	case Drop::BadMac2: return "bad-mac2";
	case Drop::RateLimited: return "rate-limited";
	case Drop::HandshakeQueueFull: return "handshake-queue-full";
	case Drop::RandomNotReady: return "random-not-ready";
	case Drop::BadHandshake: return "bad-handshake";
	case Drop::UnknownPeer: return "unknown-peer";
	case Drop::OldTimestamp: return "old-timestamp";
	case Drop::InitiationFlood: return "initiation-flood";
	case Drop::UnknownIndex: return "unknown-index";
	case Drop::UnexpectedCookie: return "unexpected-cookie";
	case Drop::ExpiredKey: return "expired-key";
	case Drop::BadTag: return "bad-tag";
	case Drop::Replayed: return "replayed";
	case Drop::NotIp: return "not-ip";
	case Drop::BadLength: return "bad-length";
	case Drop::WrongSource: return "wrong-source";
	case Drop::BadEcn: return "bad-ecn";
	case Drop::NoPeer: return "no-peer";
	case Drop::NoEndpoint: return "no-endpoint";
	case Drop::NoSession: return "no-session";
	case Drop::StagedFull: return "staged-full";
	case Drop::QueueFull: return "queue-full";
	case Drop::NotSegmentable: return "not-segmentable";
	case Drop::SendFailed: return "send-failed";
	case Drop::TooDeep: return "too-deep";
	case Drop::PeerGone: return "peer-gone";
	case Drop::Count: break;
	}
	bug("drop_name: no such reason");
	return "unknown";
}

} // namespace wg
