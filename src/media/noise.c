/**
 * @file noise.c  Silence: when there is some, and what is heard of it
 *
 * Media thread; pure.  Silence is what is hardly louder than what is always
 * there, for a quarter of a second.  Then only its level and its spectrum
 * (reflection coefficients) are told, twice a second, and the other side
 * makes noise like that: white noise through an all-pole filter.
 */
#include <math.h>
#include <string.h>
#include "noise.h"


enum {
	CALM_MS  = 240,          /* of silence before it is one             */
	TELL_MS  = 500,
	LEVEL_MAX = 127,         /* dB below overload: nothing              */
};

#define FULL     32768.0
#define ABOVE    4.0             /* 6 dB: somebody speaks                   */
#define FAINT    64.0            /* mean square: nobody does                */
#define RISE     1.012           /* a packet: 2.6 dB a second               */
#define FALL     0.3
#define SMOOTH   0.2


void vad_begin(struct vad *d)
{
	memset(d, 0, sizeof(*d));
	d->floor = FAINT;
}


static void correlate(double r[NOISE_ORDER + 1], const int16_t *v, size_t n)
{
	for (size_t k = 0; k <= NOISE_ORDER; k++) {
		r[k] = 0;
		for (size_t i = k; i < n; i++)
			r[k] += (double)v[i] * v[i - k];
		r[k] /= (double)n;
	}
}


/* Levinson and Durbin */
static void reflections(double k[NOISE_ORDER], const double r[])
{
	double a[NOISE_ORDER + 1] = { 1 }, b[NOISE_ORDER + 1];
	double left = r[0] * 1.001 + 1;

	for (int i = 1; i <= NOISE_ORDER; i++) {
		double sum = 0;

		for (int j = 0; j < i; j++)
			sum += a[j] * r[i - j];
		k[i - 1] = -sum / left;

		memcpy(b, a, sizeof(b));
		for (int j = 1; j <= i; j++)
			a[j] = b[j] + k[i - 1] * b[i - j];
		left *= 1 - k[i - 1] * k[i - 1];
	}
}


static void tell(const struct vad *d, uint8_t *p)
{
	const double db = -10 * log10(d->sum[0] / (FULL * FULL) + 1e-13);
	double k[NOISE_ORDER];

	p[0] = (uint8_t)(db < 0 ? 0 : db > LEVEL_MAX ? LEVEL_MAX : lrint(db));
	reflections(k, d->sum);
	for (int i = 0; i < NOISE_ORDER; i++)
		p[1 + i] = (uint8_t)(127 + lrint(fmax(-0.99, fmin(0.99, k[i]))
						 * 32768 / 258));
}


enum vad_step vad_step(struct vad *d, const int16_t *v, size_t n,
		       uint8_t *payload)
{
	const unsigned ms = (unsigned)(n * 1000 / NOISE_HZ);
	double r[NOISE_ORDER + 1], power = 0;

	for (size_t i = 0; i < n; i++)
		power += (double)v[i] * v[i] / (double)n;

	d->floor = power < d->floor ? d->floor + FALL * (power - d->floor)
				    : d->floor * RISE + 1;

	if (power > ABOVE * d->floor && power > FAINT) {
		d->calm_ms = 0;
		d->silent = false;
		return VAD_SPEECH;
	}

	correlate(r, v, n);
	for (int i = 0; i <= NOISE_ORDER; i++)
		d->sum[i] = d->calm_ms ? d->sum[i] + SMOOTH *
			(r[i] - d->sum[i]) : r[i];
	d->calm_ms += ms;

	if (d->calm_ms < CALM_MS)
		return VAD_SPEECH;

	d->sent_ms += ms;
	if (d->silent && d->sent_ms < TELL_MS)
		return VAD_NOTHING;

	d->silent = true;
	d->sent_ms = 0;
	tell(d, payload);

	return VAD_TELL;
}


bool noise_read(struct noise *z, const uint8_t *p, size_t len)
{
	float b[NOISE_ORDER], left = 1;
	int order = len > NOISE_BYTES ? NOISE_ORDER : (int)len - 1;

	if (!len || p[0] > LEVEL_MAX)
		return false;

	memset(z->a, 0, sizeof(z->a));
	for (int i = 0; i < order; i++) {
		const float k = p[1 + i] == 255 ? 0.0f :
			258.0f * (float)(p[1 + i] - 127) / 32768.0f;

		memcpy(b, z->a, sizeof(b));
		for (int j = 0; j < i; j++)
			z->a[j] = b[j] + k * b[i - 1 - j];
		z->a[i] = k;
		left *= 1 - k * k;
	}

	/* what the filter adds is taken from what goes in; the numbers that
	 * go in have a mean square of 1/3 */
	z->gain = p[0] == LEVEL_MAX ? 0.0f :
		(float)(FULL * pow(10, -p[0] / 20.0) * sqrt(3.0 * left));
	if (!z->on)
		memset(z->past, 0, sizeof(z->past));
	z->on = true;

	return true;
}


void noise_fill(struct noise *z, int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float y;

		z->rnd = z->rnd * 1664525 + 1013904223;
		y = z->gain * (float)(int32_t)z->rnd / 2147483648.0f;
		for (int k = 0; k < NOISE_ORDER; k++)
			y -= z->a[k] * z->past[k];

		y = fmaxf(-32767.0f, fminf(32767.0f, y));
		memmove(z->past + 1, z->past,
			(NOISE_ORDER - 1) * sizeof(*z->past));
		z->past[0] = y;
		v[i] = (int16_t)y;
	}
}
