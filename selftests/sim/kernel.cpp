// SPDX-License-Identifier: GPL-2.0
/* The scheduler, locks, RCU, memory accounting and the record. The services themselves are in services.cpp and packet.cpp. */
#include "kernel.h"
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sanitizer/asan_interface.h>
#include <unistd.h>
#include "packet.h"

extern "C" void sim_preemption_point(void)
{
	if (sim::kernel && sim::kernel->current)
		sim::kernel->point();
}

namespace sim {

Kernel *kernel;
RunName run_name;

namespace {

constexpr u64 MOST_STEPS = 60000000;
constexpr size_t LINES = 1 << 12;

/* Which class was taken under which, with the seed that saw it first. Kept over the runs of one process: the order is one for all. */
struct LockGraph {
	u64 seed_plus_one[CLASS_COUNT][CLASS_COUNT] = {};
	bool reaches(u32 from, u32 to, u32 depth = 0) const
	{
		if (from == to)
			return true;
		for (u32 i = 0; i < CLASS_COUNT && depth < CLASS_COUNT; i++)
			if (seed_plus_one[from][i] && reaches(i, to, depth + 1))
				return true;
		return false;
	}
} lock_graph;

} // namespace

void fail(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "# %s, SEED=%llu: ", run_name.scenario, static_cast<unsigned long long>(run_name.seed));
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	if (kernel) {
		if (kernel->current)
			fprintf(stderr, "# in %s (%s) on CPU %u, host %u\n", kernel->current->what,
				kernel->current->context == Context::Softirq ? "softirq" : "process", kernel->current->cpu,
				kernel->current->domain->id);
		kernel->print_trace();
	}
	if (getenv("SIM_TRAP"))
		__builtin_trap();
	_exit(1);
}

const char *class_name(u32 lock_class)
{
	static const char *const NAMES[] = {"identity",	  "index",     "handshake-queue", "ratelimit", "peer-handshake",
					    "peer-keyring", "peer-tx",	  "peer-queue", "peer-timers",	   "peer-endpoint", "cpu-queue",
					    "timer",	  "poller",    "handshake-work",  "crypt-work", "rtnl", "receive"};

	static_assert(sizeof(NAMES) / sizeof(NAMES[0]) == CLASS_COUNT);
	return lock_class < CLASS_COUNT ? NAMES[lock_class] : "?";
}

Kernel::Kernel(u64 seed, const Knobs &given) : knobs(given), schedule(seed * 4 + 1), randomness(seed * 4 + 2)
{
	time = schedule.between(1, 1000) * SECOND + schedule.between(0, SECOND);
	occupied_.assign(knobs.cpus, nullptr);
	fpu_owner_.assign(knobs.cpus, nullptr);
	scratch_half_.assign(knobs.cpus, 0);
	nesting.assign(knobs.cpus, 0);
	for (u32 i = 0; i < knobs.cpus; i++) {
		scratch_.emplace_back(2);
		poison_scratch(i);
	}
	lines_.resize(LINES);
	kernel = this;
}

Kernel::~Kernel()
{
	for (auto &half : scratch_)
		ASAN_UNPOISON_MEMORY_REGION(half.data(), half.size());
	kernel = nullptr;
}

/* ---- the record ---- */

void Kernel::hash_bytes(const void *bytes, size_t size)
{
	const u8 *at = static_cast<const u8 *>(bytes);

	for (size_t i = 0; i < size; i++)
		fingerprint_ = (fingerprint_ ^ at[i]) * 0x100000001b3;
}

void Kernel::trace(const char *what, u64 a, u64 b, u64 c)
{
	Line &line = lines_[line_count_++ % LINES];

	line = {time, what, current ? current->what : "-", current ? current->cpu : 0, current ? current->domain->id : 0, a, b, c};
	for (u64 value : {static_cast<u64>(time), a, b, c, static_cast<u64>(static_cast<u8>(what[0])), static_cast<u64>(line.cpu)})
		fingerprint_ = (fingerprint_ ^ value) * 0x100000001b3;
	if (run_name.verbose)
		fprintf(stderr, "# %12.6f cpu%u host%u %-14s %-22s %llu %llu %llu\n", static_cast<double>(time) / 1e9, line.cpu, line.domain,
			line.fiber, what, static_cast<unsigned long long>(a), static_cast<unsigned long long>(b),
			static_cast<unsigned long long>(c));
}

void Kernel::print_trace() const
{
	u64 count = std::min<u64>(line_count_, 60);

	for (u64 i = line_count_ - count; i < line_count_; i++) {
		const Line &line = lines_[i % LINES];

		fprintf(stderr, "# %12.6f cpu%u host%u %-14s %-22s %llu %llu %llu\n", static_cast<double>(line.time) / 1e9, line.cpu,
			line.domain, line.fiber, line.what, static_cast<unsigned long long>(line.a), static_cast<unsigned long long>(line.b),
			static_cast<unsigned long long>(line.c));
	}
	for (const Running &running : running_)
		if (running.fiber->blocked_by)
			fprintf(stderr, "# blocked: %s on host %u waits for %s\n", running.fiber->what, running.fiber->domain->id,
				running.fiber->blocked_by);
}

/* ---- scheduling ---- */

void Kernel::at(i64 when, std::function<void()> function)
{
	events_.push_back({std::max(when, time), event_order_++, std::move(function)});
	std::push_heap(events_.begin(), events_.end(), Later());
}

void Kernel::spawn(Context context, Domain &domain, const char *what, std::function<void()> body, u32 cpu, std::function<void()> done)
{
	coming_.push_back({context, &domain, what, cpu, std::move(body), std::move(done)});
}

void Kernel::start_process(Domain &domain, const char *what, std::function<void()> body, std::function<void()> done)
{
	spawn(Context::Process, domain, what,
	      [this, body = std::move(body)] {
		      take_rtnl();
		      body();
		      give_rtnl();
	      },
	      ANY_CPU, std::move(done));
}

void Kernel::take_rtnl()
{
	Fiber &fiber = *current;

	if (rtnl_holder_ == &fiber)
		fail("rtnl is taken twice");
	acquired(fiber, &rtnl_holder_, CLASS_RTNL, true, true);
	block("rtnl", [this] { return !rtnl_holder_; });
	rtnl_holder_ = &fiber;
}

void Kernel::give_rtnl()
{
	require_rtnl("rtnl_unlock");
	released(*current, &rtnl_holder_, "rtnl_unlock");
	rtnl_holder_ = nullptr;
}

void Kernel::require_rtnl(const char *service)
{
	if (rtnl_holder_ != &self(service))
		fail("%s needs rtnl", service);
}

void Kernel::run_process(Domain &domain, const char *what, std::function<void()> body)
{
	bool finished = false;

	start_process(domain, what, std::move(body), [&finished] { finished = true; });
	run_until_finished(what, finished);
}

void Kernel::run_without_rtnl(Domain &domain, const char *what, std::function<void()> body)
{
	bool finished = false;

	spawn(Context::Process, domain, what, std::move(body), ANY_CPU, [&finished] { finished = true; });
	run_until_finished(what, finished);
}

void Kernel::run_until_finished(const char *what, const bool &finished)
{
	if (current)
		fail("a process is waited for inside a fiber");
	while (!finished)
		if (!step(INT64_MAX))
			fail("deadlock: %s never ends", what);
}

void Kernel::run_until(i64 until)
{
	while (step(until))
		;
	time = std::max(time, until);
}

bool Kernel::is_runnable(const Fiber &fiber) const
{
	if (fiber.wake_at > time)
		return false;
	if (fiber.test && !fiber.test(fiber.test_argument))
		return false;
	if (fiber.is_softirq())
		return true;	/* it occupies its CPU */
	if (fiber.pinned || fiber.fpu_depth > 0) {
		if (occupied_[fiber.cpu])
			return false;
		return !fpu_owner_[fiber.cpu] || fpu_owner_[fiber.cpu] == &fiber;
	}
	for (u32 i = 0; i < knobs.cpus; i++)
		if (is_free(i, Context::Process))
			return true;
	return false;
}

/* For something that begins or goes on there; a process also waits for the FPU of one that lost the CPU. */
bool Kernel::is_free(u32 cpu, Context context) const
{
	return !occupied_[cpu] && (context == Context::Softirq || !fpu_owner_[cpu]);
}

bool Kernel::may_begin(const Coming &coming) const
{
	if (coming.cpu != ANY_CPU)
		return is_free(coming.cpu, coming.context);
	for (u32 i = 0; i < knobs.cpus; i++)
		if (is_free(i, coming.context))
			return true;
	return false;
}

/* One that waits begins to run; its place among those that do. */
size_t Kernel::begin(size_t index)
{
	auto it = coming_.begin() + static_cast<std::ptrdiff_t>(index);

	if (idle_.empty()) {
		pool_.push_back(std::make_unique<Fiber>());
		idle_.push_back(pool_.back().get());
	}
	Fiber &fiber = *idle_.back();
	idle_.pop_back();
	fiber.id = ++fiber_ids_;
	fiber.what = it->what;
	fiber.context = it->context;
	fiber.domain = it->domain;
	fiber.pinned = it->cpu != ANY_CPU;
	fiber.bottom_half_depth = fiber.rcu_depth = fiber.fpu_depth = fiber.sent = 0;
	fiber.wake_at = 0;
	fiber.test = nullptr;
	fiber.blocked_by = nullptr;
	fiber.held.clear();
	fiber.stack.prepare(std::move(it->body));
	fiber.cpu = fiber.pinned ? it->cpu : free_cpu(fiber);
	if (fiber.context == Context::Softirq) {
		occupied_[fiber.cpu] = &fiber;
		fiber.reader_since = ++rcu_clock;
	}
	running_.push_back({&fiber, std::move(it->done)});
	coming_.erase(it);
	return running_.size() - 1;
}

u32 Kernel::free_cpu(const Fiber &fiber)
{
	u32 first = static_cast<u32>(schedule.below(knobs.cpus));

	for (u32 i = 0; i < knobs.cpus; i++) {
		u32 cpu = (first + i) % knobs.cpus;

		if (is_free(cpu, fiber.context))
			return cpu;
	}
	fail("simulation: no CPU free");
}

bool Kernel::step(i64 until)
{
	static constexpr size_t CHOICE = 64;
	size_t runnable[CHOICE], count = 0;
	bool is_full = std::find(occupied_.begin(), occupied_.begin() + knobs.cpus, nullptr) == occupied_.begin() + knobs.cpus;

	if (++steps > MOST_STEPS)
		fail("the run does not end: livelock?");
	while (!events_.empty() && events_.front().at <= time) {
		std::pop_heap(events_.begin(), events_.end(), Later());
		Event event = std::move(events_.back());
		events_.pop_back();
		event.function();
	}
	for (size_t i = 0; i < running_.size() && count < CHOICE; i++)
		if (is_runnable(*running_[i].fiber))
			runnable[count++] = i;
	/* In a flood thousands wait to begin: the first of them are choice enough. */
	for (size_t i = 0; !is_full && i < coming_.size() && count < CHOICE && (i < CHOICE || count == 0); i++)
		if (may_begin(coming_[i]))
			runnable[count++] = running_.size() + i;
	if (count > 0) {
		enter(runnable[count == 1 ? 0 : schedule.below(count)]);
		return true;
	}
	if (events_.empty() || events_.front().at > until) {
		if (running_.size() + coming_.size() && events_.empty()) {
			const char *what = running_.empty() ? coming_[0].what : running_[0].fiber->what;
			const char *blocked_by = running_.empty() ? nullptr : running_[0].fiber->blocked_by;

			fail("deadlock: %s waits for %s and nothing can happen any more", what, blocked_by ? blocked_by : "nothing");
		}
		return false;
	}
	time = events_.front().at;
	return true;
}

void Kernel::enter(size_t index)
{
	Fiber &fiber = *running_[index < running_.size() ? index : begin(index - running_.size())].fiber;
	bool finished;

	if (!fiber.is_softirq() && !fiber.pinned && fiber.fpu_depth == 0)
		fiber.cpu = free_cpu(fiber);
	fiber.test = nullptr;
	fiber.blocked_by = nullptr;
	current = &fiber;
	finished = fiber.stack.enter();
	current = nullptr;
	if (knobs.step_cost)
		time += schedule.between(0, knobs.step_cost);
	if (!finished)
		return;
	for (size_t i = 0;; i++)
		if (running_[i].fiber == &fiber) {
			std::function<void()> done = std::move(running_[i].done);

			running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
			finish(fiber);
			if (done)
				done();
			return;
		}
}

void Kernel::finish(Fiber &fiber)
{
	if (fiber.bottom_half_depth || fiber.rcu_depth || fiber.fpu_depth || !fiber.held.empty())
		fail("%s ended with bottom halves off %u times, RCU depth %u, FPU depth %u, %zu locks (the first: %s)", fiber.what,
		     fiber.bottom_half_depth, fiber.rcu_depth, fiber.fpu_depth, fiber.held.size(),
		     fiber.held.empty() ? "none" : class_name(fiber.held[0].lock_class));
	if (fiber.context == Context::Softirq) {
		occupied_[fiber.cpu] = nullptr;
		poison_scratch(fiber.cpu);
	}
	idle_.push_back(&fiber);
}

void Kernel::point()
{
	Fiber &fiber = *current;

	if (!knobs.preempt)
		return;
	if (until_point_ == 0)
		until_point_ = 1 + schedule.below(2 * 1024 / knobs.preempt);
	if (--until_point_ > 0)
		return;
	if (schedule.chance(knobs.stall, 1024)) {
		fiber.wake_at = time + schedule.between(1, knobs.stall_most);
		at(fiber.wake_at, [] {});
	}
	fiber.stack.leave();
}

void Kernel::block_on(const char *why, bool (*test)(void *), void *argument)
{
	Fiber &fiber = *current;

	point();
	while (!test(argument)) {
		fiber.test = test;
		fiber.test_argument = argument;
		fiber.blocked_by = why;
		fiber.stack.leave();
	}
}

void Kernel::sleep(i64 duration)
{
	Fiber &fiber = *current;

	fiber.wake_at = time + duration;
	at(fiber.wake_at, [] {});
	fiber.stack.leave();
}

Fiber &Kernel::self(const char *service)
{
	if (!current)
		fail("%s called from nowhere", service);
	point();
	return *current;
}

void Kernel::require_sleepable(const char *service)
{
	Fiber &fiber = self(service);

	if (fiber.is_softirq())
		fail("%s may sleep, but is called %s", service, fiber.context == Context::Softirq ? "in softirq" : "with bottom halves off");
	if (fiber.rcu_depth)
		fail("%s may sleep, but is called in an RCU read section", service);
	if (fiber.fpu_depth)
		fail("%s may sleep, but is called in an FPU section", service);
	for (const Fiber::Held &held : fiber.held)
		if (!held.sleeps && held.lock_class < WG_LOCK_COUNT)
			fail("%s may sleep, but is called with the %s lock held", service, class_name(held.lock_class));
}

void Kernel::require_softirq(const char *service)
{
	if (!self(service).is_softirq())
		fail("%s needs bottom halves off", service);
}

/* ---- locks ---- */

void Kernel::bottom_half_off(Fiber &fiber)
{
	if (fiber.bottom_half_depth++ == 0 && fiber.context == Context::Process) {
		if (occupied_[fiber.cpu])
			fail("simulation: CPU %u is occupied twice", fiber.cpu);
		occupied_[fiber.cpu] = &fiber;
		fiber.sent = 0;
		if (!fiber.rcu_depth)
			fiber.reader_since = ++rcu_clock;
	}
}

void Kernel::bottom_half_on(Fiber &fiber)
{
	if (fiber.bottom_half_depth == 0)
		fail("bottom halves switched on more often than off");
	if (--fiber.bottom_half_depth == 0 && fiber.context == Context::Process) {
		if (nesting[fiber.cpu] != 0)
			fail("bottom halves switched on inside a send");
		occupied_[fiber.cpu] = nullptr;
		poison_scratch(fiber.cpu);
	}
}

void Kernel::acquired(Fiber &fiber, const void *lock, u32 lock_class, bool sleeps, bool may_block)
{
	for (const Fiber::Held &held : fiber.held) {
		if (!may_block)
			break;
		if (held.lock_class == lock_class)
			fail("two locks of class %s taken one in the other", class_name(lock_class));
		if (!lock_graph.seed_plus_one[held.lock_class][lock_class]) {
			if (lock_graph.reaches(lock_class, held.lock_class))
				fail("lock order: %s is taken under %s, and (first in seed %llu) the other way round", class_name(lock_class),
				     class_name(held.lock_class),
				     static_cast<unsigned long long>(lock_graph.seed_plus_one[lock_class][held.lock_class] - 1));
			lock_graph.seed_plus_one[held.lock_class][lock_class] = run_name.seed + 1;
		}
	}
	fiber.held.push_back({lock, lock_class, sleeps});
}

void Kernel::released(Fiber &fiber, const void *lock, const char *service)
{
	for (size_t i = fiber.held.size(); i-- > 0;)
		if (fiber.held[i].lock == lock) {
			fiber.held.erase(fiber.held.begin() + static_cast<std::ptrdiff_t>(i));
			return;
		}
	fail("%s: not held by who releases it", service);
}

/* ---- RCU ---- */

bool Kernel::readers_before(u64 since) const
{
	for (const Running &running : running_)
		if (running.fiber->reads() && running.fiber->reader_since <= since)
			return true;
	return false;
}

void Kernel::call_rcu(wg_rcu_head *head, void (*function)(wg_rcu_head *))
{
	if (!objects.emplace(reinterpret_cast<uintptr_t>(head), Object{Kind::RcuHead, 0}).second)
		fail("call_rcu with a head that is queued already");
	callbacks_.push_back({head, function, ++rcu_clock, current->domain});
	rcu_calls++;
	schedule_rcu(schedule.between(0, knobs.grace));
}

void Kernel::schedule_rcu(i64 latency)
{
	if (rcu_scheduled_)
		return;
	rcu_scheduled_ = true;
	at(time + latency, [this] { run_rcu(); });
}

void Kernel::run_rcu()
{
	size_t count = 0;

	rcu_scheduled_ = false;
	while (count < callbacks_.size() && count < 256 && !readers_before(callbacks_[count].since))
		count++;
	if (count == 0) {
		if (!callbacks_.empty())
			schedule_rcu(MILLISECOND);
		return;
	}
	auto ready = std::make_shared<std::vector<RcuCallback>>(callbacks_.begin(), callbacks_.begin() + static_cast<std::ptrdiff_t>(count));

	callbacks_.erase(callbacks_.begin(), callbacks_.begin() + static_cast<std::ptrdiff_t>(count));
	completed_grace = std::max(completed_grace, ready->back().since);
	rcu_scheduled_ = true;	/* one batch at a time */
	spawn(Context::Softirq, *ready->front().domain, "rcu callbacks",
	      [this, ready] {
		      for (RcuCallback &callback : *ready) {
			      objects.erase(reinterpret_cast<uintptr_t>(callback.head));
			      callback.function(callback.head);
			      rcu_called++;
			      point();
		      }
	      },
	      ANY_CPU,
	      [this] {
		      rcu_scheduled_ = false;
		      if (!callbacks_.empty())
			      schedule_rcu(schedule.between(0, knobs.grace));
	      });
}

/* ---- memory ---- */

bool Kernel::allocation_fails()
{
	allocations_++;
	if (knobs.fail_allocation == allocations_ || (knobs.allocation_failures && randomness.chance(knobs.allocation_failures, 1024))) {
		trace("allocation fails", allocations_);
		return true;
	}
	return false;
}

u8 *Kernel::scratch(Fiber &fiber)
{
	/* Two halves in turn: who still uses what an earlier call gave touches poisoned memory. */
	u8 *half;

	poison_scratch(fiber.cpu);
	half = scratch_[fiber.cpu][scratch_half_[fiber.cpu] ^= 1].at;
	ASAN_UNPOISON_MEMORY_REGION(half, WG_SCRATCH_SIZE);
	memset(half, 0xa5, WG_SCRATCH_SIZE);
	return half;
}

void Kernel::poison_scratch(u32 cpu)
{
	ASAN_POISON_MEMORY_REGION(scratch_[cpu].data(), 2 * WG_SCRATCH_SIZE);
}

bool Kernel::fpu_begin(Fiber &fiber)
{
	if (fiber.fpu_depth)
		fail("an FPU section inside another");
	if (fpu_owner_[fiber.cpu] || schedule.chance(knobs.no_simd, 1024))
		return false;
	fpu_owner_[fiber.cpu] = &fiber;
	fiber.fpu_depth = 1;
	return true;
}

void Kernel::fpu_end(Fiber &fiber)
{
	if (!fiber.fpu_depth)
		fail("fpu_end without a section");
	fiber.fpu_depth = 0;
	fpu_owner_[fiber.cpu] = nullptr;
}

void Kernel::check_nothing_left()
{
	if (running_.size() + coming_.size())
		fail("at the end: %zu functions still run, %s among them", running_.size() + coming_.size(),
		     running_.empty() ? coming_[0].what : running_[0].fiber->what);
	for (auto &[id, pool] : workers)
		fail("at the end: workers of kind %d were never destroyed", pool->kind);
	for (auto &[at, object] : objects)
		fail("at the end: an object of kind %d is left (timer, poller, dead poller, route cache, RCU head)", static_cast<int>(object.kind));
	if (!memory.empty()) {
		const Allocation *oldest = nullptr;

		for (auto &[at, allocation] : memory)
			if (!oldest || allocation.number < oldest->number)
				oldest = &allocation;
		fail("at the end: %zu blocks are leaked; the oldest has %zu bytes and was allocation %llu", memory.size(), oldest->size,
		     static_cast<unsigned long long>(oldest->number));
	}
	for (auto &[object, count] : objects_told)
		if (count != 0)
			fail("at the end: %s %llu was told of as created, and not as destroyed, %d times", object.first.c_str(),
			     static_cast<unsigned long long>(object.second), count);
	if (live_packets)
		fail("at the end: %llu packets are leaked", static_cast<unsigned long long>(live_packets));
}

} // namespace sim
