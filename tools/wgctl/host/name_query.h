// SPDX-License-Identifier: GPL-2.0
/* The messages with which a name server of one's choice is asked, past the system's resolver. [RFC 1035, 3596] */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/device.h"

namespace wgctl {

/* For the addresses of `host` of one family (AF_INET, AF_INET6); empty when it is no name that can be asked for. */
std::string name_query(const std::string &host, std::uint16_t family);
/* The addresses, with `port`, in an answer to this very query; false when it is no answer to it. A server that knows none answers too. */
bool read_answer(std::string_view query, std::string_view answer, std::uint16_t port, std::vector<Endpoint> &found);

}
