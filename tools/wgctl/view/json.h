// SPDX-License-Identifier: GPL-2.0
/* JSON documents whose memory is wiped like all that may hold a key. The schema: doc/json.md.
 *
 * Including this costs seconds of compile time; only files that build documents do.
 */
#pragma once

#include <nlohmann/json.hpp>

#include "config/peer_names.h"
#include "model/device.h"

namespace wgctl {

/* Keys stay in the order they were added. */
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, Text, bool, std::int64_t, std::uint64_t, double, WipingAllocator>;

/* That of the whole schema: goes up when a reader that follows doc/json.md would fail. */
constexpr int JSON_VERSION = 1;

enum class Secrets { hidden, shown };
Json json_of(const Device &device, const PeerNames &names, Secrets secrets);

/* Indented, or all in one line; with a newline behind. */
Text to_text(const Json &document);
Text to_line(const Json &document);
Json text_or_null(const std::string &text);
Json key_or_null(const std::optional<Key> &key);

/* Absent values are null. */
template<class T>
Json json_or_null(const std::optional<T> &value)
{
	return value ? Json(*value) : Json();
}

}
