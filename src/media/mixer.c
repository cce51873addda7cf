/**
 * @file mixer.c  The sum of several voices, how loud and where each is
 *
 * Pure; media thread.  A sum that is too loud is cut, never wrapped.
 */
#include <math.h>
#include "priv.h"


static int16_t cut(int32_t s)
{
	return (int16_t)(s > INT16_MAX ? INT16_MAX :
			 s < INT16_MIN ? INT16_MIN : s);
}


void mixer_add(int16_t *sum, const int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] = cut((int32_t)sum[i] + v[i]);
}


void mixer_others(int16_t *out, const int32_t *sum, const int16_t *v,
		  size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = cut(sum[i] - v[i]);
}


/* How loud -------------------------------------------------------------- */

void gain_init(struct gain *g)
{
	g->now = g->want = 1.0f;
}


void gain_set(struct gain *g, double db)
{
	if (db > GAIN_MAX_DB)
		db = GAIN_MAX_DB;

	g->want = db < GAIN_MIN_DB ? 0.0f : (float)pow(10.0, db / 20.0);
}


void gain_copy(struct gain *g, int16_t *out, const int16_t *v, size_t n)
{
	const float step = n ? (g->want - g->now) / (float)n : 0.0f;
	float k = g->now;

	if (g->now == 1.0f && g->want == 1.0f) {
		if (out != v)
			memcpy(out, v, n * sizeof(*out));
		return;
	}

	for (size_t i = 0; i < n; i++) {
		k += step;
		out[i] = cut((int32_t)lrintf(k * (float)v[i]));
	}

	g->now = g->want;
}


void gain_run(struct gain *g, int16_t *v, size_t n)
{
	gain_copy(g, v, v, n);
}


/* Left and right -------------------------------------------------------- */

void pan_init(struct pan *p)
{
	p->mean = p->mean_want = 1.0f;
	p->side = p->side_want = 0.0f;
}


void pan_set(struct pan *p, int percent)
{
	const int at = percent > PAN_MAX ? PAN_MAX :
		percent < -PAN_MAX ? -PAN_MAX : percent;
	const double angle = (at + PAN_MAX) * M_PI / (4 * PAN_MAX);
	const double left = M_SQRT2 * cos(angle);
	const double right = M_SQRT2 * sin(angle);

	/* exactly: the middle costs nothing, and at an end the other channel
	 * is silent, not next to it */
	p->mean_want = at ? (float)((left + right) / 2.0) : 1.0f;
	p->side_want = (float)((left - right) / 2.0);
	if (!at)
		p->side_want = 0.0f;
	else if (at == PAN_MAX)
		p->side_want = -p->mean_want;
	else if (at == -PAN_MAX)
		p->side_want = p->mean_want;
}


bool pan_centred(const struct pan *p)
{
	return p->side == 0.0f && p->side_want == 0.0f &&
		p->mean == 1.0f && p->mean_want == 1.0f;
}


void pan_run(struct pan *p, int16_t *v, int16_t *side, bool has, size_t n)
{
	const float mean_step = n ? (p->mean_want - p->mean) / (float)n : 0.0f;
	const float side_step = n ? (p->side_want - p->side) / (float)n : 0.0f;
	float mean = p->mean, beside = p->side;

	for (size_t i = 0; i < n; i++) {
		const float m = v[i], s = has ? side[i] : 0.0f;

		mean += mean_step;
		beside += side_step;
		v[i] = cut((int32_t)lrintf(mean * m + beside * s));
		side[i] = cut((int32_t)lrintf(beside * m + mean * s));
	}

	p->mean = p->mean_want;
	p->side = p->side_want;
}
