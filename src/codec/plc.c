/**
 * @file plc.c  Making up what was lost, from what is heard around it
 *
 * While all is well only the last 25 ms are kept.  At the first lost sample
 * the pitch is looked for in them, and one cycle, its end bent to meet its
 * own start, is repeated and faded out; 2 ms of cross-fade lead back.  Noise
 * has no pitch: there the cycle is long, so that no buzz is heard.
 *
 * When what follows the gap is here already the same is done from there, with
 * time reversed, and the two are faded into each other over the gap.
 *
 * The constants were chosen by measuring intelligibility (STOI) on speech
 * with 1 to 20 % of packets lost, singly and in bursts.  More cycles, a
 * longer cross-fade, a shift to meet the next packet in phase, or levels that
 * go from one side to the other by decibels, all of them usual, made it
 * worse.
 *
 * Pure but for its state; allocates in plc_alloc only.  One thread.
 */
#include <math.h>
#include <offhook/compat.h>
#include "priv.h"


enum {
	KEEP_MS     = 25,     /* of the past: LAG_MAX + MATCH, cycle + seam */
	LAG_MIN_MS  = 5,      /* 200 Hz; of higher voices it finds 2 cycles */
	LAG_MAX_MS  = 15,     /* 67 Hz                                      */
	MATCH_MS    = 10,     /* compared with what was a lag earlier       */
	MATCH_SHORT_MS = 8,   /* the same, of a packet after the gap        */
	NOISE_MS    = 20,     /* the cycle when there is no pitch           */
	SEAM        = 4,      /* this part of a cycle is bent               */
	HOLD_MS     = 10,     /* at full level ...                          */
	FADE_MS     = 90,     /* ... then down to nothing                   */
	JOIN_MS     = 1,      /* the step at the start is spread over this  */
	BACK_MS     = 2,      /* cross-fade into what comes next            */
	SEARCH_HZ   = 8000,   /* rate of the first, coarse search           */
	SEARCH_MAX  = KEEP_MS * 2 * SEARCH_HZ / 1000,
};

#define PITCH_CORR 0.45f      /* less than this is noise */

/* What is repeated */
struct cycle {
	uint32_t n;           /* samples                                    */
	float step;           /* by which the first one is off              */
	int16_t *v;
};

struct plc {
	uint32_t ms;          /* samples in 1 ms                            */
	uint32_t keep;        /* samples kept                               */
	uint32_t made;        /* samples made up so far, 0: all is well     */
	struct cycle on;      /* goes on from the past,                     */
	struct cycle back;    /*   and back from what follows               */
	int16_t *turned;      /* what follows, last sample first            */
	int16_t past[];       /* oldest first; the others lie behind it     */
};


int plc_alloc(struct plc **pp, uint32_t rate_hz)
{
	const uint32_t ms = rate_hz / 1000;
	struct plc *p;

	if (!pp || rate_hz < SEARCH_HZ || rate_hz > CODEC_RATE_MAX_HZ)
		return EINVAL;

	p = mem_zalloc(sizeof(*p) +
		       2 * (KEEP_MS + NOISE_MS) * ms * sizeof(int16_t), NULL);
	if (!p)
		return ENOMEM;

	p->ms   = ms;
	p->keep = KEEP_MS * ms;
	p->on.v = p->past + p->keep;
	p->back.v = p->on.v + NOISE_MS * ms;
	p->turned = p->back.v + NOISE_MS * ms;

	*pp = p;

	return 0;
}


static inline int16_t clip(float v)
{
	return v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)lrintf(v);
}


static void remember(struct plc *p, const int16_t *v, size_t n)
{
	if (n >= p->keep) {
		memcpy(p->past, v + n - p->keep, p->keep * sizeof(*v));
		return;
	}

	memmove(p->past, p->past + n, (p->keep - n) * sizeof(*v));
	memcpy(p->past + p->keep - n, v, n * sizeof(*v));
}


/* the lag in lo..hi at which the last n samples before end repeat best */
static size_t best_lag(float *corr, const int16_t *end, size_t n,
		       size_t lo, size_t hi)
{
	const int16_t *x = end - n;
	float ex = 1.0f, best = -1.0f;
	size_t found = hi;

	for (size_t i = 0; i < n; i++)
		ex += (float)x[i] * x[i];

	for (size_t lag = lo; lag <= hi; lag++) {
		const int16_t *y = x - lag;
		float xy = 0.0f, ey = 1.0f, c;

		for (size_t i = 0; i < n; i++) {
			xy += (float)x[i] * y[i];
			ey += (float)y[i] * y[i];
		}

		c = xy / sqrtf(ex * ey);
		if (c > best) {
			best  = c;
			found = lag;
		}
	}

	*corr = best;

	return found;
}


/* A lag among the last n samples before end, compared over match of them;
 * 0: there is no pitch */
static size_t find_pitch(const struct plc *p, const int16_t *end, size_t n,
			 size_t match)
{
	const size_t div = p->ms * 1000 / SEARCH_HZ;
	const size_t lo = LAG_MIN_MS * p->ms;
	const size_t hi = min((size_t)LAG_MAX_MS * p->ms, n - match);
	int16_t low[SEARCH_MAX];
	size_t lag, k = n / div;
	float corr;

	if (div < 2) {
		lag = best_lag(&corr, end, match, lo, hi);
		return corr < PITCH_CORR ? 0 : lag;
	}

	/* coarse at about 8 kHz, then to the sample beside what was found */
	for (size_t i = 0; i < k; i++) {
		const int16_t *v = end - (k - i) * div;
		int sum = 0;

		for (size_t d = 0; d < div; d++)
			sum += v[d];
		low[i] = (int16_t)(sum / (int)div);
	}

	lag = div * best_lag(&corr, low + k, match / div, lo / div, hi / div);
	if (corr < PITCH_CORR)
		return 0;

	lag = best_lag(&corr, end, match, lag - div, min(lag + div, hi));

	return corr < PITCH_CORR ? 0 : lag;
}


/* Cut a cycle out of the n samples before end, its last part blended with
 * what came before its start, so that it can be repeated without a step */
static void cycle_cut(struct cycle *c, const struct plc *p,
		      const int16_t *end, size_t n, size_t match)
{
	size_t lag = find_pitch(p, end, n, match), seam;

	if (!lag)
		lag = min((size_t)NOISE_MS * p->ms, n * SEAM / (SEAM + 1));
	seam = lag / SEAM;

	memcpy(c->v, end - lag, lag * sizeof(*c->v));

	for (size_t i = 0; i < seam; i++) {
		const float w = (float)(i + 1) / (float)(seam + 1);
		int16_t *v = &c->v[lag - seam + i];

		*v = clip((1 - w) * *v + w * end[(ptrdiff_t)i -
						 (ptrdiff_t)(lag + seam)]);
	}

	c->n = (uint32_t)lag;
	c->step = (float)end[-1] - (float)c->v[lag - 1];
}


/* The k-th sample made up from it */
static float cycle_at(const struct cycle *c, const struct plc *p, uint32_t k)
{
	const uint32_t hold = HOLD_MS * p->ms, fade = FADE_MS * p->ms;
	const uint32_t join = JOIN_MS * p->ms;
	float v;

	if (k >= hold + fade)
		return 0;

	v = c->v[k % c->n];

	if (k < join)
		v += c->step * (float)(join - k) / (float)(join + 1);
	if (k > hold)
		v *= (float)(hold + fade - k) / (float)fade;

	return v;
}


static void lost_begin(struct plc *p)
{
	if (!p->made)
		cycle_cut(&p->on, p, p->past + p->keep, p->keep,
			  MATCH_MS * p->ms);
}


/* Time passes, until there is nothing left to fade */
static void lost_pass(struct plc *p, size_t n)
{
	const uint32_t most = (HOLD_MS + FADE_MS) * p->ms;

	p->made = n < most - p->made ? p->made + (uint32_t)n : most;
}


void plc_good(struct plc *p, int16_t *v, size_t n)
{
	if (p->made && n) {
		const size_t back = min((size_t)BACK_MS * p->ms, n);

		for (size_t i = 0; i < back; i++) {
			const float w = (float)(i + 1) / (float)(back + 1);
			const float on = cycle_at(&p->on, p, p->made +
						  (uint32_t)i);

			v[i] = clip(w * v[i] + (1 - w) * on);
		}

		p->made = 0;
	}

	remember(p, v, n);
}


void plc_lost(struct plc *p, int16_t *v, size_t n)
{
	lost_begin(p);

	for (size_t i = 0; i < n; i++)
		v[i] = clip(cycle_at(&p->on, p, p->made + (uint32_t)i));

	lost_pass(p, n);
	remember(p, v, n);
}


/* How alike the two ways through a gap are, 0..1 */
static float likeness(const struct plc *p, size_t n)
{
	float xy = 0, xx = 1, yy = 1;

	for (size_t i = 0; i < n; i++) {
		const float x = cycle_at(&p->on, p, p->made + (uint32_t)i);
		const float y = cycle_at(&p->back, p, (uint32_t)(n - 1 - i));

		xy += x * y;
		xx += x * x;
		yy += y * y;
	}

	return xy > 0 ? xy / sqrtf(xx * yy) : 0;
}


void plc_bridge(struct plc *p, int16_t *v, size_t n, const int16_t *next,
		size_t next_n)
{
	const size_t k = min(next_n, (size_t)p->keep);
	float like;

	/* too little to find a cycle in */
	if (k < (LAG_MIN_MS + MATCH_SHORT_MS) * p->ms) {
		plc_lost(p, v, n);
		return;
	}

	for (size_t i = 0; i < k; i++)
		p->turned[i] = next[k - 1 - i];

	lost_begin(p);
	cycle_cut(&p->back, p, p->turned + k, k, MATCH_SHORT_MS * p->ms);
	like = likeness(p, n);

	for (size_t i = 0; i < n; i++) {
		const float w = ((float)i + 0.5f) / (float)n;
		const float on = cycle_at(&p->on, p, p->made + (uint32_t)i);
		const float back = cycle_at(&p->back, p,
					    (uint32_t)(n - 1 - i));

		/* what is not in phase adds up to less: make up for it */
		const float g = w * w + (1 - w) * (1 - w) +
			2 * w * (1 - w) * like;

		v[i] = clip(((1 - w) * on + w * back) / sqrtf(g));
	}

	/* the seam to what follows is made */
	p->made = 0;
	remember(p, v, n);
}
