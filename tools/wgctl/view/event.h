// SPDX-License-Identifier: GPL-2.0
/* Events of interfaces, for people and for programs. The schema: doc/json.md. */
#pragma once

#include "model/outside.h"
#include "view/json.h"

namespace wgctl {

/* As programs call it: "session-established". */
std::string_view name_of(DeviceEvent::Kind kind);
/* A line without the time, which ends with a newline. Safe to print. */
std::string text_of(const DeviceEvent &event, const PeerNames &names);
/* `time`: wall clock, seconds. */
Json json_of(const DeviceEvent &event, const PeerNames &names, std::int64_t time);

}
