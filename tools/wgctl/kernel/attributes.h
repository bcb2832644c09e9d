// SPDX-License-Identifier: GPL-2.0
/* Values in messages of the kernel's WireGuard family. Whatever has not its size is none. */
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>

#include "kernel/netlink.h"

namespace wgctl {

inline std::optional<Key> key_in(const nlattr *attribute)
{
	Key key;

	if (mnl_attr_get_payload_len(attribute) != key.bytes.size())
		return {};
	std::memcpy(key.bytes.data(), mnl_attr_get_payload(attribute), key.bytes.size());
	return key;
}

inline std::optional<Endpoint> endpoint_in(const nlattr *attribute)
{
	Endpoint value;
	std::size_t size = mnl_attr_get_payload_len(attribute);

	if (size != sizeof(value.v4) && size != sizeof(value.v6))
		return {};
	std::memcpy(static_cast<void *>(&value.v6), mnl_attr_get_payload(attribute), size);
	if (value.any.sa_family != (size == sizeof(value.v4) ? AF_INET : AF_INET6))
		return {};
	return value;
}

/* Empty when it is none. */
inline std::string text_in(const nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attribute) : "";
}

}
