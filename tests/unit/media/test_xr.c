/**
 * @file test_xr.c  Bursts and gaps, and the extended report that tells them
 */
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <cmocka.h>
#include "priv.h"
#include "burst.h"
#include "xr.h"


/* '.' came, 'x' lost, 'l' came too late. Behind it enough to decide all */
static void play(struct burst *b, const char *s)
{
	uint16_t seq = 65500;            /* it wraps                         */

	memset(b, 0, sizeof(*b));
	for (; *s; s++, seq++) {
		if (*s != 'x')
			burst_packet(b, seq, *s == 'l');
	}
	burst_restart(b);
}


#define GOOD20 "...................."
#define GOOD80 GOOD20 GOOD20 GOOD20 GOOD20
#define assert_near(a, b) assert_true(fabs((a) - (b)) < 0.01)

static void test_burst(void **state)
{
	struct burst_figures f;
	struct burst b;
	(void)state;

	/* nothing lost */
	play(&b, GOOD80);
	burst_read(&f, &b);
	assert_int_equal(b.all, 80);
	assert_near(f.loss_pct, 0.0);
	assert_near(f.gap_packets, 80.0);
	assert_near(f.burst_packets, 0.0);
	assert_near(f.ratio, 1.0);

	/* one alone belongs to the gap */
	play(&b, GOOD20 "x" GOOD20);
	burst_read(&f, &b);
	assert_int_equal(b.lost, 1);
	assert_near(f.burst_packets, 0.0);
	assert_near(f.gap_packets, 41.0);
	assert_near(f.gap_pct, 100.0 / 41);

	/* three within sixteen are a burst, from first to last */
	play(&b, GOOD20 "x..x...l" GOOD20 "x" GOOD20);
	burst_read(&f, &b);
	assert_int_equal(b.lost, 3);
	assert_int_equal(b.discarded, 1);
	assert_near(f.burst_packets, 8.0);
	assert_near(f.burst_pct, 37.5);
	assert_near(f.gap_packets, (20 + 20 + 1 + 20) / 2.0);
	assert_near(f.discard_pct, 100.0 / 69);

	/* sixteen between them are enough to part two */
	play(&b, GOOD20 "x................x" GOOD20);
	burst_read(&f, &b);
	assert_near(f.burst_packets, 0.0);
	play(&b, GOOD20 "x...............x" GOOD20);
	burst_read(&f, &b);
	assert_near(f.burst_packets, 17.0);
}


static void test_ratio(void **state)
{
	struct burst_figures f;
	struct burst b;
	(void)state;

	/* four in a row of a hundred, against one by one */
	play(&b, GOOD80 "xxxx" "................");
	burst_read(&f, &b);
	assert_near(f.ratio, 4.0 * 0.96);
	play(&b, "x" GOOD20 "x" GOOD20 "x" GOOD20 "x" GOOD20);
	burst_read(&f, &b);
	assert_near(f.ratio, 1.0);

	/* and what it is worth: bursts are worse (G.107 3.5) */
	assert_true(media_mos_of(media_r(codec_find("pcmu"), 5.0, 3.0, 20)) <
		    media_mos_of(media_r(codec_find("pcmu"), 5.0, 1.0, 20)));
	assert_true(isnan(media_r(NULL, 0.0, 1.0, 0.0)));
	assert_true(isnan(media_r(codec_find("pcmu"), NAN, 1.0, 0.0)));
	/* G.113: 95 - 25.1 of the table; R at 2 % is known */
	assert_near(media_r(codec_find("pcmu"), 2.0, 1.0, 0.0),
		    93.2 - 95.0 * 2.0 / (2.0 + 25.1));
}


/* Another order is no loss, whatever comes late by up to the window */
static void test_order(void **state)
{
	struct burst_figures f;
	struct burst b;
	(void)state;

	memset(&b, 0, sizeof(b));
	for (uint16_t i = 0; i < 200; i += 2) {
		burst_packet(&b, (uint16_t)(i + 1), false);
		burst_packet(&b, i, false);
		burst_packet(&b, i, false);          /* twice                */
	}
	burst_restart(&b);
	burst_read(&f, &b);
	/* the very first one came before anybody listened */
	assert_near(f.loss_pct, 0.0);
	assert_int_equal(b.all, 199);
}


static void test_block(void **state)
{
	const struct xr_voip v = {
		.ssrc = 0x11223344, .loss_pct = 12.5, .discard_pct = 1.0,
		.burst_pct = 50.0, .gap_pct = 0.4, .burst_ms = 160,
		.gap_ms = 70000, .rtt_ms = 33, .end_delay_ms = 60,
		.signal_dbm = -18.0, .gmin = 16, .r = 82.3, .mos_lq = 4.12,
		.mos_cq = 4.05, .buffer_ms = 40, .buffer_max_ms = 500,
		.buffer_limit_ms = 500,
	};
	struct xr_voip got;
	bool found = false;
	uint8_t p[64];
	(void)state;

	assert_int_equal(xr_write(p, XR_BYTES - 1, 1, &v), 0);
	assert_int_equal(xr_write(p, sizeof(p), 0xaabbccdd, &v), XR_BYTES);
	assert_int_equal(p[1], 207);
	assert_int_equal(p[3], 10);
	assert_int_equal(p[8], 7);

	assert_int_equal(xr_read(&got, &found, p + 4, XR_BYTES - 4,
				 0x11223344), 0);
	assert_true(found);
	assert_near(got.loss_pct, 12.5);
	assert_near(got.burst_pct, 50.0);
	assert_near(got.burst_ms, 160);
	assert_near(got.gap_ms, 65535);
	assert_near(got.rtt_ms, 33);
	assert_near(got.signal_dbm, -18);
	assert_near(got.r, 82);
	assert_near(got.mos_lq, 4.1);
	assert_near(got.buffer_limit_ms, 500);

	/* of somebody else's packets */
	found = false;
	assert_int_equal(xr_read(&got, &found, p + 4, XR_BYTES - 4, 5), 0);
	assert_false(found);

	/* every length that it does not have */
	for (size_t n = 0; n < XR_BYTES - 4; n++) {
		const int err = xr_read(&got, &found, p + 4, n, 0x11223344);

		assert_true(n == 4 ? !err : err == EBADMSG);
	}
	p[11] = 7;
	assert_int_equal(xr_read(&got, &found, p + 4, XR_BYTES - 4,
				 0x11223344), EBADMSG);

	/* figures that cannot be */
	p[11] = 8;
	p[8 + 4 + 20] = 200;
	p[8 + 4 + 22] = 99;
	assert_int_equal(xr_read(&got, &found, p + 4, XR_BYTES - 4,
				 0x11223344), 0);
	assert_near(got.r, 0.0);
	assert_near(got.mos_lq, 0.0);
}


static void test_compound(void **state)
{
	const struct xr_voip v = { .ssrc = 77, .mos_cq = 4.0, .gmin = 16 };
	struct source src;
	struct report a, b;
	struct report_out o = {
		.now_us = 1000000, .wall_ms = 1700000000000, .ssrc = 5,
		.source = &src, .xr = &v,
	};
	uint8_t p[256];
	size_t n;
	(void)state;

	source_init(&src, 77, 8000, 1);
	report_init(&a, "them", 0);
	report_init(&b, "us", 0);
	n = report_build(&a, p, sizeof(p), &o);
	assert_int_equal(report_read(&b, p, n, 1000000, 1700000000000,
				     1000000, 77, 5), 0);
	assert_true(b.xr_known);
	assert_near(b.xr.mos_cq, 4.0);

	/* a wrong block: the compound is dropped as a whole */
	p[n - 36 + 3] = 9;
	b.xr_known = false;
	assert_int_equal(report_read(&b, p, n, 1000000, 1700000000000,
				     1000000, 77, 5), EBADMSG);
	assert_false(b.xr_known);

	/* with BYE behind it */
	n = report_bye(&a, p, sizeof(p), &o);
	assert_int_equal(report_read(&b, p, n, 1000000, 1700000000000,
				     1000000, 77, 5), 0);
	assert_true(b.xr_known && b.bye);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_ratio),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_compound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
