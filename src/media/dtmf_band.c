/**
 * @file dtmf_band.c  Keys as tones in the sound itself (ITU-T Q.23, Q.24)
 *
 * Pure; media thread.  Sending: two tones at once.  Receiving: eight filters
 * of Goertzel over windows of 13 ms, half a window apart; a key is one when
 * both groups have one tone that stands alone, neither is much louder than
 * the other, hardly anything else is there, and this lasts without a change:
 * so speech and music are not taken for keys.
 */
#include <math.h>
#include "priv.h"


enum {
	WINDOW_US = 13300,
	ON_MIN    = 4,           /* windows that agree: 33 ms                */
	OFF_MIN   = 5,           /* that do not: a dropout is shorter        */
};

#define TONE_DBFS  (-9.0)        /* of the high group; low is 2 dB less      */
#define LOUD       2.0e4         /* mean square of the sound: -47 dBFS       */
#define TWIST      6.3           /* high over low, and low over high: 8 dB   */
#define ALONE      6.3           /* over the others of its group: 8 dB       */
#define PURE       0.76          /* share of both in all there is            */
#define STEADY     2.0           /* a key does not swell by more: 3 dB       */

static const double low_hz[4] = { 697.0, 770.0, 852.0, 941.0 };
static const double high_hz[4] = { 1209.0, 1336.0, 1477.0, 1633.0 };
static const char keys[4][5] = { "123A", "456B", "789C", "*0#D" };


bool dtmf_band_tones(char key, double *low, double *high)
{
	for (unsigned i = 0; i < 4; i++) {
		const char *at = key ? strchr(keys[i], key) : NULL;

		if (!at)
			continue;
		*low = low_hz[i];
		*high = high_hz[at - keys[i]];
		return true;
	}

	return false;
}


void dtmf_band_fill(struct dtmf_band_tx *t, int16_t *v, size_t n, char key,
		    bool begin, uint32_t rate_hz)
{
	int16_t w[BLOCK_MAX];
	double low, high;

	if (!dtmf_band_tones(key, &low, &high))
		return;

	if (begin) {
		tone_init(&t->low, low, rate_hz);
		tone_init(&t->high, high, rate_hz);
	}

	for (size_t at = 0; at < n; at += BLOCK_MAX) {
		const size_t k = n - at < BLOCK_MAX ? n - at : BLOCK_MAX;

		tone_fill(&t->low, v + at, k, TONE_DBFS - 2.0);
		tone_fill(&t->high, w, k, TONE_DBFS);
		mixer_add(v + at, w, k);
	}
}


/* Receiving --------------------------------------------------------------- */

static void window_begin(struct dtmf_window *w)
{
	memset(w->s1, 0, sizeof(w->s1));
	memset(w->s2, 0, sizeof(w->s2));
	w->energy = 0.0f;
	w->n = 0;
}


void dtmf_band_begin(struct dtmf_band_rx *d, uint32_t rate_hz)
{
	memset(d, 0, sizeof(*d));
	d->rate_hz = rate_hz;
	d->size = (size_t)((uint64_t)rate_hz * WINDOW_US / 1000000);

	for (unsigned i = 0; i < 8; i++)
		d->coef[i] = (float)(2.0 * cos(2.0 * M_PI *
			(i < 4 ? low_hz[i] : high_hz[i - 4]) / rate_hz));

	window_begin(&d->w[0]);
	window_begin(&d->w[1]);

	/* the second is half a window behind */
	d->w[1].n = d->size / 2;
}


static double power(const struct dtmf_band_rx *d, const struct dtmf_window *w,
		    unsigned i)
{
	return (double)(w->s1[i] * w->s1[i] + w->s2[i] * w->s2[i] -
			d->coef[i] * w->s1[i] * w->s2[i]);
}


/* The loudest of four. @return its power, *second: of the next */
static double loudest(const double *p, unsigned *at, double *second)
{
	*at = 0;
	*second = 0.0;

	for (unsigned i = 1; i < 4; i++) {
		if (p[i] > p[*at])
			*at = i;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (i != *at && p[i] > *second)
			*second = p[i];
	}

	return p[*at];
}


/* @return the key in this window, 0: none */
static char window_key(const struct dtmf_band_rx *d,
		       const struct dtmf_window *w)
{
	const double n = (double)d->size;
	double p[8], low, high, next;
	unsigned a, b;

	if ((double)w->energy < LOUD * n)
		return 0;

	for (unsigned i = 0; i < 8; i++)
		p[i] = power(d, w, i);

	low = loudest(p, &a, &next);
	if (low < ALONE * next)
		return 0;
	high = loudest(p + 4, &b, &next);
	if (high < ALONE * next || high > TWIST * low || low > TWIST * high)
		return 0;

	/* a tone of amplitude A: energy n A^2 / 2, power (n A / 2)^2 */
	if ((low + high) * 2.0 / n < PURE * (double)w->energy)
		return 0;

	return keys[a][b];
}


/* @return true: a key has ended */
static bool window_end(struct dtmf_band_rx *d, char key, float energy,
		       struct dtmf_digit *out)
{
	const unsigned half_us = WINDOW_US / 2;
	const float was = d->energy;

	d->energy = energy;
	if (key && key == d->key) {
		d->off = 0;
		++d->on;
		if (d->on <= ON_MIN && (energy > STEADY * was ||
					was > STEADY * energy))
			d->on = 1;
		return false;
	}

	if (d->key && ++d->off < OFF_MIN)
		return false;

	if (d->key && d->on >= ON_MIN) {
		out->digit = d->key;
		/* the windows at its edges saw a part of it */
		out->duration_ms = (d->on + 1) * half_us / 1000;
		d->key = key;
		d->on = key != 0;
		d->off = 0;
		++d->received;
		return true;
	}

	d->key = key;
	d->on = key != 0;
	d->off = 0;

	return false;
}


/* Silence on silence changes nothing but where the windows are; calls on hold
 * hear little else */
static bool nothing_new(struct dtmf_band_rx *d, const int16_t *v, size_t n)
{
	if (d->key || d->w[0].energy > 0.0f || d->w[1].energy > 0.0f)
		return false;

	for (size_t i = 0; i < n; i++) {
		if (v[i])
			return false;
	}

	for (unsigned k = 0; k < 2; k++)
		d->w[k].n = (unsigned)((d->w[k].n + n) % d->size);
	d->energy = 0.0f;

	return true;
}


unsigned dtmf_band_put(struct dtmf_band_rx *d, const int16_t *v, size_t n,
		       struct dtmf_digit *out, unsigned max)
{
	unsigned count = 0;

	if (nothing_new(d, v, n))
		return 0;

	for (size_t i = 0; i < n; i++) {
		const float x = v[i];

		for (unsigned k = 0; k < 2; k++) {
			struct dtmf_window *w = &d->w[k];

			for (unsigned j = 0; j < 8; j++) {
				const float s = x + d->coef[j] * w->s1[j] -
					w->s2[j];

				w->s2[j] = w->s1[j];
				w->s1[j] = s;
			}
			w->energy += x * x;

			if (++w->n < d->size)
				continue;
			if (count < max && window_end(d, window_key(d, w),
						      w->energy, &out[count]))
				++count;
			window_begin(w);
		}
	}

	return count;
}
