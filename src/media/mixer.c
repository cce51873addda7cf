/**
 * @file mixer.c  The sum of several voices, and how loud each is
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
