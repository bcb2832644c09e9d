// SPDX-License-Identifier: GPL-2.0
/* No branch and no address of the AEAD depends on a key or on a text. Runs under valgrind: what is secret is marked undefined, and
 * memcheck reports every jump and every address that depends on something undefined. Prints TAP.
 */
#include "crypto/aead.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <valgrind/memcheck.h>

extern "C" void wg_kernel_bug(const char *what)
{
	std::fprintf(stderr, "bug hook: %s\n", what);
	std::abort();
}

namespace {

using namespace wg;
using namespace wg::crypto;

int tests;
bool all_passed = true;

void report(bool passed, const char *what, const char *form)
{
	std::printf("%sok %d - %s, %s\n", passed ? "" : "not ", ++tests, what, form);
	all_passed &= passed;
}

struct Shape {
	u32 count, size, cut;
};

/* Seals and opens a batch whose key and texts memcheck knows nothing about. */
u32 complaints(Form form, const Shape &shape, bool forge)
{
	u32 before = static_cast<u32>(VALGRIND_COUNT_ERRORS);
	std::vector<std::vector<u8>> texts(shape.count, std::vector<u8>(shape.size)), tags(shape.count, std::vector<u8>(TAG_SIZE));
	std::vector<std::vector<Piece>> pieces(shape.count);
	std::vector<Message> messages;
	Key key;
	static Workspace workspace;

	for (u32 i = 0; i < shape.count; i++) {
		for (u32 at = 0; at < shape.size; at += shape.cut) {
			u32 size = shape.size - at < shape.cut ? shape.size - at : shape.cut;
			pieces[i].push_back({&texts[i][at], &texts[i][at], size});
		}
		messages.push_back({pieces[i].data(), static_cast<u32>(pieces[i].size()), i, tags[i].data(), false});
		VALGRIND_MAKE_MEM_UNDEFINED(texts[i].data(), texts[i].size());
	}
	VALGRIND_MAKE_MEM_UNDEFINED(key.expose(), KEY_SIZE);
	seal(form, key, {messages.data(), messages.size()}, workspace);
	if (forge)
		tags[shape.count / 2][7] ^= 1;
	open(form, key, {messages.data(), messages.size()}, workspace);
	return static_cast<u32>(VALGRIND_COUNT_ERRORS) - before;
}

bool memcheck_notices_a_branch_on_a_key()
{
	u32 before = static_cast<u32>(VALGRIND_COUNT_ERRORS);
	Key key;

	VALGRIND_MAKE_MEM_UNDEFINED(key.expose(), KEY_SIZE);
	volatile u8 first = key.expose()[0];
	if (first == 7)
		std::printf("# seven\n");
	return static_cast<u32>(VALGRIND_COUNT_ERRORS) > before;
}

} // namespace

int main()
{
	if (!RUNNING_ON_VALGRIND) {
		std::fprintf(stderr, "run it under valgrind: make -f aead.mk constant-time\n");
		return 2;
	}
	static const Shape SHAPES[] = {{1, 1, 1}, {1, 64, 64}, {1, 1420, 1420}, {2, 700, 33}, {5, 0, 1}, {13, 150, 150}, {20, 333, 100}};
	struct {
		Form form;
		const char *name;
	} forms[] = {{Form::Portable, "portable"}, {Form::Avx2, "avx2"}, {Form::Avx512, "avx512, modelled"}};

	report(memcheck_notices_a_branch_on_a_key(), "memcheck_notices_a_branch_on_a_key", "the test itself");
	for (const auto &form : forms) {
		if (form.form != Form::Portable && !__builtin_cpu_supports("avx2")) {
			std::printf("ok %d - time_depends_on_lengths_alone, %s # SKIP this CPU lacks AVX2\n", ++tests, form.name);
			continue;
		}
		u32 found = 0;
		for (const Shape &shape : SHAPES) {
			for (bool forge : {false, true})
				found += complaints(form.form, shape, forge);
		}
		report(found == 0, "time_depends_on_lengths_alone", form.name);
	}
	std::printf("1..%d\n", tests);
	return all_passed ? 0 : 1;
}
