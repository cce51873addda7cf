/**
 * @file test_callback.c  PortAudio's callbacks: what they do and must not do
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <cmocka.h>
#include <offhook/log.h>
#include "priv.h"
#include "rt.h"

#define LOG_MODULE "test"


enum { N = 480, V = 7000 };

static struct callback cb;


static int set_up(void **state)
{
	(void)state;

	memset(&cb, 0, sizeof(cb));
	cb.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	cb.has_in  = true;
	cb.channels = cb.in_channels = 1;
	cb.prime   = 2 * N;
	cb.slope   = N / 8;

	return cb.wake_fd < 0 || ring_alloc(&cb.in, 4 * N) ||
		ring_alloc(&cb.out, 8 * N);
}


static int tear_down(void **state)
{
	(void)state;
	ring_free(cb.in);
	ring_free(cb.out);

	return close(cb.wake_fd);
}


static uint64_t woken(void)
{
	uint64_t n = 0;

	return read(cb.wake_fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}


static void capture(const int16_t *v, size_t n)
{
	const char *culprit;
	int r;

	rt_enter();
	r = callback_capture(v, NULL, n, NULL, 0, &cb);
	culprit = rt_leave();

	if (culprit)
		fail_msg("%s in the capture callback", culprit);
	assert_int_equal(paContinue, r);
}


static void playback(int16_t *v, size_t n)
{
	const char *culprit;
	int r;

	rt_enter();
	r = callback_playback(NULL, v, n, NULL, 0, &cb);
	culprit = rt_leave();

	if (culprit)
		fail_msg("%s in the playback callback", culprit);
	assert_int_equal(paContinue, r);
}


/* the check itself finds what it should */
static void test_check_works(void **state)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const uint64_t one = 1;
	struct timespec t;
	void *volatile p;
	(void)state;

	rt_enter();
	assert_null(rt_leave());

	rt_enter();
	p = malloc(10);
	assert_string_equal("malloc", rt_leave());

	rt_enter();
	free(p);
	assert_string_equal("free", rt_leave());

	rt_enter();
	(void)pthread_mutex_lock(&lock);
	assert_string_equal("pthread_mutex_lock", rt_leave());
	(void)pthread_mutex_unlock(&lock);

	rt_enter();
	log_warn("x");
	assert_string_equal("log_write", rt_leave());

	rt_enter();
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	assert_string_equal("clock_gettime", rt_leave());

	/* one wake-up is allowed, a second or another size is not */
	rt_enter();
	assert_int_equal(8, write(cb.wake_fd, &one, 8));
	assert_null(rt_leave());
	assert_int_equal(1, rt_wakes());
	rt_enter();
	assert_int_equal(8, write(cb.wake_fd, &one, 8));
	assert_int_equal(8, write(cb.wake_fd, &one, 8));
	assert_string_equal("write", rt_leave());
}


static void test_capture(void **state)
{
	int16_t v[N], got[N];
	(void)state;

	for (int i = 0; i < N; i++)
		v[i] = (int16_t)(i + 1);

	capture(v, N);
	assert_int_equal(1, rt_wakes());
	assert_int_equal(1, woken());
	assert_int_equal(N, ring_read(cb.in, got, N));
	assert_memory_equal(v, got, sizeof(v));

	/* nothing given: silence, so that the clock goes on */
	capture(NULL, N);
	assert_int_equal(1, woken());
	assert_int_equal(N, ring_read(cb.in, got, N));
	for (int i = 0; i < N; i++)
		assert_int_equal(0, got[i]);

	/* nobody reads: refused, counted, still woken */
	for (int i = 0; i < 10; i++)
		capture(v, N);
	assert_int_equal(10, woken());
	assert_true(ring_refused(cb.in) > 0);
	assert_int_equal(12, atomic_load(&cb.captured));
}


/* Of both channels, left and right by turns; the silence in their place too */
static void test_capture_two(void **state)
{
	int16_t v[2 * N], got[2 * N];
	(void)state;

	for (int i = 0; i < 2 * N; i++)
		v[i] = (int16_t)(i + 1);

	cb.in_channels = 2;
	capture(v, N);
	assert_int_equal(2 * N, ring_read(cb.in, got, 2 * N));
	assert_memory_equal(v, got, sizeof(v));

	capture(NULL, N);
	assert_int_equal(2 * N, ring_read(cb.in, got, 2 * N));
	for (int i = 0; i < 2 * N; i++)
		assert_int_equal(0, got[i]);
}


static void test_playback_begins_with_some_in_hand(void **state)
{
	int16_t v[N], got[N];
	(void)state;

	for (int i = 0; i < N; i++)
		v[i] = V;

	/* 2 blocks in hand and one to play are wanted */
	for (int k = 0; k < 3; k++) {
		playback(got, N);
		for (int i = 0; i < N; i++)
			assert_int_equal(0, got[i]);
		assert_int_equal(N, ring_write(cb.out, v, N));
	}
	playback(got, N);
	assert_memory_equal(v, got, sizeof(v));
	assert_int_equal(0, atomic_load(&cb.underruns));
	assert_int_equal(0, woken());    /* capture is the clock */

	/* down to the last sample: it fades out, then it is silent */
	playback(got, N);
	playback(got, N);
	assert_memory_equal(v, got, sizeof(v));
	assert_int_equal(N / 2, ring_write(cb.out, v, N / 2));
	playback(got, N);
	assert_int_equal(V, got[N / 2 - N / 8]);
	for (int i = N / 2 - N / 8; i < N / 2; i++)
		assert_true(got[i] <= got[i - 1]);
	assert_true(got[N / 2 - 1] < V / 10);
	for (int i = N / 2; i < N; i++)
		assert_int_equal(0, got[i]);
	assert_int_equal(1, atomic_load(&cb.underruns));
	assert_int_equal(N / 2, atomic_load(&cb.missed));

	/* still nothing: the same drought */
	playback(got, N);
	assert_int_equal(0, got[N - 1]);
	assert_int_equal(1, atomic_load(&cb.underruns));
	assert_int_equal(N / 2 + N, atomic_load(&cb.missed));

	/* what comes is played at once, and fades in; the one that was late
	 * is now in hand */
	assert_int_equal(N, ring_write(cb.out, v, N));
	assert_int_equal(N, ring_write(cb.out, v, N));
	playback(got, N);
	assert_int_equal(0, got[0]);
	for (int i = 1; i < N / 8; i++)
		assert_true(got[i] >= got[i - 1]);
	assert_int_equal(V, got[N / 8]);
	playback(got, N);
	assert_memory_equal(v, got, sizeof(v));
	assert_int_equal(1, atomic_load(&cb.underruns));
	playback(got, N);
	assert_int_equal(2, atomic_load(&cb.underruns));
}


static void test_playback_as_the_clock(void **state)
{
	int16_t got[N];
	(void)state;

	cb.has_in = false;
	playback(got, N);
	assert_int_equal(1, rt_wakes());
	assert_int_equal(1, woken());
	assert_int_equal(N, ring_fill(cb.in));
}


/* a wake-up nobody takes, and none at all */
static void test_wake_fd(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	const int fd = cb.wake_fd;
	int16_t v[N] = {0};
	(void)state;

	assert_int_equal(8, write(fd, &full, 8));
	errno = 0;
	capture(v, N);
	assert_int_equal(0, errno);
	assert_int_equal(full, woken());

	cb.wake_fd = -1;
	capture(v, N);
	assert_int_equal(0, rt_wakes());
	cb.wake_fd = fd;
}


static void test_finished(void **state)
{
	(void)state;
	assert_false(atomic_load(&cb.gone));
	callback_finished(&cb);
	assert_true(atomic_load(&cb.gone));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check_works,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_capture,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_capture_two,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_playback_begins_with_some_in_hand,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_playback_as_the_clock,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wake_fd,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_finished,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
