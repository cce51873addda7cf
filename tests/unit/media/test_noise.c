/**
 * @file test_noise.c  Silence is noticed, told, and sounds the same again
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>
#include "noise.h"

enum { N = 160 };

static uint32_t rnd;


/* White when tilt is 0, dull when it is near 1 */
static void hiss(int16_t *v, size_t n, double rms, double tilt)
{
	static double last;

	for (size_t i = 0; i < n; i++) {
		rnd = rnd * 1664525 + 1013904223;
		last = tilt * last + sqrt(3 * (1 - tilt * tilt)) * rms *
			(int32_t)rnd / 2147483648.0;
		v[i] = (int16_t)last;
	}
}


static double rms(const int16_t *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return sqrt(sum / (double)n);
}


static double tilt(const int16_t *v, size_t n)
{
	double a = 0, b = 1;

	for (size_t i = 1; i < n; i++) {
		a += (double)v[i] * v[i - 1];
		b += (double)v[i] * v[i];
	}

	return a / b;
}


static void tone(int16_t *v, double amp)
{
	for (size_t i = 0; i < N; i++)
		v[i] = (int16_t)(amp * sin(2 * M_PI * 300 * i / 8000.0));
}


static void test_told_and_made_again(void **state)
{
	static const double tilts[] = { 0, 0.5, 0.9, -0.7 };
	(void)state;

	for (size_t k = 0; k < 4; k++) {
		static int16_t out[8000];
		struct noise z = { .rnd = 7 };
		uint8_t p[NOISE_BYTES];
		struct vad d;
		int16_t v[N];
		unsigned told = 0;

		rnd = 1;
		vad_begin(&d);
		for (unsigned i = 0; i < 500; i++) {
			hiss(v, N, 100, tilts[k]);
			if (vad_step(&d, v, N, p) == VAD_TELL)
				++told;
		}

		/* twice a second, once it is known what is always there */
		assert_in_range(told, 8, 21);
		assert_in_range(p[0], 48, 53);           /* -50.3 dB */

		assert_true(noise_read(&z, p, sizeof(p)));
		noise_fill(&z, out, 8000);
		assert_true(fabs(20 * log10(rms(out, 8000) / 100)) < 2);
		assert_true(fabs(tilt(out, 8000) - tilts[k]) < 0.1);
	}
}


static void test_speech_is_sent(void **state)
{
	uint8_t p[NOISE_BYTES];
	struct vad d;
	int16_t v[N];
	unsigned nothing = 0;
	(void)state;

	rnd = 1;
	vad_begin(&d);

	/* from the first packet on */
	tone(v, 3000);
	assert_int_equal(vad_step(&d, v, N, p), VAD_SPEECH);

	for (unsigned i = 0; i < 300; i++) {
		hiss(v, N, 30, 0);
		nothing += vad_step(&d, v, N, p) == VAD_NOTHING;
	}
	assert_true(nothing > 200);

	/* at once, and for a while after its end */
	tone(v, 3000);
	assert_int_equal(vad_step(&d, v, N, p), VAD_SPEECH);
	for (unsigned i = 0; i < 11; i++) {
		hiss(v, N, 30, 0);
		assert_int_equal(vad_step(&d, v, N, p), VAD_SPEECH);
	}
	assert_int_equal(vad_step(&d, v, N, p), VAD_TELL);
	assert_int_equal(vad_step(&d, v, N, p), VAD_NOTHING);
}


static void test_what_comes(void **state)
{
	struct noise z = { .rnd = 1 };
	uint8_t p[40] = { 0 };
	int16_t v[1000];
	(void)state;

	assert_false(noise_read(&z, p, 0));
	p[0] = 128;
	assert_false(noise_read(&z, p, 1));
	assert_false(z.on);

	/* a level alone is white noise; nothing is nothing */
	p[0] = 40;
	assert_true(noise_read(&z, p, 1));
	noise_fill(&z, v, 1000);
	assert_true(fabs(20 * log10(rms(v, 1000) / 327.68)) < 1);
	p[0] = 127;
	assert_true(noise_read(&z, p, 1));
	noise_fill(&z, v, 1000);
	assert_true(rms(v, 1000) < 1);

	/* whatever they say, it stays in its bounds */
	for (unsigned i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(p); k++) {
			rnd = rnd * 1664525 + 1013904223;
			p[k] = (uint8_t)(rnd >> 24);
		}
		(void)noise_read(&z, p, 1 + i % 39);
		noise_fill(&z, v, 80);
		for (size_t k = 0; k < NOISE_ORDER; k++)
			assert_true(fabsf(z.past[k]) <= 32767);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_and_made_again),
		cmocka_unit_test(test_speech_is_sent),
		cmocka_unit_test(test_what_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
