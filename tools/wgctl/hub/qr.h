// SPDX-License-Identifier: GPL-2.0
/* Text as a QR code: for terminals, and as an image. Each throws Failure when the text is too long for one. */
#pragma once

#include <string_view>

#include "model/secret.h"

namespace wgctl {

/* Two modules to a character, black on white whatever the theme. */
Text qr_code(std::string_view text);

/* By the ending of the file's name, .png or .svg. */
bool is_image_name(std::string_view path);
Text qr_image(std::string_view text, std::string_view path);

}
