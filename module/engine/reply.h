// SPDX-License-Identifier: GPL-2.0
/* Writing a netlink message: what config_get and events have in common.
 *
 * Errors:  false: the message is full, and nothing of it was written
 */
#pragma once
#include "engine/attributes.h"
#include "kernel/services.h"
#include "rt/types.h"

namespace wg::engine {

inline bool put(wg_reply *reply, u16 type, const void *data, usize size)
{
	return wg_kernel_reply_put(reply, type, data, size);
}

template <typename T> bool put_value(wg_reply *reply, u16 type, T value)
{
	return put(reply, type, &value, sizeof(value));
}

inline bool put_text(wg_reply *reply, u16 type, const char *text)
{
	usize size = 1;

	while (text[size - 1])
		size++;
	return put(reply, type, text, size);
}

/* As a sockaddr; none is not written. read_endpoint() of config_set reads it. */
inline bool put_endpoint(wg_reply *reply, u16 type, const wg_endpoint &endpoint)
{
	bool v4 = endpoint.family == 4;
	u16 family = v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	u8 address[SOCKADDR_IN6_SIZE] = {};

	if (endpoint.family == 0)
		return true;
	copy_bytes(address, &family, sizeof(family));
	address[2] = static_cast<u8>(endpoint.port >> 8);
	address[3] = static_cast<u8>(endpoint.port);
	copy_bytes(address + (v4 ? 4 : 8), endpoint.address, v4 ? 4 : 16);
	if (!v4)
		copy_bytes(address + 24, &endpoint.scope, sizeof(endpoint.scope));
	return put(reply, type, address, v4 ? SOCKADDR_IN_SIZE : SOCKADDR_IN6_SIZE);
}

/* A nest of what @write writes; whole or not at all. */
template <typename Function> bool put_nest(wg_reply *reply, u16 type, Function write)
{
	void *nest = wg_kernel_reply_nest(reply, type);

	if (!nest)
		return false;
	if (!write()) {
		wg_kernel_reply_nest_cancel(reply, nest);
		return false;
	}
	wg_kernel_reply_nest_end(reply, nest);
	return true;
}

} // namespace wg::engine
