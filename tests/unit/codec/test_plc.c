/**
 * @file test_plc.c  Concealment: goes on, fades, comes back without a click
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/codec.h>
#include "wave.h"


static const uint32_t rates[] = { 8000, 16000, 44100, 48000 };


static int16_t *room(size_t n)
{
	int16_t *v = calloc(n, sizeof(*v));

	assert_non_null(v);

	return v;
}


/* largest step between neighbours */
static int step(const int16_t *v, size_t n)
{
	int most = 0;

	for (size_t i = 1; i < n; i++) {
		const int d = abs(v[i] - v[i - 1]);

		if (d > most)
			most = d;
	}

	return most;
}


static void test_good_is_untouched(void **state)
{
	struct plc *p = NULL;
	int16_t in[960], v[960];
	(void)state;

	assert_int_equal(0, plc_alloc(&p, 8000));
	for (int k = 0; k < 10; k++) {
		wave_noise(in, 960, 32767);
		memcpy(v, in, sizeof(v));
		plc_good(p, v, 80u * (unsigned)(k + 1));
		assert_memory_equal(in, v, sizeof(v));
	}
	mem_deref(p);
}


/* a steady tone goes on in phase, 20 ms long, at every rate */
static void test_tone_goes_on(void **state)
{
	(void)state;

	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		const uint32_t rate = rates[r];
		const size_t f = rate / 50;
		int16_t *in = room(50 * f), *v = room(50 * f);
		struct plc *p = NULL;
		double snr;

		wave_sine(in, 50 * f, rate, 200, 10000);
		memcpy(v, in, 50 * f * sizeof(*v));
		assert_int_equal(0, plc_alloc(&p, rate));
		for (size_t i = 0; i < 50; i++) {
			if (i % 5 == 4)
				plc_lost(p, v + i * f, f);
			else
				plc_good(p, v + i * f, f);
		}

		/* it fades in the second half of each gap */
		snr = wave_snr(in, v, 50 * f);
		if (snr < 20)
			fail_msg("%u Hz: %.1f dB", rate, snr);
		assert_true(step(v, 50 * f) < 2 * step(in, 50 * f));

		mem_deref(p);
		free(in);
		free(v);
	}
}


/* no holes: what is made up in a voice is about as loud as what was lost */
static void test_voice(void **state)
{
	(void)state;

	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		const uint32_t rate = rates[r];
		const size_t f = rate / 50, n = 200 * f;
		int16_t *in = room(n), *v = room(n);
		struct plc *p = NULL;
		int lost = 0, holes = 0, loud = 0;

		wave_voice(in, n, rate);
		memcpy(v, in, n * sizeof(*v));
		assert_int_equal(0, plc_alloc(&p, rate));
		for (size_t i = 0; i < 200; i++) {
			int16_t *o = v + i * f;
			double db;

			if (i % 7 != 6) {
				plc_good(p, o, f);
				continue;
			}
			plc_lost(p, o, f);
			if (wave_rms(in + i * f, f) < 300)
				continue;
			db = 20 * log10(wave_rms(o, f) /
					wave_rms(in + i * f, f));
			lost++;
			holes += db < -6;
			loud += db > 4;
		}
		assert_true(lost > 15);
		if (holes > lost / 10 || loud > lost / 10)
			fail_msg("%u Hz: of %d %d holes, %d too loud", rate,
				 lost, holes, loud);
		mem_deref(p);
		free(in);
		free(v);
	}
}


/* What follows is here: the gap is met from both sides */
static void test_bridge(void **state)
{
	(void)state;

	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		const uint32_t rate = rates[r];
		const size_t f = rate / 50, n = 200 * f;
		int16_t *in = room(n), *v = room(n), *w = room(n);
		struct plc *p = NULL, *q = NULL;
		double snr;
		int lost = 0, holes = 0, blind = 0;

		/* a tone of one pitch is whole */
		wave_sine(in, n, rate, 200, 10000);
		memcpy(v, in, n * sizeof(*v));
		assert_int_equal(0, plc_alloc(&p, rate));
		for (size_t i = 0; i < 200; i++) {
			if (i % 5 == 4 && i < 199)
				plc_bridge(p, v + i * f, f, in + (i + 1) * f,
					   f);
			else
				plc_good(p, v + i * f, f);
		}
		snr = wave_snr(in, v, n);
		if (snr < 30)
			fail_msg("%u Hz: %.1f dB", rate, snr);
		assert_true(step(v, n) < 2 * step(in, n));
		p = mem_deref(p);

		/* a voice has fewer holes than without */
		wave_voice(in, n, rate);
		memcpy(v, in, n * sizeof(*v));
		memcpy(w, in, n * sizeof(*v));
		assert_int_equal(0, plc_alloc(&p, rate));
		assert_int_equal(0, plc_alloc(&q, rate));
		for (size_t i = 0; i + 1 < 200; i++) {
			int16_t *a = v + i * f, *b = w + i * f;
			double rms;

			if (i % 4 != 3) {
				plc_good(p, a, f);
				plc_good(q, b, f);
				/* nor is what follows touched */
				if (i % 4 == 0)
					assert_memory_equal(a, in + i * f,
							    f * sizeof(*a));
				continue;
			}
			plc_bridge(p, a, f, in + (i + 1) * f, f);
			plc_lost(q, b, f);

			rms = wave_rms(in + i * f, f);
			if (rms < 300)
				continue;
			lost++;
			holes += wave_rms(a, f) < rms / 2;
			blind += wave_rms(b, f) < rms / 2;
		}
		assert_true(lost > 25);
		if (holes > lost / 20 || holes > blind)
			fail_msg("%u Hz: of %d %d holes, %d without", rate,
				 lost, holes, blind);
		mem_deref(p);
		mem_deref(q);
		free(in);
		free(v);
		free(w);
	}
}


/* a voice that begins in the gap is not lost with it */
static void test_bridge_from_silence(void **state)
{
	int16_t in[480], v[160], blind[160];
	struct plc *p = NULL;
	(void)state;

	wave_sine(in, 480, 8000, 150, 10000);
	assert_int_equal(0, plc_alloc(&p, 8000));
	memset(v, 0, sizeof(v));
	plc_good(p, v, 160);

	plc_bridge(p, v, 160, in + 160, 160);
	assert_true(wave_rms(v + 120, 40) > 5000);
	assert_true(wave_rms(v, 40) < 1500);
	assert_true(step(v, 160) < 2 * step(in, 480));

	/* what is behind the gap is too short to tell: as if unknown */
	mem_deref(p);
	assert_int_equal(0, plc_alloc(&p, 8000));
	plc_good(p, in, 400);
	plc_bridge(p, v, 40, in, 80);
	mem_deref(p);
	assert_int_equal(0, plc_alloc(&p, 8000));
	plc_good(p, in, 400);
	plc_lost(p, blind, 40);
	assert_memory_equal(v, blind, 80);

	/* after a long gap, too, and the loudest */
	for (int i = 0; i < 160; i++)
		in[i] = i % 40 < 20 ? 32767 : -32768;
	for (int k = 0; k < 10; k++)
		plc_lost(p, v, 160);
	plc_bridge(p, v, 160, in, 160);
	assert_true(wave_rms(v + 120, 40) > 16000);
	mem_deref(p);
}


static void test_fades_to_nothing(void **state)
{
	int16_t v[8000], loud[160];
	struct plc *p = NULL;
	int last = 32768;
	(void)state;

	assert_int_equal(0, plc_alloc(&p, 8000));
	wave_voice(v, 8000, 8000);
	plc_good(p, v, 1600);

	for (int k = 0; k < 20; k++) {
		int peak = 0;

		plc_lost(p, loud, 160);
		for (int i = 0; i < 160; i++)
			peak = abs(loud[i]) > peak ? abs(loud[i]) : peak;
		assert_true(peak <= last);
		assert_true(k < 4 ? peak > 300 : k < 5 || !peak);
		last = peak;
	}

	/* back within 2 ms, from nothing, without a step */
	for (int i = 0; i < 160; i++)
		loud[i] = 10000;
	plc_good(p, loud, 160);
	assert_true(loud[0] < 2000);
	for (int i = 17; i < 160; i++)
		assert_int_equal(10000, loud[i]);
	assert_true(step(loud, 160) < 1000);
	mem_deref(p);
}


static void test_noise_does_not_buzz(void **state)
{
	int16_t v[1600], made[400];
	struct plc *p = NULL;
	double peak = 0, e = 0;
	(void)state;

	assert_int_equal(0, plc_alloc(&p, 8000));
	wave_noise(v, 1600, 8000);
	plc_good(p, v, 1600);
	plc_lost(p, made, 160);

	/* nothing in 20 ms is a copy of what was 5 to 15 ms earlier */
	for (int i = 0; i < 160; i++)
		e += (double)made[i] * made[i];
	for (int lag = 40; lag <= 120; lag++) {
		double c = 0, a = 1;

		for (int i = lag; i < 160; i++) {
			c += (double)made[i] * made[i - lag];
			a += (double)made[i] * made[i];
		}
		peak = fmax(peak, c / a);
	}
	assert_true(peak < 0.8);
	assert_true(e > 0);
	mem_deref(p);
}


static void test_edges(void **state)
{
	struct plc *p = NULL;
	int16_t v[960];
	(void)state;

	assert_int_equal(EINVAL, plc_alloc(&p, 7999));
	assert_int_equal(EINVAL, plc_alloc(&p, 48001));
	assert_null(p);

	/* lost before anything was heard: silence */
	assert_int_equal(0, plc_alloc(&p, 48000));
	memset(v, 1, sizeof(v));
	plc_lost(p, v, 960);
	assert_true(wave_rms(v, 960) == 0);

	/* the loudest there is, in crumbs, must not wrap round */
	for (int i = 0; i < 960; i++)
		v[i] = i % 240 < 120 ? 32767 : -32768;
	for (int i = 0; i < 960; i += 7)
		plc_good(p, v + i, 1);
	plc_good(p, v, 960);
	for (int k = 0; k < 500; k++) {
		int16_t one;

		plc_lost(p, &one, 1);
		plc_lost(p, v, 0);
		plc_good(p, v, 0);
		assert_true(abs(one) <= 32768);
	}
	mem_deref(p);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_is_untouched),
		cmocka_unit_test(test_tone_goes_on),
		cmocka_unit_test(test_voice),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_bridge_from_silence),
		cmocka_unit_test(test_fades_to_nothing),
		cmocka_unit_test(test_noise_does_not_buzz),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
