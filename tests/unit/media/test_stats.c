/**
 * @file test_stats.c  Counting, loudness, quality; mixer and tone
 */
#include <math.h>
#include <string.h>
#include "rig.h"


static void test_source(void **state)
{
	struct source s;
	(void)state;

	/* over two wraps of the number, every tenth lost */
	source_init(&s, 1, 8000, 60000);
	for (unsigned i = 0; i < 100000; i++) {
		if (i % 10 != 9)
			source_heard(&s, (uint16_t)(60000 + i), i * 160,
				     i * 20000ULL, true);
	}
	assert_in_range(source_lost(&s), 9999, 10000);
	assert_int_equal(source_fraction(&s), 25);
	assert_int_equal(source_fraction(&s), 0);      /* nothing since */
	assert_int_equal((uint64_t)s.jitter_us, 0);

	/* out of order is not lost */
	source_init(&s, 1, 8000, 10);
	source_heard(&s, 10, 0, 0, true);
	source_heard(&s, 12, 320, 40000, true);
	source_heard(&s, 11, 160, 45000, true);
	assert_int_equal(source_lost(&s), 0);
	assert_int_equal(s.high, 12);
}


static void test_jitter_figure(void **state)
{
	struct source s;
	uint32_t r = 1;
	(void)state;

	/* 0..20 ms uniform: the mean difference of two is 6.7 ms */
	source_init(&s, 1, 8000, 0);
	for (unsigned i = 0; i < 5000; i++) {
		r = r * 1664525 + 1013904223;
		source_heard(&s, (uint16_t)i, 0xfffff000 + i * 160,
			     i * 20000ULL + (r >> 16) * 20000ULL / 65536,
			     true);
	}
	assert_true(s.jitter_us > 4500 && s.jitter_us < 9000);
}


static void test_level(void **state)
{
	static int16_t v[8000];
	struct level l;
	(void)state;

	level_init(&l, 8000);
	assert_true(l.dbfs < -95.0);
	sine(v, 8000, 0, 400.0, 8000, 3276.7);
	(void)level_add(&l, v, 8000);
	assert_true(fabs(l.dbfs + 20.0) < 0.1);
	memset(v, 0, sizeof(v));
	(void)level_add(&l, v, 4000);
	assert_true(fabs(l.dbfs + 20.0) < 0.1);
	(void)level_add(&l, v, 4000);
	assert_true(l.dbfs < -95.0);
}


static void test_mos(void **state)
{
	const struct codec *u = codec_find("pcmu"), *o = codec_find("opus");
	double last = 5.0;
	(void)state;

	assert_true(fabs(media_mos(u, 0.0, 0.0) - 4.41) < 0.02);
	assert_true(media_mos(NULL, 0.0, 0.0) == 0.0);
	assert_true(media_mos(o, 0.0, 20.0) > 4.3);

	for (double loss = 0.0; loss <= 100.0; loss += 5.0) {
		const double mos = media_mos(u, loss, 50.0);

		assert_true(mos >= 1.0 && mos < last);
		last = mos;
	}
	assert_true(media_mos(u, 20.0, 50.0) < 3.1);
	assert_true(media_mos(u, 0.0, 400.0) < 3.8);
	assert_true(media_mos(u, 0.0, 100000.0) == 1.0);

	/* GSM is told from toll quality even when all arrives */
	if (codec_find("gsm")) {
		const double mos = media_mos(codec_find("gsm"), 0.0, 20.0);

		assert_true(mos > 3.5 && mos < 3.9);
	}
}


static void test_mixer(void **state)
{
	int16_t a[] = { 100, 32767, -32768, 20000, -20000 };
	const int16_t b[] = { -300, 1, -1, 20000, -20000 };
	(void)state;

	mixer_add(a, b, 5);
	assert_int_equal(a[0], -200);
	assert_int_equal(a[1], 32767);
	assert_int_equal(a[2], -32768);
	assert_int_equal(a[3], 32767);
	assert_int_equal(a[4], -32768);
}


static void test_tone(void **state)
{
	static int16_t v[48000];
	struct tone t;
	(void)state;

	/* after an hour it is as loud and as pure as at first */
	tone_init(&t, 997.0, 48000);
	for (unsigned i = 0; i < 3600; i++)
		tone_fill(&t, v, 48000, -3.0);
	assert_true(fabs(goertzel(v, 48000, 997.0, 48000) + 3.0) < 0.05);
	assert_true(purity(v, 48000, 997.0, 48000) > 0.999);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_jitter_figure),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_mos),
		cmocka_unit_test(test_mixer),
		cmocka_unit_test(test_tone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
