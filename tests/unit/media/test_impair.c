/**
 * @file test_impair.c  A bad network is as bad as it was asked to be
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "impair.h"

enum { PACKETS = 100000 };


static void shares(void **state)
{
	static const double loss[] = { 0.0, 1.0, 5.0, 30.0, 100.0 };
	static const double burst[] = { 1.0, 3.0, 10.0 };
	(void)state;

	for (size_t i = 0; i < 5; i++) {
		for (size_t b = 0; b < 3; b++) {

			struct impair imp = {
				.fault[IMPAIR_IN] = {
					.loss_pct = loss[i],
					.burst = burst[b],
				},
			};
			unsigned lost = 0, runs = 0;
			bool before = false;

			impair_init(&imp, 7);
			for (unsigned n = 0; n < PACKETS; n++) {

				struct fate f;

				impair_fate(&imp, IMPAIR_IN, &f);
				lost += !f.copies;
				runs += !f.copies && !before;
				before = !f.copies;
			}

			assert_true(fabs(100.0 * lost / PACKETS - loss[i]) <
				    0.2 + loss[i] / 8.0);
			assert_int_equal(imp.count[IMPAIR_IN].lost, lost);

			/* the mean length of a row */
			if (loss[i] > 0.5 && loss[i] < 10.0)
				assert_true(fabs((double)lost / runs -
						 burst[b]) < burst[b] / 5.0);
		}
	}
}


static void others(void **state)
{
	struct impair imp = {
		.fault[IMPAIR_OUT] = {
			.burst = 1.0, .delay_ms = 40, .jitter_ms = 20,
			.duplicate_pct = 10.0, .corrupt_pct = 5.0,
		},
	};
	unsigned twice = 0, bad = 0;
	double sum = 0.0;
	(void)state;

	impair_init(&imp, 0);
	for (unsigned n = 0; n < PACKETS; n++) {

		struct fate f;

		impair_fate(&imp, IMPAIR_OUT, &f);
		assert_true(f.copies >= 1);
		assert_true(f.delay_us[0] >= 40000 && f.delay_us[0] <= 60000);
		sum += (double)f.delay_us[0];
		twice += f.copies == 2;
		bad += f.corrupt;
	}

	assert_true(fabs(sum / PACKETS - 50000.0) < 500.0);
	assert_true(fabs(100.0 * twice / PACKETS - 10.0) < 0.7);
	assert_true(fabs(100.0 * bad / PACKETS - 5.0) < 0.5);
}


/* The same seed does the same; another one does not */
static void seeds(void **state)
{
	char what[3][200];
	(void)state;

	for (unsigned i = 0; i < 3; i++) {

		struct impair imp = {
			.fault[IMPAIR_IN] = { .loss_pct = 20.0, .burst = 2.0 },
		};

		impair_init(&imp, i < 2 ? 42 : 43);
		for (unsigned n = 0; n < sizeof(what[0]); n++) {

			struct fate f;

			impair_fate(&imp, IMPAIR_IN, &f);
			what[i][n] = (char)('0' + f.copies);
		}
	}

	assert_memory_equal(what[0], what[1], sizeof(what[0]));
	assert_memory_not_equal(what[0], what[2], sizeof(what[0]));
}


static void bits(void **state)
{
	struct impair imp = { .rng = 0 };
	(void)state;

	impair_init(&imp, 3);
	for (unsigned n = 1; n < 300; n++) {

		uint8_t p[300] = { 0 };
		unsigned set = 0;

		impair_corrupt(&imp, p, n);
		for (unsigned i = 0; i < sizeof(p); i++)
			set += (unsigned)__builtin_popcount(p[i]);
		assert_int_equal(set, 1);
	}

	impair_corrupt(&imp, NULL, 0);
}


/* A second's worth at once, then so many a second; the rest is counted */
static void told(void **state)
{
	struct impair imp = { .rng = 0 };
	uint64_t now = 5000000;
	unsigned n = 0;
	(void)state;

	impair_init(&imp, 1);
	for (unsigned i = 0; i < 1000; i++)
		n += impair_tells(&imp, now);
	assert_int_equal(n, 50);
	assert_int_equal(imp.untold, 950);

	/* ten seconds, a thousand faults in each */
	for (n = 0; now < 15000000; now += 1000)
		n += impair_tells(&imp, now);
	assert_in_range(n, 499, 500);
	assert_int_equal(imp.untold, 950 + 10000 - n);

	/* seldom: every one, and what was not used is not kept for ever */
	for (n = 0; n < 100; n++, now += 100000)
		assert_true(impair_tells(&imp, now));
	now += 1000000000;
	for (n = 0; impair_tells(&imp, now); n++)
		;
	assert_int_equal(n, 50);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(others),
		cmocka_unit_test(seeds),
		cmocka_unit_test(bits),
		cmocka_unit_test(told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
