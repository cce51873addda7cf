/**
 * @file lag.c  How long after what was played its echo is captured
 *
 * Half a second of the microphone is compared with a second of the reference,
 * four times a second: the correlation of both, of which each frequency is
 * given the same weight whatever its strength, so that what is left is a peak
 * where the echo is and not the melody of the speech.  The microphone is
 * looked at 100 ms late, so that an echo is also seen before its cause, which
 * is how it looks when the reference is too late.  All at 8 kHz: where it is
 * between two samples is read off the peak's shape.
 *
 * Pure; media thread.  The work of a comparison is done in two blocks.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <offhook/compat.h>
#include "lag.h"


enum {
	LOW_HZ = 8000,
	SPAN   = 4096,           /* of the microphone: half a second        */
	SIZE   = 2 * SPAN,       /* of the reference                        */
	HOP    = 2048,
	AHEAD  = 800,            /* 100 ms                                  */
	TAPS_MAX = 96, FRAME_MAX = 480,
	NEAR   = 3,              /* samples around the expected             */
	ASIDE  = 32,             /* further from the peak it is noise       */
	BIN_LOW = SIZE * 150 / LOW_HZ,
};

#define KEEP 0.5f            /* of what was seen before                  */
#define QUIET_REF 40000.0f   /* mean square: -44 dBFS                    */
#define QUIET_MIC 16.0f
#define WEAK 1e-4f           /* of the mean: a frequency that is not there */

/* One side, down to 8 kHz */
struct low {
	int16_t last[TAPS_MAX];  /* of the block before                     */
	size_t skip;             /* samples until the next is due           */
};

struct lag {
	unsigned down;
	double per_ms;           /* samples, after it                       */
	size_t taps;
	float win[TAPS_MAX];
	struct low low_mic, low_ref;
	float mic[AHEAD + SPAN + FRAME_MAX], ref[SIZE + FRAME_MAX];
	size_t mic_n, ref_n;
	bool due;                /* the second half of the work              */
	float re[SIZE], im[SIZE];
	float sum_re[SPAN + 1], sum_im[SPAN + 1];
	float wr[SPAN], wi[SPAN];        /* of the transform                */
};


int lag_alloc(struct lag **lp, uint32_t rate_hz)
{
	struct lag *l;
	const unsigned down = rate_hz / LOW_HZ;

	if (!down || (size_t)down * 4 > TAPS_MAX)
		return EINVAL;

	l = mem_zalloc(sizeof(*l), NULL);
	if (!l)
		return ENOMEM;

	l->down = down;
	l->per_ms = rate_hz / 1000.0 / down;
	l->taps = down > 1 ? 4 * (size_t)down : 1;
	for (size_t i = 0; i < l->taps; i++)
		l->win[i] = (float)((1.0 - cos(2.0 * M_PI * ((double)i + 0.5) /
					(double)l->taps)) / (double)l->taps);
	if (l->taps == 1)
		l->win[0] = 1.0f;
	for (size_t i = 0; i < SPAN; i++) {
		l->wr[i] = (float)cos(M_PI * (double)i / SPAN);
		l->wi[i] = (float)-sin(M_PI * (double)i / SPAN);
	}
	*lp = l;

	return 0;
}


void lag_fresh(struct lag *l)
{
	l->due = false;
	memset(l->sum_re, 0, sizeof(l->sum_re));
	memset(l->sum_im, 0, sizeof(l->sum_im));
}


/* @return samples put to out */
static size_t lower(const struct lag *l, struct low *s, const int16_t *v,
		    size_t n, float *out)
{
	const size_t back = l->taps - 1;
	int16_t x[TAPS_MAX + FRAME_MAX];
	size_t made = 0, i;

	memcpy(x, s->last, back * sizeof(*x));
	memcpy(x + back, v, n * sizeof(*x));
	for (i = s->skip; i < n; i += l->down) {
		float y = 0.0f;

		for (size_t k = 0; k < l->taps; k++)
			y += l->win[k] * (float)x[i + k];
		out[made++] = y;
	}
	s->skip = i - n;
	memcpy(s->last, x + n, back * sizeof(*x));

	return made;
}


/* Decimation in time, in place; forward */
static void transform(struct lag *l)
{
	for (size_t i = 1, j = 0; i < SIZE; i++) {
		size_t bit = SIZE >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			const float re = l->re[i], im = l->im[i];

			l->re[i] = l->re[j];
			l->im[i] = l->im[j];
			l->re[j] = re;
			l->im[j] = im;
		}
	}

	for (size_t half = 1; half < SIZE; half *= 2) {
		const size_t step = SPAN / half;

		for (size_t i = 0; i < SIZE; i += 2 * half) {
			for (size_t k = 0; k < half; k++) {
				const size_t a = i + k, b = a + half;
				const float wr = l->wr[k * step];
				const float wi = l->wi[k * step];
				const float re = l->re[b] * wr - l->im[b] * wi;
				const float im = l->re[b] * wi + l->im[b] * wr;

				l->re[b] = l->re[a] - re;
				l->im[b] = l->im[a] - im;
				l->re[a] += re;
				l->im[a] += im;
			}
		}
	}
}


size_t lag_blocks(const struct lag *l, size_t n)
{
	return SIZE / (n / l->down + 1);
}


void lag_again(struct lag *l, const int16_t *ref, size_t n, bool first)
{
	if (n > FRAME_MAX)
		return;
	if (first) {
		lag_fresh(l);
		l->ref_n = 0;
	}
	if (l->ref_n < SIZE)
		l->ref_n += lower(l, &l->low_ref, ref, n, l->ref + l->ref_n);
}


static float power(const float *v, size_t n)
{
	float sum = 0.0f;

	for (size_t i = 0; i < n; i++)
		sum += v[i] * v[i];

	return sum / (float)n;
}


/* Both spectra by one transform: the microphone is its real part and the
 * reference its imaginary one. What they have in common goes to the sum */
static void compare(struct lag *l)
{
	float mean = 0.0f;

	memcpy(l->re, l->mic, SPAN * sizeof(*l->re));
	memset(l->re + SPAN, 0, SPAN * sizeof(*l->re));
	memcpy(l->im, l->ref, SIZE * sizeof(*l->im));
	transform(l);

	for (size_t i = BIN_LOW; i < SPAN; i++) {
		const size_t j = SIZE - i;
		const float rr = l->im[i] + l->im[j], ri = l->re[j] - l->re[i];

		mean += rr * rr + ri * ri;
	}
	mean /= SPAN - BIN_LOW;

	for (size_t i = BIN_LOW; i < SPAN; i++) {
		const size_t j = SIZE - i;
		const float mr = l->re[i] + l->re[j], mi = l->im[i] - l->im[j];
		const float rr = l->im[i] + l->im[j], ri = l->re[j] - l->re[i];
		const float re = mr * rr + mi * ri, im = mr * ri - mi * rr;
		const float abs = sqrtf(re * re + im * im);

		l->sum_re[i] *= KEEP;
		l->sum_im[i] *= KEEP;
		if (rr * rr + ri * ri < WEAK * mean || abs <= 0.0f)
			continue;
		l->sum_re[i] += re / abs;
		l->sum_im[i] += im / abs;
	}
}


/* Back to time: the real parts, at SPAN - AHEAD - lag */
static void correlate(struct lag *l)
{
	memset(l->re, 0, sizeof(l->re));
	memset(l->im, 0, sizeof(l->im));
	for (size_t i = BIN_LOW; i < SPAN; i++) {
		l->re[i] = l->re[SIZE - i] = l->sum_re[i];
		/* conjugated: the way back by the way there */
		l->im[i] = -l->sum_im[i];
		l->im[SIZE - i] = l->sum_im[i];
	}
	transform(l);
	for (size_t i = 0; i <= SPAN; i++)
		l->re[i] = fabsf(l->re[i]);
}


static size_t highest(const float *v, size_t from, size_t to)
{
	size_t most = from;

	for (size_t i = from; i <= to; i++)
		if (v[i] > v[most])
			most = i;

	return most;
}


/* Between the samples: by a parabola */
static double lag_at(const struct lag *l, size_t k)
{
	const double a = l->re[k - 1], b = l->re[k], c = l->re[k + 1];
	const double bend = a - 2.0 * b + c;
	const double off = bend < 0.0 ? 0.5 * (a - c) / bend : 0.0;

	return (SPAN - AHEAD - ((double)k + fmax(-0.5, fmin(0.5, off)))) /
		l->per_ms;
}


static void see(const struct lag *l, double expected_ms,
		struct lag_seen *seen)
{
	const size_t most = highest(l->re, 1, SPAN - 1);
	double sum = 1e-9, at;
	size_t n = 1, near = 0;

	for (size_t i = 1; i < SPAN; i++) {
		if (i + ASIDE > most && i < most + ASIDE)
			continue;
		sum += (double)l->re[i] * l->re[i];
		++n;
	}
	sum = sqrt(sum / (double)n);

	at = SPAN - AHEAD - expected_ms * l->per_ms;
	if (at > NEAR + 1 && at < SPAN - NEAR - 1)
		near = highest(l->re, (size_t)lrint(at) - NEAR,
			       (size_t)lrint(at) + NEAR);

	seen->ms = lag_at(l, most);
	seen->sharp = l->re[most] / sum;
	seen->near_ms = near ? lag_at(l, near) : NAN;
	seen->near_sharp = near ? l->re[near] / sum : 0.0;
}


static void drop(float *v, size_t *n, size_t k)
{
	*n -= k;
	memmove(v, v + k, *n * sizeof(*v));
}


bool lag_run(struct lag *l, const int16_t *mic, const int16_t *ref, size_t n,
	     double expected_ms, bool often, struct lag_seen *seen)
{
	if (n > FRAME_MAX)
		return false;

	l->mic_n += lower(l, &l->low_mic, mic, n, l->mic + l->mic_n);
	l->ref_n += lower(l, &l->low_ref, ref, n, l->ref + l->ref_n);
	if (l->mic_n > AHEAD + SPAN)
		drop(l->mic, &l->mic_n, l->mic_n - AHEAD - SPAN);

	if (l->due) {
		l->due = false;
		correlate(l);
		see(l, expected_ms, seen);
		return true;
	}
	if (l->ref_n < SIZE)
		return false;

	drop(l->ref, &l->ref_n, l->ref_n - SIZE);
	if (power(l->ref, SIZE) > QUIET_REF && power(l->mic, SPAN) > QUIET_MIC) {
		compare(l);
		l->due = true;
	}
	drop(l->ref, &l->ref_n, often ? HOP / 2 : HOP);

	return false;
}
