/**
 * @file duplex.c  One at a time: what is left of an echo is turned down
 *
 * A canceller cannot cope with every room: a loudspeaker that is overdriven, a
 * microphone that is moved, one device's clock against another's.  What it
 * leaves goes up and down with what is played; while that is so, and only
 * while they speak and we do not, the microphone is turned down.  So nobody
 * hears himself, at the price that they are not interrupted as easily.  A
 * headset, where nothing comes back, never engages it.
 *
 * Pure; media thread.
 */
#include <math.h>
#include "duplex.h"


enum {
	LEARN   = 200,           /* frames before anything is believed       */
	COUNTED = 500,           /* over so many it is averaged              */
	HOLD    = 15,            /* a room rings on                          */
};

#define SMOOTH 0.12              /* of the loudness: 80 ms                   */
#define FAR_DB (-48.0)           /* louder: they speak                       */
#define LEFT_DB (-58.0)          /* quieter: nobody would hear it            */
#define ENGAGE 0.55              /* correlation with what is played          */
#define FAR_VAR 9.0              /* dB squared                               */
#define MIC_VAR 4.0
#define LET_GO 0.25
#define FALL_DB 1.2              /* a frame, of what the room still holds    */
#define OURS_DB 8.0              /* louder than the echo by so much: we speak */
#define DOWN 0.96f               /* turned down by: 28 dB                    */
#define ATTACK 0.5f
#define RELEASE 0.12f


static double level_db(const int16_t *v, size_t n)
{
	const double full = 32768.0 * 32768.0 / 2.0;
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return 10.0 * log10(sum / (double)n / full + 1e-9);
}


/* Does the one go up and down with the other? -1 to 1; a steady tone does not
 * go anywhere, and says nothing */
static double correlation(const struct duplex *d)
{
	const double vf = d->ff - d->mf * d->mf, vm = d->mmm - d->mm * d->mm;

	return vf > FAR_VAR && vm > MIC_VAR ?
		(d->fm - d->mf * d->mm) / sqrt(vf * vm) : 0.0;
}


static void learn(struct duplex *d)
{
	double by, c;

	d->frames += d->frames < COUNTED;
	by = 1.0 / d->frames;
	d->mf += by * (d->far_db - d->mf);
	d->mm += by * (d->mic_db - d->mm);
	d->ff += by * (d->far_db * d->far_db - d->ff);
	d->mmm += by * (d->mic_db * d->mic_db - d->mmm);
	d->fm += by * (d->far_db * d->mic_db - d->fm);

	if (d->frames < LEARN)
		return;

	c = correlation(d);
	if (c > ENGAGE && d->mic_db > LEFT_DB)
		d->engaged = true;
	else if (c < LET_GO)
		d->engaged = false;
}


/* What comes back follows the quietest of it quickly: the rest is us */
static bool ours(struct duplex *d)
{
	double leak;

	/* a room falls silent more slowly than they do */
	d->room_db = fmax(d->far_db, d->room_db - FALL_DB);
	leak = d->mic_db - d->room_db;

	d->leak_db += (leak - d->leak_db) * (leak < d->leak_db ? 0.1 : 0.004);

	return leak > d->leak_db + OURS_DB;
}


void duplex_run(struct duplex *d, enum media_limiter mode, const int16_t *far,
		int16_t *v, size_t n)
{
	const double far_db = level_db(far, n), mic_db = level_db(v, n);
	bool down = false;
	float want, step;

	d->far_db += (d->begun ? SMOOTH : 1.0) * (far_db - d->far_db);
	d->mic_db += (d->begun ? SMOOTH : 1.0) * (mic_db - d->mic_db);
	d->begun = true;

	if (d->far_db > FAR_DB)
		d->hold = HOLD;
	else if (d->hold)
		--d->hold;

	/* who begins to speak as they do is no echo: only while they do */
	if (d->hold)
		learn(d);

	if (d->hold && (mode == MEDIA_LIMIT_ON || d->engaged))
		down = !ours(d);

	want = down ? DOWN : 0.0f;
	want = d->gain + (want - d->gain) * (want > d->gain ? ATTACK :
					     RELEASE);
	if (want < 0.001f && d->gain < 0.001f) {
		d->gain = 0.0f;
		return;
	}

	step = (want - d->gain) / (float)n;
	for (size_t i = 0; i < n; i++) {
		d->gain += step;
		v[i] = (int16_t)lrintf((1.0f - d->gain) * (float)v[i]);
	}
	d->gain = want;
}
