// SPDX-License-Identifier: GPL-2.0
/* The AEAD of a batch, natively: every form the CPU has beside OpenSSL, libsodium and the kernel's own code.
 *
 * All contenders do the same work on the same messages: one key, consecutive counters, from one buffer into another. A round gives
 * each contender one turn, so that a slow moment of the machine hits all; the table has medians over the rounds and half the
 * distance between the quartiles. OpenSSL chooses its own instruction set; a second process, told to leave AVX-512 alone
 * (OPENSSL_ia32cap), measures OpenSSL beside the AVX2 form. Before a size is timed, every contender must open what ours sealed.
 */
#include "crypto/aead.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

extern "C" {
void wg_kernel_bug(const char *what)
{
	std::fprintf(stderr, "bug hook: %s\n", what);
	std::abort();
}
void kernel_aead_use(bool avx512);
void chacha20poly1305_encrypt(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *data, size_t data_size, uint64_t nonce,
			      const uint8_t *key);
bool chacha20poly1305_decrypt(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *data, size_t data_size, uint64_t nonce,
			      const uint8_t *key);
}

namespace {

using namespace wg;
using namespace wg::crypto;

/* One batch: plain text, sealed text with its tag behind it, and where it is opened to. Rows start on cache lines. */
struct Work {
	Work(u32 size, u32 count)
		: size(size), count(count), row((size + TAG_SIZE + 63) / 64 * 64 + 64), plain(row * count), sealed(row * count), opened(row * count)
	{
		for (usize i = 0; i < plain.size(); i++)
			plain[i] = static_cast<u8>(i * 2654435761u >> 13);
		for (u32 i = 0; i < KEY_SIZE; i++)
			key.expose()[i] = static_cast<u8>(3 * i + 1);
	}
	u32 size, count;
	usize row;
	std::vector<u8> plain, sealed, opened;
	Key key;
	bool all_authentic = true;
};

struct Contender {
	std::string name;
	std::function<void(Work &)> seal, open;
};

template <bool OPEN> void run_ours(Form form, Work &work)
{
	static std::vector<Piece> pieces;
	static std::vector<Message> messages;
	static Workspace workspace;

	pieces.resize(work.count);
	messages.resize(work.count);
	for (u32 i = 0; i < work.count; i++) {
		u8 *sealed = &work.sealed[i * work.row];
		pieces[i] = OPEN ? Piece{sealed, &work.opened[i * work.row], work.size} : Piece{&work.plain[i * work.row], sealed, work.size};
		messages[i] = {&pieces[i], 1, i, sealed + work.size, false};
	}
	if constexpr (OPEN) {
		open(form, work.key, {messages.data(), messages.size()}, workspace);
		for (const Message &message : messages)
			work.all_authentic &= message.authentic;
	} else {
		seal(form, work.key, {messages.data(), messages.size()}, workspace);
	}
}

/* The cheapest way OpenSSL offers: one context, its key set once, a nonce a message. */
template <bool OPEN> void run_openssl(Work &work)
{
	static EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	static const EVP_CIPHER *cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
	int done, size = static_cast<int>(work.size);

	EVP_CipherInit_ex(context, cipher, nullptr, work.key.expose(), nullptr, OPEN ? 0 : 1);
	for (u64 i = 0; i < work.count; i++) {
		u8 nonce[12] = {}, *sealed = &work.sealed[i * work.row];

		std::memcpy(nonce + 4, &i, sizeof(i));
		EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce, -1);
		if constexpr (OPEN) {
			EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, sealed + work.size);
			EVP_DecryptUpdate(context, &work.opened[i * work.row], &done, sealed, size);
			work.all_authentic &= EVP_DecryptFinal_ex(context, &work.opened[i * work.row] + done, &done) == 1;
		} else {
			EVP_EncryptUpdate(context, sealed, &done, &work.plain[i * work.row], size);
			EVP_EncryptFinal_ex(context, sealed + done, &done);
			EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, sealed + work.size);
		}
	}
}

template <bool OPEN> void run_sodium(Work &work)
{
	for (u64 i = 0; i < work.count; i++) {
		u8 nonce[12] = {}, *sealed = &work.sealed[i * work.row];
		unsigned long long size;

		std::memcpy(nonce + 4, &i, sizeof(i));
		if constexpr (OPEN)
			work.all_authentic &= crypto_aead_chacha20poly1305_ietf_decrypt_detached(&work.opened[i * work.row], nullptr, sealed, work.size,
												 sealed + work.size, nullptr, 0, nonce,
												 work.key.expose()) == 0;
		else
			crypto_aead_chacha20poly1305_ietf_encrypt_detached(sealed, sealed + work.size, &size, &work.plain[i * work.row], work.size,
									   nullptr, 0, nullptr, nonce, work.key.expose());
	}
}

template <bool OPEN> void run_kernel(bool avx512, Work &work)
{
	kernel_aead_use(avx512);
	for (u32 i = 0; i < work.count; i++) {
		u8 *sealed = &work.sealed[i * work.row];

		if constexpr (OPEN)
			work.all_authentic &= chacha20poly1305_decrypt(&work.opened[i * work.row], sealed, work.size + TAG_SIZE, nullptr, 0, i,
								       work.key.expose());
		else
			chacha20poly1305_encrypt(sealed, &work.plain[i * work.row], work.size, nullptr, 0, i, work.key.expose());
	}
}

std::vector<Contender> contenders(bool only_avx2)
{
	bool avx2 = __builtin_cpu_supports("avx2");
	bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
	std::vector<Contender> all;
	auto ours = [&](const char *name, Form form) {
		all.push_back({name, [form](Work &work) { run_ours<false>(form, work); }, [form](Work &work) { run_ours<true>(form, work); }});
	};
	auto kernel = [&](const char *name, bool wide) {
		all.push_back({name, [wide](Work &work) { run_kernel<false>(wide, work); }, [wide](Work &work) { run_kernel<true>(wide, work); }});
	};

	if (only_avx2) {
		ours("avx2", Form::Avx2);
		all.push_back({"openssl/avx2", run_openssl<false>, run_openssl<true>});
		return all;
	}
	ours("portable", Form::Portable);
	if (avx2) {
		ours("avx2", Form::Avx2);
		kernel("kernel/avx2", false);
	}
	if (avx512) {
		ours("avx512", Form::Avx512);
		kernel("kernel/avx512", true);
	}
	all.push_back({"openssl", run_openssl<false>, run_openssl<true>});
	all.push_back({"libsodium", run_sodium<false>, run_sodium<true>});
	return all;
}

struct Measure {
	double ns_per_byte = 0, spread = 0; // median; half the quartile distance as a part of it
};

Measure summary(std::vector<double> &samples)
{
	std::sort(samples.begin(), samples.end());
	double median = samples[samples.size() / 2];

	return {median, (samples[samples.size() * 3 / 4] - samples[samples.size() / 4]) / 2 / median};
}

double time_of(const std::function<void(Work &)> &run, Work &work, u32 times)
{
	auto start = std::chrono::steady_clock::now();

	for (u32 i = 0; i < times; i++)
		run(work);
	std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
	return spent.count() / times / work.count / work.size;
}

/* All contenders, in rounds: first what they make is compared. */
std::vector<Measure> measure(const std::vector<Contender> &all, bool opening, Work &work, u32 rounds)
{
	std::vector<std::vector<double>> samples(all.size());
	std::vector<u8> expected;
	u32 times = std::max(1u, 150000u / (work.count * (work.size + 200)));

	run_ours<false>(Form::Portable, work);
	expected = work.sealed;
	for (const Contender &contender : all) {
		work.all_authentic = true;
		(opening ? contender.open : contender.seal)(work);
		bool right = work.sealed == expected && work.all_authentic;
		for (u32 i = 0; right && opening && i < work.count; i++)
			right = std::memcmp(&work.plain[i * work.row], &work.opened[i * work.row], work.size) == 0;
		if (!right) {
			std::fprintf(stderr, "bench_aead: %s computes something else\n", contender.name.c_str());
			std::exit(1);
		}
	}
	for (u32 round = 0; round < rounds; round++) {
		for (usize i = 0; i < all.size(); i++) {
			usize turn = (i + round) % all.size();
			samples[turn].push_back(time_of(opening ? all[turn].open : all[turn].seal, work, times));
		}
	}
	std::vector<Measure> measures;
	for (std::vector<double> &of_one : samples)
		measures.push_back(summary(of_one));
	return measures;
}

struct Row {
	bool opening;
	u32 size, count;
	std::vector<Measure> measures;
};

usize index_of(const std::vector<Contender> &all, const std::string &name)
{
	for (usize i = 0; i < all.size(); i++) {
		if (all[i].name == name)
			return i;
	}
	return all.size();
}

/* One group of bars per size, at the batch of a full GSO packet. */
void write_svg(const std::string &path, const std::vector<Contender> &all, const std::vector<Row> &rows, u32 count)
{
	static const char *const COLOURS[] = {"#9e9e9e", "#1f77b4", "#aec7e8", "#d62728", "#ff9896", "#2ca02c", "#e3c800"};
	std::ofstream svg(path);
	std::vector<const Row *> shown;
	double most = 0;

	for (const Row &row : rows) {
		if (row.opening || row.count != count)
			continue;
		shown.push_back(&row);
		for (const Measure &measure : row.measures)
			most = std::max(most, 1 / measure.ns_per_byte);
	}
	double group = static_cast<double>(all.size()) * 12 + 24, width = 90 + group * static_cast<double>(shown.size()), height = 320;

	svg << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width + 150 << "\" height=\"" << height + 70
	    << "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"70\" y=\"18\">ChaCha20-Poly1305, "
	       "sealing, batches of "
	    << count << ", GB/s by message size</text>\n";
	for (int line = 0; line <= static_cast<int>(most); line++) {
		double y = 30 + height - height * line / most;
		svg << "<line x1=\"60\" x2=\"" << width << "\" y1=\"" << y << "\" y2=\"" << y << "\" stroke=\"#ddd\"/><text x=\"40\" y=\"" << y + 4 << "\">"
		    << line << "</text>\n";
	}
	for (usize g = 0; g < shown.size(); g++) {
		double x = 70 + group * static_cast<double>(g);
		for (usize i = 0; i < all.size(); i++) {
			double bar = height / shown[g]->measures[i].ns_per_byte / most;
			svg << "<rect x=\"" << x + 12 * static_cast<double>(i) << "\" y=\"" << 30 + height - bar << "\" width=\"11\" height=\"" << bar << "\" fill=\""
			    << COLOURS[i % std::size(COLOURS)] << "\"/>\n";
		}
		svg << "<text x=\"" << x << "\" y=\"" << height + 48 << "\">" << shown[g]->size << " B</text>\n";
	}
	for (usize i = 0; i < all.size(); i++)
		svg << "<rect x=\"" << width + 10 << "\" y=\"" << 40 + 18 * i << "\" width=\"11\" height=\"11\" fill=\"" << COLOURS[i % std::size(COLOURS)]
		    << "\"/><text x=\"" << width + 26 << "\" y=\"" << 50 + 18 * i << "\">" << all[i].name << "</text>\n";
	svg << "</svg>\n";
}

void print_head(const std::vector<Contender> &all)
{
	std::printf("%-5s %6s %5s", "", "bytes", "batch");
	for (const Contender &contender : all)
		std::printf(" %20s", contender.name.c_str());
	std::printf("  MB/s (spread), then ratios\n");
}

void print_row(const std::vector<Contender> &all, const Row &row)
{
	std::printf("%-5s %6u %5u", row.opening ? "open" : "seal", row.size, row.count);
	for (const Measure &measure : row.measures)
		std::printf(" %10.0f (%5.1f %%)", 1000 / measure.ns_per_byte, 100 * measure.spread);
	static const char *const PAIRS[][2] = {{"avx512", "openssl"}, {"avx512", "kernel/avx512"}, {"avx2", "openssl"},
					       {"avx2", "kernel/avx2"}, {"avx2", "openssl/avx2"}};
	for (const auto &pair : PAIRS) {
		usize one = index_of(all, pair[0]), other = index_of(all, pair[1]);
		if (one < all.size() && other < all.size())
			std::printf("  %s:%s %.2f", pair[0], pair[1], row.measures[other].ns_per_byte / row.measures[one].ns_per_byte);
	}
	std::printf("\n");
	std::fflush(stdout);
}

std::vector<u32> numbers(const std::string &text)
{
	std::istringstream words(text);
	std::vector<u32> all;

	for (u32 number; words >> number;)
		all.push_back(number);
	return all;
}

} // namespace

int main(int argc, char **argv)
{
	u32 rounds = 41;
	std::string sizes = "64 1420", batches = "1 45", svg;
	bool only_avx2 = false;

	for (int i = 1; i < argc; i++) {
		std::string option = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
		if (option == "--avx2") {
			only_avx2 = true;
			continue;
		}
		i++;
		if (option == "--rounds")
			rounds = static_cast<u32>(std::max(1, std::atoi(value.c_str())));
		else if (option == "--sizes")
			sizes = value;
		else if (option == "--batches")
			batches = value;
		else if (option == "--svg")
			svg = value;
		else {
			std::fprintf(stderr, "usage: bench_aead [--rounds N] [--sizes \"N ...\"] [--batches \"N ...\"] [--svg FILE] [--avx2]\n");
			return 2;
		}
	}
	if (sodium_init() < 0)
		return 1;

	std::vector<Contender> all = contenders(only_avx2);
	std::vector<Row> rows;
	print_head(all);
	for (bool opening : {false, true}) {
		for (u32 size : numbers(sizes)) {
			for (u32 count : numbers(batches)) {
				Work work(size, count);
				rows.push_back({opening, size, count, measure(all, opening, work, rounds)});
				print_row(all, rows.back());
			}
		}
	}
	if (!svg.empty())
		write_svg(svg, all, rows, numbers(batches).back());
	if (!only_avx2 && __builtin_cpu_supports("avx2")) {
		/* Feature word of leaf 7: without AVX512F, DQ, IFMA, CD, BW, VL. */
		std::printf("\nOpenSSL without AVX-512 (OPENSSL_ia32cap), beside the AVX2 form:\n");
		std::fflush(stdout);
		setenv("OPENSSL_ia32cap", ":~0xd0230000", 1);
		execl("/proc/self/exe", "bench_aead", "--avx2", "--rounds", std::to_string(rounds).c_str(), "--sizes", sizes.c_str(), "--batches",
		      batches.c_str(), nullptr);
		return 1;
	}
	return 0;
}
