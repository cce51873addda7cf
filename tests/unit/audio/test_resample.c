/**
 * @file test_resample.c  Rates: pitch, level, length and delay are right
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/audio.h>
#include "tools.h"


static void convert(uint32_t from, uint32_t to)
{
	static int16_t in[48000], out[48100];
	struct resampler *r = NULL;
	size_t used = 0, made = 0;

	tools_sine(in, from, from, 1000, 8000);
	assert_int_equal(0, resampler_alloc(&r, from, to, 5));

	/* in blocks of 10 ms, as a stream does */
	while (used < from) {
		size_t a = from / 100, b = sizeof(out) / sizeof(out[0]) - made;

		assert_int_equal(0, resampler_run(r, in + used, &a,
						  out + made, &b));
		assert_int_equal(from / 100, a);
		used += a;
		made += b;
	}

	/* nothing lost, nothing added; 1 kHz still, as loud, and clean */
	assert_in_range(made, to - 2, to + 2);
	assert_in_range((int)tools_level(out + to / 10, to / 2, to, 1000),
			7900, 8100);
	assert_in_range((int)tools_level(out + to / 10, to / 2, to, 1500),
			0, 20);

	/* as late as it says: the sine crosses zero there */
	if (from == to)
		assert_int_equal(0, resampler_delay(r));
	else {
		const double at = (double)to / 10 +
			(double)resampler_delay(r);
		const size_t i = (size_t)at;

		assert_true(fabs(out[i] + (at - (double)i) *
				 (out[i + 1] - out[i])) <
			    8000 * 2 * M_PI * 1000 / to);
	}

	mem_deref(r);
}


static void test_rates(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 48000 };
	(void)state;

	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 4; k++)
			convert(rates[i], rates[k]);
	}
}


/* little room: it takes no more than it can turn into something */
static void test_little_room(void **state)
{
	int16_t in[480], out[2000];
	struct resampler *r = NULL;
	size_t used = 0, made = 0;
	(void)state;

	tools_sine(in, 480, 8000, 1000, 8000);
	assert_int_equal(0, resampler_alloc(&r, 8000, 16000, 3));
	while (used < 480) {
		size_t a = 480 - used, b = 7;

		assert_int_equal(0, resampler_run(r, in + used, &a,
						  out + made, &b));
		assert_true(b <= 7);
		assert_true(a || b);
		used += a;
		made += b;
	}
	assert_in_range(made, 950, 960);
	mem_deref(r);
}


/* Tuned in the middle of a tone: more or fewer samples, and no break, which
 * three samples in a row of a sine would tell */
static void near_one(uint32_t hz)
{
	static const int ppms[] = { 0, 5, -200, 200, 3000, -3000, 0, 1, 40000 };
	static int16_t in[48000], out[50400];
	struct resampler *r = NULL;
	const double amp = 10000.0, tone = 440.0;
	const double c = 2.0 * cos(2.0 * M_PI * tone / hz);
	double worst = 0.0;
	size_t at = 0, skip = 200;

	assert_int_equal(0, resampler_alloc_near(&r, hz, hz < 32000 ? 3 : 5));

	for (size_t p = 0; p < sizeof(ppms) / sizeof(ppms[0]); p++) {
		size_t have = 0;

		assert_int_equal(0, resampler_tune(r, ppms[p]));
		for (size_t i = 0; i < hz; i++, at++)
			in[i] = (int16_t)lrint(amp * sin(2.0 * M_PI * tone *
							 (double)at / hz));
		for (size_t i = 0; i < 100; i++) {
			size_t a = hz / 100, b = sizeof(out) / 2 - have;

			assert_int_equal(0, resampler_run(r, in + i * a, &a,
							  out + have, &b));
			assert_int_equal(hz / 100, a);
			have += b;
		}

		/* the two seconds before are in the filter yet */
		assert_true(fabs((double)have - hz * (1.0 + ppms[p] * 1e-6)) <
			    5.0);
		if (ppms[p] > 5000)
			break;
		for (size_t i = 2 + skip; i < have; i++) {
			const double e = out[i] - c * out[i - 1] + out[i - 2];

			worst = fabs(e) > worst ? fabs(e) : worst;
		}
		skip = 0;
	}

	print_message("%u Hz: off by at most %.1f of %.0f\n", (unsigned)hz,
		      worst, amp);
	assert_true(worst < amp * 0.004);
	assert_int_equal(EINVAL, resampler_tune(r, 50001));
	mem_deref(r);
}


static void test_near(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 48000 };
	(void)state;

	for (int i = 0; i < 4; i++)
		near_one(rates[i]);
}


/* A side begins in the middle and ends again: what is on the left alone leaves
 * nothing on the right, and the mean never stumbles */
static void two_one(uint32_t from, uint32_t to, bool near)
{
	static int16_t in[48000], out[50000], side[50000];
	const size_t block = from / 100;
	const double c = 2.0 * cos(2.0 * M_PI * 500.0 / to);
	struct resampler *r = NULL;
	size_t made = 0, twos = 0;
	double worst = 0.0;

	tools_sine(in, from, from, 500, 8000);
	assert_int_equal(0, near ? resampler_alloc_near(&r, from, 5) :
			 resampler_alloc(&r, from, to, 3));
	if (near)
		assert_int_equal(0, resampler_tune(r, 600));

	for (size_t k = 0; k < 100; k++) {
		const bool has = k >= 30 && k < 60;
		const int16_t *v = in + k * block;
		size_t a = block, b = sizeof(out) / sizeof(out[0]) - made;
		bool two = false;

		assert_int_equal(0, resampler_run_two(r, v, has ? v : NULL,
						      &a, out + made,
						      side + made, &b, &two));
		assert_int_equal(block, a);
		assert_true(two || !has);
		for (size_t i = 0; two && has && k > 32 && i < b; i++)
			assert_int_equal(out[made + i], side[made + i]);
		for (size_t i = 0; two && k > 64 && i < b; i++)
			assert_int_equal(0, side[made + i]);
		twos += two;
		made += b;
	}

	/* what has no side costs one channel again */
	assert_in_range(twos, 30, 45);
	assert_in_range(made, to - 60, to + 60);
	for (size_t i = to / 20; i < made - 2; i++)
		worst = fmax(worst, fabs(out[i + 2] - c * out[i + 1] +
					 out[i]));
	print_message("%u to %u Hz: off by at most %.1f of 8000\n",
		      (unsigned)from, (unsigned)to, worst);

	/* a part of a sample of this tone at the most, where it begins */
	assert_true(worst < 8000 * 2 * M_PI * 500 / to + 8.0);
	mem_deref(r);
}


static void test_two(void **state)
{
	(void)state;

	two_one(48000, 48000, true);
	two_one(16000, 16000, true);
	two_one(48000, 48000, false);
	two_one(48000, 16000, false);
	two_one(16000, 48000, false);
	two_one(48000, 44100, false);
}


static void test_refused(void **state)
{
	struct resampler *r = NULL;
	(void)state;

	assert_int_equal(EINVAL, resampler_alloc_near(&r, 0, 3));
	assert_int_equal(EINVAL, resampler_alloc_near(&r, 8000, 11));
	assert_int_equal(EINVAL, resampler_alloc_near(NULL, 8000, 3));
	assert_int_equal(0, resampler_alloc(&r, 8000, 16000, 3));
	assert_int_equal(EINVAL, resampler_tune(r, 1));
	r = mem_deref(r);

	assert_int_equal(EINVAL, resampler_alloc(&r, 0, 8000, 5));
	assert_int_equal(EINVAL, resampler_alloc(&r, 8000, 0, 5));
	assert_int_equal(EINVAL, resampler_alloc(&r, 8000, 400000, 5));
	assert_int_equal(EINVAL, resampler_alloc(&r, 8000, 16000, 11));
	assert_int_equal(EINVAL, resampler_alloc(&r, 8000, 16000, -1));
	assert_int_equal(EINVAL, resampler_alloc(NULL, 8000, 16000, 5));
	assert_null(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
