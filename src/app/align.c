/**
 * @file align.c  Where what was said lies in a recording
 *
 * Pure functions over samples, for the self-test.  The course of the loudness
 * finds the place to 10 ms, the waveform (or, where a codec has changed it,
 * the loudness again) finds it to a sample.
 *
 * A receiver that plays out adaptively moves what comes after by the part of
 * a second that it leaves out or puts in.  So the place is followed: window by
 * window it is asked whether the waveform lies elsewhere, nearby, and plainly
 * better.
 */
#include <math.h>
#include <offhook/compat.h>
#include "align.h"


enum {
	HOP_MS     = 10,        /* of the loudness course                    */
	WINDOW_MS  = 320,       /* is looked for at once ...                 */
	STEP_MS    = 80,        /* ... so often                              */
	REACH_MS   = 45,        /* a move is not longer                      */
	FRAME_MS   = 10,        /* it is known when to                       */
	LEAST_MS   = 2,         /* nor shorter: that is no move              */
	LOW_HZ     = 8000,      /* the rate at which it is looked for        */
};

static const double like_limit = 0.6;    /* it is there                     */
static const double like_more = 0.1;     /* and not where it was            */


double align_energy(const int16_t *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return n ? sum / (double)n : 0;
}


double align_db(double power)
{
	return 10 * log10(power + 1);
}


/* Loudness every hop samples; free(). Its mean is taken out, so that silence
 * on both sides does not look alike. */
static double *course(const int16_t *v, size_t n, size_t hop, size_t *count)
{
	const size_t k = n / hop;
	double *c, mean = 0;

	c = calloc(k ? k : 1, sizeof(*c));
	if (!c)
		return NULL;

	for (size_t i = 0; i < k; i++) {
		c[i] = align_db(align_energy(v + i * hop, hop));
		mean += c[i];
	}

	for (size_t i = 0; i < k; i++)
		c[i] -= mean / (double)k;

	*count = k;
	return c;
}


/*
 * Correlation of a with b moved by lag. What of a lies outside b counts as not
 * matched, so that a rhythm is not mistaken for a shorter overlap.
 */
static double course_match(const double *a, size_t na, const double *b,
			   size_t nb, long lag)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < na; i++) {
		const long j = (long)i + lag;

		aa += a[i] * a[i];

		if (j < 0 || j >= (long)nb)
			continue;

		ab += a[i] * b[j];
		bb += b[j] * b[j];
	}

	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}


double align_match(const int16_t *a, const int16_t *b, size_t n)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}

	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}


/* The loudest second of the original: the best place for a close look */
static size_t loudest(const int16_t *v, size_t n, size_t len)
{
	size_t best = 0;
	double most = -1;

	for (size_t i = 0; i + len <= n; i += len / 4) {
		const double e = align_energy(v + i, len);

		if (e > most) {
			most = e;
			best = i;
		}
	}

	return best;
}


int align_find(long *lag, const int16_t *ref, size_t nref,
	       const int16_t *rec, size_t nrec, uint32_t rate)
{
	const size_t hop = rate * HOP_MS / 1000;
	const size_t win = nref < rate ? nref : rate;
	const long reach = (long)hop * 3 / 2;
	double *a = NULL, *b = NULL, best = 0, most = 0;
	size_t na = 0, nb = 0, at;
	long coarse = 0, fine;
	int err = 0;

	a = course(ref, nref, hop, &na);
	b = course(rec, nrec, hop, &nb);
	if (!a || !b) {
		err = ENOMEM;
		goto out;
	}

	for (long l = -(long)na / 2; l < (long)nb; l++) {
		const double m = course_match(a, na, b, nb, l);

		if (m > best) {
			best = m;
			coarse = l;
		}
	}

	if (best < 0.5) {
		err = ENOENT;
		goto out;
	}

	at = loudest(ref, nref, win);
	fine = coarse * (long)hop;
	*lag = fine;

	for (long l = fine - reach; l <= fine + reach; l++) {
		const long j = (long)at + l;
		double m;

		if (j < 0 || j + (long)win > (long)nrec)
			continue;

		m = align_match(ref + at, rec + j, win);
		if (m > most) {
			most = m;
			*lag = l;
		}
	}

	/* a waveform that a codec has rebuilt says little: keep the course */
	if (most < 0.3)
		*lag = fine;

 out:
	free(a);
	free(b);

	return err;
}


/* Fewer samples a second: the mean of each few; free() */
static int16_t *thin(const int16_t *v, size_t n, size_t few)
{
	int16_t *low = malloc((n / few + 1) * sizeof(*low));

	for (size_t i = 0; low && i + few <= n; i += few) {
		int32_t sum = 0;

		for (size_t k = 0; k < few; k++)
			sum += v[i + k];
		low[i / few] = (int16_t)(sum / (int32_t)few);
	}

	return low;
}


/* How well a window of ref fits lag samples further on in rec */
static double fits(const int16_t *ref, const int16_t *rec, size_t nrec,
		   size_t at, size_t win, long lag)
{
	const long j = (long)at + lag;

	if (j < 0 || j + (long)win > (long)nrec)
		return 0;

	return align_match(ref + at, rec + j, win);
}


/* Where it fits best, not further than reach away */
static long fit_best(double *best, const int16_t *ref, const int16_t *rec,
		     size_t nrec, size_t at, size_t win, long lag, long reach)
{
	long where = lag;

	*best = 0;
	for (long l = lag - reach; l <= lag + reach; l++) {
		const double m = fits(ref, rec, nrec, at, win, l);

		if (m > *best) {
			*best = m;
			where = l;
		}
	}

	return where;
}


static bool moved(const int16_t *ref, const int16_t *rec, size_t nrec,
		  size_t at, size_t win, long *lag)
{
	const long least = LOW_HZ * LEAST_MS / 1000;
	double here, there;
	long l;

	(void)fit_best(&here, ref, rec, nrec, at, win, *lag, least / 2);
	if (here > 1 - like_more)
		return false;

	l = fit_best(&there, ref, rec, nrec, at, win, *lag,
		     LOW_HZ * REACH_MS / 1000);
	if (there < like_limit || there < here + like_more ||
	    labs(l - *lag) < least)
		return false;

	*lag = l;

	return true;
}


/* Between from and to: up to where does it lie where it was, and not where it
 * is now? */
static size_t split(const int16_t *ref, const int16_t *rec, size_t nrec,
		    size_t from, size_t to, long was, long now)
{
	const size_t frame = LOW_HZ * FRAME_MS / 1000;
	double gain = 0, most = 0;
	size_t at = from;

	for (size_t i = from; i + frame <= to; i += frame) {
		gain += fits(ref, rec, nrec, i, frame, was) -
			fits(ref, rec, nrec, i, frame, now);
		if (gain > most) {
			most = gain;
			at = i + frame;
		}
	}

	return at;
}


int align_follow(struct align_place **placep, size_t *np, const int16_t *ref,
		 size_t nref, const int16_t *rec, size_t nrec, uint32_t rate,
		 long lag)
{
	const size_t few = rate / LOW_HZ, win = LOW_HZ * WINDOW_MS / 1000;
	const size_t step = LOW_HZ * STEP_MS / 1000;
	int16_t *a = thin(ref, nref, few), *b = thin(rec, nrec, few);
	struct align_place *place;
	double top = 0;
	bool begun = false;
	size_t n = 1;
	long now;

	nref /= few;
	nrec /= few;
	place = calloc(nref / step + 2, sizeof(*place));
	if (!a || !b || !place) {
		free(a);
		free(b);
		free(place);
		return ENOMEM;
	}

	for (size_t i = 0; i + win <= nref; i += step)
		top = fmax(top, align_energy(a + i, win));

	place[0].lag = lag;
	now = lag / (long)few;

	for (size_t i = 0; i + win <= nref; i += step) {
		const long was = now;

		/* a hundredth of the loudest is still speech */
		if (align_energy(a + i, win) < top / 100)
			continue;

		if (moved(a, b, nrec, i, win, &now) && begun)
			place[n++].from = few * split(a, b, nrec, i, i + win,
						      was, now);

		/* where it begins was found by its loudest part */
		if (now != was)
			place[n - 1].lag = now * (long)few;
		begun = true;
	}

	free(a);
	free(b);
	*placep = place;
	*np = n;

	return 0;
}
