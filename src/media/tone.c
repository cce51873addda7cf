/**
 * @file tone.c  A steady tone
 *
 * Pure; media thread.  A pointer turned by a constant angle each sample: no
 * sine is computed once it runs, and its length is put right now and then.
 */
#include <math.h>
#include "priv.h"


void tone_init(struct tone *t, double hz, uint32_t rate_hz)
{
	const double w = rate_hz ? 2.0 * M_PI * hz / rate_hz : 0.0;

	t->re = 1.0;
	t->im = 0.0;
	t->cos = cos(w);
	t->sin = sin(w);
}


void tone_fill(struct tone *t, int16_t *v, size_t n, double dbfs)
{
	const double amp = 32767.0 * pow(10.0, dbfs / 20.0);
	double len;

	for (size_t i = 0; i < n; i++) {
		const double re = t->re * t->cos - t->im * t->sin;

		v[i] = (int16_t)lrint(amp * t->im);
		t->im = t->re * t->sin + t->im * t->cos;
		t->re = re;
	}

	len = sqrt(t->re * t->re + t->im * t->im);
	t->re /= len;
	t->im /= len;
}
