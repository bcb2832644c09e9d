// SPDX-License-Identifier: GPL-2.0
/* Handshakes and packets exchanged with the kernel's own WireGuard, and our side of them, in which everything that is drawn by chance is fixed:
 * so what we send is the same, byte for byte, whenever it answers what they sent.
 *
 * Used by:  captured_test.cpp, which replays what lies in captured_session.inc; capture.cpp, which made it and makes it anew:
 *             make -C selftests/unit capture
 *             qemu/run --module in-tree --add build/unit/capture:/wg/capture -- selftests/guest/capture-session | sed -n 's/^# row: //p'
 */
#pragma once
#include <cstring>

#include "protocol/cookie.h"
#include "protocol/handshake.h"
#include "support.h"

namespace wg::test::captured {

/* Of who initiates and who responds, in the order they were sent: the handshake, a ping and its answer. */
struct Exchange {
	const char *initiation, *response, *request, *reply;
};

constexpr char OUR_PRIVATE[] = "4002030405060708091011121314151617181920212223242526272829303142";
constexpr char THEIR_PRIVATE[] = "68a2a3a4a5a6a7a8a9b0b1b2b3b4b5b6b7b8b9c0c1c2c3c4c5c6c7c8c9d0d142";
constexpr char PRESHARED_KEY[] = "e0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405";
constexpr char OUR_EPHEMERAL[] = "707172737475767778798081828384858687888990919293949596979899a0a1";
constexpr u64 OUR_TIME = 1796000000;	/* Unix seconds */
constexpr u32 OUR_INDEX = 0x0badcafe;
constexpr u8 OUR_ADDRESS[] = {10, 9, 0, 2}, THEIR_ADDRESS[] = {10, 9, 0, 1};

inline u16 checksum(const u8 *at, usize size)
{
	u32 sum = 0;

	for (usize i = 0; i < size; i++)
		sum += i % 2 ? at[i] : u32{at[i]} << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<u16>(~sum);
}

inline void put_u16(u8 *at, u16 value)
{
	at[0] = static_cast<u8>(value >> 8);
	at[1] = static_cast<u8>(value);
}

constexpr u8 ECHO_REPLY = 0, ECHO_REQUEST = 8;

/* RFC 791, 792. */
inline ByteVector echo(u8 type, const u8 *from, const u8 *to, const ByteVector &rest)
{
	ByteVector packet(24 + rest.size());

	packet[0] = 0x45;
	packet[8] = 64;
	packet[9] = 1;
	memcpy(&packet[12], from, 4);
	memcpy(&packet[16], to, 4);
	packet[20] = type;
	memcpy(packet.data() + 24, rest.data(), rest.size());
	put_u16(&packet[2], static_cast<u16>(packet.size()));
	put_u16(&packet[10], checksum(packet.data(), 20));
	put_u16(&packet[22], checksum(&packet[20], packet.size() - 20));
	return packet;
}

/* A ping of ours; and the answer to @request, which may be padded. */
inline ByteVector our_request()
{
	return echo(ECHO_REQUEST, OUR_ADDRESS, THEIR_ADDRESS, {0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g'});
}

inline ByteVector our_reply(const ByteVector &request)
{
	return echo(ECHO_REPLY, OUR_ADDRESS, THEIR_ADDRESS, vector_of(&request[24], static_cast<usize>(request[2] << 8 | request[3]) - 24));
}

class Ours {
public:
	Ours()
	{
		LocalIdentity theirs;

		theirs.set_private_key(primitives(), from_hex(THEIR_PRIVATE).data());
		local_.set_private_key(primitives(), from_hex(OUR_PRIVATE).data());
		remote_.set_public_key(primitives(), theirs.static_public());
		remote_.set_preshared_key(from_hex(PRESHARED_KEY).data());
		remote_.precompute(primitives(), local_);
		ephemeral_.copy_from(from_hex(OUR_EPHEMERAL).data());
	}

	ByteVector initiate()
	{
		InitiationMessage message;

		EXPECT_TRUE(create_initiation(primitives(), local_, remote_, ephemeral_, tai64n(OUR_TIME, 0), SessionIndex(OUR_INDEX), state_, message));
		return with_macs(message);
	}
	/* False: it is no answer to initiate()'s message. */
	bool finish(const ByteVector &response)
	{
		auto message = parse<ResponseMessage>(span_of(response));

		if (!message || !has_mac1(response) || message->receiver_index.get() != OUR_INDEX)
			return false;
		their_index_ = message->sender_index.get();
		return static_cast<bool>(consume_response(primitives(), local_, remote_, state_, *message, keys_));
	}
	/* Empty: it is no initiation of theirs. */
	ByteVector respond(const ByteVector &initiation)
	{
		auto message = parse<InitiationMessage>(span_of(initiation));
		OpenedInitiation opened;
		ResponseMessage response;

		if (!message || !has_mac1(initiation) || !open_initiation(primitives(), local_, *message, opened) ||
		    !(opened.remote_static == remote_.static_public()) || !authenticate_initiation(primitives(), remote_, *message, opened))
			return {};
		their_index_ = message->sender_index.get();
		EXPECT_TRUE(create_response(primitives(), remote_, opened, ephemeral_, SessionIndex(OUR_INDEX), response, keys_));
		return with_macs(response);
	}

	/* Our first message, padded as the protocol has it. */
	ByteVector seal(ByteVector packet)
	{
		packet.resize(packet.size() + padding_size(static_cast<u32>(packet.size()), 1420));
		ByteVector message(sizeof(DataHeader) + packet.size() + TAG_SIZE);
		DataHeader header{};

		header.type = static_cast<u32>(MessageType::Data);
		header.receiver_index = their_index_;
		memcpy(message.data(), &header, sizeof(header));
		primitives().aead_seal(&message[sizeof(header)], packet.data(), packet.size(), nullptr, 0, 0, keys_.sending.expose());
		return message;
	}
	/* What is in a message of theirs; empty when it is none, or a keepalive. */
	ByteVector open(const ByteVector &message) const
	{
		DataHeader header;

		if (message.size() <= MIN_DATA_MESSAGE)
			return {};
		memcpy(&header, message.data(), sizeof(header));
		ByteVector packet(message.size() - MIN_DATA_MESSAGE);

		if (header.receiver_index.get() != OUR_INDEX ||
		    !primitives().aead_open(packet.data(), &message[sizeof(header)], message.size() - sizeof(header), nullptr, 0, header.counter.get(),
					    keys_.receiving.expose()))
			return {};
		return packet;
	}
	const TransportKeys &keys() const { return keys_; }

private:
	bool has_mac1(const ByteVector &message) const
	{
		return CookieChecker().check(primitives(), local_.cookie_keys(), span_of(message), CookieSource{}, Instant{1}) == MacVerdict::Mac1Valid;
	}
	template <typename Message> ByteVector with_macs(Message &message)
	{
		CookieMaker().add_macs(primitives(), remote_.cookie_keys(), {reinterpret_cast<u8 *>(&message), sizeof(message)}, Instant{1});
		return vector_of(&message, sizeof(message));
	}

	LocalIdentity local_;
	RemoteIdentity remote_;
	Secret<KEY_SIZE> ephemeral_;
	InitiatorState state_;
	TransportKeys keys_;
	u32 their_index_ = 0;
};

} // namespace wg::test::captured
