/**
 * @file test_callprog.c  What a network says by tones, and what is none
 */
#include <math.h>
#include <string.h>
#include "callprog.h"
#include "rig.h"

enum { HZ_MAX = 48000, SECONDS = 12 };

struct cadence {
	const char *want;        /* NULL: nothing may be told               */
	const char *what;
	double a, b;             /* Hz                                      */
	unsigned ms[8];          /* on, off, on ...; none: it does not stop */
};

/* Of many countries (ITU-T E.180, supplement 2) */
static const struct cadence cadences[] = {
	{ "dial", "itu", 425, 0, { 0 } },
	{ "dial", "us", 350, 440, { 0 } },
	{ "dial", "jp", 400, 0, { 0 } },
	{ "ringback", "itu", 425, 0, { 1000, 4000 } },
	{ "ringback", "us", 440, 480, { 2000, 4000 } },
	{ "ringback", "gb", 400, 450, { 400, 200, 400, 2000 } },
	{ "ringback", "fr", 440, 0, { 1500, 3500 } },
	{ "ringback", "jp", 384, 416, { 1000, 2000 } },
	{ "busy", "itu", 425, 0, { 500, 500 } },
	{ "busy", "us", 480, 620, { 500, 500 } },
	{ "busy", "gb", 400, 0, { 375, 375 } },
	{ "busy", "de", 425, 0, { 480, 480 } },
	{ "busy", "in", 400, 0, { 750, 750 } },
	{ "congestion", "itu", 425, 0, { 250, 250 } },
	{ "congestion", "us", 480, 620, { 250, 250 } },
	{ "congestion", "gb", 400, 0, { 400, 350, 225, 525 } },
	{ "congestion", "de", 425, 0, { 240, 240 } },
	{ "congestion", "pt", 425, 0, { 200, 200 } },
	{ "fax", "CNG", 1100, 0, { 500, 3000 } },
	{ "fax", "CED", 2100, 0, { 3000, 1000 } },
	{ NULL, "a whistle", 1500, 0, { 0 } },
	{ NULL, "keys", 770, 1336, { 100, 100 } },
	{ NULL, "a short beep now and then", 425, 0, { 200, 5000 } },
	{ NULL, "the beep of a recording", 1400, 0, { 160, 4840 } },
};

static int16_t v[HZ_MAX * SECONDS];
static uint32_t seed = 1;


static double rnd(void)
{
	seed = seed * 1664525 + 1013904223;

	return (seed >> 8) / 8388608.0 - 1.0;
}


/* As it comes over G.711, more or less: with noise 36 dB below */
static size_t make(const struct cadence *c, uint32_t hz, double amp,
		   double pitch)
{
	const size_t n = (size_t)hz * SECONDS;
	size_t part = 0, left = c->ms[0] ? (size_t)hz * c->ms[0] / 1000 : n;

	for (size_t i = 0; i < n; i++) {
		const double t = 2.0 * M_PI * pitch * (double)i / hz;
		double x = part % 2 ? 0.0 : amp * (sin(c->a * t) +
						   (c->b > 0 ? sin(c->b * t) :
						    0.0));

		x += 0.016 * amp * rnd();
		v[i] = (int16_t)lrint(x);
		if (!--left) {
			part = (part + 1) % 8;
			if (!c->ms[part])
				part = 0;
			left = c->ms[part] ? (size_t)hz * c->ms[part] / 1000 :
				n;
		}
	}

	return n;
}


/* @return what was told, "a,b"; in the engine's blocks */
static const char *told(size_t n, uint32_t hz)
{
	static char text[256];
	struct callprog c;

	memset(&c, 0, sizeof(c));
	text[0] = '\0';
	for (size_t i = 0; i + hz / 50 <= n; i += hz / 50) {
		const char *t = callprog_put(&c, v + i, hz / 50, hz);

		if (t && strlen(text) < 200)
			(void)snprintf(text + strlen(text), 50, "%s%s",
				       *text ? "," : "", t);
	}

	return text;
}


static void test_countries(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };
	static const double amps[] = { 8000.0, 1200.0 };
	static const double pitches[] = { 1.0, 1.012, 0.988 };
	(void)state;

	for (unsigned i = 0; i < COUNT(cadences); i++) {
		const struct cadence *c = &cadences[i];

		for (unsigned k = 0; k < 3 * 2 * 3; k += 5) {
			const char *got;

			if (!c->want && k)
				break;
			got = told(make(c, rates[k % 3], amps[k / 3 % 2],
					pitches[k / 6]), rates[k % 3]);
			if (strcmp(got, c->want ? c->want : ""))
				fail_msg("%s %s (%u): '%s'", c->want ?
					 c->want : "nothing", c->what, k,
					 got);
		}
	}
}


/* Three that rise, and the announcement behind them */
static void test_sit(void **state)
{
	static const double hz[3] = { 950, 1400, 1800 };
	static const unsigned gaps[] = { 0, 30 };
	static const unsigned lengths[2][3] = {
		{ 330, 330, 330 }, { 276, 276, 380 }
	};
	(void)state;

	for (unsigned k = 0; k < 4; k++) {
		size_t at = 8000;

		memset(v, 0, sizeof(v));
		for (unsigned i = 0; i < 3; i++) {
			const size_t n = lengths[k / 2][i] * 8;

			sine(v + at, n, 0, hz[i] + (k / 2 ? 13.8 : 0), 8000,
			     5000.0);
			at += n + gaps[k % 2] * 8;
		}
		assert_string_equal("sit", told(8000 * 4, 8000));
	}

	/* two of them are none */
	memset(v, 0, sizeof(v));
	sine(v + 8000, 2640, 0, 950, 8000, 5000.0);
	sine(v + 10640, 2640, 0, 1800, 8000, 5000.0);
	assert_string_equal("", told(8000 * 4, 8000));
}


/* One after the other, each told once, and nothing when it is over */
static void test_turns(void **state)
{
	static const struct cadence ring = {
		.a = 425, .ms = { 1000, 3000 }
	}, busy = { .a = 425, .ms = { 480, 480 } };
	static int16_t both[8000 * SECONDS];
	(void)state;

	(void)make(&ring, 8000, 6000.0, 1.0);
	memcpy(both, v, 8000 * 5 * sizeof(*v));
	(void)make(&busy, 8000, 6000.0, 1.0);
	memcpy(both + 8000 * 5, v, 8000 * 5 * sizeof(*v));
	memcpy(v, both, sizeof(both));
	assert_string_equal("ringback,busy", told(8000 * SECONDS, 8000));

	memset(v, 0, sizeof(v));
	(void)make(&busy, 8000, 6000.0, 1.0);
	memset(v + 8000 * 3, 0, 8000 * 9 * sizeof(*v));
	assert_string_equal("busy", told(8000 * SECONDS, 8000));
}


/* Speech is none */
static void test_speech(void **state)
{
	char err[256];
	uint32_t hz;
	int16_t *s;
	size_t n;
	(void)state;

	assert_int_equal(sound_read(&s, &n, &hz, SPEECH, err, sizeof(err)), 0);
	for (unsigned k = 0; k < 4; k++) {
		for (size_t i = 0; i < COUNT(v); i++)
			v[i] = s[(i + k * n / 4) % n];
		assert_string_equal("", told(COUNT(v) / hz * hz, hz));
	}
	free(s);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_sit),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_speech),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
