/**
 * @file test_agc.c  Automatic gain on speech with pauses must not pump
 *
 * A voice speaks for some seconds, is silent for three, and speaks again, in a
 * room with a little noise: in a pause the noise may not swell, and what is
 * said first behind it is as loud as what is said later.
 */
#include <math.h>
#include <stdio.h>
#include "rig.h"
#include "dsp.h"


enum {
	HZ = 16000, FRAME = HZ / 100,
	PAUSE_S = 3, TURNS = 4, LEARN = 2,   /* turns until it has settled */
};

static int16_t *speech;
static size_t speech_n;


static double level(const int16_t *v, size_t n)
{
	double sum = 1e-9;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return 10 * log10(sum / (double)n / 32768 / 32768);
}


static double hiss(void)
{
	static uint32_t s = 5;

	s = s * 1664525u + 1013904223u;

	return (double)(s >> 8) / 8388608.0 - 1.0;
}


static int gain_of(const struct dsp *d)
{
	struct media_room_figures f;

	dsp_figures(d, &f);

	return f.agc_db;
}


static double change(const int16_t *out, const int16_t *in, size_t n)
{
	return level(out, n) - level(in, n);
}


static void turns(double speech_db, double noise_db, bool suppress)
{
	const struct media_room conf = { .agc = true, .noise = suppress };
	const double gain = pow(10, (speech_db - level(speech, speech_n)) /
				20);
	const double amp = 32768 * sqrt(3) * pow(10, noise_db / 20);
	const size_t turn = speech_n + PAUSE_S * HZ, s = HZ;
	int16_t *in = calloc(turn, sizeof(*in));
	int16_t *out = calloc(turn, sizeof(*out));
	struct dsp *d = NULL;

	assert_true(in && out);
	assert_int_equal(dsp_alloc(&d, HZ, &conf), 0);

	for (unsigned t = 0; t < TURNS; t++) {
		int spoken = 0;
		double first, all, swell;

		for (size_t i = 0; i < turn; i++)
			in[i] = (int16_t)lrint(amp * hiss() + (i < speech_n ?
						gain * speech[i] : 0));
		memcpy(out, in, turn * sizeof(*in));

		for (size_t i = 0; i + FRAME <= turn; i += FRAME) {
			if (i / FRAME == speech_n / FRAME)
				spoken = gain_of(d);
			dsp_captured(d, out + i, FRAME, 0);
		}

		/* the pause less its first half second, in which the last word
		 * dies away */
		first = change(out, in, s);
		all = change(out, in, speech_n);
		swell = change(out + turn - s, in + turn - s, s) -
			change(out + speech_n + s / 2, in + speech_n + s / 2,
			       s);
		print_message("%.0f dB over %.0f, suppressed %d, turn %u: "
			      "%.1f dB louder, its first second %.1f, %d then "
			      "%d dB, noise swells by %.1f dB\n", speech_db,
			      noise_db, suppress, t, all, first, spoken,
			      gain_of(d), swell);
		if (t < LEARN)
			continue;

		assert_true(gain_of(d) <= spoken);
		assert_true(gain_of(d) >= spoken - 1);
		assert_true(fabs(first - all) < 1.5);
		assert_true(swell < 2.5);
	}
	mem_deref(d);
	free(in);
	free(out);
}


static void test_pumping(void **state)
{
	char err[256];
	(void)state;

	assert_int_equal(sound_read_at(&speech, &speech_n, HZ, SPEECH, err,
				       sizeof(err)), 0);
	for (unsigned k = 0; k < 2; k++) {
		turns(-40, -65, k);
		turns(-30, -50, k);
		turns(-20, -45, k);
		turns(-30, -52, k);
	}
	free(speech);
}


/* What the loudspeaker leaves behind is nobody who speaks too softly */
static void test_far_end_only(void **state)
{
	const struct media_room conf = { .agc = true, .echo = true };
	struct dsp *d = NULL;
	int16_t v[FRAME], far[FRAME];
	char err[256];
	int before;
	(void)state;

	assert_int_equal(sound_read_at(&speech, &speech_n, HZ, SPEECH, err,
				       sizeof(err)), 0);
	assert_int_equal(dsp_alloc(&d, HZ, &conf), 0);
	memset(far, 0, sizeof(far));
	for (size_t i = 0; i + FRAME <= speech_n; i += FRAME) {
		for (size_t k = 0; k < FRAME; k++)
			v[k] = (int16_t)lrint(10 * hiss() + speech[i + k] / 4);
		dsp_played(d, far, FRAME);
		dsp_captured(d, v, FRAME, 0);
	}
	before = gain_of(d);

	/* now they speak, and it comes back through the room */
	for (size_t i = 0; i + FRAME <= speech_n; i += FRAME) {
		for (size_t k = 0; k < FRAME; k++)
			v[k] = (int16_t)lrint(10 * hiss() + (i + k > 400 ?
						speech[i + k - 400] / 8 : 0));
		dsp_played(d, speech + i, FRAME);
		dsp_captured(d, v, FRAME, 0);
	}
	print_message("%d dB, and after they spoke %d dB\n", before,
		      gain_of(d));
	assert_true(gain_of(d) <= before + 2);
	mem_deref(d);
	free(speech);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pumping),
		cmocka_unit_test(test_far_end_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
