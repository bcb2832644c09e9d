// SPDX-License-Identifier: GPL-2.0
/* The four messages as they lie on the wire: alignment 1, sizes proved here. [WG §5.4]
 *
 * parse<T>() is the only way from bytes to a message: type and length are checked there, once, and never again.
 */
#pragma once
#include "rt/bytes.h"
#include "rt/little_endian.h"
#include "rt/strong.h"
#include "wire/constants.h"
#include "wire/drop.h"

namespace wg {

using SessionIndex = Strong<u32, struct SessionIndexTag>;
using PublicKey = Bytes<KEY_SIZE>;

/* @Size plain bytes with their tag behind. */
template <usize Size> using Sealed = Bytes<Size + TAG_SIZE>;

struct Tai64n {			/* big-endian seconds and nanoseconds: later is greater byte by byte */
	Bytes<12> label;
};

enum class MessageType : u32 { Initiation = 1, Response = 2, CookieReply = 3, Data = 4 };

struct MessageMacs {
	Bytes<MAC_SIZE> mac1, mac2;
};

struct InitiationMessage {	/* [WG §5.4.2] */
	LittleEndian<u32> type, sender_index;
	PublicKey ephemeral;
	Sealed<KEY_SIZE> encrypted_static;
	Sealed<sizeof(Tai64n)> encrypted_timestamp;
	MessageMacs macs;
	static constexpr MessageType TYPE() { return MessageType::Initiation; }
};
static_assert(sizeof(InitiationMessage) == 148 && alignof(InitiationMessage) == 1 && offsetof(InitiationMessage, macs) == 116);

struct ResponseMessage {	/* [WG §5.4.3] */
	LittleEndian<u32> type, sender_index, receiver_index;
	PublicKey ephemeral;
	Sealed<0> encrypted_nothing;
	MessageMacs macs;
	static constexpr MessageType TYPE() { return MessageType::Response; }
};
static_assert(sizeof(ResponseMessage) == 92 && alignof(ResponseMessage) == 1 && offsetof(ResponseMessage, macs) == 60);

struct CookieReplyMessage {	/* [WG §5.4.7] */
	LittleEndian<u32> type, receiver_index;
	Bytes<24> nonce;
	Sealed<COOKIE_SIZE> encrypted_cookie;
	static constexpr MessageType TYPE() { return MessageType::CookieReply; }
};
static_assert(sizeof(CookieReplyMessage) == 64 && alignof(CookieReplyMessage) == 1);

struct DataHeader {		/* [WG §5.4.6]; the encrypted packet and its tag follow */
	LittleEndian<u32> type, receiver_index;
	LittleEndian<u64> counter;
	static constexpr MessageType TYPE() { return MessageType::Data; }
};
static_assert(sizeof(DataHeader) == 16 && alignof(DataHeader) == 1);

constexpr usize MIN_DATA_MESSAGE = sizeof(DataHeader) + TAG_SIZE;

/* What @bytes, a whole UDP payload of @size bytes of which at least the first min(size, 16) are given, claims to be. Drop::Malformed. */
Outcome<MessageType> classify(ConstByteSpan head, usize size);

/* @bytes as a message of fixed size (initiation, response, cookie reply). Drop::Malformed unless type and length are exactly right. */
template <typename Message> Outcome<const Message &> parse(ConstByteSpan bytes)
{
	auto type = classify(bytes, bytes.size());

	if (!type || *type != Message::TYPE() || bytes.size() != sizeof(Message))
		return Drop::Malformed;
	return *reinterpret_cast<const Message *>(bytes.data());
}

/* Zero bytes to append to a plain packet of @size bytes: up to a multiple of 16, but not beyond @mtu; a packet longer than the MTU is
 * taken modulo the MTU; with MTU 0 the multiple alone counts. [WG §5.4.6] */
u32 padding_size(u32 size, u32 mtu);

} // namespace wg
