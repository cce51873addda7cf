/**
 * @file test_clip.c  A microphone that is too loud is told, and no other
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "clip.h"


enum { HZ = 16000, N = HZ / 100 };

/* @return how often it was told in so many seconds of that amplitude */
static unsigned speak(struct clip *c, unsigned seconds, double amp)
{
	unsigned told = 0;
	size_t at = 0;

	for (unsigned k = 0; k < seconds * 100; k++) {
		int16_t v[N];

		for (size_t i = 0; i < N; i++) {
			const double x = amp * sin(0.05 * (double)at++);

			v[i] = (int16_t)fmax(-32768, fmin(32767, x));
		}
		told += clip_hear(c, v, N, HZ);
	}

	return told;
}


static void test_loud(void **state)
{
	struct clip c = { 0 };
	(void)state;

	/* as loud as can be without being cut */
	assert_int_equal(speak(&c, 120, 32000), 0);

	/* a shout */
	assert_int_equal(speak(&c, 1, 60000), 0);
	assert_int_equal(speak(&c, 10, 20000), 0);

	/* too loud: told after two seconds, and twice a minute as long as
	 * it stays so */
	assert_int_equal(speak(&c, 2, 40000), 1);
	assert_int_equal(speak(&c, 29, 40000), 0);
	assert_int_equal(speak(&c, 31, 40000), 1);

	/* put right, and again after a while */
	assert_int_equal(speak(&c, 60, 20000), 0);
	assert_int_equal(speak(&c, 3, 40000), 1);
}


/* Blocks of another length, the smallest number there is, nothing at all */
static void test_odd(void **state)
{
	struct clip c = { 0 };
	unsigned told = 0;
	int16_t v = INT16_MIN;
	(void)state;

	assert_false(clip_hear(&c, NULL, 0, HZ));
	for (unsigned i = 0; i < 3 * HZ; i++)
		told += clip_hear(&c, &v, 1, HZ);
	assert_int_equal(told, 1);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loud),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
