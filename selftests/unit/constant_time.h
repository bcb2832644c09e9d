// SPDX-License-Identifier: GPL-2.0
/* What must take the same time whatever keys and texts are: the AEAD's forms, the handshake's steps, hashes and cookies; each with what is secret in it.
 *
 * Used by:  constant_time_memcheck.cpp, where what is secret is undefined; constant_time_trace.cpp, where two runs must do the same instructions
 */
#pragma once
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "protocol/cookie.h"
#include "protocol/handshake.h"
#include "support.h"

namespace wg::test::constant_time {

struct Operation {
	std::string name;
	std::function<void(u64 seed)> prepare;		/* draws all that is secret from @seed, and all else always alike */
	std::function<std::vector<ByteSpan>()> secrets;
	std::function<void()> run;
};

inline void draw(u64 seed, ByteSpan bytes)
{
	Random(seed).fill(bytes.data(), bytes.size());
}

template <usize N> ByteSpan bytes_of(const Secret<N> &secret) { return {const_cast<u8 *>(secret.expose()), N}; }

/* ---- the AEAD ---- */
struct Shape {
	u32 count, size, cut;
};
const std::vector<Shape> MANY_SHAPES = {{1, 1, 1}, {1, 64, 64}, {1, 1420, 1420}, {2, 700, 33}, {5, 0, 1}, {13, 150, 150}, {20, 333, 100}};
const std::vector<Shape> FEW_SHAPES = {{1, 64, 64}, {2, 700, 33}, {5, 0, 1}, {13, 150, 150}};

struct Batch {
	Shape shape;
	std::vector<std::vector<u8>> texts, tags;
	std::vector<std::vector<crypto::Piece>> pieces;
	std::vector<crypto::Message> messages;
	crypto::Key key;
	crypto::Workspace workspace;

	explicit Batch(const Shape &shape)
		: shape(shape), texts(shape.count, std::vector<u8>(shape.size)), tags(shape.count, std::vector<u8>(crypto::TAG_SIZE)), pieces(shape.count)
	{
		for (u32 i = 0; i < shape.count; i++) {
			for (u32 at = 0; at < shape.size; at += shape.cut)
				pieces[i].push_back({&texts[i][at], &texts[i][at], shape.size - at < shape.cut ? shape.size - at : shape.cut});
			messages.push_back({pieces[i].data(), static_cast<u32>(pieces[i].size()), i, tags[i].data(), false});
		}
	}
	Span<crypto::Message> all() { return {messages.data(), messages.size()}; }
};

/* Seals and opens; with @forged, one of the messages does not open. */
inline void add_aead(std::vector<Operation> &operations, crypto::Form form, const char *name, const std::vector<Shape> &shapes)
{
	for (const Shape &shape : shapes)
		for (bool forged : {false, true}) {
			auto batch = std::make_shared<Batch>(shape);

			operations.push_back({std::string(name) + ", " + std::to_string(shape.count) + " x " + std::to_string(shape.size) + " B" + (forged ? ", one forged" : ""),
				[batch](u64 seed) {
					draw(seed, bytes_of(batch->key));
					for (std::vector<u8> &text : batch->texts)
						draw(++seed, {text.data(), text.size()});
				},
				[batch] {
					std::vector<ByteSpan> secrets = {bytes_of(batch->key)};

					for (std::vector<u8> &text : batch->texts)
						secrets.push_back({text.data(), text.size()});
					return secrets;
				},
				[batch, form, forged] {
					crypto::seal(form, batch->key, batch->all(), batch->workspace);
					if (forged)
						batch->tags[batch->shape.count / 2][7] ^= 1;
					crypto::open(form, batch->key, batch->all(), batch->workspace);
				}});
		}
}

/* ---- the handshake ---- */
struct Pair {
	LocalIdentity initiator, responder;
	RemoteIdentity initiators_peer, responders_peer;
	Secret<KEY_SIZE> initiators_ephemeral, responders_ephemeral, cookie_secret;
	InitiatorState state;
	OpenedInitiation opened;
	InitiationMessage initiation;
	ResponseMessage response;
	CookieReplyMessage reply;
	TransportKeys keys;
	CookieMaker maker;
	CookieChecker checker;
	CookieSource source{{127, 0, 0, 1, 7, 7}, 6};

	void prepare(const crypto::Primitives &primitives, u64 seed)
	{
		Secret<KEY_SIZE> key;

		draw(seed + 1, bytes_of(key));
		initiator.set_private_key(primitives, key.expose());
		draw(seed + 2, bytes_of(key));
		responder.set_private_key(primitives, key.expose());
		draw(seed + 3, bytes_of(key));
		initiators_peer.set_public_key(primitives, responder.static_public());
		responders_peer.set_public_key(primitives, initiator.static_public());
		initiators_peer.set_preshared_key(key.expose());
		responders_peer.set_preshared_key(key.expose());
		initiators_peer.precompute(primitives, initiator);
		responders_peer.precompute(primitives, responder);
		draw(seed + 4, bytes_of(initiators_ephemeral));
		draw(seed + 5, bytes_of(responders_ephemeral));
		draw(seed + 6, bytes_of(cookie_secret));
		checker.refresh(cookie_secret, Instant{1});
	}
	std::vector<ByteSpan> secrets()
	{
		return {bytes_of(initiator.static_private()), bytes_of(responder.static_private()), bytes_of(initiators_peer.static_static()),
			bytes_of(responders_peer.static_static()), bytes_of(initiators_peer.preshared_key()), bytes_of(responders_peer.preshared_key()),
			bytes_of(initiators_ephemeral), bytes_of(responders_ephemeral), bytes_of(state.ephemeral_private), bytes_of(state.chaining_key)};
	}
};

inline void add_handshake(std::vector<Operation> &operations, const crypto::Primitives &primitives)
{
	auto pair = std::make_shared<Pair>();
	auto initiate = [pair, &primitives] {
		(void)create_initiation(primitives, pair->initiator, pair->initiators_peer, pair->initiators_ephemeral, tai64n(7, 0), SessionIndex(1), pair->state,
					pair->initiation);
		pair->maker.add_macs(primitives, pair->initiators_peer.cookie_keys(), {reinterpret_cast<u8 *>(&pair->initiation), sizeof(pair->initiation)}, Instant{1});
	};
	auto respond = [pair, &primitives] {
		(void)open_initiation(primitives, pair->responder, pair->initiation, pair->opened);
		(void)authenticate_initiation(primitives, pair->responders_peer, pair->initiation, pair->opened);
		(void)create_response(primitives, pair->responders_peer, pair->opened, pair->responders_ephemeral, SessionIndex(2), pair->response, pair->keys);
	};
	auto consume = [pair, &primitives] {
		(void)consume_response(primitives, pair->initiator, pair->initiators_peer, pair->state, pair->response, pair->keys);
	};
	auto cookies = [pair, &primitives] {
		const ConstByteSpan message = {reinterpret_cast<const u8 *>(&pair->initiation), sizeof(pair->initiation)};

		(void)pair->checker.check(primitives, pair->responder.cookie_keys(), message, pair->source, Instant{2});
		pair->checker.create_reply(primitives, pair->responder.cookie_keys(), pair->initiation.macs.mac1, SessionIndex(1), pair->source, {}, pair->reply);
		(void)pair->maker.consume_reply(primitives, pair->initiators_peer.cookie_keys(), pair->reply, Instant{2});
	};
	auto hashes = [pair, &primitives] {
		Secret<32> a, b, c;

		crypto::kdf3(primitives, pair->initiators_ephemeral, pair->responders_ephemeral.expose_span(), a, b, c);
		crypto::kdf1(primitives, a, b.expose_span(), c);
	};
	auto add = [&](const char *name, std::function<void()> before, std::function<void()> run) {
		auto prepare = [pair, &primitives, before](u64 seed) {
			pair->prepare(primitives, seed);
			before();
		};
		auto secrets = [pair] { return pair->secrets(); };

		operations.push_back({name, prepare, secrets, run});
	};
	add("an initiation is made", [] {}, initiate);
	add("it is opened and answered", initiate, respond);
	add("the response is consumed", [=] { initiate(), respond(); }, consume);
	add("cookies are checked, made and taken", initiate, cookies);
	add("keys are derived", [] {}, hashes);
}

/* ---- reporting ---- */
inline int tests;
inline bool all_passed = true;

inline void report(bool passed, const std::string &what)
{
	std::printf("%sok %d - %s\n", passed ? "" : "not ", ++tests, what.c_str());
	std::fflush(stdout);
	all_passed &= passed;
}

inline int done()
{
	std::printf("1..%d\n", tests);
	return all_passed ? 0 : 1;
}

struct NamedForm {
	crypto::Form form;
	const char *name;
	bool is_there;
};

/* A test of each form and one of the rest: whether @holds(operation) for all of its operations. */
template <typename Holds>
int check_all(const char *claim, const std::vector<NamedForm> &forms, const std::vector<Shape> &shapes, const crypto::Primitives &primitives, Holds holds)
{
	auto check = [&](const char *name, const std::vector<Operation> &operations) {
		bool all_hold = true;

		for (const Operation &operation : operations)
			if (!holds(operation)) {
				std::printf("# not for: %s\n", operation.name.c_str());
				all_hold = false;
			}
		report(all_hold, std::string(claim) + ", " + name);
	};

	for (const NamedForm &form : forms) {
		std::vector<Operation> operations;

		if (!form.is_there) {
			std::printf("ok %d - %s, %s # SKIP this CPU lacks it\n", ++tests, claim, form.name);
			continue;
		}
		add_aead(operations, form.form, form.name, shapes);
		check(form.name, operations);
	}
	std::vector<Operation> operations;
	add_handshake(operations, primitives);
	check("handshake, hashes and cookies", operations);
	return done();
}

} // namespace wg::test::constant_time
