/**
 * @file appendix_i.c  Concealment as ITU-T G.711 Appendix I describes it
 *
 * Written from its description, as a mark for ours.  8 kHz, frames of 10 ms.
 * The last pitch cycle is repeated through the first 10 ms of an erasure, the
 * last two through the second, the last three from then on, each blended over
 * a quarter of a cycle; from 10 ms on it loses a fifth of its level in 10 ms.
 * All comes out 3.75 ms later, so that the blend may begin before the erasure.
 */
#include <math.h>
#include <string.h>
#include "appendix_i.h"


enum {
	FRAME = APPENDIX_I_FRAME,
	PAST = 390, LAG_MIN = 40, LAG_MAX = 120, MATCH = 160,
	BACK_MORE = 32,              /* of the blend back, each 10 ms        */
};


static float alike(const float *x, size_t lag, size_t step)
{
	float xy = 0, yy = 0;

	for (size_t i = 0; i < MATCH; i += step) {
		const float y = x[(ptrdiff_t)i - (ptrdiff_t)lag];

		xy += x[i] * y;
		yy += y * y;
	}

	return xy / sqrtf(yy > 1 ? yy : 1);
}


static size_t find_pitch(const float *end)
{
	const float *x = end - MATCH;
	size_t best = LAG_MIN, lo, hi;

	for (size_t lag = LAG_MIN; lag <= LAG_MAX; lag += 2) {
		if (alike(x, lag, 2) > alike(x, best, 2))
			best = lag;
	}
	lo = best > LAG_MIN ? best - 1 : LAG_MIN;
	hi = best < LAG_MAX ? best + 1 : LAG_MAX;
	for (size_t lag = lo; lag <= hi; lag++) {
		if (alike(x, lag, 1) > alike(x, best, 1))
			best = lag;
	}

	return best;
}


/* From a to b */
static void blend(float *out, const float *a, const float *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const float w = (float)(i + 1) / (float)n;

		out[i] = (1 - w) * a[i] + w * b[i];
	}
}


/* So many cycles are repeated, their end bent to meet their own start */
static void take_cycles(struct appendix_i *p, size_t have)
{
	float *end = p->cycle + PAST;

	p->have = have;
	blend(end - p->quarter, p->end, end - have - p->quarter, p->quarter);
}


static void repeat(struct appendix_i *p, float *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[i] = p->cycle[PAST - p->have + p->at];
		p->at = (p->at + 1) % p->have;
	}
}


static float level(unsigned erased)
{
	return erased > 4 ? 0 : 1 - 0.2f * (float)erased;
}


static void fade(float *v, size_t n, unsigned erased)
{
	for (size_t i = 0; i < n; i++)
		v[i] *= erased > 4 ? 0 : level(erased) -
			0.2f * (float)i / FRAME;
}


static void erase(struct appendix_i *p, float *v)
{
	if (!p->erased) {
		memcpy(p->cycle, p->past, sizeof(p->cycle));
		p->pitch = find_pitch(p->past + PAST);
		p->quarter = p->pitch / 4;
		p->at = 0;
		memcpy(p->end, p->past + PAST - p->quarter,
		       p->quarter * sizeof(*v));
		take_cycles(p, p->pitch);
		memcpy(p->past + PAST - p->quarter,
		       p->cycle + PAST - p->quarter, p->quarter * sizeof(*v));
		repeat(p, v, FRAME);
	}
	else if (p->erased < 3) {
		const size_t at = p->at;
		float was[30];

		repeat(p, was, p->quarter);
		p->at = at % p->pitch;
		take_cycles(p, p->have + p->pitch);
		repeat(p, v, FRAME);
		blend(v, was, v, p->quarter);
		fade(v, FRAME, p->erased - 1);
	}
	else {
		repeat(p, v, FRAME);
		fade(v, FRAME, p->erased - 1);
	}
	++p->erased;
}


static void back(struct appendix_i *p, float *v)
{
	size_t n = p->quarter + (p->erased - 1) * BACK_MORE;
	const float g = level(p->erased - 1);
	float on[FRAME];

	if (n > FRAME)
		n = FRAME;
	repeat(p, on, n);
	for (size_t i = 0; i < n; i++)
		on[i] *= g;
	blend(v, on, v, n);
	p->erased = 0;
}


void appendix_i(struct appendix_i *p, int16_t *out, const int16_t *in)
{
	float v[FRAME];

	if (in) {
		for (size_t i = 0; i < FRAME; i++)
			v[i] = in[i];
		if (p->erased)
			back(p, v);
	}
	else {
		erase(p, v);
	}

	memmove(p->past, p->past + FRAME, (PAST - FRAME) * sizeof(*v));
	memcpy(p->past + PAST - FRAME, v, sizeof(v));

	for (size_t i = 0; i < FRAME; i++)
		out[i] = (int16_t)lrintf(p->past[PAST - FRAME -
						 APPENDIX_I_DELAY + i]);
}
