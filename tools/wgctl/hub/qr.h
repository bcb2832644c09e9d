// SPDX-License-Identifier: GPL-2.0
/* Text as a QR code for terminals: two modules to a character, black on white whatever the theme. */
#pragma once

#include <string_view>

#include "model/secret.h"

namespace wgctl {

/* Throws Failure when the text is too long for a code. */
Text qr_code(std::string_view text);

}
