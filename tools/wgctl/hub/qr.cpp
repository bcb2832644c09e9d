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

/* With its quiet zone. */
class Modules {
public:
	explicit Modules(std::string_view text) : code_(QRcode_encodeString8bit(Text(text).c_str(), 0, QR_ECLEVEL_L))
	{
		if (!code_ && errno == ERANGE)
			throw Failure{"the file is too long for a QR code: give it with --out FILE, or fewer --allowed-ips"};
		if (!code_)
			throw Failure{std::string("cannot make a QR code: ") + std::strerror(errno)};
	}

	int width() const { return code_->width + 2 * QUIET_ZONE; }
	bool is_dark(int row, int column) const
	{
		row -= QUIET_ZONE;
		column -= QUIET_ZONE;
		return row >= 0 && row < code_->width && column >= 0 && column < code_->width && (code_->data[row * code_->width + column] & 1);
	}

private:
	std::unique_ptr<QRcode, WipeAndFree> code_;
};

/* ---- PNG, by RFC 2083; its data uncompressed, by RFC 1950 and 1951 ---- */

/* Pixels of a module, each way: a module of a row is one byte of eight pixels. */
constexpr int SCALE = 8;
constexpr std::size_t LARGEST_BLOCK = 65535;

Text big_endian(std::uint32_t number)
{
	Text text;

	for (int shift = 24; shift >= 0; shift -= 8)
		text += static_cast<char>(number >> shift);
	return text;
}

std::uint32_t crc_of(std::string_view data)
{
	std::uint32_t crc = ~0u;

	for (unsigned char byte : data) {
		crc ^= byte;
		for (int bit = 0; bit < 8; ++bit)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

Text chunk(std::string_view type, std::string_view data)
{
	Text content = Text(type).append(data);

	return big_endian(static_cast<std::uint32_t>(data.size())).append(content).append(big_endian(crc_of(content)));
}

Text uncompressed(std::string_view data)
{
	/* No dictionary; the check bits make the first two bytes a multiple of 31. */
	Text stream("\x78\x01");
	std::uint32_t a = 1, b = 0;

	for (unsigned char byte : data) {
		a = (a + byte) % 65521;
		b = (b + a) % 65521;
	}
	do {
		std::string_view block = data.substr(0, LARGEST_BLOCK);
		data.remove_prefix(block.size());
		stream += data.empty() ? '\1' : '\0';
		for (std::size_t size : {block.size(), ~block.size()}) {
			stream += static_cast<char>(size);
			stream += static_cast<char>(size >> 8);
		}
		stream.append(block);
	} while (!data.empty());
	return stream.append(big_endian(b << 16 | a));
}

Text png_of(const Modules &modules)
{
	Text size = big_endian(static_cast<std::uint32_t>(modules.width() * SCALE)), pixels;

	for (int row = 0; row < modules.width() * SCALE; ++row) {
		/* This row is not filtered. */
		pixels += '\0';
		for (int column = 0; column < modules.width(); ++column)
			pixels += modules.is_dark(row / SCALE, column) ? '\0' : '\xff';
	}
	/* One bit of grey to a pixel. */
	Text header = Text(size).append(size).append("\1\0\0\0\0", 5);
	return Text("\x89PNG\r\n\x1a\n").append(chunk("IHDR", header)).append(chunk("IDAT", uncompressed(pixels))).append(chunk("IEND", ""));
}

/* ---- SVG ---- */

Text svg_of(const Modules &modules)
{
	std::string width = std::to_string(modules.width()), pixels = std::to_string(modules.width() * SCALE);
	Text text = Text("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"").append(pixels).append("\" height=\"").append(pixels);

	text.append("\" viewBox=\"0 0 ").append(width).append(" ").append(width).append("\" shape-rendering=\"crispEdges\">\n");
	text.append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<path stroke=\"#000\" d=\"");
	for (int row = 0; row < modules.width(); ++row)
		for (int column = 0; column < modules.width(); ++column)
			if (modules.is_dark(row, column))
				text.append("M" + std::to_string(column) + " " + std::to_string(row) + ".5h1");
	return text.append("\"/>\n</svg>\n");
}

}

Text qr_code(std::string_view text)
{
	Modules modules(text);
	Text result;

	for (int row = 0; row < modules.width(); row += 2) {
		result += "\x1b[30;107m";
		for (int column = 0; column < modules.width(); ++column) {
			bool above = modules.is_dark(row, column), below = modules.is_dark(row + 1, column);
			result += above && below ? "█" : above ? "▀" : below ? "▄" : " ";
		}
		result += "\x1b[0m\n";
	}
	return result;
}

bool is_image_name(std::string_view path)
{
	return path.ends_with(".png") || path.ends_with(".svg");
}

Text qr_image(std::string_view text, std::string_view path)
{
	Modules modules(text);

	return path.ends_with(".png") ? png_of(modules) : svg_of(modules);
}

}
