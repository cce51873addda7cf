/**
 * @file test_talk.c  A voice at a muted microphone, and what only sounds like it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>
#include <offhook/audio.h>
#include "talk.h"

enum { SECONDS = 20, HZ_MAX = 48000 };

static int16_t mic[SECONDS * HZ_MAX], heard[SECONDS * HZ_MAX];
static uint32_t rnd;


static double hiss(void)
{
	rnd = rnd * 1664525 + 1013904223;

	return (int32_t)rnd / 2147483648.0;
}


/* What was told of so many samples, and when the first time (ms) */
struct told {
	unsigned begins, ends, first_ms;
};

static struct told hear(struct talk *t, size_t n, uint32_t hz)
{
	struct told told = { .begins = 0 };

	for (size_t at = 0; at + hz / 100 <= n; at += hz / 100) {

		switch (talk_hear(t, mic + at, heard + at, hz / 100, hz)) {

		case TALK_BEGINS:
			if (!told.begins++)
				told.first_ms = (unsigned)(at * 1000 / hz);
			break;

		case TALK_ENDS:
			++told.ends;
			break;

		case TALK_SAME:
			break;
		}
	}

	return told;
}


/* Speech at hz, that much louder, its pitch that much higher, with a hiss
 * behind it. @return samples */
static size_t speech(int16_t *v, uint32_t hz, double db, double pitch,
		     double noise)
{
	const double gain = pow(10, db / 20);
	uint32_t had = (uint32_t)(hz / pitch);
	char err[256];
	int16_t *s;
	size_t n;

	assert_int_equal(sound_read_at(&s, &n, had, SPEECH, err, sizeof(err)),
			 0);
	n = n < (size_t)SECONDS * hz ? n : (size_t)SECONDS * hz;
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)(gain * s[i] + noise * hiss());
	free(s);

	return n;
}


static size_t quiet(int16_t *v, uint32_t hz, unsigned s, double noise)
{
	for (size_t i = 0; i < (size_t)s * hz; i++)
		v[i] = (int16_t)(noise * hiss());

	return (size_t)s * hz;
}


/* Of every pitch, loud and soft, at every rate: said once, and soon */
static void test_speech(void **state)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 48000 };
	static const double pitches[] = { 0.75, 1.0, 1.5, 2.0 };
	static const double louder[] = { 0, -12, -20 };
	struct told told;
	struct talk t;
	size_t n;
	(void)state;

	memset(heard, 0, sizeof(heard));
	for (unsigned r = 0; r < 4; r++) {
		for (unsigned i = 0; i < 12; i++) {
			n = speech(mic, rates[r], louder[i / 4],
				   pitches[i % 4], 30);
			talk_init(&t);
			told = hear(&t, n, rates[r]);
			print_message("%u Hz, pitch %.2f, %.0f dB: %u ms\n",
				      rates[r], pitches[i % 4],
				      louder[i / 4], told.first_ms);
			assert_int_equal(told.begins, 1);
			assert_int_equal(told.ends, 0);
			assert_in_range(told.first_ms, 900, 3000);
		}
	}
}


/* A pause of five seconds, and it is said again */
static void test_spells(void **state)
{
	struct told told;
	struct talk t;
	size_t n;
	(void)state;

	memset(heard, 0, sizeof(heard));
	n = speech(mic, 8000, 0, 1.0, 30);
	talk_init(&t);
	for (unsigned i = 0; i < 3; i++) {
		told = hear(&t, n, 8000);
		assert_int_equal(told.begins, 1);
		assert_int_equal(told.ends, 0);
		/* one that is too short to be the end of it */
		(void)quiet(mic, 8000, 3, 30);
		told = hear(&t, 3 * 8000, 8000);
		n = speech(mic, 8000, 0, 1.0, 30);
		assert_int_equal(told.begins + told.ends, 0);
		told = hear(&t, n, 8000);
		assert_int_equal(told.begins + told.ends, 0);
		(void)quiet(mic, 8000, 7, 30);
		told = hear(&t, 7 * 8000, 8000);
		assert_int_equal(told.begins, 0);
		assert_int_equal(told.ends, 1);
		n = speech(mic, 8000, 0, 1.0, 30);
	}
}


/* One sample of what is no voice, at time s */
static double nothing(double s)
{
	(void)s;

	return 20 * hiss();
}


static double fan(double s)
{
	return s < 3 ? 20 * hiss() : 3000 * hiss();
}


static double hum(double s)
{
	return s < 2 ? 5 * hiss() : 2000 * sin(2 * M_PI * 50 * s) +
		1500 * sin(2 * M_PI * 150 * s) + 20 * hiss();
}


static double dial_tone(double s)
{
	return s < 2 ? 5 * hiss() : 3000 * sin(2 * M_PI * 350 * s) +
		3000 * sin(2 * M_PI * 440 * s);
}


static double beeps(double s)
{
	return fmod(s, 0.6) < 0.2 ? 6000 * sin(2 * M_PI * 1000 * s) :
		20 * hiss();
}


/* Four keys a second: 8 ms of noise that rings off */
static double keys(double s)
{
	const double at = fmod(s, 0.25);

	return at < 0.05 ? 9000 * exp(-at / 0.008) * hiss() : 20 * hiss();
}


static double bump(double s)
{
	const double at = fmod(s, 4.0);

	return 12000 * exp(-at / 0.1) * sin(2 * M_PI * 90 * at) +
		20 * hiss();
}


static void test_no_voice(void **state)
{
	static const struct {
		const char *name;
		double (*at)(double s);
	} sounds[] = {
		{ "nothing", nothing }, { "fan", fan }, { "hum", hum },
		{ "dial tone", dial_tone }, { "beeps", beeps },
		{ "keys", keys }, { "bump", bump },
	};
	static const uint32_t rates[] = { 8000, 16000, 48000 };
	struct talk t;
	(void)state;

	memset(heard, 0, sizeof(heard));
	for (unsigned i = 0; i < 7 * 3; i++) {
		const uint32_t hz = rates[i / 7];

		for (size_t k = 0; k < (size_t)SECONDS * hz; k++)
			mic[k] = (int16_t)
				sounds[i % 7].at((double)k / hz);
		talk_init(&t);
		print_message("%s at %u Hz\n", sounds[i % 7].name, hz);
		assert_int_equal(hear(&t, (size_t)SECONDS * hz, hz).begins,
				 0);
	}
}


/* What the loudspeaker plays comes back by the room, weaker and later: that
 * is not us. We are, once they are quiet, and over them when we are louder */
static void test_echo(void **state)
{
	static int16_t ours[SECONDS * 16000];
	const uint32_t hz = 16000, late = hz / 10;
	struct talk t;
	size_t n;
	(void)state;

	n = speech(heard, hz, -6, 1.0, 0);
	for (size_t i = 0; i < n; i++)
		mic[i] = (int16_t)((i < late ? 0 : heard[i - late] / 4) +
				   20 * hiss());
	talk_init(&t);
	assert_int_equal(hear(&t, n, hz).begins, 0);

	memset(heard, 0, sizeof(heard));
	n = speech(mic, hz, -12, 1.3, 20);
	assert_int_equal(hear(&t, n, hz).begins, 1);

	n = speech(heard, hz, -20, 1.0, 0);
	(void)speech(ours, hz, 0, 1.5, 20);
	for (size_t i = 0; i < n; i++)
		mic[i] = (int16_t)(ours[i] / 2 +
				   (i < late ? 0 : heard[i - late] / 4));
	talk_init(&t);
	assert_int_equal(hear(&t, n * 2 / 3, hz).begins, 1);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_speech),
		cmocka_unit_test(test_spells),
		cmocka_unit_test(test_no_voice),
		cmocka_unit_test(test_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
