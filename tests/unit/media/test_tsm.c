/**
 * @file test_tsm.c  Sound made shorter and longer: length, pitch, no clicks
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>
#include "tsm.h"

enum { MAX = 5760, AMP = 8000 };

static const uint32_t rates[] = { 8000, 16000, 48000 };


/* A voice of a kind: a pulse of formants at 130 Hz */
static void voice(int16_t *v, size_t n, size_t at, uint32_t rate_hz)
{
	for (size_t i = 0; i < n; i++) {
		const double t = (double)(at + i) / rate_hz;
		double sum = 0;

		for (int k = 1; k < 20; k++)
			sum += sin(2 * M_PI * 130 * k * t) /
				(1 + fabs(k - 5.0));
		v[i] = (int16_t)(AMP / 2 * sum / 2);
	}
}


static int steepest(const int16_t *v, size_t n)
{
	int most = 0;

	for (size_t i = 1; i < n; i++) {
		const int d = abs(v[i] - v[i - 1]);

		if (d > most)
			most = d;
	}

	return most;
}


/* Samples to the next whole number of cycles */
static double off_cycle(size_t n, uint32_t rate_hz)
{
	const double cycle = rate_hz / 130.0;

	return fabs((double)n - cycle * round((double)n / cycle));
}


static void test_cycle_of_a_voice(void **state)
{
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		const uint32_t rate = rates[i];
		const size_t n = rate / 50;
		static int16_t a[MAX], b[MAX], next[MAX];
		size_t m;

		voice(a, n, 0, rate);
		voice(next, n, n, rate);

		/* a cycle or two, to the sample: what follows fits on */
		memcpy(b, a, sizeof(b));
		m = tsm_shorten(b, NULL, n, n, rate, 80);
		assert_true(m < n);
		assert_true(off_cycle(n - m, rate) <= 2);
		assert_memory_equal(b + m - 10, a + n - 10, 20);
		assert_true(abs(b[0] - a[0]) <= 2);
		assert_true(steepest(b, m) <= steepest(a, n) * 5 / 4);

		memcpy(b, a, sizeof(b));
		m = tsm_lengthen(b, NULL, n, n, MAX, rate, 80);
		assert_true(m > n);
		assert_true(off_cycle(m - n, rate) <= 2);
		assert_memory_equal(b + m - 10, a + n - 10, 20);
		assert_memory_equal(b, a, 20);
		assert_true(steepest(b, m) <= steepest(a, n) * 5 / 4);
	}
}


static void test_limits_are_kept(void **state)
{
	static int16_t a[MAX], b[MAX];
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		const uint32_t rate = rates[i];

		for (size_t n = 0; n <= rate * 12 / 100; n += rate / 400) {
			for (size_t most = 0; most < n; most += rate / 150) {
				size_t m, max;

				voice(a, n, 0, rate);
				memcpy(b, a, n * sizeof(*a));
				m = tsm_shorten(b, NULL, n, most, rate, 0);
				assert_true(m <= n && n - m <= most);
				if (m == n)
					assert_memory_equal(a, b, 2 * n);

				memcpy(b, a, n * sizeof(*a));
				max = n + n / 4 < MAX ? n + n / 4 : MAX;
				m = tsm_lengthen(b, NULL, n, most, max, rate, 0);
				assert_true(m >= n && m - n <= most);
				assert_true(m <= max);
			}
		}
	}
}


static void test_noise_is_left_alone(void **state)
{
	int16_t v[160], was[160];
	uint32_t rnd = 1;
	(void)state;

	for (size_t i = 0; i < 160; i++) {
		rnd = rnd * 1664525 + 1013904223;
		v[i] = (int16_t)((int32_t)rnd >> 17);
	}
	memcpy(was, v, sizeof(v));

	/* it never repeats, so there is no good place ... */
	assert_int_equal(tsm_shorten(v, NULL, 160, 160, 8000, 90), 160);
	assert_int_equal(tsm_lengthen(v, NULL, 160, 160, MAX, 8000, 90),
			 160);
	assert_memory_equal(v, was, sizeof(v));

	/* ... unless none is asked for */
	assert_in_range(tsm_shorten(v, NULL, 160, 160, 8000, 0), 40, 159);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cycle_of_a_voice),
		cmocka_unit_test(test_limits_are_kept),
		cmocka_unit_test(test_noise_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
