// SPDX-License-Identifier: GPL-2.0
/* What the host's unit tests take from outside themselves, as the kernel has it: where failures go, primitives, the
 * reference's library, and the few functions of libstdc++ that its headers only declare.
 */
#include <list>
#include <set>

#include <gtest/gtest.h>

#include "engine/module.h"
#include "noise_reference.h"
#include "primitives.h"
#include "rt/memory.h"

extern "C" {
void wg_kunit_fail(void *test, const char *file, int line, const char *what, const char *more);
void *wg_kunit_allocate(size_t size);
void wg_kunit_free(void *at);
[[noreturn]] void wg_kunit_end(const char *why);
void wg_kunit_alone(bool alone);
}

namespace wg::kunit {
namespace {

void *running;
bool failed;

} // namespace

Running::Running(void *test)
{
	running = test;
	failed = false;
	wg_kunit_alone(true);
}

Running::~Running()
{
	running = nullptr;
	wg_kunit_alone(false);
}
bool has_failed() { return failed; }

Failure::~Failure()
{
	failed = true;
	wg_kunit_fail(running, file_, line_, what_, more_.c_str());
}

Failure &Failure::more(const char *text)
{
	more_ += ' ';
	more_ += text;
	return *this;
}

void Failure::number(long long value)
{
	char digits[24], *at = digits + sizeof(digits);
	unsigned long long rest = value < 0 ? -static_cast<unsigned long long>(value) : static_cast<unsigned long long>(value);

	*--at = 0;
	do {
		*--at = static_cast<char>('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--at = '-';
	more(at);
}

} // namespace wg::kunit

namespace wg::test {

const crypto::Primitives &primitives() { return engine::primitives(); }

/* Over the kernel's library, which primitives_test holds to the published vectors; HMAC as RFC 2104 §2 writes it. */
namespace reference {

Octets hash(const Octets &input)
{
	Octets out(32);

	primitives().blake2s(out.data(), 32, nullptr, 0, input.data(), input.size(), nullptr, 0);
	return out;
}

Octets mac(const Octets &key, const Octets &input)
{
	Octets out(16);

	primitives().blake2s(out.data(), 16, key.data(), key.size(), input.data(), input.size(), nullptr, 0);
	return out;
}

Octets hmac(const Octets &key, const Octets &input)
{
	Octets inner(64, 0x36), outer(64, 0x5c), block = key.size() > 64 ? hash(key) : key;

	for (size_t i = 0; i < block.size(); i++) {
		inner[i] ^= block[i];
		outer[i] ^= block[i];
	}
	inner.insert(inner.end(), input.begin(), input.end());
	inner = hash(inner);
	outer.insert(outer.end(), inner.begin(), inner.end());
	return hash(outer);
}

Octets dh(const Octets &secret, const Octets &public_key)
{
	Octets out(32);

	if (!primitives().x25519(out.data(), secret.data(), public_key.data()))
		ADD_FAILURE() << "X25519";
	return out;
}

Octets aead(const Octets &key, const Octets &plain, const Octets &aad)
{
	Octets out(plain.size() + 16);

	primitives().aead_seal(out.data(), plain.data(), plain.size(), aad.data(), aad.size(), 0, key.data());
	return out;
}

} // namespace reference
} // namespace wg::test

/* ---- libstdc++ ---- */
void *operator new(size_t size) { return wg_kunit_allocate(size); }
void operator delete(void *at) noexcept { wg_kunit_free(at); }
void operator delete(void *at, size_t) noexcept { wg_kunit_free(at); }

namespace std {

void __throw_length_error(const char *what) { wg_kunit_end(what); }
void __throw_logic_error(const char *what) { wg_kunit_end(what); }
void __throw_out_of_range_fmt(const char *what, ...) { wg_kunit_end(what); }
void __throw_bad_function_call() { wg_kunit_end("an empty std::function was called"); }
void __throw_bad_alloc() { wg_kunit_end("no memory"); }
void __throw_bad_array_new_length() { wg_kunit_end("an array too long"); }

namespace __detail {

void _List_node_base::_M_hook(_List_node_base *position) noexcept
{
	_M_next = position;
	_M_prev = position->_M_prev;
	position->_M_prev->_M_next = this;
	position->_M_prev = this;
}

void _List_node_base::_M_unhook() noexcept
{
	_M_prev->_M_next = _M_next;
	_M_next->_M_prev = _M_prev;
}

void _List_node_base::_M_transfer(_List_node_base *first, _List_node_base *end) noexcept
{
	_List_node_base *last = end->_M_prev;

	first->_M_prev->_M_next = end;
	end->_M_prev = first->_M_prev;
	first->_M_prev = _M_prev;
	_M_prev->_M_next = first;
	last->_M_next = this;
	_M_prev = last;
}

} // namespace __detail

/* Search trees with a priority a node, a hash of its address, that is never above its parent's when it comes in (treaps): so none gets deep.
 * The header's three links: its parent is the root, its left and right are the first and the last node. */
namespace {

using Node = _Rb_tree_node_base;

Node *following(Node *node)
{
	if (node->_M_right) {
		for (node = node->_M_right; node->_M_left;)
			node = node->_M_left;
		return node;
	}
	Node *above = node->_M_parent;
	while (node == above->_M_right) {
		node = above;
		above = above->_M_parent;
	}
	return node->_M_right == above ? node : above;	/* the header, when @node was the root without a right side */
}

Node *preceding(Node *node)
{
	if (node->_M_color == _S_red && node->_M_parent->_M_parent == node)	/* the header alone is red here */
		return node->_M_right;
	if (node->_M_left) {
		for (node = node->_M_left; node->_M_right;)
			node = node->_M_right;
		return node;
	}
	Node *above = node->_M_parent;
	while (node == above->_M_left) {
		node = above;
		above = above->_M_parent;
	}
	return above;
}

/* Puts @with, or nothing, where @node hangs. */
void replace(Node *node, Node *with, Node &header)
{
	if (header._M_parent == node)
		header._M_parent = with;
	else if (node->_M_parent->_M_left == node)
		node->_M_parent->_M_left = with;
	else
		node->_M_parent->_M_right = with;
	if (with)
		with->_M_parent = node->_M_parent;
}

unsigned long priority(const Node *node) { return reinterpret_cast<uintptr_t>(node) * 0x9e3779b97f4a7c15 >> 20; }

/* Puts @node where its parent hangs, and the parent below it. */
void rise(Node *node, Node &header)
{
	Node *parent = node->_M_parent;
	bool left = parent->_M_left == node;
	Node *&inner = left ? node->_M_right : node->_M_left;

	(left ? parent->_M_left : parent->_M_right) = inner;
	if (inner)
		inner->_M_parent = parent;
	replace(parent, node, header);
	inner = parent;
	parent->_M_parent = node;
}

} // namespace

Node *_Rb_tree_increment(Node *node) noexcept { return following(node); }
const Node *_Rb_tree_increment(const Node *node) noexcept { return following(const_cast<Node *>(node)); }
Node *_Rb_tree_decrement(Node *node) noexcept { return preceding(node); }
const Node *_Rb_tree_decrement(const Node *node) noexcept { return preceding(const_cast<Node *>(node)); }

void _Rb_tree_insert_and_rebalance(const bool left, Node *node, Node *parent, Node &header) noexcept
{
	node->_M_parent = parent;
	node->_M_left = node->_M_right = nullptr;
	node->_M_color = _S_black;
	if (parent == &header) {
		header._M_parent = header._M_left = header._M_right = node;
	} else if (left) {
		parent->_M_left = node;
		if (parent == header._M_left)
			header._M_left = node;
	} else {
		parent->_M_right = node;
		if (parent == header._M_right)
			header._M_right = node;
	}
	while (node != header._M_parent && priority(node) > priority(node->_M_parent))
		rise(node, header);
}

Node *_Rb_tree_rebalance_for_erase(Node *const node, Node &header) noexcept
{
	if (header._M_left == node)
		header._M_left = following(node);
	if (header._M_right == node)
		header._M_right = preceding(node);
	if (!node->_M_left || !node->_M_right) {
		replace(node, node->_M_left ? node->_M_left : node->_M_right, header);
		return node;
	}
	Node *heir = following(node);
	if (heir->_M_parent != node) {
		replace(heir, heir->_M_right, header);
		heir->_M_right = node->_M_right;
		heir->_M_right->_M_parent = heir;
	}
	replace(node, heir, header);
	heir->_M_left = node->_M_left;
	heir->_M_left->_M_parent = heir;
	return node;
}

} // namespace std
