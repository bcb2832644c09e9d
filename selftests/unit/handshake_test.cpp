// SPDX-License-Identifier: GPL-2.0
#include <array>
#include <cstring>
#include <functional>

#include <ucontext.h>

#include "low_order.h"
#include "noise_reference.h"
#include "protocol/handshake.h"

namespace wg {
namespace {

using test::ByteVector;
using test::clamped;
using test::primitives;
using test::vector_of;
namespace reference = test::reference;

constexpr usize INITIATION_BODY = offsetof(InitiationMessage, macs), RESPONSE_BODY = offsetof(ResponseMessage, macs);
constexpr u32 INITIATOR_INDEX = 0x11223344, RESPONDER_INDEX = 0xa1b2c3d4;

/* Two devices that know each other, with everything random drawn beforehand. */
struct Pair {
	test::Random random;
	ByteVector initiator_private, responder_private, initiator_ephemeral, responder_ephemeral, preshared_key, timestamp;
	LocalIdentity initiator, responder;
	RemoteIdentity initiators_peer, responders_peer;
	InitiatorState state;
	InitiationMessage initiation;
	OpenedInitiation opened;
	ResponseMessage response;
	TransportKeys initiator_keys, responder_keys;

	explicit Pair(u64 seed, bool with_preshared_key = true) : random(seed)
	{
		initiator_private = clamped(random.bytes(32));
		responder_private = clamped(random.bytes(32));
		initiator_ephemeral = random.bytes(32);
		responder_ephemeral = random.bytes(32);
		preshared_key = with_preshared_key ? random.bytes(32) : ByteVector(32);
		timestamp = random.bytes(12);
		initiator.set_private_key(primitives(), initiator_private.data());
		responder.set_private_key(primitives(), responder_private.data());
		initiators_peer.set_public_key(primitives(), responder.static_public());
		responders_peer.set_public_key(primitives(), initiator.static_public());
		initiators_peer.precompute(primitives(), initiator);
		responders_peer.precompute(primitives(), responder);
		if (with_preshared_key) {
			initiators_peer.set_preshared_key(preshared_key.data());
			responders_peer.set_preshared_key(preshared_key.data());
		}
	}
	Outcome<void> initiate()
	{
		Secret<KEY_SIZE> ephemeral;
		Tai64n time;

		ephemeral.copy_from(initiator_ephemeral.data());
		copy_bytes(time.label.data(), timestamp.data(), 12);
		return create_initiation(primitives(), initiator, initiators_peer, ephemeral, time, SessionIndex(INITIATOR_INDEX), state, initiation);
	}
	Outcome<void> open() { return open_initiation(primitives(), responder, initiation, opened); }
	Outcome<Tai64n> authenticate() { return authenticate_initiation(primitives(), responders_peer, initiation, opened); }
	Outcome<void> respond()
	{
		Secret<KEY_SIZE> ephemeral;

		ephemeral.copy_from(responder_ephemeral.data());
		return create_response(primitives(), responders_peer, opened, ephemeral, SessionIndex(RESPONDER_INDEX), response, responder_keys);
	}
	Outcome<void> consume() { return consume_response(primitives(), initiator, initiators_peer, state, response, initiator_keys); }
	/* Everything up to the response; the caller consumes it. */
	void up_to_response()
	{
		ASSERT_TRUE(initiate());
		ASSERT_TRUE(open());
		ASSERT_TRUE(authenticate());
		ASSERT_TRUE(respond());
	}
	reference::Session reference_session() const
	{
		return reference::run({initiator_private, vector_of(responder.static_public()), clamped(initiator_ephemeral), timestamp, INITIATOR_INDEX},
				      {clamped(responder_ephemeral), preshared_key, vector_of(initiator.static_public()),
				       reference::public_of(clamped(initiator_ephemeral)), RESPONDER_INDEX, INITIATOR_INDEX});
	}
};

template <typename Message> bool is_zero(const Message &message)
{
	ByteVector bytes = vector_of(&message, sizeof(message));

	return bytes == ByteVector(sizeof(message));
}

/* Each byte of both messages and both keys, in both roles, against the paper written down a second time. */
TEST(Handshake, agrees_with_the_reference_to_the_byte)
{
	for (u64 seed = 0; seed < 20; seed++) {
		Pair pair(seed, seed % 2 == 0);
		reference::Session expected = pair.reference_session();

		pair.up_to_response();
		ASSERT_TRUE(pair.consume());
		EXPECT_EQ(vector_of(&pair.initiation, INITIATION_BODY), expected.initiation);
		EXPECT_EQ(vector_of(&pair.response, RESPONSE_BODY), expected.response);
		EXPECT_EQ(vector_of(pair.initiator_keys.sending), expected.initiator_to_responder);
		EXPECT_EQ(vector_of(pair.initiator_keys.receiving), expected.responder_to_initiator);
		EXPECT_EQ(vector_of(pair.responder_keys.receiving), expected.initiator_to_responder);
		EXPECT_EQ(vector_of(pair.responder_keys.sending), expected.responder_to_initiator);
	}
}

TEST(Handshake, the_responder_learns_who_where_and_when)
{
	Pair pair(1);

	ASSERT_TRUE(pair.initiate());
	ASSERT_TRUE(pair.open());
	EXPECT_TRUE(pair.opened.remote_static == pair.initiator.static_public());
	EXPECT_EQ(pair.opened.remote_index.value(), INITIATOR_INDEX);

	auto timestamp = pair.authenticate();

	ASSERT_TRUE(timestamp);
	EXPECT_EQ(vector_of(timestamp->label), pair.timestamp);
}

TEST(Handshake, messages_leave_without_macs)
{
	Pair pair(2);

	memset(&pair.initiation, 0xff, sizeof(pair.initiation));
	memset(&pair.response, 0xff, sizeof(pair.response));
	pair.up_to_response();
	EXPECT_TRUE(pair.initiation.macs.mac1.is_zero() && pair.initiation.macs.mac2.is_zero());
	EXPECT_TRUE(pair.response.macs.mac1.is_zero() && pair.response.macs.mac2.is_zero());
}

/* The index is protected by mac1, and the type by parse(); every other byte by the handshake itself. */
TEST(Handshake, any_changed_byte_of_an_initiation_is_refused)
{
	Pair pair(3);

	ASSERT_TRUE(pair.initiate());
	for (usize at = offsetof(InitiationMessage, ephemeral); at < INITIATION_BODY; at++) {
		InitiationMessage original = pair.initiation;
		bool opened, authenticated = false;

		reinterpret_cast<u8 *>(&pair.initiation)[at] ^= 0x80;
		opened = static_cast<bool>(pair.open());
		if (opened)
			authenticated = static_cast<bool>(pair.authenticate());
		EXPECT_FALSE(authenticated) << at;
		EXPECT_EQ(opened, at >= offsetof(InitiationMessage, encrypted_timestamp)) << at;
		pair.initiation = original;
	}
	ASSERT_TRUE(pair.open());
	EXPECT_TRUE(pair.authenticate());
}

TEST(Handshake, any_changed_byte_of_a_response_is_refused_and_leaves_the_handshake_alive)
{
	Pair pair(4);

	pair.up_to_response();
	for (usize at = offsetof(ResponseMessage, ephemeral); at < RESPONSE_BODY; at++) {
		ResponseMessage original = pair.response;
		auto state = [&pair] {
			ByteVector all = vector_of(pair.state.chaining_key);

			for (const ByteVector &more : {vector_of(pair.state.hash), vector_of(pair.state.ephemeral_private)})
				all.insert(all.end(), more.begin(), more.end());
			return all;
		};
		ByteVector before = state();

		reinterpret_cast<u8 *>(&pair.response)[at] ^= 0x80;
		auto outcome = pair.consume();

		ASSERT_FALSE(outcome) << at;
		EXPECT_EQ(outcome.error(), Drop::BadHandshake);
		EXPECT_EQ(state(), before);
		EXPECT_TRUE(pair.initiator_keys.sending.is_zero_constant_time());
		pair.response = original;
	}
	EXPECT_TRUE(pair.consume());
}

TEST(Handshake, an_opened_field_that_fails_leaves_no_secret_behind)
{
	Pair pair(5);

	ASSERT_TRUE(pair.initiate());
	pair.initiation.encrypted_static.at[0] ^= 1;
	ASSERT_FALSE(pair.open());
	EXPECT_TRUE(pair.opened.chaining_key.is_zero_constant_time());
	EXPECT_TRUE(pair.opened.hash.is_zero());
	EXPECT_TRUE(pair.opened.remote_static.is_zero());
}

TEST(Handshake, the_response_wipes_what_the_responder_carried)
{
	Pair pair(6);

	pair.up_to_response();
	EXPECT_TRUE(pair.opened.chaining_key.is_zero_constant_time());
	EXPECT_TRUE(pair.opened.hash.is_zero());
	/* What the session still needs. */
	EXPECT_EQ(pair.opened.remote_index.value(), INITIATOR_INDEX);
	EXPECT_TRUE(pair.opened.remote_static == pair.initiator.static_public());
}

TEST(Handshake, the_initiator_keeps_its_clamped_ephemeral_until_it_wipes_the_state)
{
	Pair pair(7);

	ASSERT_TRUE(pair.initiate());
	EXPECT_EQ(vector_of(pair.state.ephemeral_private), clamped(pair.initiator_ephemeral));
	EXPECT_EQ(pair.state.sender_index.value(), INITIATOR_INDEX);

	InitiatorState copy;

	copy.copy_from(pair.state);
	EXPECT_TRUE(copy.chaining_key.equals_constant_time(pair.state.chaining_key));
	EXPECT_TRUE(copy.hash == pair.state.hash);
	EXPECT_TRUE(copy.ephemeral_private.equals_constant_time(pair.state.ephemeral_private));
	EXPECT_EQ(copy.sender_index, pair.state.sender_index);
	pair.state.wipe();
	EXPECT_TRUE(pair.state.chaining_key.is_zero_constant_time());
	EXPECT_TRUE(pair.state.ephemeral_private.is_zero_constant_time());
	EXPECT_TRUE(pair.state.hash.is_zero());
	EXPECT_EQ(pair.state.sender_index.value(), 0u);
}

TEST(Handshake, values_wipe_themselves_when_they_end)
{
	alignas(InitiatorState) u8 state_memory[sizeof(InitiatorState)];
	alignas(OpenedInitiation) u8 opened_memory[sizeof(OpenedInitiation)];
	auto *state = new (state_memory) InitiatorState;
	auto *opened = new (opened_memory) OpenedInitiation;
	usize hash_in_state = static_cast<usize>(state->hash.data() - state_memory);
	usize hash_in_opened = static_cast<usize>(opened->hash.data() - opened_memory);

	memset(state->hash.data(), 0xee, HASH_SIZE);
	memset(opened->hash.data(), 0xee, HASH_SIZE);
	state->~InitiatorState();
	opened->~OpenedInitiation();
	for (usize i = 0; i < HASH_SIZE; i++) {
		EXPECT_EQ(static_cast<volatile u8 *>(state_memory)[hash_in_state + i], 0);
		EXPECT_EQ(static_cast<volatile u8 *>(opened_memory)[hash_in_opened + i], 0);
	}
}

TEST(Handshake, both_sides_need_the_same_preshared_key)
{
	for (bool initiator_has_one : {false, true}) {
		Pair pair(8);
		ByteVector zero(32), other(32, 7);

		pair.initiators_peer.set_preshared_key((initiator_has_one ? other : zero).data());
		pair.up_to_response();
		EXPECT_EQ(pair.consume().error(), Drop::BadHandshake);
		pair.initiators_peer.set_preshared_key(pair.preshared_key.data());
		EXPECT_TRUE(pair.consume());
	}
}

TEST(Handshake, a_response_to_another_initiation_is_refused)
{
	Pair pair(9);

	pair.up_to_response();
	pair.initiator_ephemeral = pair.random.bytes(32);
	ASSERT_TRUE(pair.initiate());
	EXPECT_FALSE(pair.consume());
}

TEST(Handshake, an_initiation_to_another_responder_is_refused)
{
	Pair pair(10), other(11);

	ASSERT_TRUE(pair.initiate());
	other.initiation = pair.initiation;
	EXPECT_EQ(other.open().error(), Drop::BadHandshake);
}

/* An attacker who knows the responder's public key can make encrypted_static for anyone; only static-static stops it. */
TEST(Handshake, a_claimed_static_key_without_its_secret_does_not_authenticate)
{
	Pair pair(12), attacker(13);

	attacker.initiators_peer.set_public_key(primitives(), pair.responder.static_public());
	attacker.initiators_peer.precompute(primitives(), attacker.initiator);
	ASSERT_TRUE(attacker.initiate());
	pair.initiation = attacker.initiation;
	ASSERT_TRUE(pair.open());
	EXPECT_TRUE(pair.opened.remote_static == attacker.initiator.static_public());
	/* As if the table had given another peer for it. */
	EXPECT_EQ(pair.authenticate().error(), Drop::BadHandshake);
}

TEST(Handshake, nothing_happens_without_an_identity)
{
	Pair pair(14);
	ByteVector zero(32);

	pair.up_to_response();
	pair.initiator.set_private_key(primitives(), zero.data());
	pair.responder.set_private_key(primitives(), zero.data());
	EXPECT_EQ(pair.open().error(), Drop::NoIdentity);
	EXPECT_EQ(pair.consume().error(), Drop::BadHandshake);
	EXPECT_EQ(pair.initiate().error(), Drop::NoIdentity);
	EXPECT_TRUE(is_zero(pair.initiation));
	EXPECT_TRUE(pair.state.chaining_key.is_zero_constant_time());
}

TEST(Handshake, nothing_happens_without_a_static_static_secret)
{
	Pair pair(15);

	ASSERT_TRUE(pair.initiate());
	ASSERT_TRUE(pair.open());
	pair.responders_peer.set_public_key(primitives(), pair.initiator.static_public());
	EXPECT_EQ(pair.authenticate().error(), Drop::BadHandshake);
	pair.initiators_peer.set_public_key(primitives(), pair.responder.static_public());
	EXPECT_EQ(pair.initiate().error(), Drop::BadHandshake);
	EXPECT_TRUE(is_zero(pair.initiation));
	EXPECT_TRUE(pair.state.ephemeral_private.is_zero_constant_time());
}

TEST(Handshake, low_order_peers_get_no_initiation)
{
	for (const ByteVector &point : test::low_order_points()) {
		Pair pair(16);
		PublicKey key;

		copy_bytes(key.data(), point.data(), KEY_SIZE);
		pair.initiators_peer.set_public_key(primitives(), key);
		pair.initiators_peer.precompute(primitives(), pair.initiator);
		EXPECT_EQ(pair.initiate().error(), Drop::BadHandshake);
		EXPECT_TRUE(is_zero(pair.initiation));
		EXPECT_TRUE(pair.state.ephemeral_private.is_zero_constant_time());
	}
}

/* Even a peer whose static-static secret is good must not be reached with an es of zero; x25519 fails for that one DH alone. */
TEST(Handshake, each_zero_dh_ends_the_handshake)
{
	static int calls_left;
	crypto::Primitives failing = primitives();

	failing.x25519 = [](u8 *shared, const u8 *secret, const u8 *public_key) {
		return calls_left-- > 0 && primitives().x25519(shared, secret, public_key);
	};

	Pair pair(17);
	Secret<KEY_SIZE> ephemeral;
	Tai64n time{};

	pair.up_to_response();
	ephemeral.copy_from(pair.initiator_ephemeral.data());
	for (int good = 0; good < 2; good++) {
		calls_left = good;
		auto outcome = consume_response(failing, pair.initiator, pair.initiators_peer, pair.state, pair.response, pair.initiator_keys);
		ASSERT_FALSE(outcome);		/* ee, then se */
		EXPECT_EQ(outcome.error(), Drop::BadHandshake);

		ASSERT_TRUE(pair.open());
		ASSERT_TRUE(pair.authenticate());
		calls_left = good;
		memset(&pair.response, 0xff, sizeof(pair.response));
		outcome = create_response(failing, pair.responders_peer, pair.opened, ephemeral, SessionIndex(1), pair.response, pair.responder_keys);
		ASSERT_FALSE(outcome);
		EXPECT_TRUE(is_zero(pair.response));
		EXPECT_TRUE(pair.opened.chaining_key.is_zero_constant_time());
		ASSERT_TRUE(pair.open());
		ASSERT_TRUE(pair.authenticate());
		ASSERT_TRUE(pair.respond());
	}
	calls_left = 0;
	EXPECT_FALSE(create_initiation(failing, pair.initiator, pair.initiators_peer, ephemeral, time, SessionIndex(1), pair.state, pair.initiation));
	EXPECT_TRUE(is_zero(pair.initiation));
	EXPECT_TRUE(pair.state.ephemeral_private.is_zero_constant_time());
}

TEST(Handshake, low_order_ephemerals_are_refused_in_both_directions)
{
	for (const ByteVector &point : test::low_order_points()) {
		Pair pair(18);

		pair.up_to_response();
		copy_bytes(pair.response.ephemeral.data(), point.data(), KEY_SIZE);
		EXPECT_EQ(pair.consume().error(), Drop::BadHandshake);
		copy_bytes(pair.initiation.ephemeral.data(), point.data(), KEY_SIZE);
		EXPECT_EQ(pair.open().error(), Drop::BadHandshake);
	}
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(WG_KUNIT)	/* they have stacks of their own */
/* Primitives that give out known bytes for secrets and put nothing on the stack themselves. */
struct Marked {
	using Marker = std::array<u8, 32>;
	static Marker markers[128];
	static usize used;

	static const Marker &next() { return markers[used++]; }
	static crypto::Primitives table()
	{
		test::Random random(60);
		crypto::Primitives table = primitives();

		used = 0;
		for (Marker &marker : markers)
			random.fill(marker.data(), marker.size());
		table.blake2s = [](u8 *out, usize size, const u8 *, usize, const u8 *, usize, const u8 *, usize) {
			copy_bytes(out, next().data(), size);
		};
		table.x25519 = [](u8 *out, const u8 *, const u8 *) {
			copy_bytes(out, next().data(), 32);
			return true;
		};
		table.x25519_public = [](u8 *out, const u8 *) {
			zero_bytes(out, 32);
			return true;
		};
		table.aead_seal = [](u8 *, const u8 *, usize, const u8 *, usize, u64, const u8 *) {};
		table.aead_open = [](u8 *, const u8 *, usize, const u8 *, usize, u64, const u8 *) { return true; };
		return table;
	}
};
Marked::Marker Marked::markers[128];
usize Marked::used;

std::function<void()> on_other_stack;

/* Runs @work on a stack of its own and gives back what is on it afterwards. */
ByteVector stack_after(std::function<void()> work)
{
	ByteVector stack(64 * 1024, 0x5a);
	ucontext_t caller, callee;

	on_other_stack = std::move(work);
	getcontext(&callee);
	callee.uc_stack.ss_sp = stack.data();
	callee.uc_stack.ss_size = stack.size();
	callee.uc_link = &caller;
	makecontext(&callee, [] { on_other_stack(); }, 0);
	swapcontext(&caller, &callee);
	return stack;
}

/* Does @stack hold half of @secret, anywhere, plain or as a block of HMAC? */
bool holds(const ByteVector &stack, const u8 *secret)
{
	for (u8 mask : {0x00, 0x36, 0x5c}) {
		for (usize half : {usize{0}, usize{16}}) {
			u8 wanted[16];

			for (usize i = 0; i < 16; i++)
				wanted[i] = secret[half + i] ^ mask;
			if (memmem(stack.data(), stack.size(), wanted, 16))
				return true;
		}
	}
	return false;
}

TEST(Handshake, no_secret_stays_on_the_stack)
{
	Pair pair(30);
	crypto::Primitives table = Marked::table();
	Secret<KEY_SIZE> ephemeral;
	Tai64n time{};
	auto check = [&](const char *step, std::function<void()> work) {
		usize first = Marked::used;
		ByteVector stack = stack_after(std::move(work));

		ASSERT_GT(Marked::used, first);
		for (usize i = first; i < Marked::used; i++)
			EXPECT_FALSE(holds(stack, Marked::markers[i].data())) << step << ": result " << i - first;
		for (const ByteVector &secret : {pair.initiator_private, pair.responder_private, pair.preshared_key, pair.initiator_ephemeral,
						 clamped(pair.initiator_ephemeral), vector_of(pair.initiators_peer.static_static())})
			EXPECT_FALSE(holds(stack, secret.data())) << step << ": a key";
	};
	bool good[5] = {};

	ephemeral.copy_from(pair.initiator_ephemeral.data());
	check("create_initiation", [&] {
		good[0] = static_cast<bool>(create_initiation(table, pair.initiator, pair.initiators_peer, ephemeral, time, SessionIndex(1), pair.state,
							      pair.initiation));
	});
	check("open_initiation", [&] { good[1] = static_cast<bool>(open_initiation(table, pair.responder, pair.initiation, pair.opened)); });
	check("authenticate_initiation",
	      [&] { good[2] = static_cast<bool>(authenticate_initiation(table, pair.responders_peer, pair.initiation, pair.opened)); });
	check("create_response", [&] {
		good[3] = static_cast<bool>(
			create_response(table, pair.responders_peer, pair.opened, ephemeral, SessionIndex(2), pair.response, pair.responder_keys));
	});
	check("consume_response", [&] {
		good[4] = static_cast<bool>(
			consume_response(table, pair.initiator, pair.initiators_peer, pair.state, pair.response, pair.initiator_keys));
	});
	for (bool each : good)
		EXPECT_TRUE(each);
}
#endif

TEST(Tai64n, is_the_label_of_the_second_and_whitened)
{
	EXPECT_EQ(vector_of(tai64n(0, 0).label), test::from_hex("400000000000000a 00000000"));
	EXPECT_EQ(vector_of(tai64n(1234567890, 999999999).label), test::from_hex("40000000499602dc 3b000000"));
	EXPECT_EQ(vector_of(tai64n(1, (1u << 24) - 1).label), test::from_hex("400000000000000b 00000000"));
	EXPECT_EQ(vector_of(tai64n(1, 1u << 24).label), test::from_hex("400000000000000b 01000000"));
}

TEST(InitiationHistory, accepts_the_first_initiation_at_any_time)
{
	for (s64 now : {s64{1}, s64{1000}, s64{19999999}, s64{1} << 50}) {
		InitiationHistory history;

		EXPECT_TRUE(history.accept(tai64n(1, 0), {now}));
	}
}

TEST(InitiationHistory, replayed_and_older_timestamps_are_dropped)
{
	InitiationHistory history;
	Instant now = {seconds(100).ns};

	EXPECT_TRUE(history.accept(tai64n(1000, 1 << 24), now));
	for (Tai64n old : {tai64n(1000, 1 << 24), tai64n(1000, 0), tai64n(999, 999999999), tai64n(0, 0)})
		EXPECT_EQ(history.accept(old, now + seconds(60)).error(), Drop::OldTimestamp);
	EXPECT_TRUE(history.accept(tai64n(1000, 2 << 24), now + seconds(60)));
}

/* Bytes above 0x7f, and each position in turn: a signed or little-endian comparison fails here. */
TEST(InitiationHistory, compares_timestamps_as_big_endian_numbers)
{
	Instant now = {seconds(1).ns};

	for (usize at = 0; at < 12; at++) {
		InitiationHistory history;
		Tai64n smaller{}, greater{};

		memset(smaller.label.at + at + 1, 0xff, 11 - at);
		smaller.label.at[at] = 0x7f;
		greater.label.at[at] = 0x80;
		EXPECT_TRUE(history.accept(smaller, now));
		EXPECT_TRUE(history.accept(greater, now + seconds(1)));
		EXPECT_FALSE(history.accept(smaller, now + seconds(2)));
	}
}

TEST(InitiationHistory, accepts_fifty_a_second_and_no_more)
{
	InitiationHistory history;
	Instant now = {seconds(7).ns};

	EXPECT_TRUE(history.accept(tai64n(10, 0), now));
	EXPECT_EQ(history.accept(tai64n(11, 0), now + milliseconds(20) - Duration{1}).error(), Drop::InitiationFlood);
	EXPECT_TRUE(history.accept(tai64n(11, 0), now + milliseconds(20)));

	int accepted = 0;

	for (s64 ms = 21; ms <= 1020; ms++)
		accepted += static_cast<bool>(history.accept(tai64n(12 + static_cast<u64>(ms), 0), now + milliseconds(ms)));
	EXPECT_EQ(accepted, 50);
}

/* Else a flooder could burn the timestamps of the peer's own next initiations. */
TEST(InitiationHistory, a_refused_initiation_is_not_recorded)
{
	InitiationHistory history;
	Instant now = {seconds(7).ns};

	EXPECT_TRUE(history.accept(tai64n(10, 0), now));
	EXPECT_FALSE(history.accept(tai64n(99, 0), now + milliseconds(1)));
	EXPECT_TRUE(history.accept(tai64n(11, 0), now + milliseconds(20)));
}

} // namespace
} // namespace wg
