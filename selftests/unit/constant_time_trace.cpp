// SPDX-License-Identifier: GPL-2.0
/* The instructions that are executed do not depend on keys and texts. Linked with the very objects that the kernel module is made of, and run one
 * instruction at a time, twice with other secrets: both runs must take the same way. So AVX-512, which valgrind does not know, is looked at too.
 * Where data lies it cannot tell; valgrind does. Prints TAP.
 */
#include "constant_time.h"

#include <csignal>
#include <cstdlib>

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* What the kernel's objects expect of the kernel. */
extern "C" {
void wg_kernel_bug(const char *what)
{
	std::fprintf(stderr, "bug hook: %s\n", what);
	std::abort();
}
}
__asm__(".text\n"
	".globl __fentry__\n__fentry__:\n\tret\n"
	".globl __x86_return_thunk\n__x86_return_thunk:\n\tret\n"
	".globl __stack_chk_guard\n.data\n__stack_chk_guard:\n\t.quad 0\n.text\n");
#define THUNK(register) __asm__(".globl __x86_indirect_thunk_" #register "\n__x86_indirect_thunk_" #register ":\n\tjmp *%" #register "\n")
THUNK(rax);
THUNK(rbx);
THUNK(rcx);
THUNK(rdx);
THUNK(rsi);
THUNK(rdi);
THUNK(rbp);
THUNK(r8);
THUNK(r9);
THUNK(r10);
THUNK(r11);
THUNK(r12);
THUNK(r13);
THUNK(r14);
THUNK(r15);

namespace {

using namespace wg;
using namespace wg::test::constant_time;

struct Trace {
	u64 instructions = 0, hash = 0;
	bool operator==(const Trace &) const = default;
};

Trace trace;
bool is_stepping;

void on_step(int, siginfo_t *, void *context)
{
	trace.hash = (trace.hash ^ static_cast<u64>(static_cast<ucontext_t *>(context)->uc_mcontext.gregs[REG_RIP])) * 0x9e3779b97f4a7c15;
	trace.instructions++;
}

/* The trap flag: SIGTRAP behind each instruction. Below the red zone, which is the caller's. */
void step()
{
	__asm__ __volatile__("lea -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp" : : : "memory", "cc");
}

void step_no_more()
{
	__asm__ __volatile__("lea -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp" : : : "memory", "cc");
}

/* A library's way is its own business. */
struct Pause {
	Pause() { step_no_more(); }
	~Pause()
	{
		if (is_stepping)
			step();
	}
};

/* What @operation executes with the secrets of @seed. */
Trace trace_of(const Operation &operation, u64 seed)
{
	operation.prepare(seed);
	operation.run();	/* what the libraries make once, they have made */
	operation.prepare(seed);
	trace = {};
	is_stepping = true;
	step();
	operation.run();
	step_no_more();
	is_stepping = false;
	return trace;
}

/* The kernel's objects keep the stack aligned to 8 bytes only, and libraries want 16. */
template <auto Member, typename Function> struct Realigned;
template <auto Member, typename Result, typename... Arguments> struct Realigned<Member, Result (*)(Arguments...)> {
	[[gnu::force_align_arg_pointer]] static Result call(Arguments... arguments)
	{
		Pause pause;

		return (test::primitives().*Member)(arguments...);
	}
};
template <auto Member> constexpr auto realigned = Realigned<Member, std::remove_reference_t<decltype(std::declval<crypto::Primitives>().*Member)>>::call;

constexpr crypto::Primitives PRIMITIVES = {
	realigned<&crypto::Primitives::blake2s>,   realigned<&crypto::Primitives::x25519>,    realigned<&crypto::Primitives::x25519_public>,
	realigned<&crypto::Primitives::aead_seal>, realigned<&crypto::Primitives::aead_open>, realigned<&crypto::Primitives::xaead_seal>,
	realigned<&crypto::Primitives::xaead_open>, realigned<&crypto::Primitives::siphash>,
};

u64 executed;

bool takes_the_same_way(const Operation &operation)
{
	const Trace first = trace_of(operation, 1000);

	executed += first.instructions;
	return first.instructions > 0 && trace_of(operation, 2000) == first;
}

bool a_branch_on_a_key_is_noticed()
{
	static u8 key;
	static volatile u32 sevens;
	const Operation branch = {"branch", [](u64 seed) { key = static_cast<u8>(seed / 1000 == 2 ? 7 : 8); }, [] { return std::vector<ByteSpan>(); }, [] {
					  if (*const_cast<volatile u8 *>(&key) == 7)
						  sevens = sevens + 1;
				  }};

	return !takes_the_same_way(branch);
}

bool cpu_has_avx512()
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
}

} // namespace

int main()
{
	/* Where the kernel keeps its stacks' canary. */
	static u8 of_this_cpu[4096];
	syscall(SYS_arch_prctl, ARCH_SET_GS, of_this_cpu);
	struct sigaction action = {};
	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGTRAP, &action, nullptr);
	report(a_branch_on_a_key_is_noticed(), "a_branch_on_a_key_is_noticed");
	int status = check_all("the_way_depends_on_lengths_alone",
			       {{crypto::Form::Portable, "portable", true},
				{crypto::Form::Avx2, "avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")},
				{crypto::Form::Avx512, "avx512", cpu_has_avx512()}},
			       FEW_SHAPES, PRIMITIVES, takes_the_same_way);
	std::printf("# %llu instructions\n", static_cast<unsigned long long>(executed));
	return status;
}
