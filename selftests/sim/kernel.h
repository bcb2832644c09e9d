// SPDX-License-Identifier: GPL-2.0
/* The simulated kernel behind services.h: one machine with a few CPUs, a virtual clock, and a scheduler that a seed decides.
 *
 * What runs, runs on a fiber: softirqs (timers, pollers, packets coming in, RCU callbacks) and process context (workers, configuration).
 * Every service call and every atomic operation of the engine is a place where another CPU may go on first. Rules of context, of locks and
 * of lifetimes are checked at each call; a broken one ends the run with the seed. Time stands still while anything can run.
 */
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>
#include "kernel/engine.h"
#include "fiber.h"
#include "random.h"

namespace sim {

/* Ends the run: prints the message, the seed and the last events, and leaves the process. */
[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char *format, ...);
#define EXPECT(condition) ((condition) ? (void)0 : ::sim::fail("%s:%d: expected: %s", __FILE__, __LINE__, #condition))

/* What a run is about, for fail() and replays; set by the runner. */
struct RunName {
	const char *scenario = "";
	u64 seed = 0;
	bool verbose = false;
};
extern RunName run_name;

/* A "host": what has a clock and a random generator of its own. */
struct Domain {
	u32 id = 0;
	i64 boot_offset = 0;	/* added to the machine's time; grows when the host was suspended */
	i64 wall_offset = 0;	/* of Unix time against it */
	i64 worked = 0;		/* how much further its cycle counter is than the machine's time */
	bool random_is_ready = true;
};

enum class Context : u8 { Process, Softirq };
constexpr u32 ANY_CPU = ~0u;

/* The fiber that destroys a device nobody can reach any more, without rtnl. */
inline constexpr char DESTRUCTOR[] = "destructor";

struct Fiber {
	Stack stack;
	u64 id = 0;
	const char *what = "";
	Context context = Context::Process;
	Domain *domain = nullptr;
	u32 cpu = 0;
	bool pinned = false;
	u32 bottom_half_depth = 0, rcu_depth = 0, fpu_depth = 0;
	u32 sent = 0;		/* messages since bottom halves went off */
	bool in_round = false;	/* between two looks at the cycle counter */
	u64 reader_since = 0;
	i64 wake_at = 0;
	bool (*test)(void *) = nullptr;	/* blocked until true */
	void *test_argument = nullptr;
	const char *blocked_by = nullptr;
	struct Held {
		const void *lock;
		u32 lock_class;
		bool sleeps;
	};
	std::vector<Held> held;
	bool is_softirq() const { return context == Context::Softirq || bottom_half_depth > 0; }
	bool reads() const { return is_softirq() || rcu_depth > 0; }
};

/* What a scenario may turn; the defaults are drawn from the seed. */
struct Knobs {
	u32 cpus = 2;
	u32 points_of_send = 1;		/* at which another CPU may go first while a message leaves */
	u32 preempt = 0;		/* chance of another CPU going first, per 1024 points */
	u32 stall = 0;			/* of those, how many per 1024 are long */
	i64 stall_most = 0;
	i64 worker_latency = 0, poller_latency = 0, grace = 0;	/* at most */
	i64 step_cost = 0;		/* the time a piece of code takes between two points, at most: what else is due then overlaps with it */
	i64 tick = 4 * MILLISECOND;	/* of the coarse clock and the timers */
	u32 allocation_failures = 0;	/* per 1024 */
	u64 fail_allocation = 0;	/* that one, counted from arm_allocations() */
	u32 no_simd = 0;		/* per 1024 FPU sections that may not use SIMD */
	u32 cpu_features = 0;
	u32 short_budget = 0;		/* per 1024 polls with a budget below 64 */
	u32 long_rounds = 200;		/* per 1024 rounds of a poller: it took 5 ms */
	bool shuffled_pieces = true;
	bool repeats_indices = false;	/* a host's random numbers of 4 bytes, session indices, each come twice, the second time for the next drawn */
	bool among_rubbish = false;	/* each received packet comes between two malformed ones */
};

struct TimerObject {
	void (*function)(void *);
	void *argument;
	Domain *domain;
	i64 at = 0, queued_at = 0;
	bool armed = false, running = false;
	u64 id;
};

struct PollerObject {
	wg_netdev *netdev;
	int (*poll)(void *, int);
	void *argument;
	bool scheduled = false, claimed = false, missed = false, disabled = false, away = false;
	Fiber *runner = nullptr;
	u64 id;
};

} // namespace sim

struct wg_netdev {
	sim::Domain *domain = nullptr;
	std::string name;
	sim::u32 index = 0;
	bool up = false, carrier = true;
	bool has_statistics = true;	/* newer kernels free them before the destructor */
	wg_device *device = nullptr;
	void *host = nullptr;
	sim::u64 count[8] = {};
	sim::u64 tx_bytes = 0, rx_bytes = 0, tx_packets = 0, rx_packets = 0, unreachable = 0;
	sim::u32 mtu = 1420;
	int recursion = 0;
	sim::u32 delivered_mark = 0;	/* of the last packet that was opened */
	bool is_listened_to[3] = {};	/* by wg_event_group */
	std::vector<std::pair<wg_event_group, std::vector<sim::u8>>> events;
	mutable std::map<std::string, sim::u32> traced;	/* what the tracepoints told, how often */
};

struct wg_namespace {
	void *host = nullptr;
	sim::Domain *domain = nullptr;
	std::map<sim::u16, wg_sockets *> bound;
	int next_open_error = 0;
	wg_binding bound_to{};		/* what the last sockets were asked to be bound to */
	sim::u16 next_free_port = 32768;
};

struct wg_sockets {
	wg_namespace *ns;
	wg_device *device;
	sim::u16 port;
	bool unhooked = false;
	sim::u32 receiving = 0;
};

struct wg_workers {
	wg_netdev *netdev;
	wg_worker_kind kind;
	void (*function)(void *);
	void *argument;
	sim::u32 last_cpu = 0;
	struct Work {
		bool queued = false, running = false;
		sim::u64 kicks = 0, done = 0;
	};
	std::vector<Work> work;
	bool destroyed = false;
	sim::u64 id;
};

namespace sim {

class Kernel {
public:
	Kernel(u64 seed, const Knobs &knobs);
	~Kernel();
	Kernel(const Kernel &) = delete;
	Kernel &operator=(const Kernel &) = delete;

	Knobs knobs;
	Random schedule, randomness;
	i64 time;		/* the machine's, ns */
	u64 steps = 0;

	/* The outside, set by the world. A packet's bytes are the UDP payload; @endpoint's source is already decided. */
	std::function<void(wg_namespace &, u16 port, const wg_endpoint &, std::vector<u8> &&payload, u8 traffic_class, u32 mark)> on_send;
	std::function<void(wg_netdev &, const std::vector<u8> &inner, u8 outer_class)> on_deliver;
	std::function<bool(wg_namespace &, const wg_endpoint &)> source_is_usable;
	std::function<void(wg_netdev &, const std::vector<u8> &inner)> on_unreachable;

	/* Calls @function in the scheduler at @when: it may start fibers, and must not block. */
	void at(i64 when, std::function<void()> function);
	/* Starts @body; @done is called by the scheduler when it has returned. */
	void spawn(Context context, Domain &domain, const char *what, std::function<void()> body, u32 cpu = ANY_CPU,
		   std::function<void()> done = nullptr);
	/* Runs @body in process context under rtnl, and everything else meanwhile, until it returns. */
	void run_process(Domain &domain, const char *what, std::function<void()> body);
	void run_without_rtnl(Domain &domain, const char *what, std::function<void()> body);
	/* rtnl for the fiber that runs; require_rtnl: @service is called by who holds it. */
	void take_rtnl();
	void give_rtnl();
	void require_rtnl(const char *service);
	/* run_process() without waiting. */
	void start_process(Domain &domain, const char *what, std::function<void()> body, std::function<void()> done = nullptr);
	/* Runs until the clock shows @until (and nothing is left to do at that time). */
	void run_until(i64 until);
	void run_for(i64 duration) { run_until(time + duration); }

	/* Inside a fiber. */
	void point();
	template <typename Test> void block(const char *why, Test test)
	{
		block_on(why, [](void *argument) -> bool { return (*static_cast<Test *>(argument))(); }, &test);
	}
	void sleep(i64 duration);
	Fiber &self(const char *service);
	Fiber *current = nullptr;
	void require_sleepable(const char *service);
	void require_softirq(const char *service);

	/* Locks and lockdep. */
	void acquired(Fiber &, const void *lock, u32 lock_class, bool sleeps, bool may_block);
	void released(Fiber &, const void *lock, const char *service);
	void bottom_half_off(Fiber &);
	void bottom_half_on(Fiber &);

	/* RCU. */
	u64 rcu_clock = 0, completed_grace = 0;
	bool readers_before(u64 since) const;
	u64 rcu_waits = 0;
	void call_rcu(wg_rcu_head *, void (*)(wg_rcu_head *));
	u64 rcu_calls = 0, rcu_called = 0;

	/* Memory. */
	bool allocation_fails();
	void arm_allocations() { allocations_ = 0; }
	u64 allocations() const { return allocations_; }
	struct Allocation {
		size_t size;
		u64 number;
	};
	std::unordered_map<void *, Allocation> memory;
	u64 allocated_bytes = 0, most_allocated_bytes = 0, live_packets = 0, most_live_packets = 0;
	u64 owned_packets = 0;	/* of the live ones: those that a sender's socket is charged for */
	u64 x25519_calls = 0;
	/* What the engine told of: created and not yet destroyed. */
	std::map<std::pair<std::string, u64>, int> objects_told;
	int living(const char *kind) const
	{
		int count = 0;

		for (auto &[object, alive] : objects_told)
			count += object.first == kind ? alive : 0;
		return count;
	}
	void count_object(const char *kind, u64 number, const char *happened) { objects_told[{kind, number}] += *happened == 'c' ? 1 : -1; }
	std::function<void()> on_x25519;	/* in the fiber that calls it, which may block */

	/* Objects inside the engine's memory, by address. */
	enum class Kind : u8 { Timer, Poller, DeadPoller, RouteCache, RcuHead };
	struct Object {
		Kind kind;
		u64 since;	/* RCU clock of a deletion */
	};
	std::map<uintptr_t, Object> objects;
	std::map<uintptr_t, const wg_namespace *> routes;	/* that caches hold, and whose */
	std::unordered_map<u64, std::unique_ptr<TimerObject>> timers;
	std::unordered_map<u64, std::unique_ptr<PollerObject>> pollers;
	std::unordered_map<u64, std::unique_ptr<wg_workers>> workers;
	std::vector<wg_packet *> retired;
	u64 next_id = 1;

	void queue_timer(TimerObject &);
	void run_timer(u64 id);
	void queue_poll(PollerObject &, u32 cpu);
	void run_poll(u64 id, u32 cpu);
	void queue_work(wg_workers &, u32 cpu, i64 latency);
	void run_work(u64 id, u32 cpu);
	/* A worker to be held up: the next run of (kind, cpu) begins this late. */
	std::map<std::pair<int, u32>, i64> held_up;

	u8 *scratch(Fiber &);
	std::vector<u32> nesting;	/* per CPU */
	std::map<const void *, std::pair<u32, bool>> last_index;	/* by host, for repeats_indices */
	u64 indices_drawn = 0;
	bool fpu_begin(Fiber &);
	void fpu_end(Fiber &);

	/* The record of all that happened: its hash is the run's fingerprint. */
	void trace(const char *what, u64 a = 0, u64 b = 0, u64 c = 0);
	void hash_bytes(const void *bytes, size_t size);
	u64 fingerprint() const { return fingerprint_; }
	void print_trace() const;

	/* At the end: nothing may be left. */
	void check_nothing_left();

private:
	struct Event {
		i64 at;
		u64 order;
		std::function<void()> function;
	};
	struct Later {
		bool operator()(const Event &a, const Event &b) const { return a.at != b.at ? a.at > b.at : a.order > b.order; }
	};
	struct Running {
		Fiber *fiber;
		std::function<void()> done;
	};
	struct Coming {
		Context context;
		Domain *domain;
		const char *what;
		u32 cpu;
		std::function<void()> body, done;
	};
	struct RcuCallback {
		wg_rcu_head *head;
		void (*function)(wg_rcu_head *);
		u64 since;
		Domain *domain;
	};
	struct Line {
		i64 time;
		const char *what, *fiber;
		u32 cpu, domain;
		u64 a, b, c;
	};
	void run_until_finished(const char *what, const bool &finished);
	bool step(i64 until);
	bool is_runnable(const Fiber &) const;
	u32 free_cpu(const Fiber &);
	bool is_free(u32 cpu, Context) const;
	bool may_begin(const Coming &) const;
	size_t begin(size_t index);
	void enter(size_t index);
	void block_on(const char *why, bool (*test)(void *), void *argument);
	void finish(Fiber &);
	void schedule_rcu(i64 latency);
	void run_rcu();
	void poison_scratch(u32 cpu);

	std::vector<Event> events_;	/* a heap */
	u64 event_order_ = 0, fiber_ids_ = 0, until_point_ = 0, allocations_ = 0;
	std::vector<Running> running_;	/* have begun */
	std::deque<Coming> coming_;	/* have not yet; in order of their spawning */
	std::vector<std::unique_ptr<Fiber>> pool_;
	std::vector<Fiber *> idle_;
	std::vector<Fiber *> occupied_, fpu_owner_;
	struct alignas(64) Scratch {
		u8 at[WG_SCRATCH_SIZE];
	};
	std::vector<std::vector<Scratch>> scratch_;
	std::vector<u8> scratch_half_;
	std::vector<RcuCallback> callbacks_;
	bool rcu_scheduled_ = false;
	const Fiber *rtnl_holder_ = nullptr;
	std::vector<Line> lines_;
	u64 line_count_ = 0, fingerprint_ = 0xcbf29ce484222325;
};

extern Kernel *kernel;

/* Lock classes beyond services.h's: what a function runs under, so that waiting for it while holding what it takes is seen. */
enum : u32 { CLASS_TIMER = WG_LOCK_COUNT, CLASS_POLLER, CLASS_HANDSHAKE_WORK, CLASS_CRYPT_WORK, CLASS_RTNL, CLASS_RECEIVE, CLASS_COUNT };
const char *class_name(u32 lock_class);

} // namespace sim
