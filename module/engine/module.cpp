// SPDX-License-Identifier: GPL-2.0
#include "engine/module.h"
#include "engine/memory.h"
#include "kernel/engine.h"
#include "protocol/handshake_self_test.h"
#include "rt/atomic.h"

namespace wg::engine {

namespace {

struct Module {
	crypto::Form form = crypto::Form::Portable;
	Atomic<u64> serials{1};
	SpinLock ratelimit_lock{WG_LOCK_RATELIMIT};
	RateLimit ratelimit;
};

constinit Module *loaded = nullptr;

/* From the slowest to the fastest. */
struct KnownForm {
	const char *name;
	crypto::Form form;
	u32 features;		/* of the CPU; WG_CPU_* */
	bool is_available() const { return (wg_kernel_cpu_features() & features) == features; }
};

constexpr KnownForm FORMS[] = {
	{"portable", crypto::Form::Portable, 0},
	{"avx2", crypto::Form::Avx2, WG_CPU_AVX2},
	{"avx512", crypto::Form::Avx512, WG_CPU_AVX512},
	{"neon", crypto::Form::Neon, WG_CPU_NEON},
};

bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* The form @name asks for; false when there is no such form or this CPU lacks it. */
bool choose_form(const char *name, crypto::Form &form)
{
	bool found = false;

	for (const KnownForm &known : FORMS)
		if (known.is_available() && (same_text(name, known.name) || same_text(name, "auto"))) {
			form = known.form;
			found = true;
		}
	return found;
}

/* Known answers, in the context the form will run in. */
bool passes_self_test(crypto::Form form)
{
	bool passed, simd = form != crypto::Form::Portable;

	if (simd && !wg_kernel_fpu_begin())
		return true;	/* nothing can be tried here and now, and nothing will run then either */
	passed = crypto::self_test(form);
	if (simd)
		wg_kernel_fpu_end();
	return passed;
}

int test_handshake()
{
	HandshakeSelfTest *test = create<HandshakeSelfTest>();
	int error = !test ? -WG_ENOMEM : test->passes(primitives()) ? 0 : -WG_EBADMSG;

	destroy(test);
	return error;
}

} // namespace

crypto::Form aead_form()
{
	return loaded->form;
}

const char *aead_form_name()
{
	const KnownForm *known = FORMS;

	while (known->form != loaded->form)
		known++;
	return known->name;
}

u64 next_serial()
{
	return loaded->serials.fetch_add(1);
}

Outcome<void> accept_rate(u64 place, const CookieSource &source, Instant at)
{
	SpinGuard guard(loaded->ratelimit_lock);

	return loaded->ratelimit.accept(primitives(), place, source, at);
}

} // namespace wg::engine

using namespace wg;
using namespace wg::engine;

int wg_engine_load(const char *name)
{
	crypto::Form form;
	u8 key[16];

	if (!choose_form(name, form))
		return -WG_EINVAL;
	/* All that this CPU has, not only the chosen one: an answer that is wrong anywhere is worth a refusal here. */
	for (const KnownForm &known : FORMS)
		if (known.is_available() && !passes_self_test(known.form))
			return -WG_EBADMSG;
	if (int error = test_handshake(); error)
		return error;
	loaded = create<Module>();
	if (!loaded)
		return -WG_ENOMEM;
	loaded->form = form;
	wg_kernel_random_bytes(key, sizeof(key));
	loaded->ratelimit.set_key(key);
	return 0;
}

void wg_engine_unload(void)
{
	destroy(loaded);
	loaded = nullptr;
}
