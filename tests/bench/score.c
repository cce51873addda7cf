/**
 * @file score.c  How close what came back is to the speech that was sent
 *
 * Two WAV files, 16 bit mono, of one rate.  First the delay is followed
 * through the recording: coarsely by the 10 ms envelopes, then for each 80 ms
 * of active speech by correlation, within 300 ms, changing only when that fits
 * clearly better.  With each piece at its own delay it is then told:
 *
 *   stoi       short-time objective intelligibility (Taal et al. 2011), 0..1
 *   gap_ms     active speech that is missing: more than 25 dB too faint
 *   shifts     changes of the delay by more than 5 ms; shift_ms: their sum
 *   delay_ms   in the middle of all
 *   end_ms     at the end
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stoi.h"

enum {
	BLOCK_MS = 80, WINDOW_MS = 160, RANGE_MS = 300, PAD_MS = 2000,
	CHUNK_MS = 20, ENVELOPE_MS = 10, SHIFT_MS = 5,
};

struct sound {
	float *v;
	long n;
};

static int rate;


static void fail(const char *text)
{
	fprintf(stderr, "score: %s\n", text);
	exit(1);
}


static void *need(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p)
		fail("no memory");

	return p;
}


/* As sox writes it; before and behind it as much silence as may be needed */
static struct sound load(const char *path, long before, long behind)
{
	uint8_t head[44];
	struct sound s;
	int16_t *v;
	FILE *f = fopen(path, "rb");
	long size;
	int hz;

	if (!f || fread(head, 1, 44, f) != 44 || memcmp(head, "RIFF", 4))
		fail("not a WAV file");
	hz = head[24] | head[25] << 8 | head[26] << 16;
	if (rate && hz != rate)
		fail("the rates differ");
	rate = hz;
	before = before * rate / 1000;

	fseek(f, 0, SEEK_END);
	size = ftell(f) - 44;
	fseek(f, 44, SEEK_SET);
	v = need((size_t)size, 1);
	size = (long)fread(v, 2, (size_t)size / 2, f);
	fclose(f);

	s.n = before + size + behind;
	s.v = need((size_t)s.n, sizeof(*s.v));
	for (long i = 0; i < size; i++)
		s.v[before + i] = v[i];
	free(v);

	return s;
}


/* By windowed sinc */
static struct sound resample(struct sound x, int to)
{
	const double cut = to < rate ? (double)to / rate : 1;
	const long half = (long)(24 / cut);
	struct sound y = { .n = (long)((double)x.n * to / rate) };

	y.v = need((size_t)y.n, sizeof(*y.v));
	for (long i = 0; i < y.n; i++) {
		const double at = (double)i * rate / to;
		double sum = 0;

		for (long k = (long)at - half; k <= (long)at + half; k++) {
			const double d = at - (double)k, t = M_PI * d * cut;

			if (k < 0 || k >= x.n)
				continue;
			sum += x.v[k] * cut *
				(fabs(t) < 1e-9 ? 1 : sin(t) / t) *
				(0.5 + 0.5 * cos(M_PI * d / (double)(half + 1)));
		}
		y.v[i] = (float)sum;
	}

	return y;
}


/* The delay ------------------------------------------------------------- */

static double match(const float *a, const float *b, long n, int step)
{
	double ab = 0, aa = 1, bb = 1;

	for (long i = 0; i < n; i += step) {
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}

	return ab / sqrt(aa * bb);
}


static double power(const float *v, long n)
{
	double sum = 0;

	for (long i = 0; i < n; i++)
		sum += v[i] * v[i];

	return sum / (double)n;
}


static float *envelope(struct sound s, long *n, double *mean)
{
	const long step = rate * ENVELOPE_MS / 1000;
	float *e;

	*n = s.n / step;
	e = need((size_t)*n, sizeof(*e));
	for (long i = 0; i < *n; i++)
		e[i] = (float)(10 * log10(power(s.v + i * step, step) + 100));
	if (*mean < 0) {
		*mean = 0;
		for (long i = 0; i < *n; i++)
			*mean += e[i] / (double)*n;
	}
	for (long i = 0; i < *n; i++)
		e[i] -= (float)*mean;

	return e;
}


/* Where ref begins in got, to 10 ms */
static long coarse(struct sound ref, struct sound got)
{
	double mean = -1, best = -1e30;
	long n, m, found = 0;
	float *a = envelope(ref, &n, &mean), *b = envelope(got, &m, &mean);

	for (long lag = 0; lag <= 2 * PAD_MS / ENVELOPE_MS && lag + n <= m;
	     lag++) {
		const double c = match(a, b + lag, n, 1);

		if (c > best) {
			best = c;
			found = lag;
		}
	}
	free(a);
	free(b);

	return found * (rate * ENVELOPE_MS / 1000);
}


/* The lag near `about` at which n samples of ref fit best */
static long closest(const float *ref, struct sound got, long at, long about,
		    long n, double *fit)
{
	const long range = rate * RANGE_MS / 1000;
	const int step = rate / 8000;
	long found = about;
	double best = -1;

	for (long lag = about - range; lag <= about + range; lag += step) {
		double c;

		if (at + lag < 0 || at + lag + n > got.n)
			continue;
		c = match(ref + at, got.v + at + lag, n, 2 * step);
		if (c > best) {
			best = c;
			found = lag;
		}
	}
	*fit = -1;
	about = found;
	for (long lag = about - step; lag <= about + step; lag++) {
		double c;

		if (at + lag < 0 || at + lag + n > got.n)
			continue;
		c = match(ref + at, got.v + at + lag, n, 1);
		if (c > *fit) {
			*fit = c;
			found = lag;
		}
	}

	return found;
}


struct shifts {
	int count;
	double ms;
};

/* The lag of each block */
static long *follow(struct sound ref, struct sound got, double loudest,
		    long *blocks, struct shifts *sh)
{
	const long size = rate * BLOCK_MS / 1000;
	const long n = rate * WINDOW_MS / 1000;
	const long begin = coarse(ref, got);
	long *lag, cur = begin;
	bool first = true;

	*blocks = (ref.n - n) / size;
	lag = need((size_t)*blocks + 1, sizeof(*lag));

	for (long b = 0; b <= *blocks; b++) {
		const long at = b * size;
		const long n3 = at + 3 * n > ref.n ? ref.n - at : 3 * n;
		double had, fit;
		long best;

		lag[b] = cur;
		if (b == *blocks || power(ref.v + at, n) < loudest * 3e-3)
			continue;

		had = first ? -1 : match(ref.v + at, got.v + at + cur, n, 1);
		if (had >= 0.95)
			continue;

		best = closest(ref.v, got, at, begin, n, &fit);
		if (!first &&
		    (fit <= had + 0.1 || fit <= 0.6 ||
		     match(ref.v + at, got.v + at + best, n3, 1) <=
		     match(ref.v + at, got.v + at + cur, n3, 1) + 0.1))
			continue;

		if (first) {
			for (long k = 0; k < b; k++)
				lag[k] = best;
		}
		else if (labs(best - cur) * 1000 > SHIFT_MS * rate) {
			++sh->count;
			sh->ms += (double)labs(best - cur) * 1000 / rate;
		}
		first = false;
		lag[b] = cur = best;
	}

	return lag;
}


/* Of the block a piece is in, and of those beside it, the one that fits */
static long piece_lag(struct sound ref, struct sound got, const long *lag,
		      long blocks, long at, long n)
{
	const long b = at * 1000 / rate / BLOCK_MS;
	double least = 1e30;
	long found = lag[b < blocks ? b : blocks];

	for (long k = b - 1; k <= b + 1; k++) {
		const long l = lag[k < 0 ? 0 : k < blocks ? k : blocks];
		double off = 0;

		if (at + l < 0 || at + l + n > got.n)
			continue;
		for (long i = 0; i < n; i++) {
			const double d = ref.v[at + i] - got.v[at + l + i];

			off += d * d;
		}
		if (off < least) {
			least = off;
			found = l;
		}
	}

	return found;
}


static int by_value(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}


int main(int argc, char *argv[])
{
	struct shifts sh = { 0 };
	struct sound ref, got, put;
	double loudest = 0;
	long n, blocks, *lag, *lags, lagc = 0, gap = 0, last = 0;

	if (argc != 3)
		fail("REFERENCE.wav RECORDING.wav");
	ref = load(argv[1], 0, 0);
	got = load(argv[2], PAD_MS, 4L * PAD_MS * rate / 1000 + ref.n);

	n = rate * CHUNK_MS / 1000;
	for (long i = 0; i + n <= ref.n; i += n)
		loudest = fmax(loudest, power(ref.v + i, n));

	lag = follow(ref, got, loudest, &blocks, &sh);
	lags = need((size_t)(ref.n / n), sizeof(*lags));
	put.n = ref.n;
	put.v = need((size_t)put.n, sizeof(*put.v));

	for (long at = 0; at + n <= ref.n; at += n) {
		const long l = piece_lag(ref, got, lag, blocks, at, n);
		const double p = power(ref.v + at, n);

		memcpy(put.v + at, got.v + at + l,
		       (size_t)n * sizeof(*put.v));
		if (p < loudest * 3.16e-4 || p < 100)
			continue;
		lags[lagc++] = last = l;
		if (power(put.v + at, n) < p * 3.16e-3)
			gap += CHUNK_MS;
	}
	qsort(lags, (size_t)lagc, sizeof(*lags), by_value);
	ref = resample(ref, STOI_HZ);
	put = resample(put, STOI_HZ);

	printf("{\"stoi\": %.4f, \"gap_ms\": %ld, \"shifts\": %d, "
	       "\"shift_ms\": %.0f, \"delay_ms\": %.1f, \"end_ms\": %.1f}\n",
	       stoi(ref.v, put.v, ref.n), gap,
	       sh.count, sh.ms,
	       lagc ? (double)lags[lagc / 2] * 1000 / rate - PAD_MS : 0,
	       lagc ? (double)last * 1000 / rate - PAD_MS : 0);

	return 0;
}
