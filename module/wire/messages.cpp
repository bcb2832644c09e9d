// SPDX-License-Identifier: GPL-2.0
#include "wire/messages.h"

namespace wg {

Outcome<MessageType> classify(ConstByteSpan head, usize size)
{
	LittleEndian<u32> type;

	/* The caller's promise makes the second test follow from the first; it costs nothing to be safe without the promise. */
	if (size < sizeof(type) || head.size() < sizeof(type))
		return Drop::Malformed;
	copy_bytes(&type, head.data(), sizeof(type));
	switch (type.get()) {
	case static_cast<u32>(MessageType::Initiation):
		return size == sizeof(InitiationMessage) ? Outcome<MessageType>(MessageType::Initiation) : Drop::Malformed;
	case static_cast<u32>(MessageType::Response):
		return size == sizeof(ResponseMessage) ? Outcome<MessageType>(MessageType::Response) : Drop::Malformed;
	case static_cast<u32>(MessageType::CookieReply):
		return size == sizeof(CookieReplyMessage) ? Outcome<MessageType>(MessageType::CookieReply) : Drop::Malformed;
	case static_cast<u32>(MessageType::Data):
		return size >= MIN_DATA_MESSAGE ? Outcome<MessageType>(MessageType::Data) : Drop::Malformed;
	}
	return Drop::Malformed;
}

u32 padding_size(u32 size, u32 mtu)
{
	u32 last = mtu != 0 && size > mtu ? size % mtu : size;
	u32 padding = (0 - last) % PADDING_MULTIPLE;

	/* last ≤ mtu here, so the difference cannot wrap. */
	if (mtu != 0 && padding > mtu - last)
		return mtu - last;
	return padding;
}

} // namespace wg
