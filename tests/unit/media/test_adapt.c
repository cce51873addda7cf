/**
 * @file test_adapt.c  What an encoder is told, report by report
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "adapt.h"


enum { REPORT = 250 };               /* packets in 5 s */

static uint64_t sent;


/* n reports of the same loss. @return how often something changed */
static unsigned reports(struct adapt *a, unsigned n, double loss)
{
	unsigned changes = 0;

	while (n--) {
		sent += REPORT;
		changes += adapt_report(a, (unsigned)(loss * 256.0), sent);
	}

	return changes;
}


static struct adapt adapting(int bitrate)
{
	struct adapt a = { 0 };

	sent = 0;
	adapt_want(&a, bitrate);

	return a;
}


static void test_nothing_lost(void **state)
{
	struct adapt a = adapting(40000);
	(void)state;

	assert_int_equal(reports(&a, 100, 0.0), 0);
	assert_int_equal(a.loss_pct, 0);
	assert_int_equal(a.bitrate, 40000);
}


static void test_copies(void **state)
{
	static const struct {
		double loss;
		int low, high;
	} v[] = {
		{ 0.01, 1, 3 }, { 0.02, 1, 5 }, { 0.05, 5, 10 },
		{ 0.10, 5, 10 }, { 0.20, 10, 10 }, { 0.6, 10, 10 },
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct adapt a = adapting(40000);

		/* one packet of 250 is no reason */
		(void)reports(&a, 1, 1.0 / 250);
		assert_int_equal(a.loss_pct, 0);

		/* within 15 seconds */
		(void)reports(&a, 3, v[i].loss);
		assert_true(a.loss_pct > 0);
		(void)reports(&a, 5, v[i].loss);
		assert_in_range(a.loss_pct, v[i].low, v[i].high);
	}

	/* loud and clear: with the first report */
	for (unsigned k = 5; k < 60; k += 5) {
		struct adapt a = adapting(40000);

		assert_int_equal(reports(&a, 1, k / 100.0), 1);
		assert_true(a.loss_pct > 0);
	}
}


static void test_slow_to_forget(void **state)
{
	struct adapt a = adapting(40000);
	(void)state;

	(void)reports(&a, 10, 0.08);
	assert_int_equal(a.loss_pct, 7);

	/* ten seconds without loss change nothing, and are nothing after
	 * the next loss */
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(reports(&a, 2, 0.0), 0);
		assert_int_equal(reports(&a, 2, 0.08), 0);
	}

	/* then down by steps, to nothing, within two minutes */
	assert_int_equal(reports(&a, 4, 0.0), 0);
	assert_int_equal(reports(&a, 20, 0.0), 2);
	assert_int_equal(a.loss_pct, 0);
}


/* about a threshold it does not go to and fro */
static void test_hysteresis(void **state)
{
	static const double at[] = { 0.04, 0.15 };
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		struct adapt a = adapting(0);
		unsigned changes = 0;

		for (unsigned k = 0; k < 200; k++)
			changes += reports(&a, 1, at[i] *
					   (k / 8 % 2 ? 0.8 : 1.3));
		assert_in_range(changes, 1, i + 2);
	}
}


static void test_short_reports(void **state)
{
	struct adapt a = adapting(40000);
	(void)state;

	/* one of three lost, on hold: says nothing */
	for (unsigned i = 0; i < 8; i++) {
		sent += 3;
		assert_false(adapt_report(&a, 85, sent));
	}

	/* the same report again, nothing was sent since */
	(void)reports(&a, 1, 0.1);
	for (unsigned i = 0; i < 20; i++)
		assert_false(adapt_report(&a, 255, sent));
}


/* A way that takes so many bit/s, and drops what is more */
static void test_narrow_way(void **state)
{
	struct adapt a = adapting(64000);
	int at = 0;
	(void)state;

	for (unsigned i = 0; i < 60; i++) {
		const double over = a.bitrate > 40000
			? 1.0 - 40000.0 / a.bitrate : 0.0;

		(void)reports(&a, 1, over);
		if (i >= 20)
			at += a.bitrate / 40;
	}

	/* about what there is room for, and little lost */
	assert_in_range(at, 36000, 47000);
	assert_true(a.loss < 0.12);

	/* when there is room again it is used */
	(void)reports(&a, 40, 0.0);
	assert_int_equal(a.bitrate, 64000);
	assert_int_equal(a.loss_pct, 0);
}


/* Loss that does not depend on what we send */
static void test_radio(void **state)
{
	struct adapt a = adapting(40000);
	unsigned full = 0;
	(void)state;

	for (unsigned i = 0; i < 170; i++) {
		(void)reports(&a, 1, 0.2);
		assert_in_range(a.bitrate, 24000, 40000);
		if (i >= 20)
			full += a.bitrate == 40000;
	}

	/* most of the time what was wanted */
	assert_true(full > 90);
	assert_int_equal(a.loss_pct, 10);
}


static void test_limits(void **state)
{
	struct adapt a = adapting(8000);
	(void)state;

	/* what was wanted is little enough */
	(void)reports(&a, 50, 0.5);
	assert_int_equal(a.bitrate, 8000);

	/* nobody knows what is sent: left alone */
	a = adapting(0);
	(void)reports(&a, 50, 0.5);
	assert_int_equal(a.bitrate, 0);
	assert_int_equal(a.loss_pct, 10);

	/* another wish does not forget the way */
	adapt_want(&a, 30000);
	assert_int_equal(a.bitrate, 30000);
	assert_int_equal(a.loss_pct, 10);

	/* everything lost, for an hour */
	(void)reports(&a, 720, 1.0);
	assert_in_range(a.bitrate, 24000, 30000);
}


/* Lost on a way that takes so many bit/s, with the headers of IP, UDP, RTP */
static double over(const struct adapt *a, int takes)
{
	const int sends = a->bitrate + 40 * 8 * 1000 / (int)a->ptime_ms;

	return sends > takes ? 1.0 - (double)takes / sends : 0.0;
}


static void test_packets(void **state)
{
	struct adapt a = adapting(40000);
	unsigned longest = 0, ptime;
	(void)state;

	adapt_packets(&a, 20, 60);

	/* a way that is too narrow: loss goes as less is sent */
	assert_int_equal(reports(&a, 10, 0.0), 0);
	for (unsigned i = 0; i < 30; i++) {
		reports(&a, 1, over(&a, 40000));
		if (a.ptime_ms > longest)
			longest = a.ptime_ms;
	}
	assert_in_range(longest, 40, 60);
	assert_true(a.loss < 0.12);
	assert_true(a.bitrate < 40000);

	/* back only after the bit rate is, and no shorter than wanted */
	ptime = a.ptime_ms;
	while (a.bitrate < 40000) {
		assert_true(a.ptime_ms >= ptime);
		reports(&a, 1, 0.0);
	}
	reports(&a, 5, 0.0);
	assert_int_equal(a.ptime_ms, 20);

	/* a radio link: nothing helps, so no gap becomes longer by it */
	a = adapting(40000);
	adapt_packets(&a, 20, 60);
	for (unsigned i = 0; i < 60; i++) {
		reports(&a, 1, i % 3 ? 0.3 : 0.2);
		assert_int_equal(a.ptime_ms, 20);
	}

	/* the peer takes none that are longer; ours to begin with are short */
	a = adapting(40000);
	adapt_packets(&a, 20, 20);
	for (unsigned i = 0; i < 30; i++) {
		reports(&a, 1, over(&a, 40000));
		assert_int_equal(a.ptime_ms, 20);
	}
	a = adapting(40000);
	adapt_packets(&a, 10, 60);
	for (longest = 0; longest < 30 && a.ptime_ms == 10; longest++)
		reports(&a, 1, over(&a, 50000));
	assert_int_equal(a.ptime_ms, 20);
	a = adapting(40000);
	adapt_packets(&a, 0, 0);
	reports(&a, 4, 0.3);
	assert_int_equal(a.ptime_ms, 0);
}


/* How many packets before go along: by what is lost, and how it is spread */
static void test_bursts(void **state)
{
	struct adapt a = { 0 };
	(void)state;

	adapt_burst(&a, 90.0);
	assert_int_equal(adapt_copies(&a), 0);
	for (uint64_t n = 1; n <= 5; n++)
		(void)adapt_report(&a, 26, n * 100);
	assert_int_equal(adapt_copies(&a), 3);
	adapt_burst(&a, 40.0);
	assert_int_equal(adapt_copies(&a), 2);
	adapt_burst(&a, 12.0);
	assert_int_equal(adapt_copies(&a), 1);
	adapt_burst(&a, 90.0);
	for (uint64_t n = 6; n <= 60; n++)
		(void)adapt_report(&a, 0, n * 100);
	assert_int_equal(adapt_copies(&a), 0);
}


/* With copies in the packets themselves one is enough, farther off */
static void test_distance(void **state)
{
	struct adapt a = { 0 };
	uint64_t n = 1;
	(void)state;

	adapt_in_band(&a, true);

	/* one in a hundred, singly: no need */
	for (; n <= 5; n++)
		(void)adapt_report(&a, 3, n * 100);
	assert_int_equal(adapt_copies(&a), 1);
	assert_int_equal(adapt_distance(&a), 0);

	/* unless they come together */
	adapt_burst(&a, 40.0);
	assert_int_equal(adapt_distance(&a), 3);
	adapt_burst(&a, 0.0);

	/* much: at once */
	(void)adapt_report(&a, 26, n++ * 100);
	assert_int_equal(adapt_distance(&a), 2);
	adapt_burst(&a, 70.0);
	assert_int_equal(adapt_distance(&a), 4);

	/* and it is forgotten slowly */
	(void)adapt_report(&a, 0, n++ * 100);
	assert_int_equal(adapt_distance(&a), 4);
	for (unsigned i = 0; i < 40; i++)
		(void)adapt_report(&a, 0, n++ * 100);
	assert_int_equal(adapt_distance(&a), 0);
}


/* Where the way is too narrow copies make it worse: no more of them, for a
 * while. Where as much is lost as before they stay */
static void test_harm(void **state)
{
	(void)state;

	for (unsigned narrow = 0; narrow < 2; narrow++) {
		struct adapt a = { 0 };
		uint64_t n = 1;
		unsigned without = 0;

		for (; n <= 40; n++) {
			const bool worse = narrow && adapt_copies(&a);

			(void)adapt_report(&a, worse ? 100 : 20, n * 100);
			without += !adapt_copies(&a);
		}
		if (narrow)
			assert_in_range(without, 28, 38);
		else
			assert_in_range(without, 0, 1);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_lost),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_slow_to_forget),
		cmocka_unit_test(test_hysteresis),
		cmocka_unit_test(test_short_reports),
		cmocka_unit_test(test_narrow_way),
		cmocka_unit_test(test_radio),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
