/**
 * @file drift.c  Two clocks: what is mixed by one is played by the other
 *
 * Microphone and loudspeaker need not keep the same time, and a busy machine
 * lets nobody be punctual.  What waits to be played is held at a level that
 * outlasts the dips that are to be expected, and no higher: by making a few
 * samples in a million more or fewer (speexdsp), which nobody hears.
 *
 * A sound card takes its samples in lumps, so what counts is what is left at
 * the least.  Each half second has its least; by how much it is below the
 * usual one is a dip.  A dip that happened once is feared for some seconds, and
 * not in all its depth (somebody may just have begun to record); one that
 * happened again within half an hour is kept for as long, so that a machine
 * that is busy now and then is not learnt anew each time.  Until
 * something has been seen, dips of a fair depth are feared.  Far too much
 * that collects at once goes with the next silence.
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
	LOWS      = 6,           /* windows that say what is usual           */
	PPM_MAX   = 3000,        /* a twentieth of a semitone                */
	TRIM_MAX  = 2000,        /* clocks are better than that              */
	STEP_PPM  = 10,          /* less is not worth a new ratio            */
	DEPTH_MAX = 48,          /* ms; a deeper one is not waited for       */
	QUALITY_LOW = 3, QUALITY_HIGH = 5,
};

#define FLOOR_MS 2.0         /* held even when nothing ever dips         */
#define EXCESS_MS 3.0        /* more above the level need not wait       */
#define FIRST_MS 16.0        /* feared until more is known               */
#define FIRST_KEEP 0.93      /* a window: half of it is left in 5 s      */
#define DRY_MS 0.3           /* no more than this: it may have run out   */
#define DRY_MORE_MS 10.0     /* ... and how deep it would have gone?     */
#define ROOM 1.1
#define PULL 200.0           /* ppm for each ms off: in 5 s              */
#define TRIM 2.0             /* ... and, for good, each window           */
#define TRIM_OFF_MS 5.0      /* more is no matter of clocks              */

/* How often dips of each depth have been seen, by ms, older ones for less */
struct dips {
	double v[DEPTH_MAX + 1];
};

static const struct memory {
	double keep;             /* of what is known, each window            */
	double bar;              /* rarer than this is let pass              */
	double most;             /* ms                                       */
} memories[] = {
	{ 0.966, 0.3, 20.0 },    /* ten seconds to half; once is enough      */
	{ 0.99981, 1.5, DEPTH_MAX },     /* half an hour to half; twice     */
};

struct drift {
	uint32_t rate_hz;
	bool tells;              /* how much it missed                       */
	struct resampler *rs;
	double trim, ppm;
	/* this window */
	unsigned blocks;
	double sum, low;         /* ms                                       */
	size_t missed;           /* as told last                             */
	double silence;          /* ms of it in this window                  */
	/* and what was learnt */
	double lows[LOWS];       /* of past windows, as they would be now    */
	unsigned n_lows;
	double usual, fill;      /* ms                                       */
	struct dips dips[COUNT(memories)];
	double first;            /* what is feared at first                  */
	bool begun;              /* the window in which it was filled ended  */
};


static void destructor(void *arg)
{
	struct drift *d = arg;

	mem_deref(d->rs);
}


static void window_begin(struct drift *d)
{
	d->sum = d->silence = 0.0;
	d->low = INFINITY;
	d->blocks = 0;
}


int drift_alloc(struct drift **dp, uint32_t rate_hz, bool tells)
{
	struct drift *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;

	d->rate_hz = rate_hz;
	d->tells = tells;
	d->first = FIRST_MS;
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


/* The least depth that was not exceeded too often */
static double dips_depth(const struct dips *dips, double bar)
{
	double seen = 0.0;

	for (int i = DEPTH_MAX; i > 0; i--) {
		seen += dips->v[i];
		if (seen >= bar)
			return i;
	}

	return 0.0;
}


static void dips_add(struct dips *dips, double keep, double depth)
{
	for (unsigned i = 0; i <= DEPTH_MAX; i++)
		dips->v[i] *= keep;
	dips->v[(unsigned)fmin(fmax(ceil(depth), 0.0), DEPTH_MAX)] += 1.0;
}


static double dip(const struct drift *d)
{
	double most = d->first;

	for (unsigned i = 0; i < COUNT(memories); i++)
		most = fmax(most, fmin(memories[i].most,
				       dips_depth(&d->dips[i],
						  memories[i].bar)));

	return most;
}


static double want(const struct drift *d)
{
	return FLOOR_MS + ROOM * dip(d);
}


static double within(double v, double most)
{
	return fmax(-most, fmin(most, v));
}


static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}


static double usual(const struct drift *d)
{
	double v[LOWS];

	memcpy(v, d->lows, sizeof(v));
	qsort(v, d->n_lows, sizeof(*v), compare);

	/* rather low: a card may take a lump more or less by turns */
	return v[d->n_lows / 3];
}


/* What is held is moved on purpose: that is not a dip */
static void moved(struct drift *d, double ms)
{
	for (unsigned i = 0; i < d->n_lows; i++)
		d->lows[i] += ms;
	d->usual += ms;
}


/* What this window shows: how far it fell */
static void learn(struct drift *d)
{
	double depth = d->usual - d->low;

	/* who does not tell how much was missing would have gone deeper */
	if (d->low <= DRY_MS && !d->tells)
		depth += DRY_MORE_MS;

	if (d->n_lows)
		for (unsigned i = 0; i < COUNT(memories); i++)
			dips_add(&d->dips[i], memories[i].keep, depth);

	memmove(d->lows + 1, d->lows, sizeof(d->lows) - sizeof(*d->lows));
	d->lows[0] = d->low;
	d->n_lows += d->n_lows < LOWS;
	d->usual = usual(d);
}


static void window_end(struct drift *d)
{
	double off, ppm;

	d->fill = d->sum / d->blocks;
	d->first *= FIRST_KEEP;
	moved(d, (d->ppm - d->trim) * 1e-6 * WINDOW_MS + d->silence);
	if (d->begun)
		learn(d);
	else
		d->usual = want(d);
	d->begun = true;

	/* more waits than is wanted: fewer are made */
	off = d->usual - want(d);
	d->trim = within(d->trim - TRIM * within(off, TRIM_OFF_MS), TRIM_MAX);
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


/* What even at the worst moments need not wait.  A card that takes much at a
 * time makes peaks, and they mean nothing. */
static double excess(const struct drift *d)
{
	const double low = fmin(d->low, fmin(d->lows[0], d->lows[1]));
	const double more = low - want(d);

	return d->n_lows > 1 && more > EXCESS_MS ? more : 0.0;
}


/* ... and goes where nobody hears it. @return samples of v to leave out */
static size_t leave_out(struct drift *d, const int16_t *v,
			const int16_t *side, size_t n)
{
	const double per_ms = d->rate_hz / 1000.0;
	size_t k = (size_t)(excess(d) * per_ms);

	if (!k || audible(v, n) || (side && audible(side, n)))
		return 0;

	k = k < n ? k : n;
	d->sum -= (double)k / per_ms * d->blocks;
	d->low -= (double)k / per_ms;
	moved(d, -(double)k / per_ms);

	return k;
}


size_t drift_play(struct drift *d, size_t fill, size_t missed,
		  const int16_t *v, const int16_t *side, size_t n,
		  int16_t *out, int16_t *side_out, size_t max, bool *two)
{
	const double per_ms = d->rate_hz / 1000.0;
	const double ms = (double)fill / per_ms;
	size_t used, made = max, gone;

	d->silence += (double)(missed - d->missed) / per_ms;
	d->missed = missed;
	d->sum += ms;
	d->low = fmin(d->low, ms);
	++d->blocks;
	gone = leave_out(d, v, side, n);
	if (d->blocks * AUDIO_BLOCK_MS >= WINDOW_MS)
		window_end(d);

	used = n - gone;
	*two = false;
	if (!used || resampler_run_two(d->rs, v + gone, side ? side + gone :
				       NULL, &used, out, side_out, &made, two))
		return 0;

	return made;
}


void drift_figures(const struct drift *d, struct drift_figures *f)
{
	f->ppm = (int)lrint(d->ppm);
	f->fill_ms = d->fill;
	f->low_ms = d->usual;
	f->want_ms = want(d);
	f->dip_ms = dip(d);
}
