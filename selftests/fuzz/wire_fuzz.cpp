// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a UDP payload and as an inner packet: what is taken for a message has its length, and nothing is read outside. */
#include <cstring>

#include "support.h"
#include "wire/inner.h"
#include "wire/messages.h"

using namespace wg;
using fuzz::require;

namespace {

bool inside(const u8 *at, usize size, ConstByteSpan bytes)
{
	return at >= bytes.begin() && at + size <= bytes.end();
}

void try_messages(ConstByteSpan bytes)
{
	auto type = classify(bytes, bytes.size());
	int parsed = 0;

	if (auto message = parse<InitiationMessage>(bytes)) {
		parsed++;
		require(bytes.size() == 148 && message->type.get() == 1, "initiation");
	}
	if (auto message = parse<ResponseMessage>(bytes)) {
		parsed++;
		require(bytes.size() == 92 && message->type.get() == 2, "response");
	}
	if (auto message = parse<CookieReplyMessage>(bytes)) {
		parsed++;
		require(bytes.size() == 64 && message->type.get() == 3, "cookie reply");
	}
	if (!type) {
		require(parsed == 0 && type.error() == Drop::Malformed, "parsed what is malformed");
		return;
	}
	if (*type == MessageType::Data)
		require(parsed == 0 && bytes.size() >= MIN_DATA_MESSAGE, "data");
	else
		require(parsed == 1, "classified but not parsed, or twice");
	/* The head alone decides the same. */
	require(static_cast<bool>(classify(bytes.first(16), bytes.size())), "the head decides otherwise");
}

void try_inner(ConstByteSpan bytes)
{
	auto inner = parse_inner(bytes);

	if (!inner) {
		require(inner.error() == Drop::NotIp || inner.error() == Drop::BadLength, "reason");
		return;
	}

	bool v4 = inner->version == IpVersion::V4;
	usize address = v4 ? 4 : 16;

	require(bytes.data()[0] >> 4 == (v4 ? 4 : 6), "version");
	require(inside(inner->source, address, bytes) && inside(inner->destination, address, bytes), "addresses outside");
	require(inner->destination == inner->source + address, "addresses apart");
	require(v4 ? inner->length <= 65535 : inner->length >= 40 && inner->length <= 65575, "length");	/* of IPv4 any, for the caller to check */
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
	fuzz::Input input(data, size);
	u8 numbers[8];
	u32 packet, mtu;

	try_messages({data, size});
	if (size >= 40)
		try_inner({data, 40});	/* as the engine calls it */
	try_inner({data, size});

	input.fill(numbers, 8);
	memcpy(&packet, numbers, 4);
	memcpy(&mtu, numbers + 4, 4);
	require(padding_size(packet, mtu) < 16, "padding");
	if (mtu != 0 && packet <= mtu)
		require(padding_size(packet, mtu) <= mtu - packet, "padding beyond the MTU");
	return 0;
}
