/**
 * @file test_band.c  Keys as tones in the sound: sent, heard, not imagined
 */
#include <math.h>
#include <string.h>
#include "rig.h"

static int16_t v[48000 * 12];
static const char keys[] = "123A456B789C*0#D";
static uint32_t seed;


static double rnd(void)
{
	seed = seed * 1664525 + 1013904223;

	return (seed >> 8) / 8388608.0 - 1.0;
}


/* What is heard in v, as text; *ms: how long the first one was */
static const char *heard(size_t n, uint32_t rate, uint32_t *ms)
{
	static char text[512];
	struct dtmf_band_rx d;
	size_t len = 0;

	dtmf_band_begin(&d, rate);
	for (size_t at = 0; at < n; at += rate / 50) {
		struct dtmf_digit out[4];
		const size_t k = n - at < rate / 50 ? n - at : rate / 50;
		const unsigned c = dtmf_band_put(&d, v + at, k, out, 4);

		for (unsigned i = 0; i < c && len + 1 < sizeof(text); i++) {
			if (!len && ms)
				*ms = out[i].duration_ms;
			text[len++] = out[i].digit;
		}
	}
	text[len] = '\0';

	return text;
}


struct form {
	uint32_t rate;
	unsigned on_ms, off_ms;
	double low_db, high_db;  /* of full scale                           */
	double off;              /* frequencies are so much too high        */
	double noise_db;
};


/* All keys, one after the other. @return samples */
static size_t dial(const struct form *f)
{
	const double a = 32767 * pow(10, f->low_db / 20);
	const double b = 32767 * pow(10, f->high_db / 20);
	const double noise = 32767 * pow(10, f->noise_db / 20);
	size_t n = 0;

	seed = 5;
	for (size_t k = 0; keys[k]; k++) {
		double low = 0, high = 0;

		assert_true(dtmf_band_tones(keys[k], &low, &high));
		for (unsigned part = 0; part < 2; part++) {
			const size_t m = f->rate / 1000 *
				(part ? f->off_ms : f->on_ms);

			for (size_t i = 0; i < m; i++) {
				const double t = 2 * M_PI * (double)i *
					(1 + f->off) / f->rate;
				double x = noise * 1.7 * rnd();

				if (!part)
					x += a * sin(low * t) + b *
						sin(high * t);
				v[n++] = (int16_t)lrint(x);
			}
		}
	}

	return n;
}


static void test_heard(void **state)
{
	static const struct form forms[] = {
		{  8000, 100,  70,  -9,  -7, 0, -90 },
		{ 16000, 100,  70,  -9,  -7, 0, -90 },
		{ 48000, 100,  70,  -9,  -7, 0, -90 },
		{  8000,  50,  50,  -9,  -7, 0, -90 },   /* short           */
		{  8000,  50,  50, -35, -33, 0, -90 },   /* quiet           */
		{  8000,  60,  60, -13,  -7, 0, -90 },   /* twist           */
		{  8000,  60,  60,  -7, -13, 0, -90 },
		{  8000,  60,  60,  -9,  -7, 0.015, -90 }, /* off its pitch */
		{  8000,  60,  60,  -9,  -7, -0.015, -90 },
		{  8000, 100,  70, -15, -13, 0, -33 },   /* noise           */
		{ 48000, 100,  70, -15, -13, 0, -33 },
	};
	(void)state;

	for (unsigned i = 0; i < COUNT(forms); i++) {
		const size_t n = dial(&forms[i]);
		uint32_t ms = 0;
		const char *text = heard(n, forms[i].rate, &ms);

		if (strcmp(text, keys))
			fail_msg("form %u: '%s'", i, text);
		assert_in_range(ms, forms[i].on_ms - 20,
				forms[i].on_ms + 20);
	}
}


static void test_not_heard(void **state)
{
	static const struct form forms[] = {
		{ 8000,  20, 70,  -9,  -7, 0, -90 },     /* too short       */
		{ 8000, 100, 70,  -9,  -7, 0.035, -90 }, /* no such pitch   */
		{ 8000, 100, 70, -20,  -7, 0, -90 },     /* one group alone */
		{ 8000, 100, 70, -60, -58, 0, -90 },     /* a whisper       */
		{ 8000, 100, 70, -25, -23, 0, -18 },     /* in a din        */
	};
	(void)state;

	for (unsigned i = 0; i < COUNT(forms); i++) {
		const size_t n = dial(&forms[i]);
		const char *text = heard(n, forms[i].rate, NULL);

		if (*text)
			fail_msg("form %u: '%s'", i, text);
	}
}


/* What is heard as keys at 8 kHz when it is thinned out without care */
static void test_mirrored(void **state)
{
	static const uint32_t rates[] = { 16000, 24000, 48000 };
	(void)state;

	for (unsigned k = 0; k < COUNT(rates); k++) {
		const uint32_t rate = rates[k];

		for (size_t i = 0; i < rate; i++) {
			const double t = 2 * M_PI * (double)i / rate;
			const bool on = i % (rate / 5) < rate / 10;

			v[i] = (int16_t)lrint(!on ? 0.0 : 9000 *
				(sin((8000 - 852) * t) +
				 sin((8000 - 1336) * t)));
		}
		assert_string_equal(heard(rate, rate, NULL), "");
	}
}


/* A key that is held is one key; one with a dropout too */
static void test_once(void **state)
{
	const struct form f = { 8000, 700, 60, -9, -7, 0, -90 };
	size_t n = dial(&f);
	uint32_t ms = 0;
	(void)state;

	assert_string_equal(heard(n, 8000, &ms), keys);
	assert_in_range(ms, 680, 720);
	for (size_t k = 0; k < 16; k++)
		memset(v + 760 * 8 * k + 300 * 8, 0, 10 * 8 * sizeof(*v));
	assert_string_equal(heard(n, 8000, NULL), keys);
}


/* Voices and chords, ten seconds of each, with all pitches a voice has */
static void test_talk_off(void **state)
{
	unsigned found = 0;
	(void)state;

	for (unsigned voice = 0; voice < 24; voice++) {
		const size_t n = 8000 * 10;
		double f0 = 100, f1 = 500, f2 = 1500, phase = 0, y1 = 0, z1 = 0,
			y2 = 0, z2 = 0, glide = 0;
		size_t left = 0;

		seed = 77 + voice;
		for (size_t i = 0; i < n; i++) {
			double x, r = 0.96;

			if (!left) {
				left = (size_t)(800 + 600 * (1 + rnd()));
				f0 = 170 + 110 * rnd();
				f1 = 600 + 350 * rnd();
				f2 = 1500 + 700 * rnd();
				glide = 0.5 * rnd() / 8000;
			}
			--left;
			/* no voice keeps its pitch */
			f0 *= 1 + glide;
			phase += f0 / 8000;
			phase -= floor(phase);
			x = phase < 0.06 ? 9000 : -500 + 300 * rnd();

			/* two formants */
			{
				const double a = x + 2 * r * cos(2 * M_PI *
					f1 / 8000) * y1 - r * r * z1;
				const double b = x + 2 * r * cos(2 * M_PI *
					f2 / 8000) * y2 - r * r * z2;

				z1 = y1;
				y1 = a;
				z2 = y2;
				y2 = b;
			}
			x = 0.1 * (y1 + y2);
			v[i] = (int16_t)lrint(x > 32767 ? 32767 : x < -32767 ?
					      -32767 : x);
		}
		found += (unsigned)strlen(heard(n, 8000, NULL));

		/* three notes of a scale, changing */
		for (size_t i = 0; i < n; i++) {
			const size_t bar = i / 1600;
			const double t = 2 * M_PI * (double)i / 8000;
			const double base = 220 * pow(2, (double)
				((bar * 7 + voice) % 24) / 12);

			v[i] = (int16_t)lrint(3000 * (sin(base * t) + sin(1.26
				* base * t) + 0.7 * sin(1.498 * base * t) +
				0.5 * sin(2 * base * t)));
		}
		found += (unsigned)strlen(heard(n, 8000, NULL));
	}

	print_message("%u keys in 480 s of voices and chords\n", found);
	assert_int_equal(found, 0);
}


/* Minutes of speech, from a bass to a child, as loud as it is and whispered */
static void talk_off(uint32_t rate)
{
	unsigned found = 0, seconds = 0;
	char err[256];
	int16_t *s;
	size_t n;

	for (unsigned pitch = 60; pitch < 180; pitch += 3) {
		assert_int_equal(sound_read_at(&s, &n, rate * 100 / pitch,
					       SPEECH, err, sizeof(err)), 0);
		assert_true(n <= COUNT(v));
		for (unsigned part = 0; part < 2; part++) {
			for (size_t i = 0; i < n; i++)
				v[i] = part ? s[i] / 8 : s[i];
			found += (unsigned)strlen(heard(n, rate, NULL));
			seconds += (unsigned)n / rate;
		}
		free(s);
	}

	print_message("%u keys in %u s of speech at %u Hz\n", found, seconds,
		      rate);
	assert_true(seconds > 600);
	assert_int_equal(found, 0);
}


static void test_talk_off_speech(void **state)
{
	(void)state;
	talk_off(8000);
}


static void test_talk_off_wide(void **state)
{
	(void)state;
	talk_off(16000);
}


/* Through the phone: each key once, by G.711 and Opus, with its event */
static void test_flow(void **state)
{
	static const char *const codecs[] = { "pcmu", "opus" };
	(void)state;

	for (unsigned i = 0; i < COUNT(codecs); i++) {
		struct rig *r = rig_call(codecs[i]);

		r->ends[1].f->band_wanted = true;
		rig_run(r, 300);
		assert_int_equal(dtmf_tx_add_band(&r->ends[0].f->tx.dtmf,
						  "159#,D"), 0);
		rig_run(r, 3500);
		assert_string_equal(rig_digits(r, 1), "159#D");
		assert_int_equal(rig_posts(r, 0, STREAM_DTMF_SENT), 1);
		assert_int_equal(r->ends[0].f->tx.dtmf.sent, 5);

		/* as an event it is told once, whoever listens how */
		assert_int_equal(dtmf_tx_add(&r->ends[0].f->tx.dtmf, "7!"),
				 0);
		rig_run(r, 1500);
		assert_string_equal(rig_digits(r, 1), "159#D7!");
		rig_free(r);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_not_heard),
		cmocka_unit_test(test_mirrored),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_talk_off),
		cmocka_unit_test(test_talk_off_speech),
		cmocka_unit_test(test_talk_off_wide),
		cmocka_unit_test(test_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
