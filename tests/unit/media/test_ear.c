/**
 * @file test_ear.c  A tone is told from a voice, and a voice from silence
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "ear.h"


/* Two sines and noise, a second of it in blocks as the engine has them */
static void hear(struct ear *e, uint32_t rate, double hz, double amp,
		 double other_hz, double other_amp, double noise)
{
	unsigned seed = 1;
	int16_t v[960];

	for (uint32_t i = 0, n = 0; i < rate; i++) {

		seed = seed * 1103515245 + 12345;
		v[n++] = (int16_t)
			(amp * sin(2.0 * M_PI * hz * i / rate) +
			 other_amp * sin(2.0 * M_PI * other_hz * i / rate) +
			 noise * ((double)(seed >> 16 & 0x7fff) / 16384.0 -
				  1.0));
		if (n == rate / 100) {
			ear_hear(e, v, n, rate);
			n = 0;
		}
	}
}


static void tones(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };
	static const double hz[] = { 350, 440, 1004, 2100, 3000 };
	(void)state;

	for (size_t r = 0; r < 3; r++) {
		for (size_t i = 0; i < 5; i++) {

			struct ear e;

			ear_init(&e, hz[i]);
			hear(&e, rates[r], hz[i], 8000, 0, 0, 200);
			assert_true(e.heard.tone_ms >= 900);
			assert_true(e.heard.tone_share > 0.9);
			assert_true(fabs(e.heard.level_dbfs + 12.2) < 0.5);

			/* another one is not it, nor is it among others */
			ear_init(&e, hz[i]);
			hear(&e, rates[r], hz[i] * 1.3, 8000, 0, 0, 200);
			assert_true(e.heard.tone_ms < 100);
			ear_init(&e, hz[i]);
			hear(&e, rates[r], hz[i], 5000, hz[i] * 0.6, 5000,
			     0);
			assert_true(e.heard.tone_ms < 100);
			assert_true(e.heard.loud_ms >= 900);
		}
	}
}


static void silences(void **state)
{
	struct ear e;
	(void)state;

	ear_init(&e, 0.0);
	hear(&e, 8000, 0, 0, 0, 0, 0);
	assert_int_equal(e.heard.quiet_ms, 1000);
	assert_int_equal(e.heard.loud_ms, 0);
	assert_int_equal(e.heard.all_ms, 1000);

	/* a hiss at -54 dBFS is silence, one at -30 is not */
	hear(&e, 8000, 0, 0, 0, 0, 60);
	assert_int_equal(e.heard.quiet_ms, 2000);
	hear(&e, 8000, 0, 0, 0, 0, 1200);
	assert_int_equal(e.heard.quiet_ms, 0);
	assert_int_equal(e.heard.loud_ms, 1000);

	/* the stream changes its rate in mid-call */
	hear(&e, 48000, 440, 3000, 0, 0, 0);
	assert_true(e.heard.loud_ms >= 1900);
	assert_int_equal(e.heard.tone_ms, 0);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tones),
		cmocka_unit_test(silences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
