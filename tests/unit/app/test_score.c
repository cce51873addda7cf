/**
 * @file test_score.c  The judge of the self-test must be able to say no
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <offhook/compat.h>
#include <offhook/app.h>


enum { RATE = 8000, LEN = 4 * RATE };


/* Syllables: a buzz whose pitch and colour wander, with pauses */
static void speak(int16_t *v, size_t n, unsigned seed)
{
	double phase = 0;

	for (size_t i = 0; i < n; i++) {
		const double t = (double)i / RATE;
		const double on = sin(2 * M_PI * 2.3 * t + seed) > -0.3;
		const double f0 = 120 + 30 * sin(2 * M_PI * 0.7 * t + seed);
		double x = 0;

		phase += 2 * M_PI * f0 / RATE;
		for (int h = 1; h < 20; h++) {
			const double c = 500 + 900 *
				(1 + sin(2 * M_PI * 1.1 * t + seed));

			x += sin(phase * h) /
				(1 + pow((h * f0 - c) / 300, 2));
		}

		v[i] = (int16_t)(on * x * 3000);
	}
}


static void test_same(void **state)
{
	static int16_t ref[LEN], rec[LEN + RATE];
	struct sound_score sc;
	(void)state;

	speak(ref, LEN, 1);
	memset(rec, 0, sizeof(rec));
	memcpy(rec + 777, ref, sizeof(ref));

	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, LEN + RATE, RATE));
	assert_true(sc.aligned);
	assert_true(fabs(sc.delay_ms - 777.0 / 8) < 0.13);
	assert_true(fabs(sc.level_db) < 0.1);
	assert_int_equal(0, sc.gaps);
	assert_true(sc.similarity > 0.99);
}


static void test_early(void **state)
{
	static int16_t ref[LEN];
	struct sound_score sc;
	(void)state;

	speak(ref, LEN, 1);
	assert_int_equal(0, sound_score(&sc, ref, LEN, ref + 400, LEN - 400,
					RATE));
	assert_true(sc.aligned);
	assert_true(fabs(sc.delay_ms + 50) < 0.13);
}


static void test_quieter(void **state)
{
	static int16_t ref[LEN], rec[LEN];
	struct sound_score sc;
	(void)state;

	speak(ref, LEN, 2);
	for (size_t i = 0; i < LEN; i++)
		rec[i] = ref[i] / 2;

	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, LEN, RATE));
	assert_true(fabs(sc.level_db + 6) < 0.2);
	assert_int_equal(0, sc.gaps);
}


static void test_holes(void **state)
{
	static int16_t ref[LEN], rec[LEN];
	struct sound_score sc;
	size_t at[2], found = 0;
	(void)state;

	speak(ref, LEN, 3);
	memcpy(rec, ref, sizeof(ref));

	/* two holes of 60 ms inside syllables, far apart */
	for (size_t i = RATE / 2; i + 480 < LEN && found < 2; i += 160) {
		bool loud = true;

		for (size_t k = 0; k < 480; k += 80) {
			double e = 0;

			for (size_t j = 0; j < 80; j++)
				e += abs(ref[i + k + j]);
			loud = loud && e / 80 > 300;
		}

		if (loud && (!found || i > at[0] + RATE)) {
			memset(rec + i, 0, 480 * sizeof(int16_t));
			at[found++] = i;
		}
	}

	assert_int_equal(2, found);
	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, LEN, RATE));
	assert_int_equal(2, sc.gaps);
	assert_true(sc.gap_ms >= 80 && sc.gap_ms <= 160);
}


/* Voiced throughout from there on for so long? */
static bool voiced(const int16_t *v, size_t n)
{
	for (size_t k = 0; k + 80 <= n; k += 80) {
		double e = 0;

		for (size_t j = 0; j < 80; j++)
			e += abs(v[k + j]);
		if (e / 80 < 300)
			return false;
	}

	return true;
}


/* The first voiced stretch of n samples, not before from */
static size_t stretch(const int16_t *ref, size_t from, size_t n)
{
	while (from + n < LEN && !voiced(ref + from, n))
		from += 80;

	assert_true(from + n < LEN);

	return from;
}


/* The same, ms shorter or (put in: a second time) longer from at on.
 * @return samples */
static size_t moved(int16_t *rec, const int16_t *ref, size_t at, int ms)
{
	const size_t k = (size_t)abs(ms) * RATE / 1000;

	memcpy(rec, ref, at * sizeof(*rec));
	if (ms < 0) {
		memcpy(rec + at, ref + at + k, (LEN - at - k) * sizeof(*rec));
		return LEN - k;
	}

	memcpy(rec + at, ref + at - k, k * sizeof(*rec));
	memcpy(rec + at + k, ref + at, (LEN - at) * sizeof(*rec));

	return LEN + k;
}


/* Adaptive playout takes out a little, or puts some in: nothing is missing,
 * and it is told */
static void test_moved(void **state)
{
	static const int ms[] = { -40, -20, -10, 10, 20, 40 };
	static int16_t ref[LEN], rec[LEN + RATE];
	(void)state;

	speak(ref, LEN, 3);

	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
		const size_t at = stretch(ref, LEN / 2, 800) + 400;
		const size_t n = moved(rec, ref, at, ms[i]);
		struct sound_score sc;

		assert_int_equal(0, sound_score(&sc, ref, LEN, rec, n, RATE));
		assert_true(sc.aligned);
		assert_int_equal(0, sc.gaps);
		assert_true(fabs(sc.moved_ms - abs(ms[i])) < 0.3);
		assert_true(sc.similarity > 0.95);
	}
}


/* A hole stays one when the delay moves soon after */
static void test_moved_and_hole(void **state)
{
	static int16_t ref[LEN], rec[LEN + RATE];
	struct sound_score sc;
	size_t at, n;
	(void)state;

	speak(ref, LEN, 3);
	at = stretch(ref, LEN / 2, 1200);
	n = moved(rec, ref, at + 1000, -20);
	memset(rec + at + 200, 0, 480 * sizeof(int16_t));

	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, n, RATE));
	assert_int_equal(1, sc.gaps);
	assert_true(sc.gap_ms >= 40);
}


/* What was put in is silence, in the midst of a syllable */
static void test_silence_put_in(void **state)
{
	static int16_t ref[LEN], rec[LEN + RATE];
	struct sound_score sc;
	size_t at, n;
	(void)state;

	speak(ref, LEN, 3);
	at = stretch(ref, LEN / 2, 800) + 400;
	n = moved(rec, ref, at, 20);
	memset(rec + at, 0, 160 * sizeof(int16_t));

	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, n, RATE));
	assert_int_equal(1, sc.gaps);
	assert_true(sc.gap_ms > 15 && sc.gap_ms < 45);
}


/* Half a syllable is gone: no move explains that */
static void test_cut(void **state)
{
	static int16_t ref[LEN], rec[LEN + RATE];
	struct sound_score sc;
	size_t n;
	(void)state;

	speak(ref, LEN, 3);
	n = moved(rec, ref, stretch(ref, LEN / 2, 800), -120);

	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, n, RATE));
	assert_true(sc.gaps > 0 || sc.similarity < 0.85);
}


static void test_another(void **state)
{
	static int16_t ref[LEN], rec[LEN];
	struct sound_score sc;
	(void)state;

	speak(ref, LEN, 4);

	/* noise is not it */
	srand(1);
	for (size_t i = 0; i < LEN; i++)
		rec[i] = (int16_t)(rand() % 8000 - 4000);
	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, LEN, RATE));
	assert_true(!sc.aligned || sc.similarity < 0.6);

	/* nor is silence, nor nothing */
	memset(rec, 0, sizeof(rec));
	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, LEN, RATE));
	assert_false(sc.aligned);
	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, 10, RATE));
	assert_false(sc.aligned);

	/* half of it is missing: that is heard */
	memcpy(rec, ref, sizeof(rec) / 2);
	memset(rec + LEN / 2, 0, sizeof(rec) / 2);
	assert_int_equal(0, sound_score(&sc, ref, LEN, rec, LEN, RATE));
	assert_true(!sc.aligned || sc.gap_ms > 500);

	assert_int_equal(EINVAL, sound_score(&sc, ref, 10, rec, LEN, RATE));
	assert_int_equal(EINVAL, sound_score(NULL, ref, LEN, rec, LEN, RATE));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_quieter),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_moved_and_hole),
		cmocka_unit_test(test_silence_put_in),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
