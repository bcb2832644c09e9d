// SPDX-License-Identifier: GPL-2.0
/* Fibers: stacks of their own for what runs on the simulated CPUs, and the switch between them and the scheduler.
 *
 * One thread only. A fiber runs until it calls leave(); the scheduler's enter() then returns. AddressSanitizer is told of every switch.
 */
#pragma once
#include <cstddef>
#include <functional>

namespace sim {

class Stack {
public:
	/* Runs @body on this stack from the next enter() on; the stack is idle before. */
	void prepare(std::function<void()> body);
	/* Scheduler: goes on where the fiber left. True when its body has returned. */
	bool enter();
	/* Fiber: back to the scheduler. */
	void leave();

	Stack();
	~Stack();
	Stack(const Stack &) = delete;
	Stack &operator=(const Stack &) = delete;

private:
	static void begin();
	char *memory_;
	void *pointer_ = nullptr, *scheduler_pointer_ = nullptr;
	void *fake_ = nullptr, *scheduler_fake_ = nullptr;
	const void *scheduler_bottom_ = nullptr;
	size_t scheduler_size_ = 0;
	std::function<void()> body_;
	bool finished_ = false;
};

} // namespace sim
