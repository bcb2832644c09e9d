// SPDX-License-Identifier: GPL-2.0
#include "protocol/identity.h"

namespace wg {
namespace {

constexpr char LABEL_MAC1[] = "mac1----";
constexpr char LABEL_COOKIE[] = "cookie--";

/* A label is hashed without its terminating zero. */
template <usize N> ConstByteSpan label(const char (&text)[N])
{
	return {reinterpret_cast<const u8 *>(text), N - 1};
}

} // namespace

CookieKeys derive_cookie_keys(const Primitives &primitives, const PublicKey &public_key)
{
	CookieKeys keys;

	crypto::hash(primitives, keys.mac1_key, label(LABEL_MAC1), public_key.span());
	crypto::hash(primitives, keys.cookie_key, label(LABEL_COOKIE), public_key.span());
	return keys;
}

void clamp_private_key(Secret<KEY_SIZE> &key)
{
	u8 *bytes = key.expose();

	bytes[0] &= 248;
	bytes[31] = static_cast<u8>((bytes[31] & 127) | 64);
}

void LocalIdentity::set_private_key(const Primitives &primitives, const u8 *private_key)
{
	static_private_.copy_from(private_key);
	present_ = !static_private_.is_zero_constant_time();
	if (present_) {
		clamp_private_key(static_private_);
		present_ = primitives.x25519_public(static_public_.data(), static_private_.expose());
	}
	if (!present_) {
		static_private_.wipe();
		static_public_.clear();
		cookie_keys_ = {};
		return;
	}
	cookie_keys_ = derive_cookie_keys(primitives, static_public_);
}

void LocalIdentity::copy_from(const LocalIdentity &other)
{
	static_private_.copy_from(other.static_private_);
	static_public_ = other.static_public_;
	cookie_keys_ = other.cookie_keys_;
	present_ = other.present_;
}

void RemoteIdentity::set_public_key(const Primitives &primitives, const PublicKey &public_key)
{
	static_public_ = public_key;
	cookie_keys_ = derive_cookie_keys(primitives, public_key);
	forget_static_static();		/* it belonged to the old key */
}

bool RemoteIdentity::precompute(const Primitives &primitives, const LocalIdentity &local)
{
	if (!local.is_present())
		forget_static_static();
	if (static_static_with_ == local.static_public())
		return false;
	static_static_with_ = local.static_public();
	has_static_static_ = primitives.x25519(static_static_.expose(), local.static_private().expose(), static_public_.data());
	if (!has_static_static_)
		static_static_.wipe();
	return true;
}

void RemoteIdentity::keep_static_static(const RemoteIdentity &copy)
{
	static_static_.copy_from(copy.static_static_);
	static_static_with_ = copy.static_static_with_;
	has_static_static_ = copy.has_static_static_;
}

void RemoteIdentity::forget_static_static()
{
	static_static_.wipe();
	static_static_with_ = {};
	has_static_static_ = false;
}

void RemoteIdentity::copy_from(const RemoteIdentity &other)
{
	static_public_ = other.static_public_;
	cookie_keys_ = other.cookie_keys_;
	preshared_key_.copy_from(other.preshared_key_);
	keep_static_static(other);
}

} // namespace wg
