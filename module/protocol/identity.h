// SPDX-License-Identifier: GPL-2.0
/* Who we are and who a peer is: static keys and what is derived from them once. [WG §5.4]
 *
 * Called by:  engine/config when keys are set, engine/handshaker (precompute); read by handshake and cookie
 * Context:    process (X25519 runs here)
 * Serialised: by the caller; the handshake worker works on copies
 */
#pragma once
#include "crypto/hash.h"
#include "wire/messages.h"

namespace wg {

using crypto::Primitives;

/* What a holder of a static public key puts into mac1 and cookies. Public: derived from the public key alone. */
struct CookieKeys {
	Bytes<HASH_SIZE> mac1_key;	/* HASH(LABEL_MAC1 ‖ public) */
	Bytes<HASH_SIZE> cookie_key;	/* HASH(LABEL_COOKIE ‖ public) */
};

CookieKeys derive_cookie_keys(const Primitives &, const PublicKey &);

/* X25519's clamping, done on store, so that equal keys have equal bytes. RFC 7748 */
void clamp_private_key(Secret<KEY_SIZE> &);

class LocalIdentity {
public:
	/* Clamps and stores @private_key (32 bytes) and derives the rest; all zero, or a key without a public half, removes the identity. */
	void set_private_key(const Primitives &, const u8 *private_key);
	void copy_from(const LocalIdentity &);

	bool is_present() const { return present_; }
	const Secret<KEY_SIZE> &static_private() const { return static_private_; }
	const PublicKey &static_public() const { return static_public_; }
	const CookieKeys &cookie_keys() const { return cookie_keys_; }

private:
	Secret<KEY_SIZE> static_private_;
	PublicKey static_public_{};
	CookieKeys cookie_keys_{};
	bool present_ = false;
};

class RemoteIdentity {
public:
	/* Derives everything from the peer's public key except the static-static secret. */
	void set_public_key(const Primitives &, const PublicKey &);
	/* The static-static DH: made when there is none yet for this key of ours; true: it was. Without a local identity, or when the DH
	 * is zero (a low-order point), there is none, and every handshake with the peer fails. */
	bool precompute(const Primitives &, const LocalIdentity &);
	/* What precompute() made in @copy, a copy of this one. */
	void keep_static_static(const RemoteIdentity &copy);
	void forget_static_static();
	/* All zero means none. */
	void set_preshared_key(const u8 *preshared_key) { preshared_key_.copy_from(preshared_key); }
	void copy_from(const RemoteIdentity &);

	const PublicKey &static_public() const { return static_public_; }
	const CookieKeys &cookie_keys() const { return cookie_keys_; }
	const Secret<KEY_SIZE> &preshared_key() const { return preshared_key_; }
	bool has_static_static() const { return has_static_static_; }
	const Secret<KEY_SIZE> &static_static() const { return static_static_; }

private:
	PublicKey static_public_{};
	CookieKeys cookie_keys_{};
	Secret<KEY_SIZE> static_static_;
	PublicKey static_static_with_{};	/* our key it was made with; zero: not made yet */
	Secret<KEY_SIZE> preshared_key_;
	bool has_static_static_ = false;
};

} // namespace wg
