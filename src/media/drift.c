/**
 * @file drift.c  Two clocks: what is mixed by one is played by the other
 *
 * Microphone and loudspeaker need not keep the same time, and a busy machine
 * lets nobody be punctual.  What waits to be played is held at a level that
 * outlasts the dips that have been seen, and no higher: by making a few
 * samples in a million more or fewer (speexdsp), which nobody hears.  Dips are
 * remembered for half an hour, so that a machine that is busy now and then is
 * not learnt anew each time; until some have been seen, deep ones are feared.
 * Far too much that collects at once goes with the next silence.
 *
 * Pure but for the resampler; media thread.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "drift.h"
#include "priv.h"


enum {
	WINDOW_MS = 500,
	PPM_MAX   = 3000,        /* a twentieth of a semitone                */
	TRIM_MAX  = 2000,        /* clocks are better than that              */
	STEP_PPM  = 10,          /* less is not worth a new ratio            */
	EXCESS_MS = 15,          /* more above the level need not wait       */
	QUALITY_LOW = 3, QUALITY_HIGH = 5,
};

#define FLOOR_MS 3.0         /* held even when nothing ever dips         */
#define WANT_MAX_MS 60.0
#define DIP_FIRST_MS 32.0    /* until more is known                      */
#define FIRST_KEEP 0.98      /* a window: half of it is left in 17 s     */
#define DIP_KEEP 0.9998      /* half of it is left in half an hour       */
#define DRY_MS 1.0           /* no more than this: it may have run out   */
#define DRY_MORE_MS 10.0     /* ... and how deep it would have gone?     */
#define DIP_ROOM 1.25
#define PULL 100.0           /* ppm for each ms off: in 10 s             */
#define TRIM 1.2             /* ... and, for good, each window           */

struct drift {
	uint32_t rate_hz;
	struct resampler *rs;
	double trim, ppm;
	/* this window */
	unsigned blocks;
	double sum, low;         /* ms                                       */
	double before;           /* low of the one before                    */
	/* and what was learnt */
	double fill, dip;        /* ms; dip: the deepest, slowly forgotten   */
	double first;            /* ... and what is feared at first          */
	bool begun;              /* the window in which it was filled ended  */
};


static void destructor(void *arg)
{
	struct drift *d = arg;

	mem_deref(d->rs);
}


static void window_begin(struct drift *d)
{
	d->sum = 0.0;
	d->low = INFINITY;
	d->blocks = 0;
}


int drift_alloc(struct drift **dp, uint32_t rate_hz)
{
	struct drift *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;

	d->rate_hz = rate_hz;
	d->first = DIP_FIRST_MS;
	window_begin(d);

	/* a long filter is delay where samples are few, and hardly any where
	 * they are many */
	err = resampler_alloc_near(&d->rs, rate_hz, rate_hz < 32000 ?
				   QUALITY_LOW : QUALITY_HIGH);
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


static double dip(const struct drift *d)
{
	return fmax(d->dip, d->first);
}


static double want(const struct drift *d)
{
	return fmin(FLOOR_MS + DIP_ROOM * dip(d), WANT_MAX_MS);
}


/* How far it fell.  Where nothing was left it would have gone further */
static double fell(const struct drift *d, double mean)
{
	const double ms = mean - d->low;

	return d->low > DRY_MS ? ms : fmin(ms + DRY_MORE_MS, WANT_MAX_MS);
}


static double within(double v, double most)
{
	return fmax(-most, fmin(most, v));
}


static void window_end(struct drift *d)
{
	const double mean = d->sum / d->blocks;
	const double off = mean - want(d);
	double ppm;

	d->fill = mean;
	if (d->begun)
		d->dip = fmax(d->dip * DIP_KEEP, fell(d, mean));
	d->first *= FIRST_KEEP;
	d->begun = true;
	d->before = d->low;

	/* more waits than is wanted: fewer are made */
	d->trim = within(d->trim - TRIM * off, TRIM_MAX);
	ppm = within(d->trim - PULL * off, PPM_MAX);
	if (fabs(ppm - d->ppm) >= STEP_PPM &&
	    !resampler_tune(d->rs, (int)lrint(ppm)))
		d->ppm = ppm;

	window_begin(d);
}


/* Loud enough to be missed? */
static bool audible(const int16_t *v, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (int32_t)v[i] * v[i];

	return sum > 30 * (int64_t)n;
}


/* Would even what is left at the worst moments do with less?  A card that
 * takes much at a time makes peaks, and they mean nothing. */
static bool too_much(const struct drift *d)
{
	const double low = fmin(d->low, d->before);

	return low > want(d) - dip(d) + EXCESS_MS;
}


/* ... and that must not be taken for a dip */
static void left_out(struct drift *d, double ms)
{
	d->sum -= ms * d->blocks;
	d->low -= ms;
	d->before -= ms;
}


size_t drift_play(struct drift *d, size_t fill, const int16_t *v, size_t n,
		  int16_t *out, size_t max)
{
	const double ms = 1000.0 * (double)fill / d->rate_hz;
	size_t used = n, made = max;

	d->sum += ms;
	d->low = fmin(d->low, ms);
	++d->blocks;
	if (too_much(d) && !audible(v, n)) {
		left_out(d, 1000.0 * (double)n / d->rate_hz);
		return 0;
	}

	if (d->blocks * AUDIO_BLOCK_MS >= WINDOW_MS)
		window_end(d);

	if (resampler_run(d->rs, v, &used, out, &made))
		return 0;

	return made;
}


void drift_figures(const struct drift *d, struct drift_figures *f)
{
	f->ppm = (int)lrint(d->ppm);
	f->fill_ms = d->fill;
	f->want_ms = want(d);
	f->dip_ms = dip(d);
}
