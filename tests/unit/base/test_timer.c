/**
 * @file test_timer.c  Timers: order, cancelling, the loop, idleness
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/clock.h>
#include <offhook/timer.h>


#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))

static int fired[64];
static unsigned fired_n;


static void note_h(void *arg)
{
	fired[fired_n++ % ARRAY(fired)] = *(int *)arg;
}


static int setup_fake(void **state)
{
	(void)state;

	fired_n = 0;
	clock_fake_start(1000000000ULL);

	return timers_open();
}


static int teardown_fake(void **state)
{
	(void)state;

	timers_close();
	clock_fake_stop();

	return 0;
}


static void test_order(void **state)
{
	static const uint64_t delays[] = {30, 10, 20, 10, 0, 10};
	static const int want[] = {4, 1, 3, 5, 2, 0};
	struct timer t[ARRAY(delays)] = {0};
	int id[ARRAY(delays)];
	(void)state;

	for (size_t i = 0; i < ARRAY(t); i++) {
		id[i] = (int)i;
		timer_start(&t[i], delays[i], note_h, &id[i]);
		assert_true(timer_running(&t[i]));
		assert_int_equal(timer_left_ms(&t[i]), delays[i]);
	}
	assert_int_equal(timers_count(), ARRAY(t));

	timers_advance(9);
	assert_int_equal(fired_n, 1);
	assert_int_equal(timer_left_ms(&t[1]), 1);

	timers_advance(1);
	assert_int_equal(fired_n, 4);

	timers_advance(1000);
	assert_int_equal(fired_n, ARRAY(t));
	assert_memory_equal(fired, want, sizeof(want));
	assert_int_equal(timers_count(), 0);
	assert_int_equal(clock_ms(), 2010);

	for (size_t i = 0; i < ARRAY(t); i++) {
		assert_false(timer_running(&t[i]));
		assert_int_equal(timer_left_ms(&t[i]), 0);
	}
}


static void test_cancel_restart(void **state)
{
	struct timer a = {0}, b = {0}, c = {0};
	int one = 1, two = 2, three = 3;
	(void)state;

	timer_cancel(NULL);
	timer_cancel(&a);             /* never started */
	assert_false(timer_running(NULL));

	timer_start(&a, 10, note_h, &one);
	timer_start(&b, 20, note_h, &two);
	timer_start(&c, 30, note_h, &three);
	timer_cancel(&b);
	assert_false(timer_running(&b));
	timer_cancel(&b);
	timer_start(&a, 40, note_h, &one);    /* replaced, not doubled */
	assert_int_equal(timers_count(), 2);

	timers_advance(100);
	assert_int_equal(fired_n, 2);
	assert_int_equal(fired[0], 3);
	assert_int_equal(fired[1], 1);
}


static void test_far_away(void **state)
{
	struct timer t = {0};
	int one = 1;
	(void)state;

	timer_start(&t, UINT64_MAX, note_h, &one);
	assert_true(timer_running(&t));
	timers_advance(1000ULL * 3600 * 24 * 365);
	assert_int_equal(fired_n, 0);
	timer_cancel(&t);

	/* a time that has passed is due at once */
	timer_start_ns(&t, 0, note_h, &one);
	timers_advance(0);
	assert_int_equal(fired_n, 1);
}


struct chain {
	struct timer t;
	struct timer *victim;
	unsigned left;
	uint64_t due_ns;
};


static void chain_h(void *arg)
{
	struct chain *ch = arg;

	++fired_n;
	timer_cancel(ch->victim);

	if (ch->left--) {
		ch->due_ns += 20000000;
		timer_start_ns(&ch->t, ch->due_ns, chain_h, ch);
	}
}


static void test_handler_restarts_and_cancels(void **state)
{
	struct timer victim = {0};
	struct chain ch = {.victim = &victim, .left = 4};
	int one = 1;
	(void)state;

	ch.due_ns = clock_ns();
	timer_start(&ch.t, 0, chain_h, &ch);
	timer_start(&victim, 0, note_h, &one);

	timers_advance(80);
	assert_int_equal(fired_n, 5);         /* the victim never did */
	assert_int_equal(timers_count(), 0);
	assert_int_equal(ch.due_ns, clock_ns());
}


static void free_h(void *arg)
{
	struct chain *ch = arg;

	++fired_n;
	mem_deref(ch);
}


static void test_handler_frees_owner(void **state)
{
	struct chain *ch = mem_zalloc(sizeof(*ch), NULL);
	(void)state;

	assert_non_null(ch);
	timer_start(&ch->t, 5, free_h, ch);
	timers_advance(5);
	assert_int_equal(fired_n, 1);
}


/* Thousands, started and cancelled at random, against a plain model */
static void test_many(void **state)
{
	enum { N = 500, ROUNDS = 200000 };
	static struct timer t[N];
	static uint64_t due[N];
	uint32_t rnd = 1;
	unsigned running = 0;
	static int id[N];
	(void)state;

	for (int i = 0; i < N; i++)
		id[i] = i;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned k;

		rnd = rnd * 1664525 + 1013904223;
		k = rnd >> 8;

		if (k % 16 == 0) {
			const uint64_t end = clock_ns() + (k >> 4) % 8 *
				1000000;
			unsigned expect = 0;

			for (int j = 0; j < N; j++)
				expect += due[j] && due[j] <= end;

			fired_n = 0;
			timers_advance((k >> 4) % 8);
			assert_int_equal(fired_n, expect);
			running -= expect;

			for (int j = 0; j < N; j++) {
				if (due[j] && due[j] <= end)
					due[j] = 0;
				assert_int_equal(timer_running(&t[j]),
						 due[j] != 0);
			}
		}
		else if (k % 4 == 0) {
			const unsigned j = (k >> 8) % N;

			running -= due[j] != 0;
			timer_cancel(&t[j]);
			due[j] = 0;
		}
		else {
			const unsigned j = (k >> 8) % N;

			running += due[j] == 0;
			due[j] = clock_ns() + (k % 300) * 1000000;
			timer_start(&t[j], k % 300, note_h, &id[j]);
		}

		assert_int_equal(timers_count(), running);
	}
}


/* With the real clock, in a libre loop ------------------------------ */

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


static int setup_loop(void **state)
{
	(void)state;

	fired_n = 0;

	return libre_init() || timers_open();
}


static int teardown_loop(void **state)
{
	(void)state;

	timers_close();
	libre_close();

	return 0;
}


static void stop_h(void *arg)
{
	*(uint64_t *)arg = clock_ns();
	re_cancel();
}


static void test_loop_fires_in_time(void **state)
{
	struct timer a = {0}, b = {0}, stop = {0};
	int one = 1, two = 2;
	uint64_t begin = clock_ns(), end = 0;
	(void)state;

	assert_int_equal(timers_open(), EALREADY);

	timer_start(&b, 20, note_h, &two);
	timer_start(&stop, 40, stop_h, &end);
	timer_start(&a, 1, note_h, &one);
	loop_run();

	assert_int_equal(fired_n, 2);
	assert_int_equal(fired[0], 1);
	assert_int_equal(fired[1], 2);
	assert_true(end - begin >= 40000000ULL);   /* never too early */
}


/* What is due before the time the descriptor is set to moves it forward */
static void test_loop_earlier_moves_forward(void **state)
{
	struct timer late = {0}, stop = {0};
	uint64_t begin = clock_ns(), end = 0;
	int one = 1;
	(void)state;

	timer_start(&late, 60000, note_h, &one);
	timer_start(&stop, 1, stop_h, &end);
	loop_run();

	assert_int_equal(fired_n, 0);
	assert_in_range(end - begin, 1000000, 9000000000ULL);
	timer_cancel(&late);
}


struct again {
	struct timer t;
	unsigned n;
	int pipe[2];
	struct compat_fd watch;
	unsigned heard;
};


static void again_h(void *arg)
{
	struct again *a = arg;

	/* a time long past: due again at once */
	assert_true(++a->n < 1000);
	timer_start_ns(&a->t, 0, again_h, a);
}


static void pipe_h(int flags, void *arg)
{
	struct again *a = arg;
	(void)flags;

	/* the timer and the socket take turns */
	if (++a->heard == 50)
		re_cancel();
}


/* A timer that restarts itself at once must not starve a socket */
static void test_loop_zero_delay_is_fair(void **state)
{
	struct again a = {0};
	(void)state;

	assert_int_equal(pipe(a.pipe), 0);
	assert_int_equal(write(a.pipe[1], "x", 1), 1);
	assert_int_equal(compat_fd_listen(&a.watch, a.pipe[0], FD_READ,
					  pipe_h, &a), 0);

	timer_start(&a.t, 0, again_h, &a);
	loop_run();

	assert_int_equal(a.heard, 50);
	assert_in_range(a.n, 40, 60);

	timer_cancel(&a.t);
	compat_fd_close(&a.watch);
	(void)close(a.pipe[0]);
	(void)close(a.pipe[1]);
}


/* The descriptor of the timers, found as the kernel shows it */
static int find_timerfd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;
	int found = -1;

	assert_non_null(dir);

	while ((e = readdir(dir))) {
		char path[300], to[64] = "";

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s",
			       e->d_name);
		if (readlink(path, to, sizeof(to) - 1) > 0 &&
		    !strcmp(to, "anon_inode:[timerfd]"))
			found = atoi(e->d_name);
	}
	(void)closedir(dir);

	return found;
}


static bool timerfd_is_armed(int fd)
{
	struct itimerspec its;

	assert_int_equal(timerfd_gettime(fd, &its), 0);

	return its.it_value.tv_sec || its.it_value.tv_nsec;
}


static void test_loop_idle_is_disarmed(void **state)
{
	struct timer a = {0};
	uint64_t end = 0;
	const int fd = find_timerfd();
	(void)state;

	assert_true(fd >= 0);
	assert_false(timerfd_is_armed(fd));

	timer_start(&a, 5, stop_h, &end);
	assert_true(timerfd_is_armed(fd));
	assert_int_equal(re_main(NULL), 0);
	assert_true(end > 0);

	/* nothing runs, nothing will wake us, nothing is left to read */
	assert_false(timerfd_is_armed(fd));
	assert_int_equal(read(fd, &end, sizeof(end)), -1);
	assert_int_equal(errno, EAGAIN);
}


/* A cancelled timer wakes the loop once at most, and fires nothing */
static void test_loop_stale_wake(void **state)
{
	struct timer a = {0}, stop = {0};
	uint64_t end = 0;
	const int fd = find_timerfd();
	int one = 1;
	(void)state;

	timer_start(&a, 5, note_h, &one);
	timer_cancel(&a);
	timer_start(&stop, 30, stop_h, &end);
	loop_run();
	assert_int_equal(fired_n, 0);
	assert_true(end > 0);

	timer_start(&stop, 0, stop_h, &end);
	loop_run();
	timer_start(&stop, 0, stop_h, &end);
	assert_int_equal(re_main(NULL), 0);
	assert_true(timerfd_is_armed(fd) ||
		    read(fd, &end, sizeof(end)) == -1);
	assert_int_equal(timers_count(), 0);
}


static void *thread_loop(void *arg)
{
	struct timer stop = {0};
	uint64_t *end = arg;

	if (re_thread_init() || timers_open())
		return NULL;

	timer_start(&stop, 10, stop_h, end);
	(void)re_main(NULL);

	timers_close();
	re_thread_close();

	return arg;
}


static void test_threads_are_apart(void **state)
{
	struct timer stop = {0};
	uint64_t there = 0, here = 0;
	pthread_t thread;
	void *ret = NULL;
	(void)state;

	assert_int_equal(pthread_create(&thread, NULL, thread_loop, &there),
			 0);
	timer_start(&stop, 10, stop_h, &here);
	loop_run();
	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_non_null(ret);

	assert_true(here > 0);
	assert_true(there > 0);
}


int main(void)
{
#define FAKE(t) cmocka_unit_test_setup_teardown(t, setup_fake, teardown_fake)
#define LOOP(t) cmocka_unit_test_setup_teardown(t, setup_loop, teardown_loop)
	const struct CMUnitTest tests[] = {
		FAKE(test_order),
		FAKE(test_cancel_restart),
		FAKE(test_far_away),
		FAKE(test_handler_restarts_and_cancels),
		FAKE(test_handler_frees_owner),
		FAKE(test_many),
		LOOP(test_loop_fires_in_time),
		LOOP(test_loop_earlier_moves_forward),
		LOOP(test_loop_zero_delay_is_fair),
		LOOP(test_loop_idle_is_disarmed),
		LOOP(test_loop_stale_wake),
		LOOP(test_threads_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
