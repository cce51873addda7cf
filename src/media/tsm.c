/**
 * @file tsm.c  Sound made shorter or longer, at the same pitch
 *
 * Media thread; pure.  A distance is looked for at which the sound is most
 * like itself.  To leave that much out, what begins is faded into what comes
 * so much later; to put it in, into what came so much earlier.  The sound
 * before and after stays as it was, sample for sample.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "tsm.h"


enum {
	SHORT_US  = 2500,     /* the least distance                         */
	LONG_US   = 15000,    /* the greatest                               */
	SEAM_US   = 4000,     /* compared and faded over at least this      */
	SEAM_MAX_US = 10000,
	SEARCH_HZ = 8000,     /* of the first, coarse search                */
	SEARCH_MAX = SEARCH_HZ / 1000 * 130,
};

#define FAINT 900.0f          /* mean square: no matter what is joined      */


static size_t samples(uint32_t rate_hz, uint32_t us)
{
	return (size_t)((uint64_t)rate_hz * us / 1000000);
}


/* @return -1..1 */
static float likeness(const int16_t *a, const int16_t *b, size_t n)
{
	float ab = 0.0f, aa = 1.0f, bb = 1.0f;

	for (size_t i = 0; i < n; i++) {
		ab += (float)a[i] * b[i];
		aa += (float)a[i] * a[i];
		bb += (float)b[i] * b[i];
	}

	return ab / sqrtf(aa * bb);
}


static bool faint(const int16_t *v, size_t n)
{
	float sum = 0.0f;

	for (size_t i = 0; i < n; i++)
		sum += (float)v[i] * v[i];

	return sum < FAINT * (float)n;
}


static size_t seam(size_t n, size_t lag, uint32_t rate_hz)
{
	const size_t most = samples(rate_hz, SEAM_MAX_US);
	const size_t rest = n - lag;

	return rest < most ? rest : most;
}


static size_t search(const int16_t *v, size_t n, size_t lo, size_t hi,
		     uint32_t rate_hz, float *like)
{
	size_t found = 0;

	/* of those that are as good the longest: fewer seams are needed */
	*like = -2.0f;
	for (size_t lag = hi; lag >= lo; lag--) {
		const float c = likeness(v, v + lag, seam(n, lag, rate_hz));

		if (c > *like + 0.01f) {
			*like = c;
			found = lag;
		}
	}

	return found;
}


/* The distance at which v is most like itself, 0: none will do */
static size_t cycle(const int16_t *v, size_t n, size_t most,
		    uint32_t rate_hz, unsigned like_pct)
{
	const size_t div = rate_hz / SEARCH_HZ;
	const size_t lo = samples(rate_hz, SHORT_US);
	size_t hi = samples(rate_hz, LONG_US), lag;
	int16_t low[SEARCH_MAX];
	float like;

	if (hi > most)
		hi = most;
	if (n < lo + samples(rate_hz, SEAM_US))
		return 0;
	if (hi > n - samples(rate_hz, SEAM_US))
		hi = n - samples(rate_hz, SEAM_US);
	if (hi < lo)
		return 0;

	if (!like_pct || faint(v, n))
		return hi;

	if (div < 2) {
		lag = search(v, n, lo, hi, rate_hz, &like);
	}
	else {
		size_t k = n / div, from, to;

		if (k > SEARCH_MAX)
			k = SEARCH_MAX;
		for (size_t i = 0; i < k; i++) {
			int32_t sum = 0;

			for (size_t d = 0; d < div; d++)
				sum += v[i * div + d];
			low[i] = (int16_t)(sum / (int32_t)div);
		}

		lag = div * search(low, k, lo / div, hi / div, SEARCH_HZ,
				   &like);
		from = lag < lo + div ? lo : lag - div;
		to = lag + div > hi ? hi : lag + div;
		lag = search(v, n, from, to, rate_hz, &like);
	}

	return like * 100.0f < (float)like_pct ? 0 : lag;
}


static int16_t blend(int16_t a, int16_t b, size_t i, size_t n)
{
	return (int16_t)((a * (int32_t)(n - i) + b * (int32_t)i) /
			 (int32_t)n);
}


static void leave_out(int16_t *v, size_t n, size_t lag, size_t over)
{
	for (size_t i = 0; i < over; i++)
		v[i] = blend(v[i], v[lag + i], i, over);
	memmove(v + over, v + lag + over, (n - lag - over) * sizeof(*v));
}


size_t tsm_shorten(int16_t *v, int16_t *side, size_t n, size_t most,
		   uint32_t rate_hz, unsigned like_pct)
{
	const size_t lag = cycle(v, n, most, rate_hz, like_pct);
	size_t over;

	if (!lag)
		return n;

	over = seam(n, lag, rate_hz);
	leave_out(v, n, lag, over);
	if (side)
		leave_out(side, n, lag, over);

	return n - lag;
}


/* v was: its first cycle, then from there back to its start */
static void put_in(int16_t *v, size_t n, size_t lag, size_t over)
{
	memmove(v + lag, v, n * sizeof(*v));
	for (size_t i = 0; i < over; i++)
		v[lag + i] = blend(v[2 * lag + i], v[lag + i], i, over);
}


size_t tsm_lengthen(int16_t *v, int16_t *side, size_t n, size_t most,
		    size_t max, uint32_t rate_hz, unsigned like_pct)
{
	const size_t lag = cycle(v, n, most, rate_hz, like_pct);
	size_t over;

	if (!lag || n + lag > max)
		return n;

	over = seam(n, lag, rate_hz);
	put_in(v, n, lag, over);
	if (side)
		put_in(side, n, lag, over);

	return n + lag;
}
