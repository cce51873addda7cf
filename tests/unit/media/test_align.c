/**
 * @file test_align.c  The reference follows the echo
 *
 * A loudspeaker and a microphone whose clocks and delays are made up: what the
 * device tells of its delay stays as it was.  What comes back is computed at
 * any moment between the samples.
 */
#include <math.h>
#include <string.h>
#include "align.h"
#include "lag.h"
#include "rig.h"
#include "voice.h"

enum { HZ = VOICE_HZ, FRAME = 160, SECONDS = 40, N = HZ * SECONDS,
	DEVICE_MS = 80, REACH = 12 };

static int16_t far[N], near[N];


/* What was played, at a moment between its samples */
static double played(double at)
{
	const long k = (long)floor(at);
	double y = 0.0;

	for (long i = k - REACH + 1; i <= k + REACH; i++) {
		const double x = at - (double)i;
		const double w = cos(M_PI * x / (2 * REACH + 2));

		if (i >= 0 && i < N)
			y += far[i] * w * w * (fabs(x) < 1e-9 ? 1.0 :
					       sin(M_PI * x) / (M_PI * x));
	}

	return y;
}


struct place {
	struct dsp *d;
	double echo_ms;              /* what comes back is so old: device,
					and more that nobody tells           */
	double wander;               /* ms in a second                       */
	double near_gain;
	size_t lost;                 /* samples of silence between, told     */
	double in, out, kept, said;  /* energies                             */
};


static void place_begin(struct place *r)
{
	const struct media_room conf = { .echo = true };

	memset(r, 0, sizeof(*r));
	r->echo_ms = DEVICE_MS + 15.0;
	assert_int_equal(dsp_alloc(&r->d, HZ, &conf), 0);
	voice_speak(far, N, 1);
	voice_speak(near, N, 2);
}


/* The echo of a small room: the direct way, a wall, another one */
static double echo(const struct place *r, size_t i)
{
	const double at = (double)i - r->echo_ms * HZ / 1000;

	return 0.5 * played(at) - 0.2 * played(at - 53.3) +
		0.15 * played(at - 211.7);
}


/* @return echo taken away, dB */
static double place_run(struct place *r, double from_s, double to_s)
{
	const size_t from = (size_t)(from_s * HZ), to = (size_t)(to_s * HZ);

	voice_seed(99);
	r->in = r->out = r->kept = r->said = 1.0;
	for (size_t i = from; i < to; i += FRAME) {
		int16_t v[FRAME];
		double mine[FRAME], theirs[FRAME];

		dsp_played(r->d, far + i, FRAME);
		dsp_missed(r->d, r->lost);
		for (size_t k = 0; k < FRAME; k++) {
			theirs[k] = echo(r, i + k);
			mine[k] = r->near_gain * near[i + k];
			v[k] = (int16_t)lrint(theirs[k] + mine[k] +
					      6.0 * voice_random());
			r->echo_ms += r->wander / HZ;
		}
		dsp_captured(r->d, v, FRAME, DEVICE_MS * HZ / 1000);
		for (size_t k = 0; k < FRAME; k++) {
			const double left = v[k] - mine[k];

			r->in += theirs[k] * theirs[k];
			r->out += left * left;
			r->kept += (double)v[k] * v[k];
			r->said += mine[k] * mine[k];
		}
	}

	return 10.0 * log10(r->in / r->out);
}


/* It goes to another place in mid-call: it is hardly heard, and within three
 * seconds all is well */
static void test_jumps(void **state)
{
	static const double by_ms[] = { 5.0, -5.0, 20.0, 60.0, -60.0 };
	struct media_room_figures f;
	struct place r;
	(void)state;

	place_begin(&r);
	assert_true(place_run(&r, 0.0, 6.0) > 10.0);
	for (unsigned i = 0; i < COUNT(by_ms); i++) {
		const double t = 6.0 + 6.0 * i;
		double at_first, then;

		r.echo_ms += by_ms[i];
		at_first = place_run(&r, t, t + 3.0);
		then = place_run(&r, t + 3.0, t + 6.0);
		dsp_figures(r.d, &f);
		print_message("%+.0f ms: %.1f dB, after three seconds %.1f; "
			      "%u jumps\n", by_ms[i], at_first, then,
			      (unsigned)f.slips);
		assert_true(at_first > 12.0);
		assert_true(then > 20.0);
		assert_int_equal(f.slips, i + 1);
	}
	mem_deref(r.d);
}


/* One clock is faster than the other */
static void test_clocks(void **state)
{
	static const double ppm[] = { 100.0, -100.0, 250.0 };
	(void)state;

	for (unsigned i = 0; i < COUNT(ppm); i++) {
		struct media_room_figures f;
		struct place r;
		double first, then;

		place_begin(&r);
		r.wander = ppm[i] / 1000.0;
		first = place_run(&r, 0.0, 8.0);
		then = place_run(&r, 8.0, 40.0);
		dsp_figures(r.d, &f);
		print_message("%+.0f ppm: %.1f dB, from the eighth second on "
			      "%.1f\n", ppm[i], first, then);
		assert_true(then > 20.0);
		assert_int_equal(f.slips, 0);
		mem_deref(r.d);
	}
}


/* Somebody talks here while the clock is another one */
static void test_double_talk(void **state)
{
	struct place r;
	double kept, after;
	(void)state;

	place_begin(&r);
	r.wander = 0.1;
	(void)place_run(&r, 0.0, 10.0);
	r.near_gain = 1.0;
	(void)place_run(&r, 10.0, 20.0);
	kept = 10.0 * log10(r.kept / r.said);
	r.near_gain = 0.0;
	(void)place_run(&r, 20.0, 21.0);     /* the canceller's own     */
	after = place_run(&r, 21.0, 23.0);
	print_message("double talk: what is said here %.1f dB, then %.1f dB "
		      "of echo taken away\n", kept, after);
	assert_true(kept > -4.0 && kept < 2.0);
	assert_true(after > 20.0);
	mem_deref(r.d);
}


/* The loudspeaker ran dry: it is known by how much, and nothing is learnt
 * anew */
static void test_missed(void **state)
{
	struct media_room_figures f;
	struct place r;
	double at_once;
	(void)state;

	place_begin(&r);
	(void)place_run(&r, 0.0, 10.0);
	r.lost = HZ * 12 / 1000;
	r.echo_ms += 12.0;
	(void)place_run(&r, 10.0, 10.2);     /* on its way              */
	at_once = place_run(&r, 10.2, 12.2);
	dsp_figures(r.d, &f);
	print_message("12 ms missing: %.1f dB\n", at_once);
	assert_true(at_once > 20.0);
	assert_int_equal(f.slips, 0);
	mem_deref(r.d);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_double_talk),
		cmocka_unit_test(test_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
