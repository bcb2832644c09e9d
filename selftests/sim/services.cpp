// SPDX-License-Identifier: GPL-2.0
/* services.h over the simulated kernel: all but packets and netlink. */
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include "kernel.h"
#include "packet.h"
#include "../unit/primitives.h"

using namespace sim;

namespace {

constexpr u32 MOST_SENT_AT_ONCE = 2 * 64;	/* a round, whose last batch is as large as one can be */
constexpr u32 SPIN_MAGIC = 0x5b1a10c7;
constexpr u64 TIMER_MAGIC = 0x71be7000, POLLER_MAGIC = 0x4a91000, CACHE_MAGIC = 0xcace000;

struct Spin {
	u32 magic, lock_class;
	const Fiber *holder;
};
static_assert(sizeof(Spin) <= sizeof(wg_spinlock));

struct Handle {
	u64 magic, id;
};
static_assert(sizeof(Handle) <= sizeof(wg_timer) && sizeof(Handle) <= sizeof(wg_poller) && sizeof(Handle) <= sizeof(wg_route_cache));

Spin &spin_of(void *storage, const char *service)
{
	Spin &spin = *static_cast<Spin *>(storage);

	if (spin.magic != SPIN_MAGIC)
		fail("%s on a lock that was never initialised", service);
	return spin;
}

TimerObject &timer_of(wg_timer *timer, const char *service)
{
	Handle &handle = *reinterpret_cast<Handle *>(timer);
	static TimerObject deleted{};

	if (handle.magic == TIMER_MAGIC + 1)
		return deleted;
	if (handle.magic != TIMER_MAGIC)
		fail("%s on a timer that was never initialised", service);
	return *kernel->timers.at(handle.id);
}

PollerObject &poller_of(wg_poller *poller, const char *service)
{
	Handle &handle = *reinterpret_cast<Handle *>(poller);

	if (handle.magic != POLLER_MAGIC)
		fail("%s on a poller that is not there", service);
	return *kernel->pollers.at(handle.id);
}

uintptr_t address_of(const void *object)
{
	return reinterpret_cast<uintptr_t>(object);
}

void add_object(const void *at, Kernel::Kind kind)
{
	if (!kernel->objects.emplace(address_of(at), Kernel::Object{kind, 0}).second)
		fail("an object of kind %d is initialised twice", static_cast<int>(kind));
}

/* While waiting for a function to end: the class it runs under, so that a lock held here and taken there shows. */
struct WaitsFor {
	Fiber &fiber;
	u32 lock_class;
	WaitsFor(Fiber &fiber, u32 lock_class) : fiber(fiber), lock_class(lock_class) { kernel->acquired(fiber, this, lock_class, true, true); }
	~WaitsFor() { kernel->released(fiber, this, "wait"); }
};

u32 work_class(wg_worker_kind kind)
{
	return kind == WG_WORKER_HANDSHAKE ? CLASS_HANDSHAKE_WORK : CLASS_CRYPT_WORK;
}

/* A work queue that never ran anything (its device could not be made) holds nobody up, whatever others of its kind run. */
bool has_run(const wg_workers &workers)
{
	return std::any_of(workers.work.begin(), workers.work.end(), [](const wg_workers::Work &work) { return work.kicks != 0; });
}

} // namespace

/* ---- memory, RCU ---- */

void *wg_kernel_alloc(size_t size)
{
	void *memory;

	kernel->self("alloc");
	kernel->require_sleepable("alloc");
	if (kernel->schedule.chance(20, 1024) && kernel->knobs.preempt)
		kernel->sleep(kernel->schedule.between(1, MILLISECOND));
	if (size == 0)
		fail("alloc of nothing");
	if (kernel->allocation_fails())
		return nullptr;
	memory = calloc(1, size);
	kernel->memory[memory] = {size, kernel->allocations()};
	kernel->allocated_bytes += size;
	if (kernel->allocated_bytes > kernel->most_allocated_bytes)
		kernel->most_allocated_bytes = kernel->allocated_bytes;
	return memory;
}

void wg_kernel_free(void *memory, size_t size)
{
	if (!memory)
		return;
	Fiber &fiber = kernel->self("free");
	auto found = kernel->memory.find(memory);

	if (found == kernel->memory.end())
		fail("free of what was never allocated, or a second time");
	if (size != found->second.size)
		fail("%zu bytes are freed of %zu", size, found->second.size);
	if (size > 8192)
		kernel->require_sleepable("free of a large block");
	uintptr_t from = address_of(memory), to = from + size;
	for (auto at = kernel->objects.lower_bound(from); at != kernel->objects.end() && at->first < to; at = kernel->objects.erase(at)) {
		if (at->second.kind == Kernel::Kind::DeadPoller && kernel->completed_grace > at->second.since)
			continue;
		fail("memory is freed with a %s in it",
		     at->second.kind == Kernel::Kind::Timer	   ? "timer that was not deleted" :
		     at->second.kind == Kernel::Kind::Poller	   ? "poller that was not deleted" :
		     at->second.kind == Kernel::Kind::DeadPoller ? "poller deleted without an RCU wait since" :
		     at->second.kind == Kernel::Kind::RouteCache ? "route cache that was not destroyed" :
								     "queued RCU head");
	}
	for (const Fiber::Held &held : fiber.held)
		if (address_of(held.lock) >= from && address_of(held.lock) < to)
			fail("memory is freed with a held lock (%s) in it", class_name(held.lock_class));
	kernel->allocated_bytes -= size;
	kernel->memory.erase(found);
	memset(memory, 0, size);
	free(memory);
}

void wg_kernel_rcu_read_lock(void)
{
	Fiber &fiber = kernel->self("rcu_read_lock");

	if (!fiber.reads())
		fiber.reader_since = ++kernel->rcu_clock;
	fiber.rcu_depth++;
}

void wg_kernel_rcu_read_unlock(void)
{
	Fiber &fiber = kernel->self("rcu_read_unlock");

	if (fiber.rcu_depth == 0)
		fail("rcu_read_unlock without a section");
	fiber.rcu_depth--;
}

#ifdef WG_PROVE_RCU
/* Of rt/rcu_ptr.h; the scenarios' own code may look anywhere. */
extern "C" void wg_kernel_prove_rcu(void)
{
	if (kernel && kernel->current && !kernel->current->reads())
		kernel->require_rtnl("an RcuPtr's read() outside a read section");
}

extern "C" void wg_kernel_prove_rtnl(void)
{
	if (kernel && kernel->current && kernel->current->what != sim::DESTRUCTOR)
		kernel->require_rtnl("an RcuPtr's locked()");
}
#endif

void wg_kernel_call_rcu(wg_rcu_head *head, void (*function)(wg_rcu_head *))
{
	kernel->self("call_rcu");
	kernel->call_rcu(head, function);
}

void wg_kernel_rcu_wait(void)
{
	kernel->require_sleepable("rcu_wait");
	u64 since = ++kernel->rcu_clock;

	kernel->rcu_waits++;
	kernel->sleep(kernel->schedule.between(0, kernel->knobs.grace));
	kernel->block("an RCU grace period", [since] { return !kernel->readers_before(since); });
	if (kernel->completed_grace < since)
		kernel->completed_grace = since;
}

void wg_kernel_rcu_barrier(void)
{
	kernel->require_sleepable("rcu_barrier");
	u64 calls = kernel->rcu_calls;

	kernel->block("RCU callbacks", [calls] { return kernel->rcu_called >= calls; });
}

/* ---- locks ---- */

void wg_kernel_spin_init(wg_spinlock *lock, wg_lock_class lock_class)
{
	Spin &spin = *reinterpret_cast<Spin *>(lock);

	if (lock_class >= WG_LOCK_COUNT)
		fail("spin_init with class %d", lock_class);
	spin = {SPIN_MAGIC, lock_class, nullptr};
}

void wg_kernel_spin_lock(wg_spinlock *lock)
{
	Fiber &fiber = kernel->self("spin_lock");
	Spin &spin = spin_of(lock, "spin_lock");

	if (spin.holder == &fiber)
		fail("the %s lock is taken twice", class_name(spin.lock_class));
	kernel->bottom_half_off(fiber);
	kernel->acquired(fiber, lock, spin.lock_class, false, true);
	kernel->block(class_name(spin.lock_class), [&spin] { return spin.holder == nullptr; });
	spin.holder = &fiber;
}

int wg_kernel_spin_trylock(wg_spinlock *lock)
{
	Fiber &fiber = kernel->self("spin_trylock");
	Spin &spin = spin_of(lock, "spin_trylock");

	if (spin.holder)
		return 0;
	kernel->bottom_half_off(fiber);
	kernel->acquired(fiber, lock, spin.lock_class, false, false);
	spin.holder = &fiber;
	return 1;
}

void wg_kernel_spin_unlock(wg_spinlock *lock)
{
	Fiber &fiber = kernel->self("spin_unlock");
	Spin &spin = spin_of(lock, "spin_unlock");

	if (spin.holder != &fiber)
		fail("the %s lock is released by who does not hold it", class_name(spin.lock_class));
	kernel->released(fiber, lock, "spin_unlock");
	spin.holder = nullptr;
	kernel->bottom_half_on(fiber);
	kernel->point();
}

void wg_kernel_rtnl_lock(void)
{
	kernel->require_sleepable("rtnl_lock");
	kernel->take_rtnl();
}

void wg_kernel_rtnl_unlock(void)
{
	kernel->give_rtnl();
	kernel->point();
}

/* ---- time and randomness ---- */

int64_t wg_kernel_now(void)
{
	Fiber &fiber = kernel->self("now");
	i64 coarse = kernel->time - kernel->time % kernel->knobs.tick;

	return coarse + fiber.domain->boot_offset;
}

/* Work takes no time here; between the two looks at this counter it does, now and then much. */
uint64_t wg_kernel_cycles(void)
{
	kernel->require_softirq("cycles");
	Fiber &fiber = *kernel->current;

	if (fiber.in_round)
		fiber.domain->worked += kernel->schedule.chance(kernel->knobs.long_rounds, 1024) ? 5 * MILLISECOND : kernel->schedule.between(0, 100) * MICROSECOND;
	fiber.in_round = !fiber.in_round;
	return static_cast<uint64_t>(kernel->time + fiber.domain->worked);
}

void wg_kernel_wall_clock(uint64_t *seconds, uint32_t *nanoseconds)
{
	Fiber &fiber = kernel->self("wall_clock");
	i64 now = 1700000000 * SECOND + kernel->time + fiber.domain->wall_offset;

	*seconds = static_cast<u64>(now / SECOND);
	*nanoseconds = static_cast<u32>(now % SECOND);
}

void wg_kernel_random_bytes(void *bytes, size_t size)
{
	Fiber &fiber = kernel->self("random_bytes");

	kernel->randomness.fill(bytes, size);
	if (size == sizeof(u32) && kernel->knobs.repeats_indices) {
		auto &[last, is_fresh] = kernel->last_index[fiber.domain];

		if (is_fresh)
			memcpy(bytes, &last, sizeof(last));
		else
			memcpy(&last, bytes, sizeof(last));
		is_fresh = !is_fresh;
		kernel->indices_drawn++;
	}
}

uint32_t wg_kernel_random_below(uint32_t bound)
{
	kernel->self("random_below");
	if (bound == 0)
		fail("random_below(0)");
	return static_cast<u32>(kernel->randomness.below(bound));
}

int wg_kernel_random_is_ready(void)
{
	return kernel->self("random_is_ready").domain->random_is_ready;
}

/* ---- timers ---- */

void wg_kernel_timer_init(wg_timer *timer, void (*function)(void *), void *argument)
{
	Fiber &fiber = kernel->self("timer_init");
	auto object = std::make_unique<TimerObject>();

	add_object(timer, Kernel::Kind::Timer);
	object->function = function;
	object->argument = argument;
	object->domain = fiber.domain;
	object->id = kernel->next_id++;
	*reinterpret_cast<Handle *>(timer) = {TIMER_MAGIC, object->id};
	kernel->timers.emplace(object->id, std::move(object));
}

void wg_kernel_timer_arm(wg_timer *timer, int64_t at)
{
	Fiber &fiber = kernel->self("timer_arm");
	TimerObject &object = timer_of(timer, "timer_arm");

	if (at <= 0)
		fail("timer_arm at %lld", static_cast<long long>(at));
	if (!object.id)
		return;
	if (fiber.domain != object.domain)
		fail("timer_arm from another host");
	object.at = at - object.domain->boot_offset;
	if (object.at < kernel->time)
		object.at = kernel->time;
	object.at = (object.at + kernel->knobs.tick - 1) / kernel->knobs.tick * kernel->knobs.tick;
	object.armed = true;
	kernel->queue_timer(object);
}

namespace {

void stop_timer(Fiber &fiber, wg_timer *timer, const char *service)
{
	TimerObject &object = timer_of(timer, service);

	if (!object.id)
		return;
	WaitsFor waits(fiber, CLASS_TIMER);
	object.armed = false;
	kernel->block("a timer's function", [&object] { return !object.running; });
}

} // namespace

void wg_kernel_timer_cancel(wg_timer *timer)
{
	kernel->require_sleepable("timer_cancel");
	stop_timer(*kernel->current, timer, "timer_cancel");
}

void wg_kernel_timer_delete(wg_timer *timer)
{
	kernel->require_sleepable("timer_delete");
	Handle &handle = *reinterpret_cast<Handle *>(timer);
	u64 id = handle.id;

	timer_of(timer, "timer_delete");
	if (handle.magic == TIMER_MAGIC) {
		handle.magic = TIMER_MAGIC + 1;	/* from here on arming does nothing */
		TimerObject &object = *kernel->timers.at(id);
		WaitsFor waits(*kernel->current, CLASS_TIMER);
		object.armed = false;
		kernel->block("a timer's function", [&object] { return !object.running; });
		kernel->timers.erase(id);
		kernel->objects.erase(address_of(timer));
	}
}

void Kernel::queue_timer(TimerObject &timer)
{
	if (timer.running || (timer.queued_at && timer.queued_at <= timer.at))
		return;
	timer.queued_at = timer.at;
	at(timer.at, [this, id = timer.id, when = timer.at] {
		auto found = timers.find(id);

		if (found == timers.end() || found->second->queued_at != when)
			return;
		found->second->queued_at = 0;
		run_timer(id);
	});
}

void Kernel::run_timer(u64 id)
{
	TimerObject &timer = *timers.at(id);

	if (!timer.armed || timer.running)
		return;
	if (timer.at > time) {
		queue_timer(timer);
		return;
	}
	timer.armed = false;
	timer.running = true;
	spawn(Context::Softirq, *timer.domain, "timer",
	      [this, &timer] {
		      acquired(*current, &timer, CLASS_TIMER, false, true);
		      timer.function(timer.argument);
		      released(*current, &timer, "timer");
	      },
	      ANY_CPU,
	      [this, &timer] {
		      timer.running = false;
		      if (timer.armed)
			      queue_timer(timer);
	      });
}

/* ---- workers ---- */

uint32_t wg_kernel_online_cpus(void)
{
	return kernel->knobs.cpus;
}

wg_workers *wg_kernel_workers_create(wg_netdev *netdev, wg_worker_kind kind, void (*function)(void *), void *argument)
{
	kernel->require_sleepable("workers_create");
	if (kernel->allocation_fails())
		return nullptr;
	auto workers = std::make_unique<wg_workers>();
	wg_workers *result = workers.get();

	workers->netdev = netdev;
	workers->kind = kind;
	workers->function = function;
	workers->argument = argument;
	workers->work.resize(kernel->knobs.cpus);
	workers->id = kernel->next_id++;
	kernel->workers.emplace(workers->id, std::move(workers));
	return result;
}

void wg_kernel_workers_kick(wg_workers *workers)
{
	kernel->self("workers_kick");
	u32 cpu = workers->last_cpu = (workers->last_cpu + 1) % kernel->knobs.cpus;
	wg_workers::Work &work = workers->work[cpu];

	if (work.queued)
		return;
	work.queued = true;
	work.kicks++;
	if (!work.running)
		kernel->queue_work(*workers, cpu, kernel->schedule.between(0, kernel->knobs.worker_latency));
}

void Kernel::queue_work(wg_workers &pool, u32 cpu, i64 latency)
{
	auto held = held_up.find({pool.kind, cpu});

	if (held != held_up.end() && held->second > time + latency)
		latency = held->second - time;
	at(time + latency, [this, id = pool.id, cpu] { run_work(id, cpu); });
}

void Kernel::run_work(u64 id, u32 cpu)
{
	auto found = workers.find(id);

	if (found == workers.end())
		return;
	wg_workers &pool = *found->second;
	wg_workers::Work &work = pool.work[cpu];

	if (!work.queued || work.running)
		return;
	work.queued = false;
	work.running = true;
	spawn(Context::Process, *pool.netdev->domain, pool.kind == WG_WORKER_HANDSHAKE ? "handshake work" : "crypt work",
	      [this, &pool] {
		      acquired(*current, &pool, work_class(pool.kind), true, true);
		      pool.function(pool.argument);
		      released(*current, &pool, "work");
	      },
	      cpu,
	      [this, &pool, &work, cpu] {
		      work.running = false;
		      work.done = work.kicks - (work.queued ? 1 : 0);
		      if (work.queued)
			      queue_work(pool, cpu, schedule.between(0, knobs.worker_latency));
	      });
}

void wg_kernel_workers_flush(wg_workers *workers)
{
	kernel->require_sleepable("workers_flush");
	WaitsFor waits(*kernel->current, work_class(workers->kind));
	std::vector<u64> kicks;

	for (wg_workers::Work &work : workers->work)
		kicks.push_back(work.kicks);
	kernel->block("workers", [&] {
		for (size_t i = 0; i < kicks.size(); i++)
			if (workers->work[i].done < kicks[i])
				return false;
		return true;
	});
}

void wg_kernel_workers_destroy(wg_workers *workers)
{
	kernel->require_sleepable("workers_destroy");
	if (has_run(*workers)) {
		WaitsFor waits(*kernel->current, work_class(workers->kind));

		kernel->block("workers", [workers] {
			for (wg_workers::Work &work : workers->work)
				if (work.queued || work.running)
					return false;
			return true;
		});
	}
	kernel->workers.erase(workers->id);
}

void wg_kernel_maybe_resched(void)
{
	kernel->require_sleepable("maybe_resched");
}

/* ---- pollers ---- */

void wg_kernel_poller_add(wg_poller *poller, wg_netdev *netdev, int (*poll)(void *, int), void *argument)
{
	kernel->require_sleepable("poller_add");
	kernel->require_rtnl("poller_add");
	auto object = std::make_unique<PollerObject>();

	auto before = kernel->objects.find(address_of(poller));
	if (before != kernel->objects.end() && before->second.kind == Kernel::Kind::DeadPoller)
		kernel->objects.erase(before);
	add_object(poller, Kernel::Kind::Poller);
	object->netdev = netdev;
	object->poll = poll;
	object->argument = argument;
	object->id = kernel->next_id++;
	*reinterpret_cast<Handle *>(poller) = {POLLER_MAGIC, object->id};
	kernel->pollers.emplace(object->id, std::move(object));
}

bool wg_kernel_poller_claim(wg_poller *poller)
{
	kernel->require_softirq("poller_claim");
	Handle &handle = *reinterpret_cast<Handle *>(poller);

	if (handle.magic == POLLER_MAGIC + 1)
		return false;	/* disabled: a schedule is forgotten */
	PollerObject &object = poller_of(poller, "poller_claim");

	if (object.disabled)
		return false;
	if (object.scheduled) {
		object.missed = true;
		return false;
	}
	object.missed = false;
	object.scheduled = object.claimed = true;
	return true;
}

static PollerObject &claimed_poller(wg_poller *poller, const char *service)
{
	kernel->require_softirq(service);
	PollerObject &object = poller_of(poller, service);

	if (!object.claimed)
		fail("%s of a poller that nobody claimed", service);
	object.claimed = false;
	return object;
}

void wg_kernel_poller_run(wg_poller *poller)
{
	kernel->queue_poll(claimed_poller(poller, "poller_run"), kernel->current->cpu);
}

void wg_kernel_poller_release(wg_poller *poller)
{
	PollerObject &object = claimed_poller(poller, "poller_release");

	if (object.missed)
		kernel->queue_poll(object, kernel->current->cpu);
	else
		object.scheduled = false;
}

void wg_kernel_poller_run_on(wg_poller *poller, uint32_t cpu)
{
	kernel->queue_poll(claimed_poller(poller, "poller_run_on"), cpu);
}

void wg_kernel_poller_set_away(wg_poller *poller, bool away)
{
	poller_of(poller, "poller_set_away").away = away && kernel->knobs.cpus > 1;
}

/* Nothing here queues for a CPU apart; what the engine sent has passed sooner or later. */
wg_backlog wg_kernel_backlog(void)
{
	return {kernel->current->cpu, 0};
}

bool wg_kernel_backlog_passed(wg_backlog backlog)
{
	kernel->require_softirq("backlog_passed");
	return backlog.cpu == kernel->current->cpu || !kernel->schedule.chance(256, 1024);
}

void Kernel::queue_poll(PollerObject &poller, u32 cpu)
{
	if (poller.away)
		cpu = schedule.below(knobs.cpus);
	at(time + schedule.between(0, knobs.poller_latency), [this, id = poller.id, cpu] { run_poll(id, cpu); });
}

void Kernel::run_poll(u64 id, u32 cpu)
{
	PollerObject &poller = *pollers.at(id);
	auto again = std::make_shared<bool>(false);

	spawn(Context::Softirq, *poller.netdev->domain, "poller",
	      [this, &poller, again] {
		      Fiber &fiber = *current;
		      int budget = schedule.chance(knobs.short_budget, 1024) ? static_cast<int>(schedule.between(1, 8)) : 64;

		      acquired(fiber, &poller, CLASS_POLLER, false, true);
		      poller.runner = &fiber;
		      poller.missed = false;	/* as napi_complete's predecessor does: what came before is seen by this poll */
		      int count = poller.poll(poller.argument, budget);
		      poller.runner = nullptr;
		      released(fiber, &poller, "poller");
		      if (count < 0 || count > budget)
			      fail("a poll with budget %d handled %d", budget, count);
		      point();
		      *again = count == budget || poller.missed;
	      },
	      cpu,
	      [this, &poller, again, cpu] {
		      if (*again)
			      queue_poll(poller, cpu);
		      else
			      poller.scheduled = false;
	      });
}

void wg_kernel_poller_delete(wg_poller *poller)
{
	kernel->require_sleepable("poller_delete");
	PollerObject &object = poller_of(poller, "poller_delete");
	Handle &handle = *reinterpret_cast<Handle *>(poller);

	object.disabled = true;
	{
		WaitsFor waits(*kernel->current, CLASS_POLLER);

		kernel->block("a poller", [&object] { return !object.scheduled; });
	}
	handle.magic = POLLER_MAGIC + 1;
	kernel->pollers.erase(handle.id);
	kernel->objects[address_of(poller)] = {Kernel::Kind::DeadPoller, ++kernel->rcu_clock};
}

/* ---- SIMD ---- */

uint32_t wg_kernel_cpu_features(void)
{
	return kernel->knobs.cpu_features;
}

void wg_kernel_bottom_half_disable(void)
{
	Fiber &fiber = kernel->self("bottom_half_disable");

	kernel->bottom_half_off(fiber);
}

void wg_kernel_bottom_half_enable(void)
{
	Fiber &fiber = kernel->self("bottom_half_enable");

	for (const Fiber::Held &held : fiber.held)
		if (!held.sleeps && held.lock_class < WG_LOCK_COUNT && fiber.bottom_half_depth == 1)
			fail("bottom halves on with the %s lock held", class_name(held.lock_class));
	kernel->bottom_half_on(fiber);
	kernel->point();
}

int wg_kernel_fpu_begin(void)
{
	return kernel->fpu_begin(kernel->self("fpu_begin"));
}

void wg_kernel_fpu_end(void)
{
	kernel->fpu_end(kernel->self("fpu_end"));
	kernel->point();
}

void *wg_kernel_scratch(void)
{
	kernel->require_softirq("scratch");
	return kernel->scratch(*kernel->current);
}

/* ---- crypto ---- */

namespace {

const wg::crypto::Primitives &library()
{
	return wg::test::primitives();
}

/* X25519 takes long: not where others wait. */
void require_unhurried(const char *service)
{
	kernel->require_sleepable(service);
}

} // namespace

static bool counted_x25519(uint8_t *shared, const uint8_t *secret, const uint8_t *public_key)
{
	require_unhurried("x25519");
	kernel->x25519_calls++;
	if (kernel->on_x25519)
		kernel->on_x25519();
	return library().x25519(shared, secret, public_key);
}

static bool unhurried_x25519_public(uint8_t *public_key, const uint8_t *secret)
{
	require_unhurried("x25519_public");
	return library().x25519_public(public_key, secret);
}

const wg_primitives wg_kernel_primitives = {
	.blake2s = [](auto... given) { library().blake2s(given...); },
	.x25519 = counted_x25519,
	.x25519_public = unhurried_x25519_public,
	.aead_seal = [](auto... given) { library().aead_seal(given...); },
	.aead_open = [](auto... given) { return library().aead_open(given...); },
	.xaead_seal = [](auto... given) { library().xaead_seal(given...); },
	.xaead_open = [](auto... given) { return library().xaead_open(given...); },
	.siphash = [](auto... given) { return library().siphash(given...); },
};

/* ---- sockets ---- */

int wg_kernel_sockets_open(wg_namespace *ns, wg_device *device, uint16_t port, const wg_binding *binding, wg_sockets **sockets, uint16_t *chosen)
{
	kernel->require_sleepable("sockets_open");
	ns->bound_to = *binding;
	if (ns->next_open_error) {
		int error = ns->next_open_error;

		ns->next_open_error = 0;
		return error;
	}
	if (kernel->allocation_fails())
		return -12;
	if (port == 0) {
		while (ns->bound.count(ns->next_free_port))
			ns->next_free_port++;
		port = ns->next_free_port++;
	}
	if (ns->bound.count(port))
		return -98;
	kernel->point();
	*sockets = new wg_sockets{ns, device, port};
	*chosen = port;
	ns->bound[port] = *sockets;
	kernel->trace("sockets open", port);
	return 0;
}

void wg_kernel_sockets_close(wg_sockets *sockets)
{
	if (!sockets)
		fail("sockets_close(NULL)");
	kernel->require_sleepable("sockets_close");
	kernel->trace("sockets close", sockets->port);
	sockets->unhooked = true;
	sockets->ns->bound.erase(sockets->port);
	WaitsFor waits(*kernel->current, CLASS_RECEIVE);
	u64 since = ++kernel->rcu_clock;
	kernel->sleep(kernel->schedule.between(0, kernel->knobs.grace));
	kernel->block("receive", [sockets, since] { return sockets->receiving == 0 && !kernel->readers_before(since); });
	delete sockets;
}

void wg_kernel_route_cache_init(wg_route_cache *cache)
{
	add_object(cache, Kernel::Kind::RouteCache);
	*reinterpret_cast<Handle *>(cache) = {CACHE_MAGIC, 0};
}

void wg_kernel_route_cache_reset(wg_route_cache *cache)
{
	if (reinterpret_cast<Handle *>(cache)->magic != CACHE_MAGIC)
		fail("route_cache_reset without init");
	reinterpret_cast<Handle *>(cache)->id = 0;
}

void wg_kernel_route_cache_clear(wg_route_cache *cache)
{
	wg_kernel_route_cache_reset(cache);
	kernel->routes.erase(address_of(cache));
}

void wg_kernel_route_cache_destroy(wg_route_cache *cache)
{
	if (reinterpret_cast<Handle *>(cache)->magic != CACHE_MAGIC)
		fail("route_cache_destroy without init");
	*reinterpret_cast<Handle *>(cache) = {0, 0};
	kernel->objects.erase(address_of(cache));
	kernel->routes.erase(address_of(cache));
}

int wg_kernel_route(wg_sockets *sockets, wg_endpoint *endpoint, wg_source_rule rule, uint32_t mark, wg_route_cache *cache, wg_route *route)
{
	kernel->require_softirq("route");

	if (!kernel->current->rcu_depth)
		fail("route outside an RCU read section");
	if (endpoint->family != 4 && endpoint->family != 6)
		fail("route to family %u", endpoint->family);
	if (cache && reinterpret_cast<Handle *>(cache)->magic != CACHE_MAGIC)
		fail("route with a cache that was never initialised");
	if (kernel->allocation_fails())
		return -12;
	if (!kernel->source_is_usable(*sockets->ns, *endpoint)) {
		memset(endpoint->source, 0, sizeof(endpoint->source));
		endpoint->source_interface = 0;
	}
	*route = {*endpoint, mark, sockets, reinterpret_cast<void *>(static_cast<uintptr_t>(rule))};
	if (cache)
		kernel->routes[address_of(cache)] = sockets->ns;
	return 0;
}

uint32_t wg_kernel_route_mtu(const wg_route *)
{
	kernel->require_softirq("route_mtu");
	return 1500;
}

void wg_kernel_send(wg_netdev *netdev, wg_packet *batch, const wg_route *route, uint8_t traffic_class)
{
	kernel->require_softirq("send");
	wg_sockets *sockets = static_cast<wg_sockets *>(route->socket);

	if (!kernel->current->rcu_depth)
		fail("send outside an RCU read section");
	if (!batch)
		fail("send of nothing");
	while (batch) {
		wg_packet *next = batch->next;
		std::vector<u8> bytes = bytes_of(*batch);

		if (batch->kind != PacketKind::Prepared && batch->kind != PacketKind::Own)
			fail("a packet of kind %d is sent", static_cast<int>(batch->kind));
		if ((bytes[0] == 1) != (reinterpret_cast<uintptr_t>(route->entry) == WG_SOURCE_PREFERRED))
			fail("a message of type %u leaves by the rule for others", bytes[0]);
		batch->next = nullptr;
		wg_kernel_packet_consume(batch);
		if (++kernel->current->sent > MOST_SENT_AT_ONCE)
			fail("%s sends for ever: %u messages, and bottom halves are off all the while", kernel->current->what, MOST_SENT_AT_ONCE);
		netdev->tx_packets++;
		netdev->tx_bytes += bytes.size();
		kernel->on_send(*sockets->ns, sockets->port, route->to, std::move(bytes), traffic_class, route->mark);
		for (u32 n = 0; n < kernel->knobs.points_of_send; n++)
			kernel->point();
		batch = next;
	}
}

/* ---- the network device ---- */

void wg_kernel_count(wg_netdev *netdev, wg_statistic statistic, uint32_t count)
{
	kernel->self("count");
	if (statistic < 0 || statistic > WG_RX_CRC_ERROR)
		fail("count of statistic %d", statistic);
	netdev->count[statistic] += count;
}

void wg_kernel_count_received(wg_netdev *netdev, uint32_t bytes)
{
	kernel->self("count_received");
	if (!netdev->has_statistics)
		fail("a packet is counted, and the kernel has freed the statistics");
	netdev->rx_packets++;
	netdev->rx_bytes += bytes;
}

void wg_kernel_netdev_carrier_off(wg_netdev *netdev)
{
	netdev->carrier = false;
}

uint32_t *wg_kernel_nesting(void)
{
	kernel->require_softirq("nesting");
	return &kernel->nesting[kernel->current->cpu];
}

void wg_kernel_trace(const wg_netdev *netdev, wg_trace, uint64_t peer, const char *what, const wg_endpoint *)
{
	kernel->trace(what, netdev->index, peer);
	EXPECT(strlen(what) < 32);
	netdev->traced[what]++;
}

void wg_kernel_debug_drop(const wg_netdev *netdev, const char *reason, uint64_t peer)
{
	kernel->trace(reason, netdev->index, peer);
}

void wg_kernel_debug_life(const wg_netdev *netdev, const char *kind, uint64_t number, const char *event)
{
	kernel->trace(kind, netdev->index, number);
	kernel->count_object(kind, number, event);
}

void wg_kernel_bug(const char *what)
{
	fail("the bug hook: %s", what);
}
