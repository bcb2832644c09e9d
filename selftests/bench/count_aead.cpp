// SPDX-License-Identifier: GPL-2.0
/* Seals or opens batches on arm64, for count-aead, which counts what is executed.
 *
 * usage: count_aead neon|portable|kernel seal|open MESSAGES BYTES BATCHES
 */
#include "crypto/aead.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

extern "C" {
void wg_kernel_bug(const char *what)
{
	std::fprintf(stderr, "bug hook: %s\n", what);
	std::abort();
}
void kernel_aead_use(bool);
void chacha20poly1305_encrypt(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *data, size_t data_size, uint64_t nonce,
			      const uint8_t *key);
bool chacha20poly1305_decrypt(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *data, size_t data_size, uint64_t nonce,
			      const uint8_t *key);
}

using namespace wg;
using namespace wg::crypto;

int main(int argc, char **argv)
{
	static Workspace workspace;

	if (argc != 6)
		return 2;
	const std::string_view who = argv[1];
	const bool opening = std::string_view(argv[2]) == "open";
	const u32 count = static_cast<u32>(std::atoi(argv[3])), size = static_cast<u32>(std::atoi(argv[4])), row = size + TAG_SIZE;
	const Form form = who == "neon" ? Form::Neon : Form::Portable;
	std::vector<u8> plain(row * count, 7), sealed(row * count), opened(row * count);
	std::vector<Piece> pieces(count);
	std::vector<Message> messages(count);
	const Key key;
	bool right = true;

	auto prepare = [&](u8 *from, u8 *to) {
		for (u32 i = 0; i < count; i++) {
			pieces[i] = {from + i * row, to + i * row, size};
			messages[i] = {&pieces[i], 1, i, &sealed[i * row + size], false};
		}
		return Span<Message>(messages.data(), count);
	};
	kernel_aead_use(false);
	/* What one seals, the other opens: so they do the same work. */
	if (opening && who == "kernel")
		seal(Form::Portable, key, prepare(plain.data(), sealed.data()), workspace);
	else if (opening)
		for (u32 i = 0; i < count; i++)
			chacha20poly1305_encrypt(&sealed[i * row], &plain[i * row], size, nullptr, 0, i, key.expose());

	for (int batch = std::atoi(argv[5]); batch > 0; batch--) {
		if (who != "kernel") {
			Span<Message> all = prepare(opening ? sealed.data() : plain.data(), opening ? opened.data() : sealed.data());
			if (opening)
				open(form, key, all, workspace);
			else
				seal(form, key, all, workspace);
			for (u32 i = 0; i < count && opening; i++)
				right &= messages[i].authentic;
			continue;
		}
		for (u32 i = 0; i < count; i++) {
			if (opening)
				right &= chacha20poly1305_decrypt(&opened[i * row], &sealed[i * row], row, nullptr, 0, i, key.expose());
			else
				chacha20poly1305_encrypt(&sealed[i * row], &plain[i * row], size, nullptr, 0, i, key.expose());
		}
	}
	return right ? 0 : 1;
}
