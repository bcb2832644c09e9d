// SPDX-License-Identifier: GPL-2.0
/* No branch and no address depends on a key or on a text. Runs under valgrind: what is secret is marked undefined, and
 * memcheck reports every jump and every address that depends on something undefined. Prints TAP.
 */
#include "constant_time.h"

#include <cstdlib>

#include <valgrind/memcheck.h>

extern "C" void wg_kernel_bug(const char *what)
{
	std::fprintf(stderr, "bug hook: %s\n", what);
	std::abort();
}

namespace {

using namespace wg;
using namespace wg::test::constant_time;

/* Whether a library's AEAD or X25519 succeeded is public, and it may look at that itself. */
template <typename Library> bool published(Library library)
{
	VALGRIND_DISABLE_ERROR_REPORTING;
	bool verdict = library();
	VALGRIND_ENABLE_ERROR_REPORTING;
	VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof(verdict));
	return verdict;
}

crypto::Primitives with_public_verdicts()
{
	crypto::Primitives table = test::primitives();

	table.x25519 = [](u8 *shared, const u8 *secret, const u8 *public_key) { return published([=] { return test::primitives().x25519(shared, secret, public_key); }); };
	table.x25519_public = [](u8 *public_key, const u8 *secret) { return published([=] { return test::primitives().x25519_public(public_key, secret); }); };
	table.aead_open = [](u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, u64 counter, const u8 *key) {
		return published([=] { return test::primitives().aead_open(plain, sealed, size, aad, aad_size, counter, key); });
	};
	table.xaead_open = [](u8 *plain, const u8 *sealed, usize size, const u8 *aad, usize aad_size, const u8 *nonce, const u8 *key) {
		return published([=] { return test::primitives().xaead_open(plain, sealed, size, aad, aad_size, nonce, key); });
	};
	return table;
}

u32 complaints(const Operation &operation)
{
	u32 before = static_cast<u32>(VALGRIND_COUNT_ERRORS);

	operation.prepare(1);
	for (ByteSpan secret : operation.secrets())
		VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size());
	operation.run();
	return static_cast<u32>(VALGRIND_COUNT_ERRORS) - before;
}

bool memcheck_notices_a_branch_on_a_key()
{
	u32 before = static_cast<u32>(VALGRIND_COUNT_ERRORS);
	crypto::Key key;

	VALGRIND_MAKE_MEM_UNDEFINED(key.expose(), crypto::KEY_SIZE);
	volatile u8 first = key.expose()[0];
	if (first == 7)
		std::printf("# seven\n");
	return static_cast<u32>(VALGRIND_COUNT_ERRORS) > before;
}

} // namespace

int main()
{
	if (!RUNNING_ON_VALGRIND) {
		std::fprintf(stderr, "run it under valgrind: make -f constant_time.mk constant-time\n");
		return 2;
	}
	static const crypto::Primitives primitives = with_public_verdicts();
	const bool avx2 = __builtin_cpu_supports("avx2");

	report(memcheck_notices_a_branch_on_a_key(), "memcheck_notices_a_branch_on_a_key");
	return check_all("time_depends_on_lengths_alone",
			 {{crypto::Form::Portable, "portable", true}, {crypto::Form::Avx2, "avx2", avx2}, {crypto::Form::Avx512, "avx512, modelled", avx2}},
			 MANY_SHAPES, primitives, [](const Operation &operation) { return complaints(operation) == 0; });
}
