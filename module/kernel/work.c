// SPDX-License-Identifier: GPL-2.0
/* work.c: when and where the engine's code runs: timers, per-CPU workers, NAPI pollers. */
#include <linux/jiffies.h>
#include <linux/netpoll.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "compat.h"
#include "objects.h"
#include "services.h"

/* ---- timers ---- */
static struct wg_timer_object *to_timer(struct wg_timer *timer)
{
	return (struct wg_timer_object *)timer;
}

static void timer_fired(struct timer_list *list)
{
	struct wg_timer_object *timer = container_of(list, struct wg_timer_object, timer);

	timer->function(timer->argument);
}

void wg_kernel_timer_init(struct wg_timer *timer, void (*function)(void *argument), void *argument)
{
	to_timer(timer)->function = function;
	to_timer(timer)->argument = argument;
	timer_setup(&to_timer(timer)->timer, timer_fired, 0);
}

/* Rounds up, so that the engine, looking at the clock when it fires, finds its time come. */
void wg_kernel_timer_arm(struct wg_timer *timer, int64_t at)
{
	s64 left = max_t(s64, at - wg_kernel_now(), 0);
	u64 ticks = min_t(u64, DIV_ROUND_UP_ULL(left, TICK_NSEC), MAX_JIFFY_OFFSET);

	mod_timer(&to_timer(timer)->timer, jiffies + ticks);
}

void wg_kernel_timer_cancel(struct wg_timer *timer)
{
	timer_delete_sync(&to_timer(timer)->timer);
}

void wg_kernel_timer_delete(struct wg_timer *timer)
{
	timer_shutdown_sync(&to_timer(timer)->timer);
}

/* ---- workers ---- */
struct wg_worker {
	struct work_struct work;
	struct wg_workers *workers;
};

struct wg_workers {
	struct workqueue_struct *queue;
	struct wg_worker __percpu *each;
	void (*function)(void *argument);
	void *argument;
	u32 last_cpu;		/* that was asked */
};

uint32_t wg_kernel_online_cpus(void)
{
	return num_online_cpus();
}

static void worker_run(struct work_struct *work)
{
	struct wg_worker *worker = container_of(work, struct wg_worker, work);

	worker->workers->function(worker->workers->argument);
}

struct wg_workers *wg_kernel_workers_create(struct wg_netdev *netdev, enum wg_worker_kind kind,
					    void (*function)(void *argument), void *argument)
{
	struct wg_workers *workers = kzalloc(sizeof(*workers), GFP_KERNEL);
	int cpu;

	if (!workers)
		return NULL;
	workers->function = function;
	workers->argument = argument;
	workers->each = alloc_percpu(struct wg_worker);
	/* Handshakes may wait for the end of a suspend, and run where there is room. Swap may lie behind the tunnel, so sealing must go on
	 * when memory is short. */
	if (kind == WG_WORKER_HANDSHAKE)
		workers->queue = alloc_workqueue("wg-kex-%s", WQ_UNBOUND | WQ_FREEZABLE, 0, wg_to_net_device(netdev)->name);
	else
		workers->queue = alloc_workqueue("wg-crypt-%s", WQ_CPU_INTENSIVE | WQ_MEM_RECLAIM | WG_COMPAT_PERCPU_QUEUE, 0,
						 wg_to_net_device(netdev)->name);
	if (!workers->each || !workers->queue) {
		wg_kernel_workers_destroy(workers);
		return NULL;
	}
	for_each_possible_cpu(cpu) {
		struct wg_worker *worker = per_cpu_ptr(workers->each, cpu);

		/* Each kind of its own class for lockdep: the one may wait for rtnl, and who holds that for the other. */
		if (kind == WG_WORKER_HANDSHAKE)
			INIT_WORK(&worker->work, worker_run);
		else
			INIT_WORK(&worker->work, worker_run);
		worker->workers = workers;
	}
	return workers;
}

void wg_kernel_workers_kick(struct wg_workers *workers)
{
	u32 cpu = cpumask_next(READ_ONCE(workers->last_cpu), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	WRITE_ONCE(workers->last_cpu, cpu);
	queue_work_on(cpu, workers->queue, &per_cpu_ptr(workers->each, cpu)->work);
}

void wg_kernel_workers_flush(struct wg_workers *workers)
{
	flush_workqueue(workers->queue);
}

void wg_kernel_workers_destroy(struct wg_workers *workers)
{
	if (workers->queue)
		destroy_workqueue(workers->queue);
	free_percpu(workers->each);
	kfree(workers);
}

void wg_kernel_maybe_resched(void)
{
	cond_resched_tasks_rcu_qs();
}

/* ---- pollers ---- */
static struct workqueue_struct *any_cpu;	/* its threads run where the scheduler puts them */

int wg_work_init(void)
{
	any_cpu = alloc_workqueue("wg-spread", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return any_cpu ? 0 : -ENOMEM;
}

void wg_work_exit(void)
{
	destroy_workqueue(any_cpu);
}

static struct wg_poller_object *to_poller(struct wg_poller *poller)
{
	return (struct wg_poller_object *)poller;
}

/* A schedule that comes after the poll saw its queue empty finds NAPI still scheduled and sets NAPIF_STATE_MISSED; then
 * napi_complete_done() schedules again. So no wake-up is lost between the two. */
static int napi_polled(struct napi_struct *napi, int budget)
{
	struct wg_poller_object *poller = container_of(napi, struct wg_poller_object, napi);
	int done;

	if (!budget)	/* netpoll wants transmit completions only, and there are none */
		return 0;
	if (poller->is_away) {
		/* Not completed: it stays claimed. NAPI's own thread, if this is in one, takes what has this mark for its own, and polls again. */
		clear_bit(NAPI_STATE_SCHED_THREADED, &napi->state);
		queue_work(any_cpu, &poller->elsewhere);
		return 0;
	}
	done = poller->poll(poller->argument, budget);
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/* Round after round, and between them the thread shares its CPU with others, as softirq does not. The poller is claimed, so its memory stays
 * until it is completed; who deletes it keeps it from being claimed again. */
static void elsewhere(struct work_struct *work)
{
	struct wg_poller_object *poller = container_of(work, struct wg_poller_object, elsewhere);
	struct napi_struct *napi = &poller->napi;
	bool more;

	local_bh_disable();
	do {
		void *lock = netpoll_poll_lock(napi);	/* netpoll has it polled by whoever prints to a console */
		int done = poller->poll(poller->argument, NAPI_POLL_WEIGHT);

		more = test_and_clear_bit(NAPI_STATE_MISSED, &napi->state) || done == NAPI_POLL_WEIGHT;
		napi_complete_done(napi, done);
		more = more && napi_schedule_prep(napi);
		if (more && !poller->is_away) {
			__napi_schedule(napi);
			more = false;
		}
		netpoll_poll_unlock(lock);
		local_bh_enable();
		cond_resched_tasks_rcu_qs();
		local_bh_disable();
	} while (more);
	local_bh_enable();
}

/* In an interrupt of the CPU that was asked. */
static void remote(void *napi)
{
	__napi_schedule(napi);
}

void wg_kernel_poller_add(struct wg_poller *poller, struct wg_netdev *netdev, int (*poll)(void *argument, int budget), void *argument)
{
	struct napi_struct *napi = &to_poller(poller)->napi;

	to_poller(poller)->poll = poll;
	to_poller(poller)->argument = argument;
	to_poller(poller)->is_away = false;
	INIT_WORK(&to_poller(poller)->elsewhere, elsewhere);
	INIT_CSD(&to_poller(poller)->remote, remote, &to_poller(poller)->napi);
	/* Busy polling sockets cannot know which peer feeds them, and a million peers need no ids. */
	set_bit(NAPI_STATE_NO_BUSY_POLL, &napi->state);
	netif_napi_add(wg_to_net_device(netdev), napi, napi_polled);
	napi_enable(napi);
}

bool wg_kernel_poller_claim(struct wg_poller *poller)
{
	return napi_schedule_prep(&to_poller(poller)->napi);
}

void wg_kernel_poller_run(struct wg_poller *poller)
{
	if (to_poller(poller)->is_away)
		queue_work(any_cpu, &to_poller(poller)->elsewhere);
	else
		__napi_schedule(&to_poller(poller)->napi);
}

void wg_kernel_poller_run_on(struct wg_poller *poller, uint32_t cpu)
{
	if (smp_call_function_single_async(cpu, &to_poller(poller)->remote))
		wg_kernel_poller_run(poller);
}

void wg_kernel_poller_set_away(struct wg_poller *poller, bool away)
{
	to_poller(poller)->is_away = away && num_online_cpus() > 1;
}

void wg_kernel_poller_release(struct wg_poller *poller)
{
	napi_complete(&to_poller(poller)->napi);
}

struct wg_backlog wg_kernel_backlog(void)
{
	u32 cpu = smp_processor_id();

	return (struct wg_backlog){ .cpu = cpu, .end = wg_compat_backlog_end(cpu) };
}

/* As receive flow steering decides whether a flow may go to another CPU. */
bool wg_kernel_backlog_passed(struct wg_backlog backlog)
{
	return backlog.cpu == smp_processor_id() || (s32)(wg_compat_backlog_begin(backlog.cpu) - backlog.end) >= 0;
}

void wg_kernel_poller_delete(struct wg_poller *poller)
{
	napi_disable(&to_poller(poller)->napi);
	__netif_napi_del(&to_poller(poller)->napi);
}
