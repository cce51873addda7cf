/**
 * @file test_worker.c  The thread for what blocks: order, limits, leaving
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/clock.h>
#include <offhook/timer.h>
#include <offhook/worker.h>


enum { MANY = 256 };

static struct timer guard;
static bool timed_out;


static void guard_h(void *arg)
{
	(void)arg;
	timed_out = true;
	re_cancel();
}


static void loop_run(void)
{
	timed_out = false;
	timer_start(&guard, 10000, guard_h, NULL);
	assert_int_equal(re_main(NULL), 0);
	timer_cancel(&guard);
	assert_false(timed_out);
}


static int setup(void **state)
{
	(void)state;

	return libre_init() || timers_open();
}


static int teardown(void **state)
{
	(void)state;

	timers_close();
	libre_close();

	return 0;
}


/* What one post goes through; the worker's thread writes only `worked` */
struct task {
	unsigned index;
	bool worked;
	bool on_owner;
	unsigned done;
	atomic_uint dropped;
	struct worker **free_in_done;
};

static unsigned done_n;
static unsigned done_stop;
static unsigned next_index;
static pthread_t owner;


static void work(void *arg)
{
	struct task *t = arg;

	t->worked = true;
	t->on_owner = pthread_equal(pthread_self(), owner);
}


static void done(void *arg)
{
	struct task *t = arg;

	assert_true(pthread_equal(pthread_self(), owner));
	assert_true(t->worked);
	assert_false(t->on_owner);
	assert_int_equal(t->index, next_index);
	++next_index;
	++t->done;

	if (t->free_in_done)
		*t->free_in_done = mem_deref(*t->free_in_done);

	if (++done_n == done_stop)
		re_cancel();
}


static void drop(void *arg)
{
	struct task *t = arg;

	atomic_fetch_add(&t->dropped, 1);
}


static void tasks_reset(struct task *t, unsigned n, unsigned stop)
{
	memset(t, 0, n * sizeof(*t));
	for (unsigned i = 0; i < n; i++)
		t[i].index = i;

	owner = pthread_self();
	next_index = done_n = 0;
	done_stop = stop;
}


static void test_order(void **state)
{
	static struct task t[MANY + 1];
	struct worker *w = NULL;
	(void)state;

	assert_int_equal(worker_alloc(NULL, "x"), EINVAL);
	assert_int_equal(worker_alloc(&w, "a-name-longer-than-16-bytes"), 0);
	tasks_reset(t, MANY + 1, MANY);
	assert_int_equal(worker_post(w, NULL, done, drop, t), EINVAL);

	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(worker_post(w, work, done, drop, &t[i]), 0);
	assert_int_equal(worker_post(w, work, done, drop, &t[MANY]), EAGAIN);

	loop_run();
	assert_int_equal(done_n, MANY);

	/* there is room again */
	done_stop = MANY + 1;
	assert_int_equal(worker_post(w, work, done, drop, &t[MANY]), 0);
	loop_run();

	for (unsigned i = 0; i <= MANY; i++) {
		assert_int_equal(t[i].done, 1);
		assert_int_equal(t[i].dropped, 0);
	}

	mem_deref(w);
}


static void test_unused(void **state)
{
	struct worker *w = NULL;
	(void)state;

	assert_int_equal(worker_alloc(&w, "idle"), 0);
	mem_deref(w);
}


static void test_free_in_done(void **state)
{
	static struct task t[8];
	struct worker *w = NULL;
	(void)state;

	assert_int_equal(worker_alloc(&w, "test"), 0);
	tasks_reset(t, 8, 3);
	t[2].free_in_done = &w;

	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(worker_post(w, work, done, drop, &t[i]), 0);

	loop_run();
	assert_null(w);

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(t[i].done, i < 3);
		assert_int_equal(t[i].dropped, i >= 3);
	}
}


static sem_t begun, go, dropped;


static void work_stuck(void *arg)
{
	struct task *t = arg;

	(void)sem_post(&begun);
	while (sem_wait(&go) == -1 && errno == EINTR)
		;
	t->worked = true;
}


static void drop_stuck(void *arg)
{
	drop(arg);
	(void)sem_post(&dropped);
}


static void wait_sem(sem_t *sem)
{
	while (sem_wait(sem) == -1)
		assert_int_equal(errno, EINTR);
}


/* Freed while work is stuck: a short wait, then the thread is on its own */
static void test_free_while_stuck(void **state)
{
	static struct task t[2];
	struct worker *w = NULL;
	uint64_t begin;
	(void)state;

	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&go, 0, 0), 0);
	assert_int_equal(sem_init(&dropped, 0, 0), 0);

	assert_int_equal(worker_alloc(&w, "stuck"), 0);
	tasks_reset(t, 2, 0);
	assert_int_equal(worker_post(w, work_stuck, done, drop_stuck, &t[0]),
			 0);
	assert_int_equal(worker_post(w, work, done, drop, &t[1]), 0);
	wait_sem(&begun);

	begin = clock_ms();
	mem_deref(w);
	assert_in_range(clock_ms() - begin, 190, 5000);

	/* not begun: dropped at once; running: when it ends */
	assert_int_equal(t[1].dropped, 1);
	assert_false(t[1].worked);
	assert_int_equal(t[0].dropped, 0);

	(void)sem_post(&go);
	wait_sem(&dropped);
	assert_int_equal(t[0].dropped, 1);
	assert_int_equal(t[0].done, 0);
	assert_int_equal(done_n, 0);
}


static void work_begun(void *arg)
{
	work(arg);
	(void)sem_post(&begun);
}


/* Freed when a result is there and nobody has come for it */
static void test_free_with_result(void **state)
{
	static struct task t[2];
	struct worker *w = NULL;
	(void)state;

	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(worker_alloc(&w, "result"), 0);
	tasks_reset(t, 2, 0);
	assert_int_equal(worker_post(w, work, done, drop, &t[0]), 0);
	assert_int_equal(worker_post(w, work_begun, done, drop, &t[1]), 0);
	wait_sem(&begun);          /* so the first has ended */
	mem_deref(w);

	for (unsigned i = 0; i < 2; i++) {
		assert_true(t[i].worked);
		assert_int_equal(t[i].dropped, 1);
		assert_int_equal(t[i].done, 0);
	}
}


/* Freed while work is about to end: its result goes to drop, and joined */
static void test_free_while_running(void **state)
{
	static struct task t[1];
	struct worker *w = NULL;
	(void)state;

	for (int i = 0; i < 200; i++) {
		assert_int_equal(worker_alloc(&w, "race"), 0);
		tasks_reset(t, 1, 0);
		assert_int_equal(worker_post(w, work, done, drop, t), 0);
		w = mem_deref(w);
		assert_int_equal(t->dropped, 1);
		assert_int_equal(t->done, 0);
	}
}


static void work_signals(void *arg)
{
	struct task *t = arg;
	sigset_t set;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &set);
	t->worked = sigismember(&set, SIGINT) && sigismember(&set, SIGTERM);
}


static void test_signals_blocked(void **state)
{
	static struct task t[1];
	struct worker *w = NULL;
	sigset_t set;
	(void)state;

	assert_int_equal(worker_alloc(&w, "signals"), 0);
	tasks_reset(t, 1, 1);
	assert_int_equal(worker_post(w, work_signals, done, NULL, t), 0);
	loop_run();
	assert_true(t->worked);

	(void)pthread_sigmask(SIG_BLOCK, NULL, &set);
	assert_false(sigismember(&set, SIGINT));   /* ours is as it was */
	mem_deref(w);
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_order),
		T(test_unused),
		T(test_free_in_done),
		T(test_free_while_stuck),
		T(test_free_with_result),
		T(test_free_while_running),
		T(test_signals_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
