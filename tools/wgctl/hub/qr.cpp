// SPDX-License-Identifier: GPL-2.0
#include "hub/qr.h"

#include <qrencode.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "model/outside.h"

namespace wgctl {

namespace {

/* Modules of white around the code, by its standard. */
constexpr int QUIET_ZONE = 4;

/* The code is as secret as its text. */
struct WipeAndFree {
	void operator()(QRcode *code) const
	{
		sodium_memzero(code->data, static_cast<std::size_t>(code->width) * static_cast<std::size_t>(code->width));
		QRcode_free(code);
	}
};

}

Text qr_code(std::string_view text)
{
	std::unique_ptr<QRcode, WipeAndFree> code(QRcode_encodeString8bit(Text(text).c_str(), 0, QR_ECLEVEL_L));

	if (!code && errno == ERANGE)
		throw Failure{"the file is too long for a QR code: give it with --out FILE, or fewer --allowed-ips"};
	if (!code)
		throw Failure{std::string("cannot make a QR code: ") + std::strerror(errno)};
	int width = code->width;
	auto is_dark = [&](int row, int column) {
		return row >= 0 && row < width && column >= 0 && column < width && (code->data[row * width + column] & 1);
	};
	Text result;
	for (int row = -QUIET_ZONE; row < width + QUIET_ZONE; row += 2) {
		result += "\x1b[30;107m";
		for (int column = -QUIET_ZONE; column < width + QUIET_ZONE; ++column) {
			bool above = is_dark(row, column), below = is_dark(row + 1, column);
			result += above && below ? "█" : above ? "▀" : below ? "▄" : " ";
		}
		result += "\x1b[0m\n";
	}
	return result;
}

}
