// SPDX-License-Identifier: GPL-2.0
#include "fiber.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>

/* Built for coverage, there is no AddressSanitizer to be told of other stacks. */
#ifndef __SANITIZE_ADDRESS__
#define __sanitizer_start_switch_fiber(...) static_cast<void>(0)
#define __sanitizer_finish_switch_fiber(...) static_cast<void>(0)
#endif

/* Saves the callee's registers on the running stack, its pointer at *save, and takes up the other stack. */
extern "C" void sim_switch_stack(void **save, void *load);
__asm__(".text\n"
	".globl sim_switch_stack\n"
	"sim_switch_stack:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n");

namespace sim {

namespace {

constexpr size_t STACK_SIZE = 256 << 10, GUARD_SIZE = 4096;
Stack *entering;

} // namespace

Stack::Stack()
{
	void *memory = mmap(nullptr, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory, GUARD_SIZE, PROT_NONE) != 0) {
		perror("stack");
		abort();
	}
	memory_ = static_cast<char *>(memory) + GUARD_SIZE;
}

Stack::~Stack()
{
	munmap(memory_ - GUARD_SIZE, GUARD_SIZE + STACK_SIZE);
}

void Stack::prepare(std::function<void()> body)
{
	/* Frames that never returned have left their red zones behind. Fibers use the top of the stack: clearing that much is enough
	 * because a deeper frame's red zones are rewritten by its own prologue. */
	ASAN_UNPOISON_MEMORY_REGION(memory_ + STACK_SIZE - 4096, 4096);
	body_ = std::move(body);
	finished_ = false;

	/* Six registers, the return address begin(), and one word so that begin() finds the alignment a call would have left. */
	uint64_t *top = reinterpret_cast<uint64_t *>(memory_ + STACK_SIZE) - 8;
	for (int i = 0; i < 8; i++)
		top[i] = 0;
	top[6] = reinterpret_cast<uint64_t>(&Stack::begin);
	pointer_ = top;
}

bool Stack::enter()
{
	entering = this;
	__sanitizer_start_switch_fiber(&scheduler_fake_, memory_, STACK_SIZE);
	sim_switch_stack(&scheduler_pointer_, pointer_);
	__sanitizer_finish_switch_fiber(scheduler_fake_, nullptr, nullptr);
	return finished_;
}

void Stack::leave()
{
	__sanitizer_start_switch_fiber(finished_ ? nullptr : &fake_, scheduler_bottom_, scheduler_size_);
	sim_switch_stack(&pointer_, scheduler_pointer_);
	__sanitizer_finish_switch_fiber(fake_, &scheduler_bottom_, &scheduler_size_);
}

void Stack::begin()
{
	Stack &self = *entering;

	__sanitizer_finish_switch_fiber(nullptr, &self.scheduler_bottom_, &self.scheduler_size_);
	self.body_();
	self.body_ = nullptr;
	self.finished_ = true;
	self.leave();
	__builtin_unreachable();
}

} // namespace sim
