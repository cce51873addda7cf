/**
 * @file test_ring.c  The ring of samples, alone and between two threads
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <cmocka.h>
#include <offhook/ring.h>


static void fill(int16_t *v, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)(from + i);
}


static void test_alloc(void **state)
{
	struct ring *r = NULL;
	(void)state;

	assert_int_equal(ring_alloc(NULL, 8), EINVAL);
	assert_int_equal(ring_alloc(&r, 0), EINVAL);
	assert_int_equal(ring_alloc(&r, SIZE_MAX), EINVAL);
	assert_null(r);

	assert_int_equal(ring_alloc(&r, 1), 0);
	assert_int_equal(ring_size(r), 1);
	ring_free(r);

	assert_int_equal(ring_alloc(&r, 1000), 0);
	assert_int_equal(ring_size(r), 1024);
	assert_int_equal(ring_fill(r), 0);
	assert_int_equal(ring_space(r), 1024);
	ring_free(r);
	ring_free(NULL);
}


static void test_wrap(void **state)
{
	struct ring *r = NULL;
	int16_t in[7], out[7];
	size_t written = 0, read = 0;
	(void)state;

	assert_int_equal(ring_alloc(&r, 16), 0);

	/* 7 does not divide 16: every place of the seam is met */
	for (int i = 0; i < 100; i++) {
		fill(in, 7, written);
		assert_int_equal(ring_write(r, in, 7), 7);
		written += 7;
		assert_int_equal(ring_fill(r), 7);
		assert_int_equal(ring_space(r), 9);

		assert_int_equal(ring_read(r, out, 7), 7);
		for (size_t k = 0; k < 7; k++)
			assert_int_equal(out[k], (int16_t)(read + k));
		read += 7;
	}

	assert_int_equal(ring_refused(r), 0);
	ring_free(r);
}


static void test_full_and_empty(void **state)
{
	struct ring *r = NULL;
	int16_t in[12], out[12] = {0};
	(void)state;

	assert_int_equal(ring_alloc(&r, 8), 0);
	fill(in, 12, 0);

	assert_int_equal(ring_read(r, out, 12), 0);
	assert_int_equal(ring_drop(r, 12), 0);

	assert_int_equal(ring_write(r, in, 12), 8);
	assert_int_equal(ring_refused(r), 4);
	assert_int_equal(ring_space(r), 0);
	assert_int_equal(ring_write(r, in, 1), 0);
	assert_int_equal(ring_refused(r), 5);

	assert_int_equal(ring_drop(r, 3), 3);
	assert_int_equal(ring_read(r, out, 12), 5);
	assert_int_equal(out[0], 3);
	assert_int_equal(out[4], 7);
	assert_int_equal(ring_fill(r), 0);

	ring_free(r);
}


enum { TOTAL = 1000000 };


static void *writer(void *arg)
{
	struct ring *r = arg;
	int16_t v[160];
	size_t done = 0, block = 1;

	while (done < TOTAL) {
		size_t n = block++ % 160 + 1;

		if (n > TOTAL - done)
			n = TOTAL - done;
		if (n > ring_space(r)) {
			(void)sched_yield();
			continue;
		}

		fill(v, n, done);
		if (ring_write(r, v, n) != n)
			return NULL;
		done += n;
	}

	return arg;
}


static void test_two_threads(void **state)
{
	struct ring *r = NULL;
	int16_t v[480];
	size_t done = 0, block = 7, wrong = 0;
	pthread_t thread;
	void *ret = NULL;
	(void)state;

	assert_int_equal(ring_alloc(&r, 512), 0);
	assert_int_equal(pthread_create(&thread, NULL, writer, r), 0);

	while (done < TOTAL) {
		const size_t n = ring_read(r, v, block++ % 480 + 1);

		for (size_t i = 0; i < n; i++)
			wrong += v[i] != (int16_t)(done + i);
		done += n;
		if (!n)
			(void)sched_yield();
	}

	assert_int_equal(pthread_join(thread, &ret), 0);
	assert_ptr_equal(ret, r);
	assert_int_equal(wrong, 0);
	assert_int_equal(ring_fill(r), 0);
	assert_int_equal(ring_refused(r), 0);
	ring_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_full_and_empty),
		cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
