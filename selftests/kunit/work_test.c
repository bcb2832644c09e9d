// SPDX-License-Identifier: GPL-2.0
/* work_test.c: what kernel/work.c promises of timers, workers and pollers, against the kernel's own. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include "objects.h"
#include "services.h"
#include "suites.h"

/* ---- timers ---- */
struct bell {
	struct wg_timer timer;
	struct completion rung;
	atomic_t times;
	s64 at;
};

static void ring(void *argument)
{
	struct bell *bell = argument;

	bell->at = wg_kernel_now();
	atomic_inc(&bell->times);
	complete(&bell->rung);
}

/* Not on the stack: kernels that watch objects ask that those there be announced. */
static struct bell *start(struct kunit *test)
{
	struct bell *bell = kunit_kzalloc(test, sizeof(*bell), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bell);
	init_completion(&bell->rung);
	wg_kernel_timer_init(&bell->timer, ring, bell);
	return bell;
}

static void a_timer_fires_once_and_not_before_its_time(struct kunit *test)
{
	static const u32 waits[] = { 0, 1, 3, 7, 20, 50 };
	struct bell *bell = start(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		s64 at = wg_kernel_now() + waits[i] * NSEC_PER_MSEC;

		reinit_completion(&bell->rung);
		wg_kernel_timer_arm(&bell->timer, at);
		KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&bell->rung, 10 * HZ), 0ul);
		KUNIT_EXPECT_GE(test, bell->at, at);
		KUNIT_EXPECT_EQ(test, atomic_read(&bell->times), i + 1);
	}
	wg_kernel_timer_delete(&bell->timer);
}

static void a_time_in_the_past_is_now(struct kunit *test)
{
	struct bell *bell = start(test);

	wg_kernel_timer_arm(&bell->timer, 1);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&bell->rung, 10 * HZ), 0ul);
	reinit_completion(&bell->rung);
	wg_kernel_timer_arm(&bell->timer, wg_kernel_now() - 3600 * NSEC_PER_SEC);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&bell->rung, 10 * HZ), 0ul);
	wg_kernel_timer_delete(&bell->timer);
}

static void arming_again_moves_it(struct kunit *test)
{
	struct bell *bell = start(test);

	wg_kernel_timer_arm(&bell->timer, wg_kernel_now() + 3600 * NSEC_PER_SEC);
	wg_kernel_timer_arm(&bell->timer, wg_kernel_now() + NSEC_PER_MSEC);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&bell->rung, 10 * HZ), 0ul);
	wg_kernel_timer_arm(&bell->timer, S64_MAX);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&bell->times), 1);
	wg_kernel_timer_delete(&bell->timer);
}

static void a_cancelled_timer_may_be_armed_again_and_a_deleted_one_may_not(struct kunit *test)
{
	struct bell *bell = start(test);

	wg_kernel_timer_arm(&bell->timer, wg_kernel_now() + 30 * NSEC_PER_MSEC);
	wg_kernel_timer_cancel(&bell->timer);
	msleep(60);
	KUNIT_EXPECT_EQ(test, atomic_read(&bell->times), 0);
	wg_kernel_timer_arm(&bell->timer, wg_kernel_now());
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&bell->rung, 10 * HZ), 0ul);
	wg_kernel_timer_delete(&bell->timer);
	wg_kernel_timer_arm(&bell->timer, wg_kernel_now());
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&bell->times), 1);
}

/* ---- workers ---- */
struct job {
	atomic_t left, runs;
};

static void work_off(void *argument)
{
	struct job *job = argument;

	while (atomic_dec_if_positive(&job->left) >= 0)
		wg_kernel_maybe_resched();
	atomic_inc(&job->runs);
}

/* Work that is there before the kick is done when flush comes back. */
static void a_kick_is_never_lost(struct kunit *test)
{
	struct job job = { ATOMIC_INIT(0), ATOMIC_INIT(0) };
	enum wg_worker_kind kind;
	int i;

	for (kind = WG_WORKER_HANDSHAKE; kind <= WG_WORKER_CRYPT; kind++) {
		struct wg_workers *workers = wg_kernel_workers_create(test->priv, kind, work_off, &job);

		KUNIT_ASSERT_NOT_NULL(test, workers);
		for (i = 0; i < 2000; i++) {
			atomic_inc(&job.left);
			wg_kernel_workers_kick(workers);
			if (i % 100 == 99) {
				wg_kernel_workers_flush(workers);
				KUNIT_EXPECT_LE(test, atomic_read(&job.left), 0);
			}
		}
		KUNIT_EXPECT_GT(test, atomic_read(&job.runs), 0);
		wg_kernel_workers_destroy(workers);
	}
}

/* ---- pollers ---- */
struct counter {
	struct wg_poller poller;
	atomic_t waiting, handled, inside, overlaps, polls, too_many;
	bool changes_place;
};

static int take(void *argument, int budget)
{
	struct counter *counter = argument;
	int done = 0, nth = atomic_inc_return(&counter->polls);

	if (atomic_inc_return(&counter->inside) != 1)
		atomic_inc(&counter->overlaps);
	if (counter->changes_place)
		wg_kernel_poller_set_away(&counter->poller, nth / 3 % 2);
	while (done < budget && atomic_dec_if_positive(&counter->waiting) >= 0)
		done++;
	atomic_add(done, &counter->handled);
	atomic_dec(&counter->inside);
	return done;
}

static struct counter *counter_of(struct kunit *test)
{
	struct counter *counter = kunit_kzalloc(test, sizeof(*counter), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, counter);
	rtnl_lock();
	wg_kernel_poller_add(&counter->poller, test->priv, take, counter);
	rtnl_unlock();
	return counter;
}

static bool comes_to(atomic_t *number, int value)
{
	unsigned long end = jiffies + 20 * HZ;

	while (atomic_read(number) != value) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(100, 200);
	}
	return true;
}

static void leave(struct counter *counter)
{
	local_bh_disable();
	atomic_inc(&counter->waiting);
	if (wg_kernel_poller_claim(&counter->poller))
		wg_kernel_poller_run(&counter->poller);
	local_bh_enable();
}

static int leave_many(void *argument)
{
	struct counter *counter = argument;
	int i;

	for (i = 0; i < 5000; i++) {
		leave(counter);
		if (i % 64 == 0)
			cond_resched();
		if (i % 1000 == 999)
			usleep_range(1000, 2000);	/* so that it empties, too */
	}
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static void hand_over(struct kunit *test, bool changes_place)
{
	struct counter *counter = counter_of(test);
	struct task_struct *givers[4];
	int i;

	counter->changes_place = changes_place;
	for (i = 0; i < ARRAY_SIZE(givers); i++) {
		givers[i] = kthread_run(leave_many, counter, "wg-giver");
		KUNIT_ASSERT_FALSE(test, IS_ERR(givers[i]));
	}
	KUNIT_EXPECT_TRUE(test, comes_to(&counter->handled, 5000 * ARRAY_SIZE(givers)));
	for (i = 0; i < ARRAY_SIZE(givers); i++)
		kthread_stop(givers[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&counter->overlaps), 0);
	KUNIT_EXPECT_LT(test, atomic_read(&counter->waiting), 1);
	wg_kernel_poller_delete(&counter->poller);
	KUNIT_EXPECT_EQ(test, atomic_read(&counter->inside), 0);
	synchronize_net();
}

static void nothing_left_to_a_poller_stays_and_it_never_polls_twice_at_once(struct kunit *test)
{
	hand_over(test, false);
}

static void nor_when_it_moves_between_softirq_and_thread(struct kunit *test)
{
	hand_over(test, true);
}

/* What comes while it is claimed is polled after release. */
static void claimed_it_does_not_poll_and_released_it_does(struct kunit *test)
{
	struct counter *counter = counter_of(test);
	bool first, second;

	local_bh_disable();
	first = wg_kernel_poller_claim(&counter->poller);
	atomic_inc(&counter->waiting);
	second = wg_kernel_poller_claim(&counter->poller);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, first);
	KUNIT_EXPECT_FALSE(test, second);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&counter->polls), 0);
	local_bh_disable();
	wg_kernel_poller_release(&counter->poller);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, comes_to(&counter->handled, 1));

	local_bh_disable();
	first = wg_kernel_poller_claim(&counter->poller);
	wg_kernel_poller_release(&counter->poller);
	second = wg_kernel_poller_claim(&counter->poller);
	wg_kernel_poller_release(&counter->poller);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, first);
	KUNIT_EXPECT_TRUE(test, second);
	wg_kernel_poller_delete(&counter->poller);
	synchronize_net();
}

/* The last CPU may be the only one. */
static void it_polls_for_whoever_sends_it_to_another_cpu(struct kunit *test)
{
	struct counter *counter = counter_of(test);
	int cpu, count = 0;

	for_each_possible_cpu(cpu) {
		local_bh_disable();
		atomic_inc(&counter->waiting);
		if (wg_kernel_poller_claim(&counter->poller))
			wg_kernel_poller_run_on(&counter->poller, cpu);
		local_bh_enable();
		KUNIT_EXPECT_TRUE(test, comes_to(&counter->handled, ++count));
		msleep(5);	/* until it has completed */
	}
	wg_kernel_poller_delete(&counter->poller);
	synchronize_net();
}

struct busy {
	struct wg_poller poller;
	s64 until;
};

static int is_never_done(void *argument, int budget)
{
	struct busy *busy = argument;

	return wg_kernel_now() < READ_ONCE(busy->until) ? budget : 0;
}

/* Whoever changes the kernel's code waits until each task has slept or said that it might have: RCU's kind for tasks, where there is one. */
static void a_busy_one_in_a_thread_does_not_hold_up_who_waits_for_all_tasks(struct kunit *test)
{
	struct busy *busy = kunit_kzalloc(test, sizeof(*busy), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, busy);
	rtnl_lock();
	wg_kernel_poller_add(&busy->poller, test->priv, is_never_done, busy);
	rtnl_unlock();
	wg_kernel_poller_set_away(&busy->poller, true);
	busy->until = wg_kernel_now() + 20 * NSEC_PER_SEC;
	local_bh_disable();
	if (wg_kernel_poller_claim(&busy->poller))
		wg_kernel_poller_run(&busy->poller);
	local_bh_enable();
	msleep(20);
	synchronize_rcu_tasks();
	KUNIT_EXPECT_LT(test, wg_kernel_now(), busy->until);
	WRITE_ONCE(busy->until, 0);
	wg_kernel_poller_delete(&busy->poller);
	synchronize_net();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_timer_fires_once_and_not_before_its_time),
	KUNIT_CASE(a_time_in_the_past_is_now),
	KUNIT_CASE(arming_again_moves_it),
	KUNIT_CASE(a_cancelled_timer_may_be_armed_again_and_a_deleted_one_may_not),
	KUNIT_CASE(a_kick_is_never_lost),
	KUNIT_CASE(nothing_left_to_a_poller_stays_and_it_never_polls_twice_at_once),
	KUNIT_CASE(nor_when_it_moves_between_softirq_and_thread),
	KUNIT_CASE(claimed_it_does_not_poll_and_released_it_does),
	KUNIT_CASE(it_polls_for_whoever_sends_it_to_another_cpu),
	KUNIT_CASE(a_busy_one_in_a_thread_does_not_hold_up_who_waits_for_all_tasks),
	{}
};

struct kunit_suite wg_work_test_suite = { .name = "work_test", .init = wg_kunit_device, .exit = wg_kunit_free_device, .test_cases = cases };
