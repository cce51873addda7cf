/**
 * @file dtmf_band.c  Keys as tones in the sound itself (ITU-T Q.23, Q.24)
 *
 * Pure; media thread.  Sending: two tones at once.  Receiving: eight filters
 * of Goertzel over windows of 13 ms, half a window apart; a key is one when
 * both groups have one tone that stands alone, neither is much louder than
 * the other, hardly anything else is there, and this lasts without a change:
 * so speech and music are not taken for keys.
 *
 * It is done for every call that takes keys this way, so it is to cost little:
 * the filters run at 8 kHz whatever the call has (what else there is counts
 * with all its frequencies), and each half window passes them once: a window
 * is its two halves, the first turned on by the length of the second.
 */
#include <math.h>
#include "priv.h"


enum {
	WINDOW_US = 13300,
	ON_MIN    = 4,           /* windows that agree: 33 ms                */
	OFF_MIN   = 5,           /* that do not: a dropout is shorter        */
	BASE_HZ   = 8000,        /* of the filters, where that divides       */
	PIECE     = 480,         /* samples at once                          */
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

/* What lies over half of the filters' rate is taken away, or it would be heard
 * as a tone: down by 50 dB where it would fall among the keys */
static void taps_make(struct dtmf_band_rx *d)
{
	const unsigned n = DTMF_BAND_TAPS / DTMF_BAND_STEP_MAX * d->step;
	double h[DTMF_BAND_TAPS] = { 0 }, sum = 0.0;

	for (unsigned i = 0; i < n; i++) {
		const double x = M_PI * (i - (n - 1) / 2.0) / d->step;

		h[i] = (0.54 - 0.46 * cos(2.0 * M_PI * i / (n - 1))) *
			(x < 0.0 || x > 0.0 ? sin(x) / x : 1.0);
		sum += h[i];
	}
	for (unsigned i = 0; i < n; i++)
		d->taps[DTMF_BAND_TAPS - n + i] = (int16_t)
			lrint(32768.0 * h[i] / sum);
}


void dtmf_band_begin(struct dtmf_band_rx *d, uint32_t rate_hz)
{
	const unsigned step = rate_hz / BASE_HZ;
	uint32_t hz;

	memset(d, 0, sizeof(*d));
	d->rate_hz = rate_hz;
	d->step = rate_hz % BASE_HZ || step > DTMF_BAND_STEP_MAX ? 1 : step;
	hz = rate_hz / d->step;
	d->half = (size_t)((uint64_t)hz * WINDOW_US / 2000000);

	for (unsigned i = 0; i < 8; i++) {
		const double w = 2.0 * M_PI *
			(i < 4 ? low_hz[i] : high_hz[i - 4]) / hz;

		d->coef[i] = (float)(2.0 * cos(w));
		d->sine[i] = (float)sin(w);
		d->turn_re[i] = (float)cos(w * (double)d->half);
		d->turn_im[i] = (float)sin(w * (double)d->half);
	}

	if (d->step > 1)
		taps_make(d);
}


/* Of the window that ends here; what it keeps is for the next, half a window
 * behind */
static double power(struct dtmf_band_rx *d, unsigned i)
{
	const float re = d->s1[i] - d->coef[i] / 2 * d->s2[i];
	const float im = d->sine[i] * d->s2[i];
	const float all_re = d->was_re[i] * d->turn_re[i] -
		d->was_im[i] * d->turn_im[i] + re;
	const float all_im = d->was_re[i] * d->turn_im[i] +
		d->was_im[i] * d->turn_re[i] + im;

	d->was_re[i] = re;
	d->was_im[i] = im;

	return (double)(all_re * all_re + all_im * all_im);
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


/* @return the key with that much in its window, 0: none */
static char window_key(const struct dtmf_band_rx *d, const double p[8],
		       double energy)
{
	const double n = 2.0 * (double)d->half;
	double low, high, next;
	unsigned a, b;

	if (energy < LOUD * n)
		return 0;

	low = loudest(p, &a, &next);
	if (low < ALONE * next)
		return 0;
	high = loudest(p + 4, &b, &next);
	if (high < ALONE * next || high > TWIST * low || low > TWIST * high)
		return 0;

	/* a tone of amplitude A: energy n A^2 / 2, power (n A / 2)^2 */
	if ((low + high) * 2.0 / n < PURE * energy)
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
	const size_t half = d->half * d->step;

	if (d->key || d->sum || d->sum_was)
		return false;

	for (size_t i = 0; i < n; i++) {
		if (v[i])
			return false;
	}

	d->pos = (d->pos + n) % half;
	d->energy = 0.0f;

	return true;
}


/* For the filters, at their rate. @return how many: w has room for as many as
 * there are of v */
static size_t thin_out(struct dtmf_band_rx *d, float *w, const int16_t *v,
		       size_t n)
{
	const size_t step = d->step;
	int16_t x[DTMF_BAND_TAPS + PIECE];
	size_t count = 0;

	if (step == 1) {
		for (size_t i = 0; i < n; i++)
			w[i] = v[i];
		return n;
	}

	memcpy(x, d->past, sizeof(d->past));
	memcpy(x + DTMF_BAND_TAPS, v, n * sizeof(*v));
	memcpy(d->past, x + n, sizeof(d->past));

	for (size_t i = step - 1 - d->pos % step; i < n; i += step) {
		const int16_t *at = x + i + 1;
		int32_t sum = 0;

		for (unsigned k = 0; k < DTMF_BAND_TAPS; k++)
			sum += d->taps[k] * at[k];
		w[count++] = (float)sum / 32768.0f;
	}

	return count;
}


/* All of it within one half window */
static void piece_put(struct dtmf_band_rx *d, const int16_t *v, size_t n)
{
	float w[PIECE];
	const size_t count = thin_out(d, w, v, n);
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)(v[i] * v[i]);
	d->sum += sum;

	for (size_t i = 0; i < count; i++) {
		for (unsigned j = 0; j < 8; j++) {
			const float s = w[i] + d->coef[j] * d->s1[j] -
				d->s2[j];

			d->s2[j] = d->s1[j];
			d->s1[j] = s;
		}
	}

	d->pos += n;
}


/* @return true: a key has ended */
static bool half_end(struct dtmf_band_rx *d, struct dtmf_digit *out)
{
	const double energy = (double)(d->sum_was + d->sum) / d->step;
	double p[8];

	for (unsigned i = 0; i < 8; i++)
		p[i] = power(d, i);

	memset(d->s1, 0, sizeof(d->s1));
	memset(d->s2, 0, sizeof(d->s2));
	d->sum_was = d->sum;
	d->sum = 0;
	d->pos = 0;

	return window_end(d, window_key(d, p, energy), (float)energy, out);
}


unsigned dtmf_band_put(struct dtmf_band_rx *d, const int16_t *v, size_t n,
		       struct dtmf_digit *out, unsigned max)
{
	const size_t half = d->half * d->step;
	struct dtmf_digit more;
	unsigned count = 0;

	if (nothing_new(d, v, n))
		return 0;

	while (n) {
		size_t k = half - d->pos;

		if (k > n)
			k = n;
		if (k > PIECE)
			k = PIECE;

		piece_put(d, v, k);
		v += k;
		n -= k;

		if (d->pos == half &&
		    half_end(d, count < max ? &out[count] : &more))
			count += count < max;
	}

	return count;
}
